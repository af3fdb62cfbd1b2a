import json

from suite.figures import Metric, RowResult, at_least, at_most
from suite.results import merged, to_markdown
from suite.rows.growth import disk_bytes
from suite.table import to_json


def write(file, *results):
    file.write_text(json.dumps(to_json({}, results, 1)))
    return file


def test_a_later_file_replaces_what_an_earlier_one_says(tmp_path):
    early = write(tmp_path / "a", RowResult("post", notes=["early"]), RowResult("get", notes=["early"]))
    late = write(tmp_path / "b", RowResult("get", notes=["late"]), RowResult("disk", failed="no disk"))
    assert {name: row["notes"] for name, row in merged([early, late]).items()} == {"post": ["early"], "get": ["late"]}


def test_the_table_as_markdown(tmp_path):
    file = write(tmp_path / "a", RowResult("post", [Metric("of bare", "", [0.2, 0.4], at_least(0.33)), Metric("p99", "ms", [1.5], at_most(4)), Metric("bare", "/s", [9])]))
    assert to_markdown(merged([file])).splitlines()[2:] == [
        "| `post` | of bare | 0.3 | 0.2 – 0.4 | ≥ 0.33 | **no** |",
        "| `post` | p99 | 1.5 ms |  | ≤ 4 | yes |",
        "| `post` | bare | 9 /s |  |  |  |",
    ]


def test_log_files_and_holes_take_no_room(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "crema.log").write_bytes(b"x" * 100_000)
    with open(tmp_path / "data.mdb", "wb") as data:
        data.truncate(10_000_000)
        data.write(b"x" * 4096)
    assert 4096 <= disk_bytes(tmp_path) < 100_000
