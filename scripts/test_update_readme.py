#!/usr/bin/env python3
"""README figures come from result files alone, and a file without a table is refused."""

import os
import tempfile
import unittest

import update_readme

TABLE = "Some processor.\n\n| model | ms |\n|---|---|\n| %s | 1.2 |\n"


class UpdateReadme(unittest.TestCase):
    def figures(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                with open(os.path.join(folder, name + ".md"), "w", encoding="utf-8") as f:
                    f.write(content)
            return update_readme.figures(folder)

    def test_tables_are_written_with_their_titles(self):
        text = self.figures(benchmark=TABLE % "fast", models=TABLE % "right")
        self.assertLess(text.index("**Right answers"), text.index("| right |"))
        self.assertLess(text.index("| right |"), text.index("**Speed"))
        self.assertLess(text.index("**Speed"), text.index("| fast |"))

    def test_without_results_it_says_so(self):
        self.assertIn("No figures", self.figures(tests=TABLE % "other"))

    def test_a_file_without_a_table_is_refused(self):
        with self.assertRaisesRegex(ValueError, "holds no table"):
            self.figures(models="killed")

    def test_only_the_block_changes(self):
        text = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n"
        self.assertEqual(update_readme.with_figures(text, "new"),
                         "before\n<!-- figures -->\nnew\n<!-- /figures -->\nafter\n")
        with self.assertRaises(ValueError):
            update_readme.with_figures("nothing", "new")


if __name__ == "__main__":
    unittest.main()
