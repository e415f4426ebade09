"""Copies a file with one bit changed: flip_byte.py OFFSET FROM TO. A negative offset counts from the end."""

import sys

with open(sys.argv[2], "rb") as source:
    data = bytearray(source.read())
data[int(sys.argv[1])] ^= 1
with open(sys.argv[3], "wb") as copy:
    copy.write(data)
