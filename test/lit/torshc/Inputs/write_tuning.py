"""Writes a tuning database with one choice for a kernel or op whose key a remark on standard input tells.

usage: write_tuning.py FILE NAME KNOB=VALUE... [cpu=CPU or cpu=@FILE]; NAME is the kernel's name or a part of it, or the op's name.
"""

import json
import re
import sys

path, name = sys.argv[1:3]
choices = dict(argument.split("=", 1) for argument in sys.argv[3:])
cpu = choices.pop("cpu", "test")
if cpu.startswith("@"):
    with open(cpu[1:], encoding="utf-8") as file:
        cpu = file.read()
keys = [key for found, key in re.findall(r"key of (?:kernel )?'(\S+)': ([0-9a-f]{32})", sys.stdin.read()) if name in found]
assert keys, f"no remark tells the key of {name}"
entry = {"cpu": cpu, "level": "v3", "key": keys[0], "kernel": name, "revision": 3,
         "choices": {knob: int(value) for knob, value in choices.items()}}
with open(path, "w", encoding="utf-8") as file:
    json.dump({"format": 1, "entries": [entry]}, file)
