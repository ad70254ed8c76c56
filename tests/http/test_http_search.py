"""The search of a page: what is understood, what is suggested while typing, each checked against the products themselves."""
import random
import re

import pytest

import support
from support import assert_error

SEARCH, SUGGEST = "/api/ai/search", "/api/ai/search/suggest"


def ask(souk, path=SEARCH, **body):
    reply = souk.request("POST", path, json_body=body, token=souk.admin)
    assert reply.status == 200, reply
    support.assert_no_internals(reply)
    return reply.json


def pays(product):
    return product.get("salePrice", product["price"])


def told(body):
    return {item["filter"]: item["value"] for item in body.get("understood", []) if item["applied"]}


@pytest.mark.parametrize("locale, query, most", [
    ("fr", "lampe à moins de 60 euros", 60), ("en", "lamp under €60", 60), ("de", "Lampe unter 60 Euro", 60), ("es", "lámpara menos de 60", 60)])
def test_highest_price(souk, locale, query, most):
    body = ask(souk, query=query, locale=locale, limit=50)
    assert told(body)["maxPrice"] == most and body["intent"]["maxPrice"] == most
    assert body["data"] and all(pays(p) <= most for p in body["data"])


def test_price_between(souk):
    body = ask(souk, query="vase entre 20 et 40 €", locale="fr", limit=50)
    assert told(body)["minPrice"] == 20 and told(body)["maxPrice"] == 40
    assert body["data"] and all(20 <= pays(p) <= 40 for p in body["data"])


def test_answer_has_the_promised_form(souk):
    body = ask(souk, query="lampe", limit=3)
    assert body["success"] is True and len(body["data"]) == 3 and body["total"] > 3
    assert body["suggestions"] and all(s["label"] and len(s["filters"]) == 1 for s in body["suggestions"])
    assert {"categories", "brands", "colours"} == set(body["facets"])


def test_facets_count_what_their_filter_finds(souk):
    body = ask(souk, query="vase", limit=1)
    for kind, name in (("categories", "category"), ("brands", "brand")):
        value = body["facets"][kind][0]
        assert ask(souk, query="vase", filters={name: value["value"]}, limit=1)["total"] == value["count"]


def test_suggestions_narrow(souk):
    body = ask(souk, query="lampe", limit=1)
    for s in body["suggestions"]:
        assert 0 < ask(souk, query="lampe", filters=s["filters"], limit=1)["total"] < body["total"]


def test_colour_and_cheap(souk):
    body = ask(souk, query="lampe noire pas chère", locale="fr", limit=50)
    assert told(body)["colour"] == "noir" and told(body)["priceLevel"] == "low"
    assert body["data"] and all("noir" in p["colour"] for p in body["data"])
    every = ask(souk, query="lampe noire", locale="fr", limit=50)["data"]
    assert max(map(pays, body["data"])) < max(map(pays, every))
    dear = ask(souk, query="lampe noire de luxe", locale="fr", limit=50)["data"]
    assert min(map(pays, dear)) > min(map(pays, every))


@pytest.mark.parametrize("query", ["rote Lampe", "red lamp", "lámpara roja", "lampe rouge"])
def test_a_colour_that_nothing_has_gives_those_that_look_like_it(souk, query):
    body = ask(souk, query=query, limit=20)
    label = next(i["label"] for i in body["understood"] if i["filter"] == "colour")
    assert label.startswith("≈") and "colour" in told(body)
    assert body["data"] and {p["colour"] for p in body["data"]} <= {"terracotta", "bordeaux", "rouille", "rouge brique", "cuivré"}


def test_words_count_in_the_language_of_the_query(souk):
    """A lamp is a "table lamp" in English; who asks for a "table" in French wants none."""
    body = ask(souk, query="table chêne", locale="fr", limit=6)
    assert body["data"] and not any("ampe" in p["name"] for p in body["data"])


def test_attributes_are_filters(souk):
    body = ask(souk, query="table", limit=50, filters={"attributes": {"material": "CHENE"}})
    with_oak = int(souk.value("SELECT count(*) FROM shop.products WHERE status = 'active' AND attributes->>'material' ~* 'chêne'"))
    found = ask(souk, query="lampe table chaise banc chevet étagère", limit=1, filters={"attributes": {"material": "chêne"}})["total"]
    assert body["data"] and 0 < found <= with_oak
    for p in body["data"]:
        assert "chêne" in souk.value(f"SELECT attributes->>'material' FROM shop.products WHERE id = {p['id']}")
    assert ask(souk, query="table", filters={"attributes": {"material": "adamantium"}})["total"] == 0


@pytest.mark.parametrize("locale, query", [("fr", "lampe bohème"), ("en", "boho lamp"), ("de", "Lampe boho")])
def test_a_style_is_a_filter_where_products_have_it(souk, locale, query):
    body = ask(souk, query=query, locale=locale, limit=20)
    assert told(body)["style"] == "bohemian" and body["data"]
    for p in body["data"]:
        assert souk.value(f"SELECT attributes->>'style' FROM shop.products WHERE id = {p['id']}") == "bohème"


def test_prices_of_a_currency_without_a_rate_are_no_others(souk):
    assert ask(souk, query="lampe", filters={"maxPrice": 1000, "currency": "JPY"})["total"] == 0
    assert ask(souk, query="lampe", filters={"maxPrice": 1000, "currency": "EUR"})["total"] == ask(souk, query="lampe", filters={"maxPrice": 1000})["total"] > 0


def test_clicks_are_reported(souk):
    word = "vase" + "".join(random.choice("bdfg") for _ in range(6))
    body = ask(souk, query=f"vase {word}", limit=3)
    product = body["data"][1]["id"]
    for _ in range(2):  # the same click twice counts once
        assert ask(souk, "/api/ai/search/click", searchId=body["searchId"], productId=product, position=2) == {"success": True}
    report = f"SELECT clicks || ' ' || clicked || ' ' || place FROM souk.search_queries WHERE query = 'vase {word}'"
    support.wait_until(lambda: souk.value(report) == "1 1 2.0")
    reply = souk.request("POST", "/api/ai/search/click", json_body={"searchId": body["searchId"], "productId": "999999999", "position": 1})
    assert_error(reply, 404)


def test_the_cheapest_first(souk):
    prices = [pays(p) for p in ask(souk, query="la lampe la moins chère", locale="fr", limit=20)["data"]]
    assert len(prices) > 3 and prices == sorted(prices)


def test_unwanted_is_left_out(souk):
    every = ask(souk, query="chaise", locale="fr", limit=50)
    some = ask(souk, query="chaise pas noire", locale="fr", limit=50)
    assert any("noir" in p["colour"] for p in every["data"])
    assert some["data"] and not any("noir" in p["colour"] for p in some["data"])


def test_item_names_its_part_of_the_query(souk):
    item = ask(souk, query="lampe en stock svp", locale="fr")["understood"][0]
    assert item == {"label": "en stock", "filter": "inStock", "value": True, "text": "en stock", "applied": True}


def test_taking_a_part_back_searches_without_it(souk):
    body = ask(souk, query="vase à moins de 30 €", locale="fr")
    text = next(i["text"] for i in body["understood"] if i["filter"] == "maxPrice")
    assert ask(souk, query="vase à moins de 30 €".replace(text, ""), locale="fr")["total"] > body["total"]


def test_a_given_filter_wins(souk):
    body = ask(souk, query="vase à moins de 30 €", locale="fr", filters={"maxPrice": 100}, limit=50)
    assert any(pays(p) > 30 for p in body["data"]) and all(pays(p) <= 100 for p in body["data"])


@pytest.mark.parametrize("query, locale", [("the cheapest lamp", "en"), ("la lampe la moins chère", "fr"), ("der billigste Spiegel", "de")])
def test_the_cheapest_is_one_of_them(souk, query, locale):
    """Not the cheapest thing whose description has the word; an order that is given leaves out nothing."""
    word = query.split()[1] if locale == "fr" else query.split()[-1]
    body = ask(souk, query=query, locale=locale, limit=10)
    assert [pays(p) for p in body["data"]] == sorted(pays(p) for p in body["data"]) and 0 < body["total"] <= ask(souk, query=word, locale=locale)["total"]
    named = [re.search("lamp|light|lumin|applique|suspension|miroir", p["name"].lower()) for p in body["data"]]
    assert named[0] and len(named) - sum(map(bool, named)) <= 1
    given = ask(souk, query=word, locale=locale, limit=10, sortBy="price-asc")
    assert given["total"] == ask(souk, query=word, locale=locale)["total"]


def test_a_wish_can_be_taken_back(souk):
    """By its filter: the words are searched then, on every page."""
    read = ask(souk, query="lampe rouge à moins de 80 €", locale="fr", limit=5)
    assert {"colour", "maxPrice"} <= {i["filter"] for i in read["understood"]}
    back = ask(souk, query="lampe rouge à moins de 80 €", locale="fr", limit=5, literal=["colour"])
    assert [i["filter"] for i in back["understood"]] == ["maxPrice"] and "rouge" in back["intent"]["words"] and back["total"] > read["total"]
    more = ask(souk, query="lampe rouge à moins de 80 €", locale="fr", limit=5, literal=["colour"], cursor=back["nextCursor"])
    assert not {p["id"] for p in more["data"]} & {p["id"] for p in back["data"]}
    assert_error(souk.request("POST", SEARCH, json_body={"query": "rouge", "cursor": back["nextCursor"]}, token=souk.admin), 400, mentions="cursor")
    assert [i["filter"] for i in ask(souk, query="coussins", locale="fr")["understood"]] == ["category"]
    assert ask(souk, query="coussins", locale="fr", literal=["category"])["understood"] == []


def test_words_of_wishes_are_no_misspelt_names(souk):
    assert "euros" not in ask(souk, query="lampe de moins de 0 euros", locale="fr")["corrected"]


def test_parts_of_german_compounds_are_found(souk):
    """Both, or, where the shop has no word for the first one, what it is by its end."""
    assert ask(souk, query="Schreibtischlampe", locale="de")["corrected"] == {"schreibtischlampe": "schreibtisch lampe"}
    body = ask(souk, query="Stehlampen", locale="de")
    assert body["corrected"] == {"stehlampen": "lampen"} and body["total"] == ask(souk, query="Lampen", locale="de")["total"]


def test_what_nothing_has_is_told_and_left_out(souk):
    body = ask(souk, query="vase à moins de 1 €", locale="fr")
    assert body["total"] > 0 and [i["applied"] for i in body["understood"] if i["filter"] == "maxPrice"] == [False]


def test_unknown_words_are_told(souk):
    assert ask(souk, query="zzqxw lampe")["notUnderstood"] == ["zzqxw"]


@pytest.mark.parametrize("query", ["settee", "couch"])
def test_synonyms_stand_for_words_that_the_shop_does_not_use(souk, query):
    body = ask(souk, query=query, limit=10)
    assert body["data"] and all("canap" in (p["name"] + p["category"]).lower() for p in body["data"])
    assert body["notUnderstood"] == [] and body["corrected"] == {}


def test_pages_do_not_repeat(souk):
    seen, cursor, total = [], None, None
    while True:
        body = ask(souk, query="lampe à moins de 100 €", locale="fr", limit=20, **({"cursor": cursor} if cursor else {}))
        seen += [p["id"] for p in body["data"]]
        total, cursor = body["total"], body.get("nextCursor")
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == total


def test_search_products_understands_the_same(souk):
    outcome = souk.call("search_products", {"query": "lampe à moins de 60 €", "locale": "fr", "limit": 50}, token=souk.admin)
    body = ask(souk, query="lampe à moins de 60 €", locale="fr", limit=50)
    found = outcome.value
    assert [p["id"] for p in found["products"]] == [p["id"] for p in body["data"]] and found["understood"] == body["understood"]


@pytest.mark.parametrize("letters", ["l", "la", "lam"])
def test_suggest_from_the_first_letter(souk, letters):
    body = ask(souk, SUGGEST, query=letters, locale="fr")
    assert body["completions"] and all(c.startswith(letters) for c in body["completions"])
    assert 0 < len(body["products"]) <= 5


def test_suggest_categories(souk):
    body = ask(souk, SUGGEST, query="appl", locale="fr")
    assert {"label": "Appliques", "filters": {"category": "appliques"}} in body["aiSuggestions"]
    for s in body["aiSuggestions"]:
        assert ask(souk, query="lampe", filters=s["filters"], limit=1)["total"] > 0


def test_suggest_behind_other_words(souk):
    body = ask(souk, SUGGEST, query="lampe no", locale="fr")
    assert body["completions"] and all(c.startswith("lampe no") for c in body["completions"])


def test_suggest_with_a_typing_error(souk):
    assert "canape" in ask(souk, SUGGEST, query="canpe", locale="fr")["completions"]


def test_suggest_tells_what_it_understands(souk):
    body = ask(souk, SUGGEST, query="vase moins de 40 €", locale="fr")
    assert {"label": "jusqu'à 40 €", "filters": {"maxPrice": 40}} in body["aiSuggestions"]
    assert all(pays(p) <= 40 for p in body["products"])


@pytest.mark.parametrize("path, body, name", [
    (SEARCH, {}, "query"), (SEARCH, {"query": ""}, "query"), (SEARCH, {"query": "x" * 501}, "query"), (SEARCH, {"query": 7}, "query"),
    (SEARCH, {"query": "x", "limit": 51}, "limit"), (SEARCH, {"query": "x", "filters": {"size": 1}}, "size"),
    (SEARCH, {"query": "x", "cursor": "nonsense"}, "cursor"), (SEARCH, {"query": "x", "locale": "it"}, "locale"),
    (SUGGEST, {}, "query"), (SUGGEST, {"query": "x" * 201}, "query"), (SUGGEST, {"query": "x", "more": 1}, "more")])
def test_refusals_name_the_argument(souk, path, body, name):
    assert_error(souk.request("POST", path, json_body=body, token=souk.admin), 400, mentions=name)


def test_only_post(souk):
    assert_error(souk.get(SEARCH, token=souk.admin), 405)


@pytest.mark.parametrize("tool", ["ai_search", "ai_search_suggest"])
def test_switched_off(souk, tool):
    done = souk.souk("call", tool, '{"query": "lampe"}', env={"ENABLE_AI_SEARCH": "false"}, check=False)
    assert done.returncode != 0 and "ENABLE_AI_SEARCH" in done.stderr and "MCP_NOT_FOUND" in done.stderr
    assert souk.souk("call", tool, '{"query": "lampe"}').returncode == 0


@pytest.mark.parametrize("args", [{"query": "lampe"}, {"query": "lampe", "sortBy": "price-asc"}, {"sortBy": "newest"}])
def test_pages_stay_in_step_while_products_change(souk, args):
    """No product twice, none left out, while others before and behind the cursor leave and come."""
    every = [p["id"] for p in ask(souk, "/api/ai/search", **dict({"query": "lampe"}, **args), limit=50)["data"]] if "query" in args else None
    first = souk.call("search_products", dict(args, limit=10), token=souk.admin).value
    seen = [p["id"] for p in first["products"]]
    cursor, hidden, later = first["nextCursor"], seen[2], None
    try:
        souk.sql(f"UPDATE shop.products SET status = 'deleted', deleted_at = now() WHERE id IN ({hidden}, {seen[5]})")
        for _ in range(3):
            page = souk.call("search_products", dict(args, limit=10, cursor=cursor), token=souk.admin).value
            ids = [p["id"] for p in page["products"]]
            assert len(ids) == 10 and not set(ids) & set(seen)
            seen += ids
            cursor = page["nextCursor"]
            if later is None:
                later = ids[3]
                souk.sql(f"UPDATE shop.products SET status = 'active', deleted_at = NULL WHERE id = {hidden}")
        if every is not None:
            assert set(seen) == set(every[:40])
    finally:
        souk.sql(f"UPDATE shop.products SET status = 'active', deleted_at = NULL WHERE id IN ({hidden}, {seen[5]})")
