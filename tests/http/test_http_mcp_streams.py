"""Sessions, streams and subscriptions: what lives longer than one request, and who may touch it."""
import json
import re
import socket
import time

import pytest

import support

MODERN = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
BOTH = "application/json, text/event-stream"


class Stream:
    """An open event stream: events() takes in what comes until a condition holds."""

    def __init__(self, souk, method, path, headers, message=None):
        body = json.dumps(message).encode() if message else b""
        self.s = socket.create_connection((souk.host, souk.port), timeout=20)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {souk.host}:{souk.port}", "Content-Type: application/json", f"Content-Length: {len(body)}",
                 *(f"{k}: {v}" for k, v in headers.items())]
        self.s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def read(self, condition, seconds=support.PATIENCE):
        """Until the condition holds of this object; the peer's end counts as a last look."""
        end = time.monotonic() + seconds
        while not condition(self):
            self.s.settimeout(max(0.01, end - time.monotonic()))
            try:
                part = self.s.recv(65536)
            except socket.timeout:
                part = b""
                assert time.monotonic() < end, f"not within {seconds} s: {self.data!r}"
            if not part:
                self.ended = True
                assert condition(self), f"the stream ended: {self.data!r}"
                break
            self.data += part
        return self

    ended = False

    @property
    def status(self):
        return int(self.data.split(b" ", 2)[1]) if b"\r\n" in self.data else 0

    @property
    def messages(self):
        return [json.loads(m) for m in re.findall(rb"^data: (\{.*\})$", self.data, re.M)]

    def methods(self):
        return [m.get("method") for m in self.messages]


def initialize(souk, capabilities, token=None, server=""):
    reply = souk.mcp("initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"}},
                     token=token, server=server)
    assert reply.status == 200, reply
    return reply.headers.get("mcp-session-id")


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


def listen(souk, notifications, token=None, ident="listen-1"):
    headers = {"Accept": BOTH, "MCP-Protocol-Version": MODERN, "Mcp-Method": "subscriptions/listen", **bearer(token)}
    return Stream(souk, "POST", "/mcp", headers, {"jsonrpc": "2.0", "id": ident, "method": "subscriptions/listen",
                                                  "params": {"notifications": notifications, "_meta": META}})


def open_stream(make):
    """Streams of the test before may still hold their places for a moment."""
    end = time.monotonic() + support.PATIENCE
    while True:
        stream = make()
        stream.read(lambda s: b"\r\n\r\n" in s.data)
        if b"text/event-stream" in stream.data:
            return stream
        stream.__exit__()
        assert time.monotonic() < end, stream.data
        time.sleep(0.3)


# ---- sessions


def test_only_clients_that_can_be_asked_get_a_session(souk):
    assert initialize(souk, {}, souk.admin) is None
    assert initialize(souk, {"experimental": {}}, souk.admin) is None
    ids = {initialize(souk, {c: {}}, souk.admin) for c in ("sampling", "elicitation", "roots")}
    assert len(ids) == 3 and all(re.fullmatch(r"[0-9A-Za-z]{32}", i) for i in ids)


def test_a_session_belongs_to_its_caller_and_endpoint(souk):
    ident = initialize(souk, {"roots": {}}, souk.admin)
    header = {"Mcp-Session-Id": ident}
    assert souk.mcp("ping", token=souk.admin, headers=header).json["result"] == {}
    for token, server in ((souk.monitor, ""), (None, ""), (souk.admin, "catalog")):
        reply = souk.mcp("ping", token=token, server=server, headers=header)
        assert reply.status == 404 and reply.json["error"]["code"] == -32600, reply
        path = "/mcp" + (f"/{server}" if server else "")
        for method in ("GET", "DELETE"):
            assert souk.request(method, path, token=token, headers={**header, "Accept": "text/event-stream"}).status == 404
    assert souk.mcp("ping", token=souk.admin, headers=header).status == 200, "the attempts have not ended it"


def test_a_session_ends_with_delete(souk):
    header = {"Mcp-Session-Id": initialize(souk, {"roots": {}}, souk.admin)}
    assert souk.request("DELETE", "/mcp", token=souk.admin, headers=header).status == 200
    assert souk.request("DELETE", "/mcp", token=souk.admin, headers=header).status == 404
    assert souk.mcp("tools/list", token=souk.admin, headers=header).status == 404


@pytest.mark.parametrize("ident", ["x", "a" * 32, "a" * 33, "../../x", "a" * 5000, "mcp:s:" + "a" * 26])
def test_invented_sessions(souk, ident):
    reply = souk.mcp("ping", token=souk.admin, headers={"Mcp-Session-Id": ident})
    assert reply.status in (404, 400, 431), reply


def test_nobody_waits_for_an_invented_answer(souk):
    header = {"Mcp-Session-Id": initialize(souk, {"sampling": {}}, souk.admin)}
    for ident in ("s-abcdefghijklmnopqrstuv", "", "x:y", 7):
        reply = souk.post("/mcp", json_body={"jsonrpc": "2.0", "id": ident, "result": {}}, token=souk.admin, headers=header)
        assert reply.status == 400 and reply.json["error"]["code"] == -32600, reply
    reply = souk.post("/mcp", json_body={"jsonrpc": "2.0", "id": 7, "result": {}}, token=souk.admin)
    assert reply.status == 202, "without a session it is taken note of"


def test_levels_of_a_session(souk):
    header = {"Mcp-Session-Id": initialize(souk, {"roots": {}}, souk.admin)}
    call = {"name": "list_categories", "arguments": {}}
    quiet = souk.mcp("tools/call", call, token=souk.admin, headers={**header, "Accept": BOTH})
    assert quiet.headers["content-type"] == "application/json"
    assert souk.mcp("logging/setLevel", {"level": "debug"}, token=souk.admin, headers=header).json["result"] == {}
    loud = souk.mcp("tools/call", call, token=souk.admin, headers={**header, "Accept": BOTH})
    assert loud.headers["content-type"].startswith("text/event-stream")
    messages = [json.loads(m) for m in re.findall(r"^data: (.*)$", loud.text, re.M)]
    assert messages[0]["method"] == "notifications/message" and messages[0]["params"]["data"]["tool"] == "list_categories"
    assert messages[-1]["result"]["structuredContent"]["categories"]


def test_a_session_hears_of_what_it_subscribed_to(souk):
    header = {"Mcp-Session-Id": initialize(souk, {"roots": {}}, souk.admin)}
    slug, other = (row[0] for row in souk.sql("SELECT slug FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 2"))
    uri = f"souk://products/{slug}"
    assert souk.mcp("resources/subscribe", {"uri": uri}, token=souk.admin, headers=header).json["result"] == {}
    missing = souk.mcp("resources/subscribe", {"uri": "souk://orders/none-such"}, token=souk.admin, headers=header)
    assert missing.json["error"]["code"] == -32002
    with open_stream(lambda: Stream(souk, "GET", "/mcp", {**header, "Accept": "text/event-stream", **bearer(souk.admin)})) as stream:
        for changed in (other, slug):
            souk.sql(f"UPDATE shop.products SET updated_at = now() WHERE slug = '{changed}'")
        stream.read(lambda s: s.messages)
        assert [(m["method"], m["params"]["uri"]) for m in stream.messages] == [("notifications/resources/updated", uri)]
        assert souk.mcp("resources/unsubscribe", {"uri": uri}, token=souk.admin, headers=header).json["result"] == {}
        souk.sql(f"UPDATE shop.products SET updated_at = now() WHERE slug = '{slug}'")
        time.sleep(1)
        assert len(stream.messages) == 1


def test_a_session_hears_of_a_resource_under_the_name_that_it_gave(souk):
    header = {"Mcp-Session-Id": initialize(souk, {"roots": {}}, souk.admin)}
    slug = souk.value("SELECT slug FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 1")
    uri = f"vivr://products/{slug}"
    assert souk.mcp("resources/subscribe", {"uri": uri}, token=souk.admin, headers=header).json["result"] == {}
    with open_stream(lambda: Stream(souk, "GET", "/mcp", {**header, "Accept": "text/event-stream", **bearer(souk.admin)})) as stream:
        souk.sql(f"UPDATE shop.products SET updated_at = now() WHERE slug = '{slug}'")
        stream.read(lambda s: s.messages)
        assert [m["params"]["uri"] for m in stream.messages] == [uri]


def test_a_session_has_one_stream(souk):
    """The one that was opened last: a message goes to no two, and who has lost a stream gets another one at once."""
    header = {"Mcp-Session-Id": initialize(souk, {"roots": {}}, souk.admin)}
    slug = souk.value("SELECT slug FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 1")
    assert souk.mcp("resources/subscribe", {"uri": f"souk://products/{slug}"}, token=souk.admin, headers=header).json["result"] == {}

    def another():
        return open_stream(lambda: Stream(souk, "GET", "/mcp", {**header, "Accept": "text/event-stream", **bearer(souk.admin)}))

    with another() as first, another() as second, another() as third, another() as last:
        souk.sql(f"UPDATE shop.products SET updated_at = now() WHERE slug = '{slug}'")
        last.read(lambda s: s.messages)
        for former in (first, second, third):
            former.read(lambda s: s.data.endswith(b"0\r\n\r\n") or s.ended)
            assert not former.messages
        assert len(last.messages) == 1


# ---- subscriptions


def test_listen_tells_what_it_honours_then_what_changes(souk):
    slug = souk.value("SELECT slug FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 1")
    number = souk.value("SELECT number FROM shop.orders ORDER BY id LIMIT 1")
    uris = [f"vivr://products/{slug}", "souk://products/categories", f"souk://orders/{number}", "souk://nothing", "souk://orders/none-such"]
    with open_stream(lambda: listen(souk, {"resourceSubscriptions": uris, "promptsListChanged": True, "nonsense": True})) as stream:
        stream.read(lambda s: s.messages)
        acknowledged = stream.messages[0]
        assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
        assert acknowledged["params"]["notifications"] == {"promptsListChanged": True, "resourceSubscriptions": uris[:2]}, "an order is not for everybody"
        souk.sql(f"UPDATE shop.orders SET updated_at = now() WHERE number = '{number}'")
        souk.sql(f"UPDATE shop.products SET updated_at = now() WHERE slug = '{slug}'")
        stream.read(lambda s: len(s.messages) > 1)
        assert stream.messages[1]["method"] == "notifications/resources/updated" and stream.messages[1]["params"]["uri"] == uris[0]
        assert {m["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] for m in stream.messages} == {"listen-1"}
    with open_stream(lambda: listen(souk, {"resourceSubscriptions": uris[2:3]}, souk.staff, 7)) as stream:
        stream.read(lambda s: s.messages)
        assert stream.messages[0]["params"]["notifications"] == {"resourceSubscriptions": uris[2:3]}
        souk.sql(f"UPDATE shop.orders SET updated_at = now() WHERE number = '{number}'")
        stream.read(lambda s: len(s.messages) > 1)
        assert stream.messages[1]["params"] == {"uri": uris[2], "_meta": {"io.modelcontextprotocol/subscriptionId": 7}}


def test_a_statement_of_many_rows_is_told_once(souk):
    uri = "souk://products/featured"
    with open_stream(lambda: listen(souk, {"resourceSubscriptions": [uri]})) as stream:
        stream.read(lambda s: s.messages)
        souk.sql("UPDATE shop.products SET updated_at = now()")
        stream.read(lambda s: len(s.messages) > 1)
        time.sleep(0.7)
        assert [m["params"].get("uri") for m in stream.messages[1:]] == [uri]


def test_a_revoked_token_ends_its_stream(souk):
    token = souk.token("orders:read")
    with open_stream(lambda: listen(souk, {"toolsListChanged": True}, token)) as stream:
        stream.read(lambda s: s.messages)
        souk.souk("token", "revoke", support.token_id(token))
        stream.read(lambda s: s.ended or s.data.endswith(b"0\r\n\r\n"))


def test_log_out_ends_its_stream(souk):
    handle = support.sign(souk, "cst", souk.value("SELECT id FROM shop.customers ORDER BY id LIMIT 1") + ".stream")
    with open_stream(lambda: listen(souk, {"toolsListChanged": True}, handle)) as stream:
        stream.read(lambda s: s.messages)
        assert souk.request("POST", "/api/logout", json_body={}, token=handle).json == {"ended": True}
        stream.read(lambda s: s.ended or s.data.endswith(b"0\r\n\r\n"), 10)


def test_streams_do_not_take_all_processes(souk):
    streams = [listen(souk, {"toolsListChanged": True}) for _ in range(8)]
    try:
        for stream in streams:
            stream.read(lambda s: b"data: " in s.data or b'"error"' in s.data)
        refused = [s for s in streams if b'"code":-32603' in s.data]
        assert refused and len(refused) < len(streams)
        for _ in range(10):
            assert souk.mcp("ping").json["result"] == {}
    finally:
        for stream in streams:
            stream.__exit__()


def test_listen_needs_a_stream_and_a_filter(souk):
    headers = {"Accept": "application/json", "MCP-Protocol-Version": MODERN, "Mcp-Method": "subscriptions/listen"}
    for params in ({"notifications": {}, "_meta": META}, {"_meta": META}, {"notifications": [], "_meta": META}):
        reply = souk.mcp("subscriptions/listen", params, headers=headers)
        assert reply.status == 200 and reply.json["error"]["code"] == -32602, reply


# ---- log messages of one request


@pytest.mark.parametrize("level,expected", [("debug", True), ("info", False), (None, False)])
def test_log_messages_when_asked_for(souk, level, expected):
    meta = dict(META, **({"io.modelcontextprotocol/logLevel": level} if level else {}))
    headers = {"Accept": BOTH, "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "list_categories"}
    reply = souk.mcp("tools/call", {"name": "list_categories", "_meta": meta}, headers=headers)
    assert reply.status == 200
    assert ("notifications/message" in reply.text) == expected
    assert reply.headers["content-type"].startswith("text/event-stream" if expected else "application/json")


def test_unknown_level(souk):
    headers = {"Accept": BOTH, "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "list_categories"}
    reply = souk.mcp("tools/call", {"name": "list_categories", "_meta": dict(META, **{"io.modelcontextprotocol/logLevel": "loud"})}, headers=headers)
    assert reply.json["error"]["code"] == -32602
