import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fixtures import make_node, node, phone, rng  # noqa: E402, F401


from _pytest.runner import runtestprotocol  # noqa: E402


def pytest_runtest_protocol(item, nextitem):
    """A drill in which siege itself hung is run once more: that is no answer to the drill's question. Any other failure stands."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(r.failed and "SiegeHung" in str(r.longrepr) for r in reports):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
