import pytest

from suite.figures import Metric, RowResult, at_least, at_most, number
from suite.table import to_json, to_text


@pytest.mark.parametrize("value, text", [(0.1234, "0.123"), (0.5, "0.5"), (0, "0"), (4, "4"), (4.567, "4.57"), (78.94, "78.9"), (12345.6, "12,346"), (100, "100")])
def test_numbers_show_three_digits(value, text):
    assert number(value) == text


def test_a_metric_is_held_to_its_goal_by_its_median():
    m = Metric("ratio", "", [0.1, 0.5, 0.3], at_least(0.3), gate=at_least(0.31))
    assert (m.median, m.low, m.high) == (0.3, 0.1, 0.5)
    assert m.meets(m.goal) and not m.meets(m.gate)
    assert not m.meets(at_most(0.29)) and m.meets(None)


def test_a_row_that_failed_meets_nothing():
    assert RowResult("post").meets_goals() and RowResult("post").meets_gates()
    assert not RowResult("post", failed="why").meets_goals() and not RowResult("post", failed="why").meets_gates()


def test_the_table_names_machine_scale_and_verdicts():
    results = [RowResult("post", [Metric("of bare", "", [0.2, 0.4], at_least(0.33)), Metric("p50", "ms", [1.5])], ["a note"]),
               RowResult("get", failed="3 errors beside 5 answers")]
    text = to_text({"machine": "a toaster"}, results, 0.1)
    assert "machine: a toaster\n" in text and "SCALED" in text and "with 0.1 of" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["post", "of", "bare", "0.3", "0.2", "–", "0.4", "≥", "0.33", "NO"] in lines
    assert ["post", "p50", "1.5", "ms"] in lines
    assert ["get", "FAILED:", "3", "errors", "beside", "5", "answers", "no"] in lines
    assert text.endswith("post: a note\n")
    assert "SCALED" not in to_text({}, results, 1)


def test_programs_read_the_same():
    row = to_json({}, [RowResult("post", [Metric("p99", "ms", [3, 1, 2], at_most(2))])], 1)["rows"]["post"]
    assert row["met"] is True and row["failed"] is None
    assert row["metrics"] == [{"name": "p99", "unit": "ms", "values": [3, 1, 2], "median": 2, "min": 1, "max": 3,
                               "goal": {"value": 2, "atMost": True}, "gate": None, "met": True}]
