"""Eight clients order, pay, cancel and return while workers are killed, PostgreSQL restarts and Redis stops. Each writes down what was acknowledged and
repeats what was not, with the same key; afterwards that, the database and Stripe (played by tests/standins/stripe.py) are compared.

LEDGER_SECONDS tells for how long: 60 is a proof, the default is for every day.
"""
import collections
import os
import random
import signal
import threading
import time
import uuid

import pytest

import support
from standins.stripe import Stripe
from test_faults import start_postgresql, stop_all

SECONDS = int(os.environ.get("LEDGER_SECONDS", "12"))
CLIENTS = 8
PATIENCE = 120      # seconds after which a step that nobody acknowledges counts as lost
ADDRESS = {"line1": "1 rue des Essais", "postalCode": "75001", "city": "Paris", "country": "FR"}
# What a tool refuses for good; everything else is asked again.
FINAL = ("in stock", "cannot become", "cannot be cancelled", "expired")


@pytest.fixture(scope="module")
def stripe():
    with Stripe() as s:
        yield s


@pytest.fixture(scope="module")
def running(tmp_path_factory, stripe):
    home = tmp_path_factory.mktemp("ledger")
    os.chmod(home, 0o755)
    os.chmod(home.parent, 0o755)
    instance = support.Instance(home / "var", support.free_port(), demo="on", STRIPE_API_URL=stripe.url, STRIPE_SECRET_KEY=stripe.key,
                                STRIPE_WEBHOOK_SECRET=stripe.secret, RATE_DATA="off", RATE_MCP="off")
    try:
        instance.start()
        yield instance
    finally:
        instance.serve("purge", check=False)


class Refused(Exception):
    """A tool has said no, and why."""


class Buyer(threading.Thread):
    """One client: orders and what became of them, as it was told."""

    def __init__(self, target, stripe, products, stop):
        super().__init__(daemon=True)
        self.target, self.stripe, self.products, self.stop = target, stripe, products, stop
        self.orders = {}            # number -> what is the last that was acknowledged
        self.steps = collections.Counter()
        self.trouble, self.lost, self.refused = [], [], collections.Counter()
        self.random = random.Random(id(self))

    def step(self, name, args, token=None):
        """Call until it is acknowledged."""
        key, end = {"Idempotency-Key": str(uuid.uuid4())}, time.monotonic() + PATIENCE
        client = self.target.client(timeout=15)
        while True:
            why = None
            try:
                outcome = client.call(name, args, token=token, headers=key)
                if outcome.ok:
                    self.steps[name] += 1
                    client.close()
                    return outcome.value
                why = outcome.message
            except Exception as e:  # whatever a broken connection shows
                why = type(e).__name__
                client.close()
            if any(word in why for word in FINAL):
                self.refused[name] += 1
                client.close()
                raise Refused(why)
            self.trouble.append(f"{name}: {why}")
            if time.monotonic() > end:
                self.lost.append(f"{name} {args}: {why}")
                raise Refused(why)
            time.sleep(self.random.uniform(0.02, 0.3))

    def tell(self, event):
        """A webhook until it is acknowledged, sometimes twice."""
        end = time.monotonic() + PATIENCE
        for _ in range(self.random.choice((1, 1, 2))):
            while True:
                try:
                    if self.stripe.post(self.target, event).status == 200:
                        self.steps["webhook"] += 1
                        break
                except Exception as e:
                    self.trouble.append(f"webhook: {type(e).__name__}")
                if time.monotonic() > end:
                    self.lost.append(f"webhook {event['type']}")
                    return
                time.sleep(self.random.uniform(0.02, 0.3))

    def order(self):
        basket = {}
        for p in self.random.sample(self.products, self.random.choice((1, 2))):
            basket = {"basket": self.step("add_to_basket", {"productId": p, "quantity": self.random.choice((1, 1, 2)), **basket})["basket"]}
        link = self.step("get_payment_link", {**basket, "email": "ledger@example.org", "name": "L", "shippingAddress": ADDRESS, "method": "card"})
        self.orders[link["orderNumber"]] = "placed"
        return link

    def work(self):
        link = self.order()
        number, fate, admin = link["orderNumber"], self.random.random(), self.target.admin
        with self.stripe.lock:
            session = next(s for s in self.stripe.sessions.values() if s["url"] == link["paymentUrl"])
        if fate < 0.15:
            self.step("cancel_order", {"orderId": number, "reason": "unpaid"}, admin)
            self.orders[number] = "cancelled"
            return
        if fate < 0.2:
            return      # walks away
        self.tell(self.stripe.pay(session["id"]))
        self.orders[number] = "paid"
        if fate < 0.4:
            self.step("cancel_order", {"orderId": number, "reason": "paid"}, admin)
            self.orders[number] = "refund"
        elif fate < 0.7:
            self.step("ship_order", {"orderId": number, "carrier": "DHL", "trackingNumber": f"L{number}"}, admin)
            self.orders[number] = "shipped"
            self.step("mark_delivered", {"orderId": number}, admin)
            self.orders[number] = "delivered"
            self.give_back(number, admin)

    def give_back(self, number, admin):
        back = self.step("open_return", {"orderId": number, "reason": "changed_mind"}, admin)
        for action, status in (("approve", "REQUESTED"), ("receive", "APPROVED"), ("refund", "RECEIVED")):
            if back["status"].upper() == status:
                back = self.step("decide_return", {"returnId": back["returnNumber"], "action": action}, admin)
        self.orders[number] = "returned" if back["status"].upper() in ("REFUNDED", "RECEIVED") else f"return {back['status']}"

    def run(self):
        while not self.stop.is_set():
            try:
                self.work()
            except Refused:
                pass


def disturb(running, seconds):
    """Every second two workers die; one third in PostgreSQL is cut off and started again; two thirds in Redis stops for a while."""
    began, cut, paused = time.monotonic(), False, None
    kills = 0
    while (now := time.monotonic() - began) < seconds:
        victims = running.workers()
        stop_all(victims[:2], signal.SIGKILL)
        kills += len(victims[:2])
        if not cut and now > seconds / 3:
            postmaster = running.pid("postgresql")
            os.kill(postmaster, signal.SIGQUIT)
            support.wait_until(lambda: not support.executable(postmaster))
            start_postgresql(running)
            cut = True
        if paused is None and now > seconds * 2 / 3:
            stop_all([running.pid("redis")], signal.SIGSTOP)
            paused = now
        if paused and now > paused + min(5, seconds / 6):
            stop_all([running.pid("redis")], signal.SIGCONT)
            paused = 0
        time.sleep(1)
    stop_all([running.pid("redis")], signal.SIGCONT)
    return kills


def rows(target, sql):
    return support.wait_until(lambda: target.sql(sql) or [[]], 30)


def test_nothing_is_lost_or_doubled(running, stripe):
    target = running.target
    ids = [r[0] for r in target.sql(
        "INSERT INTO shop.products (sku, slug, name, price_minor, stock, category_id) SELECT 'LEDGER-' || n, 'ledger-' || n, 'Ledger ' || n, 500 + n * 37, "
        "CASE WHEN n <= 3 THEN 5 ELSE 2000 END, (SELECT min(id) FROM shop.categories) FROM generate_series(1, 12) n RETURNING id")]
    first = target.value("SELECT coalesce(max(id), 0) FROM shop.orders")
    stop = threading.Event()
    buyers = [Buyer(target, stripe, ids, stop) for _ in range(CLIENTS)]
    for b in buyers:
        b.start()
    kills = disturb(running, SECONDS)
    support.wait_until(lambda: sum(len(b.orders) for b in buyers) >= SECONDS)
    stop.set()
    for b in buyers:
        b.join(PATIENCE + 30)
    assert not any(b.is_alive() for b in buyers), "a client hangs"
    assert not [x for b in buyers for x in b.lost], [x for b in buyers for x in b.lost][:5]
    support.wait_until(lambda: target.get("/readyz").status == 200, 30)
    target.sql("UPDATE souk.outbox SET next_at = now() WHERE status = 'waiting'; UPDATE shop.payment_events SET next_at = now() WHERE processed_at IS NULL")
    target.souk("deliver", "--quiet", timeout=300)
    told = {n: what for b in buyers for n, what in b.orders.items()}
    steps = sum((b.steps for b in buyers), collections.Counter())
    print(f"\n{len(told)} orders, steps {dict(steps)}, {sum(len(b.trouble) for b in buyers)} repeated, {kills} workers killed, refused "
          f"{dict(sum((b.refused for b in buyers), collections.Counter()))}, {collections.Counter(told.values())}")
    assert not stripe.problems, stripe.problems[:5]
    check_orders(target, told, first)
    check_money(target, stripe, first)
    check_stock(target, ids, first)
    check_messages(target, first)


def check_orders(target, told, first):
    """No acknowledged step is lost, no order is there that nobody was told of."""
    there = {r[0]: r[1:] for r in rows(target, f"SELECT number, status, payment_status FROM shop.orders WHERE id > {first}")}
    assert set(there) == set(told), (set(there) ^ set(told))
    fits = {"placed": {"PENDING"}, "cancelled": {"CANCELLED"}, "paid": {"PAID"}, "refund": {"CANCELLED"}, "shipped": {"SHIPPED"}, "delivered": {"DELIVERED"}}
    wrong = [(n, what, there[n]) for n, what in told.items() if there[n][0] not in fits.get(what, {"DELIVERED"})]
    assert not wrong, wrong[:5]
    unpaid = [(n, what, there[n]) for n, what in told.items() if what not in ("placed", "cancelled") and there[n][1] in ("open", "none", "failed")]
    assert not unpaid, unpaid[:5]
    left = [(n, there[n]) for n, what in told.items() if what == "refund" and there[n][1] != "refunded"]
    assert not left, left[:5]
    keyed = rows(target, "SELECT count(*), count(DISTINCT number) FROM shop.orders")[0]
    assert keyed[0] == keyed[1]


def check_money(target, stripe, first):
    """What Stripe has taken and given back is what the shop has written down, order by order."""
    assert rows(target, f"SELECT count(*) FROM shop.orders WHERE id > {first} AND total_minor <> subtotal_minor - discount_minor + shipping_minor") == [["0"]]
    ours = {r[0]: (int(r[1]), int(r[2])) for r in rows(target, "SELECT p.intent_id, p.paid_minor, p.refunded_minor FROM shop.payments p "
                                                          f"WHERE p.order_id > {first} AND p.paid_at IS NOT NULL")}
    theirs = {k: (i["amount"], i["amount_refunded"]) for k, i in stripe.intents.items()}
    assert ours == theirs, {k: (ours.get(k), theirs.get(k)) for k in set(ours) | set(theirs) if ours.get(k) != theirs.get(k)}
    refunds = rows(target, f"SELECT coalesce(sum(amount_minor), 0), count(*) FROM shop.refunds WHERE order_id > {first} AND state = 'succeeded'")[0]
    assert [int(x) for x in refunds] == [sum(r["amount"] for r in stripe.refunds.values()), len(stripe.refunds)]
    assert rows(target, f"SELECT count(*) FROM shop.refunds WHERE order_id > {first} AND state <> 'succeeded'") == [["0"]]
    doubled = rows(target, f"SELECT order_id FROM shop.payments WHERE order_id > {first} AND paid_at IS NOT NULL GROUP BY 1 HAVING count(*) > 1")
    assert doubled == [[]], doubled
    assert rows(target, "SELECT count(*) FROM shop.payment_events WHERE processed_at IS NULL") == [["0"]]


def check_stock(target, ids, first):
    """Each line has left the stock once, and has come back at most once; what is there is what was there and what moved."""
    assert rows(target, "SELECT count(*) FROM shop.stock_moves WHERE stock < 0") == [["0"]]
    some = ", ".join(ids)
    assert rows(target, f"SELECT count(*) FROM shop.products p WHERE id IN ({some}) AND stock < 0") == [["0"]]
    off = rows(target, "SELECT p.id, p.stock FROM shop.products p LEFT JOIN shop.stock_moves m ON m.product_id = p.id "
               f"WHERE p.id IN ({some}) GROUP BY p.id HAVING p.stock <> (CASE WHEN p.price_minor <= 611 THEN 5 ELSE 2000 END) + coalesce(sum(m.delta), 0)")
    assert off == [[]], off
    out = rows(target, "SELECT o.number, i.product_id FROM shop.orders o JOIN shop.order_items i ON i.order_id = o.id LEFT JOIN shop.stock_moves m "
               f"ON m.order_id = o.id AND m.product_id = i.product_id WHERE o.id > {first} GROUP BY o.id, i.id HAVING "
               "count(*) FILTER (WHERE m.delta = -i.quantity) <> 1 OR count(*) FILTER (WHERE m.delta > 0) > 1 OR count(m.id) > 2 "
               "OR (o.status = 'CANCELLED') <> (coalesce(sum(m.delta), 0) = 0) AND o.status <> 'DELIVERED'")
    assert out == [[]], out[:5]


def check_messages(target, first):
    """Each message about each order once."""
    doubled = rows(target, "SELECT template, data->>'orderId', count(*) FROM souk.outbox WHERE template IN ('order_confirmation', 'payment_received', "
                   "'order_cancelled', 'order_shipped', 'order_delivered') GROUP BY 1, 2 HAVING count(*) > 1")
    assert doubled == [[]], doubled[:5]
    for template, which in (("payment_received", "paid_at IS NOT NULL"), ("order_cancelled", "status = 'CANCELLED'"), ("order_shipped", "shipped_at IS NOT NULL")):
        counts = rows(target, f"SELECT (SELECT count(*) FROM shop.orders WHERE id > {first} AND {which}), (SELECT count(*) FROM souk.outbox "
                      f"WHERE template = '{template}' AND (data->>'orderId')::bigint > {first})")[0]
        assert counts[0] == counts[1], (template, counts)
