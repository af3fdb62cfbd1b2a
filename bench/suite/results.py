"""Results that --json wrote, read again."""

import json
import pathlib

from suite.figures import number


def merged(files):
    """{row: its JSON} of several files of --json; a later one replaces what an earlier one says. Rows that failed are left out."""
    rows = {}
    for file in files:
        rows.update(json.loads(pathlib.Path(file).read_text(encoding="utf-8"))["rows"])
    return {name: row for name, row in rows.items() if row["failed"] is None}


def to_markdown(rows):
    """The table as Markdown, one line a metric."""
    lines = ["| row | what | median | range | goal | met |", "| --- | --- | --- | --- | --- | --- |"]
    for name, row in rows.items():
        for m in row["metrics"]:
            spread = f"{number(m['min'])} – {number(m['max'])}" if len(m["values"]) > 1 else ""
            goal = "" if m["goal"] is None else ("≤ " if m["goal"]["atMost"] else "≥ ") + number(m["goal"]["value"])
            verdict = "" if m["goal"] is None else "yes" if m["met"] else "**no**"
            lines.append(f"| `{name}` | {m['name']} | {number(m['median'])} {m['unit']}".rstrip() + f" | {spread} | {goal} | {verdict} |")
    return "\n".join(lines) + "\n"
