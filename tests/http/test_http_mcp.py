"""The transport of MCP as both eras know it: statuses, headers, codes, and what belongs to which."""
import json

import pytest

import support

MODERN = "2026-07-28"
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
VERSION, CAPABILITIES = "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"
META = {VERSION: MODERN, CAPABILITIES: {}}


def modern(souk, method, params=None, headers=None, meta=META, rpc_id=5, server="", token=None):
    params = dict(params or {}, **({"_meta": meta} if meta is not None else {}))
    send = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if "name" in params:
        send["Mcp-Name"] = params["name"]
    send.update(headers or {})
    return souk.mcp(method, params, server=server, token=token or souk.admin, rpc_id=rpc_id, headers=send)


def error(reply, status, code, rpc_id=5):
    assert reply.status == status, reply
    body = reply.json
    assert body["jsonrpc"] == "2.0" and body["error"]["code"] == code and "result" not in body, reply
    assert body.get("id") == rpc_id, reply
    assert body["error"]["message"]
    support.assert_no_internals(reply)
    return body["error"]


# ---- modern


def test_discover(souk):
    for server in ("", "catalog"):
        result = modern(souk, "server/discover", server=server).json["result"]
        assert result["resultType"] == "complete" and result["supportedVersions"] == [MODERN]
        assert "tools" in result["capabilities"]
        assert isinstance(result["ttlMs"], int) and result["ttlMs"] >= 0 and result["cacheScope"] in ("public", "private")
        info = result["_meta"]["io.modelcontextprotocol/serverInfo"]
        assert info["name"].startswith("souk") and info["version"]


def test_modern_call(souk):
    result = modern(souk, "tools/call", {"name": "list_categories", "arguments": {"limit": 2}}).json["result"]
    assert result["resultType"] == "complete" and len(result["structuredContent"]["categories"]) == 2
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    assert "ttlMs" not in result
    without = modern(souk, "tools/call", {"name": "list_categories"})
    assert without.status == 200 and "isError" not in without.json["result"], "arguments may be left out"


def test_modern_list(souk):
    result = modern(souk, "tools/list").json["result"]
    assert result["resultType"] == "complete" and result["cacheScope"] == "private" and result["tools"]


@pytest.mark.parametrize("headers, word", [
    ({"MCP-Protocol-Version": None}, "MCP-Protocol-Version"), ({"MCP-Protocol-Version": "2025-11-25"}, "MCP-Protocol-Version"),
    ({"Mcp-Method": None}, "Mcp-Method"), ({"Mcp-Method": "tools/list"}, "Mcp-Method"), ({"Mcp-Method": "TOOLS/CALL"}, "Mcp-Method"),
    ({"Mcp-Name": None}, "Mcp-Name"), ({"Mcp-Name": "search_products"}, "Mcp-Name"), ({"Mcp-Name": "=?base64?bGlzdF9jYXRlZ29yaWVz=?="}, "Mcp-Name"),
    ({"Mcp-Name": "=?base64?!!!!?="}, "Mcp-Name"), ({"Mcp-Name": "=?BASE64?bGlzdF9jYXRlZ29yaWVz?="}, "Mcp-Name"),
])
def test_header_mismatch(souk, headers, word):
    assert word in error(modern(souk, "tools/call", {"name": "list_categories"}, headers), 400, -32020)["message"]


@pytest.mark.parametrize("headers", [
    {"Mcp-Name": "=?base64?bGlzdF9jYXRlZ29yaWVz?="}, {"Mcp-Name": "  list_categories\t"}, {"mcp-protocol-version": MODERN, "MCP-Protocol-Version": None},
    {"Accept": None}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Mcp-Session-Id": "whatever"}, {"Last-Event-ID": "7"},
])
def test_header_spellings(souk, headers):
    reply = modern(souk, "tools/call", {"name": "list_categories"}, headers)
    assert reply.status == 200 and "result" in reply.json, reply


@pytest.mark.parametrize("meta", [{VERSION: MODERN}, {VERSION: MODERN, CAPABILITIES: []}, {VERSION: 5, CAPABILITIES: {}}, {VERSION: MODERN, CAPABILITIES: None}])
def test_broken_envelope(souk, meta):
    error(modern(souk, "tools/list", meta=meta), 400, -32602)


def test_missing_envelope(souk):
    error(modern(souk, "tools/list", meta=None), 400, -32602)


def test_unsupported_version(souk):
    found = error(modern(souk, "tools/list", meta={VERSION: "2027-01-01", CAPABILITIES: {}}, headers={"MCP-Protocol-Version": "2027-01-01"}), 400, -32022)
    assert found["data"]["supported"] == [MODERN] and found["data"]["requested"] == "2027-01-01"


@pytest.mark.parametrize("method", ["ping", "logging/setLevel", "resources/subscribe", "no/such", "tools", "tools/list/x"])
def test_modern_unknown_method_is_404(souk, method):
    error(modern(souk, method), 404, -32601)


def test_modern_notification(souk):
    reply = modern(souk, "notifications/cancelled", {"requestId": 1}, rpc_id=None)
    assert reply.status == 202 and reply.body == b"", reply


def test_unknown_tool(souk):
    assert "no_such_tool" in error(modern(souk, "tools/call", {"name": "no_such_tool"}), 200, -32602)["message"]


# ---- legacy


@pytest.mark.parametrize("version", [*LEGACY, MODERN, "1999-01-01", "x"])
def test_initialize(souk, version):
    reply = souk.mcp("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}, token=souk.admin)
    result = reply.json["result"]
    assert result["protocolVersion"] == (version if version in LEGACY else LEGACY[-1])
    assert "tools" in result["capabilities"] and result["serverInfo"]["name"] and "resultType" not in result
    assert "mcp-session-id" not in reply.headers


@pytest.mark.parametrize("version", LEGACY[1:])
def test_legacy_after_initialize(souk, version):
    headers = {"MCP-Protocol-Version": version}
    assert souk.mcp("notifications/initialized", token=souk.admin, rpc_id=None, headers=headers).status == 202
    assert souk.mcp("ping", token=souk.admin, headers=headers).json["result"] == {}
    result = souk.mcp("tools/list", token=souk.admin, headers=headers).json["result"]
    assert result["tools"] and "resultType" not in result and "ttlMs" not in result


def test_bare_clients(souk, stranger):
    """Scripts that know neither handshake nor headers."""
    assert stranger.mcp("tools/list", headers={"Accept": None}).json["result"]["tools"]
    assert stranger.call("list_categories", {"limit": 1}, headers={"Accept": "application/json"}).ok


def test_legacy_unknown_method_is_200(souk):
    error(souk.mcp("no/such", token=souk.admin), 200, -32601, 1)
    error(souk.mcp("server/discover", token=souk.admin), 200, -32601, 1)


def test_legacy_unsupported_header(souk):
    error(souk.mcp("ping", token=souk.admin, headers={"MCP-Protocol-Version": "1999-01-01"}), 400, -32600, 1)


def test_initialize_with_a_modern_header(souk):
    error(souk.mcp("initialize", {"protocolVersion": MODERN}, token=souk.admin, headers={"MCP-Protocol-Version": MODERN}), 400, -32020, 1)


@pytest.mark.parametrize("message", [
    {}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "id": 1}, {"jsonrpc": "1.0", "id": 1, "method": "ping"}, {"id": 1, "method": "ping"},
    {"jsonrpc": "2.0", "id": None, "method": "ping"}, {"jsonrpc": "2.0", "id": 1.5, "method": "ping"}, {"jsonrpc": "2.0", "id": [1], "method": "ping"},
    {"jsonrpc": "2.0", "id": True, "method": "ping"}, {"jsonrpc": "2.0", "id": 1, "method": 7}, {"jsonrpc": "2.0", "id": 1, "method": None},
    {"jsonrpc": 2.0, "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": 7}, "ping", 7, None, True,
    {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": "x"},
])
def test_what_is_no_request(souk, message):
    reply = souk.post("/mcp", body=json.dumps(message), token=souk.admin)
    assert reply.status == 400 and reply.json["error"]["code"] == -32600, reply
    if isinstance(message, dict) and message.get("id") == 1 and not isinstance(message["id"], (bool, float)):
        assert reply.json["id"] == 1, "a readable id is echoed"


@pytest.mark.parametrize("rpc_id", [0, -1, 1, 9007199254740993, 9223372036854775807, "", "a", "é😀", "x" * 1000, "\"\\\n"])
def test_ids_come_back_as_they_are(souk, rpc_id):
    reply = souk.mcp("ping", token=souk.admin, rpc_id=rpc_id)
    assert reply.json["id"] == rpc_id and type(reply.json["id"]) is type(rpc_id)


@pytest.mark.parametrize("params", [{"arguments": {}}, {"name": 7}, {"name": None}, {"name": ["x"]}, {"name": {}}, {"name": "list_categories", "arguments": [1]},
                                    {"name": "list_categories", "arguments": "x"}, {"name": ""}, {"name": "x" * 5000}, {"name": "list_categories\n"}])
def test_malformed_calls(souk, params):
    error(souk.mcp("tools/call", params, token=souk.admin), 200, -32602, 1)


def test_positional_params(souk):
    error(souk.mcp("tools/call", ["list_categories"], token=souk.admin), 200, -32602, 1)


def test_a_bad_cursor_of_a_list(souk):
    error(souk.mcp("tools/list", {"cursor": "nonsense"}, token=souk.admin), 200, -32602, 1)


# ---- batches


def batch(souk, messages, **headers):
    return souk.post("/mcp", body=json.dumps(messages), token=souk.admin, headers=headers)


PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def test_legacy_batch(souk):
    reply = batch(souk, [PING, {"jsonrpc": "2.0", "method": "notifications/initialized"}, dict(PING, id="b"), dict(PING, id=3, method="no/such")])
    assert reply.status == 200 and [m["id"] for m in reply.json] == [1, "b", 3], reply
    assert reply.json[2]["error"]["code"] == -32601
    only_notes = batch(souk, [{"jsonrpc": "2.0", "method": "notifications/initialized"}] * 2)
    assert only_notes.status == 202 and only_notes.body == b""


@pytest.mark.parametrize("messages, headers", [
    ([], {}), ([1], {}), ([PING, "x"], {}), ([PING], {"MCP-Protocol-Version": "2025-06-18"}), ([PING], {"MCP-Protocol-Version": MODERN}),
    ([dict(PING, params={"_meta": META})], {}), ([[PING]], {}), ([PING] * 1000, {}),
])
def test_refused_batches(souk, messages, headers):
    reply = batch(souk, messages, **headers)
    assert reply.status == 400 and reply.json["error"]["code"] == -32600, reply


def test_a_batch_cannot_outrun_the_limit(souk):
    """Each call in it counts."""
    token = souk.token("sales:read")
    before = int(souk.call("list_categories", {"limit": 1}, token=token).reply.headers["ratelimit-remaining"])
    body = [dict(PING, id=i, method="tools/call", params={"name": "list_categories", "arguments": {"limit": 1}}) for i in range(10)]
    assert souk.post("/mcp", body=json.dumps(body), token=token).status == 200
    after = int(souk.call("list_categories", {"limit": 1}, token=token).reply.headers["ratelimit-remaining"])
    assert before - after == 11


# ---- transport


def test_a_posted_response_is_taken(souk):
    assert souk.post("/mcp", body='{"jsonrpc":"2.0","id":1,"result":{}}', token=souk.admin).status == 202
    assert souk.post("/mcp", body='{"jsonrpc":"2.0","id":1,"result":{}}', token=souk.admin, headers={"MCP-Protocol-Version": MODERN}).status == 400


def test_trailing_slash_is_answered_not_redirected(souk):
    for path in ("/mcp/", "/mcp/catalog/"):
        assert souk.post(path, json_body=PING, token=souk.admin).json["result"] == {}


def test_get_and_delete_are_405(souk):
    for method in ("GET", "DELETE", "PUT", "PATCH"):
        for path in ("/mcp", "/mcp/catalog"):
            reply = souk.request(method, path, token=souk.admin, headers={"Accept": "text/event-stream"})
            allowed = reply.headers["allow"].replace(" ", "").split(",")
            assert reply.status == 405, reply
            # a session would have both; without one only POST is left
            assert "POST" in allowed if method in ("PUT", "PATCH") else allowed[0] == "POST", reply


def test_clients_that_take_streams_only(souk):
    reply = souk.mcp("ping", token=souk.admin, headers={"Accept": "text/event-stream"})
    assert reply.status == 200 and reply.headers["content-type"].split(";")[0] == "text/event-stream"
    assert reply.headers["cache-control"] == "no-cache"
    assert reply.text.startswith("event: message\ndata: {") and reply.text.endswith("}\n\n")
    assert json.loads(reply.text.split("data: ")[1])["result"] == {}


def test_both_accepted_is_json(souk):
    reply = souk.mcp("ping", token=souk.admin, headers={"Accept": "application/json, text/event-stream"})
    assert reply.headers["content-type"].split(";")[0] == "application/json"
    assert "\n" not in reply.text.strip()


def test_a_bad_token_is_401_for_everything(souk):
    for method in ("ping", "tools/list", "initialize", "no/such"):
        reply = souk.mcp(method, token="mcp_key_bad")
        assert reply.status == 401 and 'error="invalid_token"' in reply.headers["www-authenticate"], reply
        assert reply.json["jsonrpc"] == "2.0" and reply.json["error"]["message"]


def test_structured_content_equals_text(souk):
    outcome = souk.call("search_products", {"query": "lampe", "limit": 3}, token=souk.admin)
    assert json.loads(outcome.content[0]["text"]) == outcome.value and len(outcome.value["products"]) == 3
    assert outcome.reply.json["result"].get("isError") in (None, False)


@pytest.mark.parametrize("tag, begin", [("fr", "Vous"), ("fr-CA", "Vous"), ("FR_fr", "Vous"), ("EN", "You"), ("es-419", "Usted"), ("de-AT", "Sie")])
def test_prompts_take_language_tags(souk, tag, begin):
    reply = souk.mcp("prompts/get", {"name": "greeting", "arguments": {"language": tag}})
    assert reply.json["result"]["messages"][0]["content"]["text"].startswith(begin), reply


@pytest.mark.parametrize("tag", ["it", "-", "f", "french", "x-fr"])
def test_prompts_refuse_other_languages(souk, tag):
    assert souk.mcp("prompts/get", {"name": "greeting", "arguments": {"language": tag}}).json["error"]["code"] == -32602


@pytest.mark.parametrize("server, views", [("", {"product-cards", "basket", "order"}), ("catalog", {"product-cards"}), ("orders", {"order"}),
                                           ("storefront", {"product-cards", "basket"}), ("analytics", set())])
def test_an_endpoint_offers_the_views_of_its_tools(souk, server, views):
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {
        "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}}}
    found = {}
    for method, key in (("resources/list", "resources"), ("tools/list", "tools")):
        reply = souk.mcp(method, {"_meta": meta}, server=server, token=souk.admin, headers={"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method})
        found[key] = reply.json["result"][key]
    listed = {r["uri"].removeprefix("ui://souk/") for r in found["resources"] if r["uri"].startswith("ui:")}
    used = {t["_meta"]["ui"]["resourceUri"].removeprefix("ui://souk/") for t in found["tools"] if "ui" in t.get("_meta", {})}
    assert listed == used == views
