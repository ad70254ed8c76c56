"""Customer service in SQL: which policy holds, what a return is worth to the minor unit, who may do what, and that two at once cannot do it twice."""
import datetime
import json
import random
import re
import subprocess
import threading

import pytest
from conftest import SqlError, literal, migrate

EU = ["FR", "DE", "ES"]
LABEL = {"allowed": True, "days": 14, "automatic": True, "label": True, "returnCost": 4.9, "currency": "EUR", "returnCostPaidBy": "customer"}
DEFECT = {"days": 730, "label": True, "returnCostPaidBy": "shop"}


def said(title):
    return {"en": {"title": title, "text": title + " in full"}, "fr": {"title": title, "text": title + " en entier", "instructions": "Emballez."}}


POLICIES = [
    {"code": "eu", "name": "return", "countries": EU, "texts": said("EU"), "withdrawal": LABEL, "defect": DEFECT},
    {"code": "world", "name": "return", "texts": said("World"), "withdrawal": {"days": 30, "shippingRefunded": "never", "condition": "unused"}},
    {"code": "heavy", "name": "return", "countries": EU, "category": "tables", "texts": said("Heavy"), "withdrawal": dict(LABEL, returnCost=39)},
    {"code": "measure", "name": "return", "appliesTo": "made_to_measure", "texts": said("Measure"),
     "withdrawal": {"allowed": False, "exception": "made_to_measure"}},
    {"code": "generous", "name": "return", "countries": EU, "texts": said("Generous"), "validFrom": "2031-01-01", "withdrawal": dict(LABEL, days=100)},
]


class Service:
    """A small shop of its own."""

    def __init__(self, db):
        self.db = db
        self.n = 0
        self.lock = threading.Lock()
        migrate(db)
        db.run("INSERT INTO shop.categories (id, slug, name) VALUES (1, 'lamps', 'Lamps'), (2, 'tables', 'Tables');"
               "INSERT INTO shop.products (id, sku, slug, name, category_id, price_minor, stock, attributes) VALUES (1, 'LAMP', 'lamp', 'Lamp', 1, 1000, 5, '{}'),"
               " (2, 'TABLE', 'table', 'Table', 2, 20000, 5, '{}'), (3, 'CURTAIN', 'curtain', 'Curtain', 1, 5000, 5, '{\"returnException\": \"made_to_measure\"}'),"
               " (4, 'SHIRT', 'shirt', 'Shirt', 1, 3000, 0, '{}');"
               "INSERT INTO shop.product_variants (id, product_id, sku, stock) VALUES (41, 4, 'SHIRT-S', 2), (42, 4, 'SHIRT-L', 3);"
               "SET souk.kind = 'system'; INSERT INTO shop.customers (id, email, name, locale) SELECT i, 'c' || i || '@example.org', 'C' || i, 'en' "
               "FROM generate_series(1, 9) i;")
        report = self.load("policies", POLICIES)
        assert report == {"created": len(POLICIES), "updated": 0, "removed": 0, "errors": []}, report

    def load(self, what, entries, everything=True):
        return json.loads(self.db.value(f"SET souk.kind = 'system'; SELECT shop.service_import('{what}', {literal(json.dumps({what: entries}))}, {everything})"))

    def order(self, lines, customer=1, discount=0, shipping=590, days_ago=3, country="FR", status="DELIVERED", paid=False, email=None, placed=None):
        """lines: (product, quantity, unit price in minor units, variant)"""
        with self.lock:
            self.n += 1
            number = f"O-{self.n}"
        subtotal = sum(q * price for _, q, price, *_ in lines)
        total = subtotal - discount + shipping
        rows = ", ".join(f"((SELECT id FROM o), {p}, {more[0] if more else 'NULL'}, {price}, {price * q}, {q}, {i}, "
                         f"'{['', 'LAMP', 'TABLE', 'CURTAIN', 'SHIRT'][p]}{'-' + str(more[0]) if more else ''}', 'Thing')"
                         for i, (p, q, price, *more) in enumerate(lines))
        arrived = f"now() - interval '{days_ago} days'" if status == "DELIVERED" else "NULL"
        self.db.run(
            "SET souk.kind = 'system'; WITH o AS (INSERT INTO shop.orders (number, customer_id, email, subtotal_minor, discount_minor, shipping_minor, "
            "total_minor, status, delivered_at, created_at, shipping_address) VALUES "
            f"('{number}', {customer or 'NULL'}, {literal(email)}, {subtotal}, {discount}, {shipping}, {total}, '{status}', {arrived}, "
            f"{literal(placed) if placed else 'now() - interval ' + literal(f'{days_ago + 2} days')}, "
            f"'{{\"country\": \"{country}\"}}') RETURNING id), p AS (INSERT INTO shop.payments (order_id, amount_minor, paid_minor, paid_at, provider, state, currency, "
            f"reference) SELECT id, {total}, {total}, now(), 'bank_transfer', 'paid', 'EUR', '{number}' FROM o WHERE {paid}) "
            "INSERT INTO shop.order_items (order_id, product_id, variant_id, unit_price_minor, total_minor, quantity, position, sku, name) "
            f"VALUES {rows}")
        return number

    def call(self, function, args, kind="customer", customer=1, order="", visitor=""):
        """As a program would: the web role and the settings of the speaker, in one transaction."""
        speak = (f"SET LOCAL ROLE maker_web; SET LOCAL souk.kind = '{kind}'; SET LOCAL souk.customer_id = '{customer if kind == 'customer' else ''}'; "
                 f"SET LOCAL souk.order_id = '{order}'; SET LOCAL souk.visitor = '{visitor}'; SET LOCAL souk.locale = 'en';")
        text = self.db.value(f"BEGIN; {speak} SELECT {function}({literal(json.dumps(args))}::jsonb) \\g /dev/stdout\nCOMMIT;")
        return json.loads(text) if text else None

    def open(self, number, items=None, reason="changed_mind", **kw):
        return self.call("shop.return_open", dict({"orderId": number, "reason": reason}, **({"items": items} if items else {})), **kw)

    def decide(self, made, action, **more):
        return self.call("shop.return_decide", dict({"returnId": made["returnNumber"], "action": action}, **more), kind="staff")

    def order_id(self, number):
        return self.db.value(f"SET souk.kind = 'system'; SELECT id FROM shop.orders WHERE number = '{number}'")

    def system(self, query):
        return self.db.value("SET souk.kind = 'system'; " + query)


@pytest.fixture(scope="module")
def service(cluster):
    return Service(cluster.database("maker"))


def refused(state, work, *args, **kw):
    with pytest.raises(SqlError) as e:
        work(*args, **kw)
    assert e.value.state == state, e.value
    return e.value.message


def minor(amount):
    return round(amount * 100)


# ---- money


def test_a_whole_order_gives_everything_back_but_the_label(service):
    number = service.order([(1, 2, 1000), (4, 1, 3000, 41)], discount=501, shipping=590)
    made = service.open(number)
    assert made["refund"] == {"items": 44.99, "shipping": 5.9, "returnCost": 4.9, "deduction": 0, "total": 45.99}
    assert made["status"] == "APPROVED" and made["returnCostPaidBy"] == "customer" and made["label"] == {"reference": made["returnNumber"]}
    assert sum(minor(i["refund"]) for i in made["items"]) == 4499


def test_a_part_gives_no_costs_of_delivery_until_the_rest_comes(service):
    number = service.order([(1, 3, 1000)], discount=100, shipping=590)
    parts = [service.open(number, [{"sku": "LAMP", "quantity": 1}]) for _ in range(3)]
    assert [minor(p["refund"]["items"]) for p in parts] == [966, 967, 967]
    assert [p["refund"]["shipping"] for p in parts] == [0, 0, 5.9]
    assert refused("SK409", service.open, number) == "nothing of the order can be returned: all units were returned already"


def test_however_it_is_cut_the_parts_add_up(service):
    """Random orders, returned in random portions, some refused on the way: the sum is what was paid, never more on the way."""
    rng = random.Random(5)
    for _ in range(5):
        lines = [(1, rng.randint(1, 7), rng.choice([1, 3, 99, 1000, 33333])), (2, rng.randint(1, 3), rng.choice([1, 7, 20001])), (4, rng.randint(1, 5), 333, 42)]
        subtotal = sum(q * p for _, q, p, *_ in lines)
        discount = rng.choice([0, 1, subtotal // 3, subtotal - 1, subtotal])
        number = service.order(lines, discount=discount, shipping=rng.choice([0, 590]))
        left, paid = {"LAMP": lines[0][1], "TABLE": lines[1][1], "SHIRT-42": lines[2][1]}, 0
        while any(left.values()):
            want = {s: rng.randint(0, n) for s, n in left.items() if n}
            items = [{"sku": s, "quantity": n} for s, n in want.items() if n]
            if not items:
                continue
            made = service.open(number, items, reason="damaged")
            assert minor(made["refund"]["items"]) == sum(minor(i["refund"]) for i in made["items"])
            if made["status"] == "REQUESTED" and rng.random() < 0.3:
                service.decide(made, "refuse")
                continue
            for s, n in want.items():
                left[s] -= n
            paid += minor(made["refund"]["items"])
            assert paid <= subtotal - discount
        assert paid == subtotal - discount


def test_the_law_of_the_buyers_country(service):
    number = service.order([(1, 1, 1000)], country="US", shipping=2000)
    made = service.open(number)
    assert made["status"] == "REQUESTED" and made["refund"]["total"] == 10 and "label" not in made and made["refund"]["returnCost"] == 0
    assert refused("SK409", service.open, service.order([(1, 1, 1000)], country="US"), reason="damaged").endswith("no return policy covers it")


def test_the_dearest_label_of_a_mixed_parcel(service):
    made = service.open(service.order([(1, 1, 1000), (2, 1, 20000)]))
    assert made["refund"]["returnCost"] == 39 and made["refund"]["total"] == 210 + 5.9 - 39


def test_a_label_never_costs_more_than_the_goods(service):
    made = service.open(service.order([(2, 1, 100), (1, 1, 5000)], shipping=0), [{"sku": "TABLE"}])
    assert made["refund"] == {"items": 1, "shipping": 0, "returnCost": 1, "deduction": 0, "total": 0}


def test_an_imported_order_gives_no_more_than_was_paid(service):
    number = service.order([(1, 2, 1000)], shipping=0)
    service.system(f"UPDATE shop.orders SET total_minor = 700 WHERE number = '{number}'")
    assert service.open(number, [{"sku": "LAMP", "quantity": 1}], reason="defective")["refund"]["total"] == 7
    assert service.open(number, reason="defective")["refund"]["total"] == 0


# ---- periods and exceptions


def test_the_period_ends_on_a_working_day(service):
    for days in range(7):
        number = service.order([(1, 1, 1000)], days_ago=days)
        got = service.call("shop.return_eligibility", {"orderId": number})
        arrived = datetime.date.fromisoformat(service.system(f"SELECT (delivered_at AT TIME ZONE 'UTC')::date FROM shop.orders WHERE number = '{number}'"))
        end = arrived + datetime.timedelta(14)
        end += datetime.timedelta({5: 2, 6: 1}.get(end.weekday(), 0))
        assert got["deadline"] == str(end) and got["eligible"] and end.weekday() < 5


@pytest.mark.parametrize("days,reason,good", [(13, "changed_mind", True), (17, "changed_mind", False), (17, "defective", True), (733, "defective", False)])
def test_too_late(service, days, reason, good):
    number = service.order([(1, 1, 1000)], days_ago=days)
    got = service.call("shop.return_eligibility", {"orderId": number, "reason": reason})
    assert got["eligible"] is good and got.get("code") == (None if good else "too_late")
    if good:
        assert service.open(number, reason=reason)["ground"] == ("defect" if reason == "defective" else "withdrawal")
    else:
        assert "the return period is over" in refused("SK409", service.open, number, reason=reason)


def test_a_policy_holds_for_orders_of_its_time(service):
    number = service.order([(1, 1, 1000)], days_ago=3, placed="2031-02-03")
    assert service.call("shop.return_eligibility", {"orderId": number})["daysLeft"] > 90


def test_an_exception_leaves_defects_alone(service):
    number = service.order([(3, 1, 5000), (1, 1, 1000)])
    got = {i["sku"]: i for i in service.call("shop.return_eligibility", {"orderId": number})["items"]}
    assert got["CURTAIN"]["code"] == "made_to_measure" and not got["CURTAIN"]["eligible"] and got["LAMP"]["eligible"]
    assert "made to the buyer's specifications" in refused("SK409", service.open, number, [{"sku": "CURTAIN"}])
    assert [i["sku"] for i in service.open(number)["items"]] == ["LAMP"], "all that may come back"
    assert service.open(number, [{"sku": "CURTAIN"}], reason="damaged")["status"] == "REQUESTED"


@pytest.mark.parametrize("status,code", [("PENDING", "not_delivered"), ("SHIPPED", "not_delivered"), ("CANCELLED", "order_cancelled")])
def test_what_was_not_delivered_cannot_come_back(service, status, code):
    number = service.order([(1, 1, 1000)], status=status)
    assert service.call("shop.return_eligibility", {"orderId": number})["code"] == code
    refused("SK409", service.open, number)


def test_lines_are_named_exactly(service):
    number = service.order([(1, 2, 1000)])
    for items, state, word in (([{"quantity": 1}], "SK400", "items[0]: orderItemId, productId or sku"), ([{"sku": "NO"}], "SK404", "items[0]"),
                               ([{"sku": "LAMP"}, {"productId": "1"}], "SK400", "items[1]: the line LAMP was named before"),
                               ([{"sku": "LAMP", "quantity": 3}], "SK409", "items[0].quantity: only 2 of LAMP")):
        assert word in refused(state, service.open, number, items)
    assert "reason: one of changed_mind" in refused("SK400", service.open, number, reason="none")
    assert service.system(f"SELECT count(*) FROM shop.returns WHERE order_id = {service.order_id(number)}") == "0"


# ---- two at once


def at_once(work, times):
    """Run it in as many sessions as given; the results and the states of the refusals."""
    good, bad, gate = [], [], threading.Barrier(times)

    def one(i):
        gate.wait()
        try:
            good.append(work(i))
        except SqlError as e:
            bad.append(e.state)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(times)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return good, bad


@pytest.mark.parametrize("units", [1, 5])
def test_units_are_returned_once_however_many_ask(service, units):
    number = service.order([(1, units, 1000), (4, 1, 1, 41)], discount=333)
    good, bad = at_once(lambda i: service.open(number, [{"sku": "LAMP", "quantity": 1}]), 12)
    assert len(good) == units and bad == ["SK409"] * (12 - units)
    assert service.system(f"SELECT sum(quantity) FROM shop.return_items ri JOIN shop.returns r ON r.id = ri.return_id WHERE r.order_id = {service.order_id(number)}") == str(units)


def test_nobody_writes_past_what_was_delivered(service):
    made = service.open(service.order([(1, 1, 1000)]))
    with pytest.raises(SqlError) as e:
        service.system(f"UPDATE shop.return_items SET quantity = 2 WHERE return_id = {made['returnId']}")
    assert e.value.state == "SK409"


def test_of_two_decisions_one_wins(service):
    made = service.open(service.order([(1, 1, 1000)], country="US"))
    good, bad = at_once(lambda i: service.decide(made, "approve" if i % 2 else "refuse"), 8)
    assert [r["status"] in ("APPROVED", "REFUSED") for r in good] in ([True], [True, True]) and set(bad) == {"SK409"}
    history = [h["status"] for h in service.call("shop.return_list", {"returnId": made["returnNumber"]})["returns"][0]["history"]]
    assert history in (["REQUESTED", "REFUSED"], ["REQUESTED", "APPROVED", "REFUSED"])


# ---- the way of a return


def stock(service):
    return service.db.rows("SELECT (SELECT stock FROM shop.products WHERE id = 1), (SELECT stock FROM shop.products WHERE id = 4), "
                           "(SELECT stock FROM shop.product_variants WHERE id = 42)")[0]


def test_received_goods_go_back_on_the_shelf_once(service):
    made = service.open(service.order([(1, 2, 1000), (4, 1, 3000, 42)], paid=True))
    before = [int(x) for x in stock(service)]
    got = service.decide(made, "receive")
    assert got["status"] == "RECEIVED" and [i["restocked"] for i in got["items"]] == [2, 1] and got["refundBy"]
    assert [int(x) for x in stock(service)] == [before[0] + 2, before[1] + 1, before[2] + 1]
    assert "cannot be changed by receive" in refused("SK409", service.decide, made, "receive")
    assert [int(x) for x in stock(service)] == [before[0] + 2, before[1] + 1, before[2] + 1]
    assert service.system(f"SELECT sum(delta) FROM shop.stock_moves WHERE reason = 'return {made['returnNumber']}'") == "3"


def test_what_is_refused_after_all_leaves_the_shelf_again(service):
    made = service.open(service.order([(1, 2, 1000)]))
    before = stock(service)
    service.decide(made, "receive")
    got = service.decide(made, "refuse", note="Used")
    assert stock(service) == before and got["items"][0]["restocked"] == 0
    made = service.open(service.order([(1, 2, 1000)]))
    service.decide(made, "receive")
    service.system("UPDATE shop.products SET stock = 1 WHERE id = 1")
    assert "not enough units" in refused("SK409", service.decide, made, "refuse")
    service.system(f"UPDATE shop.products SET stock = {before[0]} WHERE id = 1")


def test_defective_goods_stay_off_the_shelf_unless_staff_says_so(service):
    for restock, back in ((None, 0), (True, 1)):
        made = service.open(service.order([(1, 1, 1000)]), reason="defective")
        service.decide(made, "approve")
        got = service.decide(made, "receive", **({} if restock is None else {"restock": restock}))
        assert got["items"][0]["restocked"] == back


def test_the_refund_is_asked_for_once_and_less_what_was_lost(service):
    number = service.order([(1, 2, 1000)], paid=True)
    made = service.open(number)
    service.decide(made, "receive")
    assert "more than the items are worth" in refused("SK400", service.decide, made, "refund", deduction=20.01)
    got = service.decide(made, "refund", deduction=3.5, note="Scratched")
    assert got["status"] == "REFUNDED" and got["refund"] == {"items": 20, "shipping": 5.9, "returnCost": 4.9, "deduction": 3.5, "total": 17.5}
    refused("SK409", service.decide, made, "refund")
    rows = service.db.rows(f"SET souk.kind = 'system'; SELECT amount_minor, currency, dedupe FROM shop.refunds WHERE order_id = {service.order_id(number)}")
    assert rows == [["1750", "EUR", f"return:{made['returnNumber']}"]]


def test_what_went_back_already_is_not_promised_again(service):
    number = service.order([(1, 2, 1000)], paid=True)
    service.system(f"SELECT shop.refund_request({service.order_id(number)}, 1500, 'goodwill', 'staff:goodwill')")
    made = service.open(number)
    assert made["refund"] == {"items": 10.9, "shipping": 0, "returnCost": 4.9, "deduction": 0, "total": 6}
    service.decide(made, "receive")
    assert service.decide(made, "refund")["refund"]["total"] == 6


def test_what_was_not_paid_through_souk_is_refunded_by_hand(service):
    made = service.open(service.order([(1, 1, 1000)]))
    service.decide(made, "receive")
    assert service.decide(made, "refund")["status"] == "REFUNDED"
    assert service.system(f"SELECT count(*) FROM souk.alerts WHERE kind = 'refund' AND message LIKE '%{made['returnNumber']}%'") == "1"


def test_refused_units_may_come_again(service):
    number = service.order([(1, 1, 1000)], country="US")
    service.decide(service.open(number), "refuse", note="Used")
    again = service.open(number)
    assert again["refund"]["total"] == 10 and again["status"] == "REQUESTED"
    assert refused("SK409", service.decide, again, "refund").endswith("cannot be changed by refund")


def test_who_returns_may_give_it_up_until_it_has_arrived(service):
    number = service.order([(1, 1, 1000)])
    made = service.open(number)
    cancel = {"returnId": made["returnNumber"], "action": "cancel"}
    refused("SK404", service.call, "shop.return_decide", cancel, customer=3)
    assert service.call("shop.return_decide", cancel)["status"] == "CANCELLED"
    made = service.open(number)
    service.decide(made, "receive")
    assert "cannot be changed by cancel" in refused("SK409", service.call, "shop.return_decide", dict(cancel, returnId=made["returnNumber"]))


def test_readers_of_policies_and_questions_are_told_of_changes(service):
    def told(change):
        out = subprocess.run(["psql", "-X", "-q", "-d", service.db.url], input=f"LISTEN souk_changes;\n{change};\nSELECT 1;", stdout=subprocess.PIPE, text=True, check=True)
        return set(re.findall(r'payload "([^"]+)"', out.stdout))
    assert told("UPDATE shop.policy_texts SET title = title") == told("UPDATE shop.return_rules SET days = days") == {"souk://policies/*"}
    assert told("UPDATE shop.faqs SET position = position") == {"souk://faq", "souk://faq/*"}


def test_everybody_is_told(service):
    def told(made):
        return service.db.rows("SET souk.kind = 'system'; SELECT template, recipient, locale, CASE WHEN template = 'return_decided' THEN data->>'accepted' END, data->>'refund', "
                               "data->>'reason' FROM souk.outbox "
                               f"WHERE data->>'returnNumber' = '{made['returnNumber']}' ORDER BY id")
    to = ["c2@example.org", "en"]
    made = service.open(service.order([(1, 1, 1000)], customer=2, country="US"), customer=2)
    for action in ("approve", "receive", "refund"):
        service.decide(made, action)
    refund = told(made)[0][4]
    assert "10.00" in refund and told(made) == [["return_opened", *to, "", refund, ""], ["return_decided", *to, "true", refund, ""], ["refund_sent", *to, "", refund, ""]]
    made = service.open(service.order([(1, 1, 1000)], customer=2), customer=2)
    service.decide(made, "receive")
    service.decide(made, "refuse", note="Burnt")
    assert [(r[0], r[3], r[4] != "", r[5]) for r in told(made)] == [
        ("return_opened", "", True, ""), ("return_decided", "true", True, ""), ("return_decided", "false", False, "Burnt")]


# ---- whose


OTHERS = [dict(kind="customer", customer=3), dict(kind="guest", order="999"), dict(kind="visitor", visitor="v" * 16), dict(kind="anonymous"), dict(kind="nonsense")]


@pytest.mark.parametrize("other", OTHERS, ids=lambda o: o["kind"])
def test_what_is_not_theirs_is_not_there(service, other):
    number = service.order([(1, 1, 1000), (2, 1, 100)])
    made = service.open(number, [{"sku": "LAMP"}])
    ticket = service.call("shop.ticket_open", {"subject": "S", "description": "D", "category": "order", "orderId": number})
    assert refused("SK404", service.open, number, **other) == "orderId: there is no such order"
    assert refused("SK404", service.open, service.order_id(number), **other) == "orderId: there is no such order"
    refused("SK404", service.call, "shop.return_eligibility", {"orderId": number}, **other)
    refused("SK404", service.call, "shop.return_list", {"returnId": made["returnNumber"]}, **other)
    refused("SK404", service.call, "shop.return_list", {"orderId": number}, **other)
    refused("SK404", service.call, "shop.ticket_reply", {"ticketId": ticket["ticketNumber"], "message": "x"}, **other)
    refused("SK403", service.call, "shop.return_decide", {"returnId": made["returnNumber"], "action": "refund"}, **other)
    refused("SK403", service.call, "shop.ticket_update", {"ticketId": ticket["ticketNumber"], "status": "closed"}, **other)
    assert service.call("shop.return_list", {}, **other)["total"] == 0
    assert service.call("shop.support_orders", {"orderNumber": number}, **other) == {"orders": [], "total": 0}
    assert all(t["ticketNumber"] != ticket["ticketNumber"] for t in service.call("shop.ticket_list", {}, **other)["tickets"])


def test_the_web_role_reads_and_never_writes(service):
    number = service.order([(1, 1, 1000)])
    made = service.open(number)
    for statement in ("INSERT INTO shop.returns (order_id, items_minor, refund_minor, number, currency, reason, ground, cost_paid_by, label) "
                      f"VALUES ({service.order_id(number)}, 0, 0, 'X', 'EUR', 'other', 'withdrawal', 'shop', false)",
                      f"UPDATE shop.returns SET refund_minor = 99999 WHERE id = {made['returnId']}", "UPDATE shop.tickets SET status = 'open'",
                      "UPDATE shop.return_rules SET days = 999", "DELETE FROM shop.policies", "UPDATE shop.faq_texts SET answer = 'x'",
                      "INSERT INTO shop.ticket_messages (ticket_id, author, body) VALUES (1, 'staff', 'x')"):
        with pytest.raises(SqlError) as e:
            service.db.run(f"SET ROLE maker_web; SET souk.kind = 'customer'; SET souk.customer_id = '1'; {statement}")
        assert e.value.state == "42501", statement


def test_a_guest_returns_the_order_that_they_have_proven(service):
    number, other = (service.order([(1, 2, 1000)], customer=None, email="guest@example.com") for _ in range(2))
    guest = dict(kind="guest", order=service.order_id(number))
    made = service.open(number, [{"sku": "LAMP", "quantity": 1}], **guest)
    assert made["orderNumber"] == number
    refused("SK404", service.open, other, **guest)
    ticket = service.call("shop.ticket_open", {"subject": "S", "description": "D", "category": "return"}, **guest)
    assert ticket["orderNumber"] == number
    assert service.call("shop.ticket_list", {}, **guest)["total"] == 1 and service.call("shop.return_list", {}, **guest)["total"] == 1
    rows = service.db.rows("SET souk.kind = 'system'; SELECT template, recipient FROM souk.outbox WHERE recipient = 'guest@example.com' ORDER BY id")
    assert rows == [["return_opened", "guest@example.com"], ["ticket_created", "guest@example.com"]]


# ---- tickets


def test_a_ticket_goes_back_and_forth(service):
    t = service.call("shop.ticket_open", {"subject": "Where?", "description": "Where is it?", "category": "shipping", "priority": "high"}, customer=4)
    assert t["status"] == "open" and [m["author"] for m in t["messages"]] == ["customer"]
    mine, key = dict(customer=4), {"ticketId": t["ticketNumber"]}
    service.call("shop.ticket_reply", dict(key, message="Lost, I think", internal=True), kind="staff")
    seen = service.call("shop.ticket_reply", dict(key, message="On its way"), kind="staff")
    assert seen["status"] == "waiting" and [m["text"] for m in seen["messages"]] == ["Where is it?", "Lost, I think", "On its way"]
    back = service.call("shop.ticket_reply", dict(key, message="Thanks"), **mine)
    assert back["status"] == "open" and [m["text"] for m in back["messages"]] == ["Where is it?", "On its way", "Thanks"]
    assert refused("SK403", service.call, "shop.ticket_reply", dict(key, message="x", internal=True), **mine) == "internal: is for staff"
    assert service.db.rows(f"SET ROLE maker_web; SET souk.kind = 'customer'; SET souk.customer_id = '4'; SELECT count(*) FROM shop.ticket_messages "
                           f"WHERE ticket_id = {t['ticketId']}") == [["3"]]
    done = service.call("shop.ticket_update", dict(key, status="closed", assignedTo="Dana"), kind="staff")
    assert done["status"] == "closed" and done["assignedTo"] == "Dana" and done["solvedAt"]
    assert "is closed" in refused("SK409", service.call, "shop.ticket_reply", dict(key, message="x"), **mine)
    rows = service.db.rows(f"SET souk.kind = 'system'; SELECT template, data->>'message' FROM souk.outbox WHERE data->>'ticketNumber' = '{t['ticketNumber']}' ORDER BY id")
    assert rows == [["ticket_created", "Where is it?"], ["ticket_reply", "On its way"]]


def test_a_visitor_needs_an_address_and_sees_their_own(service):
    """A visitor writes as the guest that contact_open makes of them."""
    me, other = dict(kind="guest", visitor="contact:" + "a" * 16), dict(kind="guest", visitor="contact:" + "b" * 16)
    ask = {"subject": "S", "description": "D", "category": "other"}
    assert "log in first" in refused("SK401", service.call, "shop.ticket_open", ask, kind="visitor", visitor="a" * 16)
    t = service.call("shop.ticket_open", dict(ask, email="v@example.org"), **me)
    assert service.call("shop.ticket_list", {}, **me)["total"] == 1 and service.call("shop.ticket_list", {}, **other)["total"] == 0
    refused("SK404", service.call, "shop.ticket_reply", {"ticketId": t["ticketNumber"], "message": "x"}, **other)
    assert "log in first" in refused("SK401", service.call, "shop.ticket_open", dict(ask, email="v@example.org"), kind="anonymous")


def test_nobody_floods_the_shop(service):
    for n in range(2):
        service.system("INSERT INTO shop.tickets (customer_id, number, subject, opened_by, created_at) SELECT 5, shop.service_number('TKT'), 'S', 'customer', "
                       f"now() - interval '{25 - 24 * n} hours' FROM generate_series(1, {40 - 21 * n})")
        if n == 0:
            service.call("shop.ticket_open", {"subject": "S", "description": "D", "category": "other"}, customer=5)
    assert "twenty tickets" in refused("SK429", service.call, "shop.ticket_open", {"subject": "S", "description": "D", "category": "other"}, customer=5)


def test_a_conversation_is_handed_over_once(service):
    first = service.call("shop.escalate", {"reason": "Angry", "conversationId": "conv-1", "priority": "high"}, customer=6)
    again = service.call("shop.escalate", {"reason": "Very angry", "conversationId": "conv-1"}, customer=6)
    assert not first["alreadyEscalated"] and again["alreadyEscalated"] and first["ticketNumber"] == again["ticketNumber"] and first["position"] >= 1
    stranger = service.call("shop.escalate", {"reason": "Me too", "conversationId": "conv-1", "priority": "low"}, customer=7)
    assert stranger["ticketNumber"] != first["ticketNumber"] and stranger["position"] == first["position"] + 1
    urgent = service.call("shop.escalate", {"reason": "Fire", "priority": "urgent"}, customer=7)
    assert urgent["position"] == 1
    service.call("shop.ticket_reply", {"ticketId": first["ticketNumber"], "message": "Here I am"}, kind="staff")
    taken = service.call("shop.escalate", {"reason": "Angry", "conversationId": "conv-1"}, customer=6)
    assert taken["status"] == "taken" and "position" not in taken


def test_a_service_hands_over_a_conversation_with_nobody_known(service):
    made = service.call("shop.escalate", {"reason": "Asks for a person", "conversationId": "conv-9"}, kind="service")
    assert made["ticketNumber"] and service.call("shop.escalate", {"reason": "Again", "conversationId": "conv-9"}, kind="service")["alreadyEscalated"]
    assert service.call("shop.ticket_list", {}, kind="visitor", visitor="conv-9")["total"] == 0
    assert refused("SK400", service.call, "shop.escalate", {"reason": "Whose?"}, kind="service").startswith("email: is needed")


def test_one_hand_over_of_a_conversation_however_many_ask(service):
    good, bad = at_once(lambda i: service.call("shop.escalate", {"reason": "Help", "conversationId": "conv-2"}, customer=8), 8)
    assert bad == [] and len({g["ticketNumber"] for g in good}) == 1 and sorted(g["alreadyEscalated"] for g in good) == [False] + [True] * 7


@pytest.mark.parametrize("moment,is_open", [("2026-11-20 10:00+01", True), ("2026-11-20 08:59+01", False), ("2026-11-20 18:00+01", False), ("2026-11-21 10:00+01", False)])
def test_hours(service, moment, is_open):
    hours = json.dumps({"days": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00", "timezone": "Europe/Paris"})
    service.db.run(f"INSERT INTO souk.settings (key, value) VALUES ('support.hours', '{hours}') ON CONFLICT (key) DO NOTHING")
    assert service.db.value(f"SELECT shop.support_open('{moment}')") == ("t" if is_open else "f")


# ---- documents


def test_what_is_exported_can_be_imported(service):
    faqs = [{"code": "a", "category": "returns", "position": 3, "active": True, "texts": {"en": {"question": "Q?", "answer": "A.", "keywords": "k"}, "fr": {"question": "F ?", "answer": "R."}}}]
    assert service.load("faqs", faqs)["created"] == 1
    for what in ("policies", "faqs"):
        first = service.db.value(f"SELECT json_build_array(shop.service_export('{what}'))")
        report = service.load(what, json.loads(json.loads(first)[0])[what])
        assert report["errors"] == [] and report["created"] == report["removed"] == 0 and report["updated"] > 0
        assert service.db.value(f"SELECT json_build_array(shop.service_export('{what}'))") == first
    assert json.loads(json.loads(first)[0])["faqs"] == faqs


BAD = [
    ({"code": "Bad Code"}, "policies[0].code"), ({"name": "refund"}, "policies[0].name: one of return"), ({"countries": ["France"]}, "policies[0].countries"),
    ({"category": "no-such"}, "policies[0].category: there is no category no-such"), ({"validFrom": "2026-02-30"}, "policies[0].validFrom: there is no such day"),
    ({"validFrom": "tomorrow"}, "policies[0].validFrom"), ({"validFrom": "2026-02-02", "validTo": "2026-02-01"}, "policies[0].validTo"),
    ({"texts": {}}, "policies[0].texts"), ({"texts": {"english": {}}}, "policies[0].texts.english"), ({"texts": {"en": {"title": "x"}}}, "policies[0].texts.en.text"),
    ({"withdrawal": {"days": -1}}, "policies[0].withdrawal.days"), ({"withdrawal": {"dayz": 14}}, "unknown member dayz"), ({"withdrawal": {}}, "policies[0].withdrawal.days: is missing"),
    ({"withdrawal": {"days": 14, "allowed": False}}, "policies[0].withdrawal.exception"), ({"withdrawal": {"days": 14, "label": "yes"}}, "policies[0].withdrawal.label"),
    ({"withdrawal": {"days": 14, "currency": "euro"}}, "policies[0].withdrawal.currency"), ({"withdrawal": 5}, "policies[0].withdrawal"), ({"surprise": 1}, "unknown member surprise"),
    ({"details": []}, "policies[0].details"), ({"name": "terms"}, "policies[0]: withdrawal and defect belong"),
]


@pytest.mark.parametrize("change,told", BAD, ids=lambda b: json.dumps(b)[:50])
def test_a_bad_entry_is_told_and_the_good_one_kept(service, change, told):
    good = {"code": "fine", "name": "return", "texts": said("Fine"), "countries": ["NZ"], "withdrawal": {"days": 14}}
    before = service.db.value("SELECT count(*) FROM shop.policies WHERE code <> 'fine'")
    report = service.load("policies", [dict(good, code="bad", **{k: v for k, v in change.items() if k != "code"}) if "code" not in change else dict(good, **change), good])
    assert len(report["errors"]) == 1 and told in report["errors"][0] and report["removed"] == 0, report
    assert service.db.value("SELECT count(*) FROM shop.policies WHERE code IN ('bad', 'fine')") == "1"
    assert service.db.value("SELECT count(*) FROM shop.policies WHERE code <> 'fine'") == before
    service.db.run("DELETE FROM shop.policies WHERE code = 'fine'")
