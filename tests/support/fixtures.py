"""Fixtures that every Python suite shares: nodes that are gone when the test is.

A test file says `SYSTEM = "hotel"` where its nodes serve another system than the cafeteria.
"""

import pytest

from crema import Node, make_random


@pytest.fixture
def rng():
    return make_random()


@pytest.fixture
def phone(rng):
    """A phone number that no other test uses."""
    return f"010{rng.randrange(10**8):08d}"


def system_of(request):
    return getattr(request.module, "SYSTEM", "cafeteria")


@pytest.fixture
def make_node(tmp_path, request):
    """Makes started nodes; each has its own directory unless one is named."""
    nodes = []

    def make(settings=None, name=None, started=True, **options):
        options.setdefault("system", system_of(request))
        directory = tmp_path / (name or f"node{len(nodes)}")
        directory.mkdir(exist_ok=True)
        node = Node(directory, settings, **options)
        nodes.append(node)
        return node.start() if started else node

    yield make
    for node in nodes:
        node.kill9()


@pytest.fixture(scope="module")
def node(tmp_path_factory, request):
    """One node for all tests of a file, with the settings of a newcomer."""
    shared = Node(tmp_path_factory.mktemp("node"), system=system_of(request))
    shared.start()
    yield shared
    if shared.process is not None:
        shared.stop()
