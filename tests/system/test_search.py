"""The search index beside a running shop: changes, killed builders, damaged files."""
import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest

import support


@pytest.fixture(scope="module")
def index(souk):
    """The path of the index, built afresh."""
    souk.souk("index", "--quiet")
    return os.path.join(souk.data, "state", "search.seg")


def found(target, **args):
    with_client = target.client()
    try:
        out = with_client.call("search_products", args, token=target.admin)
        assert out.ok, out
        return out.value
    finally:
        with_client.close()


def state_of(target, product):
    return target.sql(f"SELECT name, price_minor, coalesce(sale_price_minor::text, 'NULL'), stock, status FROM shop.products WHERE id = {product}")[0]


def test_changes_are_found_by_the_next_search(souk, index):
    product = souk.value("SELECT min(id) FROM shop.products WHERE status = 'active'")
    name, price, sale, stock, _ = state_of(souk, product)
    word = "xylo" + "".join(random.choice("bdfgk") + random.choice("aeiou") for _ in range(4))
    try:
        souk.sql(f"UPDATE shop.products SET name = 'Lampe {word}', price_minor = 777, sale_price_minor = NULL, stock = 3 WHERE id = {product}")
        for _ in range(8):  # every worker
            out = found(souk, query=word)
            assert out["total"] == 1 and out["products"][0]["id"] == product and out["products"][0]["price"] == 7.77
            assert found(souk, query=word, maxPrice=7.77)["total"] == 1
            assert found(souk, query=word, maxPrice=7.76)["total"] == 0
        souk.sql(f"UPDATE shop.products SET stock = 0 WHERE id = {product}")
        for _ in range(8):
            assert found(souk, query=word, inStock=True)["total"] == 0
            assert found(souk, query=word)["total"] == 1
        souk.sql(f"UPDATE shop.products SET status = 'deleted', deleted_at = now() WHERE id = {product}")
        for _ in range(8):
            assert product not in [p["id"] for p in found(souk, query=word)["products"]]
    finally:
        quoted = name.replace("'", "''")
        souk.sql(f"UPDATE shop.products SET name = '{quoted}', price_minor = {price}, sale_price_minor = {sale}, stock = {stock}, "
                 f"status = 'active', deleted_at = NULL WHERE id = {product}")


def test_a_late_commit_is_not_missed(souk, index):
    """A transaction that began before others and commits after them."""
    ids = [r[0] for r in souk.sql("SELECT id FROM shop.products WHERE status = 'active' ORDER BY id DESC LIMIT 2")]
    before = {i: state_of(souk, i) for i in ids}

    def at(price):
        return [p["id"] for p in found(souk, minPrice=price, maxPrice=price)["products"]]

    slow = subprocess.Popen(["psql", "-X", "-q", "-d", souk.database_url, "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, text=True)
    try:
        slow.stdin.write(f"BEGIN; UPDATE shop.products SET price_minor = 71111, sale_price_minor = NULL WHERE id = {ids[0]};\n")
        slow.stdin.flush()
        support.wait_until(lambda: souk.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%71111%'") != "0")
        souk.sql(f"UPDATE shop.products SET price_minor = 71112, sale_price_minor = NULL WHERE id = {ids[1]}")
        for _ in range(8):
            assert at(711.12) == [ids[1]] and at(711.11) == []
        slow.stdin.write("COMMIT;\n")
        slow.stdin.close()
        assert slow.wait(60) == 0
        for _ in range(8):
            assert at(711.12) == [ids[1]] and at(711.11) == [ids[0]]
    finally:
        slow.kill()
        for i, (_, price, sale, _, _) in before.items():
            souk.sql(f"UPDATE shop.products SET price_minor = {price}, sale_price_minor = {sale} WHERE id = {i}")


def test_many_changes_under_load_agree_with_the_database(souk, index):
    stop, failures = threading.Event(), []

    def search():
        while not stop.is_set():
            try:
                found(souk, query=random.choice(["lampe", "table", "coussin", "lamp"]), maxPrice=random.randint(10, 300))
            except Exception as e:  # told below
                failures.append(e)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for k in range(20):
            souk.sql("UPDATE shop.products SET stock = (stock + 1) % 40 WHERE id IN "
                     f"(SELECT id FROM shop.products WHERE status = 'active' AND id % 20 = {k} ORDER BY id LIMIT 60)")
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failures, failures[0]
    for args, condition in (({"inStock": True}, "stock > 0"), ({"maxPrice": 50}, "coalesce(sale_price_minor, price_minor) <= 5000"),
                            ({"featured": True, "minPrice": 20}, "featured AND coalesce(sale_price_minor, price_minor) >= 2000")):
        want = int(souk.value(f"SELECT count(*) FROM shop.products WHERE status = 'active' AND {condition}"))
        assert found(souk, **args)["total"] == want, args
    cheapest = [r[0] for r in souk.sql("SELECT id FROM shop.products WHERE status = 'active' AND coalesce(sale_price_minor, price_minor) IS NOT NULL "
                                       "ORDER BY coalesce(sale_price_minor, price_minor), id LIMIT 50")]
    assert [p["id"] for p in found(souk, sortBy="price-asc", limit=50)["products"]] == cheapest


def is_indexer(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return b"index" in f.read().split(b"\0")


@pytest.fixture
def watched(souk, index):
    """A watcher in place of the shop's own that writes what is recent beside the index and folds nothing in."""
    env = dict(os.environ, SOUK_CONF=souk.conf)
    for key in ("DATABASE_URL", "REDIS_URL", "STATE_DIR", "WORKERS"):
        env.pop(key, None)
    (own,) = [p for p in support.processes("souk") if support.executable(p).startswith(souk.data) and is_indexer(p)]
    os.kill(own, signal.SIGSTOP)
    souk.souk("index", "--quiet")
    watcher = subprocess.Popen([souk.bin, "index", "--watch", "--if-missing", "--quiet", "--changes", "50000", "--every", "86400"], env=env)
    try:
        yield watcher
    finally:
        os.kill(own, signal.SIGCONT)
        watcher.terminate()
        assert watcher.wait(10) == 0


def test_recent_changes_are_shared(souk, index, watched):
    """Many changes go to a file that all processes map; what is found is what the database has, with later changes and without that file too."""
    path = index + ".recent"
    before = os.stat(index).st_ino

    def agrees():
        for args, condition in (({"inStock": True}, "stock > 0"), ({"maxPrice": 50}, "coalesce(sale_price_minor, price_minor) <= 5000")):
            want = int(souk.value(f"SELECT count(*) FROM shop.products WHERE status = 'active' AND {condition}"))
            for _ in range(6):  # every worker
                assert found(souk, **args)["total"] == want, args
        for _ in range(6):
            assert gone not in [p["id"] for p in found(souk, query=sku)["products"]]

    gone, sku = souk.sql("SELECT id, sku FROM shop.products WHERE status = 'active' ORDER BY id DESC LIMIT 1")[0]
    if os.path.exists(path):
        os.unlink(path)
    try:
        souk.sql(f"UPDATE shop.products SET status = 'deleted', deleted_at = now() WHERE id = {gone}")
        changed = "id IN (SELECT id FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 700)"
        souk.sql(f"UPDATE shop.products SET stock = (stock + 1) % 3 WHERE {changed}")
        support.wait_until(lambda: os.path.exists(path), 20)
        agrees()
        souk.sql("UPDATE shop.products SET stock = (stock + 2) % 3 WHERE id IN (SELECT id FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 50)")
        agrees()
        seen = os.stat(path).st_ino
        souk.sql(f"UPDATE shop.products SET stock = (stock + 1) % 2 WHERE {changed}")
        support.wait_until(lambda: os.stat(path).st_ino != seen, 20)
        agrees()
        watched.send_signal(signal.SIGSTOP)
        with open(path, "rb") as f:
            good = f.read()
        for bad in (good[:-1], good[:1000], b"", good[:-200] + bytes([good[-200] ^ 1]) + good[-199:],
                    good[:9000] + bytes([good[9000] ^ 1]) + good[9001:], good + good):
            with open(path + ".test", "wb") as f:
                f.write(bad)
            os.rename(path + ".test", path)
            agrees()
        assert os.stat(index).st_ino == before
    finally:
        watched.send_signal(signal.SIGCONT)
        souk.sql(f"UPDATE shop.products SET status = 'active', deleted_at = NULL WHERE id = {gone}")


def test_a_killed_builder_leaves_the_last_index(souk, index, tmp_path):
    queries = tmp_path / "queries.tsv"
    queries.write_text("1\tlampe\n")
    env = dict(os.environ, SOUK_CONF=souk.conf)
    for key in ("DATABASE_URL", "REDIS_URL", "STATE_DIR", "WORKERS"):
        env.pop(key, None)
    began = time.monotonic()
    souk.souk("index", "--quiet")
    took = time.monotonic() - began
    killed = 0
    for i in range(25):  # at moments spread over a whole build, however fast the machine is
        began = time.monotonic()
        builder = subprocess.Popen([souk.bin, "index", "--quiet"], env=env)
        try:
            builder.wait(took * i / 25)
            took = min(took, time.monotonic() - began)
        except subprocess.TimeoutExpired:
            builder.send_signal(signal.SIGKILL)
            killed += builder.wait() == -signal.SIGKILL
        # Opens the file with all its checksums.
        assert souk.souk("search-run", "--queries", str(queries), "--file", index, "--top", "1").stdout.startswith("1\t")
        assert found(souk, query="lampe")["total"] > 0
    assert killed > 5
    souk.souk("index", "--quiet")
    left = [name for name in os.listdir(os.path.dirname(index)) if name.startswith("search") and name not in
            ("search.seg", "search.seg.lock", "search.seg.ok", "search.seg.new", "search.seg.recent", "search.seg.recent.ok", "search.seg.recent.new")]
    assert left == []


def test_a_damaged_index_is_refused_and_the_database_answers(souk, index):
    def write(content):
        with open(index + ".test", "wb") as f:
            f.write(content)
        os.chmod(index + ".test", 0o644)
        os.rename(index + ".test", index)

    with open(index, "rb") as f:
        good = f.read()
    total = found(souk, query="coussin", limit=5)["total"]
    assert total > 0
    try:
        for bad in (good[:len(good) // 2], good[:5000] + b"\xff" + good[5001:], b"", b"not an index", good[:8] + b"\x02" + good[9:]):
            write(bad)
            for _ in range(6):
                out = found(souk, query="coussin", limit=5)
                assert len(out["products"]) == 5
    finally:
        souk.souk("index", "--quiet")
    support.wait_until(lambda: found(souk, query="coussin", limit=5)["total"] == total)


def test_rates_convert_price_filters(souk, index):
    def total(**args):
        return json.loads(souk.souk("call", "search_products", json.dumps(args)).stdout)["total"]

    try:
        souk.souk("rates", "USD", "1.25")
        assert "1 EUR = 1.25 USD" in souk.souk("rates").stdout
        assert total(maxPrice=100, currency="USD") == total(maxPrice=80) > 0
        assert total(minPrice=100, currency="USD") == total(minPrice=80) > 0
        args = {"maxPrice": 100, "currency": "USD", "base": "EUR"}
        assert int(souk.value(f"SELECT shop.list_ids('{json.dumps(args)}')->>'total'")) == total(maxPrice=80)
    finally:
        souk.souk("rates", "USD", "drop")
    assert total(maxPrice=100, currency="USD") == 0
    assert int(souk.value(f"SELECT shop.list_ids('{json.dumps(args)}')->>'total'")) == 0


def test_the_report_tells_what_is_not_found(souk, index):
    word = "qzx" + "".join(random.choice("bdfgk") for _ in range(8))
    found(souk, query=f"{word} {word}y", maxPrice=0.01)
    support.wait_until(lambda: word in souk.souk("search-report").stdout.split("without result")[1])
    report = json.loads(souk.souk("search-report", "--json", "--top", "1000").stdout)
    assert next(q for q in report["withoutResult"] if word in q["query"])["noResult"] == 1


def test_the_watcher_is_told_of_changes(souk, index, tmp_path):
    """Well before it would look by itself, and it asks next to nothing while nothing happens."""
    path = str(tmp_path / "watched.seg")
    env = dict(os.environ, SOUK_CONF=souk.conf)
    for key in ("DATABASE_URL", "REDIS_URL", "STATE_DIR", "WORKERS"):
        env.pop(key, None)
    os.chmod(tmp_path, 0o777)
    watcher = subprocess.Popen([souk.bin, "index", "--watch", "--quiet", "--changes", "1", "--every", "86400", "--file", path], env=env)
    product = souk.value("SELECT min(id) FROM shop.products WHERE status = 'active'")
    try:
        support.wait_until(lambda: os.path.exists(path))
        for _ in range(2):
            before = os.stat(path).st_ino

            def follows():      # it may not listen yet when the first change is made
                souk.sql(f"UPDATE shop.products SET stock = stock + 1 WHERE id = {product}")
                return os.stat(path).st_ino != before
            support.wait_until(follows, step=2)
    finally:
        watcher.terminate()
        assert watcher.wait(60) == 0
