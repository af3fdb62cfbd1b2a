import pytest

from suite.bench import Bench
from suite.figures import MeasuredWrongly
from suite.load import Load, faultless, parse
from suite.pairs import measure_in_turn, ratios

SAID = """\
Running 2s test @ http://127.0.0.1:18500
  1 threads and 100 connections
Requests/sec:   5000.00
RESULT {"requests": 10000, "seconds": 2.000000, "p50_ms": 1.500, "p99_ms": 4.250, "max_ms": 9.000, "errors": 0}
"""


def test_the_result_is_taken_from_what_wrk_says():
    load = parse(SAID)
    assert load == Load(10000, 2.0, 1.5, 4.25, 9.0, 0) and load.per_second == 5000


def test_no_result_is_an_error():
    with pytest.raises(MeasuredWrongly, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused")


@pytest.mark.parametrize("requests, errors", [(10, 1), (0, 0)])
def test_a_load_with_errors_or_without_answers_says_nothing(requests, errors):
    with pytest.raises(MeasuredWrongly):
        faultless(Load(requests, 1.0, 1, 1, 1, errors))


def test_rounds_alternate_and_the_first_only_warms_up(tmp_path):
    called = []

    def of(who, per_second):
        def run(n, seconds):
            called.append((who, n, seconds))
            return Load(per_second * seconds, seconds, 1, 1, 1, 0)
        return run

    bench = Bench(2, 8, 1, tmp_path)
    pairs = measure_in_turn(bench, "post", of("bare", 400), of("crema", 100))
    assert called == [("bare", 0, 2), ("crema", 0, 2), ("bare", 1, 8), ("crema", 1, 8), ("bare", 2, 8), ("crema", 2, 8)]
    assert ratios(pairs) == [0.25, 0.25]


def test_what_rows_share_is_made_once(tmp_path):
    bench, made = Bench(1, 1, 0.1, tmp_path), []
    assert [bench.once("grown", lambda: made.append(1) or len(made)) for _ in range(2)] == [1, 1]
    assert bench.scaled(1000) == 100 and bench.scaled(1) == 1


def test_what_could_not_be_made_fails_for_all_rows(tmp_path):
    bench, tried = Bench(1, 1, 1, tmp_path), []

    def make():
        tried.append(1)
        raise MeasuredWrongly("no disk")

    for _ in range(2):
        with pytest.raises(MeasuredWrongly, match="no disk"):
            bench.once("grown", make)
    assert len(tried) == 1
