"""Writes archives of torch.export without PyTorch, in each layout that PyTorch has written, from one small program."""

import io
import json
import struct
import zipfile

from torchscript import Pickler, Tensor, write

FLOAT = 7  # in the numbering of the schema
WEIGHT = [0.5, -1.0, 2.0, 0.25, 1.5, -0.75, 1.0, 3.0]  # stored as [4, 2], used as its transpose
BIAS = [0.125, -0.5]


def meta(sizes, strides=None, dtype=FLOAT, offset=0):
    def size(value):
        return {"as_int": value} if isinstance(value, int) else {"as_expr": {"expr_str": value, "hint": {"as_int": 3}}}

    if strides is None:
        strides = [1] * len(sizes)
    return {"dtype": dtype, "sizes": [size(s) for s in sizes], "requires_grad": False, "device": {"type": "cpu", "index": None},
            "strides": [size(s) for s in strides], "storage_offset": {"as_int": offset}, "layout": 7}


def name(text):
    return {"as_tensor": {"name": text}}


def node(target, output, *arguments, **named):
    inputs = [{"name": key, "arg": value, "kind": 1} for key, value in arguments]
    inputs += [{"name": key, "arg": value, "kind": 2} for key, value in named.items()]
    return {"target": target, "inputs": inputs, "outputs": [output], "metadata": {"nn_module_stack": "k,fc,Linear"},
            "is_hop_single_tensor_return": None}


def program(batch="Symbol('s0', positive=True, integer=True)"):
    """y = relu(linear(x, weight, bias)) * batch, for a batch of at most 512."""
    return {
        "graph_module": {
            "graph": {
                "inputs": [name("p_weight"), name("c_bias"), name("x")],
                "outputs": [name("mul")],
                "nodes": [
                    node("torch.ops.aten.linear.default", name("linear"), ("input", name("x")), ("weight", name("p_weight")),
                         ("bias", name("c_bias"))),
                    node("torch.ops.aten.sym_size.int", {"as_sym_int": {"as_name": "size"}}, ("self", name("x")),
                         ("dim", {"as_int": 0})),
                    node("_operator.add", {"as_sym_int": {"as_name": "more"}}, ("a", {"as_sym_int": {"as_name": "size"}}),
                         ("b", {"as_int": 1})),
                    node("torch.ops.aten.relu_.default", name("relu_"), ("self", name("linear"))),
                    node("torch.ops.aten.mul.Tensor", name("mul"), ("self", name("relu_")),
                         ("other", {"as_sym_int": {"as_name": "more"}})),
                ],
                "tensor_values": {"p_weight": meta([2, 4]), "c_bias": meta([2]), "x": meta([batch, 4]),
                                  "mul": meta([batch, 2])},
                "sym_int_values": {}, "sym_bool_values": {}, "is_single_tensor_return": False,
            },
            "signature": {
                "input_specs": [
                    {"parameter": {"arg": {"name": "p_weight"}, "parameter_name": "fc.weight"}},
                    {"tensor_constant": {"arg": {"name": "c_bias"}, "tensor_constant_name": "bias"}},
                    {"user_input": {"arg": name("x")}}],
                "output_specs": [{"user_output": {"arg": name("mul")}}],
            },
            "module_call_graph": [{"fqn": "", "signature": {
                "inputs": [], "outputs": [], "in_spec": "",
                "out_spec": json.dumps([1, {"type": "builtins.dict", "context": json.dumps(["y"]), "children_spec": [
                    {"type": None, "context": None, "children_spec": []}]}])}}],
        },
        "opset_version": {"aten": 10},
        "range_constraints": {"s0": {"min_val": 0, "max_val": 512}},
        "schema_version": {"major": 8, "minor": 8},
        "verifiers": ["TRAINING"], "torch_version": "2.8.0",
    }


def saved(tensors):
    """The bytes of an archive of torch.save with a dict of tensors."""
    pickler = Pickler()
    files = [("data.pkl", pickler.pickle(tensors), False)]
    files += [(f"data/{i}", contents, False) for i, contents in enumerate(pickler.storages)]
    files += [("byteorder", b"little", False), ("version", b"3\n", False)]
    out = io.BytesIO()
    write(out, files)
    return out.getvalue()


def weights():
    # A view: the transpose of what is stored.
    return {"fc.weight": Tensor(WEIGHT, [2, 4], strides=[1, 2])}


def constants():
    return {"bias": Tensor(BIAS, [2])}


def text(value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def flat(model):
    """As PyTorch 2.6 and 2.7 wrote it: nothing but files, compressed or not."""
    return [("version", b"8.2", False), ("serialized_exported_program.json", text(model), True),
            ("serialized_state_dict.pt", saved(weights()), False), ("serialized_constants.pt", saved(constants()), True),
            ("serialized_example_inputs.pt", saved({}), False)]


def common(model):
    return [("archive_format", b"pt2", False), ("models/model.json", text(model), False), ("archive_version", b"0", False),
            ("byteorder", b"little", False), (".data/version", b"6\n", False)]


def nested(model):
    """As PyTorch 2.8 writes it."""
    return common(model) + [("data/weights/model.pt", saved(weights()), False),
                            ("data/constants/model.pt", saved(constants()), False)]


def configured(model, weight=None, extra=()):
    """As PyTorch 2.9 and later write it."""
    def config(file, described):
        return {"path_name": file, "is_param": True, "use_pickle": False, "tensor_meta": described}

    lists = {"weights": {"fc.weight": config("weight_0", weight or meta([2, 4], [1, 2]))},
             "constants": {"bias": config("tensor_0", meta([2], [1]))}}
    files = common(model)
    for kind, entries in lists.items():
        files.append((f"data/{kind}/model_{kind}_config.json", text({"config": entries}), False))
    files.append(("data/weights/weight_0", struct.pack("<8f", *WEIGHT), False))
    files.append(("data/constants/tensor_0", struct.pack("<2f", *BIAS), False))
    return [f for f in files if f[0] not in extra]


def write_flat(path, files):
    with zipfile.ZipFile(path, "w") as out:
        for entry, contents, compressed in files:
            out.writestr(entry, contents, zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED)


def without(model, path):
    """A copy of the program without the value at a path of keys."""
    copy = json.loads(json.dumps(model))
    place = copy
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return copy


def replaced(model, path, value):
    copy = json.loads(json.dumps(model))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


GRAPH = ("graph_module", "graph")
SPECS = ("graph_module", "signature", "input_specs")


def faulty_programs():
    """(name, JSON, code)"""
    sound = program()
    for path in [("graph_module",), GRAPH, ("graph_module", "signature"), ("range_constraints",), (*GRAPH, "inputs"),
                 (*GRAPH, "outputs"), (*GRAPH, "nodes"), (*GRAPH, "tensor_values"), ("schema_version",), SPECS,
                 ("graph_module", "signature", "output_specs"), (*GRAPH, "nodes", 0, "target"),
                 (*GRAPH, "nodes", 1, "inputs"), (*GRAPH, "nodes", 1, "outputs"), (*GRAPH, "nodes", 1, "inputs", 0, "arg"),
                 (*GRAPH, "nodes", 1, "inputs", 0, "name"), (*GRAPH, "tensor_values", "x", "dtype"),
                 (*GRAPH, "tensor_values", "x", "sizes"), (*GRAPH, "tensor_values", "x", "strides"),
                 (*GRAPH, "tensor_values", "x", "sizes", 0, "as_expr", "expr_str"), (*SPECS, 0, "parameter", "arg"),
                 (*SPECS, 0, "parameter", "parameter_name"), (*SPECS, 2, "user_input", "arg")]:
        label = "_".join(str(key) for key in path[-3:])
        yield f"no_{label}", without(sound, path), 185
        yield f"text_{label}", replaced(sound, path, "text"), \
            None if path[-1] in ("target", "name", "parameter_name", "expr_str") else 185
    yield "two_keys", replaced(sound, (*GRAPH, "outputs", 0), {"as_int": 1, "as_bool": True}), 185
    yield "unknown_spec", replaced(sound, (*SPECS, 0), {"something": {}}), 185
    for label, expression in [("open", "Add(Integer(1)"), ("power", "s0**2"), ("call", "os_system(s0)"), ("empty", ""),
                              ("symbol", "Symbol('')"), ("deep", "(" * 5000 + "s0" + ")" * 5000), ("two", "1 2")]:
        yield f"size_{label}", program(expression), 185
    yield "version_9", replaced(sound, ("schema_version", "major"), 9), 186
    yield "deep", b'{"schema_version": ' + b"[" * 5000 + b"]" * 5000 + b"}", 187
    yield "no_json", b"graph", 185
    yield "cut", json.dumps(sound).encode()[:-20], 185


def archives():
    """(name, files, whether they lie below a folder, code)"""
    sound = program()
    yield "nested", nested(sound), True, None
    yield "configured", configured(sound), True, None
    yield "flat", flat(sound), False, None
    yield "infix", nested(program("2*s0 + -1 // 3")), True, None
    for label, model, code in faulty_programs():
        yield "program_" + label, nested(model), True, code
    yield "compiled_only", [f for f in nested(sound) if not f[0].startswith("models/")], True, 188
    yield "big_endian", [(n, b"big" if n == "byteorder" else c, z) for n, c, z in nested(sound)], True, 167
    yield "past_storage", configured(sound, meta([2, 4], [2, 2])), True, 173
    yield "negative_size", configured(sound, meta([-2, 4], [1, 2])), True, 173
    yield "strides_missing", configured(sound, meta([2, 4], [1])), True, 173
    yield "overflow", configured(sound, meta([1 << 62, 1 << 62], [1 << 62, 1 << 62])), True, 173
    yield "unknown_type", configured(sound, meta([2, 4], [1, 2], dtype=99)), True, 173
    yield "no_bytes", configured(sound, extra=("data/weights/weight_0",)), True, 168
    yield "no_dtype", configured(sound, without(meta([2, 4], [1, 2]), ("dtype",))), True, 185
