"""Strings that have broken other programs, as queries of a search: never an error of ours, and nothing comes back alive."""
import json
import urllib.parse

import pytest

import support

OWN = [
    "", " ", "\t\n", "'", "''", "\"", "\\", "%", "_", "%%%", "--", ";", "' OR 1=1 --", "'; DROP TABLE shop.products; --", "\\'", "$1", "$$",
    "{{7*7}}", "${jndi:ldap://x}", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "]]>", "&amp;&#x27;", "../../etc/passwd",
    "%00", "%0d%0aX: y", "\x01\x02\x1f\x7f", "\u200b\u200e\u202e\ufeff", "\ud7ff\ue000\ufffd\uffff", "👩‍👩‍👧‍👦", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳", "١٢٣", "ﷺ" * 100,
    "a" * 500, "a" * 501, "é" * 500, "é" * 501, "😀" * 500, "😀" * 501, "a " * 250, "& " * 250, ":* " * 160, "a:*", "a & b", "a | b", "!a", "(a", "a <-> b",
    "lampe:A", "1e400", "-1", "NaN", "null", "true", "undefined", "0x10", "moins de 200 euros", "under $50", "ß", "İ", "ﬁ", "Ǆ", "ς", "\u0301" * 50,
    "\\u0000", "\\x00", "E'\\n'", "pg_sleep(10)", "1) OR pg_sleep(10)--", "regexp[", "(" * 200, "*" * 200, "\"" * 200, "sku:1", "-lampe", "+lampe",
]
LONGEST = 500


def public():
    path = support.data_file("json", "blns.json")
    if not path:
        return []
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def check_call(outcome, text):
    assert outcome.reply.status == 200, (text, outcome)
    assert outcome.reply.headers["content-type"].split(";")[0] == "application/json"
    assert outcome.reply.headers["x-content-type-options"] == "nosniff"
    support.assert_no_internals(outcome.reply)
    if len(text) > LONGEST:
        assert not outcome.ok and "query" in outcome.message, (text, outcome)
    else:
        assert outcome.ok and isinstance(outcome.value["products"], list), (text, outcome)


def check_rest(reply, text, least):
    if any(c < " " or c == "\x7f" for c in text) and "x-request-id" not in reply.headers:
        assert reply.status == 400, reply  # lighttpd refuses control characters by itself
        return
    assert reply.status == (200 if least <= len(text) <= LONGEST else 400), (text, reply)
    support.assert_no_internals(reply)
    if reply.status == 200:
        assert reply.json.get("query", text) == text
        assert b"<script" not in reply.body or b'"<script' in reply.body or "<" in text
    else:
        support.assert_error(reply, 400)


@pytest.mark.parametrize("which", ["own", "public"])
def test_search_tool(souk, which):
    for text in OWN if which == "own" else public():
        if "\0" not in text:
            check_call(souk.call("search_products", {"query": text, "limit": 2}, token=souk.admin), text)


@pytest.mark.parametrize("which", ["own", "public"])
def test_search_route(souk, which):
    for text in OWN if which == "own" else public()[::3]:
        query = urllib.parse.urlencode({"action": "search", "limit": 1, "query": text})
        if len(query) < 7500:
            check_rest(souk.get(f"/api/mcp/customersProducts?{query}", token=souk.admin), text, 1)


def test_everywhere_else(souk):
    """The same in each argument that takes a text, and in each place of a call that is not an argument."""
    for text in OWN[:60]:
        for args in ({"category": text}, {"brand": text}, {"colour": text}, {"cursor": text}, {"sortBy": text}, {"locale": text}, {text or "x y": 1}):
            outcome = souk.call("search_products", dict(args, limit=1), token=souk.admin)
            assert outcome.reply.status in (200, 400), (text, outcome)
            support.assert_no_internals(outcome.reply)
        for tool, args in ((text, {}), ("get_product_details", {"productId": text}), ("get_product_details", {"slug": text}),
                           ("get_category_products", {"categorySlug": text})):
            outcome = souk.call(tool, args, token=souk.admin)
            assert not outcome.ok and outcome.reply.status < 500, (text, outcome)
            support.assert_no_internals(outcome.reply)
        reply = souk.mcp(text, {}, token=souk.admin)
        assert reply.status < 500 and "error" in reply.json, (text, reply)
        reply = souk.mcp("ping", {}, token=souk.admin, rpc_id=text)
        assert reply.json.get("id") == text, (text, reply)


def test_a_slow_query_is_not_possible(souk):
    """Long and strange queries are answered before the deadline."""
    for text in ("a " * 250, ":* " * 160, "lampe " * 80, "x" * 500, "lmape tbale chiase " * 26, "😀" * 500):
        outcome = souk.call("search_products", {"query": text}, token=souk.admin)
        assert outcome.ok, (text, outcome)
