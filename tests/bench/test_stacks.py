import xml.etree.ElementTree

import pytest

from suite.flame import boxes, to_svg, tree
from suite.stacks import fold, parse, part_of, plain_name, shares, spent_by

SCRIPT = """\
caf.worker
\t    7f01 memcpy+0x10 (/usr/lib/libc.so.6)
\t    5501 crema::storage::encode_row(crema::storage::row_header const&, crema::value const&)+0x1c (/opt/crema)
\t    5502 crema::actors::entity::handle(crema::actors::delivery)+0x2 (/opt/crema)

crema
\tffffffff81 do_syscall_64+0x3 ([kernel.kallsyms])
\t    7f02 pwrite64+0x4 (/usr/lib/libc.so.6)
\t    7f03 mdb_txn_commit+0x1 (/usr/lib/liblmdb.so.0)

"""


@pytest.mark.parametrize("symbol, name", [
    ("crema::http::session::read()", "crema::http::session::read"),
    ("void boost::asio::detail::executor_op<crema::http::x<int>, std::allocator<void> >::do_complete(void*)", "boost::asio::detail::executor_op::do_complete"),
    ("crema::actors::(anonymous namespace)::gather(int)", "crema::actors::{anonymous}::gather"),
    ("operator new(unsigned long)", "operator new"),
    ("mdb_put", "mdb_put"),
])
def test_names_without_arguments(symbol, name):
    assert plain_name(symbol) == name


@pytest.mark.parametrize("name, library, part", [
    ("crema::actors::entity::handle", "crema", "actors"),
    ("crema::cafeteria::decide", "crema", "behaviors"),
    ("crema::value::of", "crema", "behaviors"),
    ("caf::scheduled_actor::resume", "libcaf_core.so.0.17.6", "CAF"),
    ("mdb_page_search", "crema", "LMDB"),
    ("je_malloc", "crema", "allocator"),
    ("do_idle", "[kernel.kallsyms]", "kernel"),
    ("std::vector::push_back", "crema", None),
    ("__memmove_avx_unaligned", "libc.so.6", None),
])
def test_frames_belong_to_parts(name, library, part):
    assert part_of(name, library) == part


def test_a_sample_belongs_to_the_innermost_part():
    stacks = parse(SCRIPT)
    assert len(stacks) == 2
    assert [spent_by(frames) for frames in stacks] == ["storage", "kernel"]
    assert shares(stacks) == {"storage": 0.5, "kernel": 0.5}
    assert spent_by([("main", "crema")]) == "other"


def test_stacks_are_folded_from_the_outside_in():
    stacks = parse(SCRIPT + SCRIPT)
    assert fold(stacks) == [[["crema::actors::entity::handle", "crema::storage::encode_row", "memcpy"], 2],
                            [["mdb_txn_commit", "pwrite64", "do_syscall_64"], 2]]
    assert fold(stacks, least=0.6) == [[[], 4]]
    assert fold([[("a", "x"), ("b", "x")], [("c", "x"), ("b", "x")], [("c", "x"), ("b", "x")]], least=0.5) == [[["b"], 1], [["b", "c"], 2]]
    assert fold([[("a", "x"), ("[unknown]", "x"), ("b", "x")]]) == [[["b", "a"], 1]]


def test_boxes_are_as_wide_as_their_samples():
    root = tree([[["a", "b"], 3], [["a"], 1], [["c<int>"], 4]])
    found = {name: (x, width, level) for name, _, x, width, level in boxes(root, root.samples)}
    assert found == {"all": (0, 1200, 0), "a": (0, 600, 1), "b": (0, 450, 2), "c<int>": (600, 600, 1)}


def test_the_flame_graph_is_svg():
    svg = to_svg([[["a", "c<int>"], 1]], "where & why")
    drawn = xml.etree.ElementTree.fromstring(svg)
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}title")) == 3
