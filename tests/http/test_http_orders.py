"""Orders as customers, guests and staff reach them: ClicShopping's customerOrders and the tools of /mcp/orders."""

import pytest

import support
from support import assert_error

PATH = "/api/mcp/customerOrders"


@pytest.fixture(scope="module")
def staff(souk):
    return souk.token("orders:*", "--rate-class", "bulk", name=support.unique("fulfilment"))


@pytest.fixture(scope="module")
def people(souk):
    """Two customers with orders: (id, bearer)."""
    rows = souk.sql("SELECT customer_id FROM shop.orders WHERE customer_id IS NOT NULL AND status = 'DELIVERED' GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 2")
    return [(r[0], support.sign(souk, "cst", r[0])) for r in rows]


def place(souk, customer, status="PAID"):
    """An order of one lamp, of which a unit was taken from stock."""
    number = support.unique("HTTP").replace(" ", "-").upper()
    souk.sql("WITH o AS (INSERT INTO shop.orders (customer_id, number, status, subtotal_minor, total_minor, item_count, paid_at, shipping_address) "
             f"VALUES ({customer}, '{number}', '{status}', 1000, 1000, 1, now(), '{{\"country\": \"FR\", \"postcode\": \"75011\"}}') RETURNING id), "
             "p AS (UPDATE shop.products SET stock = stock - 1 WHERE id = (SELECT id FROM shop.products WHERE variant_count = 0 AND stock > 50 ORDER BY id LIMIT 1) RETURNING id, sku, name) "
             "INSERT INTO shop.order_items (order_id, product_id, sku, name, quantity, unit_price_minor, total_minor, stock_taken) "
             "SELECT o.id, p.id, p.sku, p.name, 1, 1000, 1000, 1 FROM o, p")
    return number


def stock(souk):
    return int(souk.value("SELECT stock FROM shop.products WHERE variant_count = 0 AND stock > 49 ORDER BY id LIMIT 1"))


def test_the_older_shops_addresses(souk, people):
    """Every action under /api/mcp and as index.php?mcp&customerOrders."""
    (me, token), _ = people
    number = place(souk, me)
    for base in (PATH + "?", "/index.php?mcp&customerOrders&"):
        listed = souk.get(f"{base}action=list_orders&customer_id={me}&limit=2", token=token).json
        assert listed["orders"][0]["orderNumber"] == number and listed["pagination"]["limit"] == 2
        assert listed["pagination"]["total"] == int(souk.value(f"SELECT count(*) FROM shop.orders WHERE customer_id = {me}"))
        order = souk.get(f"{base}action=read_order&order_id={listed['orders'][0]['id']}", token=token).json["order"]
        assert order["orderNumber"] == number and order["total"] == 10 and order["items"][0]["quantity"] == 1 and order["canCancel"] is True
        sent = souk.post(f"{base}action=send_message", json_body={"order_id": number, "message": "Bonjour"}, token=token)
        assert sent.status == 200 and sent.json["from"] == "customer"
        history = souk.get(f"{base}action=history&order_id={number}", token=token).json
        assert [h["status"] for h in history["history"]] == ["PENDING", "PAID"] and history["messages"][-1]["message"] == "Bonjour"
    before = stock(souk)
    done = souk.post(PATH + "?action=cancel_order", json_body={"order_id": number, "reason": "changed my mind"}, token=token)
    assert done.status == 200 and done.json["status"] == "CANCELLED", done
    assert stock(souk) == before + 1
    assert_error(souk.post(PATH + "?action=cancel_order", json_body={"order_id": number}, token=token), 409, "MCP_CONFLICT", mentions=number)
    assert souk.value(f"SELECT count(*) FROM souk.outbox WHERE template = 'order_cancelled' AND data->>'orderNumber' = '{number}'") == "1"


def test_customer_id_is_compared_with_who_asks(souk, people, staff):
    (me, mine), (you, _) = people
    assert_error(souk.get(f"{PATH}?action=list_orders&customer_id={you}", token=mine), 403, "MCP_FORBIDDEN", mentions="customer_id")
    assert souk.get(f"{PATH}?action=list_orders&customer_id={you}", token=staff).status == 200
    foreign = place(souk, you)
    for query in (f"action=read_order&order_id={foreign}", f"action=history&order_id={foreign}"):
        assert_error(souk.get(f"{PATH}?{query}", token=mine), 404)
    for action, more in (("cancel_order", {}), ("send_message", {"message": "Hello"})):
        assert_error(souk.post(f"{PATH}?action={action}", json_body={"order_id": foreign, **more}, token=mine), 404)
    assert souk.value(f"SELECT status FROM shop.orders WHERE number = '{foreign}'") == "PAID"


def test_methods_and_actions(souk, staff):
    assert_error(souk.get(PATH + "?action=cancel_order&order_id=1", token=staff), 400, mentions="action")
    assert_error(souk.post(PATH + "?action=read_order", json_body={"order_id": "1"}, token=staff), 400, mentions="action")
    assert_error(souk.get(PATH + "?action=read_order", token=staff), 400, mentions="order_id")


def test_a_guest_sees_and_cancels_the_one_order_with_the_handle(souk, people):
    """As a bearer and as the argument that guest_verify's handle is for."""
    (me, _), _ = people
    number, other = place(souk, me), place(souk, me)
    order = souk.value(f"SELECT id FROM shop.orders WHERE number = '{number}'")
    handle = support.sign(souk, "gst", order)
    assert souk.get(f"{PATH}?action=read_order&order_id={number}", token=handle).status == 200
    assert_error(souk.get(f"{PATH}?action=read_order&order_id={other}", token=handle), 404)
    assert souk.call("get_order_status", {"orderNumber": number, "guest": handle}).value["status"] == "PAID"
    assert not souk.call("get_order_status", {"orderNumber": other, "guest": handle}).ok
    assert souk.call("search_orders", {}, token=handle).value["total"] == 1
    asked = souk.client().call_once("cancel_order", {"orderId": number, "guest": handle})
    assert asked.message.startswith(f"Cancel order {number}? Nothing was done yet.")
    assert souk.call("cancel_order", {"orderId": number, "guest": handle}).value["status"] == "CANCELLED"


def test_cancel_and_ship_at_once(souk, people, staff):
    """One wins, the other is told of a conflict; the stock comes back as often as cancelling won."""
    (me, token), _ = people
    made = [place(souk, me) for _ in range(6)]
    before, cancelled = stock(souk), 0
    for i, number in enumerate(made):
        mark = souk.client().call_once("ship_order", {"orderId": number, "carrier": "dhl", "trackingNumber": f"JD{i}{number[-6:]}"}, token=staff).message.rsplit('"confirm": "', 1)[1][:-1]

        def go(n, number=number, i=i, mark=mark):
            client = souk.client()
            if n == 0:
                return client.request("POST", PATH + "?action=cancel_order", json_body={"order_id": number}, token=token)
            return client.call_once("ship_order", {"orderId": number, "carrier": "dhl", "trackingNumber": f"JD{i}{number[-6:]}", "confirm": mark}, token=staff)
        cancel, ship = support.in_threads(2, go)
        assert (cancel.status == 200) != ship.ok, (cancel, ship)
        if ship.ok:
            assert_error(cancel, 409, "MCP_CONFLICT", mentions=number)
        else:
            assert "CANCELLED and cannot become SHIPPED" in ship.message
            cancelled += 1
        parcels = souk.value(f"SELECT count(*) FROM shop.shipments s JOIN shop.orders o ON o.id = s.order_id WHERE o.number = '{number}'")
        assert parcels == ("1" if ship.ok else "0"), "a refused step leaves no parcel"
    assert stock(souk) == before + cancelled


def test_from_paid_to_delivered(souk, people, staff):
    (me, token), _ = people
    number = place(souk, me)
    planned = souk.call("estimate_delivery", {"orderId": number}, token=token).value
    assert planned["basis"] == "planned" and planned["earliest"] <= planned["latest"] and planned["handOver"] < planned["earliest"]
    island = souk.call("estimate_delivery", {"orderId": number, "postalCode": "20000"}, token=token).value
    assert island["latest"] > planned["latest"]
    track = support.unique("6A").replace(" ", "").upper()
    sent = souk.call("ship_order", {"orderId": number, "carrier": "colissimo", "trackingNumber": track}, token=staff, headers={"Accept-Language": "en"}).value
    assert sent["status"] == "SHIPPED" and sent["statusText"] == "Shipped"
    assert souk.call("add_tracking_event", {"orderId": number, "status": "OUT_FOR_DELIVERY", "place": "Lyon"}, token=staff).ok
    assert souk.call("mark_delivered", {"orderId": number}, token=staff).value["status"] == "DELIVERED"
    parcel = souk.call("vivr_track_shipment", {"orderId": number}, token=token).value["shipments"][0]
    assert parcel["trackingUrl"].endswith(track) and [e["status"] for e in parcel["events"]] == ["picked_up", "out_for_delivery", "delivered"]
    seen = souk.call("get_order_history", {"orderId": number}, token=token).value["history"]
    assert [(h["kind"], h.get("status"), h.get("by")) for h in seen][2:] == [
        ("status", "SHIPPED", "shop"), ("tracking", None, "shop"), ("tracking", None, "shop"), ("status", "DELIVERED", "shop")]
    told = souk.sql(f"SELECT template FROM souk.outbox WHERE data->>'orderNumber' = '{number}' AND channel = 'email' ORDER BY id")
    assert told == [["order_shipped"], ["order_delivered"]]


def test_a_customer_may_nothing_of_staff(souk, people):
    (me, token), _ = people
    number = place(souk, me)
    for name, more in (("ship_order", {"carrier": "dhl", "trackingNumber": "JD0001"}), ("set_order_status", {"status": "SHIPPED"}), ("mark_delivered", {}),
                       ("refund_order", {}), ("answer_order_message", {"message": "x"})):
        outcome = souk.call(name, {"orderId": number, **more}, token=token)
        assert outcome.reply.status == 403 and "orders:manage" in outcome.message, (name, outcome)


def test_an_idempotency_key_writes_one_message(souk, people):
    (me, token), _ = people
    number, key = place(souk, me), support.unique("key").replace(" ", "-")
    replies = [souk.post(PATH + "?action=send_message", json_body={"order_id": number, "message": "once"}, token=token, headers={"Idempotency-Key": key}) for _ in range(3)]
    assert len({r.text for r in replies}) == 1 and replies[2].headers["idempotency-replayed"] == "true"
    assert souk.value(f"SELECT count(*) FROM shop.order_messages m JOIN shop.orders o ON o.id = m.order_id WHERE o.number = '{number}'") == "1"
