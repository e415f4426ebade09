#!/usr/bin/env python3
"""The reports say what was measured, what lost, what does not count and what was absent."""

import importlib.util
import unittest
from xml.etree import ElementTree

import ratios
import report as reports
from page import html
from sample_report import report, row


def sample():
    rows = [row("resnet50", "convolution", {"onnxruntime": 1.2, "openvino": 0.9}),
            row("mlp", "small and recurrent", {"onnxruntime": 2.0}, threads=2)]
    made = report(rows, absent={"iree": "No module named 'iree'"},
                  not_counted=[{"model": "mlp", "batch": 1, "threads": t, "peer": "openvino", "why": "a <wrong> answer"}
                               for t in (1, 2)],
                  failures=[{"model": "vit", "batch": 8, "threads": 1, "why": "does not compile"}],
                  serving=[{"model": "mlp", "peer": p, "capacity": 10.0, "rate": 7.0, "p50_ms": 1.0, "p99_ms": x,
                            "mean_ms": 1.0} for p, x in (("torsh", 2.0), ("openvino", 3.0))],
                  kernels=[{"model": "mlp", "threads": 1, "kernel": "k0", "ms": 1.0, "flops": 10**7, "bytes": 10**6,
                            "code": "", "peak_flops": 1e11, "peak_bandwidth": 1e10, "nodes": []}])
    made["means"] = ratios.means(rows, ["onnxruntime", "openvino"])
    made["losses"] = [{"model": "resnet50", "batch": 1, "threads": 1}]
    return made


class Markdown(unittest.TestCase):
    def test_every_remark_is_there(self):
        text = reports.markdown(sample())
        for words in ("Wholly below 0.97: resnet50, batch 1, 1 thread.", "Absent: iree: No module named 'iree'",
                      "Not counted: openvino on mlp (batch 1, 1 thread; batch 1, 2 threads): a <wrong> answer",
                      "Not measured: vit, batch 8, 1 thread: does not compile", "ONNX Runtime 1.0, OpenVINO 2.0",
                      "| resnet50 | 1 | 1 | 1.000 | 1.200 | 0.900 | 0.90 (0.88 to 0.92) | OpenVINO |",
                      "| mlp | 1 | 2 | 1.000 | 2.000 | - | 2.00 (1.98 to 2.02) | ONNX Runtime |"):
            self.assertIn(words, text)

    def test_tables_are_whole(self):
        for text in (reports.markdown(sample()), reports.details(sample())):
            for block in text.split("\n\n"):
                lines = [line for line in block.split("\n") if line.startswith("|")]
                self.assertLessEqual(len({line.count("|") for line in lines}), 1, block)

    def test_p99_is_set_against_ours(self):
        self.assertIn("| mlp | openvino | 10.0 | 7.0 | 1.00 | 3.00 | 1.50 |", reports.details(sample()))

    def test_the_share_of_the_roof(self):
        # 10 MFLOP at 100 GFLOP/s and 1 MB at 10 GB/s both take 0.1 of the 1 ms.
        self.assertIn("| mlp | 1.000 | 10 % | k0 0.900 ms |", reports.details(sample()))

    def test_nothing_measured_is_no_crash(self):
        self.assertIn("Absent: iree", reports.markdown(report([], absent={"iree": "gone"})))
        self.assertIn("</html>", html(report([])))


class Page(unittest.TestCase):
    def test_text_is_escaped_and_the_page_needs_nothing_else(self):
        text = html(sample())
        self.assertIn("A &lt;fast&gt; processor", text)
        self.assertIn("a &lt;wrong&gt; answer", text)
        for reference in ("<script", "<link", "src=", "@import"):
            self.assertNotIn(reference, text)

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
    def test_every_plot_is_a_drawing(self):
        from plots import all_plots

        plots = all_plots(sample())
        self.assertEqual(len(plots), 7)
        for _, _, svg in plots:
            self.assertTrue(ElementTree.fromstring(svg).tag.endswith("svg"))
        self.assertEqual(html(sample()).count("<svg"), 7)


if __name__ == "__main__":
    unittest.main()
