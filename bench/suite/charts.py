"""Draws the charts of docs/benchmarks.md from what --json wrote, and prints its tables.

    bench/run.sh draw DIRECTORY FILE…     what a later file says of a row replaces what an earlier one said
"""

import pathlib
import sys

import matplotlib

from suite import flame
from suite.results import merged, to_markdown

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "crema", "svg.fonttype": "none", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})

import matplotlib.pyplot  # noqa: E402  after the choice of what draws

SIZE = (8, 3.2)


def median_of(row, metric):
    return next(m["median"] for m in row["metrics"] if m["name"] == metric)


def save(figure, file):
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    matplotlib.pyplot.close(figure)


def panel(axes, title, x_label, y_label, lines, log=""):
    """lines: {legend: [(x, y)]}; a legend of "" shows none. log: the axes that are logarithmic, of "xy"."""
    for legend, points in lines.items():
        axes.plot(*zip(*points), marker="o", markersize=3, label=legend)
    axes.set(title=title, xlabel=x_label, ylabel=y_label, **{f"{axis}scale": "log" for axis in log})
    for axis in log:
        getattr(axes, f"{axis}axis").set_major_formatter("{x:g}")
    if "y" not in log:
        axes.set_ylim(bottom=0)
    if any(lines):
        axes.legend()


def draw_curve(row, file):
    counts = sorted({int(m["name"].rsplit(" ", 1)[1]) for m in row["metrics"]})
    figure, (left, right) = matplotlib.pyplot.subplots(1, 2, figsize=SIZE)
    panel(left, "POST /orders", "connections", "orders a second", {"": [(c, median_of(row, f"orders at {c}")) for c in counts]}, log="x")
    panel(right, "Latency", "connections", "ms",
          {p: [(c, median_of(row, f"{p} at {c}")) for c in counts] for p in ("p50", "p99")}, log="xy")
    save(figure, file)


def draw_growth(row, file):
    figure, axes = matplotlib.pyplot.subplots(figsize=SIZE)
    panel(axes, "POST /orders, 100 connections", "orders stored (thousands)", "µs an order", {"": [(n / 1000, us) for n, us in row["detail"]["curve"]]})
    save(figure, file)


def draw_in_flight(row, file):
    curve = row["detail"]["curve"]
    figure, axes = matplotlib.pyplot.subplots(figsize=SIZE)
    panel(axes, "Payment takes 400 to 620 ms", "orders in flight", "ms", {p: [(c["customers"], c[f"{p}_ms"]) for c in curve] for p in ("p50", "p99")})
    save(figure, file)


def draw_profile(row, file):
    title = "POST /orders, 100 connections: samples of the node's processor time"
    file.write_text(flame.to_svg(row["detail"]["folded"], title), encoding="utf-8")


CHARTS = {"curve": draw_curve, "growth": draw_growth, "inflight": draw_in_flight, "profile": draw_profile}


def main(arguments):
    if len(arguments) < 2:
        print("usage: bench/run.sh draw DIRECTORY FILE…", file=sys.stderr)
        return 2
    directory, rows = pathlib.Path(arguments[0]), merged(arguments[1:])
    directory.mkdir(parents=True, exist_ok=True)
    for name in CHARTS.keys() & rows.keys():
        CHARTS[name](rows[name], directory / f"{name}.svg")
    print(to_markdown(rows), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
