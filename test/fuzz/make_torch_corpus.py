"""Writes a corpus of TorchScript archives: sound ones, and hostile ones each with one fault.

Usage: make_torch_corpus.py FOLDER. FOLDER/manifest.txt then has one line for each file: its name and the number of the
diagnostic (TSH-nnnn) that it must get; a sound file has no number. FOLDER/pickles, FOLDER/sources and FOLDER/programs
hold the seeds of the fuzz targets for those. Files that end in .pt2 are archives of torch.export.
"""

import os
import struct
import sys

import exported
from torchscript import Object, Pickler, Tensor, entries, glob, number, text, write

SOURCE = '''class M(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  training : bool
  __annotations__["0"] = int
  eps : Final[float] = 1.0000000000000001e-05
  def forward(self: __torch__.M,
    x: Tensor,
    n: int=3,
    *EXTRA*) -> Tuple[Tensor, List[int]]:
    weight = self.weight
    _0 = annotate(List[int], [])
    for i in range(n):
      _1 = torch.append(_0, torch.mul(i, -2))
    if torch.gt(torch.dim(x), 1):
      y = torch.linear(x, weight)
    else:
      y = x
    a, b, = (y, {"k": "\\303\\244\\n"})
    _2 = torch.slice(y, 0, 0, 9223372036854775807)
    def __forked_function():
      return torch.relu(_2)
    f = fork(__forked_function)
    z = getattr(self, "0")[-1]
    return (torch.wait(f), _0)
'''.replace("    *EXTRA*", "    s: Optional[str]=None")

ROOT = Object("__torch__.M", weight=Tensor([1.0] * 8, [2, 4]), training=False)


def sound():
    return entries(ROOT, {"__torch__": SOURCE}, [Tensor([1, 2], [2], "Long"), 2.5, "text"])


def replaced(name, contents, compressed=False):
    return [(n, contents if n == name else c, z) for n, c, z in sound()] if contents is not None else \
        [(n, c, z) for n, c, z in sound() if n != name]


def pickled(body):
    return replaced("data.pkl", b"\x80\x02" + body + b".")


def stored(count=8, sizes=(2, 4), strides=(4, 1), offset=0, key="0", kind="FloatStorage"):
    """An object whose weight has this shape over a storage of `count` elements."""
    storage = (b"(" + text("storage") + glob("torch", kind) + text(key) + text("cpu") + number(count) + b"tQ")
    tensor = (glob("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + number(offset)
              + b"(" + b"".join(map(number, sizes)) + b"t(" + b"".join(map(number, strides)) + b"t\x89"
              + glob("collections", "OrderedDict") + b")RtR")
    return pickled(glob("__torch__", "M") + b")\x81}" + text("weight") + tensor + b"s" + b"b")


def archives():
    """(name, files in the archive, code or None)"""
    yield "sound", sound(), None
    yield "sound_version_10", replaced("version", b"10\n"), None
    yield "sound_little", sound() + [("byteorder", b"little", False)], None
    yield "os_system", pickled(glob("os", "system") + b"(" + text("touch /tmp/torsh-was-here") + b"tR"), 171
    yield "posix_system", pickled(glob("posix", "system") + b"0"), 171
    yield "builtins_eval", pickled(glob("builtins", "eval")), 171
    yield "state_dict", [("data.pkl", Pickler().pickle({"weight": 1}), False), ("version", b"3\n", False)], 160
    yield "version_11", replaced("version", b"11\n"), 166
    yield "version_text", replaced("version", b"new\n"), 166
    yield "no_version", replaced("version", None), 168
    yield "no_data", replaced("data.pkl", None), 168
    yield "no_constants", replaced("constants.pkl", None), 168
    yield "big_endian", sound() + [("byteorder", b"big", False)], 167
    yield "old_script", sound() + [("model.json", b"{}", False)], 163
    yield "exported", sound() + [("archive_format", b"pt2", False)], 169
    yield "package", sound() + [(".data/ts_code/0", b"", False)], 165
    yield "parent_folder", sound() + [("../../evil", b"", False)], 153
    yield "backslash", sound() + [("..\\evil", b"", False)], 153
    yield "bomb", sound() + [("code/bomb.py", b"\n" * (20 << 20), True)], None
    yield "bomb_source", replaced("code/__torch__.py", b"#" * (70 << 20)), 156
    yield "missing_storage", stored(key="7"), 168
    yield "short_storage", stored(count=1000, sizes=(1000,), strides=(1,)), 173
    yield "past_storage", stored(strides=(5, 1)), 173
    yield "offset_past", stored(offset=1), 173
    yield "negative_size", stored(sizes=(-2, 4)), 173
    yield "negative_stride", stored(strides=(-4, 1)), 173
    yield "overflow", stored(sizes=(0x7FFFFFFF, 0x7FFFFFFF), strides=(0x7FFFFFFF, 0x7FFFFFFF)), 173
    yield "ranks_differ", stored(strides=(1,)), 173
    yield "protocol_4", replaced("data.pkl", b"\x80\x04N."), 170
    yield "no_stop", replaced("data.pkl", b"\x80\x02N"), 170
    yield "unknown_opcode", pickled(b"\x93"), 170
    yield "below_stack", pickled(b"a"), 170
    yield "below_mark", pickled(b"N(\x85"), 170
    yield "recall_nothing", pickled(b"h\x05"), 170
    yield "append_to_number", pickled(b"K\x01K\x02a"), 170
    yield "call_number", pickled(b"K\x01)R"), 170
    yield "call_storage", pickled(glob("torch", "FloatStorage") + b")R"), 170
    yield "text_too_long", pickled(b"X\xff\xff\xff\x7fshort"), 170
    yield "quantized", pickled(glob("torch._utils", "_rebuild_qtensor")), 173
    yield "constants_no_tuple", replaced("constants.pkl", b"\x80\x02N."), 170
    for name, source, code in [
            ("lambda", "x = lambda: 1\n", 180), ("operator", "def f(x):\n  return x + 1\n", 180),
            ("comprehension", "def f(x):\n  return [y for y in x]\n", 180), ("tab", "class A:\n\tpass\n", 180),
            ("unclosed", "def f(x:\n", 180), ("no_end", 'def f(x):\n  return "text\n', 180),
            ("import_os", "def f(x):\n  import os\n", 180), ("unindented", "def f(x):\n  if x:\n  pass\n", 180),
            ("deep_brackets", "def f(x):\n  return " + "(" * 5000 + "x" + ")" * 5000 + "\n", 181),
            ("deep_calls", "def f(x):\n  return " + "x" + ".a" * 5000 + "\n", 181),
            ("deep_blocks", "def f(x):\n" + "".join("  " * i + "if x:\n" for i in range(1, 400)), 181)]:
        yield f"source_{name}", replaced("code/__torch__.py", source.encode()), code


def bare(sound_bytes):
    """Files that are no sound zip file: (name, bytes, code)"""
    yield "legacy_pickle", b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 161
    yield "executorch", b"\x20\x00\x00\x00ET12" + bytes(64), 162
    yield "flatbuffer", b"\x20\x00\x00\x00PTMF" + bytes(64), 164
    yield "empty_zip", b"PK\x05\x06" + bytes(18), 151
    yield "no_zip", b"hello", 151
    for share in (3, 10, 50, 90, 99):
        yield f"cut_{share}", sound_bytes[:len(sound_bytes) * share // 100], 152
    end = sound_bytes.rindex(b"PK\x05\x06")
    directory = struct.unpack_from("<I", sound_bytes, end + 16)[0]

    def patched(at, data):
        return sound_bytes[:at] + data + sound_bytes[at + len(data):]

    yield "directory_past", patched(end + 16, b"\xff\xff\xff\x7f"), 152
    yield "count_past", patched(end + 10, b"\xff\xff"), 152
    yield "encrypted", patched(directory + 8, b"\x01\x00"), 155
    yield "method_12", patched(directory + 10, b"\x0c\x00"), 152
    yield "sizes_differ", patched(directory + 24, b"\xff\x00\x00\x00"), 152
    yield "offset_past", patched(directory + 42, b"\xff\xff\xff\x7f"), 152
    yield "entry_long", patched(directory + 20, struct.pack("<II", 1 << 20, 1 << 20)), 152
    yield "wrong_checksum", patched(directory + 16, b"\0\0\0\0"), 157
    yield "no_zip64", patched(directory + 20, b"\xff\xff\xff\xff\xff\xff\xff\xff"), 152


def main():
    folder = sys.argv[1]
    for below in ("", "pickles", "sources", "programs"):
        os.makedirs(os.path.join(folder, below), exist_ok=True)
    lines = []

    def note(name, code):
        lines.append(name + (f" {code}" if code else ""))

    for name, files, code in archives():
        write(os.path.join(folder, name + ".pt"), files)
        note(name + ".pt", code)
        for entry, contents, _ in files:
            if entry == "data.pkl" and len(contents) < 1 << 16:
                with open(os.path.join(folder, "pickles", name), "wb") as out:
                    out.write(contents)
            if entry == "code/__torch__.py" and len(contents) < 1 << 16:
                with open(os.path.join(folder, "sources", name), "wb") as out:
                    out.write(contents)
    path = os.path.join(folder, "twice.pt")
    # zipfile warns about a second entry of a name, so the name is changed afterwards, in both places.
    write(path, sound() + [("versiom", b"3\n", False)])
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as out:
        out.write(data.replace(b"archive/versiom", b"archive/version"))
    note("twice.pt", 154)
    with open(os.path.join(folder, "sound.pt"), "rb") as file:
        sound_bytes = file.read()
    for name, contents, code in bare(sound_bytes):
        with open(os.path.join(folder, "bare_" + name + ".pt"), "wb") as out:
            out.write(contents)
        note("bare_" + name + ".pt", code)
    for name, files, below, code in exported.archives():
        (write if below else exported.write_flat)(os.path.join(folder, name + ".pt2"), files)
        note(name + ".pt2", code)
        for entry, contents, _ in files:
            if entry == "models/model.json":
                with open(os.path.join(folder, "programs", name), "wb") as out:
                    out.write(contents)
    # Last, because its presence says that the corpus is complete.
    with open(os.path.join(folder, "manifest.txt"), "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
