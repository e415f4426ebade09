"""The comparison's results as JSON and Markdown; page.py makes the HTML of them.

  report.py RESULT.json    makes the tables and the page of a result anew, beside it
"""

import json
import sys
from pathlib import Path

from page import html
from ratios import conclude
from tables import cost_rows, headline, mean_rows, model_rows, remarks, roof_rows, serving_rows


def write_reports(report, path):
    """PATH.json, PATH.md (the figures of the README), PATH-details.md and PATH.html."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".json", json.dumps(report, indent=1)), (".md", markdown(report)),
                         ("-details.md", details(report)), (".html", html(report))):
        path.with_name(path.name + suffix).write_text(text)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(c).replace("|", "/") for c in row) + " |" for row in rows]


def markdown(report):
    lines = [headline(report), "", *table(*mean_rows(report)), "", *table(*model_rows(report)), ""]
    lines += [f"- {sentence}" for sentence in remarks(report)]
    return "\n".join(lines) + "\n"


def details(report):
    """What starts, runs and artifacts cost, the requests under load, and how far our kernels are from the roof."""
    parts = [headline(report)] + ["\n".join(table(head, rows)) for head, rows in
                                  (cost_rows(report), serving_rows(report), roof_rows(report)) if rows]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    result = json.loads(Path(sys.argv[1]).read_text())
    conclude(result)
    write_reports(result, Path(sys.argv[1]).with_suffix(""))
