"""souk-ws by itself: its limits, slow and broken clients, revoked tokens, a database that is away, its end, and what many idle connections cost."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time
import urllib.request

import pytest

from support import ROOT, free_port, token_id
from websocket import BINARY, PING, PONG, Refused, WebSocket

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_categories", "arguments": {}}}


class Daemon:
    def __init__(self, souk, **env):
        self.port = free_port()
        program = os.path.join(os.path.dirname(souk.bin), "souk-ws")
        self.process = subprocess.Popen([program, "--port", str(self.port)], env={**os.environ, "SOUK_CONF": souk.conf, "RATE_MCP": "off", "RATE_DATA": "off", **env})
        for _ in range(600):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.05)
        raise RuntimeError("souk-ws does not listen")

    def connect(self, **more):
        return WebSocket("127.0.0.1", self.port, **more)

    def health(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture
def daemon(souk):
    running = []

    def start(**env):
        running.append(Daemon(souk, **env))
        return running[-1]
    yield start
    for d in running:
        if d.process.poll() is None:
            assert d.stop() == 0


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def test_limits_hold_and_spare_the_others(daemon):
    d = daemon(WS_MESSAGES="20", WS_CONNECTIONS="3", BODY_MAX="20000")
    other = d.connect()
    binary = d.connect()
    binary.frame(BINARY, b"\x00\x01")
    assert binary.closed() == 1003
    large = d.connect()
    large.send({"jsonrpc": "2.0", "id": "x" * 30000, "method": "ping"})
    assert large.closed() == 1009
    garbled = d.connect()
    garbled.frame(1, b"\xff\xfe")
    assert garbled.closed() in (0, 1007)
    many = d.connect()
    for i in range(30):
        many.send({"jsonrpc": "2.0", "id": i, "method": "ping"})
    assert many.closed() == 1008
    until(lambda: d.health()["connections"] == 1)
    kept = [d.connect(), d.connect()]
    with pytest.raises(Refused) as refused:
        d.connect()
    assert refused.value.status == 503
    assert other.call("ping", number=99)["result"] == {}
    for ws in kept:
        ws.sock.close()


def test_one_address_cannot_take_all(daemon):
    d = daemon(WS_PER_ADDRESS="2")
    first, second = d.connect(), d.connect()
    with pytest.raises(Refused) as refused:
        d.connect()
    assert refused.value.status == 429
    first.sock.close()
    until(lambda: d.health()["connections"] == 1)
    assert d.connect().call("ping")["result"] == second.call("ping")["result"] == {}


def test_pings_and_drops_the_silent(daemon):
    d = daemon(WS_PING_S="2")
    quiet, answers = d.connect(timeout=60), d.connect(timeout=1)
    pongs = 0
    assert quiet.receive()[0] == PING
    quiet.sock.settimeout(0.05)
    with contextlib.suppress(ConnectionError, EOFError):
        while True:     # the one takes in and says nothing, the other answers
            with contextlib.suppress(TimeoutError):
                assert quiet.receive()[0] != 1
            with contextlib.suppress(TimeoutError):
                opcode, data = answers.receive()
                assert opcode == PING
                answers.frame(PONG, data)
                pongs += 1
    assert pongs > 0
    answers.sock.settimeout(60)
    assert answers.call("ping")["result"] == {}


def test_drops_who_takes_nothing(daemon):
    d = daemon(WS_MESSAGES="100000", WS_PING_S="2")
    slow = d.connect(timeout=1)
    call = {**CALL, "params": {"name": "search_products", "arguments": {"limit": 50}}}
    with pytest.raises(OSError):   # the daemon reads no more of it: nothing piles up there
        for i in range(100000):
            slow.send({**call, "id": i})
    assert d.health()["connections"] == 1
    until(lambda: d.health()["connections"] == 0)
    assert d.connect().call("ping")["result"] == {}


def test_answers_who_sends_much_at_a_time(daemon):
    d = daemon(WS_MESSAGES="100000")
    ws = d.connect()
    for i in range(1500):
        ws.send({"jsonrpc": "2.0", "id": i, "method": "ping"})
    assert sorted(ws.message()["id"] for _ in range(1500)) == list(range(1500))


@contextlib.contextmanager
def slow_orders(souk):
    """Whoever looks for an order waits a second for each that there is."""
    souk.sql("CREATE POLICY slow_for_test ON shop.orders AS RESTRICTIVE FOR SELECT USING (pg_sleep(1) IS NOT NULL)")
    try:
        yield
    finally:
        souk.sql("DROP POLICY slow_for_test ON shop.orders")


def test_a_call_that_is_cancelled_ends_its_statement(souk, daemon):
    """By a notification, or by the connection's end; over WebSocket and over a pipe. What was cancelled is not answered."""
    d = daemon()
    tokens = [souk.token("orders:read") for _ in range(3)]
    call = {"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": {"name": "search_orders", "arguments": {}}}
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}

    def running():
        return int(souk.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'"))

    def ended(token):
        where = f"FROM souk.interactions WHERE token_id = '{token_id(token)}'"
        until(lambda: souk.value("SELECT count(*) " + where) == "1")
        assert souk.value("SELECT error_code " + where) == "MCP_CANCELLED"
        until(lambda: running() == 0)

    with slow_orders(souk):
        for token, stays in ((tokens[0], True), (tokens[1], False)):
            ws = d.connect(headers={"Authorization": f"Bearer {token}"})
            ws.send(call)
            until(lambda: running() == 1)
            if stays:
                ws.send(cancel)
                ended(token)
                assert ws.call("ping", number=2) == {"jsonrpc": "2.0", "id": 2, "result": {}}, "nothing but this answer comes"
            ws.sock.close()
            ended(token)
        with subprocess.Popen([os.path.join(os.path.dirname(souk.bin), "souk-stdio")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "SOUK_CONF": souk.conf, "SOUK_TOKEN": tokens[2]}) as pipe:
            print(json.dumps(call), file=pipe.stdin, flush=True)
            until(lambda: running() == 1)
            print(json.dumps(cancel), file=pipe.stdin, flush=True)
            ended(tokens[2])
            out, _ = pipe.communicate(json.dumps(ping) + "\n", timeout=20)
            assert [json.loads(line) for line in out.splitlines()] == [{"jsonrpc": "2.0", "id": 2, "result": {}}]


def test_a_broken_client_leaves_nothing_behind(daemon):
    d = daemon()
    for _ in range(20):
        ws = d.connect()
        ws.send(CALL)
        ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ws.sock.close()
    for text in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 2000, b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n", b"GET /ws HTTP/1.1\r\nX: " + b"y" * 20000):
        with socket.create_connection(("127.0.0.1", d.port), 5) as s:
            s.sendall(text)
    until(lambda: d.health()["connections"] == 0)
    assert d.connect().call("ping")["result"] == {}


def test_a_revoked_token_ends_its_connections(souk, daemon):
    d = daemon()
    made = json.loads(subprocess.run([souk.bin, "token", "create", "--name", "to be revoked", "--scope", "catalog:read", "--json"], check=True, capture_output=True,
                                     env={**os.environ, "SOUK_CONF": souk.conf}).stdout)
    token = made["token"]
    ws = d.connect(headers={"Authorization": "Bearer " + token})
    listening = d.connect(headers={"Authorization": "Bearer " + token})
    init = {"protocolVersion": "2025-06-18", "capabilities": {}}
    assert "result" in ws.call("initialize", init)
    assert "result" in listening.call("initialize", init)
    assert listening.call("resources/subscribe", {"uri": "souk://products/featured"}, 2)["result"] == {}

    def hears():    # the watcher listens, once it tells of a change
        souk.sql("UPDATE shop.products SET updated_at = now() WHERE featured")
        listening.sock.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            return listening.message()["method"] == "notifications/resources/updated"
    until(hears)
    listening.sock.settimeout(60)
    subprocess.run([souk.bin, "token", "revoke", token.split("_")[2]], check=True, env={**os.environ, "SOUK_CONF": souk.conf})
    ws.send(CALL)
    assert ws.closed() == 1008
    assert listening.closed() == 1008


def test_a_database_that_is_away_freezes_nobody(daemon, tmp_path):
    log = tmp_path / "souk.log"
    d = daemon(DATABASE_URL="postgresql://souk@/souk?host=/nowhere", REDIS_URL="", RATE_STORE="shm", LOG_FILE=str(log))
    ws = d.connect()
    ws.send(CALL)
    ws.send({"jsonrpc": "2.0", "id": 2, "method": "ping"})
    answers = {m["id"]: m for m in (ws.message(), ws.message())}
    assert answers[2]["result"] == {}
    assert "error" in answers[1]
    with pytest.raises(Refused) as refused:
        d.connect(headers={"Authorization": "Bearer mcp_key_AAAAAAAAAAAA_wrong"})
    assert refused.value.status == 401
    until(lambda: "database connection failed" in log.read_text())   # workers write to the file, too


def test_tells_its_clients_when_it_stops(daemon):
    d = daemon()
    connections = [d.connect() for _ in range(5)]
    assert connections[0].call("ping")["result"] == {}
    d.process.send_signal(signal.SIGTERM)
    assert [ws.closed() for ws in connections] == [1001] * 5
    assert d.process.wait(20) == 0


def test_workers_that_die_are_replaced(daemon):
    d = daemon(WS_WORKERS="1")
    ws = d.connect()
    assert "result" in ws.call("tools/list")

    def children():
        return set(pathlib.Path(f"/proc/{d.process.pid}/task/{d.process.pid}/children").read_text().split())
    old = children()
    for child in old:
        os.kill(int(child), signal.SIGKILL)
    until(lambda: not old & children())    # others are started when there is something to do
    assert "result" in ws.call("tools/call", CALL["params"], 2)


def test_a_thousand_idle_connections_take_less_than_50_mb(souk):
    done = subprocess.run([os.path.join(ROOT, "bench", "websocket.py"), "1000", str(free_port())], check=True, capture_output=True, timeout=120,
                          env={**os.environ, "SOUK_BIN": souk.bin, "SOUK_CONF": souk.conf})
    report = json.loads(done.stdout)
    assert report["connections"] == 1000
    assert report["kb"] < 50 * 1024, report
