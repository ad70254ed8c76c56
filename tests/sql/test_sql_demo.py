"""The demo shop: what it promises, and that it is the same every time."""
import os

import pytest
from conftest import DEMO_NOW, SqlError, load_demo, migrate

TABLES = ("shop.categories", "shop.products", "shop.product_variants", "shop.product_pairs", "shop.customers", "shop.orders", "shop.order_items",
          "shop.shipments", "shop.reviews", "souk.preferences")


def system(db, statement):
    return db.rows("SET souk.kind = 'system'; " + statement)


def digest(db):
    """What is in each table, without the times at which triggers ran."""
    out = {}
    for table in TABLES:
        out[table] = system(db, f"SELECT count(*), md5(string_agg(md5((to_jsonb(t) - 'updated_at' - '{'created_at' if table == 'shop.categories' else ''}')::text), '' "
                                f"ORDER BY md5((to_jsonb(t) - 'updated_at' - '{'created_at' if table == 'shop.categories' else ''}')::text))) FROM {table} t")[0]
    return out


def test_it_is_the_same_every_time(cluster, shop):
    again = cluster.database("plain")
    migrate(again)
    load_demo(again)
    first, second = digest(shop), digest(again)
    # Prices and texts were put back by other tests, their row versions do not matter.
    assert first == second


def test_it_is_loaded_into_an_empty_shop_only(shop):
    with pytest.raises(SqlError) as e:
        load_demo(shop)
    assert e.value.state == "SK409"


def test_numbers(shop):
    products, variants, customers, orders, reviews = (int(n) for n in system(
        shop, "SELECT (SELECT count(*) FROM shop.products), (SELECT count(*) FROM shop.product_variants), (SELECT count(*) FROM shop.customers), "
              "(SELECT count(*) FROM shop.orders), (SELECT count(*) FROM shop.reviews)")[0])
    assert products >= 600 and variants >= 500 and customers == 300 and 3000 < orders < 7000 and reviews > 1000
    assert system(shop, "SELECT count(DISTINCT name), count(DISTINCT names->>'en') FROM shop.products") == [[str(products)] * 2]


def test_its_own_checks_passed(shop):
    assert system(shop, "SELECT status, total > 10, passed = total, failed, options->'failed' FROM souk.test_runs WHERE options->>'suite' = 'demo shop'") == \
        [["completed", "t", "t", "0", "[]"]]


def test_products_are_complete(shop):
    for what in ("description = ''", "coalesce(descriptions->>'en', '') = ''", "length(description) < 150", "brand IS NULL", "colour IS NULL",
                 "colours->>'en' IS NULL", "attributes->>'kind' IS NULL", "attributes->>'colourHex' !~ '^#[0-9a-f]{6}$'", "images->0->>'url' <> '/img/products/' || slug || '.svg'",
                 "slug !~ '^[a-z0-9]+(-[a-z0-9]+)*$'", "name ~ '%|  ' OR description ~ '%s|  '", "price_minor NOT BETWEEN 300 AND 400000"):
        assert system(shop, f"SELECT count(*) FROM shop.products WHERE {what}") == [["0"]], what
    low, none, sale, featured = (int(n) for n in system(shop, "SELECT count(*) FILTER (WHERE stock BETWEEN 1 AND 5), count(*) FILTER (WHERE stock = 0), "
                                                              "count(sale_price_minor), count(*) FILTER (WHERE featured) FROM shop.products")[0])
    assert low > 30 and none > 15 and sale > 60 and featured > 20


def test_every_drawing_exists(shop):
    import glob
    import os

    from conftest import ROOT
    drawn = {os.path.basename(p)[:-4] for p in glob.glob(os.path.join(ROOT, "htdocs", "img", "kinds", "*.svg"))}
    kinds = {r[0] for r in system(shop, "SELECT DISTINCT attributes->>'kind' FROM shop.products")}
    assert kinds <= drawn
    assert len(shop.query("product_drawings")) == int(system(shop, "SELECT count(*) FROM shop.products")[0][0])


def test_people_are_invented(shop):
    assert system(shop, "SELECT count(*) FROM shop.customers WHERE email !~ '@example[.](org|com)$' OR (phone IS NOT NULL AND phone !~ '^[+]33 6 39 98 ')") == [["0"]]
    assert system(shop, "SELECT count(*) FROM shop.orders WHERE email IS NOT NULL AND email !~ '@example[.](org|com)$'") == [["0"]]
    assert system(shop, "SELECT count(*) FROM shop.orders WHERE (customer_id IS NULL) <> (email IS NOT NULL)") == [["0"]]
    assert int(system(shop, "SELECT count(DISTINCT locale) FROM shop.customers")[0][0]) == 4


def test_orders_cover_two_years_until_now(shop):
    assert system(shop, f"SELECT min(created_at) BETWEEN '{DEMO_NOW}'::timestamptz - interval '731 days' AND '{DEMO_NOW}'::timestamptz - interval '725 days', "
                        f"max(created_at) BETWEEN '{DEMO_NOW}'::timestamptz - interval '1 day' AND '{DEMO_NOW}' FROM shop.orders") == [["t", "t"]]
    assert int(system(shop, "SELECT count(DISTINCT created_at::date) FROM shop.orders")[0][0]) > 700


def test_orders_have_seasons_weekdays_and_growth(shop):
    month = {m: float(n) for m, n in system(shop, "SELECT to_char(created_at, 'YYYY-MM'), count(*) / count(DISTINCT created_at::date)::float8 FROM shop.orders GROUP BY 1")}
    assert min(month["2024-11"], month["2024-12"]) > 1.3 * month["2025-02"]
    assert month["2025-08"] < 0.8 * month["2025-07"]
    assert month["2025-01"] > 1.2 * month["2025-02"]
    assert month["2025-10"] > 1.1 * month["2024-10"] if "2024-10" in month else True
    day = {d: int(n) for d, n in system(shop, "SELECT extract(isodow FROM created_at AT TIME ZONE 'Europe/Paris')::int, count(*) FROM shop.orders GROUP BY 1")}
    assert day["6"] == min(day.values()) and day["1"] > 1.3 * day["6"]
    half = system(shop, f"SELECT count(*) FILTER (WHERE created_at < '{DEMO_NOW}'::timestamptz - interval '365 days'), count(*) FROM shop.orders")[0]
    assert int(half[0]) * 2.15 < int(half[1])


def test_statuses_fit_their_age(shop):
    assert {r[0] for r in system(shop, "SELECT DISTINCT status FROM shop.orders")} == {"PENDING", "PROCESSING", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"}
    old = f"created_at < '{DEMO_NOW}'::timestamptz - interval '15 days'"
    assert {r[0] for r in system(shop, f"SELECT DISTINCT status FROM shop.orders WHERE {old}")} == {"DELIVERED", "CANCELLED"}
    for what in ("paid_at < created_at", "shipped_at < paid_at", "delivered_at < shipped_at", "cancelled_at < created_at",
                 "(status = 'DELIVERED') <> (delivered_at IS NOT NULL)", "(status = 'CANCELLED') <> (cancelled_at IS NOT NULL)",
                 "number !~ '^ORD-[0-9A-Z]{8}$'", "total_minor <= 0", "tax_minor <> round(total_minor / 6.0)", "charge_code !~ '^DEPT00[1-5]$'"):
        assert system(shop, f"SELECT count(*) FROM shop.orders WHERE {what}") == [["0"]], what


def test_reviews_say_what_their_rating_says(shop):
    assert {r[0] for r in system(shop, "SELECT DISTINCT lang FROM shop.reviews")} == {"fr", "en"}
    assert system(shop, "SELECT count(*) FROM shop.reviews r JOIN shop.products p ON p.id = r.product_id WHERE r.body = '' OR r.title = '' OR r.created_at < p.created_at") == [["0"]]
    good = "(Coup de cœur|Parfait|Superbe|Love it|Perfect|Beautiful)"
    bad = "(À éviter|Très déçu|Avoid|Very disappointed|Déception|Disappointing)"
    assert system(shop, f"SELECT min(rating) FILTER (WHERE title ~ '^{good}$'), max(rating) FILTER (WHERE title ~ '^{bad}$') FROM shop.reviews") == [["5", "2"]]


def test_what_is_bought_together_belongs_together(shop):
    """A chair is found beside a table more often than chance puts it there."""
    share = system(shop, """
        WITH k AS (SELECT DISTINCT i.order_id, p.attributes->>'kind' AS kind FROM shop.order_items i JOIN shop.products p ON p.id = i.product_id)
        SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM k c WHERE c.order_id = t.order_id AND c.kind = 'chair'))::float8 / count(*),
            (SELECT count(DISTINCT order_id) FROM k WHERE kind = 'chair')::float8 / (SELECT count(DISTINCT order_id) FROM k)
        FROM k t WHERE t.kind = 'table'""")[0]
    assert float(share[0]) > 2 * float(share[1])
