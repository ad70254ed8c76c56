"""Every statement that C embeds fits the migrated schema; the small stores do what their callers rely on."""
import json
import os
import re
import subprocess
import threading
import time
import uuid

import pytest
from conftest import ROOT, SqlError, columns, files, literal, record, text

# Not statements that can be prepared.
CONTROL = re.compile(r"^(BEGIN|COMMIT|ROLLBACK|LISTEN|UNLISTEN|COPY|CREATE|DROP|TRUNCATE|SAVEPOINT|RELEASE|LOCK|SET|ANALYZE)\b", re.I)
# Statements of the import work on temporary tables that they create themselves; its own tests run them.
IMPORT = re.compile(r"/(import|export)_")


def statement(path):
    return re.sub(r"--[^\n]*\n", "", text(path)).strip()


@pytest.mark.parametrize("path", [p for p in files("sql", "query", "*.sql") + files("tools", "*", "*.sql")
                                  if not CONTROL.match(statement(p)) and not IMPORT.search(p)], ids=lambda p: os.path.relpath(p, ROOT))
def test_prepares(shop, path):
    shop.run(f"PREPARE statement AS {text(path)};")


@pytest.mark.parametrize("path", files("tools", "*", "*.sql"), ids=lambda p: os.path.relpath(p, ROOT))
def test_tools_take_nothing_but_arguments(path):
    """$1 is the arguments and $2, in read tools that need no speaker, the language; read tools have no business with writing."""
    body = statement(path)
    contract = json.loads(text(path[:-4] + ".json"))
    assert set(re.findall(r"\$(\d+)", body)) <= ({"1", "2"} if contract["annotations"]["readOnlyHint"] else {"1"})
    if contract["annotations"]["readOnlyHint"]:
        assert not re.search(r"\b(INSERT|UPDATE|DELETE|TRUNCATE|nextval|setval)\b", body)


def test_subject_lasts_for_the_transaction(shop):
    assert shop.rows("BEGIN; PREPARE s AS %s; EXECUTE s('customer', '7', 'abc', 'en', 'v1', '9') \\g /dev/null\n"
                     "SELECT current_setting('souk.kind'), souk.me(), current_setting('souk.token_id'), souk.locale(NULL), souk.sees_all(), souk.visitor(), "
                     "souk.my_order(); COMMIT; SELECT souk.me(), souk.locale(NULL), souk.sees_all(), souk.visitor(), souk.my_order();" % text(os.path.join(ROOT, "sql", "query", "set_subject.sql"))) == \
        [["customer", "7", "abc", "en", "f", "v1", "9"], ["", "fr", "f", "", ""]]


# ---- tokens

def make_token(db, name="t", scopes="status:read metrics:read", kind="staff", rate="", networks="", expires="0", key=None):
    key = key or uuid.uuid4().hex[:12]
    assert db.query("token_create", key, name, "00ff" * 16, scopes, kind, rate, networks, expires, role=False) == [[key]]
    return key


def test_token_is_found_with_all_it_may(shop):
    key = make_token(shop, rate="bulk", networks="10.0.0.0/8 192.168.1.1", expires="3600")
    row = shop.query("token_find", key)[0]
    assert row[:7] == ["t", "00ff" * 16, "status:read metrics:read", "staff", "", "bulk", "10.0.0.0/8 192.168.1.1/32"]
    assert 3500_000 < int(row[7]) - time.time() * 1000 < 3700_000 or 3500 < int(row[7]) - time.time() < 3700
    assert row[8] == "f"
    assert shop.query("token_find", "nosuchtoken") == []


def test_token_with_a_bad_network_is_refused(shop):
    with pytest.raises(SqlError) as e:
        make_token(shop, networks="10.0.0.0/99")
    assert e.value.state == "22P02"


def test_revoked_token_says_so_and_stays_revoked(shop):
    key = make_token(shop)
    assert shop.query("token_revoke", key, role=False) == [[key]]
    assert shop.query("token_find", key)[0][8] == "t"
    first = shop.value(f"SELECT revoked_at FROM souk.tokens WHERE id = '{key}'")
    shop.query("token_revoke", key, role=False)
    assert shop.value(f"SELECT revoked_at FROM souk.tokens WHERE id = '{key}'") == first
    assert shop.query("token_revoke", "nosuchtoken", role=False) == []


def test_rotation_gives_the_same_rights_and_ends_the_old_token(shop):
    old, new = make_token(shop, networks="10.0.0.0/8", rate="bulk"), uuid.uuid4().hex[:12]
    assert shop.query("token_rotate", old, new, "aa" * 32, "60", role=False) == [[new]]
    a, b = shop.query("token_find", old)[0], shop.query("token_find", new)[0]
    assert (b[0], b[2:7]) == (a[0], a[2:7]) and b[1] == "aa" * 32
    assert b[7] == "0" and a[7] != "0" and a[8] == b[8] == "f"
    assert shop.value(f"SELECT rotated_from FROM souk.tokens WHERE id = '{new}'") == old
    shop.query("token_revoke", old, role=False)
    assert shop.query("token_rotate", old, "another00000", "aa" * 32, "60", role=False) == []


def test_token_list_has_no_hash(shop):
    key = make_token(shop, name="listed")
    out = shop.query("token_list", role=False)[0][0]
    assert "00ff00ff" not in out
    row = next(t for t in json.loads(out) if t["id"] == key)
    assert row["name"] == "listed" and row["scopes"] == ["status:read", "metrics:read"] and row["active"] is True


def test_changes_are_told_but_use_is_not(shop):
    def told(change):
        out = subprocess.run(["psql", "-X", "-q", "-d", shop.url], input=f"LISTEN souk;\n{change};\nSELECT 1;", stdout=subprocess.PIPE, text=True, check=True)
        return set(re.findall(r'payload "(\w+)"', out.stdout))
    key = make_token(shop)
    assert told(f"UPDATE souk.tokens SET revoked_at = now() WHERE id = '{key}'") == {"tokens"}
    assert told("INSERT INTO souk.settings (key, value) VALUES ('test.told', '1')") == {"settings"}
    assert told("DELETE FROM souk.settings WHERE key = 'test.told'") == {"settings"}
    assert told(f"UPDATE souk.tokens SET last_used_at = now() WHERE id = '{key}'") == set()
    shop.query("token_touch", key)


# ---- key-value store and counters

def hexed(value):
    return value.encode().hex()


def test_kv_keeps_any_bytes_and_expires(shop):
    key = uuid.uuid4().hex
    assert shop.query("kv_get", key) == []
    shop.query("kv_set", key, "00ff5c27", "60")
    assert shop.query("kv_get", key) == [["00ff5c27"]]
    assert shop.query("kv_set_new", key, hexed("other"), "60") == []
    shop.query("kv_del", key)
    assert shop.query("kv_set_new", key, hexed("mine"), "1") == [["t"]]
    time.sleep(1.1)
    assert shop.query("kv_get", key) == []
    assert shop.query("kv_set_new", key, hexed("next"), "60") == [["t"]]
    assert shop.query("kv_get", key) == [[hexed("next")]]


def test_counters_are_exact_when_many_hit_at_once(shop):
    key = uuid.uuid4().hex
    script = "SET ROLE maker_web; PREPARE hit AS %s;\n" % text(os.path.join(ROOT, "sql", "query", "kv_incr_window.sql")) + \
        f"EXECUTE hit('{key}', 150, 60);\n" * 60
    passed = []

    def work():
        passed.append(sum(int(hits) <= 150 for hits, _ in shop.rows(script)))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sum(passed) == 150
    hits, reset = shop.query("kv_peek_window", key)[0]
    assert hits == "151" and 1 <= int(reset) <= 60


def test_a_new_window_starts_from_one(shop):
    key = uuid.uuid4().hex
    assert shop.query("kv_incr_window", key, "5", "3")[0][0] == "1"
    assert shop.query("kv_incr_window", key, "5", "3")[0][0] == "2"
    time.sleep(3.1)
    assert shop.query("kv_peek_window", key) == []
    assert shop.query("kv_incr_window", key, "5", "1") == [["1", "1"]]


# ---- idempotency

def test_a_key_is_claimed_once_for_each_principal(shop):
    key = uuid.uuid4().hex
    assert shop.query("idempotency_begin", "token:a", key, "ab" * 32) == [[key]]
    shop.query("idempotency_finish", "token:a", key, "0", '{"ok":true}')
    assert shop.query("idempotency_begin", "token:a", key, "cd" * 32) == []
    assert shop.query("idempotency_find", "token:a", key) == [["ab" * 32, "0", '{"ok":true}']]
    assert shop.query("idempotency_begin", "token:b", key, "cd" * 32) == [[key]]
    for bad in ("", "x" * 256):
        with pytest.raises(SqlError):
            shop.query("idempotency_begin", "token:a", bad, "ab" * 32)


# ---- interactions

def test_a_batch_may_be_repeated(shop):
    session = uuid.uuid4().hex
    batch = [record(session_id=session, input="é" * 10000, metadata='{"a": 1}'),
             record(session_id=session, type="RECOMMENDATION", success="f", error_code="MCP_FORBIDDEN", tool="get_similar_products", customer_id=3),
             record(session_id=session, type="CHAT", tool='odd "name" \\ {,}')]
    shop.query("interactions_insert", *columns(*batch))
    with pytest.raises(SqlError) as e:
        shop.query("interactions_insert", *columns(*batch))
    assert e.value.state == "23505"
    shop.query("interactions_insert_new", *columns(record(session_id=session, type="ANALYTICS"), *batch))
    rows = shop.rows(f"SET souk.kind = 'system'; SELECT type, success, length(input), tools_used[1], metadata->>'a', customer_id "
                     f"FROM souk.interactions WHERE session_id = {literal(session)} ORDER BY type")
    assert rows == [["ANALYTICS", "t", "", "search_products", "", ""], ["CHAT", "t", "", 'odd "name" \\ {,}', "", ""],
                    ["RECOMMENDATION", "f", "", "get_similar_products", "", "3"], ["SEARCH", "t", "10000", "search_products", "1", ""]]


def test_interactions_go_into_the_partition_of_their_month(empty):
    assert int(empty.value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'souk.interactions'::regclass")) == 5
    empty.query("interactions_insert", *columns(record(created_at="now"), record(created_at="1999-01-01T00:00:00Z")))
    parts = [r[0] for r in empty.rows("SET souk.kind = 'system'; SELECT tableoid::regclass FROM souk.interactions ORDER BY created_at")]
    assert parts[0] == "souk.interactions_default" and re.fullmatch(r"souk\.interactions_\d{4}_\d{2}", parts[1])
    assert empty.value("SELECT souk.interactions_prepare(4)") == "1"
    empty.run("CREATE TABLE souk.interactions_2001_01 PARTITION OF souk.interactions FOR VALUES FROM ('2001-01-01') TO ('2001-02-01')")
    assert empty.value("SELECT souk.interactions_drop(12)") == "1"
    assert empty.value("SELECT to_regclass('souk.interactions_2001_01')") == ""


def test_housekeeping_removes_ended_log_ins(empty):
    """Sessions at their end, codes a day later; what still counts stays."""
    empty.run("SET souk.kind = 'system'; INSERT INTO shop.customers (id, name) VALUES (900001, 'H'); "
              "INSERT INTO souk.sessions (hash, customer_id, expires_at) VALUES ('\\x01', 900001, now() - interval '1 s'), ('\\x02', 900001, now() + interval '1 h'); "
              "INSERT INTO souk.login_codes (id, purpose, hash, expires_at) VALUES (repeat('a', 22), 'guest', '', now() - interval '25 h'), "
              "(repeat('b', 22), 'guest', '', now() - interval '1 h')")
    done = json.loads(empty.query("housekeep", "24", role=False)[0][0])
    assert done["login"] == {"sessions": 1, "codes": 1}
    assert empty.rows("SET souk.kind = 'system'; SELECT (SELECT count(*) FROM souk.sessions), (SELECT string_agg(id, '') FROM souk.login_codes)") == [["1", "b" * 22]]


def test_housekeeping_removes_what_has_expired(empty):
    empty.query("kv_set", "old", "00", "1")
    empty.query("kv_set", "new", "00", "600")
    empty.query("kv_incr_window", "old", "5", "1")
    empty.query("idempotency_begin", "p", "old", "00")
    empty.run("UPDATE souk.idempotency_keys SET created_at = now() - interval '30 hours'")
    time.sleep(1.1)
    done = json.loads(empty.query("housekeep", "31", role=False)[0][0])
    assert (done["kv"], done["rate_counters"], done["idempotency_keys"], done["more"]) == (1, 1, 0, False)
    assert json.loads(empty.query("housekeep", "29", role=False)[0][0])["idempotency_keys"] == 1
    assert empty.value("SELECT string_agg(key, ',') FROM souk.kv") == "new"


def test_last_test_run(empty):
    assert empty.query("test_run_last") == []
    empty.query("test_run_record", "test_1", "unit", "10", "10", "0", "2.5")
    empty.query("test_run_record", "test_2", "e2e", "7", "6", "1", "0.5")
    empty.run("UPDATE souk.test_runs SET finished_at = finished_at - interval '1 hour', started_at = started_at - interval '1 hour' WHERE execution_id = 'test_1'")
    last = empty.query("test_run_last")[0]
    assert last[:3] == ["7", "6", "1"] and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", last[3])
    assert empty.value("SELECT status FROM souk.test_runs WHERE execution_id = 'test_2'") == "failed"


# ---- money and time

@pytest.mark.parametrize("minor,currency,shown", [
    ("14990", "EUR", "149.90"), ("0", "EUR", "0.00"), ("-5", "EUR", "-0.05"), ("1500", "JPY", "1500"), ("1500", "KWD", "1.500"), ("1", "KWD", "0.001"),
    ("123456", "CLF", "12.3456"), ("9007199254740993", "EUR", "90071992547409.93"), ("9223372036854775807", "USD", "92233720368547758.07"),
    ("9223372036854775807", "JPY", "9223372036854775807"), ("-9223372036854775808", "KWD", "-9223372036854775.808")])
def test_money_is_exact_both_ways(shop, minor, currency, shown):
    assert shop.value(f"SELECT souk.money({minor}, '{currency}')") == shown
    assert shop.value(f"SELECT souk.minor({shown}, '{currency}')") == minor
    assert shop.value(f"SELECT json_build_object('v', souk.money({minor}, '{currency}'))::text") == '{"v" : %s}' % shown


def test_every_cent_survives(shop):
    assert shop.value("SELECT count(*) FROM generate_series(-20000, 20000) AS n WHERE souk.minor(souk.money(n, 'EUR'), 'EUR') <> n "
                      "OR souk.minor(souk.money(n, 'GBP'), 'GBP') <> n OR souk.minor(souk.money(n, 'TND'), 'TND') <> n") == "0"


def test_times_are_told_in_utc(shop):
    assert shop.value("SET timezone = 'Europe/Paris'; SELECT souk.rfc3339('2025-07-01 12:00:00+02')") == "2025-07-01T10:00:00Z"
