import pytest

from suite.growth import cost_curve, seconds_at, throughput

# 100 orders a second for 10 s, then 50 a second for 10 s.
SLOWER = [(0.0, 0), (5.0, 500), (10.0, 1000), (20.0, 1500)]


def test_a_count_is_reached_between_two_samples():
    assert seconds_at(SLOWER, 750) == 7.5 and seconds_at(SLOWER, 1250) == 15.0


def test_the_time_after_a_pause_counts():
    assert seconds_at([(0.0, 0), (1.0, 10), (3.0, 10), (4.0, 20)], 15) == 3.5


def test_throughput_between_two_counts():
    assert throughput(SLOWER, 0, 500) == 100 and throughput(SLOWER, 1000, 1500) == 50


def test_counts_outside_are_an_error():
    with pytest.raises(ValueError, match="2000"):
        seconds_at(SLOWER, 2000)


def test_the_curve_tells_what_an_order_costs_in_each_part():
    assert cost_curve(SLOWER, 1500, 3) == [(500, 10_000), (1000, 10_000), (1500, 20_000)]
