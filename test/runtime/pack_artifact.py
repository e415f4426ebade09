#!/usr/bin/env python3
"""Appends metadata, weights and trailer to a shared object, as include/torsh/artifact.h describes."""

import argparse
import hashlib
import json
import pathlib
import re
import struct

TRAILER = struct.Struct("<5Q32s32sII8s")
ALIGNMENT = 65536
SIDECAR = 1


def present_version():
    """The version that the header gives."""
    header = pathlib.Path(__file__).parents[2] / "include/torsh/artifact.h"
    return int(re.search(r"TORSH_ARTIFACT_VERSION (\d+)u", header.read_text()).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared_object")
    parser.add_argument("output")
    parser.add_argument("--weights", type=float, nargs="*", default=[], help="float32 values")
    parser.add_argument("--sidecar", help="write the weights to this file name beside the output")
    parser.add_argument("--launches", nargs="*", default=[], help="kernels of the metadata's launches")
    parser.add_argument("--version", type=int, default=present_version())
    args = parser.parse_args()

    with open(args.shared_object, "rb") as f:
        elf = f.read()
    metadata = {"compiler": "none, written by hand", "nested": {"weights_file": "not this one"}}
    if args.launches:
        metadata["model"] = "by \"hand\""
        metadata["kernels"] = [{"name": name, "code": "plain [%s]" % name} for name in args.launches]
        metadata["launches"] = [{"kernel": name, "nodes": ["/%s \"a\"" % name, "b]"]} for name in args.launches]
    if args.sidecar:
        metadata["weights_file"] = args.sidecar
    metadata = json.dumps(metadata).encode()
    weights = struct.pack("<%df" % len(args.weights), *args.weights)

    code = elf + b"\0" * (-len(elf) % 64)
    offset = len(code)
    code += metadata
    body = code
    weights_offset = 0
    if args.sidecar:
        folder = args.output.rpartition("/")[0]
        with open((folder + "/" if folder else "") + args.sidecar, "wb") as f:
            f.write(weights)
    elif weights:
        body += b"\0" * (-len(body) % ALIGNMENT)
        weights_offset = len(body)
        body += weights
    trailer = TRAILER.pack(len(elf), offset, len(metadata), weights_offset, len(weights),
                           hashlib.sha256(code).digest(), hashlib.sha256(weights).digest(),
                           SIDECAR if args.sidecar else 0, args.version, b"TORSH\0A\n")
    with open(args.output, "wb") as f:
        f.write(body + trailer)


if __name__ == "__main__":
    main()
