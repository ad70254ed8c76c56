"""What a worker keeps and leaves: memory, connections, log lines."""
import json
import os
import re
import resource
import signal
import socket
import subprocess

import pytest

import support


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    home = tmp_path_factory.mktemp("workers")
    os.chmod(home, 0o755)
    os.chmod(home.parent, 0o755)
    instance = support.Instance(home / "var", support.free_port(), demo="on", workers=2, IDLE_CLOSE_S=1, MCP_LOG_LEVEL="debug")
    try:
        instance.start()
        yield instance
    finally:
        instance.serve("purge", check=False)


def private_kb(pid):
    """Memory that belongs to this process alone."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("Private_"))


def mixture(target, n):
    """Requests of all kinds, large and small, good and bad."""
    kinds = [
        lambda: target.call("search_products", {"query": "lampe suspendu bois", "limit": 50}, token=target.admin),
        lambda: target.call("search_products", {"query": "x" * 500}, token=target.admin),
        lambda: target.get("/api/mcp/inventory?limit=200", token=target.admin),
        lambda: target.get("/api/mcp/sales?limit=200", token=target.admin),
        lambda: target.post("/mcp", body=b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"' + b"y" * 900000 + b'"}}', token=target.admin),
        lambda: target.post("/mcp", body=b"[" * 20000, token=target.admin),
        lambda: target.get("/openapi.json"),
        lambda: target.get("/api/nothing"),
        lambda: target.get("/metrics", token=target.admin),
        lambda: target.get("/api/mcp/status", token="mcp_key_bad"),
        lambda: target.call("test_write", {"key": "m"}, token=target.admin, headers={"Idempotency-Key": support.unique("m").replace(" ", "-")}),
        lambda: target.call("test_write", {"key": "m", "fail": True}, token=target.admin),
    ]
    for i in range(n):
        kinds[i % len(kinds)]()


def test_memory_does_not_grow(running):
    """A leak grows with every request. A buffer grows once: when a worker sees its first large request, which may be late, as the web server deals out."""
    target = running.target
    mixture(target, 600)
    kb = [{p: private_kb(p) for p in running.workers()}]
    for _ in range(5):
        mixture(target, 360)
        kb.append({p: private_kb(p) for p in running.workers()})
    assert all(set(k) == set(kb[0]) for k in kb), "a worker died"
    for p in kb[0]:
        grown = sorted(later[p] - sooner[p] for sooner, later in zip(kb, kb[1:]))
        assert grown[2] < 140, f"worker {p}: kB more after each 360 requests: {grown}"


def test_idle_connections_are_closed(running):
    """A shop at night holds no database connection but those of the index builder and of the deliverer's two lanes, which are told of work."""
    target = running.target
    mixture(target, 24)

    def connections():
        return [int(r[0]) for r in target.sql("SELECT pid FROM pg_stat_activity WHERE datname = 'souk' "
                                              "AND backend_type = 'client backend' AND pid <> pg_backend_pid()")]
    support.wait_until(lambda: len(connections()) <= 3, 20, 0.5)
    assert target.call("test_scoped", {}, token=target.admin).ok


def test_memory_is_taken_from_workers_first(running):
    """Not from their parent, whose end costs a change of all workers."""
    workers = support.wait_until(running.workers)
    for pid in workers:
        adjusted = [int(open(f"/proc/{p}/oom_score_adj", encoding="ascii").read()) for p in (pid, support.parent(pid))]
        assert adjusted[0] >= 200 > adjusted[1], adjusted


def test_a_pool_of_its_own_outlives_its_parent_until_its_socket_is_taken(running, tmp_path):
    """--listen, as for mod_proxy_fcgi: kill -9 of the parent leaves a whole pool; one that listens on the same path later takes over."""
    program = os.path.join(running.target.data, "app", "lib", "souk", "cgi-bin", "souk.fcgi")
    path = str(tmp_path / "pool.sock")

    def start():
        return subprocess.Popen([program, "--listen", path], env={"SOUK_CONF": running.target.conf}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ours():
        """Process id -> parent of those that were not there before."""
        return {p: parent for p, parent in running.programs().items() if p not in before}

    def answers():
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(path)
                return True
            except OSError:
                return False

    before = set(running.programs())
    first = start()
    try:
        support.wait_until(lambda: answers() and len(ours()) == 4, 20)
        first.kill()
        first.wait()

        def heir():
            programs = ours()
            parents = [p for p in programs if programs[p] not in programs]
            return len(programs) == 4 and len(parents) == 1
        support.wait_until(heir, 20)
        assert answers()
        old = set(ours())
        second = start()
        try:
            support.wait_until(lambda: not old & set(ours()) and len(ours()) == 4, 20)
            assert answers()
        finally:
            second.terminate()
            assert second.wait(20) == 0
        support.wait_until(lambda: ours() == {}, 20)
    finally:
        for p in ours():
            os.kill(p, signal.SIGKILL)


def test_programs_do_not_speak_as_owner(running):
    """What serves requests may not change tables, nor read what only the owner may."""
    target = running.target
    target.get("/api/mcp/status", token=target.admin)
    roles = target.sql("SELECT DISTINCT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname LIKE '%_web'")
    assert roles == [["f", "f", "f"]]
    for statement in ("DELETE FROM souk.audit", "CREATE TABLE shop.x (a int)", "UPDATE souk.tokens SET scopes = '{*}'", "SELECT hash FROM souk.settings_x"):
        with pytest.raises(AssertionError):
            target.sql(f"BEGIN; SET LOCAL ROLE souk_web; {statement}; ROLLBACK")


def log_lines(running):
    with open(os.path.join(running.target.data, "log", "souk.log"), encoding="utf-8") as f:
        return f.read().splitlines()


def test_the_log_is_json_and_keeps_secrets(running):
    """Each line an object with the fixed members; no token, no word of a query, no address, no e-mail."""
    target = running.target
    secret, word = target.token("sales:read"), "zwiebelturmlampe"
    mixture(target, 12)
    target.call("search_products", {"query": word}, token=secret, headers={"X-Request-Id": "log-test-0001"})
    target.call("get_product_details", {"productId": word}, token=secret)
    target.get(f"/api/mcp/inventory?q={word}&mail=anna@example.org", token=secret)
    target.get("/api/mcp/status", token=secret + "x")
    target.get("/api/mcp/status?token=" + secret)
    support.wait_until(lambda: any("log-test-0001" in line for line in log_lines(running)))
    lines = log_lines(running)
    assert len(lines) > 50
    for line in lines:
        record = json.loads(line)
        assert {"timestamp", "level", "message"} <= set(record), line
        support.assert_rfc3339(record["timestamp"])
        assert record["level"] in ("debug", "info", "warn", "error"), line
    text = "\n".join(lines)
    for canary in (secret.split("_")[3][:20], target.admin.split("_")[3][:20], word, "anna@example.org", "127.0.0.1"):
        assert canary not in text, f"{canary} is in the log: {next(line for line in lines if canary in line)[:300]}"
    assert any(json.loads(line).get("correlationId") == "log-test-0001" for line in lines)


def test_nothing_went_wrong_unseen(running):
    """All the above left no error in the log, and no worker had to be replaced."""
    errors = [line for line in log_lines(running) if '"level":"error"' in line]
    assert errors == []


def test_a_program_starts_quickly(running):
    """With a warm file system: the processor time from exec to the end of a plain CGI request without a database; others' load does not count."""
    program = os.path.join(running.target.data, "app", "lib", "souk", "cgi-bin", "status")
    env = {"SOUK_CONF": running.target.conf, "REQUEST_METHOD": "GET", "REQUEST_URI": "/healthz", "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"}
    times = []
    for _ in range(15):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([program], env=env, stdout=subprocess.PIPE, check=True, stdin=subprocess.DEVNULL).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert re.search(rb"^Status: 200", out)
    assert min(times) < 0.1, f"{min(times) * 1000:.0f} ms"
