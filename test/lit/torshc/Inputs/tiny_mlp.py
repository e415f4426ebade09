"""Writes a two-layer perceptron as an ONNX model: tiny_mlp.py FILE."""

import sys

import numpy
import onnx

from onnx import TensorProto, helper, numpy_helper

rng = numpy.random.default_rng(7)
weights = {"w1": rng.standard_normal((4, 20)), "b1": rng.standard_normal(20),
           "w2": rng.standard_normal((20, 3)), "b2": rng.standard_normal(3)}
nodes = [helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], name="fc1"),
         helper.make_node("Relu", ["h"], ["r"], name="act"),
         helper.make_node("Gemm", ["r", "w2", "b2"], ["s"], name="fc2"),
         helper.make_node("Softmax", ["s"], ["y"], name="prob", axis=1)]
graph = helper.make_graph(nodes, "tiny_mlp",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
                          [numpy_helper.from_array(value.astype(numpy.float32), name)
                           for name, value in weights.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
model.ir_version = 8
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])
