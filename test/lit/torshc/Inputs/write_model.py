"""Writes model.onnx (y = x * 2 + 1, and its arg-max), x.npy, y.npy and arrays that do not fit, into a folder."""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
weights = [numpy_helper.from_array(np.float32(2), "two"), numpy_helper.from_array(np.float32(1), "one")]
nodes = [helper.make_node("Mul", ["x", "two"], ["product"], name="double"),
         helper.make_node("Add", ["product", "one"], ["out/y"], name="increment"),
         helper.make_node("ArgMax", ["out/y"], ["index"], name="best", axis=-1, keepdims=0),
         helper.make_node("Cast", ["out/y"], ["narrow"], name="round", to=TensorProto.BFLOAT16)]
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])


def save(name, outputs):
    infos = [helper.make_tensor_value_info(output, kind, None) for output, kind in outputs]
    kept = [n for n in nodes if n.name != "round" or any(o == "narrow" for o, _ in outputs)]
    graph = helper.make_graph(kept, "small", [x], infos, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), folder / name)


both = [("out/y", TensorProto.FLOAT), ("index", TensorProto.INT64)]
save("model.onnx", both)
save("narrow.onnx", [("narrow", TensorProto.BFLOAT16)])
values = np.array([[1, 5, 2], [3, -1, 0]], np.float32)
np.save(folder / "x.npy", values)
np.save(folder / "turned.npy", np.asfortranarray(values))
np.save(folder / "wide.npy", values.astype(np.float64))
expected = values * 2 + 1
np.save(folder / "y.npy", expected)
np.save(folder / "index.npy", expected.argmax(-1))
expected[1, 2] += 0.5
np.save(folder / "other.npy", expected)
