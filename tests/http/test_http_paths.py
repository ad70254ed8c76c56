"""Targets and headers as no browser would send them: each gets one clear answer, and the server goes on."""
import random
import socket

import pytest

import support


def ask(souk, target, method="GET", version="HTTP/1.1", headers="", token=True):
    """One request with the target's bytes as they are."""
    auth = f"Authorization: Bearer {souk.admin}\r\n" if token else ""
    data = method.encode() + b" " + target + b" " + version.encode() + b"\r\n" + (
        f"Host: {souk.host}:{souk.port}\r\n{auth}{headers}Connection: close\r\n\r\n").encode()
    answer = support.raw(souk, data)
    assert answer.startswith(b"HTTP/1."), answer[:200]
    return support.parse_raw(answer)


SAME = [b"/api/mcp/status", b"/api/mcp/status/", b"/api/mcp/status?", b"/api/mcp/%73tatus", b"/api/mcp/status?x", b"/%61pi/mcp/status"]


@pytest.mark.parametrize("target", SAME)
def test_spellings_of_one_route(souk, target):
    assert ask(souk, target).status == 200


OTHER = [
    b"/api/mcp/statusx", b"/api/mcp/Status", b"/api/mcp", b"/api/", b"/api", b"/mcpfoo", b"/api/mcp/status/x", b"/api/mcp/status//",
    b"/api/mcp/status%2fx", b"/api%2fmcp%2fstatus/x", b"/api/mcp/status%20", b"/api/mcp/status;x=1", b"/api/mcp/status.json",
    b"/healthz/x", b"/mcp/nothing", b"/mcp/catalog/x", b"/api/mcp/test/", b"/metricsx", b"/api/mcp/\xc3\xa9",
    b"/api/mcp/%C3%A9", b"/api/mcp/" + b"a" * 3000,
]


@pytest.mark.parametrize("target", OTHER, ids=lambda t: t.decode("latin-1")[:40])
def test_what_is_no_route_is_404(souk, target):
    reply = ask(souk, target, method="POST" if target.startswith(b"/mcp") else "GET", headers="Content-Length: 0\r\n")
    assert reply.status == 404 or target.endswith(b"//") and reply.status == 200, reply
    if target.startswith((b"/api/", b"/mcp/")) and reply.headers.get("x-request-id"):
        support.assert_error(reply, 404) if reply.status == 404 else None


ESCAPES = [b"/api/mcp/%", b"/api/mcp/%4", b"/api/mcp/%zz", b"/api/mcp/%00", b"/api/mcp/status%00x", b"/api/mcp/%ff", b"/api/mcp/%c0%af",
           b"/api/mcp/%ed%a0%80", b"/api/mcp/customersProducts?action=%", b"/api/mcp/customersProducts?action=search&query=%zz",
           b"/api/mcp/customersProducts?action=search&query=%00", b"/api/mcp/customersProducts?action=search&query=%ff",
           b"/api/mcp/inventory?q=%e2%82", b"/api/mcp/inventory?%00=1"]


@pytest.mark.parametrize("target", ESCAPES, ids=lambda t: t.decode())
def test_broken_escapes_are_400(souk, target):
    reply = ask(souk, target)
    if b"?" in target:
        support.assert_error(reply, 400)
    else:
        # Web servers have an opinion on paths of their own: Apache says 404 to an encoded slash or NUL.
        assert reply.status in (400, 404), reply
        assert "healthy" not in reply.text, reply


def test_line_breaks_in_a_query_are_blanks(souk):
    one, other = (souk.get(f"/api/mcp/inventory?q=vase{blank}bleu&limit=3", token=souk.staff) for blank in ("%0D%0A", "%20"))
    assert one.status == 200 and one.json == other.json and one.json["items"], one


CLIMBS = [b"/../../../../etc/passwd", b"/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", b"/..%2f..%2f..%2f..%2fetc/passwd",
          b"/img/../../../../../../etc/passwd", b"/img/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd", b"/.%00/etc/passwd",
          b"//etc/passwd", b"/img/..\\..\\..\\etc\\passwd", b"/api/../../../../../etc/passwd", b"/mcp/../souk.conf", b"/../souk.conf",
          b"/..%2fsouk.conf", b"/../../lib/souk/cgi-bin/souk.fcgi", b"/%2e%2e/%2e%2e/share/souk/souk.conf.example"]


@pytest.mark.parametrize("target", CLIMBS, ids=lambda t: t.decode())
def test_no_way_out_of_the_folder(souk, target):
    reply = ask(souk, target)
    assert reply.status in (400, 403, 404, 405), reply
    for word in (b"root:", b"DATABASE_URL", b"TOKEN_PEPPER", b"\x7fELF"):
        assert word not in reply.body


HIDDEN = ["/.git/HEAD", "/.htaccess", "/souk.conf", "/../souk.conf", "/Makefile", "/lib/", "/img/", "/admin/api/"]


@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_not_published(souk, path):
    reply = souk.get(path)
    assert reply.status in (400, 401, 403, 404), reply
    assert b"Index of" not in reply.body


def test_absolute_form(souk):
    """The form that a proxy uses."""
    assert ask(souk, f"http://{souk.host}:{souk.port}/api/mcp/status".encode()).status == 200


@pytest.mark.parametrize("target", [b"*", b"", b"healthz", b"http://", b"ftp://x/healthz", b"http://evil.example/healthz"])
def test_odd_targets(souk, target):
    reply = ask(souk, target)
    assert reply.status in (200, 400, 403, 404, 405, 421), reply
    if target in (b"*", b"", b"ftp://x/healthz"):
        assert reply.status != 200, reply
    assert "root:" not in reply.text


def test_asterisk_options(souk):
    assert ask(souk, b"*", method="OPTIONS").status in (200, 204, 400, 404)


def test_long_target(souk):
    """9 kB of target: too long for the program or for the server before it."""
    reply = ask(souk, b"/api/mcp/inventory?q=" + b"a" * 9000)
    assert reply.status in (400, 414, 431), reply


def test_long_query_that_fits(souk):
    """4 kB of target arrive; the argument's own limit speaks then."""
    reply = ask(souk, b"/api/mcp/inventory?q=" + b"a" * 4000)
    support.assert_error(reply, 400, mentions="q")


def test_many_parameters(souk):
    reply = ask(souk, b"/api/mcp/inventory?" + b"&".join(b"a%d=1" % i for i in range(100)))
    support.assert_error(reply, 400)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_405_with_allow(souk, method):
    reply = souk.request(method, "/api/mcp/status", token=souk.admin)
    support.assert_error(reply, 405)
    allow = set(reply.headers["allow"].replace(" ", "").split(","))
    assert {"GET", "HEAD"} <= allow and method not in allow


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW", "get", "GE", "GETT"])
def test_unknown_methods(souk, method):
    reply = ask(souk, b"/api/mcp/status", method=method)
    assert reply.status in (400, 405, 501), reply
    assert souk.admin not in reply.text and "healthy" not in reply.text


def test_get_on_mcp_is_405(souk):
    for method in ("GET", "DELETE"):
        reply = souk.request(method, "/mcp", token=souk.admin)
        assert reply.status == 405 and "POST" in reply.headers["allow"], reply


def test_head(souk):
    """HEAD has the headers of GET, its length, and no body."""
    for path in ("/api/mcp/status", "/healthz", "/openapi.json", "/metrics"):
        got, asked = souk.get(path, token=souk.admin), souk.request("HEAD", path, token=souk.admin)
        assert asked.status == got.status == 200 and asked.body == b"", (path, asked)
        assert asked.headers["content-type"] == got.headers["content-type"]
        assert asked.headers["x-request-id"] != got.headers["x-request-id"]
        support.assert_rate_headers(asked)


# ---- headers


def test_request_id_is_echoed(souk):
    for good in ("abcdefgh", "0123456789-_.ABC", "x" * 36):
        assert souk.get("/healthz", headers={"X-Request-Id": good}).headers["x-request-id"] == good


@pytest.mark.parametrize("bad", ["short", "x" * 37, "has blank in it", 'quote"quote"', "<script>alert", "a\tbcdefghi", "ééééééééé".encode().decode("latin-1")])
def test_bad_request_id_is_replaced(souk, bad):
    reply = souk.get("/healthz", headers={"X-Request-Id": bad})
    assert reply.status == 200
    assert reply.headers["x-request-id"] != bad and len(reply.headers["x-request-id"]) == 36


def test_huge_header_is_refused(souk):
    reply = ask(souk, b"/healthz", headers=f"X-Junk: {'a' * 10000}\r\n")
    assert reply.status in (400, 431), reply


def test_many_headers(souk):
    reply = ask(souk, b"/healthz", headers="".join(f"X-Junk-{i}: {i}\r\n" for i in range(2000)))
    assert reply.status in (400, 431), reply


def test_strange_headers_do_not_hurt(souk):
    for line in ("X-A:", "X-A: \xe9\xff", "Accept-Language: " + "fr;q=" * 300, "Accept: ,,,;;;", "If-None-Match: \"", "Accept-Language: ,",
                 "Accept-Encoding: gzip;q=2,br;;", "X-Forwarded-For: 1.2.3.4, ,,'", "Range: bytes=0-", "Cookie: " + "a=b;" * 100,
                 "MCP-Protocol-Version: \x7f", "Idempotency-Key: \x01"):
        reply = ask(souk, b"/healthz", headers=line.encode("utf-8").decode("utf-8") + "\r\n")
        assert reply.status in (200, 206, 400), (line, reply)


def test_forwarded_for_is_not_believed(souk):
    """Without a trusted proxy nobody chooses his address: the anonymous limit of the real one counts on."""
    with_header = souk.client(source=support.loopback())
    rests = []
    for i in range(3):
        reply = with_header.request("GET", "/openapi.json", headers={"X-Forwarded-For": f"203.0.113.{i}", "Forwarded": f"for=203.0.113.{i}"})
        rests.append(support.assert_rate_headers(reply)[1])
    assert rests[0] - rests[2] == 2, rests
    with_header.close()


def test_header_injection(souk):
    """A line break that was escaped into the target does not become a header."""
    for target in (b"/api/nothing%0d%0aX-Injected:%20yes", b"/api/mcp/inventory?q=%0d%0aX-Injected:%20yes",
                   b"/api/mcp/customersProducts?action=x%0d%0aX-Injected:%20yes"):
        reply = ask(souk, target)
        assert "x-injected" not in reply.headers, reply
        assert reply.status < 500


def test_error_text_is_json_whatever_the_path(souk):
    for target in (b"/api/%22%3E%3Cscript%3E", b"/api/%5C%22", b"/api/%E2%80%AE", b"/api/%7F"):
        reply = ask(souk, target)
        if "x-request-id" in reply.headers:
            support.assert_error(reply, 404)
            assert reply.headers["x-content-type-options"] == "nosniff"
        else:
            assert reply.status == 400, reply  # a control character: lighttpd's own refusal


def test_random_bytes(souk):
    """400 requests of chance: an answer or a closed connection, and the service lives."""
    chance = random.Random(20240607)
    for _ in range(400):
        n = chance.randrange(1, 300)
        junk = bytes(chance.choice(b"GET /apimcp%?&=.\r\n\0\xff:HTP1") for _ in range(n))
        answer = support.raw(souk, junk + b"\r\n\r\n", timeout=15)
        assert answer == b"" or answer.startswith(b"HTTP/1.") or not answer.startswith(b"\x7fELF")
        if answer:
            assert b" 500 " not in answer.split(b"\r\n")[0], (junk, answer[:200])
    assert souk.get("/healthz").status == 200


def test_pipelined_requests(souk):
    """Three requests in one packet get three answers in their order."""
    one = "GET /nothing{0} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: pipelined-{0}\r\n{1}\r\n"
    data = "".join(one.format(i, "Connection: close\r\n" if i == 3 else "") for i in (1, 2, 3)).replace("/nothing", "/api/nothing")
    answer = support.raw(souk, data.encode()).decode()
    assert [answer.find(f"X-Request-Id: pipelined-{i}".lower()) >= 0 or f"pipelined-{i}" in answer for i in (1, 2, 3)] == [True] * 3
    assert answer.find("pipelined-1") < answer.find("pipelined-2") < answer.find("pipelined-3")


def test_slow_clients_do_not_hold_up_others(souk):
    """A hundred clients that never finish their headers, and a hundred that never finish a body: others are answered at once."""
    slow = []
    try:
        for i in range(200):
            s = socket.create_connection((souk.host, souk.port), timeout=20)
            if i % 2:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-")
            else:
                s.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
            slow.append(s)
        c = souk.client()
        for _ in range(20):
            assert c.request("GET", "/api/mcp/status", token=souk.admin).status == 200
        c.close()
        # They are still there: had anybody waited for them, it would have been until the web server gave them up.
        still = 0
        for s in slow:
            s.setblocking(False)
            try:
                still += bool(s.recv(1))
            except BlockingIOError:
                still += 1
        assert still > 0
    finally:
        for s in slow:
            s.close()
