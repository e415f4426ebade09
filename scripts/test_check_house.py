#!/usr/bin/env python3
"""Proves that every rule of check_house.py can fail: a small tree that keeps all rules is broken once for each
row of BREAKS, and exactly the rule of that row must complain, with the words of that row."""

import os
import tempfile
import unittest

import check_house

README = "What it holds.\nMay depend on: nothing.\nMust not: anything else.\n"
PASSES = """include "mlir/Pass/PassBase.td"
def FoldTopicPass : Pass<"torsh-fold-topic"> {
  let summary = "folds a topic";
  let description = [{
    What it does.
    Before and after.
    Why it exists.
  }];
}
"""
OPS = """include "mlir/IR/OpBase.td"
def Torsh_Dialect : Dialect { let name = "torsh"; let cppNamespace = "::torsh"; }
class Torsh_Op<string m> : Op<Torsh_Dialect, m, []> { let summary = ""; let description = ""; }
class Row<string m, string s> : Torsh_Op<m> { let summary = s; }
def Torsh_NegOp : Row<"neg", "-x">;
def Torsh_SortOp : Torsh_Op<"sort"> {
  let summary = "sorts";
  let description = [{ Sorts along an axis. }];
}
"""
HOUSE = {
    ".clang-format": "BasedOnStyle: LLVM\n",
    "runtime/README.md": README,
    "runtime/Arena.h": '#include "torsh/c_api.h"\n',
    "runtime/Arena.cpp": '#include "Arena.h"\n#include "runtime/Arena.h"\n',
    "include/README.md": README,
    "include/torsh/c_api.h": "int torsh_version(void);\n",
    "dialects/README.md": README,
    "dialects/torsh/README.md": README,
    "dialects/torsh/Dim.h": "struct Dim;\n",
    "dialects/torsh/Ops.td": OPS,
    "frontends/README.md": README,
    "frontends/onnx/README.md": README,
    "frontends/onnx/Import.h": '#include "dialects/torsh/Dim.h"\n',
    "frontends/torchscript/README.md": README,
    "frontends/torchscript/Zip.h": "struct Zip;\n",
    "passes/README.md": README,
    "passes/graph/README.md": README,
    "passes/graph/Passes.td": PASSES,
    "passes/graph/FoldTopic.cpp": '#define GEN_PASS_DEF_FOLDTOPICPASS\n#include "mlir/IR/Builders.h"\n',
    "compiler/README.md": README,
    "compiler/Pipeline.h": '#include "frontends/onnx/Import.h"\n',
    "tools/README.md": README,
    "tools/torshc/README.md": README,
    "tools/torshc/Main.cpp": '#include "Main.h"\n#include "compiler/Pipeline.h"\n',
    "tools/torshc/Main.h": "int run();\n",
    "scripts/README.md": README,
    "docs/README.md": README,
    "docs/ops.md": "See `runtime/Arena.h`, `runtime/` and `build/bin/torshc`.\n",
    "docs/diagnostics.md": "| TSH-0001 | a | b |\n| TSH-0100 | a | b |\n| TSH-8001 | a | b |\n",
    "frontends/onnx/reader/ReaderError.h": "// TSH-0100\nenum class Code {\n  CannotOpen = 100,\n};\n",
    "include/torsh/torsh.h": "enum {\n  TORSH_OK = 0,\n  TORSH_E_IO = 1,\n};\n",
    "tools/torshc/Run.cpp": 'const char *why = "TSH-0001: no file";\n',
    "scripts/file_budget.txt": "# none\n",
    "test/README.md": README,
    "test/CMakeLists.txt": "add_subdirectory(lit)\n",
    "test/lit/CMakeLists.txt": "add_custom_target(check-lit)\n",
    "test/lit/fold-topic.mlir": "// RUN: torsh-opt --torsh-fold-topic %s\n",
    "test.sh": "python -m unittest discover test/artifact\n",
}

# (rule, file, new text or None to remove it, words of the complaint)
LONG = "int x;\n" * 801
BREAKS = [
    ("include-direction", "runtime/Arena.h", '#include "dialects/torsh/Dim.h"\n', "runtime/ may include"),
    ("include-direction", "runtime/Arena.h", '#include "../compiler/Pipeline.h"\n', "runtime/ may include"),
    ("include-direction", "runtime/Arena.h", '#include "llvm/ADT/ArrayRef.h"\n', "without LLVM"),
    ("include-direction", "runtime/Arena.h", "#include <mlir/IR/Value.h>\n", "without LLVM"),
    ("include-direction", "dialects/torsh/Dim.h", '#include "compiler/Pipeline.h"\n', "dialects/ may include"),
    ("include-direction", "dialects/torsh/Dim.h", '#include "frontends/onnx/Import.h"\n', "dialects/ may include"),
    ("include-direction", "dialects/torsh/Dim.h", '#include "passes/graph/Passes.h.inc"\n', "dialects/ may include"),
    ("include-direction", "frontends/onnx/Import.h", '#include "passes/graph/Passes.h"\n', "frontends/ may include"),
    ("include-direction", "frontends/onnx/Import.h", '#include "../torchscript/Zip.h"\n', "no other frontend"),
    ("include-direction", "passes/graph/FoldTopic.cpp",
     '#define GEN_PASS_DEF_FOLDTOPICPASS\n#include "frontends/onnx/Import.h"\n', "passes/ may include"),
    ("include-direction", "tools/torshc/Main.h", '#include "dialects/torsh/Dim.h"\n', "tools/ may include"),
    ("include-direction", "compiler/Pipeline.h", '#include "tools/torshc/Main.h"\n', "nobody includes tools/"),
    ("include-direction", "include/torsh/c_api.h", '#include "runtime/Arena.h"\n', "include/ may include"),
    ("folder-readme", "passes/graph/README.md", None, "passes/graph/ has no README.md"),
    ("folder-readme", "runtime/README.md", "One.\n\n\n\nTwo.\n", "has 2 non-empty lines"),
    ("folder-readme", "runtime/README.md", "Line.\n" * 8, "has 8 non-empty lines"),
    ("file-budget", "tools/torshc/Main.h", LONG, "has 801 lines"),
    ("file-budget", "scripts/file_budget.txt", "runtime/Arena.h: a table\n", "remove the row"),
    ("file-budget", "scripts/file_budget.txt", "runtime/Gone.h: a table\n", "which is not there"),
    ("forbidden-names", "compiler/PassUtils.h", "struct A;\n", "'Utils'"),
    ("forbidden-names", "compiler/common_types.h", "struct A;\n", "'common'"),
    ("forbidden-names", "compiler/Misc.h", "struct A;\n", "'Misc'"),
    ("passes", "passes/graph/FoldTopic.cpp", None, "FoldTopic.cpp is missing"),
    ("passes", "passes/graph/FoldTopic.cpp", "int x;\n", "does not define it"),
    ("passes", "passes/graph/FoldTopic.cpp",
     "#define GEN_PASS_DEF_FOLDTOPICPASS\n#define GEN_PASS_DEF_OTHERPASS\n", "defines 2 passes"),
    ("passes", "test/lit/fold-topic.mlir", None, "test test/lit/fold-topic.mlir is missing"),
    ("passes", "test/lit/fold-topic.mlir", "// RUN: torsh-opt %s\n", "no RUN line with"),
    ("passes", "passes/graph/Passes.td", PASSES.replace("torsh-fold", "fold"), "must begin with torsh-"),
    ("passes", "passes/graph/Passes.td", PASSES.replace("FoldTopicPass", "FoldTopic"), "call it FoldTopicPass"),
    ("passes", "passes/graph/Passes.td", PASSES.replace("torsh-fold-topic", "torsh-fold-tropic"), "must be the pass"),
    ("passes", "passes/graph/Passes.td", PASSES.replace("    Why it exists.\n", ""), "at least 3 lines"),
    ("passes", "passes/graph/Passes.td", PASSES.replace("folds a topic", ""), "summary is empty"),
    ("passes", "passes/graph/Passes.td", PASSES.replace("let summary", 'let constructor = "make()";\n  let summary'),
     "drop 'let constructor'"),
    ("passes", "passes/graph/Passes.td", "def X : Nothing;\n", "llvm-tblgen"),
    ("ops-described", "dialects/torsh/Ops.td", OPS.replace('"-x"', '""'), "Torsh_NegOp has no summary"),
    ("ops-described", "dialects/torsh/Ops.td", OPS.replace('"sorts"', '" "'), "Torsh_SortOp has no summary"),
    ("ops-described", "dialects/torsh/Ops.td", OPS.replace("Sorts along an axis.", ""), "SortOp has no description"),
    ("ops-described", "dialects/torsh/Ops.td", OPS + "def Broken : Nothing;\n", "llvm-tblgen"),
    ("clang-format", "tools/torshc/Main.h", "int   run( );\n", "clang-format-22 -i tools/torshc/Main.h"),
    ("portable-text", "scripts/README.md", README + "See /wo" + "rk/x.\n", "scripts/README.md:4"),
    ("portable-text", "scripts/README.md", README + "In /ho" + "me/me/x.\n", "scripts/README.md:4"),
    ("portable-text", "scripts/README.md", README + "https://pypi" + ".org\n", "scripts/README.md:4"),
    ("lit-files", "test/lit/other.mlir", "module {}\n", "has no RUN line"),
    ("lit-files", "test/lit/other.ll", "; RUN: true\n", ".mlir and .test files only"),
    ("docs-paths", "docs/ops.md", "See `runtime/Gone.h`.\n", "docs/ops.md names runtime/Gone.h"),
    ("diagnostics", "tools/torshc/Run.cpp", 'const char *why = "TSH-0002: no file";\n', "Run.cpp:1 gives TSH-0002"),
    ("diagnostics", "frontends/onnx/reader/ReaderError.h", "enum class Code {\n  CannotOpen = 100,\n  Deep = 101,\n};\n",
     "ReaderError.h:3 gives TSH-0101"),
    ("diagnostics", "include/torsh/torsh.h", "enum {\n  TORSH_E_IO = 1,\n  TORSH_E_CPU = 6,\n};\n", "gives TSH-8006"),
    ("diagnostics", "docs/diagnostics.md", None, "gives TSH-0001"),
    ("diagnostics", "docs/diagnostics.md",
     "| TSH-0001 | a | b |\n| TSH-0001 | c | d |\n| TSH-0100 | a | b |\n| TSH-8001 | a | b |\n", "explains TSH-0001 twice"),
    ("tests-are-run", "test/forgotten/a.py", "x = 1\n", "test/forgotten/ is never run"),
    ("tests-are-run", "test/CMakeLists.txt", "# empty\n", "test/lit/ is never run"),
    ("tests-are-run", "test/artifact/runtime.py", "import unittest\n", "call it test_runtime.py"),
]


def complaints(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        house = check_house.House(root)
        return {name: problems for name, function in check_house.RULES.items() if (problems := function(house))}


class CheckHouse(unittest.TestCase):
    def test_a_good_tree_passes(self):
        self.assertEqual(complaints(HOUSE), {})

    def test_each_break_is_found_by_its_rule(self):
        for name, path, text, words in BREAKS:
            with self.subTest(rule=name, file=path, words=words):
                files = dict(HOUSE)
                if text is None:
                    del files[path]
                else:
                    files[path] = text
                found = complaints(files)
                self.assertEqual(list(found), [name], found)
                self.assertIn(words, "\n".join(found[name]))

    def test_every_rule_has_a_break(self):
        self.assertEqual({row[0] for row in BREAKS}, set(check_house.RULES))

    def test_the_allow_list_allows(self):
        files = dict(HOUSE)
        files["tools/torshc/Main.h"] = LONG
        files["scripts/file_budget.txt"] = "tools/torshc/Main.h: one table of opcodes\n"
        self.assertEqual(complaints(files), {})


if __name__ == "__main__":
    unittest.main()
