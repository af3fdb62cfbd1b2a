"""spec/http.md: finders page as collections do, plain arrays too, and every row can be reached."""

import pytest

from crema import id_of, mypages, place, wait_until

AMOUNTS = [300, 100, 200, 100, 500, 400, 200]


@pytest.fixture(scope="module")
def customer(node):
    phone = "finders"
    orders = [place(node, phone, amt=amt) for amt in AMOUNTS]
    wait_until(lambda: len(mypages(node, phone)) == len(orders), what="mypages")
    return phone, orders


def pages(node, url):
    while url:
        page = node.get(url).json()
        yield page
        url = page["_links"].get("next", {}).get("href")


def plain_pages(node, url):
    while url:
        answer = node.get(url)
        yield answer.json()
        url = answer.links.get("next", {}).get("url")


def finder(customer, **parameters):
    query = "&".join([f"phoneNumber={customer[0]}", *(f"{k}={v}" for k, v in parameters.items())])
    return f"/orders/search/findByPhoneNumber?{query}"


def test_the_pages_of_a_finder_have_every_row_once(node, customer):
    all_pages = list(pages(node, finder(customer, size=3)))
    assert [len(p["_embedded"]["orders"]) for p in all_pages] == [3, 3, 1]
    assert [p["page"] for p in all_pages] == [{"size": 3, "totalElements": 7, "totalPages": 3, "number": n} for n in range(3)]
    assert [id_of(o["_links"]["self"]["href"]) for p in all_pages for o in p["_embedded"]["orders"]] == customer[1]
    links = all_pages[1]["_links"]
    assert set(links) == {"self", "first", "prev", "next", "last"}
    assert node.get(links["last"]["href"]).json()["_embedded"] == all_pages[2]["_embedded"]
    assert node.get(links["prev"]["href"]).json()["_embedded"] == all_pages[0]["_embedded"]


@pytest.mark.parametrize("sort, expected", [
    ("amt", [100, 100, 200, 200, 300, 400, 500]),
    ("amt,DESC", [500, 400, 300, 200, 200, 100, 100]),
    ("id,desc", AMOUNTS[::-1]),
    ("", AMOUNTS),
])
def test_a_finder_sorts_over_all_its_pages(node, customer, sort, expected):
    found = [o["amt"] for p in pages(node, finder(customer, size=2, sort=sort)) for o in p["_embedded"]["orders"]]
    assert found == expected


def test_several_sort_parameters_count_in_order(node, customer):
    rows = node.get(finder(customer) + "&sort=amt&sort=id,desc").json()["_embedded"]["orders"]
    keys = [(o["amt"], -id_of(o["_links"]["self"]["href"])) for o in rows]
    assert keys == sorted(keys)
    assert node.get(finder(customer) + "&sort=nothing").status_code == 400


def test_the_pages_of_a_plain_array_have_every_row_once(node, customer):
    url = f"/mypages/search/findByPhoneNumber?phoneNumber={customer[0]}&size=3"
    found = list(plain_pages(node, url))
    newest_first = customer[1][::-1]
    assert [[row["orderId"] for row in page] for page in found] == [newest_first[0:3][::-1], newest_first[3:6][::-1], newest_first[6:]]
    assert set(node.get(url).links) == {"first", "next", "last"}
    by_amount = [row["amt"] for page in plain_pages(node, url + "&sort=amt,desc") for row in page]
    assert by_amount == sorted(AMOUNTS, reverse=True)
    assert "Link" not in node.get(url.replace("size=3", "size=7")).headers


def test_without_a_size_a_finder_has_as_many_rows_a_page_as_are_allowed(make_node):
    fresh = make_node({"http.pageSizeMax": "5", "http.pageSizeDefault": "2"})
    for _ in range(12):
        place(fresh, "many")
    found = list(pages(fresh, "/orders/search/findByPhoneNumber?phoneNumber=many"))
    assert [p["page"]["totalElements"] for p in found] == [12, 12, 12]
    assert [len(p["_embedded"]["orders"]) for p in found] == [5, 5, 2]
