import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from crema import Node  # noqa: E402
from fixtures import make_node, node, phone, rng  # noqa: E402, F401
from samples import SETTINGS, SYSTEMS, Sample  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--system", choices=[*SYSTEMS, "none"], help="only what is tried on this system; none: only what belongs to no system")


def pytest_generate_tests(metafunc):
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", SYSTEMS, indirect=True, scope="session")


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--system")
    if wanted is None:
        return
    system_of = lambda item: item.callspec.params["sample"] if "sample" in item.fixturenames else "none"
    config.hook.pytest_deselected(items=[i for i in items if system_of(i) != wanted])
    items[:] = [i for i in items if system_of(i) == wanted]


@pytest.fixture(scope="session")
def make_sample(tmp_path_factory):
    """Nodes of a system, with rows in every collection."""
    made = []

    def make(system):
        node = Node(tmp_path_factory.mktemp(system), {**SETTINGS, **SYSTEMS[system].settings}, system=system).start()
        made.append(node)
        return Sample(node)

    yield make
    for node in made:
        node.kill9()


@pytest.fixture(scope="session")
def sample(make_sample, request):
    return make_sample(request.param)
