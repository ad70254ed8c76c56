"""OAuth: how a client gets tokens for a person, and everything that must not get it any.

Log-in itself has tests of its own; here a browser that is logged in is given (support.session).
"""
import base64
import hashlib
import html
import json
import os
import re
import time
import urllib.parse

import pytest

import support
from support import assert_error

LOOPBACK = "http://127.0.0.1:4567/callback"


@pytest.fixture(scope="module")
def customer(souk):
    return souk.value("SELECT customer_id FROM shop.orders WHERE customer_id IS NOT NULL ORDER BY id LIMIT 1")


@pytest.fixture(scope="module")
def staff(souk):
    return souk.value("INSERT INTO souk.staff (email, name, role, password) VALUES "
                      f"('{support.unique('oauth').replace(' ', '.')}@shop.example', 'Odile <b>Test</b>', 'viewer', '!') RETURNING id")


@pytest.fixture
def oauth(souk):
    o = OAuth(souk)
    yield o
    o.http.close()


def anew(souk):
    """A connection from an address of its own: refused tokens are counted by address."""
    return souk.client(source=support.loopback())


def s256(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class OAuth:
    """A client and a browser, from an address of their own."""

    def __init__(self, souk):
        self.souk, self.http = souk, souk.client(source=support.loopback())
        self.resource = souk.url + "/mcp"
        self.verifier = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        self.client_id = self.secret = None
        self.redirect = LOOPBACK

    def form(self, path, fields, **headers):
        body = fields if isinstance(fields, str) else urllib.parse.urlencode({k: v for k, v in fields.items() if v is not None})
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        return self.http.request("POST", path, body=body, headers={"Content-Type": "application/x-www-form-urlencoded", **headers})

    def register(self, status=201, **metadata):
        reply = self.http.request("POST", "/oauth/register", json_body={"redirect_uris": [self.redirect], "client_name": "Test client", **metadata})
        assert reply.status == status, reply
        if status == 201:
            self.client_id, self.secret = reply.json["client_id"], reply.json.get("client_secret")
        return reply

    def query(self, **change):
        params = {"response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect, "state": "s t&a=te", "resource": self.resource,
                  "code_challenge": s256(self.verifier), "code_challenge_method": "S256", "scope": "orders:read", **change}
        return urllib.parse.urlencode({k: v for k, v in params.items() if v is not None})

    def ask(self, cookie=None, **change):
        return self.http.request("GET", "/oauth/authorize?" + self.query(**change), headers={"Cookie": cookie})

    def decide(self, page, cookie, decision="allow", headers=None, **change):
        fields = {n: html.unescape(v) for n, v in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)}
        return self.form("/oauth/authorize", {**fields, "decision": decision, **change}, Cookie=cookie, **(headers or {}))

    def back(self, reply):
        """What a redirect brings to the client."""
        assert reply.status in (302, 303), reply
        target = reply.headers["location"]
        assert target.split("?")[0] == self.redirect.split("?")[0], target
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))

    def code(self, cookie, **change):
        got = self.back(self.decide(self.ask(cookie, **change), cookie))
        assert got["state"] == "s t&a=te" and got["iss"] == self.souk.url, got
        return got["code"]

    def exchange(self, code, headers=None, **change):
        return self.form("/oauth/token", {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect, "client_id": self.client_id,
                                          "code_verifier": self.verifier, "client_secret": self.secret, **change}, **(headers or {}))

    def refresh(self, token, **change):
        return self.form("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.client_id,
                                          "client_secret": self.secret, **change})

    def tokens(self, cookie, **change):
        if not self.client_id:
            self.register()
        reply = self.exchange(self.code(cookie, **change))
        assert reply.status == 200, reply
        return reply.json


def refused(reply, error, status=400):
    assert reply.status == status, reply
    assert reply.json["error"] == error, reply
    assert reply.json["error_description"] and "no-store" in reply.headers["cache-control"], reply
    assert not any(word in reply.text for word in support.INTERNALS), reply
    return reply


def orders_status(souk, token, path="/mcp"):
    """The HTTP status of a call that needs orders:read."""
    return anew(souk).request("POST", path, token=token, json_body={
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search_orders", "arguments": {}}})


def works(souk, token, path="/mcp"):
    return orders_status(souk, token, path).status == 200


# ---- the way it is meant


def test_metadata(souk):
    about = anew(souk).request("GET", "/.well-known/oauth-authorization-server").json
    assert about["issuer"] == souk.url and about["code_challenge_methods_supported"] == ["S256"] and about["response_types_supported"] == ["code"]
    assert "none" in about["token_endpoint_auth_methods_supported"] and about["client_id_metadata_document_supported"] is True
    assert about["authorization_response_iss_parameter_supported"] is True
    assert anew(souk).request("GET", "/.well-known/openid-configuration").json == about
    for path, resource in (("", "/mcp"), ("/mcp", "/mcp"), ("/mcp/orders", "/mcp/orders"), ("/mcp/", "/mcp")):
        found = anew(souk).request("GET", "/.well-known/oauth-protected-resource" + path)
        assert found.status == 200 and found.json["resource"] == souk.url + resource, found
        assert found.json["authorization_servers"] == [about["issuer"]]
        assert "offline_access" not in found.json["scopes_supported"]
    assert "orders:read" in anew(souk).request("GET", "/.well-known/oauth-protected-resource/mcp/orders").json["scopes_supported"]
    assert "sales:read" not in anew(souk).request("GET", "/.well-known/oauth-protected-resource/mcp/orders").json["scopes_supported"]


def test_metadata_may_be_read_from_pages(souk):
    origin = f"http://localhost:{souk.port}"
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp"):
        assert anew(souk).request("GET", path, headers={"Origin": origin}).headers["access-control-allow-origin"] == origin


def test_challenges_lead_to_the_metadata(souk, stranger):
    for path, method, kw in (("/mcp", "POST", {"json_body": {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search_orders"}}}),
                             ("/mcp/orders", "POST", {"json_body": {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                                                                    "params": {"name": "search_orders"}}}),
                             ("/api/mcp/sales", "GET", {})):
        told = stranger.request(method, path, **kw)
        assert told.status == 401, told
        challenge = told.headers["www-authenticate"]
        assert challenge.startswith("Bearer ") and "error=" not in challenge and 'scope="' in challenge, challenge
        url = re.search(r'resource_metadata="([^"]+)"', challenge)[1]
        assert url.startswith(souk.url)
        about = anew(souk).request("GET", url[len(souk.url):]).json
        assert about["resource"] == souk.url + ("/mcp/orders" if path == "/mcp/orders" else "/mcp")
        wrong = stranger.request(method, path, token="mcp_key_wrong", **kw)
        assert wrong.status == 401 and 'error="invalid_token"' in wrong.headers["www-authenticate"] and url in wrong.headers["www-authenticate"]


def test_handshake_and_lists_are_open(stranger):
    hello = stranger.mcp("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}})
    assert hello.status == 200 and "result" in hello.json
    names = {t["name"] for t in stranger.mcp("tools/list").json["result"]["tools"]}
    assert "search_products" in names and "search_orders" not in names


def test_tools_say_which_log_in_they_need(souk):
    schemes = {t["name"]: t["securitySchemes"] for t in souk.client().mcp("tools/list", token=souk.admin).json["result"]["tools"]}
    assert schemes["search_products"] == [{"type": "noauth"}]
    assert schemes["list_order_messages"] == [{"type": "oauth2", "scopes": ["orders:manage"]}]
    assert schemes["get_order_status"] == [{"type": "noauth"}, {"type": "oauth2", "scopes": ["orders:read"]}], "a guest may ask too"


def test_a_customer_lets_a_client_act(souk, oauth, customer):
    cookie = support.session(souk, customer=customer)
    got = oauth.tokens(cookie)
    assert got["token_type"] == "Bearer" and got["scope"] == "orders:read" and 0 < got["expires_in"] <= 3600
    mine = anew(souk).call("search_orders", token=got["access_token"])
    assert mine.ok, mine
    numbers = {row[0] for row in souk.sql(f"SELECT number FROM shop.orders WHERE customer_id = {customer}")}
    shown = {o.get("number") or o.get("orderNumber") for o in mine.value["orders"]}
    assert shown and shown <= numbers
    names = {t["name"] for t in anew(souk).mcp("tools/list", token=got["access_token"]).json["result"]["tools"]}
    assert "search_orders" in names and "get_sales_summary" not in names


def test_not_logged_in(oauth):
    oauth.register()
    reply = oauth.ask()
    assert reply.status == 302 and reply.headers["location"].startswith("/login?next=%2Foauth%2Fauthorize%3F"), reply
    assert urllib.parse.unquote(reply.headers["location"].split("next=")[1]) == "/oauth/authorize?" + oauth.query()


def test_the_question(souk, oauth, staff):
    oauth.register(client_name='Evil "><script>alert(1)</script> \u202e\u0007app')
    page = oauth.ask(support.session(souk, staff=staff), scope="sales:read inventory:read admin:write")
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    assert "form-action 'self' http://127.0.0.1:4567;" in policy
    assert page.headers["x-frame-options"] == "DENY" and page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text and "\u202e" not in page.text and "\u0007" not in page.text
    assert "Odile &lt;b&gt;Test&lt;/b&gt;" in page.text and "Evil &quot;&gt;&lt;script&gt;" in page.text
    assert "non vérifié" in page.text and "Voir les ventes" in page.text and "admin" not in re.sub(r'value="[^"]*"', "", page.text).lower()


def test_the_question_in_english(souk, oauth, customer):
    oauth.register()
    cookie = support.session(souk, customer=customer)
    by_header = oauth.http.request("GET", "/oauth/authorize?" + oauth.query(), headers={"Cookie": cookie, "Accept-Language": "en-GB,en;q=0.9"})
    by_client = oauth.ask(cookie, ui_locales="en-US fr")
    for page in (by_header, by_client):
        assert '<html lang="en">' in page.text and "Allow access?" in page.text and "See your orders" in page.text and "unverified" in page.text


def test_refusing(souk, oauth, customer):
    oauth.register()
    cookie = support.session(souk, customer=customer)
    got = oauth.back(oauth.decide(oauth.ask(cookie), cookie, decision="deny"))
    assert got["error"] == "access_denied" and got["state"] == "s t&a=te" and got["iss"] == souk.url and "code" not in got


def test_nobody_grants_more_than_they_hold(souk, oauth, customer, staff):
    oauth.register()
    cookie = support.session(souk, customer=customer)
    assert oauth.back(oauth.ask(cookie, scope="sales:read"))["error"] == "access_denied"
    got = oauth.tokens(cookie, scope="sales:read orders:read inventory:read")
    assert got["scope"] == "orders:read"
    assert_error(anew(souk).request("GET", "/api/mcp/sales", token=got["access_token"]), 403)
    got = oauth.tokens(support.session(souk, staff=staff), scope="sales:read inventory:read")
    assert anew(souk).request("GET", "/api/mcp/sales", token=got["access_token"]).status == 200
    reply = anew(souk).mcp("tools/call", {"name": "search_orders", "arguments": {}}, token=got["access_token"])
    assert reply.status == 403, reply
    assert 'error="insufficient_scope"' in reply.headers["www-authenticate"] and 'scope="orders:read"' in reply.headers["www-authenticate"]


def test_what_a_person_loses_their_tokens_lose(souk, oauth, staff):
    """In every process: each connection may come to another one."""
    got = oauth.tokens(support.session(souk, staff=staff), scope="sales:read inventory:read")["access_token"]
    clients = [anew(souk) for _ in range(20)]

    def statuses(path):
        return {c.request("GET", path + "?limit=1", token=got).status for c in clients}

    assert statuses("/api/mcp/sales") == {200}
    try:
        souk.sql(f"UPDATE souk.staff SET role = 'support' WHERE id = {staff}")
        one = clients[0]  # asks until it knows; all of them would be over the limit of requests soon
        support.wait_until(lambda: one.request("GET", "/api/mcp/sales?limit=1", token=got).status == 403, step=0.5)
        support.wait_until(lambda: statuses("/api/mcp/sales") == {403}, step=15)
        assert statuses("/api/mcp/inventory") == {200}
        souk.sql(f"UPDATE souk.staff SET disabled_at = now() WHERE id = {staff}")
        # A closed account speaks no longer, not even without rights.
        support.wait_until(lambda: one.request("GET", "/api/mcp/inventory?limit=1", token=got).status == 401, step=0.5)
        support.wait_until(lambda: statuses("/api/mcp/inventory") == {401}, step=15)
    finally:
        souk.sql(f"UPDATE souk.staff SET role = 'viewer', disabled_at = NULL WHERE id = {staff}")
        for c in clients:
            c.close()


def test_a_new_password_or_a_closed_account_ends_what_was_granted(souk, oauth, staff):
    """Whoever knew the old password may have used it to let an assistant in."""
    email = souk.value(f"SELECT email FROM souk.staff WHERE id = {staff}")
    for command, given in (("passwd", "a new password for this test\n"), ("disable", None)):
        got = oauth.tokens(support.session(souk, staff=staff), scope="sales:read")
        waiting = oauth.code(support.session(souk, staff=staff), scope="sales:read")
        assert anew(souk).request("GET", "/api/mcp/sales?limit=1", token=got["access_token"]).status == 200
        souk.souk("staff", command, email, stdin=given)
        souk.souk("staff", "enable", email)
        assert anew(souk).request("GET", "/api/mcp/sales?limit=1", token=got["access_token"]).status == 401
        refused(oauth.refresh(got["refresh_token"]), "invalid_grant")
        refused(oauth.exchange(waiting), "invalid_grant")


def test_an_erased_customer_has_no_assistants(souk, oauth):
    """Neither what was given out nor what waits to be fetched."""
    gone = souk.value("INSERT INTO shop.customers (email, name) VALUES (NULL, 'Gone') RETURNING id")
    cookie = support.session(souk, customer=gone)
    got = oauth.tokens(cookie)
    clients = [anew(souk) for _ in range(8)]
    assert {c.mcp("tools/list", token=got["access_token"]).status for c in clients} == {200}
    souk.sql(f"UPDATE shop.customers SET erased_at = now() WHERE id = {gone}")
    support.wait_until(lambda: {c.mcp("tools/list", token=got["access_token"]).status for c in clients} == {401})
    refused(oauth.refresh(got["refresh_token"]), "invalid_grant")
    for c in clients:
        c.close()


def test_clients_with_a_secret(souk, oauth, customer):
    cookie = support.session(souk, customer=customer)
    for method in ("client_secret_post", "client_secret_basic"):
        oauth.register(token_endpoint_auth_method=method)
        assert oauth.secret
        refused(oauth.exchange(oauth.code(cookie), client_secret=None), "invalid_client", 401)
        refused(oauth.exchange(oauth.code(cookie), client_secret="x" * 43), "invalid_client", 401)
        basic = base64.b64encode(f"{oauth.client_id}:{oauth.secret}".encode()).decode()
        reply = oauth.exchange(oauth.code(cookie), headers={"Authorization": "Basic " + basic}, client_secret=None, client_id=None)
        assert reply.status == 200, reply
        refused(oauth.exchange("x" * 43, headers={"Authorization": "Basic " + basic}), "invalid_client", 401)
        assert oauth.exchange(oauth.code(cookie)).status == 200


# ---- codes


def test_a_code_is_good_once_and_a_second_use_ends_everything(souk, oauth, customer):
    oauth.register()
    code = oauth.code(support.session(souk, customer=customer))
    got = oauth.exchange(code).json
    assert works(souk, got["access_token"])
    refused(oauth.exchange(code), "invalid_grant")
    assert orders_status(souk, got["access_token"]).status == 401
    refused(oauth.refresh(got["refresh_token"]), "invalid_grant")


def test_two_at_once_with_one_code(souk, oauth, customer):
    oauth.register()
    code = oauth.code(support.session(souk, customer=customer))
    others = [OAuth(souk) for _ in range(6)]
    for o in others:
        o.client_id, o.verifier = oauth.client_id, oauth.verifier
    replies = support.in_threads(6, lambda i: others[i].exchange(code))
    won = [r for r in replies if r.status == 200]
    assert len(won) == 1 and all(r.json["error"] == "invalid_grant" for r in replies if r.status != 200), replies
    assert orders_status(souk, won[0].json["access_token"]).status == 401, "the second use did not end the first"


@pytest.mark.parametrize("change", [
    {"code_verifier": "A" * 43}, {"code_verifier": "short"}, {"code_verifier": "A" * 129}, {"code_verifier": ""},
    {"redirect_uri": "http://127.0.0.1:4568/callback"}, {"redirect_uri": LOOPBACK + "/"}, {"redirect_uri": "https://evil.example/"},
])
def test_a_code_in_wrong_hands(souk, oauth, customer, change):
    oauth.register()
    code = oauth.code(support.session(souk, customer=customer))
    refused(oauth.exchange(code, **change), "invalid_grant")
    refused(oauth.exchange(code), "invalid_grant")


def test_a_code_of_another_client(souk, oauth, customer):
    oauth.register()
    code = oauth.code(support.session(souk, customer=customer))
    other = OAuth(souk)
    other.register()
    refused(other.exchange(code, code_verifier=oauth.verifier), "invalid_grant")
    refused(oauth.exchange(code), "invalid_grant")


def test_a_late_code(souk, oauth, customer):
    oauth.register()
    code = oauth.code(support.session(souk, customer=customer))
    left = souk.value("SELECT max(extract(epoch FROM expires_at - now())) FROM souk.oauth_codes WHERE used_at IS NULL")
    assert 0 < float(left) <= 60
    souk.sql(f"UPDATE souk.oauth_codes SET expires_at = now() - interval '1 second' WHERE grant_id IN "
             f"(SELECT id FROM souk.oauth_grants WHERE client_id = '{oauth.client_id}')")
    refused(oauth.exchange(code), "invalid_grant")


def test_only_hashes_are_stored(souk, oauth, customer):
    oauth.register(token_endpoint_auth_method="client_secret_post")
    code = oauth.code(support.session(souk, customer=customer))
    stored = souk.value("SELECT string_agg(t::text, '') FROM souk.oauth_codes t") + souk.value("SELECT string_agg(t::text, '') FROM souk.oauth_clients t")
    got = oauth.exchange(code).json
    stored += souk.value("SELECT string_agg(t::text, '') FROM souk.oauth_refresh t") + souk.value("SELECT string_agg(t::text, '') FROM souk.tokens t")
    for secret in (code, oauth.secret, got["refresh_token"], got["refresh_token"][8:], got["access_token"].split("_")[3][:43]):
        assert secret not in stored and secret.encode().hex() not in stored


# ---- requests that must go nowhere


@pytest.mark.parametrize("given", [
    "http://127.0.0.1:4567/callback/", "http://127.0.0.1:4567/Callback", "http://127.0.0.1:4567/callback?x=1", "http://127.0.0.1:4567/callback#f",
    "http://127.0.0.1.evil.example:4567/callback", "http://127.0.0.1@evil.example/callback", "http://evil.example\\@127.0.0.1/callback",
    "http://localhost:4567/callback", "https://127.0.0.1:4567/callback", "http://127.0.0.1:4567/callback/../evil", "http://127.0.0.1:4567//callback",
    "HTTP://127.0.0.1:4567/callback", "http://127.0.0.1:4567/callback\r\nX: y", "http://0x7f000001:4567/callback", "//127.0.0.1:4567/callback", "javascript:alert(1)", "", None,
])
def test_redirects_elsewhere(souk, oauth, customer, given):
    oauth.register()
    reply = oauth.ask(support.session(souk, customer=customer), redirect_uri=given)
    assert reply.status == 400 and "location" not in reply.headers and "text/html" in reply.headers["content-type"], reply
    assert "evil" not in reply.text and "alert" not in reply.text


@pytest.mark.parametrize("registered,given", [
    ("http://127.0.0.1/callback", "http://127.0.0.1:51234/callback"), ("http://localhost/callback", "http://localhost:33418/callback"),
    ("http://[::1]/cb", "http://[::1]:80/cb"), ("http://127.0.0.1:33418", "http://127.0.0.1:5"),
    ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback"),
    ("https://claude.ai/api/mcp/auth_callback", "https://claude.ai/api/mcp/auth_callback"), ("com.example.app:/oauth", "com.example.app:/oauth"),
])
def test_redirects_of_real_clients(souk, oauth, customer, registered, given):
    oauth.redirect = registered
    oauth.register()
    oauth.redirect = given
    cookie = support.session(souk, customer=customer)
    assert oauth.exchange(oauth.code(cookie)).status == 200


def test_the_query_of_a_redirect_stays(souk, oauth, customer):
    oauth.redirect = "https://app.example/cb?tenant=7"
    oauth.register()
    cookie = support.session(souk, customer=customer)
    target = oauth.decide(oauth.ask(cookie), cookie).headers["location"]
    assert target.startswith("https://app.example/cb?tenant=7&code=") and target.count("?") == 1


def test_unknown_clients(souk, oauth, customer):
    cookie = support.session(souk, customer=customer)
    for client in ("nobody", "", None, "dcr_" + "x" * 24, "'; DROP TABLE souk.tokens --", "x" * 3000, "https://127.0.0.1/client", "https://localhost/c.json",
                   "https://169.254.169.254/latest/meta-data", "https://[::1]/x", "https://2130706433/x", "http://example.org/x", "https://user@example.org/x"):
        reply = oauth.ask(cookie, client_id=client)
        assert reply.status in (400, 503) and "location" not in reply.headers, (client, reply)


@pytest.mark.parametrize("change,error", [
    ({"response_type": "token"}, "unsupported_response_type"), ({"response_type": None}, "invalid_request"), ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"), ({"code_challenge_method": None}, "invalid_request"), ({"code_challenge": "x" * 42}, "invalid_request"),
    ({"code_challenge": "x" * 129}, "invalid_request"), ({"code_challenge": "!" * 43}, "invalid_request"), ({"resource": "https://evil.example/mcp"}, "invalid_target"),
    ({"resource": "http://127.0.0.1/mcp"}, "invalid_target"), ({"scope": "no:such"}, "invalid_scope"), ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://evil.example"}, "request_uri_not_supported"), ({"response_mode": "fragment"}, "invalid_request"), ({"state": "x" * 2049}, "invalid_request"),
])
def test_wrong_requests_go_back_to_the_client(souk, oauth, customer, change, error):
    oauth.register()
    got = oauth.back(oauth.ask(support.session(souk, customer=customer), **change))
    assert got["error"] == error and got["error_description"] and got["iss"] == souk.url and "code" not in got
    assert got.get("state") == (None if "state" in change else "s t&a=te")


def test_parameters_given_twice(souk, oauth, customer):
    oauth.register()
    cookie = support.session(souk, customer=customer)
    for again in ("client_id=x", "redirect_uri=https%3A%2F%2Fevil.example", "scope=orders%3Aread", "state=2"):
        reply = oauth.http.request("GET", "/oauth/authorize?" + oauth.query() + "&" + again, headers={"Cookie": cookie})
        assert reply.status == 400 and "location" not in reply.headers, reply
    body = urllib.parse.urlencode({"grant_type": "authorization_code", "client_id": oauth.client_id}) + "&client_id=x"
    refused(oauth.form("/oauth/token", body), "invalid_request")


# ---- forms from elsewhere


def granted(souk, oauth):
    return souk.value(f"SELECT count(*) FROM souk.oauth_grants WHERE client_id = '{oauth.client_id}'")


def test_a_form_from_elsewhere_allows_nothing(souk, oauth, customer):
    oauth.register()
    cookie, another = support.session(souk, customer=customer), support.session(souk, customer=customer)
    page, foreign = oauth.ask(cookie), oauth.ask(another)
    query = oauth.query()
    attempts = [
        oauth.decide(page, cookie, headers={"Origin": "https://evil.example"}), oauth.decide(page, cookie, headers={"Origin": "null"}),
        oauth.decide(page, cookie, headers={"Sec_Fetch_Site": "cross-site"}), oauth.decide(page, cookie, headers={"Sec_Fetch_Site": "same-site"}),
        oauth.decide(foreign, cookie), oauth.decide(page, cookie, proof="1.x"), oauth.decide(page, cookie, query=query + "&x=1"),
        oauth.decide(page, cookie, query=oauth.query(scope="orders:read orders:write")), oauth.decide(page, None),
        oauth.form("/oauth/authorize", {"query": query, "decision": "allow"}, Cookie=cookie),
        oauth.http.request("GET", "/oauth/authorize?" + query + "&decision=allow", headers={"Cookie": cookie}),
    ]
    for reply in attempts:
        assert "code=" not in reply.headers.get("location", ""), reply
    assert granted(souk, oauth) == "0"
    assert "code=" in oauth.decide(page, cookie, headers={"Origin": souk.url, "Sec_Fetch_Site": "same-origin"}).headers["location"]


def test_changing_the_account(souk, oauth, customer, staff):
    """Log out, and be asked again as somebody else; only this browser's own form does it."""
    oauth.register()
    cookie = support.session(souk, customer=customer)
    page = oauth.ask(cookie)
    fields = {n: html.unescape(v) for n, v in re.findall(r'<input type="hidden" name="(form|next)" value="([^"]*)"', page.text)}
    assert fields["next"] == "/oauth/authorize?" + oauth.query()
    oauth.form("/logout", fields, Cookie=support.session(souk, staff=staff))
    assert oauth.ask(cookie).status == 200, "another browser's form ended this log-in"
    gone = oauth.form("/logout", fields, Cookie=cookie)
    assert gone.status == 303 and gone.headers["location"] == fields["next"], gone
    assert oauth.ask(cookie).headers["location"].startswith("/login?next=")


def test_service_accounts_and_tokens_allow_nothing(souk, oauth):
    oauth.register()
    reply = oauth.http.request("GET", "/oauth/authorize?" + oauth.query(), token=souk.admin)
    assert reply.status == 302 and reply.headers["location"].startswith("/login"), "a token is no log-in"


# ---- refresh tokens


def test_refreshing_rotates(souk, oauth, customer):
    first = oauth.tokens(support.session(souk, customer=customer))
    second = oauth.refresh(first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"] and second["access_token"] != first["access_token"]
    assert works(souk, second["access_token"]) and second["scope"] == "orders:read"
    assert works(souk, oauth.refresh(second["refresh_token"], resource=oauth.resource, scope="orders:read").json["access_token"])


def test_a_used_refresh_token_ends_the_grant(souk, oauth, customer):
    first = oauth.tokens(support.session(souk, customer=customer))
    second = oauth.refresh(first["refresh_token"]).json
    refused(oauth.refresh(first["refresh_token"]), "invalid_grant")
    refused(oauth.refresh(second["refresh_token"]), "invalid_grant")
    clients = [anew(souk) for _ in range(12)]
    call = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for token in (first["access_token"], second["access_token"]):
        assert {c.request("POST", "/mcp", token=token, json_body=call).status for c in clients} == {401}, "some process still takes it"
    why = souk.value(f"SELECT revoked_for FROM souk.oauth_grants WHERE client_id = '{oauth.client_id}'")
    assert why == "refresh token used twice"


def test_two_at_once_with_one_refresh_token(souk, oauth, customer):
    first = oauth.tokens(support.session(souk, customer=customer))
    others = [OAuth(souk) for _ in range(6)]
    for o in others:
        o.client_id = oauth.client_id
    replies = support.in_threads(6, lambda i: others[i].refresh(first["refresh_token"]))
    assert sorted(r.status for r in replies) == [200] + [400] * 5


def test_refresh_tokens_of_others(souk, oauth, customer):
    first = oauth.tokens(support.session(souk, customer=customer))
    other = OAuth(souk)
    other.register()
    refused(other.refresh(first["refresh_token"]), "invalid_grant")
    refused(oauth.refresh(first["refresh_token"]), "invalid_grant")  # it was in wrong hands


@pytest.mark.parametrize("change,error", [
    ({"scope": "orders:read orders:write"}, "invalid_scope"), ({"scope": "*"}, "invalid_scope"), ({"resource": "https://evil.example"}, "invalid_target"),
    ({"refresh_token": None}, "invalid_request"), ({"refresh_token": "mcp_ref_" + "x" * 43}, "invalid_grant"), ({"refresh_token": "x" * 5000}, "invalid_grant"),
    ({"grant_type": "password"}, "unsupported_grant_type"), ({"grant_type": None}, "invalid_request"), ({"grant_type": "client_credentials"}, "unauthorized_client"),
])
def test_wrong_refreshing(souk, oauth, customer, change, error):
    got = oauth.tokens(support.session(souk, customer=customer))
    refused(oauth.refresh(**{"token": got["refresh_token"], **change}), error)
    assert works(souk, got["access_token"])


def test_an_access_token_is_no_refresh_token(souk, oauth, customer):
    got = oauth.tokens(support.session(souk, customer=customer))
    refused(oauth.refresh(got["access_token"]), "invalid_grant")
    assert orders_status(souk, got["refresh_token"]).status == 401


def test_expiry(souk, oauth, customer):
    got = oauth.tokens(support.session(souk, customer=customer))
    souk.sql(f"UPDATE souk.tokens SET expires_at = now() WHERE id = '{support.token_id(got['access_token'])}'")
    support.wait_until(lambda: orders_status(souk, got["access_token"]).status == 401, 5, 0.1)
    souk.sql(f"UPDATE souk.oauth_refresh SET expires_at = now() WHERE grant_id IN (SELECT id FROM souk.oauth_grants WHERE client_id = '{oauth.client_id}')")
    refused(oauth.refresh(got["refresh_token"]), "invalid_grant")


# ---- revocation


def test_giving_back(souk, oauth, customer):
    cookie = support.session(souk, customer=customer)
    got = oauth.tokens(cookie)
    other = OAuth(souk)
    other.register()
    assert other.form("/oauth/revoke", {"token": got["refresh_token"], "client_id": other.client_id}).status == 200
    assert works(souk, got["access_token"]), "a client ended another's grant"
    assert oauth.form("/oauth/revoke", {"token": got["access_token"], "client_id": oauth.client_id}).status == 200
    assert orders_status(souk, got["access_token"]).status == 401
    again = oauth.refresh(got["refresh_token"]).json
    assert oauth.form("/oauth/revoke", {"token": again["refresh_token"], "token_type_hint": "refresh_token", "client_id": oauth.client_id}).status == 200
    assert orders_status(souk, again["access_token"]).status == 401
    refused(oauth.refresh(again["refresh_token"]), "invalid_grant")
    for unknown in ("x", "mcp_ref_" + "y" * 43, souk.staff):
        assert oauth.form("/oauth/revoke", {"token": unknown, "client_id": oauth.client_id}).status == 200
    assert anew(souk).request("GET", "/api/mcp/status", token=souk.staff).status == 200, "a token of the command line was given back"
    refused(oauth.form("/oauth/revoke", {"token": "x", "client_id": "nobody"}), "invalid_client", 401)


def test_the_command_line_ends_grants_and_clients(souk, oauth, customer):
    cookie = support.session(souk, customer=customer)
    got = oauth.tokens(cookie)
    rows = json.loads(souk.souk("oauth", "grants", "--json").stdout)
    grant = next(r for r in rows if r["clientId"] == oauth.client_id)
    assert grant["customerId"] == customer and grant["scopes"] == ["orders:read"] and grant["resource"] == oauth.resource
    souk.souk("oauth", "revoke-grant", grant["id"])
    assert orders_status(souk, got["access_token"]).status == 401
    assert souk.souk("oauth", "revoke-grant", grant["id"], check=False).returncode != 0
    again = oauth.tokens(cookie)
    souk.souk("oauth", "revoke", oauth.client_id)
    assert orders_status(souk, again["access_token"]).status == 401
    refused(oauth.refresh(again["refresh_token"]), "invalid_client", 401)
    assert oauth.ask(cookie).status == 400
    actions = [r[0] for r in souk.sql(f"SELECT action FROM souk.audit WHERE target = '{oauth.client_id}' ORDER BY seq")]
    assert actions == ["oauth.register", "oauth.allow", "oauth.allow", "oauth.account.revoke"]


def test_tokens_of_grants_are_not_among_those_made_by_hand(souk, oauth, customer):
    got = oauth.tokens(support.session(souk, customer=customer))
    ident = support.token_id(got["access_token"])
    assert ident not in souk.souk("token", "list", "--json").stdout
    assert souk.souk("token", "rotate", ident, check=False).returncode != 0


# ---- audience


def test_a_token_for_one_server_is_good_there_alone(souk, oauth, customer):
    cookie = support.session(souk, customer=customer)
    got = oauth.tokens(cookie, resource=souk.url + "/mcp/orders")
    assert works(souk, got["access_token"], "/mcp/orders") and works(souk, got["access_token"], "/mcp/orders/")
    for path in ("/mcp", "/mcp/catalog", "/mcp/support"):
        reply = orders_status(souk, got["access_token"], path)
        assert reply.status == 401 and 'error="invalid_token"' in reply.headers["www-authenticate"], (path, reply)
    assert_error(anew(souk).request("GET", "/api/mcp/customersProducts?action=stats", token=got["access_token"]), 401)
    refused(oauth.refresh(got["refresh_token"], resource=souk.url + "/mcp"), "invalid_target")


def test_a_token_for_elsewhere_is_good_nowhere(souk, oauth, customer):
    got = oauth.tokens(support.session(souk, customer=customer))
    for foreign in ("https://other.example/mcp", souk.url + ".evil.example/mcp", souk.url + "/mcpx", souk.url + "/mcp/"):
        souk.sql(f"UPDATE souk.tokens SET audience = '{foreign}', scopes = scopes WHERE id = '{support.token_id(got['access_token'])}'")
        support.wait_until(lambda: orders_status(souk, got["access_token"]).status == 401, 5, 0.1)


def test_resource_with_a_slash_at_its_end(souk, oauth, customer):
    cookie = support.session(souk, customer=customer)
    assert works(souk, oauth.tokens(cookie, resource=souk.url + "/mcp/")["access_token"])
    assert works(souk, oauth.tokens(cookie, resource=souk.url)["access_token"])
    assert works(souk, oauth.tokens(cookie, resource=None)["access_token"])


# ---- registration


@pytest.mark.parametrize("uri", [
    "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "http://evil.example/cb", "http://127.0.0.1.evil.example/", "https://x/#frag",
    "https://user@x/", "https://", "nonsense", "", "https://x/ y", "https://x/\ny", "http://169.254.169.254/", "https://x/\u00e9", "blob:https://x/1", "view-source:https://x/", "//x/y",
    "https://x/" + "y" * 500, 7, None, ["https://x/"],
])
def test_addresses_that_nobody_may_register(oauth, uri):
    refused(oauth.register(400, redirect_uris=["https://good.example/cb", uri]), "invalid_redirect_uri")


@pytest.mark.parametrize("metadata,error", [
    ({"redirect_uris": []}, "invalid_redirect_uri"), ({"redirect_uris": None}, "invalid_redirect_uri"), ({"redirect_uris": "https://x/"}, "invalid_redirect_uri"),
    ({"redirect_uris": [f"https://x/{i}" for i in range(11)]}, "invalid_redirect_uri"), ({"client_name": "x" * 101}, "invalid_client_metadata"),
    ({"client_name": 7}, "invalid_client_metadata"), ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"), ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
    ({"response_types": ["token"]}, "invalid_client_metadata"), ({"scope": 5}, "invalid_client_metadata"),
])
def test_wrong_registration(oauth, metadata, error):
    refused(oauth.register(400, **metadata), error)


def test_registration_as_real_clients_do_it(oauth):
    reply = oauth.register(client_name="Cursor", redirect_uris=["cursor://anysphere.cursor-mcp/oauth/callback",
                           "https://www.cursor.com/agents/mcp/oauth/callback", "http://localhost:8787/callback"], application_type="native",
                           grant_types=["authorization_code", "refresh_token"], response_types=["code"], token_endpoint_auth_method="none",
                           scope="orders:read offline_access", logo_uri="https://cursor.com/x.png", contacts=["x@example.org"])
    body = reply.json
    assert body["redirect_uris"][0].startswith("cursor://") and body["scope"] == "orders:read" and body["token_endpoint_auth_method"] == "none"
    assert body["client_id_issued_at"] <= time.time() + 1 and "client_secret" not in body and reply.headers["cache-control"] == "no-store"


def test_registration_that_is_no_json(oauth):
    for body in ("", "x", "[]", "{", '"a"', '{"redirect_uris":["https://x/"],"redirect_uris":["https://y/"]}', "[" * 10000):
        refused(oauth.http.request("POST", "/oauth/register", body=body), "invalid_redirect_uri" if body == "{}" else "invalid_client_metadata")
    big = json.dumps({"redirect_uris": ["https://x/"], "client_name": "n", "x": "y" * 20000})
    refused(oauth.http.request("POST", "/oauth/register", body=big), "invalid_client_metadata", 413)
    refused(oauth.http.request("POST", "/oauth/register", body="x" * ((1 << 20) + 1)), "invalid_request", 413)


# ---- service accounts


@pytest.fixture
def account(souk):
    made = json.loads(souk.souk("oauth", "account", "--name", support.unique("erp"), "--scope", "sales:read,inventory:*", "--json").stdout)
    yield made["client_id"], made["client_secret"]
    souk.souk("oauth", "revoke", made["client_id"], check=False)


def sign_in(oauth, account, **change):
    return oauth.form("/oauth/token", {"grant_type": "client_credentials", "client_id": account[0], "client_secret": account[1], **change})


def test_a_service_signs_in(souk, oauth, account):
    got = sign_in(oauth, account).json
    assert got["token_type"] == "Bearer" and got["expires_in"] <= 3600 and "refresh_token" not in got
    head, claims = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in got["access_token"].split(".")[:2])
    assert head["alg"] == "ES256" and head["kid"] in {k["kid"] for k in anew(souk).request("GET", "/oauth/jwks").json["keys"]}
    assert claims["iss"] == souk.url and claims["sub"] == claims["client_id"] == account[0] and claims["exp"] - claims["iat"] == got["expires_in"]
    assert anew(souk).request("GET", "/api/mcp/sales", token=got["access_token"]).status == 200
    assert_error(anew(souk).request("GET", "/api/mcp/status", token=got["access_token"]), 403)
    less = sign_in(oauth, account, scope="inventory:read").json["access_token"]
    assert anew(souk).request("GET", "/api/mcp/inventory", token=less).status == 200
    assert_error(anew(souk).request("GET", "/api/mcp/sales", token=less), 403)


def test_a_service_with_the_wrong_secret(oauth, account):
    for secret in ("", "x" * 43, account[1][:-1], account[1] + "x", None):
        refused(sign_in(oauth, account, client_secret=secret), "invalid_client", 401)
    refused(sign_in(oauth, account, scope="admin:write"), "invalid_scope")
    refused(sign_in(oauth, account, resource="https://evil.example"), "invalid_target")
    refused(sign_in(oauth, account, grant_type="authorization_code", code="x"), "unauthorized_client")


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_forged_tokens(souk, oauth, account):
    """Also with the public key taken for a shared secret, and with no signature at all."""
    import hmac
    good = sign_in(oauth, account).json["access_token"]
    head, claims, signature = good.split(".")
    kid = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    body = json.loads(base64.urlsafe_b64decode(claims + "=="))
    pem = souk.value(f"SELECT public_pem FROM souk.oauth_keys WHERE id = '{kid}'") + "\n"
    confused = part({"alg": "HS256", "kid": kid, "typ": "JWT"}) + "." + claims
    mac = base64.urlsafe_b64encode(hmac.new(pem.encode(), confused.encode(), "sha256").digest()).decode().rstrip("=")
    forged = [
        confused + "." + mac, part({"alg": "none", "kid": kid}) + "." + claims + ".", part({"alg": "none", "kid": kid}) + "." + claims + "." + signature,
        head + "." + part({**body, "scope": "*"}) + "." + signature, head + "." + claims + "." + signature[:-4] + "AAAA", head + "." + claims + ".",
        part({"alg": "ES256", "kid": "nosuchkey123"}) + "." + claims + "." + signature, part({"alg": "ES256"}) + "." + claims + "." + signature,
        head + "." + claims, "eyJ", "eyJhbGciOiJFUzI1NiJ9..", good + "." + signature, "eyJ" + "A" * 20000, head + ".." + signature, good + "=", good + "==",
        head + "=." + claims + "." + signature, head + "." + claims + "=." + signature,
    ]
    for token in forged:
        reply = anew(souk).request("GET", "/api/mcp/sales", token=token)
        assert reply.status in (400, 401, 431), (token[:200], reply)
    assert anew(souk).request("GET", "/api/mcp/sales", token=good).status == 200


def test_a_service_for_one_server(souk, oauth, account):
    token = sign_in(oauth, account, resource=souk.url + "/mcp/analytics").json["access_token"]
    assert anew(souk).mcp("ping", server="analytics", token=token).status == 200
    assert anew(souk).mcp("ping", server="catalog", token=token).status == 401
    assert_error(anew(souk).request("GET", "/api/mcp/sales", token=token), 401)


def test_revoking_a_service_holds_at_once_everywhere(souk, oauth, account):
    token = sign_in(oauth, account).json["access_token"]
    clients = [anew(souk) for _ in range(30)]
    for _ in range(2):
        assert {c.request("GET", "/api/mcp/sales?limit=1", token=token).status for c in clients} == {200}
    souk.souk("oauth", "revoke", account[0])
    assert {c.request("GET", "/api/mcp/sales?limit=1", token=token).status for c in clients} == {401}
    refused(sign_in(oauth, account), "invalid_client", 401)
    for c in clients:
        c.close()


def test_secrets_and_keys_rotate(souk, oauth, account):
    before = sign_in(oauth, account).json["access_token"]
    new = json.loads(souk.souk("oauth", "rotate", account[0], "--overlap", "60s", "--json").stdout)["client_secret"]
    assert sign_in(oauth, account).status == 200 and sign_in(oauth, (account[0], new)).status == 200
    last = json.loads(souk.souk("oauth", "rotate", account[0], "--json").stdout)["client_secret"]
    refused(sign_in(oauth, (account[0], new)), "invalid_client", 401)
    signs = souk.souk("oauth", "rotate-key").stdout.split()[1]
    after = sign_in(oauth, (account[0], last)).json["access_token"]
    assert json.loads(base64.urlsafe_b64decode(after.split(".")[0] + "=="))["kid"] == signs
    assert anew(souk).request("GET", "/api/mcp/sales", token=before).status == anew(souk).request("GET", "/api/mcp/sales", token=after).status == 200
    old = json.loads(base64.urlsafe_b64decode(before.split(".")[0] + "=="))["kid"]
    souk.souk("oauth", "revoke-key", old)
    assert anew(souk).request("GET", "/api/mcp/sales", token=before).status == 401
    assert anew(souk).request("GET", "/api/mcp/sales", token=after).status == 200
    assert old not in anew(souk).request("GET", "/oauth/jwks").text


def test_a_service_from_its_addresses_alone(souk):
    made = json.loads(souk.souk("oauth", "account", "--name", "addresses", "--scope", "sales:read", "--ip", "127.9.8.0/24", "--json").stdout)
    pair = (made["client_id"], made["client_secret"])
    inside, outside = OAuth(souk), OAuth(souk)
    inside.http = souk.client(source="127.9.8.7")
    refused(sign_in(outside, pair), "unauthorized_client")
    token = sign_in(inside, pair).json["access_token"]
    assert inside.http.request("GET", "/api/mcp/sales?limit=1", token=token).status == 200
    assert_error(outside.http.request("GET", "/api/mcp/sales?limit=1", token=token), 401)
    souk.souk("oauth", "revoke", made["client_id"])


# ---- where it comes from, and how much


def test_host_and_origin(souk, oauth):
    """No page of another site, and no other name for this machine (DNS rebinding)."""
    for method, path in (("GET", "/.well-known/oauth-authorization-server"), ("POST", "/oauth/token"), ("POST", "/oauth/register"), ("GET", "/oauth/authorize?client_id=x")):
        reply = oauth.http.request(method, path, headers={"Host": "evil.example"})
        assert reply.status == 403 and "evil" not in reply.text, reply
    for path in ("/oauth/token", "/oauth/register", "/oauth/revoke", "/oauth/authorize"):
        assert oauth.form(path, {"x": "y"}, Origin="https://evil.example").status in (403, 400), path
    assert oauth.form("/oauth/token", {"x": "y"}, Origin="https://evil.example").status == 403


def test_bodies_that_are_no_forms(oauth):
    oauth.register()
    for content_type in ("application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencodedx"):
        reply = oauth.form("/oauth/token", "grant_type=refresh_token", Content_Type=content_type)
        refused(reply, "invalid_request")
    for body in ("a=%zz", "a=%00", "a=%ff", "&".join(f"a{i}=1" for i in range(100))):
        refused(oauth.form("/oauth/token", body), "invalid_request")
    refused(oauth.form("/oauth/token", "client_id=" + "x" * 70000), "invalid_request", 413)
    refused(oauth.form("/oauth/token", {"grant_type": "refresh_token", "client_id": "x" * 5000}), "invalid_client", 401)
    assert oauth.http.request("GET", "/oauth/authorize?state=" + "x" * 9000).status in (400, 414, 431)


def test_methods(oauth):
    for path in ("/oauth/token", "/oauth/register", "/oauth/revoke"):
        assert_error(oauth.http.request("GET", path), 405)
    assert_error(oauth.http.request("POST", "/.well-known/oauth-authorization-server"), 405)
