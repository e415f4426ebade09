#!/usr/bin/env python3
"""Compares what examples/magika_host reads from files with what the `magika` package reads.

    check_magika_features.py MAGIKA_HOST [FILE...]

Exit code 77: the package is not installed, so there is nothing to compare with.
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    from magika import Magika
    from magika.types.seekable import Seekable
except ImportError:
    print("the package magika is not installed")
    sys.exit(77)


def edge_cases():
    rng = random.Random(7)
    noise = bytes(rng.randrange(256) for _ in range(20000))
    yield b""
    for size in (1, 7, 8, 9, 1023, 1024, 1025, 2047, 4095, 4096, 4097, 5000, 8192, 20000):
        yield noise[:size]
        yield b"a" * size
        yield b" \t\r\n\v\f" + b"x" * size + b"\n  "
        yield b" " * size
        yield b" " * size + b"seven b"
        yield b"eight by" + b"\n" * size
    for text in ("h\u00e9", "\u20ac", "\U0001f600", "caf\u00e9 \u00df"):
        yield text.encode()
        yield text.encode()[:-1]
        yield text.encode("latin-1", "replace")
    for raw in (b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x80\x80\x80",
                b"\xff", b"\x80"):
        yield raw
    yield b" " * 4090 + "\u20ac\u20ac\u20ac".encode()  # cut in the middle of a character


def expected(magika, path):
    with open(path, "rb") as stream:
        result, features = magika._get_result_or_features_from_seekable(Seekable(stream), path)
    if result is not None:
        return str(result.prediction.output.label)
    return " ".join(map(str, features.beg + features.end))


def main():
    host, magika, different, count = sys.argv[1], Magika(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(name) for name in sys.argv[2:]]
        for i, contents in enumerate(edge_cases()):
            paths.append(pathlib.Path(folder) / str(i))
            paths[-1].write_bytes(contents)
        for path in paths:
            command = [host, "--features", os.fspath(path)]
            actual = subprocess.run(command, capture_output=True, text=True).stdout.strip()
            count += 1
            if actual != expected(magika, path):
                different += 1
                print("%s differs: %s... and %s..." % (path, actual[:60], expected(magika, path)[:60]))
    print("%d files, %d different" % (count, different))
    sys.exit(1 if different or not count else 0)


if __name__ == "__main__":
    main()
