"""What a row measured: metrics with a value a round, held to a goal."""

import dataclasses
import statistics


class MeasuredWrongly(Exception):
    """A measurement that says nothing, because something failed in it. Fails its row."""


@dataclasses.dataclass(frozen=True)
class Goal:
    value: float
    at_most: bool

    def met(self, figure):
        return figure <= self.value if self.at_most else figure >= self.value

    def __str__(self):
        return f"{'≤' if self.at_most else '≥'} {number(self.value)}"


def at_least(value):
    return Goal(value, at_most=False)


def at_most(value):
    return Goal(value, at_most=True)


def number(value):
    """Three digits that count, without an exponent: 0.123, 4.56, 78.9, 12,345."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    digits = 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".")


@dataclasses.dataclass
class Metric:
    """`values` has one entry a round. `gate` is a weaker goal, that of an earlier promise, looked at by --check-gates."""

    name: str
    unit: str
    values: list
    goal: Goal | None = None
    gate: Goal | None = None

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def low(self):
        return min(self.values)

    @property
    def high(self):
        return max(self.values)

    def meets(self, goal):
        return goal is None or goal.met(self.median)


@dataclasses.dataclass
class RowResult:
    """`detail` is what the charts need beyond the metrics. `failed` says why there is nothing to believe."""

    row: str
    metrics: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)
    detail: dict = dataclasses.field(default_factory=dict)
    failed: str | None = None

    def meets_goals(self):
        return self.failed is None and all(m.meets(m.goal) for m in self.metrics)

    def meets_gates(self):
        return self.failed is None and all(m.meets(m.gate) for m in self.metrics)
