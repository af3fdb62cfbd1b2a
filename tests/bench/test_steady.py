import pytest

from suite.steady import wait_until_steady


def test_a_figure_that_has_come_to_rest_is_given():
    readings = [100, 50, 40, 30]
    assert wait_until_steady(lambda: readings.pop(0) if len(readings) > 1 else readings[0], 0.01, 0.1, 10, "memory") == 30


def test_one_that_never_rests_is_an_error():
    count = iter(range(1, 10**6))
    with pytest.raises(AssertionError, match="memory is steady"):
        wait_until_steady(lambda: next(count) * 2, 0.01, 0.2, 0.3, "memory")
