"""Orders after they were placed: which step may follow which, who may take it, what it leaves behind."""
import itertools
import threading

import pytest
from conftest import SqlError

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


@pytest.mark.parametrize("was", STATUSES)
def test_only_the_steps_of_the_table_are_possible(orders, was):
    for to in [*STATUSES, "LOST"]:
        order = place(orders, was, taken=())
        if (was, to) in ALLOWED:
            assert move(orders, order, to) == to
        else:
            assert state_of(orders, lambda o=order, t=to: move(orders, o, t)) == "SK409"
            assert orders.value(f"{ALL} SELECT status FROM shop.orders WHERE id = {order}") == was
            assert orders.value(f"{ALL} SELECT count(*) FROM shop.order_events WHERE order_id = {order}") == "0"


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
        f"BEGIN; SET LOCAL souk.kind = 'staff'; SELECT shop.order_move({order}, 'SHIPPED', NULL, NULL); SELECT pg_sleep(0.8); COMMIT;",))
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
