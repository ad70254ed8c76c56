"""Orders after they were placed: which step may follow which, who may take it, what it leaves behind."""
import itertools
import json
import threading

import pytest
from conftest import SqlError, files, text

STATUSES = ["PENDING", "PROCESSING", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"]
ALLOWED = {("PENDING", "PROCESSING"), ("PENDING", "PAID"), ("PENDING", "CANCELLED"), ("PROCESSING", "PAID"), ("PROCESSING", "SHIPPED"),
           ("PROCESSING", "CANCELLED"), ("PAID", "PROCESSING"), ("PAID", "SHIPPED"), ("PAID", "CANCELLED"), ("SHIPPED", "DELIVERED")}
STAFF = "SET souk.kind = 'staff'; "
ALL = "SET souk.kind = 'system'; "


@pytest.fixture(scope="module")
def orders(cluster):
    """A shop of two customers, with a product that has 10 units, and a variant that has 4."""
    from conftest import migrate
    db = cluster.database("maker")
    migrate(db)
    db.run(ALL + "INSERT INTO shop.customers (id, email, name) VALUES (1, 'one@example.org', 'One'), (2, 'two@example.org', 'Two');"
           "INSERT INTO shop.products (id, sku, slug, name, price_minor, stock) VALUES (1, 'A', 'a', 'A', 1000, 10), (2, 'B', 'b', 'B', 2000, 0);"
           "INSERT INTO shop.product_variants (id, product_id, sku, stock) VALUES (1, 2, 'B1', 4);")
    return db


numbers = itertools.count(1)


def place(db, status="PENDING", customer=1, taken=((1, "NULL", 2),)):
    """An order; taken: product, variant, units taken out of stock."""
    who = "NULL" if customer is None else customer
    order = db.value(ALL + "INSERT INTO shop.orders (customer_id, email, total_minor, number, status, paid_at) VALUES "
                     f"({who}, {'NULL' if customer else repr('guest@example.org')}, 2000, 'N{next(numbers)}', '{status}', "
                     f"{'now()' if status == 'PAID' else 'NULL'}) RETURNING id")
    for product, variant, n in taken:
        db.run(ALL + "INSERT INTO shop.order_items (order_id, product_id, variant_id, unit_price_minor, total_minor, quantity, sku, name, stock_taken) "
               f"VALUES ({order}, {product}, {variant}, 1000, {n * 1000}, {n}, 'A', 'A', {n})")
    return order


def move(db, order, to, speak=STAFF, reason="NULL"):
    return db.value(f"SET ROLE maker_web; {speak} SELECT status FROM shop.order_move({order}, '{to}', {reason}, NULL)")


def state_of(db, what):
    with pytest.raises(SqlError) as e:
        what()
    return e.value.state


def customer(n):
    return f"SET souk.kind = 'customer'; SET souk.customer_id = '{n}'; "


def test_only_the_steps_of_the_table_are_possible(orders):
    """Each status to each: the ten steps of the table are taken, all others refused and leave nothing."""
    orders.run(ALL + "INSERT INTO shop.orders (total_minor, number, status) SELECT 1, was || '>' || becomes, was "
               f"FROM unnest('{{{','.join(STATUSES)}}}'::text[]) was, unnest('{{{','.join(STATUSES)},LOST}}'::text[]) becomes")
    orders.run("SET souk.kind = 'staff'; DO $$ DECLARE o record; BEGIN FOR o IN SELECT * FROM shop.orders WHERE number LIKE '%>%' LOOP "
               "BEGIN PERFORM shop.order_move(o.id, split_part(o.number, '>', 2), NULL, NULL); EXCEPTION WHEN SQLSTATE 'SK409' THEN NULL; END; END LOOP; END $$")
    rows = orders.rows(ALL + "SELECT number, status, (SELECT count(*) FROM shop.order_events e WHERE e.order_id = o.id) FROM shop.orders o WHERE number LIKE '%>%'")
    assert len(rows) == 42
    for number, status, events in rows:
        was, becomes = number.split(">")
        assert (status, events) == ((becomes, "1") if (was, becomes) in ALLOWED else (was, "0")), number


def test_a_step_leaves_who_when_from_to_and_why(orders):
    order = place(orders)
    move(orders, order, "PAID", reason="'bank transfer'")
    move(orders, order, "SHIPPED")
    assert orders.rows(f"{ALL} SELECT kind, from_status, to_status, actor_kind, actor, reason, created_at <= clock_timestamp() "
                       f"FROM shop.order_events WHERE order_id = {order} ORDER BY id") == [
        ["status", "PENDING", "PAID", "staff", "staff", "bank transfer", "t"], ["status", "PAID", "SHIPPED", "staff", "staff", "", "t"]]
    assert orders.rows(f"{ALL} SELECT paid_at IS NOT NULL, shipped_at IS NOT NULL, delivered_at IS NULL FROM shop.orders WHERE id = {order}") == [["t"] * 3]


def test_the_actor_is_the_tokens_name(orders):
    orders.run("INSERT INTO souk.tokens (id, name, hash) VALUES ('warehouse1', 'warehouse', '') ON CONFLICT DO NOTHING")
    order = place(orders)
    move(orders, order, "PROCESSING", STAFF + "SET souk.token_id = 'warehouse1'; ")
    assert orders.value(f"{ALL} SELECT actor FROM shop.order_events WHERE order_id = {order}") == "warehouse"
    orders.run("INSERT INTO souk.oauth_clients (id, kind, auth_method, name) VALUES ('client-one', 'registered', 'none', 'Assistant'); "
               "INSERT INTO souk.oauth_grants (staff_id, kind, client_id, name, resource, scopes) VALUES (1, 'staff', 'client-one', 'Ada', 'x', '{*}'); "
               "INSERT INTO souk.tokens (id, name, hash, grant_id) SELECT 'assist001', 'Assistant', '', id FROM souk.oauth_grants")
    move(orders, order, "SHIPPED", STAFF + "SET souk.token_id = 'assist001'; ")
    assert orders.value(f"{ALL} SELECT actor FROM shop.order_events WHERE order_id = {order} ORDER BY id DESC LIMIT 1") == "Ada by Assistant"


def test_cancelling_puts_back_what_was_taken_and_nothing_else(orders):
    before = orders.rows("SELECT stock FROM shop.products ORDER BY id")
    order = place(orders, taken=((1, "NULL", 3), (2, 1, 2)))
    orders.run(f"{ALL} INSERT INTO shop.order_items (order_id, product_id, unit_price_minor, total_minor, quantity, sku, name) "
               f"VALUES ({order}, 1, 1000, 5000, 5, 'A', 'A')")
    move(orders, order, "CANCELLED", customer(1), reason="'changed my mind'")
    after = orders.rows("SELECT stock FROM shop.products ORDER BY id")
    assert [int(a[0]) - int(b[0]) for a, b in zip(after, before)] == [3, 2]
    assert orders.value(f"{ALL} SELECT sum(stock_taken) FROM shop.order_items WHERE order_id = {order}") == "0"
    assert orders.rows(f"SELECT product_id, delta, reason, actor FROM shop.stock_moves WHERE order_id = {order} ORDER BY 1") == [
        ["1", "3", "cancelled", "customer:1"], ["2", "2", "cancelled", "customer:1"]]
    assert orders.value(f"{ALL} SELECT cancel_reason FROM shop.orders WHERE id = {order}") == "changed my mind"


def test_customers_cancel_their_own_and_take_no_other_step(orders):
    mine, other, shipped = place(orders), place(orders, customer=2), place(orders, "SHIPPED")
    for to in ("PAID", "PROCESSING"):
        assert state_of(orders, lambda t=to: move(orders, mine, t, customer(1))) == "SK403"
    assert state_of(orders, lambda: move(orders, other, "CANCELLED", customer(1))) == "SK404"
    assert state_of(orders, lambda: move(orders, shipped, "CANCELLED", customer(1))) == "SK409"
    for kind in ("anonymous", "visitor", ""):
        assert state_of(orders, lambda k=kind: move(orders, mine, "CANCELLED", f"SET souk.kind = '{k}'; ")) == "SK404"
    assert move(orders, mine, "CANCELLED", customer(1)) == "CANCELLED"


def test_foreign_orders_are_refused_to_whom_row_level_security_does_not_hold(cluster, orders):
    """Functions run as the database's owner, who may be a superuser or have BYPASSRLS: they ask themselves whose order it is."""
    other = place(orders, customer=2)
    cluster.admin.run("ALTER ROLE maker BYPASSRLS")
    try:
        assert state_of(orders, lambda: move(orders, other, "CANCELLED", customer(1))) == "SK404"
        for call in ("shop.order_cancel('{\"orderId\": \"%s\"}')", "shop.order_write('{\"orderId\": \"%s\", \"message\": \"x\"}')"):
            assert state_of(orders, lambda: orders.value(f"SET ROLE maker_web; {customer(1)} SELECT {call % other}")) == "SK404", call
            assert orders.value(f"SET ROLE maker_web; {customer(2)} SELECT {call % other} IS NULL") == "f", call
            other = place(orders, customer=2)
    finally:
        cluster.admin.run("ALTER ROLE maker NOBYPASSRLS")


def test_of_cancel_and_ship_at_once_one_wins(orders):
    before = int(orders.value("SELECT stock FROM shop.products WHERE id = 1"))
    won, lost = [], []
    both = threading.Barrier(2)

    def run(order, to, speak):
        both.wait(30)
        try:
            won.append((order, move(orders, order, to, speak)))
        except SqlError as e:
            lost.append((order, e.state))

    made = [place(orders, "PAID", taken=((1, "NULL", 1),)) for _ in range(8)]
    for order in made:
        pair = [threading.Thread(target=run, args=(order, "CANCELLED", customer(1))), threading.Thread(target=run, args=(order, "SHIPPED", STAFF))]
        for t in pair:
            t.start()
        for t in pair:
            t.join()
    assert sorted(o for o, _ in won) == made and sorted(lost) == [(o, "SK409") for o in made]
    back = sum(1 for _, to in won if to == "CANCELLED")
    assert int(orders.value("SELECT stock FROM shop.products WHERE id = 1")) == before + back
    assert orders.value(f"{ALL} SELECT count(*) FROM shop.order_events WHERE order_id = ANY ('{{{','.join(made)}}}')") == "8"


def test_the_second_waits_for_the_first(orders):
    """The same without luck: the first holds its transaction open."""
    order = place(orders, "PAID")
    first = threading.Thread(target=orders.run, args=(
        f"BEGIN; SET LOCAL souk.kind = 'staff'; SELECT shop.order_move({order}, 'SHIPPED', NULL, NULL); SELECT pg_sleep(2); COMMIT;",))
    first.start()
    for _ in range(200):
        if orders.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%order_move%' AND wait_event = 'PgSleep'") != "0":
            break
    assert state_of(orders, lambda: move(orders, order, "CANCELLED", customer(1))) == "SK409"
    first.join()
    assert orders.value(f"{ALL} SELECT status FROM shop.orders WHERE id = {order}") == "SHIPPED"


def test_events_and_messages_are_seen_by_whoever_sees_the_order(orders):
    mine, other = place(orders), place(orders, customer=2)
    for order in (mine, other):
        move(orders, order, "PAID")
        orders.run(f"{ALL} INSERT INTO shop.order_messages (order_id, from_shop, author, body) VALUES ({order}, true, 'x', 'Hello')")
    for table in ("shop.order_events", "shop.order_messages"):
        seen = orders.rows(f"SET ROLE maker_web; {customer(1)} SELECT count(*) FILTER (WHERE order_id = {mine}) > 0, "
                           f"count(*) FILTER (WHERE order_id = {other}) FROM {table}")
        assert seen == [["t", "0"]], table
        assert orders.value(f"SET ROLE maker_web; SET souk.kind = 'visitor'; SELECT count(*) FROM {table}") == "0"


@pytest.mark.parametrize("statement", [
    "UPDATE shop.orders SET status = 'PAID'", "INSERT INTO shop.order_events (order_id, actor_kind, actor) VALUES (1, 'x', 'x')",
    "INSERT INTO shop.order_messages (order_id, from_shop, author, body) VALUES (1, true, 'x', 'x')", "SELECT shop.stock_add(1, NULL, 1, 'x', NULL)",
    "SELECT shop.order_restock(1, 'x')", "SELECT souk.audit_note('x', 'x', NULL)", "SELECT * FROM shop.stock_moves", "SELECT * FROM souk.uploads",
    "UPDATE shop.order_transitions SET customer = true"])
def test_the_web_role_writes_through_functions_only(orders, statement):
    assert state_of(orders, lambda: orders.run("SET ROLE maker_web; SET souk.kind = 'system'; " + statement)) == "42501"


# ---- the tools, as each kind of speaker

def tool(db, name, args, kind="staff", who="", read_only=None):
    """As Db.tool; write tools in a transaction that may write."""
    contract = json.loads(text(files("tools", "*", name + ".json")[0]))
    return db.tool(name, args, kind=kind, customer=who, read_only=contract["annotations"]["readOnlyHint"] if read_only is None else read_only)


def refused(what):
    with pytest.raises(SqlError) as e:
        what()
    return e.value.state, e.value.message


def own_and_foreign(shop):
    me, order, number = shop.rows("SET souk.kind = 'system'; SELECT customer_id, id, number FROM shop.orders WHERE customer_id IS NOT NULL AND status = 'DELIVERED' LIMIT 1")[0]
    foreign = shop.value(f"SET souk.kind = 'system'; SELECT id FROM shop.orders WHERE customer_id <> {me} LIMIT 1")
    return me, order, number, foreign


READS = [("get_order_status", "orderId"), ("get_order_items", "orderId"), ("estimate_delivery", "orderId"), ("track_shipment", "orderId"),
         ("get_order_history", "orderId"), ("customer_orders_read", "order_id"), ("customer_orders_history", "order_id")]


@pytest.mark.parametrize("name,member", READS)
def test_foreign_orders_look_like_missing_ones(shop, name, member):
    me, order, number, foreign = own_and_foreign(shop)
    mine = tool(shop, name, {member: order}, "customer", me)
    assert mine and mine == tool(shop, name, {member: number}, "customer", me)
    assert json.dumps(tool(shop, name, {member: order}), sort_keys=True) == json.dumps(dict(mine), sort_keys=True)
    for kind, who in (("customer", me), ("anonymous", ""), ("visitor", ""), ("guest", "")):
        assert tool(shop, name, {member: foreign}, kind, who) is None, kind
    assert tool(shop, name, {member: "no such order"}) is None


def test_status_needs_a_name_and_both_must_fit(shop):
    me, order, number, foreign = own_and_foreign(shop)
    assert refused(lambda: tool(shop, "get_order_status", {}))[0] == "SK400"
    assert tool(shop, "get_order_status", {"orderId": order, "orderNumber": number.lower()})["id"] == order
    assert tool(shop, "get_order_status", {"orderId": foreign, "orderNumber": number}) is None


def test_a_customer_is_compared_with_who_asks(shop):
    me, order, number, _ = own_and_foreign(shop)
    other = str(int(me) % 300 + 1)
    for name, member in (("get_user_orders", "userId"), ("customer_orders_list", "customer_id")):
        mine = tool(shop, name, {member: me}, "customer", me)
        assert mine == tool(shop, name, {member: "me"}, "customer", me) == tool(shop, name, {member: me})
        for kind, who in (("customer", me), ("guest", ""), ("anonymous", "")):
            assert refused(lambda k=kind, w=who: tool(shop, name, {member: other}, k, w)) == ("SK403", f"{member}: is not you")
        assert tool(shop, name, {member: other})["orders"] is not None
        assert refused(lambda: tool(shop, name, {member: "x' OR true"}))[0] == "SK404"


def test_orders_are_searched(shop):
    everything = tool(shop, "search_orders", {"limit": 50})
    assert everything["total"] == int(shop.value("SET souk.kind = 'system'; SELECT count(*) FROM shop.orders"))
    times = [o["createdAt"] for o in everything["orders"]]
    assert times == sorted(times, reverse=True) and everything["nextCursor"]
    some = tool(shop, "search_orders", {"dateFrom": "2025-01-01", "dateTo": "2025-01-31", "minTotal": 100.5, "maxTotal": 300, "status": "DELIVERED", "limit": 50})
    assert some["total"] > 5 and all(100.5 <= o["total"] <= 300 and o["createdAt"][:7] == "2025-01" and o["status"] == "DELIVERED" for o in some["orders"])
    assert str(some["total"]) == shop.value("SET souk.kind = 'system'; SELECT count(*) FROM shop.orders WHERE status = 'DELIVERED' AND created_at >= '2025-01-01Z' "
                                            "AND created_at < '2025-02-01Z' AND total_minor BETWEEN 10050 AND 30000")
    me, order, number, _ = own_and_foreign(shop)
    assert [o["id"] for o in tool(shop, "search_orders", {"query": number})["orders"]] == [order]
    mail = shop.value(f"SET souk.kind = 'system'; SELECT upper(email) FROM shop.customers WHERE id = {me}")
    assert tool(shop, "search_orders", {"query": mail})["total"] == tool(shop, "get_user_orders", {"userId": me})["total"]
    assert tool(shop, "search_orders", {"query": "%"})["total"] == 0
    assert tool(shop, "search_orders", {}, "customer", me)["total"] == tool(shop, "get_user_orders", {"userId": me})["total"]
    assert refused(lambda: tool(shop, "search_orders", {"dateFrom": "2025-02-01", "dateTo": "2025-01-01"}))[0] == "SK400"
    assert refused(lambda: tool(shop, "search_orders", {"cursor": "o1"}))[1].startswith("cursor")


def test_history_of_old_orders_comes_from_their_times(shop):
    me, order, number, _ = own_and_foreign(shop)
    steps = tool(shop, "get_order_history", {"orderId": order})["history"]
    assert [s["status"] for s in steps] == ["PENDING", "PAID", "SHIPPED", "DELIVERED"]


def test_customer_and_shop_write_to_each_other(orders):
    order = place(orders)
    assert tool(orders, "send_order_message", {"orderId": order, "message": " Where is it? "}, "customer", "1")["from"] == "customer"
    assert refused(lambda: tool(orders, "send_order_message", {"orderId": order, "message": " \n"}, "customer", "1"))[0] == "SK400"
    assert refused(lambda: tool(orders, "send_order_message", {"orderId": order, "message": "Mine?"}, "customer", "2"))[0] == "SK404"
    assert refused(lambda: tool(orders, "answer_order_message", {"orderId": order, "message": "I am the shop"}, "customer", "1"))[0] == "SK403"
    assert refused(lambda: tool(orders, "list_order_messages", {}, "customer", "1"))[0] == "SK403"
    waiting = tool(orders, "list_order_messages", {})
    assert [(m["orderId"], m["message"]) for m in waiting["messages"]][-1] == (order, "Where is it?")
    answer = tool(orders, "answer_order_message", {"orderId": order, "message": "Tomorrow"})
    assert answer["from"] == "shop" and tool(orders, "list_order_messages", {})["total"] == waiting["total"] - 1
    told = tool(orders, "get_order_history", {"orderId": order}, "customer", "1")["messages"]
    assert [(m["from"], m["message"], "readAt" in m, "author" in m) for m in told] == [
        ("customer", "Where is it?", True, False), ("shop", "Tomorrow", False, False)]
    mail = orders.rows(f"{ALL} SELECT template, recipient, data->>'message' FROM souk.outbox WHERE dedupe = 'order_message:{answer['id']}'")
    assert mail == [["order_message", "one@example.org", "Tomorrow"]]


def test_a_history_stays_of_a_size_to_be_sent(orders):
    order = place(orders)
    orders.run(f"{ALL} INSERT INTO shop.order_messages (order_id, from_shop, author, body) SELECT {order}, true, 'x', repeat('é', 4000) FROM generate_series(1, 60)")
    kept = tool(orders, "get_order_history", {"orderId": order})["messages"]
    assert len(kept) == 7 and kept[-1]["id"] == orders.value(f"{ALL} SELECT max(id) FROM shop.order_messages")


def test_a_customer_cannot_flood_the_shop(orders):
    order = place(orders)
    orders.run(f"{ALL} INSERT INTO shop.order_messages (order_id, from_shop, author, body) SELECT {order}, false, 'customer:1', 'x' FROM generate_series(1, 20)")
    assert refused(lambda: tool(orders, "send_order_message", {"orderId": order, "message": "x"}, "customer", "1"))[0] == "SK429"


def test_an_order_is_shipped_tracked_and_delivered(orders):
    order = place(orders, "PAID")
    orders.run(f"{ALL} UPDATE shop.orders SET shipping_address = '{{\"country\": \"FR\", \"postcode\": \"75011\"}}' WHERE id = {order}")
    for name in ("ship_order", "add_tracking_event", "mark_delivered", "set_order_status", "refund_order", "preview_refund"):
        args = {"orderId": order, "carrier": "dhl", "trackingNumber": "JD0001", "status": "SHIPPED"}
        known = json.loads(text(files("tools", "*", name + ".json")[0]))["inputSchema"]["properties"]
        assert refused(lambda n=name, a={k: v for k, v in args.items() if k in known}: tool(orders, n, a, "customer", "1"))[0] == "SK403", name
    sent = tool(orders, "ship_order", {"orderId": order, "carrier": "COLISSIMO", "trackingNumber": "6a 123 456"})
    parcel = sent["shipments"][0]
    assert sent["status"] == "SHIPPED" and (parcel["carrier"], parcel["trackingNumber"]) == ("Colissimo", "6A123456")
    assert parcel["trackingUrl"] == "https://www.laposte.fr/outils/suivre-vos-envois?code=6A123456" and parcel["estimatedAt"] > parcel["shippedAt"]
    assert refused(lambda: tool(orders, "ship_order", {"orderId": order, "carrier": "dhl", "trackingNumber": "6A123456"}))[0] == "SK409"
    two = tool(orders, "ship_order", {"orderId": order, "carrier": "My own van", "trackingNumber": "VAN-1"})
    assert [(s["carrier"], "trackingUrl" in s) for s in two["shipments"]] == [("Colissimo", True), ("My own van", False)]
    assert refused(lambda: tool(orders, "mark_delivered", {"orderId": order}))[0] == "SK400"
    assert refused(lambda: tool(orders, "mark_delivered", {"orderId": order, "trackingNumber": "NO-SUCH"}))[0] == "SK404"
    one = tool(orders, "add_tracking_event", {"orderId": order, "trackingNumber": "VAN-1", "status": "OUT_FOR_DELIVERY", "place": "Lyon"})
    assert one["status"] == "SHIPPED" and one["shipments"][1]["status"] == "OUT_FOR_DELIVERY"
    assert tool(orders, "mark_delivered", {"orderId": order, "trackingNumber": "VAN-1"})["status"] == "SHIPPED"
    assert refused(lambda: tool(orders, "add_tracking_event", {"orderId": order, "trackingNumber": "VAN-1", "status": "IN_TRANSIT"}))[0] == "SK409"
    assert tool(orders, "mark_delivered", {"orderId": order})["status"] == "DELIVERED"
    assert refused(lambda: tool(orders, "mark_delivered", {"orderId": order}))[0] == "SK409"
    way = tool(orders, "track_shipment", {"orderId": order}, "customer", "1")["shipments"][1]["events"]
    assert [(e["status"], e.get("place")) for e in way] == [("picked_up", None), ("out_for_delivery", "Lyon"), ("delivered", None)]
    told = orders.rows(f"{ALL} SELECT template, recipient FROM souk.outbox WHERE dedupe LIKE '%:{order}' ORDER BY id")
    assert told == [["order_shipped", "one@example.org"], ["order_delivered", "one@example.org"]]
    assert orders.rows("SELECT action, actor FROM souk.audit WHERE target = (SELECT 'N' || max(substr(target, 2)::integer) FROM souk.audit WHERE action = 'order.ship') "
                       "ORDER BY seq")[:2] == [["order.ship", "staff"], ["order.ship", "staff"]]


def test_refunds_are_previewed_and_never_more_than_was_paid(orders):
    order = place(orders, "PAID", taken=((1, "NULL", 1),))
    assert tool(orders, "preview_refund", {"orderId": order})["refundable"] == 0
    assert refused(lambda: tool(orders, "refund_order", {"orderId": order}))[0] == "SK409"
    orders.run(f"{ALL} INSERT INTO shop.payments (order_id, amount_minor, paid_minor, paid_at, provider, state, currency, reference) "
               f"VALUES ({order}, 2000, 2000, now(), 'bank_transfer', 'paid', 'EUR', 'R{order}')")
    seen = tool(orders, "preview_refund", {"orderId": order, "amount": 5.25})
    assert (seen["paid"], seen["refundable"], seen["amount"], seen["possible"], seen["byHand"], seen["cancels"]) == (20, 20, 5.25, True, True, False)
    assert tool(orders, "preview_refund", {"orderId": order})["cancels"] is True
    part = {"orderId": order, "amount": 5.25, "reason": "scratched", "operationId": "op-1"}
    first, again = tool(orders, "refund_order", part), tool(orders, "refund_order", part)
    assert first == again and (first["amount"], first["state"], first["refundable"]) == (5.25, "manual", 14.75)
    assert refused(lambda: tool(orders, "refund_order", {**part, "amount": 6}))[0] == "SK409", "the id stands for that refund"
    assert tool(orders, "refund_order", {**part, "operationId": "op", "amount": 0.25})["amount"] == 0.25, "ids may begin with another"
    other = tool(orders, "refund_order", {**part, "operationId": "op-1:x", "amount": 0.5})
    assert (other["amount"], tool(orders, "refund_order", part)["refundId"]) == (0.5, first["refundId"])
    assert refused(lambda: tool(orders, "refund_order", {"orderId": order, "amount": 14.01}))[0] == "SK409"
    assert refused(lambda: tool(orders, "refund_order", {"orderId": order, "amount": 1.234}))[0] == "SK400"
    assert tool(orders, "preview_refund", {"orderId": order})["pending"] == 6
    assert tool(orders, "cancel_order", {"orderId": order}, "customer", "1")["refundRequested"] is True
    assert tool(orders, "preview_refund", {"orderId": order})["refundable"] == 0
    assert orders.value(f"{ALL} SELECT sum(amount_minor) FROM shop.refunds WHERE order_id = {order}") == "2000"


# ---- when a parcel arrives

def test_easter_and_its_holidays(shop):
    for year, day in ((2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2027, "2027-03-28"), (2038, "2038-04-25"), (2285, "2285-03-22")):
        assert shop.value(f"SELECT shop.easter({year})") == day
    holidays = {"FR": ["2026-01-01", "2026-04-06", "2026-05-14", "2026-05-25", "2026-07-14", "2026-12-25"], "DE": ["2026-04-03", "2026-10-03"],
                "GB": ["2026-05-04", "2026-05-25", "2026-08-31"], "US": ["2026-11-26", "2026-09-07"]}
    for land, days in holidays.items():
        for day in days:
            assert shop.value(f"SELECT shop.is_holiday('{land}', '{day}')") == "t", (land, day)
    for land, day in (("FR", "2026-04-03"), ("FR", "2026-12-26"), ("GB", "2026-05-11"), ("DE", "2026-07-14"), ("US", "2026-11-19")):
        assert shop.value(f"SELECT shop.is_holiday('{land}', '{day}')") == "f", (land, day)


@pytest.mark.parametrize("start,days,saturday,end", [
    ("2026-12-23", 2, False, "2026-12-28"),  # Christmas Day is a Friday
    ("2026-12-23", 2, True, "2026-12-26"), ("2026-05-13", 1, False, "2026-05-15"), ("2026-11-21", 0, False, "2026-11-23"), ("2026-11-21", 0, True, "2026-11-21"),
    ("2026-11-16", 10, False, "2026-11-30")])
def test_working_days(shop, start, days, saturday, end):
    assert shop.value(f"SELECT shop.workdays_add('FR', '{start}', {days}, {saturday})") == end


@pytest.mark.parametrize("speak", ["SET souk.kind = 'anonymous';", "SET souk.kind = 'customer'; SET souk.customer_id = '2';",
                                   "SET souk.kind = 'visitor'; SET souk.visitor = 'somebody-elses-0';"])
def test_nobody_orders_or_refunds_for_others(orders, speak):
    """Whatever of customer and visitor a row does not have is nobody's."""
    for owner in ("1, NULL", "NULL, 'a-visitor-of-today'"):
        basket = orders.value(f"{ALL} INSERT INTO shop.baskets (customer_id, visitor, currency, expires_at) VALUES ({owner}, 'EUR', now() + interval '1 day') "
                              "RETURNING id")
        orders.run(f"{ALL} INSERT INTO shop.basket_items (basket_id, product_id, quantity, seen_minor) VALUES ({basket}, 1, 1, 1000)")
        try:
            with pytest.raises(SqlError, match="there is no such basket"):
                orders.run(f"SET ROLE maker_web; {speak} SELECT shop.order_place({basket}, '{{}}', '1 minute')")
        finally:
            orders.run(f"{ALL} DELETE FROM shop.baskets WHERE id = {basket}")
    for customer in (1, None):
        order = place(orders, "PAID", customer)
        orders.run(f"{ALL} INSERT INTO shop.payments (order_id, provider, kind, amount_minor, currency, reference, state, paid_minor, paid_at) "
                   f"VALUES ({order}, 'bank_transfer', 'checkout', 2000, 'EUR', 'T{order}', 'paid', 2000, now())")
        with pytest.raises(SqlError, match="there is no such order"):
            orders.run(f"SET ROLE maker_web; {speak} SELECT shop.refund_request({order}, 100, 'x', 'x')")
        assert orders.value(f"{ALL} SELECT count(*) FROM shop.refunds WHERE order_id = {order}") == "0"


def test_the_cut_off_hour_is_the_shops(shop):
    """A payment of the past counts from today; one of tomorrow shows the rule: 13:59 and 14:01 in Paris on a working day of the far future."""
    for at, day in (("2030-06-04 11:59+00", "2030-06-05"), ("2030-06-04 12:01+00", "2030-06-06"), ("2030-06-08 08:00+00", "2030-06-12")):
        assert shop.value(f"SELECT shop.hand_over('{at}', 'Europe/Paris')") == day, at  # 10 June 2030 is Whit Monday
    assert shop.value("BEGIN; INSERT INTO souk.settings (key, value) VALUES ('shop.cutoff', '\"09:00\"'), ('shop.handling_days', '0'); "
                      "SELECT shop.hand_over('2030-06-04 08:00+00', 'Europe/Paris'); ROLLBACK;") == "2030-06-05"


def test_places_and_carriers_are_data(shop):
    def way(*args):
        return shop.rows("SELECT carrier, soonest, latest_days FROM shop.transit(%s, '%s', '%s')" % args)[0]
    assert way("NULL", "FR", "75011") == ["Colissimo", "2", "3"]
    assert way("NULL", "FR", "20000") == ["Colissimo", "3", "5"] and way("NULL", "FR", "97100") == ["Colissimo", "7", "12"]
    assert way("'DHL'", "ES", "35001") == ["DHL", "6", "10"] and way("'geodis'", "FR", "69001")[0] == "Geodis"
    assert way("NULL", "ZZ", "1") == ["", "", ""]
    assert shop.value("BEGIN; UPDATE shop.carriers SET enabled = false WHERE code = 'colissimo'; INSERT INTO souk.settings (key, value) "
                      "VALUES ('shop.carrier', '\"dpd\"'); SELECT carrier FROM shop.transit(NULL, 'FR', '75011'); ROLLBACK;") == "DPD"


def test_what_the_owner_changed_survives_the_next_migration(orders):
    orders.run("UPDATE shop.carriers SET enabled = false, tracking_url = 'https://example.org/{number}' WHERE code = 'ups'; UPDATE shop.holidays SET enabled = false "
               "WHERE country = 'FR' AND name = 'Whit Monday'")
    from conftest import apply
    apply(orders)
    assert orders.rows("SELECT enabled, tracking_url FROM shop.carriers WHERE code = 'ups'") == [["f", "https://example.org/{number}"]]
    assert orders.value("SELECT shop.is_holiday('FR', '2026-05-25')") == "f"


def test_the_demo_shops_orders_have_a_past(shop):
    """Steps that the table allows, ending where the order stands; answered messages and a few that wait; nothing in the future."""
    assert int(shop.value(f"{ALL} SELECT count(DISTINCT order_id) FROM shop.order_events")) > 300
    assert shop.value(f"{ALL} SELECT count(*) FROM shop.order_events e WHERE from_status IS NOT NULL AND NOT EXISTS (SELECT FROM shop.order_transitions t "
                      "WHERE t.from_status = e.from_status AND t.to_status = e.to_status)") == "0"
    assert shop.value(f"{ALL} SELECT count(*) FROM (SELECT DISTINCT ON (order_id) order_id, to_status FROM shop.order_events ORDER BY order_id, id DESC) l "
                      "JOIN shop.orders o ON o.id = l.order_id WHERE o.status <> l.to_status") == "0"
    assert shop.value(f"{ALL} SELECT count(*) FROM shop.order_events WHERE created_at > '2025-11-12 15:30:00+00'") == "0"
    assert 1 <= tool(shop, "list_order_messages", {})["total"] <= 10
    assert int(shop.value(f"{ALL} SELECT count(*) FROM shop.order_messages WHERE from_shop AND created_at <= '2025-11-12 15:30:00+00'")) > 10
