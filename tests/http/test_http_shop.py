"""What shops' programs read: inventory, sales, the customersProducts actions, each checked against the database."""
import urllib.parse

import pytest

import support
from support import assert_error

PRODUCTS = "/api/mcp/customersProducts"


def get(souk, path, **params):
    query = urllib.parse.urlencode({k: v for k, v in params.items() if v is not None})
    reply = souk.get(f"{path}{'&' if '?' in path else '?'}{query}" if query else path, token=souk.admin)
    assert reply.status == 200, reply
    support.assert_no_internals(reply)
    return reply.json


def refuse(souk, path, *names, **params):
    reply = souk.get(f"{path}{'&' if '?' in path else '?'}{urllib.parse.urlencode(params)}", token=souk.admin)
    assert_error(reply, 400, mentions=names)


def action(name):
    return f"{PRODUCTS}?action={name}"


def walk(souk, path, member, limit, **params):
    """All rows, page by page, with the total that each page told."""
    rows, totals, page = [], set(), 1
    while True:
        body = get(souk, path, page=page, limit=limit, **params)
        assert body["pagination"]["page"] == page and body["pagination"]["limit"] == limit
        totals.add(body["pagination"]["total"])
        if not body[member]:
            break
        assert len(body[member]) <= limit
        rows += body[member]
        page += 1
    assert len(totals) == 1, f"the total changes from page to page: {totals}"
    return rows, totals.pop()


def assert_complete(rows, total, expected_ids):
    ids = [r["id"] for r in rows]
    assert len(ids) == len(set(ids)), "a row is on two pages"
    assert len(ids) == total
    assert set(ids) == set(expected_ids)


# ---- inventory


def test_inventory_form(souk):
    body = get(souk, "/api/mcp/inventory")
    assert set(body) == {"items", "categories", "pagination"}
    assert body["pagination"]["page"] == 1 and body["pagination"]["limit"] == 50 and len(body["items"]) == 50
    for item in body["items"]:
        assert {"id", "name", "category", "stock", "price"} <= set(item), item
        assert isinstance(item["id"], str) and isinstance(item["stock"], int) and isinstance(item["price"], (int, float))
    assert all(isinstance(c, str) and c for c in body["categories"]) and len(set(body["categories"])) == len(body["categories"])


def test_inventory_figures(souk):
    rows = {r[0]: r[1:] for r in souk.sql("SELECT p.id, p.name, c.name, p.stock, p.price_minor FROM shop.products p "
                                          "JOIN shop.categories c ON c.id = p.category_id")}
    for item in get(souk, "/api/mcp/inventory", limit=200, page=2)["items"]:
        name, category, stock, price = rows[item["id"]]
        assert [item["name"], item["category"], str(item["stock"])] == [name, category, stock]
        assert round(item["price"] * 100) == int(price)


def test_inventory_pages_are_complete(souk):
    rows, total = walk(souk, "/api/mcp/inventory", "items", 97)
    assert_complete(rows, total, [r[0] for r in souk.sql("SELECT id FROM shop.products WHERE status = 'active'")])
    assert total >= 600


def test_inventory_category(souk):
    slug, name, ident = souk.sql("SELECT slug, name, id FROM shop.categories WHERE parent_id IS NULL ORDER BY id LIMIT 1")[0]
    expected = [r[0] for r in souk.sql("SELECT p.id FROM shop.products p JOIN shop.categories c ON c.id = p.category_id "
                                       f"WHERE p.status = 'active' AND {ident} = ANY(c.path_ids)")]
    for wanted in (slug, name):
        rows, total = walk(souk, "/api/mcp/inventory", "items", 200, category=wanted)
        assert_complete(rows, total, expected)
    assert_error(souk.get("/api/mcp/inventory?category=no-such-category", token=souk.admin), 404, mentions="no-such-category")


def test_inventory_low_stock(souk):
    rows, total = walk(souk, "/api/mcp/inventory", "items", 50, low_stock="true")
    assert_complete(rows, total, [r[0] for r in souk.sql("SELECT id FROM shop.products WHERE status = 'active' AND stock <= 5")])
    assert [r["stock"] for r in rows] == sorted(r["stock"] for r in rows)
    rows, total = walk(souk, "/api/mcp/inventory", "items", 100, low_stock="true", threshold=0)
    assert_complete(rows, total, [r[0] for r in souk.sql("SELECT id FROM shop.products WHERE status = 'active' AND stock <= 0")])


def test_inventory_q(souk):
    sku, name = souk.sql("SELECT sku, name FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 1")[0]
    assert sku in [i["sku"] for i in get(souk, "/api/mcp/inventory", q=sku)["items"]]
    assert sku in [i["sku"] for i in get(souk, "/api/mcp/inventory", q=name, limit=200)["items"]]
    assert get(souk, "/api/mcp/inventory", q="zzzzzzzzqqq")["items"] == []
    for odd in ("%", "_", "\\", "'", "' OR '1'='1", "<script>", "():*&|!", "a" * 200, "é" * 200):
        get(souk, "/api/mcp/inventory", q=odd)


def test_inventory_refusals(souk):
    path = "/api/mcp/inventory"
    for name, values in {"page": ["0", "-1", "x", "1.5", "10001", "", "1e3x"], "limit": ["0", "201", "abc", "9999999999999999999999"],
                         "low_stock": ["yes", "2", ""], "category": ["", "x" * 201], "q": ["x" * 201], "threshold": ["-1", "a"]}.items():
        for value in values:
            refuse(souk, path, name, **{name: value})
    refuse(souk, path, "colour", colour="red")
    refuse(souk, path, "Limit", Limit="5")
    assert_error(souk.get(path + "?limit=1&limit=2", token=souk.admin), 400, mentions="limit")
    assert get(souk, path, page=9999)["items"] == []


# ---- sales


def test_sales_form(souk):
    body = get(souk, "/api/mcp/sales")
    assert set(body) == {"sales", "pagination"} and set(body["pagination"]) == {"total", "page", "limit"}
    assert body["pagination"]["limit"] == 50 and len(body["sales"]) == 50
    for sale in body["sales"]:
        assert {"id", "charge_code", "total", "items", "timestamp"} <= set(sale)
        assert isinstance(sale["id"], str) and isinstance(sale["charge_code"], str) and isinstance(sale["items"], int)
        assert isinstance(sale["total"], (int, float))
        support.assert_rfc3339(sale["timestamp"])
    times = [s["timestamp"] for s in body["sales"]]
    assert times == sorted(times, reverse=True)


def test_sales_pages_are_complete(souk):
    rows, total = walk(souk, "/api/mcp/sales", "sales", 200, **{"from": "2000-01-01"})
    assert_complete(rows, total, [r[0] for r in souk.sql("SELECT id FROM shop.orders WHERE status <> 'CANCELLED'")])


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"])
def test_sales_by_status(souk, status):
    body = get(souk, "/api/mcp/sales", status=status, limit=20)
    assert body["pagination"]["total"] == int(souk.value(f"SELECT count(*) FROM shop.orders WHERE status = '{status}'")) > 0
    assert {s["status"] for s in body["sales"]} == {status}


def test_sales_between(souk):
    day = souk.value("SELECT (created_at AT TIME ZONE 'UTC')::date FROM shop.orders WHERE status <> 'CANCELLED' ORDER BY created_at OFFSET 500 LIMIT 1")
    body = get(souk, "/api/mcp/sales", **{"from": day, "to": day, "limit": 200})
    expected = souk.sql("SELECT id FROM shop.orders WHERE status <> 'CANCELLED' AND (created_at AT TIME ZONE 'UTC')::date = "
                        f"'{day}'::date")
    assert_complete(body["sales"], body["pagination"]["total"], [r[0] for r in expected])
    assert get(souk, "/api/mcp/sales", **{"from": "2999-01-01"})["sales"] == []


def test_sales_figures(souk):
    rows = {r[0]: r[1:] for r in souk.sql("SELECT o.id, o.total_minor, sum(i.quantity) FROM shop.orders o JOIN shop.order_items i ON i.order_id = o.id "
                                          "GROUP BY o.id")}
    for sale in get(souk, "/api/mcp/sales", limit=200, page=2)["sales"]:
        total, items = rows[sale["id"]]
        assert round(sale["total"] * 100) == int(total) and sale["items"] == int(items), sale


def test_sales_refusals(souk):
    path = "/api/mcp/sales"
    for name, values in {"from": ["yesterday!", "2024-13-01", "2024-02-30", "0000-00-00", "2024-01-01T25:00:00Z", "infinity__"],
                         "to": ["tomorrow-1"], "status": ["paid", "X", ""], "limit": ["201", "0"], "page": ["0"]}.items():
        for value in values:
            refuse(souk, path, name, **{name: value})
    refuse(souk, path, "from", **{"from": "2024-02-02", "to": "2024-01-01"})


def test_sales_hold_no_personal_data(souk):
    text = souk.get("/api/mcp/sales?limit=200", token=souk.admin).text
    for (email,) in souk.sql("SELECT email FROM shop.customers LIMIT 50"):
        assert email not in text


# ---- customersProducts


def test_products(souk):
    body = get(souk, action("products"), limit=5)
    assert len(body["products"]) == 5 and body["pagination"]["limit"] == 5
    card = body["products"][0]
    assert {"id", "sku", "slug", "name", "price", "currency", "inStock", "stock"} <= set(card)


def test_products_pages_are_complete(souk):
    for sort in ("price-asc", "price-desc", "newest", "popular"):
        rows, total = walk(souk, action("products"), "products", 100, sort=sort)
        assert_complete(rows, total, [r[0] for r in souk.sql("SELECT id FROM shop.products WHERE status = 'active'")])
        paid = [r.get("salePrice", r.get("price")) for r in rows if "price" in r]
        if sort.startswith("price"):
            assert paid == sorted(paid, reverse=sort.endswith("desc")), sort
    by_offset = [p["id"] for o in range(0, 30, 10) for p in get(souk, action("products"), limit=10, offset=o)["products"]]
    assert by_offset == [p["id"] for p in get(souk, action("products"), limit=30)["products"]]


def test_product(souk):
    ident, sku, slug = souk.sql("SELECT id, sku, slug FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 1")[0]
    bodies = [get(souk, action("product"), id=value) for value in (ident, sku, slug)]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["product"]["id"] == ident and bodies[0]["product"]["sku"] == sku
    for missing in ("999999999", "no-such-product", "0", "-1", "9" * 30, "1; DROP TABLE x"):
        assert_error(souk.get(f"{action('product')}&{urllib.parse.urlencode({'id': missing})}", token=souk.admin), 404)
    assert_error(souk.get(action("product"), token=souk.admin), 400, mentions="id")
    assert_error(souk.get(action("product") + "&id=", token=souk.admin), 400, mentions="id")


def test_search(souk):
    body = get(souk, action("search"), query="lampe", limit=10)
    assert body["products"] and body["pagination"]["total"] >= len(body["products"])
    assert all(isinstance(p["name"], str) for p in body["products"])
    rows, total = walk(souk, action("search"), "products", 40, query="lampe")
    ids = [r["id"] for r in rows]
    assert len(ids) == len(set(ids)) and len(ids) == total
    assert ids[:10] == [p["id"] for p in body["products"]]
    assert_error(souk.get(action("search"), token=souk.admin), 400, mentions="query")


def test_search_with_accents_and_typing_errors(souk):
    plain, accented = (get(souk, action("search"), query=q, limit=5)["products"] for q in ("decoration", "décoration"))
    assert plain and [p["id"] for p in plain] == [p["id"] for p in accented]
    wrong = get(souk, action("search"), query="lampee suspendu", limit=5)
    assert wrong["products"]


def test_search_by_price(souk):
    body = get(souk, action("search"), query="lampe", minPrice=50, maxPrice=100, limit=50)
    assert body["products"] and all(50 <= p.get("salePrice", p["price"]) <= 100 for p in body["products"])


def test_stats(souk):
    stats = get(souk, action("stats"))["stats"]
    expected = souk.sql("SELECT count(*), count(*) FILTER (WHERE stock > 0), count(*) FILTER (WHERE featured), "
                        "count(*) FILTER (WHERE sale_price_minor IS NOT NULL) FROM shop.products WHERE status = 'active'")[0]
    assert [str(stats[k]) for k in ("products", "in_stock", "featured", "on_sale")] == expected
    assert stats["in_stock"] + stats["out_of_stock"] == stats["products"]


def test_categories(souk):
    body = get(souk, action("categories"))
    assert body["total"] == len(body["categories"]) == int(souk.value("SELECT count(*) FROM shop.categories"))
    seen = set()
    for c in body["categories"]:
        assert c.get("parentSlug") in seen | {None}, "a child before its parent"
        seen.add(c["slug"])
    top = [c for c in body["categories"] if c["level"] == 1]
    assert sum(c["productCount"] for c in top) == int(souk.value("SELECT count(*) FROM shop.products WHERE status = 'active'"))
    assert {c["name"] for c in top} >= {"Luminaires", "Mobilier", "Décoration", "Textile", "Rangement"}


def test_recommendations(souk):
    ident = souk.value("SELECT product_id FROM shop.product_pairs ORDER BY score DESC LIMIT 1")
    body = get(souk, action("recommendations"), id=ident, limit=10)
    assert body["based_on"] == ident and len(body["recommendations"]) == 10
    ids = [r["product"]["id"] for r in body["recommendations"]]
    assert ident not in ids and len(ids) == len(set(ids))
    assert body["recommendations"][0]["reason"] == "bought_together"
    best = souk.value(f"SELECT other_id FROM shop.product_pairs WHERE product_id = {ident} ORDER BY score DESC, other_id LIMIT 1")
    assert ids[0] == best
    assert {r["reason"] for r in get(souk, action("recommendations"))["recommendations"]} == {"bestseller"}
    assert_error(souk.get(action("recommendations") + "&id=nothing", token=souk.admin), 404)


def test_unknown_action(souk):
    for query in ("action=delete", "action=", "action=Products", "", "x=1", "action=products%20"):
        reply = souk.get(f"{PRODUCTS}?{query}", token=souk.admin)
        error = assert_error(reply, 400, mentions="action")
        for name in ("products", "product", "search", "stats", "categories", "recommendations"):
            assert name in error["message"]


def test_an_action_is_given_once(souk):
    for query in ("action=stats&action=products", "action=stats&action=stats", "action=products&limit=1&action=stats"):
        assert_error(souk.get(f"{PRODUCTS}?{query}", token=souk.admin), 400, mentions="action")


def test_customers_products_are_public(souk, stranger):
    assert stranger.request("GET", action("products")).status == 200


# ---- the old addresses


LEGACY = [
    ("/index.php?mcp&customersProducts&action=products&limit=5", "?action=products&limit=5"),
    ("/index.php?mcp&customersProducts&action=search&query=lampe", "?action=search&query=lampe"),
    ("/index.php?mcp=&customersProducts=&action=stats", "?action=stats"),
    ("/index.php?mcp&customersProducts&action=categories", "?action=categories"),
    ("/index.php?mcp&customersProducts&action=search&query=d%C3%A9coration%20bois", "?action=search&query=d%C3%A9coration%20bois"),
    ("/index.php?mcp&customersProducts&action=search&query=lampe+bois", "?action=search&query=lampe+bois"),
]


@pytest.mark.parametrize("old, new", LEGACY)
def test_old_addresses(souk, old, new):
    a, b = souk.get(old, token=souk.admin), souk.get(PRODUCTS + new, token=souk.admin)
    assert a.status == b.status == 200, (a, b)
    assert a.json == b.json


def test_old_address_with_an_error(souk):
    assert_error(souk.get("/index.php?mcp&customersProducts&action=nothing", token=souk.admin), 400, mentions="action")
    assert_error(souk.get("/index.php?mcp&customersProducts", token=souk.admin), 400, mentions="action")
    assert_error(souk.get("/index.php?mcp&customersProducts&action=product&id=nothing", token=souk.admin), 404)


@pytest.mark.parametrize("path", ["/index.php", "/index.php?page=1", "/index.php?mcp", "/index.php?mcp&nothing&action=x",
                                  "/index.php?mcp&../../etc/passwd", "/index.php?mcp&customersProducts/../sales"])
def test_other_php_is_404(souk, path):
    assert souk.get(path, token=souk.admin).status in (400, 404)


# ---- languages


def test_locale_is_negotiated(souk):
    ident, fr, en = souk.sql("SELECT id, name, names->>'en' FROM shop.products WHERE status = 'active' AND names ? 'en' AND lang = 'fr' "
                             "AND names->>'en' <> name ORDER BY id LIMIT 1")[0]
    path = f"{action('product')}&id={ident}"
    for header, name in ((None, fr), ("en", en), ("fr", fr), ("en-GB,en;q=0.9", en), ("fr-CA", fr), ("de;q=0.2, en;q=0.1", en), ("ja", fr),
                         ("en;q=0.4, fr;q=0.8", fr), ("*", fr), (";;;q=,", fr), ("en;q=0, fr;q=0.1", fr), ("EN-us", en)):
        reply = souk.get(path, token=souk.admin, headers={"Accept-Language": header})
        assert reply.json["product"]["name"] == name, header
    # What the caller says in the arguments wins.
    reply = souk.get(path + "&locale=en", token=souk.admin, headers={"Accept-Language": "fr"})
    assert reply.json["product"]["name"] == en
    assert_error(souk.get(path + "&locale=it", token=souk.admin), 400, mentions="locale")
