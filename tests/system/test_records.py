"""The record of calls: each is there once, whatever happened in between."""
import os
import signal
import time

import pytest

import support
from test_faults import postgres, start_postgresql, stop_all


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    home = tmp_path_factory.mktemp("records")
    os.chmod(home, 0o755)
    os.chmod(home.parent, 0o755)
    instance = support.Instance(home / "var", support.free_port(), redis="off")
    try:
        instance.start()
        yield instance
    finally:
        instance.serve("purge", check=False)


def count(target, token):
    return int(target.value(f"SELECT count(*) FROM souk.interactions WHERE token_id = '{support.token_id(token)}'"))


def exactly(target, token, n, seconds=10):
    support.wait_until(lambda: count(target, token) >= n, seconds, 0.1)
    time.sleep(0.5)
    assert count(target, token) == n


def some_calls(target, token, n):
    """n calls of which a third is refused, over several connections; returns how many got an answer."""
    clients = [target.client() for _ in range(4)]
    answered = 0
    for i in range(n):
        args = {"key": "x", "add": 0} if i % 3 == 0 else {"key": "x"}
        try:
            clients[i % 4].call("test_write", args, token=token)
            answered += 1
        except Exception:
            clients[i % 4].close()
    for c in clients:
        c.close()
    return answered


def test_each_call_is_one_row(running):
    target = running.target
    token = target.token("test:run", "--rate-class", "bulk")
    assert some_calls(target, token, 300) == 300
    exactly(target, token, 300)
    rows = dict(target.sql("SELECT coalesce(error_code, 'OK'), count(*) FROM souk.interactions "
                           f"WHERE token_id = '{support.token_id(token)}' GROUP BY 1"))
    assert rows == {"OK": "200", "MCP_INVALID_REQUEST": "100"}
    assert target.value(f"SELECT count(DISTINCT id) FROM souk.interactions WHERE token_id = '{support.token_id(token)}'") == "300"


def test_records_outlive_their_workers(running):
    """kill -9 before the batch was folded: the next process takes over what is left."""
    target = running.target
    token = target.token("test:run", "--rate-class", "bulk")
    for _ in range(3):
        assert some_calls(target, token, 40) == 40
        stop_all(running.workers(), signal.SIGKILL)
        support.wait_until(lambda: len(running.workers()) == 4, 10)
    # Someone has to call, so that the new workers have something to fold.
    some_calls(target, target.token("test:run"), 8)
    exactly(target, token, 120, 45)
    support.wait_until(lambda: spooled(target) == 0, 45, 0.2)


def spooled(target):
    """Bytes that wait in spool files."""
    folder = os.path.join(target.data, "state", "spool")
    total = 0
    for name in os.listdir(folder):
        try:
            total += os.stat(os.path.join(folder, name)).st_size
        except FileNotFoundError:
            pass
    return total


def test_a_stop_folds_everything(running):
    target = running.target
    token = target.token("test:run", "--rate-class", "bulk")
    assert some_calls(target, token, 50) == 50
    stop_all(running.workers(), signal.SIGTERM)
    support.wait_until(lambda: len(running.workers()) == 4, 10)
    exactly(target, token, 50, 5)


def test_records_wait_for_the_database(running):
    """Calls that were refused because the database was away are recorded when it is back."""
    target = running.target
    token = target.token("test:run", "--rate-class", "bulk")
    assert some_calls(target, token, 12) == 12
    exactly(target, token, 12)
    stopped = postgres(running)
    stop_all(stopped, signal.SIGSTOP)
    time.sleep(0.2)
    try:
        refused = [target.call("test_write", {"key": "x"}, token=token).reply.status for _ in range(3)]
    finally:
        stop_all(stopped, signal.SIGCONT)
    assert set(refused) == {503}
    support.wait_until(lambda: target.get("/readyz").status == 200, 15, 0.2)
    support.wait_until(lambda: count(target, token) >= 15, 45, 0.3)
    assert int(target.value("SELECT count(*) FROM souk.interactions WHERE error_code = 'MCP_UNAVAILABLE' "
                            f"AND token_id = '{support.token_id(token)}'")) == 3


def test_nothing_is_lost_by_a_crash_of_the_database(running):
    target = running.target
    token = target.token("test:run", "--rate-class", "bulk")
    assert some_calls(target, token, 20) == 20
    os.kill(running.pid("postgresql"), signal.SIGQUIT)
    support.wait_until(lambda: not os.path.exists(f"/proc/{running.pid('postgresql')}"), 10)
    start_postgresql(running)
    support.wait_until(lambda: target.get("/readyz").status == 200, 15, 0.2)
    some_calls(target, target.token("test:run"), 8)
    exactly(target, token, 20, 45)


def test_one_bad_record_costs_only_itself(running):
    """A spool with a broken line among good ones, left by a process that is gone: the good ones are folded, nobody dies of it."""
    target = running.target
    token = target.token("test:run", "--rate-class", "bulk")
    ident = support.token_id(token)
    folder = os.path.join(target.data, "state", "spool")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    good = f'00000000-0000-4000-8000-%012d\t"{now}"\t"CHAT"\t"t"\t1\tt\t"mcp"\t"{ident}"' + "\tNULL" * 6 + '\t"{}"\n'
    lines = [(good % i).encode() for i in range(600)]
    lines[100] = lines[100].replace(b"00000000-", b"no uuid-")
    lines[300] = lines[300].replace(b'"CHAT"', b'"\xcd"')
    lines[500] = b"no record at all\n"
    lines.append(b"00000000-0000-4000-8000-99999")  # its process was killed inside a write
    path = os.path.join(folder, "1-orphan.spool")
    with open(path + ".tmp", "wb") as f:
        f.write(b"".join(lines))
    os.chown(path + ".tmp", os.stat(folder).st_uid, os.stat(folder).st_gid)
    os.rename(path + ".tmp", path)
    workers = set(running.workers())
    stop_all(list(workers)[:1], signal.SIGTERM)  # its successor looks for orphans
    support.wait_until(lambda: set(running.workers()) != workers and len(running.workers()) == 4, 10)
    for _ in range(3):
        some_calls(target, target.token("test:run"), 8)
        time.sleep(0.3)
    support.wait_until(lambda: count(target, token) == 597, 45, 0.2)
    support.wait_until(lambda: not os.path.exists(path), 10, 0.2)
    assert len(workers & set(running.workers())) >= 3, "workers died of the record"
