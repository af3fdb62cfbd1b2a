from crema import Node
from samples import SYSTEMS


def test_every_system_is_sampled(tmp_path):
    node = Node(tmp_path, system="--all").start()
    try:
        assert set(node.get("/").json()["_links"]) == set(SYSTEMS)
    finally:
        node.kill9()
