import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fixtures import make_node, phone, rng  # noqa: E402, F401


def pytest_addoption(parser):
    parser.addoption("--rounds", type=int, default=30, help="how often the cafeteria is killed and restarted; each other system: a fifth of it")


@pytest.fixture
def cafeteria_rounds(request):
    return request.config.getoption("--rounds")


@pytest.fixture
def rounds(cafeteria_rounds):
    return max(1, cafeteria_rounds // 5)
