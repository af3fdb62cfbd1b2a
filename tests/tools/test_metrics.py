"""promtool: what a node measures has names, types and texts as Prometheus asks for them."""

import pytest

from crema import Node
from tools import TOOLS, run_tool


def check(text):
    run_tool(TOOLS / "promtool", "check", "metrics", input=text)


def test_every_metric_of_a_system_passes(sample):
    check(sample.node.get("/actuator/prometheus").text)


def test_every_metric_of_all_systems_in_one_process_passes(tmp_path):
    node = Node(tmp_path, {"faults.enabled": "true", "http.managementToken": "a-token-for-tools"}, system="--all").start()
    try:
        check(node.get("/actuator/prometheus").text)
    finally:
        node.kill9()


@pytest.mark.parametrize("text", ["# TYPE crema_x counter\ncrema_x 1\n", "crema_x_total 1\n", "# HELP crema_x a\n# TYPE crema_x gauge\ncrema_x nothing\n"])
def test_promtool_can_refuse(text):
    with pytest.raises(AssertionError):
        check(text)
