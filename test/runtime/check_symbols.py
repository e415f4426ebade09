#!/usr/bin/env python3
"""Checks the dynamic symbols of a library: glibc 2.28 is enough, only the named exports, only libc and libm needed."""

import argparse
import re
import shutil
import subprocess
import sys

ALLOWED_LIBRARIES = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-x86-64.so.2"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("--exports", nargs="*", default=[])
    args = parser.parse_args()
    objdump = shutil.which("objdump") or shutil.which("llvm-objdump-22")
    if not objdump:
        sys.exit("objdump (package binutils) is missing")
    text = subprocess.run([objdump, "-T", "-p", args.library], check=True, capture_output=True, text=True).stdout

    problems = []
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", text)}
    if not versions:
        problems.append("no glibc version found; is this a dynamic library?")
    problems += ["needs GLIBC_%s" % ".".join(map(str, v)) for v in sorted(versions) if v > (2, 28)]
    needed = set(re.findall(r"^\s*NEEDED\s+(\S+)", text, re.MULTILINE))
    problems += ["needs the library " + n for n in sorted(needed - ALLOWED_LIBRARIES)]
    exports = set()
    for line in text.splitlines():
        words = line.split()
        if " g " in line and "*UND*" not in line and "*ABS*" not in line and len(words) > 4:
            exports.add(words[-1])
    if exports != set(args.exports):
        problems.append("exports %s, expected %s" % (sorted(exports), sorted(args.exports)))
    for problem in problems:
        print("%s: %s" % (args.library, problem))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
