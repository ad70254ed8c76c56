"""What the web server does for the programs: headers, files, compression, limits, old addresses. The same on each server."""
import gzip
import json
import socket

import pytest
import requests


@pytest.fixture
def url(souk):
    return f"http://{souk.host}:{souk.port}"


@pytest.fixture
def admin(souk):
    return {"Authorization": "Bearer " + souk.admin}


def test_pages_may_load_nothing_from_elsewhere(url):
    r = requests.get(url + "/", timeout=10)
    assert r.status_code == 200
    assert r.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(p.strip().split(" ", 1) for p in r.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in r.headers["Content-Security-Policy"]
    assert r.headers["X-Content-Type-Options"] == "nosniff"
    assert r.headers["X-Frame-Options"] == "DENY"
    assert r.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert r.headers["Cache-Control"] == "no-cache"
    assert not any(c.isdigit() for c in r.headers.get("Server", ""))


def test_unchanged_files_are_304(url):
    etag = requests.get(url + "/", timeout=10, headers={"Accept-Encoding": "identity"}).headers["ETag"]
    r = requests.get(url + "/", timeout=10, headers={"If-None-Match": etag, "Accept-Encoding": "identity"})
    assert r.status_code == 304 and r.content == b""


@pytest.mark.parametrize("path", ["/nothing-here", "/mcpfoo", "/img/", "/../souk.conf", "/%2e%2e/souk.conf", "/.git/config"])
def test_what_is_no_file_is_not_found(url, path):
    s = requests.Session()
    request = requests.Request("GET", url + path).prepare()
    request.url = url + path
    r = s.send(request, timeout=10)
    assert r.status_code in (400, 403, 404)
    assert "Index of" not in r.text


def test_programs_send_nosniff_too(url, admin):
    r = requests.get(url + "/api/mcp/status", headers=admin, timeout=10)
    assert r.status_code == 200
    assert r.headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" not in r.headers.get("Content-Security-Policy", "")


def test_json_is_compressed_when_asked_for(url):
    r = requests.get(url + "/openapi.json", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10)
    assert r.status_code == 200
    assert r.headers["Content-Encoding"] == "gzip"
    body = r.raw.read(decode_content=False)
    assert json.loads(gzip.decompress(body))["openapi"].startswith("3.")
    plain = requests.get(url + "/openapi.json", headers={"Accept-Encoding": "identity"}, timeout=10)
    assert "Content-Encoding" not in plain.headers
    assert len(body) < len(plain.content) / 2


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_unchanged_answers_are_304(url, encoding):
    headers = {"Accept-Encoding": encoding}
    first = requests.get(url + "/openapi.json", headers=headers, timeout=10)
    again = requests.get(url + "/openapi.json", headers={**headers, "If-None-Match": first.headers["ETag"]}, timeout=10)
    assert again.status_code == 304 and again.content == b""


@pytest.mark.parametrize("form", ["mcp&customersProducts&action=search&query=lampe",
                                  "mcp=&customersProducts=&action=search&query=lampe"])
def test_addresses_of_an_older_shop(url, admin, form):
    old = requests.get(f"{url}/index.php?{form}", headers=admin, timeout=10)
    new = requests.get(f"{url}/api/mcp/customersProducts?action=search&query=lampe", headers=admin, timeout=10)
    assert new.status_code == 200
    assert (old.status_code, old.json()) == (200, new.json())


def test_other_php_addresses_are_not_found(url):
    for path in ("/index.php", "/index.php?mcp", "/index.php?mcp&other", "/index.php?x&mcp&customersProducts"):
        assert requests.get(url + path, timeout=10).status_code == 404


def test_a_body_far_too_large_is_413(url, admin):
    r = requests.post(url + "/mcp", data=b"[" + b" " * 3_000_000 + b"]", timeout=30,
                      headers={**admin, "Content-Type": "application/json"})
    assert r.status_code == 413


def test_trace_is_refused(url):
    assert requests.request("TRACE", url + "/", timeout=10).status_code in (405, 501)


def test_a_header_too_large_is_refused(url):
    r = requests.get(url + "/healthz", headers={"X-Long": "x" * 9000}, timeout=10)
    assert r.status_code in (400, 431)
    assert requests.get(url + "/healthz", timeout=10).status_code == 200


def test_a_client_that_sends_nothing_is_cut_off(souk):
    with socket.create_connection((souk.host, souk.port)) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        s.settimeout(60)
        while s.recv(4096):
            pass
