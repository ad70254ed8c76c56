"""A client that writes down only what was acknowledged, and repeats what was not, with the same key, until it is."""
import threading
import time
import uuid

import support


class Ledger:
    """Threads that call test_write while something breaks. Each call counts one in the database; afterwards the two are compared."""

    def __init__(self, target, threads=8, pause=0.0):
        self.target, self.pause = target, pause
        self.name = support.unique("ledger").replace(" ", "-")
        self.stop = threading.Event()
        self.acknowledged = [[] for _ in range(threads)]
        self.given_up = 0
        self.trouble = []       # what each failed attempt was
        self.longest = 0.0
        self.threads = [threading.Thread(target=self.work, args=(i,), daemon=True) for i in range(threads)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join(60)

    def attempt(self, client, thread, key):
        began = time.monotonic()
        try:
            outcome = client.call("test_write", {"key": f"{self.name}-{thread}"}, token=self.target.admin, headers={"Idempotency-Key": key})
            if outcome.ok:
                return True
            self.trouble.append(f"{outcome.reply.status} {outcome.message}")
        except Exception as e:  # whatever a broken connection shows
            self.trouble.append(type(e).__name__)
            client.close()
        finally:
            self.longest = max(self.longest, time.monotonic() - began)
        return False

    def work(self, thread):
        client = self.target.client(timeout=20)
        while not self.stop.is_set():
            key, tries, end = str(uuid.uuid4()), 0, time.monotonic() + 40
            while not self.attempt(client, thread, key):
                tries += 1
                if time.monotonic() > end:
                    self.given_up += 1
                    return
                time.sleep(min(0.05 * tries, 0.5))
            self.acknowledged[thread].append(key)
            time.sleep(self.pause)
        client.close()

    def count(self):
        """How many calls were acknowledged until now."""
        return sum(map(len, self.acknowledged))

    def more(self, n):
        """Wait until n more calls are acknowledged."""
        wanted = self.count() + n
        support.wait_until(lambda: self.count() >= wanted, 90)

    def check(self, counters=True):
        """Acknowledged but absent: 0; doubled: 0. Returns how many were acknowledged. The counters that test_write adds to are in an
        unlogged table, which a crash of the database empties; then only the keys are compared, which commit together with their effect."""
        assert not any(t.is_alive() for t in self.threads), "a client hangs"
        assert self.given_up == 0, f"{self.given_up} calls were never answered; trouble: {self.trouble[-5:]}"
        keys = [k for keys in self.acknowledged for k in keys]
        have = {r[0] for r in self.target.sql("SELECT key FROM souk.idempotency_keys WHERE status IS NOT NULL")}
        lost = [k for k in keys if k not in have]
        assert not lost, f"{len(lost)} of {len(keys)} acknowledged calls are lost"
        assert keys
        if counters:
            self.check_counters()
        return len(keys)

    def check_counters(self):
        rows = dict(self.target.sql("SELECT key, convert_from(value, 'UTF8') FROM souk.kv "
                                    f"WHERE key LIKE 'test_write:{self.name}-%'"))
        for i, keys in enumerate(self.acknowledged):
            have = int(rows.get(f"test_write:{self.name}-{i}", 0))
            assert have == len(keys), f"client {i}: {len(keys)} acknowledged, {have} in the database"
