"""Valid messages, changed at random: only errors that the protocol defines, and no process dies of them."""
import json
import random

import support

MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "sampling": {}}}
CODES = {-32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32003, -32020, -32021, -32022}
ROUNDS = 10000
PIECES = ['"', "{", "}", "[", "]", ",", ":", "\\", "\\u0000", "\\ud800", "null", "true", "-1", "1e999", "9" * 40, "\x00", "\x7f", "\u00e9", "\u2028", "%s%n",
          "../", "a" * 3000, "[" * 200, "{\"a\":" * 200, "__proto__", "io.modelcontextprotocol/protocolVersion", "requestState", "inputResponses"]


def seeds():
    requests = [
        ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {"roots": {}}, "clientInfo": {"name": "t", "version": "1"}}),
        ("ping", {}), ("tools/list", {"cursor": "dG9vbHM6MQ"}), ("resources/list", {}), ("resources/templates/list", {}), ("prompts/list", {}),
        ("tools/call", {"name": "search_products", "arguments": {"query": "lampe", "limit": 2}}),
        ("tools/call", {"name": "list_categories", "inputResponses": {}, "requestState": "v1.AAAA"}),
        ("resources/read", {"uri": "souk://products/categories"}), ("resources/read", {"uri": "vivr://products/x%20y?cursor=o1"}),
        ("resources/subscribe", {"uri": "souk://products/catalog"}), ("logging/setLevel", {"level": "info"}),
        ("prompts/get", {"name": "greeting", "arguments": {"language": "fr", "customerName": "A"}}),
        ("completion/complete", {"ref": {"type": "ref/resource", "uri": "souk://products/{slug}"}, "argument": {"name": "slug", "value": "l"}}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "greeting"}, "argument": {"name": "language", "value": ""}}),
        ("server/discover", {}), ("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["souk://products/catalog"]}}),
    ]
    for method, params in requests:
        yield {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        yield {"jsonrpc": "2.0", "id": "x", "method": method, "params": dict(params, _meta=META)}
    yield {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    yield {"jsonrpc": "2.0", "id": "s-1", "result": {"action": "accept"}}


def mutate(rng, text):
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            text = text[:at] + text[at + rng.randrange(1, 8):]
        elif kind == 1:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind == 2:
            text = text[:at] + chr(rng.randrange(1, 0x250)) + text[at + 1:]
        elif kind == 3:
            end = at + rng.randrange(1, 60)
            text = text[:end] + text[at:end] + text[end:]
        else:
            other = rng.randrange(len(text) + 1)
            text = text[:at] + text[other:]
    return text


def headers_for(rng, message):
    """Those of the message, or not quite."""
    headers = {"Accept": "application/json"}
    if "_meta" in message.get("params", {}):
        headers.update({"MCP-Protocol-Version": MODERN, "Mcp-Method": message["method"]})
        name = message["params"].get("name") or message["params"].get("uri")
        if name:
            headers["Mcp-Name"] = name
    if rng.random() < 0.2:
        headers[rng.choice(["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id", "Mcp-Param-Region", "Last-Event-ID"])] = rng.choice(
            ["", "x", MODERN, "2025-11-25", "=?base64?AA?=", "=?base64?/////w==?=", "a" * 32, "tools/call"])
    return headers


def test_ten_thousand_mutations(souk):
    rng = random.Random(20260728)
    messages = list(seeds())
    clients = [souk.client(), souk.client()]
    seen = set()
    for _ in range(ROUNDS):
        message = rng.choice(messages)
        text = mutate(rng, json.dumps(message, ensure_ascii=False))
        reply = clients[rng.randrange(2)].request("POST", "/mcp" + rng.choice(["", "", "/catalog", "/support"]), body=text.encode("utf-8", "surrogatepass"), token=souk.admin,
                                                  headers={"Content-Type": "application/json", **headers_for(rng, message)})
        assert reply.status in (200, 202, 400, 404, 413), (text, reply)
        if reply.status == 202 or not reply.text:
            continue
        support.assert_no_internals(reply)
        answers = reply.json if isinstance(reply.json, list) else [reply.json]
        for answer in answers:
            assert answer["jsonrpc"] == "2.0" and ("result" in answer) != ("error" in answer), (text, reply)
            if "error" in answer:
                assert answer["error"]["code"] in CODES and answer["error"]["code"] != -32603, (text, reply)
                seen.add(answer["error"]["code"])
    for client in clients:
        client.close()
    # The mutations reached all stages; an unknown version in body and header alike (-32022) is too rare an accident to count on.
    assert {-32700, -32600, -32601, -32602, -32020} <= seen
    with open(f"{souk.data}/log/souk.log", encoding="utf-8") as f:
        assert "worker died" not in f.read()
