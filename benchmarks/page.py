"""The comparison's results as one HTML file that needs nothing else."""

from html import escape

from tables import cost_rows, headline, mean_rows, model_rows, remarks, roof_rows, serving_rows

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22272e; max-width: 1100px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2.2em; } p.note { color: #57606a; margin: 0 0 .6em; }
svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: 3px 10px; text-align: right; border-bottom: 1px solid #e5e8ec; white-space: nowrap; }
th { background: #f3f5f7; position: sticky; top: 0; } td.word, th.word { text-align: left; }
"""


def _is_word(text):
    return not text[:1].isdigit() and text != "-"


def table(head, rows):
    """A table of text; columns that hold words are set to the left."""
    rows = [[str(c) for c in row] for row in rows]
    words = [any(_is_word(row[i]) for row in rows) for i in range(len(head))]

    def line(tag, cells):
        return "<tr>" + "".join(f'<{tag}{" class=word" if w else ""}>{escape(c)}</{tag}>'
                                for c, w in zip(cells, words)) + "</tr>"

    return ('<div class="scroll"><table>' + line("th", head) + "".join(line("td", row) for row in rows)
            + "</table></div>")


def section(title, note, body):
    return f'<h2>{escape(title)}</h2>\n<p class="note">{escape(note)}</p>\n{body}\n'


def plots_of(report):
    """The plots as sections, or a sentence that says why there are none."""
    if not report["rows"]:
        return ""
    try:
        from plots import all_plots
    except ImportError as error:
        return f'<p class="note">No plots: {escape(str(error))} (benchmarks/install.sh).</p>'
    return "".join(section(*plot) for plot in all_plots(report))


def html(report):
    parts = [f"<h1>Comparison at {escape(report['commit'][:12])}</h1>", f"<p>{escape(headline(report))}</p>",
             f'<p class="note">{escape(report["time"])}, {report.get("minutes", 0)} minutes, kernel '
             f'{escape(report["machine"]["kernel"])}</p>',
             section("Means", "Geometric means over models, with 95 % intervals.", table(*mean_rows(report))),
             "<ul>" + "".join(f"<li>{escape(r)}</li>" for r in remarks(report)) + "</ul>",
             plots_of(report),
             section("Models", "Median times, and the best peer's time over ours.", table(*model_rows(report))),
             section("Costs", "Compile: ahead of time, by torshc, iree-compile or pnnx. Load: from a ready file to a session. "
                     "First answer: from opening the library to the first output. Memory: less what the process held before "
                     "it opened the library; peak over its life, and over runs alone. Error: largest deviation from double "
                     "precision over the largest value.", table(*cost_rows(report)))]
    for title, note, (head, rows) in (
            ("Under load", "Two workers of one thread each; Poisson arrivals at 70 % of own capacity.",
             serving_rows(report)),
            ("Share of the roof", "How much of our kernels' time at one thread the measured peak and bandwidth explain.",
             roof_rows(report))):
        if rows:
            parts.append(section(title, note, table(head, rows)))
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>ToRSh: comparison</title><style>{STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "</body></html>\n")
