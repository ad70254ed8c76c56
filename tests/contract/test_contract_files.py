"""The contract files themselves: what real clients accept."""
import glob
import json
import os
import re

import pytest

import contracts
import support

ALL = contracts.load()
NAME = re.compile(r"[a-z0-9_]{1,40}")
MCP_MEMBERS = {"name", "title", "description", "inputSchema", "outputSchema", "annotations", "icons", "_meta"}
OWN_MEMBERS = {"x-scope", "x-rate", "x-servers", "x-aliases", "x-rest", "x-handler", "x-transaction", "x-interaction", "x-confirm",
               "x-handles", "x-open", "x-app"}
RATES = {"status", "test", "data", "chat", "ai", "mcp", "health"}
FIXTURES = {n for n, c in ALL.items() if os.sep + "tests" + os.sep in c["file"]}

every = pytest.mark.parametrize("name", sorted(ALL))


def schemas(schema, where="#"):
    """All schemas inside a schema, with their places."""
    yield where, schema
    for key in ("properties",):
        for name, sub in schema.get(key, {}).items():
            yield from schemas(sub, f"{where}/{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from schemas(schema[key], f"{where}/{key}")


def test_there_are_tools():
    assert {"search_products", "get_product_details", "get_similar_products", "check_stock_availability", "get_category_products",
            "list_categories"} <= set(ALL)


@every
def test_members(name):
    contract = ALL[name]
    assert set(contract) - {"file"} <= MCP_MEMBERS | OWN_MEMBERS
    for key in ("name", "title", "description", "inputSchema", "outputSchema", "annotations", "x-scope", "x-rate", "x-servers"):
        assert key in contract, key
    assert NAME.fullmatch(name) and os.path.basename(contract["file"]) == name + ".json"
    for alias in contract.get("x-aliases", []):
        assert NAME.fullmatch(alias)
    assert 10 <= len(contract["description"]) <= 1024
    assert re.fullmatch(r"none|[a-z_]+:[a-z_]+", contract["x-scope"]) and contract["x-rate"] in RATES


@every
def test_hints(name):
    hints = ALL[name]["annotations"]
    for key in ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"):
        assert isinstance(hints[key], bool), key
    assert not (hints["readOnlyHint"] and hints["destructiveHint"])


@every
def test_servers(name):
    contract = ALL[name]
    listed = contracts.listings(contract)
    assert set(listed) <= set(contracts.SERVERS)
    assert set(listed.values()) <= {name, *contract.get("x-aliases", [])}
    folder = os.path.basename(os.path.dirname(contract["file"]))
    if folder in contracts.SERVERS:
        assert folder in listed, "a tool is listed where it belongs first"
    else:
        assert folder in ("rest", "test")


@every
def test_input_schema(name):
    schema = ALL[name]["inputSchema"]
    assert schema["type"] == "object" and isinstance(schema["properties"], dict)
    for word in ("allOf", "anyOf", "oneOf", "not", "if", "$ref", "$defs", "patternProperties"):
        assert word not in schema, word
    assert set(schema.get("required", [])) <= set(schema["properties"])
    if name in FIXTURES:
        return
    assert schema.get("additionalProperties") is False
    for where, sub in schemas(schema):
        assert isinstance(sub.get("type"), str), f"{where}: one type"
        assert sub["type"] != "array" or isinstance(sub.get("items"), dict), where
        assert "default" not in sub or sub["default"] is not None, where
        if "enum" in sub:
            assert sub["type"] == "string" and all(isinstance(v, str) for v in sub["enum"]), where
        if where != "#":
            assert sub["type"] == "object" or sub.get("description"), f"{where} has no description"
        if sub["type"] == "string":
            assert "maxLength" in sub or "enum" in sub or "format" in sub, f"{where} has no end"
        if sub["type"] in ("integer", "number"):
            assert {"minimum", "maximum"} <= set(sub), f"{where} has no limits"
        if sub["type"] == "array":
            assert "maxItems" in sub, f"{where} has no end"


@every
def test_output_schema(name):
    schema = ALL[name]["outputSchema"]
    assert schema["type"] == "object"
    if name in FIXTURES:
        return
    assert schema.get("required") and isinstance(schema["properties"], dict)
    for where, sub in schemas(schema):
        assert sub.get("type") != "array" or isinstance(sub.get("items"), dict), where
        assert set(sub.get("required", [])) <= set(sub.get("properties", {})), where


@every
def test_identity_is_never_an_argument(name):
    """Who speaks comes from the token, not from what is said."""
    if name in FIXTURES or ALL[name]["x-scope"] != "none":
        return
    # a code or a receipt is sent to the address: it decides nothing
    mailed = {"email"} if name in ("guest_start", "customer_login_start", "get_payment_link") else set()
    for forbidden in {"customerId", "customer_id", "userId", "user_id", "token", "role", "scope", "email"} - mailed:
        assert forbidden not in ALL[name]["inputSchema"]["properties"]


@every
def test_one_statement_or_a_handler(name):
    contract = ALL[name]
    sql = contract["file"][:-5] + ".sql"
    assert os.path.exists(sql) != ("x-handler" in contract)


def test_names_are_unique():
    names = [n for c in ALL.values() for n in [c["name"], *c.get("x-aliases", [])]]
    assert len(names) == len(set(names))


def test_the_six_catalogue_tools_have_their_names_and_arguments():
    """As the source systems print them."""
    expected = {
        "search_products": ({"query", "category", "minPrice", "maxPrice", "featured", "inStock", "sortBy", "limit"}, set(), {"vivr_search_products"}),
        "get_product_details": ({"slug", "productId", "sku"}, set(), {"get_product_info", "vivr_get_product"}),
        "get_similar_products": ({"productId", "limit"}, {"productId"}, {"vivr_get_similar_products"}),
        "check_stock_availability": ({"productId", "quantity"}, {"productId"}, set()),
        "get_category_products": ({"categorySlug", "sortBy"}, {"categorySlug"}, set()),
        "list_categories": (set(), set(), set()),
    }
    for name, (arguments, required, aliases) in expected.items():
        contract = ALL[name]
        assert arguments <= set(contract["inputSchema"]["properties"]), name
        assert required == set(contract["inputSchema"].get("required", [])), name
        assert aliases <= set(contract.get("x-aliases", [])), name
    props = {n: ALL[n]["inputSchema"]["properties"] for n in expected}
    assert props["search_products"]["limit"]["default"] == 10 and props["get_similar_products"]["limit"]["default"] == 5
    assert props["check_stock_availability"]["quantity"]["default"] == 1
    for name in ("search_products", "get_category_products"):
        assert props[name]["sortBy"]["enum"] == ["price-asc", "price-desc", "newest", "popular"]


def test_sql_and_contract_come_in_pairs():
    for sql in glob.glob(os.path.join(support.ROOT, "tools", "*", "*.sql")):
        assert os.path.exists(sql[:-4] + ".json"), sql


def test_files_are_written_alike():
    for path in glob.glob(os.path.join(support.ROOT, "tools", "*", "*.json")):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert text.startswith("{\n\t\"name\"") and text.endswith("}\n"), path
        json.loads(text)
