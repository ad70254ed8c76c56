"""Who may do what: privileges of the web role, row-level security."""
import re

import pytest
from conftest import SqlError, columns, record

OWN = {"shop.customers": "id", "shop.orders": "customer_id", "souk.preferences": "customer_id"}
OF_ORDERS = ("shop.order_items", "shop.shipments")


def as_web(db, statement, **settings):
    return db.run("SET ROLE maker_web; " + statement, **settings)


@pytest.mark.parametrize("settings", [{}, {"souk__kind": "''"}, {"souk__kind": "anonymous"}, {"souk__kind": "visitor"}, {"souk__kind": "guest"},
                                      {"souk__kind": "nonsense"}, {"souk__kind": "customer"}, {"souk__kind": "customer", "souk__customer_id": "''"},
                                      {"souk__kind": "customer", "souk__customer_id": "seven"}, {"souk__customer_id": "7"},
                                      {"souk__kind": "visitor", "souk__customer_id": "7"}],
                         ids=lambda s: ",".join(f"{k[6:]}={v}" for k, v in s.items()) or "unset")
def test_nobody_in_particular_sees_nothing(shop, settings):
    shop.query("interactions_insert_new", *columns(record(id="00000000-0000-4000-8000-000000000001", customer_id=7)))
    speak = "".join(f"SET {k.replace('__', '.')} = '{str(v).strip(chr(39))}';" for k, v in settings.items())
    tables = sorted(OWN) + list(OF_ORDERS) + ["souk.interactions"]
    count = "SELECT " + ", ".join(f"(SELECT count(*) FROM {t})" for t in tables)
    for role in ("maker", "maker_web"):
        assert shop.rows(f"SET ROLE {role}; {speak} {count}") == [["0"] * len(tables)], role
    assert "0" not in shop.rows(f"SET souk.kind = 'system'; {count}")[0]


def test_settings_left_from_another_transaction_mean_nothing(shop):
    assert shop.rows("BEGIN; SELECT set_config('souk.kind', 'staff', true) \\g /dev/null\n"
                     "SELECT count(*) > 0 FROM shop.orders; COMMIT;"
                     "SELECT current_setting('souk.kind', true) = ''; SELECT count(*) FROM shop.orders;") == [["t"], ["t"], ["0"]]


@pytest.mark.parametrize("kind", ["staff", "service", "system"])
@pytest.mark.parametrize("table", sorted(OWN) + list(OF_ORDERS))
def test_staff_sees_all(shop, table, kind):
    everything = shop.value(f"SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass")
    assert as_web(shop, f"SET souk.kind = '{kind}'; SELECT count(*) FROM {table}") == [everything]


def test_customer_sees_own_rows_only(shop):
    me = shop.value("SET souk.kind = 'system'; SELECT customer_id FROM shop.orders WHERE customer_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    speak = f"SET souk.kind = 'customer'; SET souk.customer_id = '{me}';"
    for table, column in OWN.items():
        assert as_web(shop, f"{speak} SELECT count(*) > 0, bool_and({column} = {me}) FROM {table}") == ["t\x1ft"], table
        mine = shop.value(f"SET souk.kind = 'system'; SELECT count(*) FROM {table} WHERE {column} = {me}")
        assert as_web(shop, f"{speak} SELECT count(*) FROM {table}") == [mine], table
    for table in OF_ORDERS:
        mine = shop.value(f"SET souk.kind = 'system'; SELECT count(*) FROM {table} t JOIN shop.orders o ON o.id = t.order_id WHERE o.customer_id = {me}")
        assert int(mine) > 0
        assert as_web(shop, f"{speak} SELECT count(*) FROM {table}") == [mine], table


def test_guest_sees_the_one_order(shop):
    """What belongs to it too, and nothing else: not the customer's other orders, not the customer."""
    order, customer = shop.rows("SET souk.kind = 'system'; SELECT o.id, o.customer_id FROM shop.orders o JOIN shop.shipments s ON s.order_id = o.id "
                                "WHERE (SELECT count(*) FROM shop.orders x WHERE x.customer_id = o.customer_id) > 1 ORDER BY o.id LIMIT 1")[0]
    speak = f"SET souk.kind = 'guest'; SET souk.order_id = '{order}'; SET souk.customer_id = '{customer}';"
    assert as_web(shop, f"{speak} SELECT id FROM shop.orders") == [order]
    for table in OF_ORDERS:
        mine = shop.value(f"SET souk.kind = 'system'; SELECT count(*) FROM {table} WHERE order_id = {order}")
        assert int(mine) > 0
        assert as_web(shop, f"{speak} SELECT count(*), count(*) FILTER (WHERE order_id = {order}) FROM {table}") == [f"{mine}\x1f{mine}"], table
    for table in ("shop.customers", "souk.preferences", "souk.interactions"):
        assert as_web(shop, f"{speak} SELECT count(*) FROM {table}") == ["0"], table


# Tables that name a customer or an order and have no policy, with the reason.
BEFORE_ANYBODY_SPEAKS = {"souk.tokens", "souk.oauth_grants"}  # looked up by an id or a hash, to find out who speaks
NOT_FOR_PROGRAMS = {"shop.stock_moves"}  # numbers of pieces: the role of programs has no privilege
# Policies that let everybody in, with what they let in.
OPEN_POLICIES = {("shop.reviews", "published"), ("souk.interactions", "append"), ("souk.search_clicks", "append")}


def of_customers(db):
    """(table, forced row-level security, number of policies, may programs read it) of all tables with a customer's data."""
    return db.rows("""
        SELECT n.nspname || '.' || c.relname, c.relrowsecurity AND c.relforcerowsecurity, (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid),
            has_any_column_privilege('maker_web', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('shop', 'souk') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND (c.oid = 'shop.customers'::regclass OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                AND a.attname IN ('customer_id', 'order_id', 'visitor', 'email', 'recipient', 'ticket_id', 'return_id', 'basket_id')))
        ORDER BY 1""")


def test_every_table_with_a_customers_data_has_a_policy(shop):
    """A new table with a column customer_id or order_id and no policy fails, and so does an exception that is none any more."""
    tables = of_customers(shop)
    assert len(tables) >= 12
    without = {t for t, forced, policies, _ in tables if forced != "t" or policies == "0"}
    assert without == BEFORE_ANYBODY_SPEAKS | NOT_FOR_PROGRAMS
    assert {t for t, _, _, readable in tables if t in NOT_FOR_PROGRAMS and readable == "t"} == set()
    views = shop.rows("SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('shop', 'souk') "
                      "AND c.relkind IN ('v', 'm') AND has_table_privilege('maker_web', c.oid, 'SELECT') AND EXISTS (SELECT FROM pg_attribute a "
                      "WHERE a.attrelid = c.oid AND a.attname IN ('customer_id', 'order_id', 'email'))")
    assert views == [], "a view shows its owner's rows"


def test_every_policy_begins_with_nobody(shop):
    """Each asks who speaks; none is simply true, but those that say so here."""
    policies = shop.rows("SELECT n.nspname || '.' || c.relname, p.polname, translate(concat(pg_get_expr(p.polqual, p.polrelid), ' ', "
                         "pg_get_expr(p.polwithcheck, p.polrelid)), E'\\n', ' ') FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid "
                         "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('shop', 'souk')")
    assert len(policies) >= 12
    asks = re.compile(r"\b(sees_all|is_system|me|my_order|visitor)\(\)|FROM shop\.(orders|tickets|returns|baskets)\b")
    assert {(t, name) for t, name, text in policies if not asks.search(text)} == OPEN_POLICIES


@pytest.mark.parametrize("speak", ["", "SET souk.kind = 'anonymous';", "SET souk.kind = 'visitor'; SET souk.visitor = 'nobody';",
                                   "SET souk.kind = 'customer'; SET souk.customer_id = '999999999999';",
                                   "SET souk.kind = 'guest'; SET souk.order_id = '999999999999';"])
def test_strangers_see_no_customers_data(shop, speak):
    """In no table at all, as the role of programs: whatever the demo shop has, and what the tables of log-in have."""
    shop.run("INSERT INTO souk.roles (role, title) VALUES ('tester', 'x') ON CONFLICT DO NOTHING; SET souk.kind = 'system'; "
             "INSERT INTO souk.staff (email, name, role, password) VALUES ('t@shop.example', 'T', 'tester', 'x') ON CONFLICT DO NOTHING; "
             "INSERT INTO souk.sessions (hash, customer_id, expires_at) SELECT '\\x00', min(id), now() + interval '1 hour' FROM shop.customers ON CONFLICT DO NOTHING; "
             "INSERT INTO souk.login_codes (id, purpose, hash, expires_at) VALUES (repeat('x', 22), 'guest', '', now() + interval '1 hour') ON CONFLICT DO NOTHING")
    readable = [t for t, _, policies, _ in of_customers(shop) if policies != "0" and t != "shop.reviews"
                and shop.value(f"SELECT has_table_privilege('maker_web', '{t}', 'SELECT')") == "t"]
    assert {"shop.orders", "shop.customers", "souk.staff", "souk.sessions", "souk.login_codes"} <= set(readable)
    seen = as_web(shop, speak + " " + " UNION ALL ".join(f"SELECT '{t}' FROM {t}" for t in readable))
    assert seen == [], sorted(set(seen))


@pytest.mark.parametrize("kind", ["staff", "service", "customer", "guest"])
def test_log_ins_are_for_souk_itself(shop, kind):
    """Not even staff reads passwords, sessions or codes."""
    shop.run("SET souk.kind = 'system'; INSERT INTO souk.sessions (hash, customer_id, expires_at) SELECT '\\x01', min(id), now() + interval '1 hour' "
             "FROM shop.customers ON CONFLICT DO NOTHING")
    for table in ("souk.staff", "souk.staff_recovery", "souk.sessions", "souk.login_codes"):
        assert as_web(shop, f"SET souk.kind = '{kind}'; SET souk.customer_id = '1'; SET souk.order_id = '1'; SELECT count(*) FROM {table}") == ["0"], table
    assert as_web(shop, "SET souk.kind = 'system'; SELECT count(*) > 0 FROM souk.sessions") == ["t"]


def test_proven_order_counts_for_guests_and_customers_alone(shop):
    for kind, seen in (("guest", "1"), ("customer", "1"), ("visitor", "0"), ("anonymous", "0"), ("", "0")):
        assert as_web(shop, f"SET souk.kind = '{kind}'; SET souk.order_id = '7'; SELECT count(*) FROM shop.orders") == [seen], kind
    for order in ("", "seven", "-7", "7 ", "9" * 19):
        assert as_web(shop, f"SET souk.kind = 'guest'; SET souk.order_id = '{order}'; SELECT count(*) FROM shop.orders") == ["0"], order


def test_customer_cannot_write_for_another(shop):
    """Also where the role could write: the owner, who is held by the same forced policies."""
    with pytest.raises(SqlError) as e:
        shop.run("SET souk.kind = 'customer'; SET souk.customer_id = '7'; INSERT INTO shop.orders (customer_id, total_minor, number) VALUES (8, 1, 'X')")
    assert e.value.state == "42501"
    assert shop.value("SET souk.kind = 'customer'; SET souk.customer_id = '7'; WITH u AS (UPDATE shop.orders SET total_minor = 0 "
                      "WHERE customer_id = 8 RETURNING 1) SELECT count(*) FROM u") == "0"


def test_published_reviews_are_public_without_their_customer(shop):
    assert as_web(shop, "SELECT count(*) > 1000, bool_and(status = 'published') FROM shop.reviews") == ["t\x1ft"]
    with pytest.raises(SqlError) as e:
        as_web(shop, "SELECT customer_id FROM shop.reviews")
    assert e.value.state == "42501"


def test_partitions_cannot_be_read_around_the_policy(shop):
    part = shop.value("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'souk.interactions'::regclass ORDER BY 1 LIMIT 1")
    assert shop.value(f"SET souk.kind = 'system'; SELECT count(*) FROM {part}") == "0"
    with pytest.raises(SqlError) as e:
        as_web(shop, f"SELECT count(*) FROM {part}")
    assert e.value.state == "42501"


@pytest.mark.parametrize("statement", [
    "INSERT INTO shop.products (sku, slug, name) VALUES ('A', 'a', 'A')", "UPDATE shop.products SET price_minor = 1", "DELETE FROM shop.products",
    "TRUNCATE shop.products CASCADE", "UPDATE shop.product_variants SET stock = 9", "INSERT INTO shop.categories (slug, name) VALUES ('x', 'X')",
    "UPDATE shop.customers SET name = ''", "DELETE FROM shop.orders", "INSERT INTO shop.orders (number, total_minor) VALUES ('X', 1)",
    "INSERT INTO souk.tokens (id, name, hash) VALUES ('abcd', 'x', '')", "UPDATE souk.tokens SET scopes = '{*}'", "DELETE FROM souk.tokens",
    "INSERT INTO souk.settings (key, value) VALUES ('x', '1')", "UPDATE souk.settings SET value = '1'", "DELETE FROM souk.interactions",
    "UPDATE souk.interactions SET success = true", "SELECT * FROM souk.audit", "UPDATE souk.audit SET action = ''", "DELETE FROM souk.audit",
    "INSERT INTO souk.migrations (version, name, checksum) VALUES (99, 'x', 'x')", "DELETE FROM souk.idempotency_keys", "CREATE TABLE shop.x ()",
    "CREATE TABLE souk.x ()", "CREATE FUNCTION shop.x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SELECT souk.housekeep(24)", "SELECT shop.refresh_pairs()",
    "INSERT INTO souk.staff (email, name, role, password) VALUES ('x', 'x', 'owner', 'x')", "UPDATE souk.staff SET role = 'owner'",
    "UPDATE souk.staff SET totp_key = NULL", "DELETE FROM souk.staff", "UPDATE souk.roles SET scopes = '{*}'", "DELETE FROM souk.login_codes",
    "UPDATE souk.login_codes SET expires_at = now()", "SELECT shop.category_ensure('x')",
    "SELECT * FROM souk.outbox", "INSERT INTO souk.outbox (channel) VALUES ('email')", "SELECT * FROM souk.opt_outs", "SELECT * FROM souk.webhook_endpoints",
    "SELECT body FROM souk.webhook_events", "INSERT INTO souk.templates (name, locale, part, body) VALUES ('x', 'en', 'text', 'x')", "SELECT souk.outbox_housekeep()",
    "SELECT * FROM souk.oauth_codes", "SELECT * FROM souk.oauth_refresh", "UPDATE souk.oauth_grants SET scopes = '{*}'", "UPDATE souk.oauth_clients SET revoked_at = NULL",
    "INSERT INTO souk.oauth_keys (id, private_sealed, public_pem, x, y) VALUES ('abcd', '', '', '', '')", "SELECT souk.oauth_end(1, 'x', 'x')", "SELECT souk.oauth_housekeep()",
    "SELECT shop.search_refresh()", "ALTER TABLE shop.products DISABLE ROW LEVEL SECURITY"])
def test_web_role_may_not(shop, statement):
    with pytest.raises(SqlError) as e:
        as_web(shop, "SET souk.kind = 'system'; " + statement)
    assert e.value.state == "42501", e.value


def test_nobody_changes_the_audit(shop):
    shop.run("INSERT INTO souk.audit (actor, action) VALUES ('test', 'test')")
    for statement in ("UPDATE souk.audit SET action = 'other'", "DELETE FROM souk.audit", "TRUNCATE souk.audit"):
        with pytest.raises(SqlError) as e:
            shop.run(statement)
        assert "append-only" in str(e.value)


def test_public_has_nothing_in_our_schemas(cluster, shop):
    name = shop.value("SELECT current_database()")
    stranger = type(shop)(f"postgresql://plain@/{name}?host={cluster.folder}")
    for statement in ("SELECT * FROM shop.products", "SELECT souk.money(1, 'EUR')", "SELECT * FROM souk.tokens"):
        with pytest.raises(SqlError) as e:
            stranger.run(statement)
        assert e.value.state == "42501"
