"""Which web pages may call us, preflights, and names that are not ours."""
import pytest

import support

OWN = ["http://localhost", "http://localhost:3000", "http://127.0.0.1:9999", "http://[::1]:8080"]
FOREIGN = ["https://evil.example", "http://localhost.evil.example", "http://evil.example/localhost", "null", "http://127.0.0.1.evil.example",
           "file://", "http://localhost@evil.example", "http://evil.example#localhost", "localhost"]
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.mark.parametrize("origin", OWN)
def test_own_origin_is_echoed(souk, origin):
    reply = souk.post("/mcp", json_body=PING, token=souk.admin, headers={"Origin": origin})
    assert reply.status == 200, reply
    assert reply.headers["access-control-allow-origin"] == origin
    assert "origin" in reply.headers["vary"].lower()
    exposed = reply.headers["access-control-expose-headers"].lower()
    for name in ("mcp-session-id", "mcp-protocol-version", "www-authenticate"):
        assert name in exposed
    assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_origin_is_403_on_mcp(souk, origin):
    reply = souk.post("/mcp", json_body=PING, token=souk.admin, headers={"Origin": origin})
    assert reply.status == 403, reply
    assert "access-control-allow-origin" not in reply.headers
    assert "result" not in reply.text


def test_own_page_of_this_address(souk):
    origin = f"http://{souk.host}:{souk.port}"
    reply = souk.post("/mcp", json_body=PING, token=souk.admin, headers={"Origin": origin})
    assert reply.status == 200 and reply.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("case", [
    ("GET", "/api/mcp/status", 401), ("GET", "/nothing/here", 404), ("DELETE", "/api/mcp/status", 405), ("POST", "/mcp", 400),
])
def test_errors_carry_the_origin_too(souk, case):
    """A page must be able to read why it was refused."""
    method, path, status = case
    if status == 404:
        path = "/api/nothing"
    reply = souk.request(method, path, body="{" if method == "POST" else None, headers={"Origin": OWN[1]})
    assert reply.status == status, reply
    assert reply.headers["access-control-allow-origin"] == OWN[1]


@pytest.mark.parametrize("path", ["/mcp", "/mcp/catalog", "/api/mcp/status", "/api/mcp/inventory", "/openapi.json"])
def test_preflight(souk, path):
    reply = souk.request("OPTIONS", path, headers={
        "Origin": OWN[1], "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, mcp-protocol-version"})
    assert reply.status == 204 and reply.body == b"", reply
    assert reply.headers["access-control-allow-origin"] == OWN[1]
    allowed = reply.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
    for name in ("authorization", "content-type", "accept", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name",
                 "last-event-id", "idempotency-key"):
        assert name in allowed, name
    methods = reply.headers["access-control-allow-methods"].replace(" ", "").split(",")
    assert "OPTIONS" in methods and ("POST" if path.startswith("/mcp") else "GET") in methods
    assert reply.headers["access-control-max-age"] == "600"


def test_preflight_of_a_foreign_page(souk):
    reply = souk.request("OPTIONS", "/mcp", headers={"Origin": FOREIGN[0], "Access-Control-Request-Method": "POST"})
    assert reply.status == 403 and "access-control-allow-origin" not in reply.headers, reply


def test_preflight_of_an_unknown_route(souk):
    support.assert_error(souk.request("OPTIONS", "/api/nothing", headers={"Origin": OWN[0]}), 404)


def test_options_without_origin_tells_methods(souk):
    reply = souk.request("OPTIONS", "/api/mcp/inventory")
    assert reply.status == 204, reply
    assert {"GET", "HEAD", "OPTIONS"} <= set(reply.headers["allow"].replace(" ", "").split(","))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"])
def test_foreign_host_is_refused(souk, host):
    """Reached on a loopback address under another name: a rebound DNS name."""
    reply = souk.post("/mcp", json_body=PING, token=souk.admin, headers={"Host": host})
    assert reply.status in (403, 421), reply
    assert "result" not in reply.text


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "127.0.0.1:65535", "[::1]:80", "LOCALHOST"])
def test_loopback_hosts_pass(souk, host):
    assert souk.post("/mcp", json_body=PING, token=souk.admin, headers={"Host": host}).status == 200


def test_host_is_not_reflected(souk):
    """A name that somebody wrote into Host is not printed into documents."""
    reply = souk.get("/openapi.json", headers={"Host": "localhost:1\"><script>"})
    assert "<script>" not in reply.text
