import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fixtures import make_node, phone, rng  # noqa: E402, F401


def pytest_addoption(parser):
    parser.addoption("--rounds", type=int, default=30, help="how often the node is killed and restarted")
