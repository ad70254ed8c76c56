"""From a basket to money: prices, stock and discounts are the shop's, a payment changes an order once whatever arrives in whatever order, and the last
piece is sold once. Stripe is played by tests/standins/stripe.py, which checks what it is asked."""
import concurrent.futures
import itertools
import json
import os
import re
import signal
import time
import urllib.parse

import pytest

import support
from standins.stripe import Stripe

BUYER = {"email": "buyer@example.org", "name": "B. Yer",
         "shippingAddress": {"line1": "1 rue des Essais", "postalCode": "75001", "city": "Paris", "country": "FR"}}
skus = itertools.count(1)


@pytest.fixture(scope="module")
def stripe():
    with Stripe() as s:
        yield s


@pytest.fixture(scope="module")
def shop(tmp_path_factory, stripe):
    home = tmp_path_factory.mktemp("payments")
    os.chmod(home, 0o755)
    os.chmod(home.parent, 0o755)
    instance = support.Instance(home / "var", support.free_port(), STRIPE_API_URL=stripe.url,
                                STRIPE_SECRET_KEY=stripe.key, STRIPE_WEBHOOK_SECRET=f"whsec_before, {stripe.secret}", RATE_DATA="off", RATE_MCP="off",
                                BANK_IBAN="FR7630001007941234567890185")
    try:
        target = instance.start()
        # What is sent is sent when a test says so.
        os.kill(instance.pid("deliverer"), signal.SIGTERM)
        yield target
    finally:
        instance.serve("purge", check=False)


@pytest.fixture(autouse=True)
def no_mistakes(stripe):
    """Whatever souk has sent was as Stripe takes it, and nothing is left to misbehave."""
    stripe.problems.clear()
    yield
    stripe.plan.clear()
    stripe.refund_status = "succeeded"
    assert not stripe.problems, stripe.problems


def product(shop, price=1000, stock=10, currency="EUR", **more):
    n = next(skus)
    columns = dict(more, price_minor=price, stock=stock)
    return shop.value(f"INSERT INTO shop.products (sku, slug, name, currency, {', '.join(columns)}) VALUES ('P{n}', 'p{n}', 'Product {n} é', '{currency}', "
                      f"{', '.join(str(v) for v in columns.values())}) RETURNING id")


def discount(shop, **values):
    code = f"CODE{next(skus)}"
    quoted = ", ".join("NULL" if v is None else f"'{v}'" for v in values.values())
    shop.sql(f"INSERT INTO shop.discounts (code, {', '.join(values)}) VALUES ('{code}', {quoted})")
    return code


def good(outcome):
    assert outcome.ok, outcome
    return outcome.value


def fill(shop, *products, token=None, quantity=1):
    """A basket with these products; returns the argument that names it."""
    handle = {}
    for p in products:
        got = good(shop.call("add_to_basket", {"productId": p, "quantity": quantity, **handle}, token=token))
        handle = {} if token else {"basket": got["basket"]}
    return handle


def place(shop, *products, quantity=1, **how):
    """Products, ordered: what get_payment_link gives."""
    return good(shop.call("get_payment_link", {**fill(shop, *products, quantity=quantity), **BUYER, **how}))


def order(shop, number):
    row = shop.sql(f"SELECT status, payment_status, total_minor, id FROM shop.orders WHERE number = '{number}'")[0]
    return tuple(row[:2])


def stock(shop, p):
    return int(shop.value(f"SELECT stock FROM shop.products WHERE id = {p}"))


def deliver(shop, check=True):
    return shop.souk("deliver", "--quiet", check=check)


def session_of(stripe, link):
    return next(s for s in stripe.sessions.values() if s["url"] == link["paymentUrl"])


def taken(reply):
    assert reply.status == 200, reply


# ---- baskets


def test_a_basket_shows_the_prices_of_the_shop(shop):
    a, b = product(shop, 1000), product(shop, 2550, sale_price_minor=1999)
    handle = fill(shop, a, b)
    got = good(shop.call("update_basket_item", {**handle, "productId": a, "quantity": 3}))
    assert [(i["quantity"], i["unitPrice"], i["total"]) for i in got["items"]] == [(3, 10, 30), (1, 19.99, 19.99)]
    assert (got["itemCount"], got["subtotal"], got["total"]) == (4, 49.99, 49.99)
    shop.sql(f"UPDATE shop.products SET price_minor = 900 WHERE id = {a}")
    got = good(shop.call("get_basket", handle))
    assert got["subtotal"] == 46.99 and got["notices"][0]["code"] == "price_changed"
    got = good(shop.call("remove_from_basket", {**handle, "itemId": got["items"][0]["itemId"]}))
    assert [i["productId"] for i in got["items"]] == [b]
    shop.sql(f"UPDATE shop.products SET status = 'deleted', deleted_at = now() WHERE id = {b}")
    assert good(shop.call("get_basket", handle))["notices"][0]["code"] == "unavailable"
    assert "cannot be bought" in shop.call("get_payment_link", {**handle, **BUYER}).message


def test_a_changed_price_is_told_until_the_buyer_has_seen_it(shop):
    p, handle = product(shop, 1000), None
    handle = fill(shop, p)
    shop.sql(f"UPDATE shop.products SET price_minor = 1250 WHERE id = {p}")
    changed = {"old": 10, "new": 12.5}
    got = good(shop.call("get_basket", handle))
    assert got["items"][0]["priceChanged"] == changed and got["notices"][0]["code"] == "price_changed"
    # whoever changes the line is told too, and knows the price from then on
    assert good(shop.call("update_basket_item", {**handle, "productId": p, "quantity": 2}))["items"][0]["priceChanged"] == changed
    got = good(shop.call("get_basket", handle))
    assert "priceChanged" not in got["items"][0] and got["notices"] == []
    shop.sql(f"UPDATE shop.products SET price_minor = 1100 WHERE id = {p}")
    assert good(shop.call("add_to_basket", {**handle, "productId": p}))["items"][0]["priceChanged"] == {"old": 12.5, "new": 11}
    shop.sql(f"UPDATE shop.products SET price_minor = 1300 WHERE id = {p}")
    first, again = (good(shop.call("get_payment_link", {**handle, **BUYER})) for _ in range(2))
    assert [(c["productId"], c["old"], c["new"]) for c in first["priceChanged"]] == [(p, 11, 13)] and again["priceChanged"] == first["priceChanged"]
    assert first["amount"] >= 39


def test_no_more_than_there_is(shop):
    p = product(shop, stock=3)
    handle = fill(shop, p, quantity=2)
    assert "only 3 in stock" in shop.call("add_to_basket", {"productId": p, "quantity": 2, **handle}).message
    assert "only 3 in stock" in shop.call("update_basket_item", {"productId": p, "quantity": 4, **handle}).message
    assert good(shop.call("get_basket", handle))["itemCount"] == 2
    many = product(shop, stock=2000)
    handle = fill(shop, many, quantity=999)
    assert "at most 999" in shop.call("add_to_basket", {"productId": many, "quantity": 1, **handle}).message
    assert good(shop.call("get_basket", handle))["itemCount"] == 999


def test_variants_have_prices_and_stock_of_their_own(shop):
    p = product(shop, 1000)
    shop.sql(f"INSERT INTO shop.product_variants (product_id, sku, stock, price_minor, options) VALUES ({p}, 'V{p}-S', 2, NULL, '{{\"Size\": \"S\"}}'), "
             f"({p}, 'V{p}-L', 1, 1500, '{{\"Size\": \"L\"}}')")
    assert f"V{p}-L" in shop.call("add_to_basket", {"productId": p}).message
    handle = {"basket": good(shop.call("add_to_basket", {"productId": p, "variantSku": f"V{p}-S"}))["basket"]}
    got = good(shop.call("add_to_basket", {"productId": f"V{p}-L".lower(), **handle}))
    assert [(i["sku"], i["unitPrice"], i["options"]) for i in got["items"]] == [(f"V{p}-S", 10, {"Size": "S"}), (f"V{p}-L", 15, {"Size": "L"})]
    assert "which" in shop.call("remove_from_basket", {**handle, "productId": p}).message
    good(shop.call("get_payment_link", {**handle, **BUYER}))
    assert shop.sql(f"SELECT sku, stock FROM shop.product_variants WHERE product_id = {p} ORDER BY sku") == [[f"V{p}-L", "0"], [f"V{p}-S", "1"]]
    assert stock(shop, p) == 1


def test_what_a_visitor_had_comes_along_at_log_in(shop):
    a, b = product(shop), product(shop)
    customer = shop.value(f"INSERT INTO shop.customers (email, name, addresses) VALUES ('c{a}@example.org', 'C', "
                          "'[{\"line1\": \"2 rue X\", \"city\": \"Lyon\", \"country\": \"FR\"}]') RETURNING id")
    token = support.sign(shop, "cst", customer)
    fill(shop, a, token=token)
    handle = fill(shop, a, b, quantity=2)
    seen = good(shop.call("get_basket", handle, token=token))
    assert [(i["productId"], i["quantity"]) for i in seen["items"]] == [(a, 3), (b, 2)]
    good(shop.call("add_to_basket", {"productId": b, **handle}, token=token))
    assert [(i["productId"], i["quantity"]) for i in good(shop.call("get_basket", {}, token=token))["items"]] == [(a, 3), (b, 3)]
    assert good(shop.call("get_basket", handle))["items"] == [], "what was brought along is in one place"
    link = good(shop.call("get_payment_link", {}, token=token))
    assert shop.value(f"SELECT customer_id || (shipping_address->>'city') FROM shop.orders WHERE number = '{link['orderNumber']}'") == f"{customer}Lyon"


def test_a_handle_of_another_shop_is_no_basket(shop):
    handle = fill(shop, product(shop))["basket"]
    for bad in (handle[:-1] + ("A" if handle[-1] != "A" else "B"), "bsk_AAAA", "x"):
        outcome = shop.call("get_basket", {"basket": bad})
        assert "basket" in outcome.message


def test_a_basket_expires(shop):
    handle = fill(shop, product(shop))
    shop.sql("UPDATE shop.baskets SET expires_at = now() - interval '1 second' WHERE id = (SELECT max(id) FROM shop.baskets)")
    assert good(shop.call("get_basket", handle))["items"] == []
    assert "empty" in shop.call("get_payment_link", {**handle, **BUYER}).message
    assert good(shop.call("add_to_basket", {"productId": product(shop), **handle}))["itemCount"] == 1


# ---- discounts


def test_a_percentage_is_spread_to_the_cent(shop, stripe):
    products = [product(shop, price) for price in (333, 1234, 999)]
    code = discount(shop, kind="percent", percent="33.33")
    handle = fill(shop, *products)
    got = good(shop.call("apply_discount", {"code": code.lower(), **handle}))
    assert got["discount"] == 8.55 and round(sum(i["discount"] for i in got["items"]), 2) == 8.55    # 33.33 % of 25.66 is 8.552...
    session = session_of(stripe, good(shop.call("get_payment_link", {**handle, **BUYER})))
    assert session["amount_total"] == 2566 - 855


def test_codes_that_do_not_apply_are_refused_with_the_reason(shop):
    p, other = product(shop, 1000), product(shop, 5000)
    handle = fill(shop, p)
    cases = {"no such": "NOSUCHCODE", "expired": discount(shop, kind="percent", percent=10, ends_at="2020-01-01"),
             "no such ": discount(shop, kind="percent", percent=10, starts_at="2090-01-01"),
             "needs 20.00": discount(shop, kind="fixed", amount_minor=100, minimum_minor=2000, currency="EUR"),
             "does not apply": discount(shop, kind="percent", percent=10, product_ids=f"{{{other}}}")}
    for words, code in cases.items():
        assert words.strip() in shop.call("apply_discount", {"code": code, **handle}).message
    first, second = discount(shop, kind="percent", percent=10, combinable=True), discount(shop, kind="fixed", amount_minor=100, currency="EUR")
    good(shop.call("apply_discount", {"code": first, **handle}))
    assert "combined" in shop.call("apply_discount", {"code": second, **handle}).message
    third = discount(shop, kind="fixed", amount_minor=100, currency="EUR", combinable=True)
    assert good(shop.call("apply_discount", {"code": third, **handle}))["discount"] == 2
    assert good(shop.call("apply_discount", {"code": first, "remove": True, **handle}))["discount"] == 1


def test_a_discount_is_used_as_often_as_it_may_be(shop, stripe):
    """Once in all, by two buyers at the same time; and again when the order is cancelled."""
    p = product(shop, stock=50)
    code = discount(shop, kind="percent", percent=50, usage_limit=1)
    handles = [fill(shop, p) for _ in range(6)]
    for h in handles:
        good(shop.call("apply_discount", {"code": code, **h}))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda h: shop.call("get_payment_link", {**h, **BUYER}), handles))
    won = [g for g in got if g.ok]
    assert len(won) == 1 and all("expired" in g.message for g in got if not g.ok), got
    stripe.sessions[session_of(stripe, won[0].value)["id"]]["status"] = "expired"
    taken(stripe.post(shop, stripe.event("checkout.session.expired", session_of(stripe, won[0].value))))
    lost = next(h for h, g in zip(handles, got) if not g.ok)
    good(shop.call("get_payment_link", {**lost, **BUYER}))


# ---- paying at Stripe


def test_an_order_is_paid_by_a_checkout_session(shop, stripe):
    p = product(shop, 1990, stock=5)
    link = place(shop, p, quantity=2)
    session = session_of(stripe, link)
    assert (link["provider"], link["amount"], link["status"]) == ("stripe", 39.8, "PENDING")
    assert (session["amount_total"], session["currency"], session["client_reference_id"], session["customer_email"]) == \
        (3980, "eur", link["orderNumber"], "buyer@example.org")
    assert session["metadata"]["souk_order"] == link["orderNumber"] and session["success_url"].startswith(shop.url + "/pay/pay_")
    assert stock(shop, p) == 3, "held while it is paid"
    event = stripe.pay(session["id"])
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for reply in pool.map(lambda _: stripe.post(shop, event), range(20)):
            taken(reply)
    assert order(shop, link["orderNumber"]) == ("PAID", "paid")
    assert shop.value(f"SELECT count(*) FROM shop.order_events e JOIN shop.orders o ON o.id = e.order_id WHERE o.number = '{link['orderNumber']}' "
                      "AND to_status = 'PAID'") == "1"
    sent = shop.sql(f"SELECT template, recipient FROM souk.outbox WHERE data->>'orderNumber' = '{link['orderNumber']}' ORDER BY 1")
    assert sent == [["order_confirmation", "buyer@example.org"], ["payment_received", "buyer@example.org"]]
    assert stock(shop, p) == 3
    page = shop.get(urllib.parse.urlsplit(session["success_url"]).path + "?paid=1", headers={"Accept-Language": "en"})
    assert "your payment has arrived" in page.text


def test_asking_twice_gives_the_same_order(shop, stripe):
    handle = fill(shop, product(shop))
    first, second = (good(shop.call("get_payment_link", {**handle, **BUYER})) for _ in range(2))
    assert first == second
    key = {"Idempotency-Key": support.unique("key").replace(" ", "-")}
    replies = [good(shop.call("get_payment_link", {**handle, **BUYER}, headers=key)) for _ in range(2)]
    assert replies == [first, first]


def test_the_basket_is_there_again_when_nobody_paid(shop, stripe):
    p = product(shop, stock=4)
    handle = fill(shop, p, quantity=3)
    link = good(shop.call("get_payment_link", {**handle, **BUYER}))
    assert stock(shop, p) == 1
    taken(stripe.post(shop, stripe.event("checkout.session.expired", session_of(stripe, link))))
    assert order(shop, link["orderNumber"])[0] == "CANCELLED" and stock(shop, p) == 4
    assert good(shop.call("get_basket", handle))["itemCount"] == 3
    again = good(shop.call("get_payment_link", {**handle, **BUYER}))
    assert again["orderNumber"] != link["orderNumber"] and stock(shop, p) == 1


def test_changing_the_basket_closes_what_could_be_paid(shop, stripe):
    p = product(shop, stock=4)
    handle = fill(shop, p)
    link = good(shop.call("get_payment_link", {**handle, **BUYER}))
    good(shop.call("update_basket_item", {**handle, "productId": p, "quantity": 2}))
    assert order(shop, link["orderNumber"])[0] == "CANCELLED" and stock(shop, p) == 4
    deliver(shop)
    assert session_of(stripe, link)["status"] == "expired"
    # Its event comes late, and changes nothing.
    taken(stripe.post(shop, stripe.event("checkout.session.expired", session_of(stripe, link))))
    assert good(shop.call("get_payment_link", {**handle, **BUYER}))["amount"] == 20


def test_what_is_paid_after_the_end_goes_back(shop, stripe):
    p = product(shop, stock=4)
    link = place(shop, p)
    event = stripe.pay(session_of(stripe, link)["id"])
    shop.sql(f"SELECT shop.order_move(id, 'CANCELLED', 'test', NULL) FROM shop.orders WHERE number = '{link['orderNumber']}'")
    taken(stripe.post(shop, event))
    assert order(shop, link["orderNumber"])[0] == "CANCELLED" and stock(shop, p) == 4
    deliver(shop)
    assert stripe.intents[event["data"]["object"]["payment_intent"]]["amount_refunded"] == 1000
    assert order(shop, link["orderNumber"])[1] == "refunded"


@pytest.mark.parametrize("amount, code", [(999, None), (1001, None), (1000, "usd"), (0, None)])
def test_another_sum_is_no_payment(shop, stripe, amount, code):
    link = place(shop, product(shop, 1000))
    event = stripe.pay(session_of(stripe, link)["id"], amount, code)
    taken(stripe.post(shop, event))
    assert order(shop, link["orderNumber"]) == ("PENDING", "open")
    assert shop.value(f"SELECT severity FROM souk.alerts WHERE kind = 'payment' AND message LIKE '%{link['orderNumber']}%'") == "critical"


def outcome_of(shop, stripe, steps):
    """Pay, refund a part, dispute, refund the rest; the events arrive in this order, the state afterwards."""
    link = place(shop, product(shop, 1000))
    paid = stripe.pay(session_of(stripe, link)["id"])
    intent = paid["data"]["object"]["payment_intent"]
    events = [paid, stripe.refund(intent, 300), stripe.dispute(intent), stripe.refund(intent, 700)]
    for i in steps:
        taken(stripe.post(shop, events[i]))
        if steps[0] == i:
            taken(stripe.post(shop, events[i]))
    state = shop.sql("SELECT o.status, o.payment_status, p.state, p.paid_minor, p.refunded_minor, (SELECT sum(amount_minor) FROM shop.refunds r WHERE r.order_id = o.id "
                     "AND r.state = 'succeeded'), (SELECT count(*) FROM shop.order_events e WHERE e.order_id = o.id AND e.kind = 'status') "
                     f"FROM shop.orders o JOIN shop.payments p ON p.order_id = o.id WHERE o.number = '{link['orderNumber']}'")
    waiting = shop.value("SELECT count(*) FROM shop.payment_events WHERE processed_at IS NULL")
    return state, waiting


def test_events_may_come_in_any_order(shop, stripe):
    expected = ([["CANCELLED", "refunded", "refunded", "1000", "1000", "1000", "3"]], "0")
    for steps in list(itertools.permutations(range(4)))[::3]:
        assert outcome_of(shop, stripe, steps) == expected, steps


def test_an_event_that_cannot_be_worked_off_holds_up_no_other(shop, stripe):
    link = place(shop, product(shop, 1000))
    paid = stripe.pay(session_of(stripe, link)["id"])
    strange = stripe.event("checkout.session.completed", {**paid["data"]["object"], "amount_total": 10.5})
    try:
        for _ in range(2):
            taken(stripe.post(shop, strange))
        assert order(shop, link["orderNumber"]) == ("PENDING", "open")
        taken(stripe.post(shop, paid))
        assert order(shop, link["orderNumber"]) == ("PAID", "paid")
        assert shop.value(f"SELECT attempts > 0 AND processed_at IS NULL AND next_at > now() FROM shop.payment_events WHERE event_id = '{strange['id']}'") == "t"
        assert shop.value(f"SELECT severity FROM souk.alerts WHERE kind = 'payment' AND message LIKE '%{strange['id']}%'") == "critical"
    finally:
        shop.sql(f"DELETE FROM shop.payment_events WHERE event_id = '{strange['id']}'")


def test_a_dispute_is_taken_down_once_and_ends(shop, stripe):
    for end, state in (("won", "paid"), ("lost", "refunded")):
        link = place(shop, product(shop, 1000))
        event = stripe.pay(session_of(stripe, link)["id"])
        intent = event["data"]["object"]["payment_intent"]
        taken(stripe.post(shop, stripe.dispute(intent)))    # before it is known what was paid
        assert order(shop, link["orderNumber"])[1] == "open"
        taken(stripe.post(shop, event))
        deliver(shop)
        assert order(shop, link["orderNumber"]) == ("PAID", "disputed")
        for _ in range(2):
            taken(stripe.post(shop, stripe.dispute(intent, "charge.dispute.closed", end)))
            assert order(shop, link["orderNumber"]) == ("PAID", state)


def test_a_bank_that_takes_its_time(shop, stripe):
    for kind, state in (("checkout.session.async_payment_succeeded", ("PAID", "paid")), ("checkout.session.async_payment_failed", ("PENDING", "failed"))):
        link = place(shop, product(shop, 1000))
        event = stripe.pay(session_of(stripe, link)["id"], unpaid=True)
        taken(stripe.post(shop, event))
        assert order(shop, link["orderNumber"]) == ("PENDING", "pending")
        taken(stripe.post(shop, stripe.event(kind, event["data"]["object"])))
        assert order(shop, link["orderNumber"]) == state
        taken(stripe.post(shop, event))
        assert order(shop, link["orderNumber"]) == state


def test_only_stripe_is_believed(shop, stripe):
    link = place(shop, product(shop, 1000))
    event = dict(stripe.pay(session_of(stripe, link)["id"]), note="čeština 🛒")
    body, now = json.dumps(event, ensure_ascii=False).encode(), int(time.time())
    count = shop.value("SELECT count(*) FROM shop.payment_events")
    bad = {"nobody": None, "nothing": "", "rubbish": "t=x,v1=y", "old": stripe.signature(body, now - 301), "ahead": stripe.signature(body, now + 302),
           "another secret": stripe.signature(body, now, ["whsec_other"]), "no v1": re.sub("v1=[0-9a-f]+", "v1=", stripe.signature(body)),
           "another time": stripe.signature(body, now).replace(f"t={now}", f"t={now - 1}"), "v0 alone": f"t={now},v0={'0' * 64}"}
    for why, signature in bad.items():
        reply = stripe.post(shop, None, {"Stripe-Signature": signature}, body)
        assert reply.status == 400, why
    changed = body.replace(b'"livemode": false', b'"livemode": true ')
    assert stripe.post(shop, None, {"Stripe-Signature": stripe.signature(body)}, changed).status == 400
    for not_an_event in (b"{}", b"[]", b"null", b'{"id": 1}', b"\xff", b'{"id": "e", "type": "x", "data": {}}'):
        assert stripe.post(shop, None, None, not_an_event).status == 400
    assert shop.value("SELECT count(*) FROM shop.payment_events") == count and order(shop, link["orderNumber"])[0] == "PENDING"
    # While the secret is changed, both are right.
    for secrets in (["whsec_before"], ["whsec_nothing", stripe.secret]):
        taken(stripe.post(shop, None, {"Stripe-Signature": stripe.signature(body, None, secrets)}, body))
    assert order(shop, link["orderNumber"])[0] == "PAID"


@pytest.mark.parametrize("currency, price, asked", [("JPY", 1500, 1500), ("EUR", 1999, 1999), ("KWD", 12340, 12340), ("ISK", 990, 99000), ("MGA", 50000, 500)])
def test_money_is_exact_in_every_currency(shop, stripe, currency, price, asked):
    p = product(shop, price, currency=currency)
    link = place(shop, p, quantity=2)
    session = session_of(stripe, link)
    assert (session["amount_total"], session["currency"]) == (asked * 2, currency.lower())
    taken(stripe.post(shop, stripe.pay(session["id"])))
    assert order(shop, link["orderNumber"]) == ("PAID", "paid")
    outcome = shop.call("refund_order", {"orderId": link["orderNumber"]}, token=shop.admin)
    assert outcome.ok, outcome
    deliver(shop)
    assert stripe.intents[session["payment_intent"]]["amount_refunded"] == asked * 2


def test_what_stripe_cannot_say_exactly_is_not_rounded(shop, stripe):
    handle = fill(shop, product(shop, 1234, currency="KWD"))    # 1.234: Stripe takes three decimals that end in 0
    assert "exactly" in shop.call("get_payment_link", {**handle, **BUYER, "method": "card"}).message
    link = good(shop.call("get_payment_link", {**handle, **BUYER}))
    assert (link["provider"], link["amount"]) == ("shop", 1.234)
    assert 'value="card"' not in shop.get(urllib.parse.urlsplit(link["paymentUrl"]).path).text


def test_a_lasting_link_is_paid_once(shop, stripe):
    p = product(shop, 2500, stock=3)
    handle = fill(shop, p)
    link = good(shop.call("get_payment_link", {**handle, **BUYER, "lasting": True}))
    known = next(k for k in stripe.links.values() if k["url"] == link["paymentUrl"])
    assert good(shop.call("get_payment_link", {**handle, **BUYER, "lasting": True})) == link
    taken(stripe.post(shop, stripe.pay(stripe.open_link(known["id"])["id"])))
    assert order(shop, link["orderNumber"]) == ("PAID", "paid")
    second = place(shop, p, lasting=True)
    shop.sql(f"SELECT shop.order_move(id, 'CANCELLED', 'test', NULL) FROM shop.orders WHERE number = '{second['orderNumber']}'")
    deliver(shop)
    assert not next(k for k in stripe.links.values() if k["url"] == second["paymentUrl"])["active"]


def test_delivery_and_address_come_from_the_page_of_stripe(shop, stripe):
    p = product(shop, 1000)
    link = good(shop.call("get_payment_link", fill(shop, p)))
    session = session_of(stripe, link)
    event = stripe.pay(session["id"])
    event["data"]["object"]["collected_information"] = {"shipping_details": {"name": "A. Nother", "address": {
        "line1": "3 rue Y", "line2": "", "postal_code": "69001", "city": "Lyon", "country": "FR", "state": None}}}
    taken(stripe.post(shop, event))
    assert shop.sql(f"SELECT email, shipping_address->>'name', shipping_address->>'city' FROM shop.orders WHERE number = '{link['orderNumber']}'") == \
        [["buyer@example.org", "A. Nother", "Lyon"]]


def test_stripe_out_of_reach(shop, stripe):
    """The page takes its place; an answer that was lost is asked for again with the same key, and no second session is made."""
    handle = fill(shop, product(shop))
    stripe.fail_next(1, 503)
    assert "payment provider" in shop.call("get_payment_link", {**handle, **BUYER, "method": "card"}).message
    stripe.fail_next(1, 500)
    assert good(shop.call("get_payment_link", {**handle, **BUYER}))["provider"] == "shop"
    before = len(stripe.sessions)
    stripe.drop_next(2, done=True)  # also when it is asked again on a new connection
    assert good(shop.call("get_payment_link", {**handle, **BUYER}))["provider"] == "shop"
    stripe.plan.clear()
    link = good(shop.call("get_payment_link", {**handle, **BUYER}))
    assert len(stripe.sessions) == before + 1
    taken(stripe.post(shop, stripe.pay(session_of(stripe, link)["id"])))
    assert order(shop, link["orderNumber"])[0] == "PAID"


def test_a_payment_whose_session_nobody_noted_is_still_found(shop, stripe):
    handle = fill(shop, product(shop))
    stripe.drop_next(2, done=True)
    link = good(shop.call("get_payment_link", {**handle, **BUYER}))
    assert link["provider"] == "shop"
    stripe.plan.clear()
    taken(stripe.post(shop, stripe.pay(stripe.last_session()["id"])))
    assert order(shop, link["orderNumber"])[0] == "PAID"


# ---- refunds


def paid_order(shop, stripe, price=1000, **how):
    link = place(shop, product(shop, price), **how)
    event = stripe.pay(session_of(stripe, link)["id"])
    taken(stripe.post(shop, event))
    return link["orderNumber"], event["data"]["object"]["payment_intent"]


def due(shop):
    shop.sql("UPDATE souk.outbox SET next_at = now() WHERE channel = 'stripe' AND status = 'waiting'")


def test_a_refund_is_made_once_whatever_happens_on_the_way(shop, stripe):
    number, intent = paid_order(shop, stripe, locale="de")
    good(shop.call("cancel_order", {"orderId": number, "reason": "test"}, token=shop.admin))
    assert order(shop, number) == ("CANCELLED", "paid")
    stripe.fail_next(1, 503)
    stripe.plan.append(("drop", True))
    for _ in range(3):
        due(shop)
        deliver(shop)
    assert len([r for r in stripe.refunds.values() if r["payment_intent"] == intent]) == 1
    assert order(shop, number) == ("CANCELLED", "refunded")
    # Stripe tells of it too.
    taken(stripe.post(shop, stripe.event("charge.refunded", stripe.charge(intent))))
    assert shop.sql("SELECT locale, data->>'amount' FROM souk.outbox WHERE template = 'refund_sent' AND data->>'orderNumber' = "
                    f"'{number}'") == [["de", "10,00\u00a0€"]]
    assert shop.sql("SELECT state, amount_minor FROM shop.refunds r JOIN shop.orders o ON o.id = r.order_id "
                    f"WHERE o.number = '{number}'") == [["succeeded", "1000"]]


def test_never_more_than_was_paid(shop, stripe):
    number, intent = paid_order(shop, stripe)
    good(shop.call("refund_order", {"orderId": number, "amount": 4}, token=shop.admin))
    assert "6.00" in shop.call("refund_order", {"orderId": number, "amount": 7}, token=shop.admin).message
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: shop.call("refund_order", {"orderId": number, "amount": 2, "operationId": f"{number}-{i}"}, token=shop.admin), range(8)))
    assert sum(g.ok for g in got) == 3, got
    deliver(shop)
    assert stripe.intents[intent]["amount_refunded"] == 1000 and order(shop, number)[1] == "refunded"


def test_refunds_are_sent_in_any_order(shop, stripe):
    """One that waits is not taken for done because another of the same order is."""
    number, intent = paid_order(shop, stripe)
    for amount in (2, 3):
        good(shop.call("refund_order", {"orderId": number, "amount": amount}, token=shop.admin))
    first = "(SELECT min(r.id) FROM shop.refunds r JOIN shop.orders o ON o.id = r.order_id WHERE o.number = '%s')" % number
    shop.sql(f"UPDATE souk.outbox SET next_at = now() + interval '1 hour' WHERE channel = 'stripe' AND data->>'refund' = {first}::text")
    deliver(shop)
    taken(stripe.post(shop, stripe.event("charge.refunded", stripe.charge(intent))))
    assert stripe.intents[intent]["amount_refunded"] == 300 and shop.value(f"SELECT state FROM shop.refunds WHERE id = {first}") == "requested"
    due(shop)
    deliver(shop)
    assert stripe.intents[intent]["amount_refunded"] == 500 and shop.value(f"SELECT state FROM shop.refunds WHERE id = {first}") == "succeeded"


def test_a_refund_that_the_bank_sends_back_is_told(shop, stripe):
    number, intent = paid_order(shop, stripe)
    stripe.refund_status = "pending"
    good(shop.call("refund_order", {"orderId": number, "amount": 5}, token=shop.admin))
    deliver(shop)
    refund = next(r for r in stripe.refunds.values() if r["payment_intent"] == intent)
    assert order(shop, number)[1] == "paid"
    taken(stripe.post(shop, stripe.event("refund.failed", dict(refund, status="failed", failure_reason="lost_or_stolen_card"))))
    assert shop.value(f"SELECT severity FROM souk.alerts WHERE kind = 'refund' AND message LIKE '%{number}%'") == "critical"
    stripe.refund_status = "succeeded"
    good(shop.call("refund_order", {"orderId": number}, token=shop.admin))
    deliver(shop)
    assert order(shop, number) == ("CANCELLED", "refunded")


def test_a_link_that_somebody_has_left_can_still_be_paid(shop, stripe):
    link = place(shop, product(shop, 2000), lasting=True)
    plink = list(stripe.links)[-1]
    first = stripe.open_link(plink)
    taken(stripe.post(shop, stripe.event("checkout.session.expired", dict(first, status="expired"))))
    assert order(shop, link["orderNumber"]) == ("PENDING", "open")
    taken(stripe.post(shop, stripe.pay(stripe.open_link(plink)["id"])))
    assert order(shop, link["orderNumber"]) == ("PAID", "paid")


def test_events_of_other_accounts_and_of_older_interfaces(shop, stripe):
    link = place(shop, product(shop, 2000))
    event = stripe.pay(session_of(stripe, link)["id"])
    taken(stripe.post(shop, dict(event, id=stripe.new("evt"), account="acct_1032D82eZvKYlo2C")))
    assert order(shop, link["orderNumber"]) == ("PENDING", "open"), "it is of an account that is connected to ours"
    # Before 2025-03-31 the session showed what the buyer had seen.
    ours = event["data"]["object"]
    seen = dict(ours, amount_total=2231, currency="usd", currency_conversion={"amount_total": 2000, "amount_subtotal": 2000, "fx_rate": "1.1155", "source_currency": "eur"})
    taken(stripe.post(shop, dict(event, api_version="2024-06-20", data={"object": seen})))
    assert order(shop, link["orderNumber"]) == ("PAID", "paid")


def test_a_lost_answer_and_an_address_that_was_told_meanwhile(shop, stripe):
    """Stripe refuses an idempotency key with other parameters than it was first used with."""
    handle = fill(shop, product(shop, 2000))
    stripe.drop_next(2, done=True)      # on a connection that was kept it is asked once more at once
    link = good(shop.call("get_payment_link", handle))
    assert link["provider"] == "shop"
    stripe.plan.clear()
    reply = form(shop, link["paymentUrl"], {**ADDRESS, "method": "card"})
    assert reply.status == 303 and reply.headers["location"] == stripe.last_session()["url"]
    assert stripe.last_session()["customer_email"] == ADDRESS["email"]


def test_the_page_stays_when_cards_do_not_work(shop, stripe):
    handle = fill(shop, product(shop, 2000))
    link = good(shop.call("get_payment_link", {**handle, "method": "bank_transfer"}))
    stripe.fail_next(1, 500)
    reply = form(shop, link["paymentUrl"], {**ADDRESS, "method": "card"}, accept="de-AT,de;q=0.9")
    assert reply.status == 503 and "Kartenzahlung ist gerade nicht" in reply.text and ADDRESS["city"] in reply.text and '<html lang="de">' in reply.text
    assert form(shop, link["paymentUrl"], {**ADDRESS, "method": "card"}).headers["location"] == stripe.last_session()["url"]


def test_a_stripe_that_is_silent_leaves_time_for_the_other_ways(shop, stripe):
    handle = fill(shop, product(shop, 2000))
    stripe.stall_next(1, 6)             # longer than the caller waits
    link = good(shop.call("get_payment_link", {**handle, **BUYER}))
    assert link["provider"] == "shop" and "bank_transfer" in link["methods"]


@pytest.mark.parametrize("currency, price", [("EUR", 49), ("JPY", 49), ("KWD", 1005), ("EUR", 100000000)])
def test_a_card_is_not_offered_for_what_stripe_does_not_take(shop, stripe, currency, price):
    before = len(stripe.requests)
    link = place(shop, product(shop, price, currency=currency))
    page = shop.get(urllib.parse.urlsplit(link["paymentUrl"]).path, headers={"Accept-Language": "en"})
    assert link["provider"] == "shop" and 'value="bank_transfer"' in page.text and 'value="card"' not in page.text
    assert len(stripe.requests) == before, "Stripe was asked for it"


def test_a_code_for_each_buyer_once_is_asked_for_before_stripe(shop, stripe):
    """Stripe's page would take any address, after which it is too late."""
    code, p = discount(shop, kind="percent", percent=10, customer_limit=1), product(shop, 1000)
    for mail, told, provider in (("first@example.org", True, "stripe"), (None, False, "shop"), ("FIRST@example.org", True, None)):
        handle = fill(shop, p)
        good(shop.call("apply_discount", {"code": code, **handle}))
        got = shop.call("get_payment_link", {**handle, "method": "card", **({"email": mail} if told else {})})
        assert good(got)["provider"] == provider if provider else "used already" in got.message, mail
        if provider == "shop":
            assert "used already" in form(shop, got.value["paymentUrl"], {**ADDRESS, "email": "first@example.org", "method": "card"}).text
            assert form(shop, got.value["paymentUrl"], {**ADDRESS, "email": "second@example.org", "method": "card"}).status == 303


def test_a_part_that_stripe_cannot_send_back_waits_for_somebody(shop, stripe):
    link = place(shop, product(shop, 10000, currency="KWD"))
    taken(stripe.post(shop, stripe.pay(session_of(stripe, link)["id"])))
    before = len(stripe.refunds)
    for amount, state in ((1.234, "manual"), (2.5, "requested")):
        assert good(shop.call("refund_order", {"orderId": link["orderNumber"], "amount": amount}, token=shop.admin))["state"] == state
    deliver(shop)
    assert [r["amount"] for r in list(stripe.refunds.values())[before:]] == [2500]
    refund = shop.value(f"SELECT r.id FROM shop.refunds r JOIN shop.orders o ON o.id = r.order_id WHERE o.number = '{link['orderNumber']}' AND r.state = 'manual'")
    assert good(shop.call("mark_refunded", {"refundId": refund}, token=shop.admin))["paymentStatus"] == "part_refunded"
    assert shop.value(f"SELECT p.refunded_minor FROM shop.payments p JOIN shop.orders o ON o.id = p.order_id WHERE o.number = '{link['orderNumber']}'") == "3734"


def test_a_dispute_may_be_about_a_part(shop, stripe):
    number, intent = paid_order(shop, stripe)
    taken(stripe.post(shop, stripe.refund(intent, 300)))
    lost = stripe.dispute(intent, "charge.dispute.closed", "lost")
    lost["data"]["object"]["amount"] = 200
    for _ in range(2):
        taken(stripe.post(shop, lost))
    assert order(shop, number)[1] == "part_refunded"
    back = f"SELECT p.refunded_minor FROM shop.payments p JOIN shop.orders o ON o.id = p.order_id WHERE o.number = '{number}'"
    assert shop.value(back) == "500"
    # what was lost is neither refunded again nor taken for a later refund
    assert not shop.call("refund_order", {"orderId": number, "amount": 5.01}, token=shop.admin).ok
    taken(stripe.post(shop, stripe.refund(intent, 100)))
    assert shop.value(back) == "600"
    good(shop.call("refund_order", {"orderId": number, "amount": 2.5}, token=shop.admin))
    deliver(shop)
    assert shop.value(back) == "850"
    assert not shop.call("refund_order", {"orderId": number, "amount": 1.51}, token=shop.admin).ok
    good(shop.call("refund_order", {"orderId": number, "amount": 1.5}, token=shop.admin))
    deliver(shop)
    assert shop.value(back) == "1000" and order(shop, number)[1] == "refunded"


def test_a_refund_told_after_a_lost_dispute_about_all_is_no_news(shop, stripe):
    number, intent = paid_order(shop, stripe)
    earlier = stripe.refund(intent, 300)
    taken(stripe.post(shop, stripe.dispute(intent, "charge.dispute.closed", "lost")))
    taken(stripe.post(shop, earlier))
    assert order(shop, number)[1] == "refunded"
    assert shop.value(f"SELECT p.refunded_minor FROM shop.payments p JOIN shop.orders o ON o.id = p.order_id WHERE o.number = '{number}'") == "1000"
    assert shop.value(f"SELECT count(*) FROM souk.alerts WHERE message LIKE '%{number}%more was refunded%'") == "0"
    assert shop.value(f"SELECT count(*) FROM shop.order_events e JOIN shop.orders o ON o.id = e.order_id WHERE o.number = '{number}' AND e.kind = 'refund'") == "0"


def test_a_refund_is_not_repeated_when_stripe_has_forgotten_its_key(shop, stripe):
    """After a day a key means nothing any more: somebody has to look what became of the call."""
    number, intent = paid_order(shop, stripe)
    good(shop.call("refund_order", {"orderId": number, "amount": 1}, token=shop.admin))
    stripe.drop_next(1, done=True)
    deliver(shop)
    shop.sql("UPDATE souk.outbox SET created_at = now() - interval '23 hours', next_at = now() WHERE channel = 'stripe' AND status = 'waiting'")
    stripe.fail_next(1, 503)
    deliver(shop)
    assert shop.sql("SELECT status, reason FROM souk.outbox WHERE channel = 'stripe' ORDER BY id DESC LIMIT 1")[0][0] == "parked"
    shop.souk("deliver", "--quiet")
    assert shop.value("SELECT state FROM shop.refunds ORDER BY id DESC LIMIT 1") == "failed" and [r["amount"] for r in stripe.refunds.values() if r["payment_intent"] == intent] == [100]


# ---- the shop's own page


def form(shop, url, fields, accept="en"):
    path = urllib.parse.urlsplit(url).path
    return shop.post(path, body=urllib.parse.urlencode(fields), headers={"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": accept})


ADDRESS = {"name": "B. Yer", "email": "page@example.org", "line1": "1 rue <b>", "postcode": "75001", "city": "Paris", "country": "FR"}


def test_a_bank_transfer(shop, stripe):
    p = product(shop, 2000, stock=2)
    link = good(shop.call("get_payment_link", {**fill(shop, p), "method": "bank_transfer"}))
    reply = form(shop, link["paymentUrl"], {**ADDRESS, "method": "bank_transfer"})
    assert reply.status == 303, reply
    page = shop.get(reply.headers["location"], headers={"Accept-Language": "en"})
    for words in ("FR7630001007941234567890185", link["orderNumber"], "€20.00", "1 rue &lt;b&gt;", "Or scan this code", "<svg "):
        assert words in page.text
    for lang, words in (("de", "Verwendungszweck"), ("es-MX", "Titular de la cuenta"), ("fr", "Référence à indiquer"), ("it", "Référence à indiquer")):
        other = shop.get(reply.headers["location"], headers={"Accept-Language": lang}).text
        assert words in other and f'<html lang="{lang[:2].replace("it", "fr")}">' in other
    assert "script" not in page.headers["content-security-policy"] and page.headers["cache-control"] == "no-store"
    assert "<b>" not in page.text
    hold = shop.value(f"SELECT round(extract(epoch FROM h.expires_at - now()) / 86400) FROM shop.stock_holds h JOIN shop.orders o ON o.id = h.order_id "
                      f"WHERE o.number = '{link['orderNumber']}'")
    assert hold == "7"
    assert "costs 20.00 EUR" in shop.call("mark_paid", {"orderNumber": link["orderNumber"], "amount": 19.99}, token=shop.admin).message
    for result in ("paid", "duplicate"):
        assert good(shop.call("mark_paid", {"orderNumber": link["orderNumber"], "amount": 20}, token=shop.admin))["result"] == result
    assert order(shop, link["orderNumber"]) == ("PAID", "paid")
    good(shop.call("refund_order", {"orderId": link["orderNumber"]}, token=shop.admin))
    refund = shop.value(f"SELECT r.id FROM shop.refunds r JOIN shop.orders o ON o.id = r.order_id WHERE o.number = '{link['orderNumber']}'")
    assert good(shop.call("mark_refunded", {"refundId": refund}, token=shop.admin))["paymentStatus"] == "refunded"
    assert order(shop, link["orderNumber"])[0] == "CANCELLED" and stock(shop, p) == 2


def test_payment_on_delivery(shop):
    link = good(shop.call("get_payment_link", {**fill(shop, product(shop, 2000)), **BUYER, "method": "on_delivery"}))
    for _ in range(2):
        assert form(shop, link["paymentUrl"], {**ADDRESS, "method": "on_delivery"}).status == 303
    assert order(shop, link["orderNumber"]) == ("PROCESSING", "open")
    good(shop.call("ship_order", {"orderId": link["orderNumber"], "carrier": "DHL", "trackingNumber": f"T{link['orderNumber']}"}, token=shop.admin))
    good(shop.call("mark_paid", {"orderNumber": link["orderNumber"], "amount": 20}, token=shop.admin))
    assert order(shop, link["orderNumber"]) == ("SHIPPED", "paid")


def test_a_card_from_the_page(shop, stripe):
    link = good(shop.call("get_payment_link", {**fill(shop, product(shop, 2000)), "method": "bank_transfer"}))
    assert form(shop, link["paymentUrl"], {**ADDRESS, "method": "bank_transfer"}).status == 303
    reply = form(shop, link["paymentUrl"], {**ADDRESS, "method": "card"})
    assert reply.status == 303 and reply.headers["location"] == stripe.last_session()["url"]
    taken(stripe.post(shop, stripe.pay(stripe.last_session()["id"])))
    assert order(shop, link["orderNumber"]) == ("PAID", "paid")


def test_the_page_says_what_is_wrong(shop):
    url = good(shop.call("get_payment_link", {**fill(shop, product(shop, 2000)), "method": "bank_transfer"}))["paymentUrl"]
    for wrong in ({"name": ""}, {"email": "nobody"}, {"line1": "x" * 201}, {"country": "FRA"}, {"method": "gold"}, {"city": None}):
        fields = {k: v for k, v in {**ADDRESS, "method": "bank_transfer", **wrong}.items() if v is not None}
        reply = form(shop, url, fields)
        assert reply.status == 422 and 'role="alert"' in reply.text and "Paris" in reply.text or "city" in wrong, wrong
    assert form(shop, url[:-2] + "xx", ADDRESS).status == 404
    assert "Commande" in shop.get(urllib.parse.urlsplit(url).path, headers={"Accept-Language": "fr"}).text


def test_a_code_for_each_buyer_once_knows_the_address_of_the_page(shop):
    code = discount(shop, kind="percent", percent=10, customer_limit=1)
    for mail, allowed in (("once@example.org", True), ("ONCE@example.org", False), ("another@example.org", True)):
        handle = fill(shop, product(shop, 1000))
        good(shop.call("apply_discount", {"code": code, **handle}))
        link = good(shop.call("get_payment_link", {**handle, "method": "bank_transfer"}))
        reply = form(shop, link["paymentUrl"], {**ADDRESS, "email": mail, "method": "bank_transfer"})
        assert (reply.status == 303) == allowed and ("used already" in reply.text) != allowed, (mail, reply)
        paid = shop.value(f"SELECT count(*) FROM shop.payments p JOIN shop.orders o ON o.id = p.order_id WHERE o.number = '{link['orderNumber']}'")
        assert (paid == "1") == allowed, mail


def test_what_costs_nothing_is_paid(shop):
    code = discount(shop, kind="percent", percent=100)
    p = product(shop, 1000)
    handle = fill(shop, p)
    good(shop.call("apply_discount", {"code": code, **handle}))
    link = good(shop.call("get_payment_link", {**handle, **BUYER}))
    assert (link["provider"], link["amount"]) == ("shop", 0)
    assert form(shop, link["paymentUrl"], ADDRESS).status == 303
    assert order(shop, link["orderNumber"]) == ("PAID", "paid")


def test_delivery_costs_what_the_country_costs(shop):
    shop.sql("INSERT INTO shop.shipping_rates (country, currency, price_minor, free_from_minor, name) VALUES ('FR', 'EUR', 590, 9000, 'Home'), "
             "('BE', 'EUR', 890, NULL, 'Home')")
    try:
        handle = fill(shop, product(shop, 2000))
        assert good(shop.call("get_basket", handle))["total"] == 25.9
        assert good(shop.call("get_basket", {**handle, "country": "be"}))["total"] == 28.9
        assert good(shop.call("get_basket", {**handle, "country": "US"}))["notices"][0]["code"] == "no_delivery"
        assert "does not deliver to US" in shop.call("get_payment_link", {**handle, **BUYER, "shippingAddress": {"country": "US"}}).message
        yen = fill(shop, product(shop, 2000, currency="JPY"))
        assert "priced in JPY" in good(shop.call("get_basket", yen))["notices"][0]["message"]
        assert "priced in JPY" in shop.call("get_payment_link", {**yen, **BUYER}).message
        link = good(shop.call("get_payment_link", {**handle, "method": "on_delivery"}))
        reply = form(shop, link["paymentUrl"], {**ADDRESS, "country": "BE", "method": "on_delivery"})
        assert reply.headers["location"].endswith("?repriced=1") and order(shop, link["orderNumber"])[0] == "PENDING"
        assert "€28.90" in shop.get(reply.headers["location"], headers={"Accept-Language": "en"}).text
        form(shop, link["paymentUrl"], {**ADDRESS, "country": "BE", "method": "on_delivery"})
        assert order(shop, link["orderNumber"])[0] == "PROCESSING"
        # What a transfer was to be before the address changed does not pay the order any more.
        link = good(shop.call("get_payment_link", {**fill(shop, product(shop, 2000)), "method": "bank_transfer"}))
        for country in ("FR", "BE"):
            form(shop, link["paymentUrl"], {**ADDRESS, "country": country, "method": "bank_transfer"})
        paid = {"orderNumber": link["orderNumber"], "amount": 25.9}
        assert "costs 28.90 EUR" in shop.call("mark_paid", paid, token=shop.admin).message
        assert order(shop, link["orderNumber"]) == ("PENDING", "open")
        assert good(shop.call("mark_paid", {**paid, "amount": 28.9}, token=shop.admin))["status"] == "PAID"
    finally:
        shop.sql("DELETE FROM shop.shipping_rates")


# ---- at the same time


def test_the_last_piece_is_sold_once(shop, stripe):
    """50 buyers put it into their baskets and pay, all at once."""
    p = product(shop, 1000, stock=1)
    sessions = []

    def buy(_):
        client = shop.client()
        try:
            added = client.call("add_to_basket", {"productId": p})
            if not added.ok:
                return added.message
            link = client.call("get_payment_link", {"basket": added.value["basket"], **BUYER})
            if not link.ok:
                return link.message
            sessions.append(link.value)
            taken(stripe.post(shop, stripe.pay(session_of(stripe, link.value)["id"])))
            return "sold"
        finally:
            client.close()

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        got = list(pool.map(buy, range(50)))
    assert got.count("sold") == 1 and all("stock" in g for g in got if g != "sold"), got
    assert stock(shop, p) == 0
    assert shop.value(f"SELECT sum(i.quantity) FROM shop.order_items i JOIN shop.orders o ON o.id = i.order_id WHERE i.product_id = {p} "
                      "AND o.status = 'PAID'") == "1"
    assert shop.value(f"SELECT count(*) FROM shop.order_items WHERE product_id = {p}") == "1"


def test_one_basket_is_ordered_once(shop, stripe):
    p = product(shop, 1000, stock=100)
    handle = fill(shop, p)
    before = len(stripe.sessions)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        got = list(pool.map(lambda _: shop.call("get_payment_link", {**handle, **BUYER}), range(20)))
    assert len({good(g)["orderNumber"] for g in got}) == 1
    assert len(stripe.sessions) == before + 1 and stock(shop, p) == 99


def test_cancel_and_ship_at_once(shop, stripe):
    """One wins; the other is told MCP_CONFLICT."""
    for turn in range(6):
        number, _ = paid_order(shop, stripe)
        calls = [("cancel_order", {"orderId": number, "reason": "changed my mind"}),
                 ("ship_order", {"orderId": number, "carrier": "DHL", "trackingNumber": f"X{number}"})]
        calls = calls[::-1] if turn % 2 else calls
        asked = {name: shop.client().call_once(name, args, token=shop.admin).message for name, args in calls}
        confirm = {name: re.search(r'"confirm": "([^"]+)"', m)[1] if m else None for name, m in asked.items() if m and "confirm" in m}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            got = list(pool.map(lambda c: shop.client().call_once(c[0], dict(c[1], **({"confirm": confirm[c[0]]} if c[0] in confirm else {})),
                                                                  token=shop.admin), calls))
        assert sum(g.ok for g in got) == 1, got
        loser = calls[[g.ok for g in got].index(False)][0]
        assert order(shop, number)[0] == ("CANCELLED" if loser == "ship_order" else "SHIPPED")
        assert "cannot" in got[[g.ok for g in got].index(False)].message or "SHIPPED" in got[[g.ok for g in got].index(False)].message, got
    code = support.wait_until(lambda: shop.sql("SELECT DISTINCT error_code FROM souk.interactions WHERE tool IN ('cancel_order', 'ship_order') AND NOT success "
                                               "AND error_message NOT LIKE '%Nothing was done%'"), 10)
    assert ["MCP_CONFLICT"] in code


def test_stock_that_nobody_paid_for_comes_back(shop):
    p = product(shop, 1000, stock=1)
    first = place(shop, p)
    assert "in stock" in shop.call("add_to_basket", {"productId": p}).message
    waiting = {"basket": support.sign(shop, "bsk", "v" * 22)}
    shop.sql(f"UPDATE shop.products SET stock = 1 WHERE id = {p}")
    good(shop.call("add_to_basket", {"productId": p, **waiting}))
    shop.sql(f"UPDATE shop.products SET stock = 0 WHERE id = {p}")
    assert "in stock" in shop.call("get_payment_link", {**waiting, **BUYER}).message
    shop.sql(f"UPDATE shop.stock_holds SET expires_at = now() WHERE order_id = (SELECT id FROM shop.orders WHERE number = '{first['orderNumber']}')")
    second = good(shop.call("get_payment_link", {**waiting, **BUYER}))
    assert order(shop, first["orderNumber"])[0] == "CANCELLED" and order(shop, second["orderNumber"])[0] == "PENDING" and stock(shop, p) == 0
    shop.sql(f"UPDATE shop.stock_holds SET expires_at = now() WHERE order_id = (SELECT id FROM shop.orders WHERE number = '{second['orderNumber']}')")
    deliver(shop)
    assert order(shop, second["orderNumber"])[0] == "CANCELLED" and stock(shop, p) == 1
