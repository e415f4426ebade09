#!/usr/bin/env python3
"""The comparison with oneDNN: which contractions it finds in printed kernels, in what words, and what it makes of times."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "onednn"))

import contractions  # noqa: E402
import kernel_text  # noqa: E402
import summary  # noqa: E402

BUILD = Path(os.environ.get("TORSH_BUILD", HERE.parent / "build"))
TEXT = """module {
  func.func @main(%arg0: tensor<1x8x8x4xf32>) -> tensor<1x4x4x16xf32> {
    %0 = torsh.constant #torsh.weight<"aa", tensor<16x4x3x3xf32>, [<"pack", [16], "", tensor<1x36x16xf32>>]> -> tensor<1x36x16xf32>
    %1 = torsh.constant dense_resource<__elided__> : tensor<16xf32> -> tensor<16xf32>
    %2 = torsh.launch @pad(%arg0) dims = <[]> : (tensor<1x8x8x4xf32>) -> tensor<1x10x10x4xf32>
    %3 = torsh.launch @conv(%0, %2, %1) dims = <[]> : (tensor<1x36x16xf32>, tensor<1x10x10x4xf32>, tensor<16xf32>) -> tensor<1x4x4x16xf32>
    %4 = torsh.reshape %3 : (tensor<1x4x4x16xf32>) -> tensor<1x16x16xf32>
    %5 = torsh.launch @dot(%4, %0, %1, %4) dims = <[]> : (tensor<1x16x16xf32>, tensor<1x16x16xf32>, tensor<16xf32>, tensor<1x16x16xf32>) -> tensor<1x16x16xf32>
    %6 = torsh.launch @dot(%5, %0, %1, %4) dims = <[]> : (tensor<1x16x16xf32>, tensor<1x16x16xf32>, tensor<16xf32>, tensor<1x16x16xf32>) -> tensor<1x16x16xf32>
    return %6 : tensor<1x16x16xf32>
  }
  torsh.kernel @pad "elementwise" [] {
  ^bb0(%arg0: tensor<1x8x8x4xf32>):
    %0 = torsh.constant dense<0.000000e+00> : tensor<f32> -> tensor<f32>
    %1 = torsh.pad %arg0 value %0 low = <[0, 1, 1, 0]> high = <[0, 1, 1, 0]> : (tensor<1x8x8x4xf32>, tensor<f32>) -> tensor<1x10x10x4xf32>
    torsh.yield %1 : tensor<1x10x10x4xf32>
  }
  torsh.kernel @conv "conv" [] {
  ^bb0(%arg0: tensor<1x36x16xf32>, %arg1: tensor<1x10x10x4xf32>, %arg2: tensor<16xf32>):
    %0 = torsh.unpack %arg0 : (tensor<1x36x16xf32>) -> tensor<36x16xf32>
    %1 = torsh.reshape %0 : (tensor<36x16xf32>) -> tensor<3x3x4x16xf32>
    %2 = torsh.conv %arg1, %1 bias %arg2 strides = [2, 2] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1 {layout = #torsh<layout channels_last>} : (tensor<1x10x10x4xf32>, tensor<3x3x4x16xf32>, tensor<16xf32>) -> tensor<1x4x4x16xf32>
EPILOGUE
  }
  torsh.kernel @dot "dot" [] {
  ^bb0(%arg0: tensor<1x16x16xf32>, %arg1: tensor<1x16x16xf32>, %arg2: tensor<16xf32>, %arg3: tensor<1x16x16xf32>):
    %0 = torsh.unpack %arg1 : (tensor<1x16x16xf32>) -> tensor<16x16xf32>
    %1 = torsh.dot_general %arg0, %0 batch = [] x [] contract = [2] x [0] : (tensor<1x16x16xf32>, tensor<16x16xf32>) -> tensor<1x16x16xf32>
    %2 = torsh.broadcast %arg2 axes = [2] : (tensor<16xf32>) -> tensor<1x16x16xf32>
    %3 = torsh.add %2, %1 : tensor<1x16x16xf32>
    %4 = torsh.add %3, %arg3 : tensor<1x16x16xf32>
    torsh.yield %4 : tensor<1x16x16xf32>
  }
}
"""
TYPE = "tensor<1x4x4x16xf32>"


def constant(name, value):
    return f"    {name} = torsh.constant dense<{value}> : {TYPE} -> {TYPE}\n"


def find(epilogue=f"    torsh.yield %2 : {TYPE}", edit=lambda text: text):
    return contractions.find(kernel_text.read(edit(TEXT.replace("EPILOGUE", epilogue))))


def row(ours, its, times=1, flops=100, error=0.0):
    return summary.Row("k", "shape", "direct", "none", "", "rival", "", times, flops, 1e11, error, ours, its, [])


class Contractions(unittest.TestCase):
    def test_a_convolution_takes_the_padding_kernel_before_it_along(self):
        conv = find()[0][0]
        self.assertEqual([step[1] for step in conv.launches], ["pad", "conv"])
        self.assertEqual(conv.shape(), "8x8x4 to 16 3x3 stride 2")
        self.assertEqual((conv.sizes["low_h"], conv.sizes["high_w"]), (1, 1))
        self.assertEqual(conv.packing, (1, 1, 36, 16, 16))
        self.assertEqual((conv.source.buffer, conv.source.strides), ("%arg0", (256, 32, 4, 1)))

    def test_a_padding_that_others_read_too_stays_outside(self):
        conv = find(edit=lambda text: text.replace("%4 = torsh.reshape %3", "%9 = torsh.launch @pad(%2) dims = <[]> : "
                                                   "(tensor<1x8x8x4xf32>) -> tensor<1x10x10x4xf32>\n"
                                                   "    %4 = torsh.reshape %3"))[0][0]
        self.assertEqual([step[1] for step in conv.launches], ["conv"])
        self.assertEqual(conv.shape(), "10x10x4 to 16 3x3 stride 2")

    def test_taps_in_the_padding_are_no_work(self):
        # Of 4 x 4 results with 3 x 3 taps each, stride 2, the first row and column of taps misses the input once.
        self.assertEqual(find()[0][0].flops, 2 * 16 * 4 * 11 * 11)
        self.assertEqual(contractions.taps_inside(8, 8, 3, 1, 1, 1), 22)

    def test_equal_products_are_one_with_a_count(self):
        product = find()[0][1]
        self.assertEqual((product.times, product.shape(), product.epilogue()), (2, "16x16x16", "bias+sum"))
        self.assertEqual(product.posts[0][1].buffer, "%3")  # behind a reshape of the graph
        self.assertEqual(product.flops, 2 * 16 ** 3)

    def epilogue(self, text, result):
        return find(text + f"    torsh.yield {result} : {TYPE}")[0][0]

    def test_epilogues_become_post_ops(self):
        relu = constant("%3", "0.0") + f"    %4 = torsh.maximum %2, %3 : {TYPE}\n"
        self.assertEqual(self.epilogue(relu, "%4").posts, [("relu",)])
        clip = relu + constant("%5", "6.0") + f"    %6 = torsh.minimum %4, %5 : {TYPE}\n"
        self.assertEqual(self.epilogue(clip, "%6").posts, [("clip", 0.0, 6.0)])
        swish = f"    %3 = torsh.sigmoid %2 : {TYPE}\n    %4 = torsh.mul %2, %3 : {TYPE}\n"
        self.assertEqual(self.epilogue(swish, "%4").posts, [("swish", 1.0)])
        gelu = (constant("%3", "1.41421354") + f"    %4 = torsh.div %2, %3 : {TYPE}\n    %5 = torsh.erf %4 : {TYPE}\n" +
                constant("%6", "1.0") + f"    %7 = torsh.add %5, %6 : {TYPE}\n    %8 = torsh.mul %2, %7 : {TYPE}\n" +
                constant("%9", "5.0e-01") + f"    %10 = torsh.mul %8, %9 : {TYPE}\n")
        self.assertEqual(self.epilogue(gelu, "%10").posts, [("gelu_erf",)])

    def test_hard_swish_is_told_from_its_parts(self):
        text = (constant("%3", "0.166666672") + f"    %4 = torsh.mul %2, %3 : {TYPE}\n" + constant("%5", "5.0e-01") +
                f"    %6 = torsh.add %4, %5 : {TYPE}\n" + constant("%7", "0.0") +
                f"    %8 = torsh.maximum %6, %7 : {TYPE}\n" + constant("%9", "1.0") +
                f"    %10 = torsh.minimum %8, %9 : {TYPE}\n    %11 = torsh.mul %2, %10 : {TYPE}\n")
        self.assertEqual(self.epilogue(text, "%11").posts[0][0], "hardswish")
        self.assertEqual(self.epilogue(text, "%10").posts[0][0], "hardsigmoid")

    def test_what_has_no_post_op_is_said(self):
        conv = self.epilogue(f"    %3 = torsh.exp %2 : {TYPE}\n", "%3")
        self.assertEqual((conv.posts, conv.extra), ([], "exp"))

    def test_other_element_types_are_left_out_with_a_reason(self):
        found, skipped = find(edit=lambda text: text.replace("xf32", "xbf16"))
        self.assertEqual(found, [])
        self.assertEqual(skipped["dot"], ("another element type than f32", 2))

    def test_views_follow_slices_and_transposes(self):
        kernel = kernel_text.Kernel("k", "dot", {"%a": kernel_text.Tensor((2, 6), "f32")})
        kernel.ops["%0"] = kernel_text.Op("slice", ["%a"], " starts = <[0, 2]> sizes = <[2, 2]> steps = [1, 2]", [],
                                          [kernel_text.Tensor((2, 2), "f32")])
        kernel.ops["%1"] = kernel_text.Op("transpose", ["%0"], " perm = [1, 0]", [], [kernel_text.Tensor((2, 2), "f32")])
        kernel.ops["%2"] = kernel_text.Op("reshape", ["%1"], "", [], [kernel_text.Tensor((4,), "f32")])
        shapes = contractions.Shapes(kernel)
        self.assertEqual(shapes.view("%1"), contractions.View("%a", 2, (2, 2), (2, 6)))
        self.assertIsNone(shapes.view("%2"))

    def test_reshapes_are_views_where_no_element_moves(self):
        view = contractions.View("%a", 5, (1, 4, 6), (96, 24, 4))
        self.assertEqual(contractions.reshaped(view, (8, 1, 3)).strides, (12, 1, 4))
        self.assertEqual(contractions.reshaped(view, (24,)).strides, (4,))
        self.assertIsNone(contractions.reshaped(contractions.View("%a", 0, (4, 6), (32, 4)), (3, 8)))


class Summary(unittest.TestCase):
    def test_a_sum_weighs_by_the_calls_and_goes_round_by_round(self):
        total = summary.model_sum([row([10, 20], [20, 40], times=3), row([30, 60], [15, 30])])
        self.assertAlmostEqual(total["ratio"], 75 / 60)
        self.assertAlmostEqual(total["ours_ms"], 90e-6)

    def test_wrong_results_do_not_count(self):
        good, wrong, unknown = row([10], [20]), row([10], [90], error=0.1), row([10], [30], error=-1)
        self.assertEqual([r.agrees for r in (good, wrong, unknown)], [True, False, None])
        self.assertAlmostEqual(summary.model_sum([good, wrong, unknown])["ratio"], 50 / 20)
        self.assertIn("DIFFERS", summary.line_of(wrong, 1e11))

    def test_a_ratio_is_taken_in_each_round(self):
        self.assertAlmostEqual(row([10, 100, 20], [20, 150, 20]).ratio, 1.5)
        self.assertAlmostEqual(row([30, 30], [10, 10], times=4).lost, 80)


    def test_speeds_are_those_of_the_best_round(self):
        self.assertEqual(row([20, 10], [40, 50]).speeds, (1e10, 2.5e9))
        self.assertIn("10.0   10 %", summary.line_of(row([20, 10], [40, 50]), 1e11))

    def test_losses_are_ordered_by_the_time_they_cost(self):
        small, large, level = row([20], [10]), row([40], [30], times=2), row([10], [10])
        wrong = row([90], [10], error=0.1)
        self.assertEqual(summary.losses({"a": [small, level, wrong], "b": [large]}), [("b", large), ("a", small)])


class Words(unittest.TestCase):
    """What the comparison hands to its host, on a model of the tests that the compiler compiles here."""

    @unittest.skipUnless((BUILD / "bin/torshc").exists() and (BUILD / "models/lenet.onnx").exists(), "no compiler, no model")
    def test_a_model_is_found_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder) / "kernels.mlir"
            subprocess.run([BUILD / "bin/torshc", BUILD / "models/lenet.onnx", "--emit=kernels", "-o", text], check=True)
            found, skipped = contractions.find(kernel_text.read(text.read_text()))
        self.assertEqual((sum(c.kind == "conv" for c in found), sum(c.kind == "matmul" for c in found)), (2, 3))
        self.assertEqual(skipped, {})

    @unittest.skipUnless(shutil.which("c++"), "no C++ compiler")
    def test_the_host_reads_the_words_of_a_job(self):
        import compare
        words = "".join(compare.job_text(i, c) for i, c in enumerate(find()[0]))
        check = ('#include "job.h"\n#include "artifact_launches.h"\n#include <cstdio>\n#include <cstdlib>\n#include <iostream>\n'
                 'void fail(const std::string &what) { std::puts(what.c_str()); std::exit(1); }\n'
                 'int main() { Job job; while (readJob(std::cin, job)) std::printf("%d %ld %zu %zu %ld|", job.id, '
                 'job.isConv ? job.in[1] : job.rows, job.steps.size(), job.posts.size(), job.packing.depth); }\n')
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "check.cpp").write_text(check)
            subprocess.run(["c++", "-std=c++17", f"-I{HERE}/onednn", f"-I{HERE.parent}/include", f"{folder}/check.cpp",
                            HERE / "onednn/job.cpp", "-o", f"{folder}/check"], check=True)
            said = subprocess.run([f"{folder}/check"], input=words, capture_output=True, text=True, check=True).stdout
            self.assertEqual(said, "0 8 2 0 36|1 16 1 1 16|")
            cut = subprocess.run([f"{folder}/check"], input=words[:-20], capture_output=True, text=True)
            self.assertEqual((cut.returncode, "cut off" in cut.stdout or "instead of" in cut.stdout), (1, True))


if __name__ == "__main__":
    unittest.main()
