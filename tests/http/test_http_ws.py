"""WebSocket connections through the web server: upgrade, address, Origin and token, messages of any size, the end."""
import concurrent.futures
import json
import os
import subprocess

import pytest
import requests

import support
from websocket import PING, PONG, Refused, WebSocket

INIT = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.fixture
def connect(souk):
    open_ = []

    def connect(path="/ws", **more):
        open_.append(WebSocket(souk.host, souk.port, path, **more))
        return open_[-1]
    yield connect
    for ws in open_:
        ws.sock.close()


def bearer(token):
    return {"Authorization": "Bearer " + token}


def test_upgrades_and_speaks_mcp(connect):
    ws = connect()
    assert ws.headers["sec-websocket-protocol"] == "mcp"
    assert ws.call("initialize", INIT)["result"]["protocolVersion"] == "2025-06-18"
    assert ws.call("tools/call", {"name": "list_categories", "arguments": {}}, 2)["result"]["structuredContent"]["categories"]


def test_needs_no_subprotocol(connect):
    ws = connect(protocols=())
    assert "sec-websocket-protocol" not in ws.headers
    assert ws.call("ping")["result"] == {}


def test_serves_one_server_by_its_path(connect):
    assert connect("/ws/orders").call("initialize", INIT)["result"]["serverInfo"]["name"] == "souk-orders"
    with pytest.raises(Refused) as refused:
        connect("/ws/nowhere")
    assert refused.value.status == 404


@pytest.mark.parametrize("headers,protocols,status", [
    ({"Authorization": "Bearer mcp_key_AAAAAAAAAAAA_wrong"}, ("mcp",), 401),
    ({"Authorization": "Basic YTpi"}, ("mcp",), 401),
    ({}, ("mcp", "bearer.mcp_key_AAAAAAAAAAAA_wrong"), 401),
    ({"Origin": "https://evil.example.com"}, ("mcp",), 403),
    ({"Origin": "null"}, ("mcp",), 403),
    ({"Origin": "http://evil.example.com", "Host": "evil.example.com"}, ("mcp",), 403),
    ({}, ("graphql",), 400), ({}, ("MCP",), 400), ({}, ("mcp", "x" * 200), 400),
    ({}, ("crew",), 400), ({}, ("crew, within",), 400), ({}, ("souk",), 400),
])
def test_refuses_at_the_handshake(connect, headers, protocols, status):
    with pytest.raises(Refused) as refused:
        connect(headers=headers, protocols=protocols)
    assert refused.value.status == status


def test_takes_the_subprotocol_that_it_knows(connect):
    """Not one of the names within the program, behind which nobody looks at who comes."""
    for offered in (("graphql", "mcp"), ("crew", "mcp"), ("crew, within", "mcp")):
        ws = connect(protocols=offered)
        assert ws.headers["sec-websocket-protocol"] == "mcp" and ws.call("ping")["result"] == {}


def test_takes_tokens_from_header_and_subprotocol(souk, connect):
    for more in ({"headers": bearer(souk.staff)}, {"protocols": ("mcp", "bearer." + souk.staff)}):
        ws = connect(**more)
        assert ws.headers["sec-websocket-protocol"] == "mcp"
        assert "souk://orders/{number}" in str(ws.call("resources/templates/list"))
    assert "souk://orders/{number}" not in str(connect().call("resources/templates/list"))


def test_takes_tokens_of_oauth_for_this_address(souk, connect):
    env = {**os.environ, "SOUK_CONF": souk.conf}
    account = json.loads(subprocess.run([souk.bin, "oauth", "account", "--name", "websocket test", "--scope", "orders:read", "--json"], check=True,
                                        capture_output=True, env=env).stdout)
    token = requests.post(souk.url + "/oauth/token", data={"grant_type": "client_credentials"}, timeout=10,
                          auth=(account["client_id"], account["client_secret"])).json()["access_token"]
    ws = connect(headers=bearer(token))
    assert "souk://orders/{number}" in str(ws.call("resources/templates/list"))
    subprocess.run([souk.bin, "oauth", "revoke", account["client_id"]], check=True, env=env)
    ws.send({"jsonrpc": "2.0", "id": 2, "method": "ping"})
    assert ws.closed() == 1008


def test_takes_its_own_origin(souk, connect):
    assert connect(headers={"Origin": souk.url}).call("ping")["result"] == {}


def test_keeps_the_borders_of_messages(connect):
    ws = connect()
    ws.send({"jsonrpc": "2.0", "id": "a", "method": "ping"})
    ws.send({"jsonrpc": "2.0", "id": "b" * 100000, "method": "ping"})
    text = b'{"jsonrpc":"2.0","id":"c","method":"ping"}'
    ws.frame(1, text[:7], final=False)
    ws.frame(0, text[7:20], final=False)
    ws.frame(PING, b"still there?")
    ws.frame(0, text[20:])
    got, pong = [], False
    while len(got) < 3:
        opcode, data = ws.receive()
        pong = pong or (opcode == PONG and data == b"still there?")
        if opcode == 1:
            got.append(data)
    assert pong
    assert sorted(len(g) for g in got) == sorted([len(b'{"jsonrpc":"2.0","id":"a","result":{}}')] * 2 + [37 + 100000])


def test_sends_large_answers_in_one_message(souk, connect):
    ws = connect(headers=bearer(souk.admin))
    result = ws.call("tools/call", {"name": "search_products", "arguments": {"limit": 50}})["result"]
    assert len(result["structuredContent"]["products"]) == 50


def test_speaks_the_orchestrators_protocol(connect):
    ws = connect()
    ws.send({"type": "message", "userId": "user123", "message": "Do you have a lamp?", "clientType": "web-storefront", "locale": "en"})
    answer = ws.message()
    assert answer["type"] == "response" and answer["userId"] == "user123" and isinstance(answer["message"], str)
    for wrong, member in (({"userId": "u", "message": ""}, "message"), ({"message": "x"}, "userId"), ({"userId": "u", "message": "x", "clientType": "fax"}, "clientType"),
                          ({"userId": "u" * 201, "message": "x"}, "userId"), ({"type": "other", "userId": "u", "message": "x"}, "type")):
        ws.send({"type": "message", **wrong})
        answer = ws.message()
        assert answer["type"] == "response" and answer["error"]["code"] == "MCP_INVALID_REQUEST"
        assert answer["error"]["message"].startswith(member + ":")


def test_answers_many_connections_at_a_time(souk):
    def one(number):
        with WebSocket(souk.host, souk.port, headers=bearer(souk.admin)) as ws:
            answers = {}
            for i in range(5):
                ws.send({"jsonrpc": "2.0", "id": f"{number}-{i}", "method": "tools/call", "params": {"name": "list_categories", "arguments": {"limit": 1 + i}}})
            for _ in range(5):
                answer = ws.message()
                answers[answer["id"]] = len(answer["result"]["structuredContent"]["categories"])
            return answers == {f"{number}-{i}": 1 + i for i in range(5)}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(40)))


def test_hears_of_changes(souk, connect):
    ws = connect(headers=bearer(souk.admin))
    ws.call("initialize", INIT)
    slug = ws.call("completion/complete", {"ref": {"type": "ref/resource", "uri": "souk://products/{slug}"}, "argument": {"name": "slug", "value": ""}},
                   2)["result"]["completion"]["values"][0]
    assert ws.call("resources/subscribe", {"uri": f"souk://products/{slug}"}, 3)["result"] == {}
    ws.sock.settimeout(0.5)

    def note_of_a_change():
        souk.sql(f"UPDATE shop.products SET updated_at = now() WHERE slug = '{slug}'")
        try:
            return ws.message()
        except TimeoutError:
            return None
    note = support.wait_until(note_of_a_change)
    assert note == {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": f"souk://products/{slug}"}}
