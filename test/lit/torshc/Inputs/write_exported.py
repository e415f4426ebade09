"""Writes archives of torch.export by hand, with inputs and the outputs that NumPy computes. Usage: FOLDER SOURCE_ROOT"""

import os
import sys

import numpy as np

folder, root = sys.argv[1:]
sys.path.insert(0, os.path.join(root, "test", "fuzz"))
import exported as e  # noqa: E402

os.makedirs(folder, exist_ok=True)


def place(name):
    return os.path.join(folder, name)


def save(name, array):
    np.save(place(name + ".npy"), np.array(array, dtype=np.float32, order="C"))


rng = np.random.default_rng(1)
x = rng.standard_normal((3, 4)).astype(np.float32)
weight, bias = np.reshape(np.float32(e.WEIGHT), (4, 2)).T, np.float32(e.BIAS)
linear = x @ weight.T + bias
save("x", x)
save("large", np.zeros((600, 4)))
save("y", np.maximum(linear, 0) * 4)
sound = e.program()
e.write(place("nested.pt2"), e.nested(sound))
e.write(place("configured.pt2"), e.configured(sound))
e.write_flat(place("flat.pt2"), e.flat(sound))


def changed(name, path, value):
    e.write(place(name + ".pt2"), e.nested(e.replaced(sound, path, value)))


nodes = (*e.GRAPH, "nodes")
changed("unknown", (*nodes, 3, "target"), "torch.ops.aten.fft_fft.default")
changed("undefined", (*nodes, 4, "inputs", 0, "arg"), e.name("nothing"))
changed("missing", (*e.SPECS, 0, "parameter", "parameter_name"), "fc.weights")

# A buffer that every run adds to.
state = e.replaced(sound, (*e.SPECS, 1), {"buffer": {"arg": {"name": "c_bias"}, "buffer_name": "total", "persistent": True}})
state = e.replaced(state, ("graph_module", "signature", "output_specs"),
                   [{"buffer_mutation": {"arg": {"name": "sum_1"}, "buffer_name": "total"}},
                    {"user_output": {"arg": e.name("mul")}}])
state = e.replaced(state, (*e.GRAPH, "outputs"), [e.name("sum_1"), e.name("mul")])
state["graph_module"]["graph"]["nodes"].append(
    e.node("torch.ops.aten.sum.dim_IntList", e.name("sum_1"), ("self", e.name("linear")), ("dim", {"as_ints": [0]})))
files = [(n, e.saved({"total": e.Tensor(e.BIAS, [2])}) if n == "data/constants/model.pt" else c, z)
         for n, c, z in e.nested(state)]
e.write(place("state.pt2"), files)
save("total", [1.0, 2.0])
# relu_ writes the result of linear in place before the sum reads it.
save("total_after", np.maximum(x @ weight.T + np.float32([1.0, 2.0]), 0).sum(0))


# y = cond(sum(linear) > 0, linear + 1, linear * 2)
def arm(target, number):
    return {"as_graph": {"name": target, "graph": {
        "inputs": [e.name("v")], "outputs": [e.name("r")], "tensor_values": {},
        "nodes": [e.node(f"torch.ops.aten.{target}.Tensor", e.name("r"), ("self", e.name("v")), ("other", {"as_int": number}))]}}}


cond = e.program()
cond["graph_module"]["graph"]["nodes"][3:] = [
    e.node("torch.ops.aten.sum.default", e.name("total"), ("self", e.name("linear"))),
    e.node("torch.ops.aten.gt.Scalar", e.name("positive"), ("self", e.name("total")), ("other", {"as_int": 0})),
    e.node("torch.ops.higher_order.cond", {"as_tensors": [{"name": "mul"}]}, ("", e.name("positive")), ("", arm("add", 1)),
           ("", arm("mul", 2)), ("", {"as_tensors": [{"name": "linear"}]}))]
e.write(place("cond.pt2"), e.nested(cond))
save("cond", linear + 1 if linear.sum() > 0 else linear * 2)
