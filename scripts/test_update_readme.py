#!/usr/bin/env python3
"""README figures come from result files alone, and a malformed one is refused."""

import json
import os
import tempfile
import unittest

import update_readme

TABLE = {"title": "Speed", "note": "One thread.", "columns": ["model", "ms"], "rows": [["a|b", 1.2345], ["c", 1234.5]]}


class UpdateReadme(unittest.TestCase):
    def figures(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as f:
                    json.dump(content, f)
            return update_readme.figures(folder)

    def test_tables_are_written_in_order_of_their_files(self):
        text = self.figures(b={"table": {**TABLE, "title": "Later"}}, a={"table": TABLE}, tests={"passed": 3})
        self.assertLess(text.index("**Speed**"), text.index("**Later**"))
        self.assertIn("| a\\|b | 1.23 |", text)
        self.assertIn("| c | 1234 |", text)
        self.assertIn("|---|---:|", text)
        self.assertIn("One thread.", text)

    def test_without_results_it_says_so(self):
        self.assertIn("No figures", self.figures(tests={"passed": 3}))

    def test_a_short_row_is_refused(self):
        with self.assertRaisesRegex(ValueError, "row of 1 cells"):
            self.figures(a={"table": {**TABLE, "rows": [["x"]]}})

    def test_only_the_block_changes(self):
        text = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n"
        self.assertEqual(update_readme.with_figures(text, "new"),
                         "before\n<!-- figures -->\nnew\n<!-- /figures -->\nafter\n")
        with self.assertRaises(ValueError):
            update_readme.with_figures("nothing", "new")


if __name__ == "__main__":
    unittest.main()
