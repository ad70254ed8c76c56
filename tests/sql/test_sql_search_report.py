"""What the owner learns of searches."""
import json

from conftest import columns, record

DAY = "2025-11-12"
REPORT = "SET souk.kind = 'system'; SELECT query, searches, no_result, results FROM souk.search_queries WHERE day = '{}' ORDER BY searches DESC, query"


def search(query, total, n, day=DAY, **more):
    output = json.dumps({"total": total, "products": []})
    return record(id=f"00000000-0000-4000-9000-{n:012d}", created_at=f"{day}T10:00:00Z", input=json.dumps({"query": query}), output=output, **more)


def test_queries_are_counted_by_day(shop):
    day = "2025-10-07"
    shop.query("interactions_insert_new", *columns(
        search("Lampe", 10, 1, day), search(" lampe ", 20, 2, day, tool="ai_search"), search("licorne  bleue", 0, 3, day, tool="customers_search"),
        search("lam", 5, 4, day, tool="ai_search_suggest"), search("lampe", 5, 5, day, success="f"), search("lampe", 7, 6, "2025-10-08"),
        search("", 99, 7, day), record(id="00000000-0000-4000-9000-000000000008", created_at=f"{day}T10:00:00Z", input='{"query":"' + "x" * 9990),
        search('say "hi" \\ now', 1, 9, day)))
    assert shop.rows(REPORT.format(day)) == [["lampe", "2", "0", "15.0"], ["licorne bleue", "1", "1", "0.0"], ['say "hi" \\ now', "1", "0", "1.0"]]


def test_nobody_in_particular_sees_queries(shop):
    shop.query("interactions_insert_new", *columns(search("secret wish", 0, 20, "2025-10-09")))
    assert shop.value("SELECT count(*) FROM souk.search_queries WHERE query = 'secret wish'") == "0"
    assert shop.value("SET souk.kind = 'staff'; SELECT count(*) FROM souk.search_queries WHERE query = 'secret wish'") == "1"
