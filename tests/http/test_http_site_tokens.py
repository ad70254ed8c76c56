"""Tokens that the shop's own site issues, made by the very code of docs/identity.md."""
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import time

import pytest

import support

KID, SECRET = "site1", "test-only-0123456789abcdef0123456789"  # as in serve.env
OLD = ("site0", "test-only-older-0123456789abcdef01234")
RUN = {"php": ["php"], "js": ["node", "-"], "python": ["/usr/bin/python3", "-"]}


def blocks():
    with open(os.path.join(support.ROOT, "docs", "identity.md"), encoding="utf-8") as f:
        return re.findall(r"```(php|js|python)\n(.*?)```", f.read(), re.S)


@pytest.fixture(scope="module")
def own(souk):
    """A customer with an order: id, number of the order."""
    return souk.sql("SELECT o.customer_id, o.number FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id WHERE c.erased_at IS NULL "
                    "ORDER BY o.id LIMIT 1")[0]


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(souk, customer, **more):
    return {k: v for k, v in dict({"sub": customer, "aud": souk.url, "exp": int(time.time()) + 600}, **more).items() if v is not None}


def sct(body, kid=KID, secret=SECRET):
    text = f"sct_{kid}.{part(body)}"
    return text + "." + part(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def jwt(body, kid=KID, secret=SECRET, alg="HS256", **head):
    text = part({"alg": alg, "typ": "JWT", "kid": kid, **head}) + "." + part(body)
    return text + "." + (part(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()) if alg != "none" else "")


def reads(souk, token, number):
    """Status, and whether the order is in the answer."""
    c = souk.client(source=support.loopback())
    reply = c.mcp("resources/read", {"uri": f"souk://orders/{number}"}, token=token)
    c.close()
    return reply.status, reply.status == 200 and "result" in reply.json and number in reply.text


def test_there_is_code_for_each_language():
    assert [language for language, _ in blocks()] == ["php", "js", "python"]


@pytest.mark.parametrize("language", list(RUN))
def test_code_of_the_manual(souk, own, language):
    if not shutil.which(RUN[language][0]):
        pytest.skip(f"no {language} here")
    code = dict(blocks())[language]
    env = dict(os.environ, CUSTOMER=own[0], KID=KID, SECRET=SECRET, SOUK_URL=souk.url)
    token = subprocess.run(RUN[language], input=code, env=env, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout.strip()
    assert reads(souk, token, own[1]) == (200, True)
    foreign = souk.value(f"SELECT number FROM shop.orders WHERE customer_id <> {own[0]} ORDER BY id LIMIT 1")
    assert reads(souk, token, foreign)[1] is False


@pytest.mark.parametrize("form", [sct, jwt])
def test_what_is_taken(souk, own, form):
    assert reads(souk, form(claims(souk, own[0])), own[1]) == (200, True)
    assert reads(souk, form(claims(souk, own[0], aud=["https://other.example", souk.url], iat=int(time.time()))), own[1]) == (200, True)
    assert reads(souk, form(claims(souk, own[0]), *OLD), own[1]) == (200, True), "keys are changed one after the other"
    souk.sql(f"UPDATE shop.customers SET reference = 'SITE-{own[0]}' WHERE id = {own[0]}")
    assert reads(souk, form(claims(souk, None, ref=f"SITE-{own[0]}")), own[1]) == (200, True)


@pytest.mark.parametrize("form", [sct, jwt])
def test_what_is_refused(souk, own, form):
    good, now = claims(souk, own[0]), int(time.time())
    bad = {
        "expired": form(dict(good, exp=now - 1)), "without end": form(claims(souk, own[0], exp=None)), "end as text": form(dict(good, exp=str(now + 60))),
        "too long": form(dict(good, exp=now + 90000)), "not yet": form(dict(good, nbf=now + 600)), "audience": form(dict(good, aud="https://other.example")),
        "no audience": form(claims(souk, own[0], aud=None)), "prefix of the audience": form(dict(good, aud=souk.url[:-1])),
        "wrong secret": form(good, secret="x" * 40), "empty secret": form(good, secret=""), "unknown key": form(good, kid="site9"),
        "no key": form(good, kid=""), "other key's secret": form(good, kid=OLD[0]),
        "nobody": form(dict(good, sub="999999999999")), "no number": form(dict(good, sub="1 OR 1=1")), "number, not text": form(dict(good, sub=int(own[0]))),
        "no customer": form(claims(souk, None)), "unknown reference": form(claims(souk, None, ref="nobody")), "no object": form([good]),
        "cut": form(good)[:-1], "longer": form(good) + "A", "part more": form(good) + ".x", "no signature": form(good).rpartition(".")[0] + ".",
    }
    if form is jwt:
        bad["none"] = jwt(good, alg="none")
        bad["something critical"] = jwt(good, crit=["b64"])
        bad["claims to be RS256"] = jwt(good, alg="RS256")
    for what, token in bad.items():
        assert reads(souk, token, own[1]) == (401, False), what


def test_the_host_header_makes_no_audience(souk, own):
    """A token for another service, whose name the caller claims that this one has."""
    token = sct(dict(claims(souk, own[0]), aud="http://other.example"))
    path = f"/api/mcp/customerOrders?action=list_orders&customer_id={own[0]}"
    c = souk.client(source=support.loopback())
    assert c.request("GET", path, token=sct(claims(souk, own[0]))).status == 200
    assert c.request("GET", path, token=token, headers={"Host": "other.example"}).status == 401
    c.close()


def test_an_erased_customer_is_nobody(souk):
    customer = souk.value("INSERT INTO shop.customers (email, name) VALUES (NULL, 'Gone') RETURNING id")
    token = sct(claims(souk, customer))
    c = souk.client(source=support.loopback())
    assert c.mcp("tools/list", token=token).status == 200
    souk.sql(f"UPDATE shop.customers SET erased_at = now() WHERE id = {customer}")
    assert c.mcp("tools/list", token=token).status == 401
    c.close()
