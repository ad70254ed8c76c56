"""Each tool of the live table against its contract. Loops over the contract files, so a new tool is covered when it is there."""
import json

import jsonschema
import pytest

import contracts
import support

ALL = contracts.load()
LISTED = sorted(n for n, c in ALL.items() if c["x-servers"])
REST = sorted(n for n, c in ALL.items() if "x-rest" in c)
# Whose success takes more than arguments that fit: another test has what they need.
NEED_MORE = {"test_read_that_writes", "guest_verify", "customer_login_verify", "update_basket_item", "remove_from_basket", "apply_discount",
             "get_payment_link", "mark_paid", "mark_refunded", "preview_price_change", "apply_price_change", "log_out"}
every = pytest.mark.parametrize("name", LISTED)
every_rest = pytest.mark.parametrize("name", REST)


def tools(souk, server, token):
    reply = souk.mcp("tools/list", server=server, token=token)
    assert reply.status == 200, reply
    assert "nextCursor" not in reply.json["result"], "the first page holds all tools: many clients read no other"
    return {t["name"]: t for t in reply.json["result"]["tools"]}


# ---- the lists


@pytest.mark.parametrize("server", contracts.SERVERS)
def test_server_lists_its_tools(souk, server):
    """To one who may everything: exactly the tools whose contract names this server, under the name that it says."""
    expected = {contracts.listings(c)[server]: c for c in ALL.values() if server in contracts.listings(c)}
    listed = tools(souk, server, souk.admin)
    assert set(listed) == set(expected)
    for shown, contract in expected.items():
        entry = {k: v for k, v in contract.items() if not k.startswith("x-") and k != "file"}
        login = [] if contract["x-scope"] == "none" else [{"type": "oauth2", "scopes": [contract["x-scope"]]}]
        open_too = [{"type": "noauth"}] if not login or contract.get("x-handles") else []
        assert listed[shown] == dict(entry, name=shown, securitySchemes=open_too + login)


def test_union_lists_all(souk):
    assert set(tools(souk, "", souk.admin)) == set(LISTED)


def test_lists_hold_what_the_caller_may(souk, scope_tokens):
    """Without a token the public tools and what a guest may do, with a scope the public ones and its own, on every endpoint."""
    for server in ("", *contracts.SERVERS):
        for scope, token in [("none", None), *scope_tokens.items()]:
            expected = {c["name"] if not server else contracts.listings(c)[server] for c in ALL.values()
                        if (contracts.listings(c) if not server else server in contracts.listings(c)) and
                        (c["x-scope"] in ("none", scope) or scope == "none" and "guest" in c.get("x-handles", []))}
            assert set(tools(souk, server, token)) == expected, (server, scope)


def test_lists_are_always_the_same(souk):
    texts = {souk.mcp("tools/list", token=souk.admin).text for _ in range(5)}
    assert len(texts) == 1


def test_unknown_server(souk):
    assert souk.mcp("tools/list", server="nothing", token=souk.admin).status == 404


# ---- who may call


@every
def test_without_a_token(souk, name, samples):
    client = souk.client(source=support.loopback())
    outcome = client.call(name, samples.required(ALL[name]["inputSchema"]))
    client.close()
    if ALL[name]["x-scope"] == "none":
        assert outcome.reply.status == 200, outcome
    else:
        assert outcome.reply.status == 401 and not outcome.ok and outcome.code == -32002, outcome
        challenge = outcome.reply.headers["www-authenticate"]
        assert challenge.startswith("Bearer") and ALL[name]["x-scope"] in challenge and "error=" not in challenge


@every
def test_with_every_scope(souk, name, samples, scope_tokens):
    needed = ALL[name]["x-scope"]
    for scope, token in scope_tokens.items():
        outcome = souk.call(name, samples.required(ALL[name]["inputSchema"]), token=token)
        if needed in ("none", scope):
            assert outcome.reply.status == 200, (scope, outcome)
        else:
            assert outcome.reply.status == 403 and outcome.code == -32002, (scope, outcome)
            challenge = outcome.reply.headers["www-authenticate"]
            assert 'error="insufficient_scope"' in challenge and f'scope="{needed}"' in challenge, challenge


@every
def test_every_name_answers_everywhere(souk, name, samples):
    """Aliases too, on all endpoints: a list is a choice, not a lock."""
    outcomes = [souk.call(alias, samples.required(ALL[name]["inputSchema"]), server=server, token=souk.admin)
                for alias in [name, *ALL[name].get("x-aliases", [])] for server in ("", *contracts.listings(ALL[name]))]
    assert len({o.ok for o in outcomes}) == 1, outcomes


# ---- what may be said


@every
def test_refuses_what_the_schema_refuses(souk, name, samples):
    contract, count = ALL[name], 0
    for what, member, args in contracts.violations(contract, samples):
        outcome = souk.call(name, args, token=souk.admin)
        assert not outcome.ok, f"{what}: {json.dumps(args)[:200]} was taken: {outcome}"
        assert outcome.reply.status == 200, f"{what}: {outcome}"
        assert member in outcome.message, f"{what}: {member!r} is not named in {outcome.message!r}"
        support.assert_no_internals(outcome.reply)
        count += 1
    assert count or not contract["inputSchema"]["properties"]


@every
def test_arguments_that_are_no_object(souk, name):
    for bad in ([], "x", 1, True, [{}]):
        outcome = souk.call(name, bad, token=souk.admin)
        assert not outcome.ok and "arguments" in outcome.message, (bad, outcome)


@every
def test_duplicate_argument(souk, name):
    props = list(ALL[name]["inputSchema"]["properties"]) or ["x"]
    body = ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s","arguments":{"%s":1,"%s":1}}}' % (name, props[0], props[0]))
    reply = souk.post("/mcp", body=body, token=souk.admin)
    assert reply.status == 400 and reply.json["error"]["code"] == -32600 and "duplicate" in reply.json["error"]["message"], reply


@every
def test_takes_what_the_schema_takes(souk, name, samples):
    """Each optional argument alone, its edges included. Every result that comes fits outputSchema; at least one comes."""
    contract = ALL[name]
    schema, output = contract["inputSchema"], contract["outputSchema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator.check_schema(output)
    base = samples.required(schema)
    tries = [base]
    for prop, sub in schema["properties"].items():
        values = contracts.edges(sub)
        value = samples.value(prop, sub)
        tries += [dict(base, **{prop: v}) for v in values + ([value] if value is not None else [])]
    good = 0
    for args in tries:
        if args.get("ms", 0) > 1000 or args.get("fail"):
            continue  # what the tests' own tools do then is no result
        jsonschema.validate(args, schema)
        outcome = souk.call(name, args, token=souk.admin)
        assert outcome.reply.status == 200, (args, outcome)
        if outcome.ok:
            good += 1
            assert_result(contract, outcome, args)
        else:
            # Well formed, but there is no such thing, or a rule between members.
            assert "must be" not in outcome.message or "or" in outcome.message or "cursor" in args, (args, outcome)
    assert good or name in NEED_MORE, f"no call of {name} had a result"


def assert_result(contract, outcome, args):
    jsonschema.Draft202012Validator(contract["outputSchema"]).validate(outcome.value)
    assert outcome.content[0]["type"] == "text" and json.loads(outcome.content[0]["text"]) == outcome.value
    assert len(outcome.reply.body) < 200000, f"{contract['name']} {args}: {len(outcome.reply.body)} bytes"
    assert len(outcome.content[0]["text"]) < 100000, f"{contract['name']} {args}"


@every
def test_defaults_are_filled_in(souk, name, samples):
    """Leaving an argument out is the same as giving its default."""
    schema = ALL[name]["inputSchema"]
    defaults = {k: v["default"] for k, v in schema["properties"].items() if "default" in v}
    if not ALL[name]["annotations"]["readOnlyHint"] or not defaults or name == "test_read_that_writes":
        return
    base = samples.required(schema)
    without, given = (souk.call(name, a, token=souk.admin) for a in (base, dict(base, **defaults)))
    assert without.value == given.value


@every
def test_pages_by_cursor(souk, name, samples):
    """Where there is a cursor, all pages together are everything, once."""
    schema = ALL[name]["inputSchema"]
    if "cursor" not in schema["properties"]:
        return
    base = dict(samples.required(schema), limit=7)
    rows, cursor, total = [], None, None
    if (souk.call(name, base, token=souk.admin).value or {}).get("total", 0) > 1000:
        base["limit"] = schema["properties"]["limit"]["maximum"]
    for _ in range(200):
        outcome = souk.call(name, dict(base, **({"cursor": cursor} if cursor else {})), token=souk.admin)
        assert outcome.ok, outcome
        member = next(k for k, v in outcome.value.items() if isinstance(v, list))
        assert total in (None, outcome.value["total"]), "the total changes from page to page"
        total = outcome.value["total"]
        rows += [r["id"] if "id" in r else next(v for k, v in r.items() if k.endswith("Id")) for r in outcome.value[member]]
        cursor = outcome.value.get("nextCursor")
        if not cursor:
            break
    assert len(rows) == len(set(rows)) == total
    for bad in ("x", "-1", "999999999999999999", "1 OR 1=1", "é"):
        outcome = souk.call(name, dict(base, cursor=bad), token=souk.admin)
        assert not outcome.ok and "cursor" in outcome.message or outcome.ok and not next(v for v in outcome.value.values() if isinstance(v, list)), (bad, outcome)


@every
def test_a_missing_thing_is_said_so(souk, name):
    """What does not exist is told as such, by a message that names what was asked or what to do."""
    schema = ALL[name]["inputSchema"]
    for member in ("productId", "categorySlug", "slug", "sku"):
        if member in schema["properties"] and set(schema.get("required", [])) <= {member}:
            outcome = souk.call(name, {member: "no-such-thing-anywhere"}, token=souk.admin)
            assert not outcome.ok and outcome.reply.json["result"]["isError"] is True, outcome
            assert len(outcome.message) > 10


# ---- REST routes of tools


def rest(souk, contract, args, token):
    """Call the tool through its route; None when a query string cannot say these arguments. What is posted is a body."""
    import urllib.parse
    if contract["x-rest"]["method"] == "POST":
        return souk.request("POST", contract["x-rest"]["path"] + "?" + urllib.parse.urlencode(contract["x-rest"].get("query", {})), token=token, json_body=args)
    pairs = contracts.in_query(args, contract["inputSchema"])
    if pairs is None:
        return None
    pairs = dict(contract["x-rest"].get("query", {}), **pairs)
    return souk.request(contract["x-rest"]["method"], contract["x-rest"]["path"] + "?" + urllib.parse.urlencode(pairs), token=token)


@every_rest
def test_route_takes_and_answers(souk, name, samples):
    contract = ALL[name]
    schema, good = contract["inputSchema"], 0
    base = samples.required(schema)
    tries = [base]
    for prop, sub in schema["properties"].items():
        value = samples.value(prop, sub)
        tries += [dict(base, **{prop: v}) for v in contracts.edges(sub) + ([value] if value is not None else [])]
    for args in tries:
        reply = rest(souk, contract, args, souk.admin)
        if reply is None:
            continue
        used_up = reply.status == 409 and not contract["annotations"]["readOnlyHint"]
        assert reply.status in (200, 404) or used_up or reply.status == 400 and ({"from", "to", "cursor"} & set(args) or name in NEED_MORE), (args, reply)
        support.assert_rate_headers(reply)
        if reply.status == 200:
            jsonschema.Draft202012Validator(contract["outputSchema"]).validate(reply.json)
            assert len(reply.body) < 100000, (args, len(reply.body))
            good += 1
        else:
            support.assert_error(reply, reply.status)
    assert good or name in NEED_MORE


@every_rest
def test_route_refuses(souk, name, samples):
    contract, count = ALL[name], 0
    for what, member, args in contracts.violations(contract, samples):
        reply = rest(souk, contract, args, souk.admin)
        if reply is not None:
            error = support.assert_error(reply, 400, "MCP_INVALID_REQUEST")
            assert member in error["message"], f"{what}: {member!r} is not named in {error['message']!r}"
            count += 1
    assert count or not contract["inputSchema"]["properties"]


@every_rest
def test_route_permissions(souk, name, samples, scope_tokens):
    contract = ALL[name]
    args, needed = samples.required(contract["inputSchema"]), contract["x-scope"]
    client = souk.client(source=support.loopback())
    reply = rest(client, contract, args, None)
    client.close()
    fine = (200, 400) if name in NEED_MORE else (200,)
    if needed == "none":
        assert reply.status in fine, reply
    else:
        support.assert_error(reply, 401, "MCP_AUTH_REQUIRED")
    for scope, token in scope_tokens.items():
        reply = rest(souk, contract, args, token)
        if needed in ("none", scope):
            assert reply.status in fine, (scope, reply)
        else:
            support.assert_error(reply, 403, "MCP_FORBIDDEN", mentions=needed)


# ---- the transaction


def test_a_read_tool_cannot_write(souk):
    """A tool that says it only reads and writes nevertheless is stopped by the database, whatever its statement says."""
    key = support.unique("k")
    outcome = souk.call("test_read_that_writes", {"key": key}, token=souk.admin)
    assert not outcome.ok, outcome
    support.assert_no_internals(outcome.reply)
    assert "read-only" not in outcome.reply.text
    assert souk.value(f"SELECT count(*) FROM souk.kv WHERE key LIKE '%{key}'") == "0"
    # The same statement where the contract allows it: the test would notice if nothing was ever written.
    assert souk.call("test_write", {"key": key}, token=souk.admin).value == {"key": key, "value": 1}
    assert souk.value(f"SELECT count(*) FROM souk.kv WHERE key LIKE '%{key}'") == "1"


def test_a_write_that_fails_leaves_nothing(souk):
    key = support.unique("k")
    outcome = souk.call("test_write", {"key": key, "fail": True}, token=souk.admin)
    assert not outcome.ok and outcome.message == "failed as asked", outcome
    assert souk.value(f"SELECT count(*) FROM souk.kv WHERE key LIKE '%{key}'") == "0"


def test_the_database_knows_who_speaks(souk):
    """And nothing of it stays on the connection for the next caller."""
    token = souk.token("test:run")
    for _ in range(8):
        said = souk.call("test_scoped", {}, token=token, headers={"Accept-Language": "en"}).value
        assert said == {"kind": "staff", "customerId": "", "tokenId": support.token_id(token), "locale": "en", "readOnly": True}
        said = souk.call("test_scoped", {}, token=souk.admin, headers={"Accept-Language": "fr"}).value
        assert said["tokenId"] == support.token_id(souk.admin) and said["locale"] == "fr"


def test_a_slow_statement_ends_at_the_deadline(souk):
    """5 s are the budget of a request; then it is 503, and the worker serves on."""
    import time
    began = time.monotonic()
    outcome = souk.call("test_slow", {"ms": 60000}, token=souk.admin)
    took = time.monotonic() - began
    assert not outcome.ok and outcome.reply.status == 503 and int(outcome.reply.headers["retry-after"]) >= 1, outcome
    assert 3 < took < 40, took
    assert souk.call("test_slow", {"ms": 1}, token=souk.admin).value == {"waitedMs": 1}


def test_a_refused_call_is_recorded(souk):
    """Each of them: the count of records grows by exactly the calls, whatever became of them."""
    mark = support.unique("marker").replace(" ", "-")
    token = souk.token("sales:read")
    count = f"SELECT count(*) FROM souk.interactions WHERE token_id = '{support.token_id(token)}'"
    souk.call("search_products", {"query": mark, "limit": 1}, token=token)          # done
    souk.call("search_products", {"query": mark, "limit": 0}, token=token)          # bad argument
    souk.call("get_product_details", {"productId": mark}, token=token)              # not found
    souk.call("no_such_tool_" + mark.replace("-", "_")[:20], {}, token=token)       # unknown
    souk.get(f"/api/mcp/inventory?q={mark}", token=token)                           # scope missing
    souk.get("/api/mcp/sales?limit=1", token=token)                                 # done
    souk.get("/api/mcp/sales?limit=x", token=token)                                 # bad parameter
    support.wait_until(lambda: int(souk.value(count)) >= 7, 8)
    rows = souk.sql("SELECT tool, success, coalesce(error_code, ''), transport FROM souk.interactions "
                    f"WHERE token_id = '{support.token_id(token)}' ORDER BY created_at, id")
    assert sorted(map(tuple, rows)) == sorted([
        ("search_products", "t", "", "mcp"), ("search_products", "f", "MCP_INVALID_REQUEST", "mcp"),
        ("get_product_details", "f", "MCP_NOT_FOUND", "mcp"), ("no_such_tool_" + mark.replace("-", "_")[:20], "f", "MCP_NOT_FOUND", "mcp"),
        ("inventory", "f", "MCP_FORBIDDEN", "rest"), ("sales", "t", "", "rest"), ("sales", "f", "MCP_INVALID_REQUEST", "rest")])


def test_a_record_has_its_members_and_no_secrets(souk):
    token = souk.token("sales:read")
    mark = support.unique("marker").replace(" ", "-")
    souk.call("search_products", {"query": mark, "limit": 3}, token=token, headers={"X-Request-Id": "record-0001"})
    row = support.wait_until(lambda: souk.sql(
        "SELECT type, tool, success, input, output IS NOT NULL, latency_ms > 0, metadata->>'correlationId', tools_used::text, customer_id IS NULL, "
        f"t::text FROM souk.interactions t WHERE token_id = '{support.token_id(token)}'"), 8)[0]
    assert row[:3] == ["SEARCH", "search_products", "t"] and mark in row[3]
    assert row[4:9] == ["t", "t", "record-0001", "{search_products}", "t"]
    assert token.split("_")[3] not in row[9] and "127.0.0.1" not in row[9]
