"""Customer service as assistants reach it: policies and questions for everybody, orders, returns and tickets for those whose they are."""
import json
import threading

import pytest

import support


@pytest.fixture(scope="module")
def shopper(souk):
    """A customer with delivered orders, with a token as the shop's own site would sign one; each call of new() makes an order of theirs."""
    return Shopper(souk)


class Shopper:
    def __init__(self, souk):
        self.souk = souk
        self.ids = [r[0] for r in souk.sql("SELECT id FROM shop.customers WHERE email IS NOT NULL AND erased_at IS NULL ORDER BY id LIMIT 2")]
        self.token, self.other = (support.sign(souk, "cst", i) for i in self.ids)
        self.product = souk.value("SELECT p.id FROM shop.products p JOIN shop.categories c ON c.id = p.category_id "
                                  "WHERE p.status = 'active' AND p.variant_count = 0 AND c.slug = 'vases' ORDER BY p.id LIMIT 1")

    def new(self, units=1, price=1000, discount=0, shipping=590, country="FR", customer=True, email=None):
        number = support.unique("SRV").replace(" ", "-").upper()
        subtotal = units * price
        self.souk.sql(
            "WITH o AS (INSERT INTO shop.orders (number, customer_id, email, subtotal_minor, discount_minor, shipping_minor, total_minor, status, created_at, "
            f"paid_at, delivered_at, item_count, shipping_address) VALUES ('{number}', {self.ids[0] if customer else 'NULL'}, {repr(email) if email else 'NULL'}, "
            f"{subtotal}, {discount}, {shipping}, {subtotal - discount + shipping}, 'DELIVERED', now() - interval '4 days', now() - interval '4 days', "
            f"now() - interval '1 day', {units}, '{{\"country\": \"{country}\"}}') RETURNING id), p AS (INSERT INTO shop.payments (order_id, amount_minor, paid_minor, "
            f"paid_at, provider, state, currency, reference) SELECT id, {subtotal - discount + shipping}, {subtotal - discount + shipping}, now(), 'bank_transfer', "
            f"'paid', 'EUR', '{number}' FROM o) INSERT INTO shop.order_items (order_id, product_id, unit_price_minor, total_minor, quantity, sku, name) "
            f"SELECT id, {self.product}, {price}, {subtotal}, {units}, 'SRV', 'Thing' FROM o")
        return number

    def order_id(self, number):
        return self.souk.value(f"SELECT id FROM shop.orders WHERE number = '{number}'")


# ---- for everybody


@pytest.mark.parametrize("locale,question,entry", [
    ("en", "how long does delivery take", "delivery-time"), ("en", "how long dose delivrey take", "delivery-time"), ("fr", "delais de livrason", "delivery-time"),
    ("de", "wie lange dauert die Liferung", "delivery-time"), ("es", "cuanto tarda el envio", "delivery-time"), ("fr", "quand serai-je remboursé", "refund-time"),
    ("de", "wann bekomme ich mein Geld zurück", "refund-time"), ("es", "quiero mi reembolso", "refund-time"), ("en", "my vase arrived broken", "damaged-item"),
    ("fr", "article arrivé cassé", "damaged-item"), ("de", "kaputt angekommen", "damaged-item"), ("en", "forgot my pasword", "forgotten-password"),
    ("en", "can I pay with Visa", "payment-methods"), ("fr", "où est ma facture", "invoice"), ("es", "dónde está mi paquete", "track-order"),
    ("en", "washing linen", "care"), ("fr", "comment payer", "payment-methods"), ("es", "cómo puedo pagar", "payment-methods"),
    ("de", "wie kann ich bezahlen", "payment-methods"), ("fr", "comment retourner un article", "return-period")])
def test_a_question_finds_its_answer(stranger, locale, question, entry):
    found = stranger.call("search_faq", {"query": question, "locale": locale}).value
    assert [r["id"] for r in found["results"]][:1] == [entry], found
    assert found["results"][0]["locale"] == locale and found["query"] == question


def test_a_question_in_another_language_is_answered_in_the_wanted_one(stranger):
    found = stranger.call("search_faq", {"query": "Wie lange dauert der Versand?", "locale": "es"}).value
    assert found["results"][0]["id"] == "delivery-time" and found["results"][0]["locale"] == "es" and "días" in found["results"][0]["answer"]


def test_corrections_are_told_and_nonsense_finds_nothing(stranger):
    found = stranger.call("search_faq", {"query": "refnud", "locale": "en"}).value
    assert found["corrected"] == {"refnud": "refund"} and found["results"][0]["id"] == "refund-time"
    for query in ("xqzzy wvrrk", "the of and", "?!", "%_\\'", "'; DROP TABLE shop.faqs --"):
        got = stranger.call("search_faq", {"query": query})
        assert got.ok and got.value["results"] == [] or query.startswith("'"), got
    assert stranger.call("search_faq", {"query": "password", "category": "payment"}).value["results"] == []
    assert len(stranger.call("search_faq", {"query": "delivery order return", "limit": 2}).value["results"]) <= 2


def test_the_return_policy_by_country_category_and_age(stranger):
    def ask(**args):
        return stranger.call("get_return_policy", dict(args, locale="en")).value
    assert ask()["code"] == "return-eu" and ask()["withdrawal"]["days"] == 14 and ask()["country"] == "FR"
    assert ask(country="US")["code"] == "return-world" and ask(country="US")["withdrawal"]["days"] == 30
    assert ask(productCategory="tables")["withdrawal"]["returnCost"] == 39 and ask(productCategory="Furniture")["code"] == "return-furniture"
    assert ask(productCategory="bougies-et-bougeoirs")["withdrawal"]["condition"] == "unopened"
    assert ask(productCategory="bougies-et-bougeoirs")["defect"]["returnCostPaidBy"] == "shop", "an exception leaves defects as they are"
    assert ask(orderAge=14)["withinReturnPeriod"] and not ask(orderAge=15)["withinReturnPeriod"] and ask(orderAge=15.9)["orderAge"] == 15
    assert {e["exception"] for e in ask()["exceptions"]} >= {"made_to_measure", "sealed_hygiene", "digital"}
    assert {stranger.call("get_return_policy", {"locale": l}).value["locale"] for l in ("fr", "en", "es", "de")} == {"fr", "en", "es", "de"}
    bad = stranger.call("get_return_policy", {"productCategory": "no such"})
    assert not bad.ok and "category" in bad.message


@pytest.mark.parametrize("name", ["get_return_policy", "check_return_policy", "vivr_check_return_policy"])
def test_the_older_names_answer(souk, shopper, name):
    number = shopper.new()
    got = souk.call(name, {"orderId": number}, token=shopper.token).value
    assert got["orderNumber"] == number and got["orderAge"] == 4 and got["withinReturnPeriod"] is True


def test_shipping_information_without_an_order(stranger, souk):
    home, abroad, far = (stranger.call("get_shipping_info", {"country": c, "locale": "en"}).value for c in ("FR", "DE", "US"))
    assert home["methods"] == [{"name": "Home delivery", "price": 5.9, "currency": "EUR", "freeFrom": 80, "minDays": 2, "maxDays": 4, "carrier": "Colissimo"}]
    charged = souk.sql("SELECT price_minor, free_from_minor FROM shop.shipping_rates WHERE country = 'DE' AND currency = 'EUR'")[0]
    assert [str(round(abroad["methods"][0][k] * 100)) for k in ("price", "freeFrom")] == charged, "what baskets charge"
    assert abroad["methods"][0]["maxDays"] == 6 and far["methods"] == [] and "write to us" in far["text"]


def test_policies_and_questions_are_resources(souk, stranger):
    def read(uri, server="support", **kw):
        return stranger.mcp("resources/read", {"uri": uri}, server=server, **kw)
    listed = {r["uri"] for r in stranger.mcp("resources/list", server="support").json["result"]["resources"]}
    assert {f"souk://policies/{n}" for n in ("return", "shipping", "payment", "terms", "privacy")} | {"souk://faq"} <= listed
    templates = {r["uriTemplate"] for r in stranger.mcp("resources/templates/list", server="support").json["result"]["resourceTemplates"]}
    assert {"souk://policies/{name}", "souk://faq/{category}"} <= templates
    for uri in ("souk://policies/return", "vivr://policies/return"):
        got = read(uri, headers={"Accept-Language": "en"}).json["result"]["contents"][0]
        body = json.loads(got["text"])
        assert got["uri"] == uri and body["name"] == "return" and any(p["code"] == "return-eu" and p["locale"] == "en" for p in body["policies"])
    everything = json.loads(read("souk://faq").json["result"]["contents"][0]["text"])
    some = json.loads(read("souk://faq/account").json["result"]["contents"][0]["text"])
    assert everything["total"] == 12 == len(everything["entries"]) and {e["category"] for e in some["entries"]} == {"account"}
    for bad in ("souk://policies/none", "souk://faq/none", "souk://policies/", "souk://faq/a/b"):
        assert "error" in read(bad).json
    assert "error" in read("souk://faq", server="analytics").json

    def complete(uri, name, value):
        return stranger.mcp("completion/complete", {"ref": {"type": "ref/resource", "uri": uri}, "argument": {"name": name, "value": value}}).json["result"]["completion"]["values"]
    assert complete("souk://policies/{name}", "name", "p") == ["privacy", "payment"] and complete("vivr://faq/{category}", "category", "PRO") == ["products"]


# ---- a return from the question to the money


def test_a_return_end_to_end(souk, shopper):
    number = shopper.new(units=3, discount=100)
    can = souk.call("check_refund_eligibility", {"orderId": number}, token=shopper.token).value
    assert can["eligible"] and can["refund"] == {"items": 29, "shipping": 5.9, "returnCost": 4.9, "total": 30} and can["items"][0]["returnable"] == 3
    asked = souk.client().call_once("open_return", {"orderId": number, "reason": "wrong_size"}, token=shopper.token)
    assert not asked.ok and f"Return goods of order {number} (wrong_size) for a refund?" in asked.message
    assert souk.call("list_returns", {"orderId": number}, token=shopper.token).value["total"] == 0, "nothing is done before the user agreed"
    made = souk.call("open_return", {"orderId": number, "reason": "wrong_size", "items": [{"orderItemId": can["items"][0]["orderItemId"], "quantity": 2}]},
                     token=shopper.token).value
    assert made["status"] == "APPROVED" and made["refund"]["total"] == 14.43 and made["refund"]["shipping"] == 0
    assert made["label"]["reference"] == made["returnNumber"] and made["label"]["to"]["country"] == "FR" and made["instructions"]
    assert souk.call("check_return_eligibility", {"orderId": number}, token=shopper.token).value["items"][0]["returnable"] == 1
    stock = int(souk.value(f"SELECT stock FROM shop.products WHERE id = {shopper.product}"))
    key = {"returnId": made["returnNumber"]}
    assert souk.call("decide_return", dict(key, action="receive"), token=souk.admin).value["refundBy"]
    assert int(souk.value(f"SELECT stock FROM shop.products WHERE id = {shopper.product}")) == stock + 2
    done = souk.call("decide_return", dict(key, action="refund"), token=souk.admin).value
    assert done["status"] == "REFUNDED" and [h["status"] for h in done["history"]] == ["REQUESTED", "APPROVED", "RECEIVED", "REFUNDED"]
    assert souk.value(f"SELECT sum(amount_minor) FROM shop.refunds WHERE order_id = {shopper.order_id(number)}") == "1443"
    again = souk.call("decide_return", dict(key, action="refund"), token=souk.admin)
    assert not again.ok and "REFUNDED" in again.message
    assert souk.value(f"SELECT count(*) FROM souk.outbox WHERE template = 'return_opened' AND data->>'returnNumber' = '{made['returnNumber']}'") == "1"


def test_parallel_returns_of_the_last_unit(souk, shopper):
    number, good, bad = shopper.new(units=2), [], []
    gate = threading.Barrier(8)

    def one():
        client = souk.client()
        gate.wait()
        got = client.call("open_return", {"orderId": number, "reason": "changed_mind", "items": [{"sku": "SRV", "quantity": 1}]}, token=shopper.token)
        (good if got.ok else bad).append(got)
        client.close()
    threads = [threading.Thread(target=one) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(good) == 2 and len(bad) == 6 and all("return" in b.message for b in bad), bad
    assert souk.value("SELECT sum(ri.quantity) FROM shop.return_items ri JOIN shop.returns r ON r.id = ri.return_id "
                      f"WHERE r.order_id = {shopper.order_id(number)}") == "2"


def test_another_customers_order_is_not_there(souk, shopper):
    number = shopper.new()
    made = souk.call("open_return", {"orderId": number, "reason": "other"}, token=shopper.token).value
    ticket = souk.call("create_support_ticket", {"subject": "Mine", "description": "Mine alone", "category": "order", "orderId": number}, token=shopper.token).value
    guest = support.sign(souk, "gst", souk.value(f"SELECT id FROM shop.orders WHERE number <> '{number}' ORDER BY id LIMIT 1"))
    for token in (shopper.other, guest):
        for name, args in (("check_refund_eligibility", {"orderId": number}), ("open_return", {"orderId": number, "reason": "other"}),
                           ("get_shipping_info", {"orderId": number}), ("get_return_policy", {"orderId": number}), ("list_returns", {"returnId": made["returnId"]}),
                           ("get_ticket_status", {"ticketId": ticket["ticketId"]}), ("reply_to_ticket", {"ticketId": ticket["ticketId"], "message": "x"}),
                           ("create_support_ticket", {"subject": "x", "description": "x", "category": "order", "orderId": number})):
            got, nothing = (souk.call(name, dict(args, **change), token=token) for change in ({}, {k: "987654321" for k in args if k.endswith("Id")}))
            assert not got.ok and got.message == nothing.message, (name, got)
        assert souk.call("find_order_for_support", {"orderNumber": number}, token=token).value == {"orders": [], "total": 0}
        for name, args in (("decide_return", {"returnId": made["returnId"], "action": "refund"}), ("update_ticket", {"ticketId": ticket["ticketId"], "status": "closed"})):
            assert souk.call(name, args, token=token).reply.status == 403


def test_a_guest_by_the_argument(souk, shopper, stranger):
    number = shopper.new(customer=False, email="guest@example.com")
    guest = support.sign(souk, "gst", shopper.order_id(number))
    assert souk.call("check_refund_eligibility", {"orderId": number, "guest": guest}).value["eligible"]
    made = stranger.call("open_return", {"orderId": number, "reason": "damaged", "guest": guest})
    assert made.ok and made.value["status"] == "REQUESTED" and made.value["returnCostPaidBy"] == "shop", made
    ticket = stranger.call("create_support_ticket", {"subject": "Photo", "description": "Here it is", "category": "return", "guest": guest}).value
    assert ticket["orderNumber"] == number
    assert stranger.call("get_ticket_status", {"ticketId": ticket["ticketNumber"], "guest": guest}).ok
    bad = stranger.call("check_refund_eligibility", {"orderId": number, "guest": guest[:-2] + "xx"})
    assert not bad.ok and bad.message.startswith("guest: not from this shop")


def test_staff_finds_orders_by_what_a_customer_says(souk, shopper):
    number = shopper.new(customer=False, email="Walk-In@Example.com")
    token = souk.token("support:read")
    for args in ({"email": "walk-in@example.COM"}, {"orderNumber": number.lower()}, {"orderNumber": number, "productName": "thing"}):
        assert number in [o["orderNumber"] for o in souk.call("find_order_for_support", args, token=token).value["orders"]], args
    assert souk.call("find_order_for_support", {"orderNumber": number, "productName": "100%"}, token=token).value["total"] == 0
    assert not souk.call("find_order_for_support", {}, token=token).ok


def test_tickets_and_a_person(souk, shopper):
    made = souk.call("vivr_create_support_ticket", {"subject": "Where?", "description": "Where is it?", "category": "shipping", "priority": "high"}, token=shopper.token).value
    key = {"ticketId": made["ticketNumber"]}
    souk.call("reply_to_ticket", dict(key, message="He called twice", internal=True), token=souk.admin)
    told = souk.call("reply_to_ticket", dict(key, message="Tomorrow"), token=souk.admin)
    assert told.ok, told
    seen = souk.call("get_ticket_status", key, token=shopper.token).value
    assert [m["text"] for m in seen["messages"]] == ["Where is it?", "Tomorrow"] and seen["status"] == "waiting"
    assert len(souk.call("get_ticket", key, token=souk.admin).value["messages"]) == 3
    conversation = support.unique("conv")
    first, again = (souk.call("escalate_to_human", {"reason": "Wants a person", "conversationId": conversation, "urgency": "high"}, token=shopper.token).value for _ in range(2))
    assert first["priority"] == "high" and first["ticketNumber"] == again["ticketNumber"] and again["alreadyEscalated"]
    assert souk.value(f"SELECT count(*) FROM shop.escalations WHERE conversation_id = '{conversation}'") == "1"
    assert souk.call("update_ticket", {"ticketId": first["ticketNumber"], "status": "solved"}, token=souk.admin).value["escalated"] is False


def test_a_repeated_key_opens_one_return(souk, shopper):
    """The same Idempotency-Key gives the same return again."""
    number, key = shopper.new(units=5), support.unique("key").replace(" ", "-")
    args = {"orderId": number, "reason": "other", "items": [{"sku": "SRV", "quantity": 1}]}
    first, again = (souk.call("open_return", args, token=shopper.token, headers={"Idempotency-Key": key}).value for _ in range(2))
    assert first["returnNumber"] == again["returnNumber"]
    assert souk.value(f"SELECT count(*) FROM shop.returns WHERE order_id = {shopper.order_id(number)}") == "1"


def test_a_confirmation_fits_other_spellings_of_the_same_call(souk, shopper):
    """The number in small letters, the arguments in another order; another order's number is another call."""
    number, other = shopper.new(), shopper.new()
    line = souk.value(f"SELECT i.id FROM shop.order_items i WHERE i.order_id = {shopper.order_id(number)}")
    client = souk.client()
    asked = client.call_once("open_return", {"reason": "other", "orderId": f" {number.lower()}", "items": [{"orderItemId": line, "quantity": 1}]}, token=shopper.token)
    mark = asked.message.split('"confirm": "')[1].rstrip('"')
    wrong = client.call_once("open_return", {"orderId": other, "reason": "other", "items": [{"orderItemId": line, "quantity": 1}], "confirm": mark}, token=shopper.token)
    assert not wrong.ok and wrong.message.startswith("confirm: "), wrong
    done = client.call_once("open_return", {"items": [{"quantity": 1, "orderItemId": line}], "orderId": number, "confirm": mark, "reason": "other"}, token=shopper.token)
    client.close()
    assert done.ok and done.value["orderNumber"] == number, done
