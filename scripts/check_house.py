#!/usr/bin/env python3
"""Checks the rules of the house that no compiler checks. Each rule is one test.

Prints `PASS name` or `FAIL name: details` for each rule, then `N passed, N failed`.
usage: scripts/check_house.py [--root DIR] [RULE...]

A rule is a function from a House to a list of sentences, one for each thing that breaks it.
scripts/test_check_house.py proves that each rule can fail. docs/adding-a-pass.md and docs/adding-an-op.md tell what
the rules ask of new code. Needs only python3, clang-format-22, llvm-22-dev and libmlir-22-dev.
"""

import argparse
import json
import os
import re
import subprocess
import sys

LLVM = "/usr/lib/llvm-22"
CPP = (".cpp", ".h", ".c")
BUDGET = 800
RULES = {}


def rule(function):
    RULES[function.__name__.replace("_", "-")] = function
    return function


class House:
    """The files of one source tree, without what the build makes."""

    def __init__(self, root):
        self.root = root
        self.files = []
        self.folders = []
        self._texts = {}
        for folder, subfolders, names in os.walk(root):
            subfolders[:] = sorted(
                s for s in subfolders
                if s not in (".git", "__pycache__", "build") and not s.startswith("build-"))
            relative = os.path.relpath(folder, root)
            prefix = "" if relative == "." else relative + "/"
            if prefix:
                self.folders.append(relative)
            self.files += [prefix + n for n in sorted(names) if not n.endswith(".pyc")]

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
                self._texts[path] = f.read()
        return self._texts[path]

    def ending(self, *suffixes):
        return [f for f in self.files if f.endswith(suffixes)]


# Which layers a layer may include. `public` is include/torsh. Layers that are not named here may include anything but
# tools/, which nobody includes. Data flows one way, so a frontend knows no pass and a pass no frontend.
MAY_INCLUDE = {
    "include": {"include"},
    "artifact": {"artifact"},
    "runtime": {"runtime", "artifact", "include"},
    # The reference evaluator computes with the objects of the runtime, which are a meaning and not code.
    "dialects": {"dialects", "runtime", "include"},
    "frontends": {"frontends", "dialects", "include"},
    "passes": {"passes", "dialects", "include"},
    "compiler": {"compiler", "frontends", "passes", "dialects", "artifact", "include"},
    "tools": {"tools", "compiler", "include"},
    "examples": {"examples", "include"},
    "bindings": {"bindings", "compiler", "include"},
}


def layer_of(path):
    """The layer of a file; each frontend and each tool is a layer of its own that ends in its folder's name."""
    parts = path.split("/")
    if parts[0] in ("frontends", "tools") and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def included_layer(house, source, name):
    """The layer of an #include, or None when it is no file of this project."""
    own = os.path.normpath(os.path.join(os.path.dirname(source), name))
    if own in house_set(house):
        return layer_of(own)
    if name.startswith("torsh/"):
        return "include"
    first = name.split("/")[0]
    if "/" in name and (first in MAY_INCLUDE or first in house.folders):
        return layer_of(os.path.normpath(name))
    return None


def house_set(house):
    if not hasattr(house, "_set"):
        house._set = set(house.files)
    return house._set


@rule
def include_direction(house):
    problems = []
    for path in house.ending(*CPP):
        layer = layer_of(path)
        top = layer.split("/")[0]
        for number, line in enumerate(house.text(path).split("\n"), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^">]+)[">]', line)
            if not match:
                continue
            name = match.group(1)
            where = f"{path}:{number} includes {name}"
            if top in ("runtime", "include", "examples") and re.match(r"(mlir|llvm|lld|clang)/", name):
                problems.append(f"{where}: {top}/ must build without LLVM")
                continue
            target = included_layer(house, path, name)
            if target is None or target == layer:
                continue
            other = target.split("/")[0]
            if other == "tools":
                problems.append(f"{where}: nobody includes tools/")
            elif top == "frontends" and other == "frontends":
                problems.append(f"{where}: a frontend knows no other frontend")
            elif top in MAY_INCLUDE and other not in MAY_INCLUDE[top]:
                allowed = ", ".join(sorted(MAY_INCLUDE[top]))
                problems.append(f"{where}: {top}/ may include {allowed} only")
    return problems


@rule
def folder_readme(house):
    """Every source folder has a README.md of 3 to 7 lines."""
    wanted = [f for f in house.folders if "/" not in f and not f.startswith(".")]
    wanted += [f for f in house.folders
               if re.fullmatch(r"(dialects|frontends|passes|tools|bindings)/[^/]+", f)]
    problems = []
    for folder in wanted:
        path = folder + "/README.md"
        if path not in house_set(house):
            problems.append(f"{folder}/ has no README.md: say what it holds, what it may depend on, what it must not")
            continue
        lines = sum(1 for line in house.text(path).split("\n") if line.strip())
        if not 3 <= lines <= 7:
            problems.append(f"{path} has {lines} non-empty lines; 3 to 7 are wanted")
    return problems


@rule
def file_budget(house):
    """No source file is longer than the budget, unless scripts/file_budget.txt has `path: reason`."""
    allowed, problems = {}, []
    if "scripts/file_budget.txt" in house_set(house):
        for line in house.text("scripts/file_budget.txt").split("\n"):
            if line.strip() and not line.startswith("#"):
                path, _, reason = line.partition(":")
                allowed[path.strip()] = reason.strip()
    for path in house.ending(*CPP, ".td", ".py"):
        lines = house.text(path).count("\n")
        if lines > BUDGET and not allowed.get(path):
            problems.append(f"{path} has {lines} lines, more than {BUDGET}: split it by topic")
        if path in allowed and lines <= BUDGET:
            problems.append(f"scripts/file_budget.txt allows {path}, which has only {lines} lines: remove the row")
    problems += [f"scripts/file_budget.txt names {path}, which is not there" for path in allowed
                 if path not in house_set(house)]
    return problems


@rule
def forbidden_names(house):
    """A name says a topic. These words name none."""
    words = {"common", "util", "utils", "misc", "miscellaneous", "uncategorized"}
    problems = []
    for path in house.files + house.folders:
        name = os.path.basename(path)
        tokens = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
        bad = [t for t in tokens if t.lower() in words]
        if bad:
            problems.append(f"{path}: '{bad[0]}' says nothing about the topic")
    return problems


def records(house, path):
    """What a .td file defines, as llvm-tblgen reads it: {name: record}. Raises ValueError with its complaint."""
    done = subprocess.run(
        [f"{LLVM}/bin/llvm-tblgen", "--dump-json", path, "-I", ".", "-I", os.path.dirname(path) or ".",
         "-I", f"{LLVM}/include"], cwd=house.root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ValueError(f"{path}: llvm-tblgen: {done.stderr.strip()[:300]}")
    return json.loads(done.stdout)


def own_code(text):
    return [line for line in text.split("\n") if line.strip()]


@rule
def passes(house):
    """One pass = one file = one flag = one lit test, and a description."""
    problems = []
    for td in [f for f in house.ending("Passes.td") if f.startswith("passes/")]:
        folder = os.path.dirname(td)
        try:
            found = records(house, td)
        except ValueError as error:
            problems.append(str(error))
            continue
        for name in found["!instanceof"].get("PassBase", []):
            record = found[name]
            flag, base = record["argument"], name.removesuffix("Pass")
            where = f"{td}: {name}"
            if not name.endswith("Pass"):
                problems.append(f"{where}: call it {name}Pass")
            if record.get("constructor"):
                problems.append(f"{where}: drop 'let constructor', MLIR generates create{name}()")
            if len(own_code(record["description"])) < 3:
                problems.append(f"{where}: the description needs at least 3 lines: what, IR before and after, why")
            if not record["summary"].strip():
                problems.append(f"{where}: the summary is empty")
            source = f"{folder}/{base}.cpp"
            if source not in house_set(house):
                problems.append(f"{where}: {source} is missing; one pass is one file of its name")
            elif f"GEN_PASS_DEF_{name.upper()}" not in house.text(source):
                problems.append(f"{where}: {source} does not define it (no GEN_PASS_DEF_{name.upper()})")
            if not flag.startswith("torsh-"):
                problems.append(f"{where}: the flag '{flag}' must begin with torsh-")
                continue
            topic = flag.removeprefix("torsh-")
            if topic.replace("-", "") != base.lower():
                problems.append(f"{where}: the flag '{flag}' must be the pass's name in lower case with dashes")
            test = f"test/lit/{topic}.mlir"
            if test not in house_set(house):
                problems.append(f"{where}: its test {test} is missing")
            elif not any("RUN:" in line and flag in line for line in house.text(test).split("\n")):
                problems.append(f"{test} has no RUN line with {flag}")
    for path in [f for f in house.ending(".cpp") if f.startswith("passes/")]:
        definitions = re.findall(r"#define GEN_PASS_DEF_(\w+)", house.text(path))
        if len(definitions) > 1:
            problems.append(f"{path} defines {len(definitions)} passes: {', '.join(definitions)}; give each its file")
    return problems


@rule
def ops_described(house):
    """Every op says what it does: a summary, and a description unless it is a table row."""
    problems = []
    seen = set()
    for td in sorted(f for f in house.ending(".td") if f.startswith("dialects/")):
        try:
            found = records(house, td)
        except ValueError as error:
            problems.append(str(error))
            continue
        for name in found["!instanceof"].get("Op", []):
            record = found[name]
            if name in seen or not record["opDialect"].get("def", "").startswith("Torsh"):
                continue
            seen.add(name)
            if not record["summary"].strip():
                problems.append(f"{td}: {name} has no summary")
            if not record["description"].strip() and not is_table_row(house, name, record):
                problems.append(f"{td}: {name} has no description: a sentence of semantics, and labelled constraints")
    return problems


def is_table_row(house, name, record):
    """A row is an elementwise op, or a def on one line, or comes from a defm: its summary says all."""
    if any("Elementwise" in trait.get("def", "") for trait in record["traits"]):
        return True
    for td in house.ending(".td"):
        match = re.search(rf"^\s*def {name}\b.*$", house.text(td), re.M)
        if match:
            return match.group(0).rstrip().endswith((";", "}"))
    return True


@rule
def clang_format(house):
    tool = "clang-format-22"
    files = house.ending(*CPP)
    if not files:
        return []
    try:
        done = subprocess.run([tool, "--dry-run", "-Werror", "--style=file", *files], cwd=house.root,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return [f"{tool} is missing: run scripts/install.sh"]
    if done.returncode == 0:
        return []
    bad = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error:", done.stderr, re.M)))
    if not bad:
        return [done.stderr.strip()[:300]]
    return [f"{path}: run {tool} -i {path}" for path in bad]


@rule
def portable_text(house):
    """No file names a place of one machine, or the host of a package index."""
    # Written in pieces, so that this file does not break its own rule.
    hosts = ["pypi" + ".org", "python" + "hosted.org", "snapshot.debian" + ".org", "registry." + "npmjs"]
    patterns = [r"(?<![\w./$}])/" + place for place in
                ("ho" + r"me/\w", "ro" + "ot/", "wo" + "rk/", "fa" + "rm/", "Us" + "ers/", "opt/" + "wheels")]
    patterns += [re.escape(h) for h in hosts] + ["--(extra-)?index-" + "url", "file:/" + "//"]
    finder = re.compile("|".join(patterns))
    problems = []
    for path in house.files:
        if path == "LICENSE" or path.endswith((".png", ".npy", ".onnx", ".bin", ".so", ".pdf")):
            continue
        for number, line in enumerate(house.text(path).split("\n"), 1):
            match = finder.search(line)
            if match:
                problems.append(f"{path}:{number} names '{match.group(0)}'")
    return problems


@rule
def lit_files(house):
    """A file with RUN lines under test/lit must have a suffix that lit looks at, and a test must have RUN lines."""
    problems = []
    for path in [f for f in house.files if f.startswith("test/lit/")]:
        if "/Inputs/" in path or not os.path.isfile(os.path.join(house.root, path)):
            continue
        runs = bool(re.search(r"^\s*(//|#|;)?\s*RUN:", house.text(path), re.M))
        if path.endswith((".mlir", ".test")) and not runs:
            problems.append(f"{path} has no RUN line, so it tests nothing")
        elif runs and not path.endswith((".mlir", ".test")):
            problems.append(f"{path} has RUN lines, but lit runs .mlir and .test files only")
    return problems


@rule
def docs_paths(house):
    """A path that README.md or docs/ names exists. What the build makes lies below build/."""
    known = house_set(house) | set(house.folders)
    tops = {f for f in house.folders if "/" not in f}
    problems = []
    for page in [f for f in house.files if f == "README.md" or re.fullmatch(r"docs/.*\.md", f)]:
        for path in re.findall(r"`([\w.-]+/[\w./-]*)`", house.text(page)):
            if path.split("/")[0] in tops and path.rstrip("/") not in known:
                problems.append(f"{page} names {path}, which is not there")
    return problems


# Where codes are numbers of an enum: what stands before the number, and what is added to it.
CODE_ENUMS = {
    "frontends/onnx/reader/ReaderError.h": (r"^\s*\w+ = ", 0),
    "frontends/torch/reader/ReaderError.h": (r"^\s*\w+ = ", 0),
    "dialects/torsh/reference/Call.h": (r"^\s*\w+ = ", 0),
    "include/torsh/torsh.h": (r"^\s*TORSH_E_\w+ = ", 8000),
}


@rule
def diagnostics(house):
    """Every code of an error is explained in docs/diagnostics.md, once."""
    codes = {}
    for path in house.ending(*CPP, ".td", ".py"):
        if layer_of(path).split("/")[0] not in MAY_INCLUDE or "/test/" in path:
            continue
        before, base = CODE_ENUMS.get(path, (None, 0))
        for number, line in enumerate(house.text(path).split("\n"), 1):
            found = re.findall(r"TSH-(\d{4})\b", line)
            if before and (match := re.match(before + r"(\d+)", line)):
                found.append(f"{base + int(match.group(1)):04}")
            for code in found:
                codes.setdefault(code, f"{path}:{number}")
    page = "docs/diagnostics.md"
    rows = re.findall(r"^\| TSH-(\d{4}) \|", house.text(page), re.M) if page in house_set(house) else []
    problems = [f"{place} gives TSH-{code}, which {page} does not explain" for code, place in sorted(codes.items())
                if code not in rows]
    return problems + [f"{page} explains TSH-{code} twice" for code in sorted(set(rows)) if rows.count(code) > 1]


@rule
def tests_are_run(house):
    """Each folder under test/ is built by test/CMakeLists.txt or run by a stage, so that none is forgotten."""
    known = "".join(house.text(f) for f in ("test.sh", "scripts/run_tests.py") if f in house_set(house))
    cmake = house.text("test/CMakeLists.txt") if "test/CMakeLists.txt" in house_set(house) else ""
    problems = []
    for folder in [f for f in house.folders if re.fullmatch(r"test/[^/]+", f)]:
        name = os.path.basename(folder)
        holds = any(f.startswith(folder + "/") and not f.endswith("README.md") for f in house.files)
        built = re.search(rf"add_subdirectory\(\s*{re.escape(name)}\s*\)|\b{re.escape(name)}/", cmake)
        needs_cmake = folder + "/CMakeLists.txt" in house_set(house)
        if holds and not built and (needs_cmake or folder not in known):
            problems.append(f"{folder}/ is never run: name it in test/CMakeLists.txt (add_subdirectory) if it has a "
                            "CMakeLists.txt, or in scripts/run_tests.py")
    for path in [f for f in house.files if re.fullmatch(r"test/artifact/.*\.py", f)]:
        name = os.path.basename(path)
        if "unittest" in house.text(path) and not name.startswith("test_"):
            problems.append(f"{path}: call it test_{name}, or unittest does not find it")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    parser.add_argument("rules", nargs="*", metavar="RULE", help=", ".join(RULES))
    options = parser.parse_args()
    for name in options.rules:
        if name not in RULES:
            parser.error(f"there is no rule '{name}'; the rules are {', '.join(RULES)}")
    house = House(os.path.normpath(options.root))
    failed = 0
    chosen = options.rules or list(RULES)
    for name in chosen:
        problems = RULES[name](house)
        failed += bool(problems)
        if problems:
            more = f" (and {len(problems) - 30} more)" if len(problems) > 30 else ""
            print(f"FAIL {name}: " + "\n     ".join(problems[:30]) + more)
        else:
            print(f"PASS {name}")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
