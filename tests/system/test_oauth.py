"""OAuth where settings matter: the service's public address, a path before it, a shop without OAuth, and metadata documents of clients, which a local
server with a certificate of its own serves. Each request is a plain CGI process with settings in its environment."""
import json
import subprocess
import urllib.parse

import pytest

import support
import test_cgi
from standins.base import Standin

LOCAL = {"HTTP_AUTHORIZATION": None, "HTTP_ACCEPT_LANGUAGE": "en", "RATE_REGISTER": "off", "RATE_OAUTH": "off"}


def get(souk, target, program="oauth", **settings):
    return test_cgi.parse(test_cgi.run(souk, program, "GET", target, **{**LOCAL, **settings}).stdout)


def post(souk, target, body, program="oauth", **settings):
    return test_cgi.parse(test_cgi.run(souk, program, "POST", target, body.encode(), **{**LOCAL, **settings}).stdout)


def call(name):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}})


# ---- addresses


def test_the_public_address_is_the_issuer(souk):
    public = {"PUBLIC_URL": "https://shop.example", "HTTP_HOST": "shop.example", "SERVER_ADDR": "192.0.2.1"}
    about = get(souk, "/.well-known/oauth-authorization-server", **public).json
    assert about["issuer"] == "https://shop.example" and about["token_endpoint"] == "https://shop.example/oauth/token"
    resource = get(souk, "/.well-known/oauth-protected-resource/mcp", **public).json
    assert resource["resource"] == "https://shop.example/mcp" and resource["authorization_servers"] == ["https://shop.example"]
    told = post(souk, "/mcp", call("search_orders"), "mcp", **public)
    assert told.status == 401
    assert 'resource_metadata="https://shop.example/.well-known/oauth-protected-resource/mcp"' in told.headers["www-authenticate"]
    # another name for the service changes nothing about the issuer, and is refused where it is none of ours
    assert get(souk, "/.well-known/oauth-authorization-server", **{**public, "HTTP_HOST": "evil.example", "ALLOWED_HOSTS": "shop.example"}).status == 403


def test_a_path_before_everything(souk):
    """The well-known part stands between host and path (RFC 8414, RFC 9728)."""
    public = {"PUBLIC_URL": "https://site.example/shop", "BASE_PATH": "/shop", "HTTP_HOST": "site.example", "SERVER_ADDR": "192.0.2.1"}
    for target in ("/.well-known/oauth-authorization-server/shop", "/shop/.well-known/oauth-authorization-server"):
        assert get(souk, target, **public).json["issuer"] == "https://site.example/shop"
    told = post(souk, "/shop/mcp/orders", call("search_orders"), "mcp", **public).headers["www-authenticate"]
    url = told.split('resource_metadata="')[1].split('"')[0]
    assert url == "https://site.example/.well-known/oauth-protected-resource/shop/mcp/orders"
    assert get(souk, url[len("https://site.example"):], **public).json["resource"] == "https://site.example/shop/mcp/orders"


@pytest.mark.parametrize("settings", [
    {"OAUTH": "off"}, {"PUBLIC_URL": "http://shop.example", "HTTP_HOST": "shop.example", "SERVER_ADDR": "192.0.2.1"},
    {"HTTP_HOST": "shop.example", "SERVER_ADDR": "192.0.2.1"},
])
def test_a_shop_without_oauth(souk, settings):
    """Switched off, or reached without TLS: clean 404s, and challenges that lead nowhere."""
    for target in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/oauth-protected-resource",
                   "/.well-known/oauth-protected-resource/mcp", "/oauth/authorize?client_id=x", "/oauth/jwks"):
        reply = get(souk, target, **settings)
        assert reply.status == 404 and reply.headers["content-type"] == "application/json", (target, reply)
    assert post(souk, "/oauth/register", '{"redirect_uris":["https://x/"]}', **settings).status == 404
    told = post(souk, "/mcp", call("search_orders"), "mcp", **settings)
    assert told.status == 401 and "resource_metadata" not in told.headers["www-authenticate"]


def test_a_shop_without_registration(souk):
    assert "registration_endpoint" not in get(souk, "/.well-known/oauth-authorization-server", OAUTH_REGISTRATION="off").json
    assert post(souk, "/oauth/register", '{"redirect_uris":["https://x/"]}', OAUTH_REGISTRATION="off").status == 404


def test_registration_is_limited(souk):
    limited = {"RATE_REGISTER": "3/3600", "REMOTE_ADDR": support.loopback()}
    replies = [post(souk, "/oauth/register", '{"redirect_uris":["https://x/"]}', **limited) for _ in range(5)]
    assert [r.status for r in replies] == [201, 201, 201, 429, 429] and int(replies[4].headers["retry-after"]) > 0
    assert replies[4].json["error"] == "temporarily_unavailable" and "too many" in replies[4].json["error_description"], "as OAuth's clients read it"


def test_unused_registrations_go(souk):
    old = post(souk, "/oauth/register", '{"redirect_uris":["https://x/"]}').json["client_id"]
    new = post(souk, "/oauth/register", '{"redirect_uris":["https://x/"]}').json["client_id"]
    souk.sql(f"UPDATE souk.oauth_clients SET created_at = now() - interval '31 days' WHERE id = '{old}'")
    souk.souk("housekeep")
    left = {row[0] for row in souk.sql("SELECT id FROM souk.oauth_clients")}
    assert new in left and old not in left


# ---- metadata documents


class Site(Standin):
    """Web sites of assistants: what `documents` says, at any host."""

    documents = {}

    def routes(self):
        return [("GET", r"/(.*)", self.document)]

    def document(self, request, name):
        self.expect(request.header("authorization") is None and request.header("cookie") is None, "our secrets were sent along")
        found = self.documents.get((request.header("host").split(":")[0], name))
        if callable(found):
            return found()
        return (404, {}) if found is None else (200, found)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("site")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=assistants.example",
                    "-addext", "subjectAltName=DNS:*.assistants.example", "-keyout", place / "key.pem", "-out", place / "cert.pem"],
                   check=True, capture_output=True)
    with Site(certificate=(place / "cert.pem", place / "key.pem")) as s:
        s.settings = {"OUTGOING_PRIVATE": "127.0.0.1", "OUTGOING_PORTS": str(s.port), "OUTGOING_CA_FILE": str(place / "cert.pem")}
        yield s
        assert not s.problems, s.problems


class Document:
    """A client whose site is a host of its own, so that the breakers of others do not count."""

    def __init__(self, souk, site, **change):
        self.souk, self.site, self.host = souk, site, support.unique("a").split("-")[-1] + ".assistants.example"
        self.url = f"https://{self.host}:{site.port}/oauth/client.json"
        self.value = {"client_id": self.url, "client_name": "An assistant", "redirect_uris": ["https://app.example/cb", "http://localhost/callback"],
                      "token_endpoint_auth_method": "none", **change}
        self.serve({k: v for k, v in self.value.items() if v is not None})
        self.cookie = support.session(souk, customer=souk.value("SELECT customer_id FROM shop.orders WHERE customer_id IS NOT NULL LIMIT 1"))

    def serve(self, value):
        self.site.documents[self.host, "oauth/client.json"] = value

    def reads(self):
        return sum(1 for r in self.site.requests if r.header("host").startswith(self.host))

    def ask(self, client_id=None, redirect="http://localhost:33418/callback", **settings):
        query = urllib.parse.urlencode({
            "response_type": "code", "client_id": client_id or self.url, "redirect_uri": redirect, "state": "s", "scope": "orders:read",
            "code_challenge": "x" * 43, "code_challenge_method": "S256"})
        return get(self.souk, "/oauth/authorize?" + query, HTTP_COOKIE=self.cookie, OUTGOING_RESOLVE=f"{self.host}:{self.site.port}:127.0.0.1",
                   **{**self.site.settings, **settings})


def test_a_document_instead_of_registration(souk, site):
    client = Document(souk, site)
    page = client.ask()
    assert page.status == 200 and f'<span class="mark">{client.host}</span>' in page.text and "An assistant" in page.text, page
    assert client.ask(redirect="https://app.example/cb").status == 200 and client.reads() == 1, "the document is not remembered"
    assert client.ask(redirect="https://evil.example/cb").status == 400
    souk.sql(f"UPDATE souk.oauth_clients SET fetched_at = now() - interval '61 minutes' WHERE id = '{client.url}'")
    client.serve({**client.value, "client_name": "A new name", "redirect_uris": ["https://app.example/other"]})
    assert client.ask().status == 400 and client.reads() == 2, "what was taken out of the document is still good"
    assert "A new name" in client.ask(redirect="https://app.example/other").text


@pytest.mark.parametrize("change", [
    {"client_id": "https://other.example/client.json"}, {"client_id": None}, {"client_name": None}, {"client_name": " "}, {"redirect_uris": None},
    {"redirect_uris": ["javascript:alert(1)"]}, {"token_endpoint_auth_method": "client_secret_post"}, {"client_secret": "x" * 40},
    {"token_endpoint_auth_method": "private_key_jwt"}, {"padding": "x" * 70000},
])
def test_documents_that_are_not_taken(souk, site, change):
    client = Document(souk, site, **change)
    reply = client.ask()
    assert reply.status in (400, 503) and "location" not in reply.headers and "text/html" in reply.headers["content-type"], reply
    assert souk.value(f"SELECT count(*) FROM souk.oauth_clients WHERE id = '{client.url}'") == "0"


@pytest.mark.parametrize("answer", [b"", b"[]", b"<html>", b"{", (301, {}, {"Location": "/other.json"}), (302, {}, {"Location": "https://127.0.0.1/"}), (404, {}), (500, {}),
                                    b'{"client_id":"x","client_id":"y"}'])
def test_answers_that_are_no_document(souk, site, answer):
    client = Document(souk, site)
    client.serve((lambda: answer) if isinstance(answer, tuple) else (lambda: (200, answer)))
    site.documents[client.host, "other.json"] = client.value
    assert client.ask().status in (400, 503)
    assert client.reads() == 1, "a redirect was followed"


def test_a_site_that_is_slow_or_down(souk, site):
    client = Document(souk, site)
    assert client.ask().status == 200
    souk.sql(f"UPDATE souk.oauth_clients SET fetched_at = now() - interval '2 hours' WHERE id = '{client.url}'")
    client.serve(lambda: (503, {}))
    assert client.ask().status == 200, "for a day the last document counts"
    souk.sql(f"UPDATE souk.oauth_clients SET fetched_at = now() - interval '25 hours' WHERE id = '{client.url}'")
    assert client.ask().status == 503
    slow = Document(souk, site)
    site.stall_next(1, 50)
    assert slow.ask().status == 503


def test_only_public_addresses(souk, site):
    """Without the exception for this test's server nothing inside is reached, whatever it is called."""
    client = Document(souk, site)
    assert client.ask(OUTGOING_PRIVATE="").status == 400
    for host in ("127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "localhost", "169.254.169.254", "user@" + client.host):
        url = f"https://{host}:{site.port}/oauth/client.json"
        assert client.ask(client_id=url, OUTGOING_PRIVATE="").status == 400, host
    for url in (f"http://{client.host}:{site.port}/oauth/client.json", f"https://{client.host}:{site.port}", f"https://{client.host}:{site.port}/",
                f"https://{client.host}:{site.port}/a/../oauth/client.json", client.url + "#f"):
        assert client.ask(client_id=url).status == 400, url
    assert client.reads() == 0
    assert client.ask(OUTGOING_CA_FILE="/etc/ssl/certs/ca-certificates.crt").status in (400, 503), "a certificate that nobody vouches for was taken"


def test_fetching_is_limited(souk, site):
    limited = {"RATE_REGISTER": "2/3600", "REMOTE_ADDR": support.loopback()}
    clients = [Document(souk, site) for _ in range(3)]
    assert [c.ask(**limited).status for c in clients] == [200, 200, 429]
    assert clients[0].ask(**limited).status == 200, "a client that is known needs no fetching"
