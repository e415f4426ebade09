"""Writes s * sum(tanh(x w)^2) as energy.onnx, inputs, and the value and gradients by hand: write_energy.py FOLDER."""

import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def energy_model(w):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Tanh", ["h"], ["t"]),
             helper.make_node("Mul", ["t", "t"], ["q"]), helper.make_node("ReduceSum", ["q"], ["u"], keepdims=0),
             helper.make_node("Mul", ["u", "s"], ["energy"])]
    graph = helper.make_graph(nodes, "energy",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", w.shape[0]]),
                               helper.make_tensor_value_info("s", TensorProto.FLOAT, [])],
                              [helper.make_tensor_value_info("energy", TensorProto.FLOAT, [])],
                              [numpy_helper.from_array(w, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


def energy_and_gradients(x, s, w):
    t = numpy.tanh(x.astype(numpy.float64) @ w)
    total = (t * t).sum()
    return s * total, s * (2 * t * (1 - t * t)) @ w.T.astype(numpy.float64), total


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = numpy.random.default_rng(5)
    w, x = (rng.standard_normal(shape).astype(numpy.float32) for shape in ((3, 20), (7, 3)))
    s = numpy.float32(0.75)
    onnx.save(energy_model(w), folder / "energy.onnx")
    value, by_x, by_s = energy_and_gradients(x, s, w)
    for name, array in (("x", x), ("s", s), ("energy", value), ("grad_x", by_x), ("grad_s", by_s)):
        numpy.save(folder / f"{name}.npy", numpy.asarray(array, numpy.float32))
    numpy.save(folder / "twice.npy", numpy.asarray(2 * by_x, numpy.float32))
    numpy.save(folder / "two.npy", numpy.float32(2))


if __name__ == "__main__":
    main()
