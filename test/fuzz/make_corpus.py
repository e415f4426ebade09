"""Writes a corpus of ONNX files: sound ones, and hostile ones each with one fault.

Usage: make_corpus.py FOLDER. FOLDER/manifest.txt then has one line for each file: its name and the numbers of
the diagnostics (TSH-nnnn) of which one must be reported; a sound file has no number.
"""

import os
import struct
import sys


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def num(field, value):
    return varint(field << 3) + varint(value)


def blob(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def f32(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value)


def dim(value):
    return num(1, value) if isinstance(value, int) else blob(2, value)


def value_info(name, elem=1, dims=(4,)):
    shape = b"".join(blob(1, dim(d)) for d in dims)
    return blob(1, name) + blob(2, blob(1, num(1, elem) + blob(2, shape)))


def attribute(name, kind, payload):
    return blob(1, name) + payload + num(20, kind)


def node(op, inputs, outputs, name="", attributes=(), domain="", overload=""):
    return (b"".join(blob(1, i) for i in inputs) + b"".join(blob(2, o) for o in outputs) + blob(3, name)
            + blob(4, op) + b"".join(blob(5, a) for a in attributes) + blob(7, domain) + blob(8, overload))


def tensor(name, dims, elem=1, payload=b""):
    return b"".join(num(1, d) for d in dims) + num(2, elem) + blob(8, name) + payload


def graph(nodes, initializers=(), inputs=None, outputs=None):
    inputs = [value_info("x")] if inputs is None else inputs
    outputs = [value_info("y")] if outputs is None else outputs
    return (b"".join(blob(1, n) for n in nodes) + blob(2, "main") + b"".join(blob(5, t) for t in initializers)
            + b"".join(blob(11, v) for v in inputs) + b"".join(blob(12, v) for v in outputs))


def opset(domain, version):
    return blob(1, domain) + num(2, version)


def model(body, functions=(), imports=(("", 20),)):
    return (num(1, 9) + blob(2, "corpus") + blob(7, body) + b"".join(blob(8, opset(d, v)) for d, v in imports)
            + b"".join(blob(25, f) for f in functions))


def function(name, nodes, imports=(("", 20), ("local", 1))):
    return (blob(1, name) + blob(4, "a") + blob(5, "b") + b"".join(blob(7, n) for n in nodes)
            + b"".join(blob(9, opset(d, v)) for d, v in imports) + blob(10, "local"))


def external(location, offset=None, length=None, dims=(4,)):
    entries = [("location", location)]
    if offset is not None:
        entries.append(("offset", str(offset)))
    if length is not None:
        entries.append(("length", str(length)))
    payload = b"".join(blob(13, blob(1, k) + blob(2, v)) for k, v in entries) + num(14, 1)
    return tensor("w", dims, 2, payload)


def with_weight(weight, inputs=None):
    return model(graph([node("Add", ["x", "w"], ["y"], "add")], [weight], inputs))


RELU = node("Relu", ["x"], ["y"], "relu")
GOOD_WEIGHT = tensor("w", [4], 1, blob(9, struct.pack("<4f", 1, 2, 3, 4)))


def nested(levels, kind=5, field=6):
    body = graph([RELU], inputs=[])
    for _ in range(levels):
        body = graph([node("If", ["x"], ["y"], "if", [attribute("then_branch", kind, blob(field, body))])], inputs=[])
    return body


def nested_types(levels):
    """Sequences of sequences, built from inside with lengths only once each."""
    inner = blob(1, num(1, 1))
    for _ in range(levels):
        inner = blob(4, blob(1, inner))
    return blob(1, "x") + blob(2, inner)


def rich():
    """A sound model that uses most fields: a rich seed for the fuzzer."""
    attributes = [
        attribute("f", 1, f32(2, 0.5)), attribute("i", 2, num(3, -1)), attribute("s", 3, blob(4, "text")),
        attribute("t", 4, blob(5, tensor("", [2], 7, num(7, 5) + num(7, -6)))),
        attribute("fs", 6, f32(7, 1) + f32(7, 2)), attribute("is", 7, blob(8, varint(1) + varint(-2))),
        attribute("ss", 8, blob(9, "a") + blob(9, "b")),
        attribute("g", 5, blob(6, graph([node("Neg", ["x"], ["z"])], inputs=[], outputs=[value_info("z")]))),
    ]
    weights = [
        GOOD_WEIGHT,
        tensor("half", [2], 10, blob(5, varint(0x3C00) + varint(0xC000))),
        tensor("nibbles", [3], 22, blob(9, b"\x21\x03")),
        tensor("names", [2], 8, blob(6, "a") + blob(6, "b")),
    ]
    body = graph([node("Op", ["x", "w", ""], ["h"], "op", attributes), node("f", ["h"], ["y"], "call", (), "local")],
                 weights, [value_info("x", 1, ["batch", 4, -1])])
    return model(body, [function("f", [node("Relu", ["a"], ["b"])])], [("", 21), ("local", 1)])


def hostile():
    """Yields (name, bytes, diagnostics)."""
    yield "good_relu", model(graph([RELU])), []
    yield "good_weight", with_weight(GOOD_WEIGHT), []
    yield "good_rich", rich(), []
    yield "good_anonymous_dim", model(graph([RELU], inputs=[value_info("x", 1, [-1, 3])])), []
    yield "good_nested", model(nested(20) + blob(11, value_info("x"))), []
    yield "good_external", with_weight(external("weights.bin", 2, 4)), []

    # Not an ONNX file.
    yield "empty", b"", [101]
    yield "text", b"this is a text file, and no protobuf\n", [102, 103, 108]
    yield "zeros", bytes(64), [102]
    yield "ones", b"\xff" * 64, [102]
    yield "zip", b"PK\x03\x04" + bytes(60), [102, 103, 108]
    yield "other_protobuf", num(1, 7) + blob(2, "something else"), [104]
    yield "group", b"\x0b\x0c" + model(graph([RELU])), [102]
    yield "two_graphs", model(graph([RELU])) + blob(7, graph([RELU])), [107]
    yield "graph_is_number", num(1, 8) + num(7, 1), [108]
    yield "name_is_number", model(blob(1, num(4, 1))), [108]
    yield "attribute_kind", model(graph([node("Op", ["x"], ["y"], "", [attribute("a", 99, b"")])])), [102]

    # Lengths and numbers.
    yield "varint_endless", b"\x08" + b"\xff" * 20, [102]
    yield "varint_overflow", b"\x08" + b"\xff" * 9 + b"\x7f", [102]
    yield "length_huge", b"\x3a" + varint((1 << 64) - 1) + b"x", [103]
    yield "length_2g", b"\x3a" + varint(1 << 31) + b"x", [103]
    yield "field_number_huge", varint((1 << 29) << 3) + b"\x00", [102]
    yield "packed_floats_odd", with_weight(tensor("w", [1], 1, blob(4, b"12345"))), [102]
    yield "packed_varint_cut", with_weight(tensor("w", [1], 7, blob(7, b"\xff"))), [113]
    yield "packed_varint_endless", with_weight(tensor("w", [1], 7, blob(7, b"\xff" * 12 + b"\x01"))), [102]

    # Nesting and counts.
    yield "nested_graphs", model(nested(60)), [105]
    yield "nested_graph_lists", model(nested(60, 10, 11)), [105]
    yield "nested_types", model(graph([RELU], inputs=[nested_types(200)])), [105]
    yield "recursion", model(graph([node("f", ["x"], ["y"], "", (), "local")]), [function("f", [node(
        "f", ["a"], ["b"], "", (), "local")])], [("", 20), ("local", 1)]), [146]
    chain = [function(f"f{i}", [node(f"f{i + 1}", ["a"], ["m"], "", (), "local"),
                                node(f"f{i + 1}", ["m"], ["b"], "", (), "local")]) for i in range(40)]
    yield "expansion_bomb", model(graph([node("f0", ["x"], ["y"], "", (), "local")]), chain + [function(
        "f40", [node("Relu", ["a"], ["b"])])], [("", 20), ("local", 1)]), [148]
    yield "duplicate_function", model(graph([RELU]), [function("f", [node("Relu", ["a"], ["b"])])] * 2), [147]

    # Structure.
    yield "no_outputs", model(graph([RELU], outputs=[])), [140]
    yield "empty_graph", model(b""), [140]
    yield "cycle", model(graph([node("Add", ["x", "b"], ["a"], "one"), node("Relu", ["a"], ["b"], "two"),
                                node("Relu", ["b"], ["y"], "three")])), [143]
    yield "self_cycle", model(graph([node("Add", ["x", "y"], ["y"], "loop")])), [143]
    yield "missing_initializer", model(graph([node("Add", ["x", "w"], ["y"], "add")])), [141]
    yield "missing_output", model(graph([node("Relu", ["x"], ["z"])])), [141]
    yield "duplicate_output", model(graph([RELU, RELU])), [142]
    yield "duplicate_weight", model(graph([RELU], [GOOD_WEIGHT, GOOD_WEIGHT])), [142]
    yield "unnamed_weight", model(graph([RELU], [tensor("", [1], 2, blob(9, b"1"))])), [145]
    yield "no_operator", model(graph([node("", ["x"], ["y"])])), [145]
    yield "unknown_domain", model(graph([node("Op", ["x"], ["y"], "", (), "nobody")])), [144]
    yield "untyped_input", model(graph([RELU], inputs=[blob(1, "x")])), [149]

    # Tensors.
    yield "wrong_dtype_input", model(graph([RELU], inputs=[value_info("x", 77)])), [111]
    yield "wrong_dtype_weight", with_weight(tensor("w", [1], 77, blob(9, b"1234"))), [111]
    yield "negative_dim", with_weight(tensor("w", [-4], 1, blob(9, b"1234"))), [110]
    yield "elements_2_40", with_weight(tensor("w", [1 << 40], 1, blob(9, b"1234"))), [112]
    yield "elements_2_80", with_weight(tensor("w", [1 << 40, 1 << 40], 1, blob(9, b"1234"))), [112]
    yield "elements_wrap", with_weight(tensor("w", [1 << 32, 1 << 32, 1], 1, blob(9, b""))), [112]
    yield "elements_2_40_external", with_weight(external("weights.bin", dims=[1 << 40])), [112]
    yield "elements_2_40_input", model(graph([RELU], inputs=[value_info("x", 1, [1 << 20, 1 << 20])])), [112]
    yield "data_missing", with_weight(tensor("w", [4], 1)), [113]
    yield "data_short", with_weight(tensor("w", [4], 1, blob(9, b"1234"))), [113]
    yield "data_long", with_weight(tensor("w", [4], 1, blob(9, bytes(17)))), [113]
    yield "data_twice", with_weight(tensor("w", [1], 1, blob(9, b"1234") + f32(4, 1))), [115]
    yield "value_range", with_weight(tensor("w", [1], 2, num(5, 256))), [114]
    yield "segment", with_weight(tensor("w", [1], 1, blob(3, num(1, 0) + num(2, 9)) + blob(9, b"1234"))), [115]

    # Files beside the model.
    for name, location, code in [
            ("absolute", "/etc/passwd", 121), ("drive", "C:\\weights.bin", 121), ("parent", "../weights.bin", 122),
            ("parent_inside", "a/../../etc/passwd", 122), ("backslash", "..\\weights.bin", 122),
            ("memory", "*/_ORT_MEM_ADDR_/*", 124), ("symlink", "symlink.bin", 123),
            ("symlink_folder", "symlink_folder/weights.bin", 123), ("hard_link", "hard_1.bin", 126),
            ("folder", "folder", 125), ("missing", "no_such_file.bin", 128), ("nul", b"weights.bin\0.txt", 120),
            ("proc", "symlink_proc/self/environ", 123)]:
        yield f"external_{name}", with_weight(external(location)), [code]
    yield "external_no_location", with_weight(tensor("w", [4], 2, num(14, 1))), [120]
    yield "external_offset_past", with_weight(external("weights.bin", 1 << 40)), [127]
    yield "external_offset_wrap", with_weight(external("weights.bin", (1 << 64) - 2, 4)), [127]
    yield "external_too_long", with_weight(external("weights.bin", dims=[1 << 20])), [127]
    yield "external_length_differs", with_weight(external("weights.bin", 0, 8)), [113]
    yield "external_offset_negative", with_weight(external("weights.bin", -5)), [131]
    yield "external_offset_text", with_weight(external("weights.bin", "many")), [131]

    # Cut at every byte of a model whose graph comes last, so that each cut is a fault.
    body = graph([node("Op", ["x", "w"], ["y"], "op", [attribute("t", 4, blob(5, GOOD_WEIGHT))])], [GOOD_WEIGHT])
    head = num(1, 9) + blob(8, opset("", 20))
    whole = head + blob(7, body)
    for size in range(1, len(whole)):
        yield f"cut_{size:04}", whole[:size], [103, 104]
    # The same one byte shorter inside: outer lengths agree, an inner one does not.
    for size in range(len(body) - 1, 0, -7):
        yield f"inner_cut_{size:04}", head + blob(7, body[:size]), [103, 108, 113, 140, 141, 145, 149, 144]


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.islink(path) or os.path.isfile(path):
            os.remove(path)
    with open(os.path.join(folder, "weights.bin"), "wb") as out:
        out.write(bytes(range(64)))
    with open(os.path.join(folder, "hard_1.bin"), "wb") as out:
        out.write(bytes(64))
    os.link(os.path.join(folder, "hard_1.bin"), os.path.join(folder, "hard_2.bin"))
    os.symlink("weights.bin", os.path.join(folder, "symlink.bin"))
    os.symlink(".", os.path.join(folder, "symlink_folder"))
    os.symlink("/proc", os.path.join(folder, "symlink_proc"))
    os.makedirs(os.path.join(folder, "folder"), exist_ok=True)
    lines = []
    for name, data, codes in hostile():
        with open(os.path.join(folder, name + ".onnx"), "wb") as out:
            out.write(data)
        lines.append(" ".join([name + ".onnx"] + [str(code) for code in codes]))
    # Last, because its presence says that the corpus is complete.
    with open(os.path.join(folder, "manifest.txt"), "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
