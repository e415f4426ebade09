"""Compares what our reader sees with what the onnx package sees, fact by fact.

Usage: compare_with_onnx.py onnx_reader_dump FILE_OR_FOLDER...
Needs the onnx package. Ends with a line "N files agree, N differ" and status 1 when any differs.
"""

import hashlib
import os
import struct
import subprocess
import sys

import onnx
from onnx import numpy_helper

FIELD = {1: "float_data", 14: "float_data", 11: "double_data", 15: "double_data", 7: "int64_data",
         12: "uint64_data", 13: "uint64_data"}
FORMAT = {1: "<f", 14: "<f", 11: "<d", 15: "<d", 7: "<q", 12: "<I", 13: "<Q", 6: 4, 4: 2, 5: 2, 10: 2, 16: 2}
KINDS = {"tensor_type": "tensor", "sparse_tensor_type": "sparse", "sequence_type": "sequence", "map_type": "map",
         "optional_type": "optional", "opaque_type": "opaque", None: "none"}


def hexed(text):
    return "<" + (text.encode() if isinstance(text, str) else text).hex() + ">"


def domain(text):
    return hexed("" if text == "ai.onnx" else text)


class Dump:
    def __init__(self, folder):
        self.folder = folder
        self.lines = []

    def add(self, *words):
        self.lines.append(" ".join(str(word) for word in words))

    def model(self, model):
        self.add("ir", model.ir_version, "producer", hexed(model.producer_name))
        for item in model.opset_import:
            self.add("opset", domain(item.domain), item.version)
        self.graph(model.graph)
        for item in model.functions:
            self.add("function", domain(item.domain), hexed(item.name), hexed(item.overload))
            self.add("in", *map(hexed, item.input))
            self.add("out", *map(hexed, item.output))
            self.add("attributes", *map(hexed, item.attribute))
            for attribute in item.attribute_proto:
                self.attribute(attribute)
            for node in item.node:
                self.node(node)

    def graph(self, graph):
        self.add("graph", hexed(graph.name))
        for what, values in (("input", graph.input), ("output", graph.output), ("value", graph.value_info)):
            for value in values:
                self.add(what, hexed(value.name), self.type(value.type) if value.HasField("type") else "")
        for tensor in graph.initializer:
            self.tensor(tensor)
        for node in graph.node:
            self.node(node)
        self.add("end")

    def type(self, value):
        kind = value.WhichOneof("value")
        text = KINDS[kind] + ":"
        inner = getattr(value, kind) if kind else None
        if kind in ("tensor_type", "sparse_tensor_type"):
            text += str(inner.elem_type)
            if inner.HasField("shape"):
                text += "["
                for dim in inner.shape.dim:
                    which = dim.WhichOneof("value")
                    if which == "dim_value" and dim.dim_value >= 0:
                        text += str(dim.dim_value) + ","
                    else:
                        text += (hexed(dim.dim_param) if which == "dim_param" and dim.dim_param else "?") + ","
                text += "]"
        elif kind == "map_type":
            text += str(inner.key_type) + "(" + self.type(inner.value_type) + ")"
        elif kind in ("sequence_type", "optional_type"):
            text += "0(" + self.type(inner.elem_type) + ")"
        else:
            text += "0"
        return text

    def tensor(self, tensor):
        words = ["tensor", hexed(tensor.name), tensor.data_type, *tensor.dims]
        if tensor.data_type == 8:
            self.add(*words, "".join(map(hexed, tensor.string_data)))
        else:
            self.add(*words, hashlib.md5(self.bytes(tensor)).hexdigest())

    def bytes(self, tensor):
        if tensor.data_location == 1:
            onnx.external_data_helper.load_external_data_for_tensor(tensor, self.folder)
        code = tensor.data_type
        if tensor.HasField("raw_data") and not getattr(tensor, FIELD.get(code, "int32_data")):
            return tensor.raw_data
        layout = FORMAT.get(code, 1)
        values = getattr(tensor, FIELD.get(code, "int32_data"))
        if isinstance(layout, int):
            data = b"".join((v & (1 << 8 * layout) - 1).to_bytes(layout, "little") for v in values)
        else:
            data = b"".join(struct.pack(layout, v) for v in values)
        # A second opinion on the conversion, where numpy knows the type.
        if code in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13):
            assert numpy_helper.to_array(tensor).tobytes() == data
        return data

    def node(self, node):
        self.add("node", hexed(node.name), domain(node.domain), hexed(node.op_type), hexed(node.overload))
        self.add("in", *map(hexed, node.input))
        self.add("out", *map(hexed, node.output))
        for attribute in node.attribute:
            self.attribute(attribute)

    def attribute(self, item):
        bits = lambda value: struct.pack(">f", value).hex()
        line = " ".join(["attribute", hexed(item.name), hexed(item.ref_attr_name), str(item.type), bits(item.f),
                         str(item.i), hexed(item.s), *map(bits, item.floats), *map(str, item.ints),
                         *map(hexed, item.strings)])
        if item.HasField("tp"):
            line += self.type(item.tp)
        self.lines.append(line + "".join(map(self.type, item.type_protos)))
        if item.HasField("t"):
            self.tensor(item.t)
        for tensor in item.tensors:
            self.tensor(tensor)
        if item.HasField("sparse_tensor"):
            self.tensor(item.sparse_tensor.values)
            self.tensor(item.sparse_tensor.indices)
        if item.HasField("g"):
            self.graph(item.g)
        for graph in item.graphs:
            self.graph(graph)


def main():
    tool, places = sys.argv[1], sys.argv[2:]
    files = []
    for place in places:
        if os.path.isfile(place):
            files.append(place)
        for folder, _, names in os.walk(place):
            files += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".onnx")]
    differ = 0
    for path in files:
        dump = Dump(os.path.dirname(path))
        dump.model(onnx.load(path, load_external_data=False))
        run = subprocess.run([tool, path], capture_output=True, text=True, check=False)
        ours = run.stdout.rstrip("\n").split("\n")
        if run.returncode or ours != dump.lines:
            differ += 1
            first = next((pair for pair in zip(ours, dump.lines) if pair[0] != pair[1]), ("", ""))
            print(f"{path}: {run.stderr.strip()}\n  ours {first[0]}\n  onnx {first[1]}")
    print(f"{len(files) - differ} files agree, {differ} differ")
    return 1 if differ or not files else 0


if __name__ == "__main__":
    sys.exit(main())
