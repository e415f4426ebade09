"""Writes TorchScript archives without PyTorch: pickles of protocol 2, sources, and stored tensors in a zip file."""

import struct
import zipfile


class Tensor:
    """Stored numbers. `kind` is the storage's name: Float, Long, Bool, ..."""

    CODES = {"Float": "f", "Double": "d", "Long": "q", "Int": "i", "Bool": "?", "Byte": "B"}

    def __init__(self, values, sizes, kind="Float", strides=None, offset=0):
        self.values, self.sizes, self.kind, self.offset = list(values), list(sizes), kind, offset
        if strides is None:
            strides, step = [], 1
            for size in reversed(self.sizes):
                strides.insert(0, step)
                step *= size
        self.strides = strides

    def bytes(self):
        return struct.pack(f"<{len(self.values)}{self.CODES[self.kind]}", *self.values)


class Object:
    """An object of a class below __torch__, with its attributes in order."""

    def __init__(self, class_name, **attributes):
        self.class_name, self.attributes = class_name, attributes


def glob(module, name):
    return f"c{module}\n{name}\n".encode()


def number(value):
    if 0 <= value < 256:
        return b"K" + bytes([value])
    return b"J" + struct.pack("<i", value)


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


class Pickler:
    """The bytes of one pickle, and the storages that it refers to."""

    def __init__(self):
        self.storages = []

    def value(self, value):
        if value is None:
            return b"N"
        if isinstance(value, bool):
            return b"\x88" if value else b"\x89"
        if isinstance(value, int):
            return number(value)
        if isinstance(value, float):
            return b"G" + struct.pack(">d", value)
        if isinstance(value, str):
            return text(value)
        if isinstance(value, tuple):
            return b"(" + b"".join(self.value(v) for v in value) + b"t"
        if isinstance(value, list):
            return b"](" + b"".join(self.value(v) for v in value) + b"e"
        if isinstance(value, dict):
            return b"}(" + b"".join(self.value(k) + self.value(v) for k, v in value.items()) + b"u"
        if isinstance(value, Tensor):
            return self.tensor(value)
        module, name = value.class_name.rsplit(".", 1)
        state = b"}(" + b"".join(text(k) + self.value(v) for k, v in value.attributes.items()) + b"u"
        return glob(module, name) + b")\x81" + state + b"b"

    def tensor(self, tensor):
        key = str(len(self.storages))
        self.storages.append(tensor.bytes())
        storage = (b"(" + text("storage") + glob("torch", tensor.kind + "Storage") + text(key) + text("cpu")
                   + number(len(tensor.values)) + b"tQ")
        sizes = b"(" + b"".join(map(number, tensor.sizes)) + b"t"
        strides = b"(" + b"".join(map(number, tensor.strides)) + b"t"
        return (glob("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + number(tensor.offset) + sizes + strides
                + b"\x89" + glob("collections", "OrderedDict") + b")R" + b"tR")

    def pickle(self, value):
        return b"\x80\x02" + self.value(value) + b"."


def entries(root, sources, constants=(), version="3"):
    """The files of an archive: (name, contents, compressed)."""
    data, table = Pickler(), Pickler()
    files = [("data.pkl", data.pickle(root), False)]
    files += [(f"data/{i}", contents, False) for i, contents in enumerate(data.storages)]
    files += [(f"code/{module.replace('.', '/')}.py", source.encode(), True) for module, source in sources.items()]
    files += [("constants.pkl", table.pickle(tuple(constants)), False)]
    files += [(f"constants/{i}", contents, False) for i, contents in enumerate(table.storages)]
    files += [("version", (version + "\n").encode(), False)]
    return files


def write(path, files, root="archive"):
    """Writes a zip file; `root` is the folder of everything."""
    with zipfile.ZipFile(path, "w") as out:
        for name, contents, compressed in files:
            out.writestr(f"{root}/{name}", contents,
                         zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)
