"""What the Python suites share: the running instance, HTTP, MCP, the command line and SQL.

The instance is told by the environment, else by var/demo.env, which `make start` writes:
SOUK_URL, DATABASE_URL, REDIS_URL, SOUK_ADMIN_TOKEN, SOUK_MONITOR_TOKEN, SOUK_STAFF_TOKEN; further
    SOUK_HOME    its folder (default: var/ of the checkout)
    SOUK_CONF    its configuration (default: souk.conf in that folder, or in what `home` there points to)
    SOUK_BIN     the command line (default: bin/souk in the build directory)
    SOUK_BUILD   build directory (default: build)
    SERVER       lighttpd, apache or apache-proxy
    SOUK_DATA    folder with public test data (default: ../shared/data), optional
"""
import base64
import contextlib
import datetime
import hashlib
import http.client
import itertools
import json
import os
import random
import re
import socket
import subprocess
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JSON_TYPE = "application/json"
# What tests/run and demo.env tell about an instance.
TOLD = ("SOUK_URL", "DATABASE_URL", "REDIS_URL", "SOUK_ADMIN_TOKEN", "SOUK_MONITOR_TOKEN", "SOUK_STAFF_TOKEN", "SOUK_BIN", "SOUK_CONF")
ERROR_CODES = {
    400: {"MCP_INVALID_REQUEST"}, 401: {"MCP_AUTH_REQUIRED"}, 403: {"MCP_FORBIDDEN"}, 404: {"MCP_NOT_FOUND"},
    405: {"MCP_INVALID_REQUEST"}, 409: {"MCP_CONFLICT", "MCP_TEST_RUNNING"}, 413: {"MCP_INVALID_REQUEST"},
    415: {"MCP_INVALID_REQUEST"}, 422: {"MCP_CONFLICT"}, 429: {"MCP_RATE_LIMITED"}, 500: {"MCP_INTERNAL"},
    503: {"MCP_UNAVAILABLE"},
}
# What an answer must never tell: texts of the database, of libraries, of our files.
INTERNALS = ("ERROR:", "SQLSTATE", "PQexec", "libpq", "server closed the connection", "/lib/", ".c:", "SELECT ", "LINE 1")


def read_env_file(path):
    """NAME=value lines of a file; values are taken as they are."""
    with open(path, encoding="utf-8") as f:
        return dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line)


class Target:
    """One running souk."""

    def __init__(self, env, home):
        self.url = env["SOUK_URL"].rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        self.host, self.port = parts.hostname, parts.port or 80
        self.database_url = env["DATABASE_URL"]
        self.redis_url = env.get("REDIS_URL", "")
        self.admin = env["SOUK_ADMIN_TOKEN"]
        self.monitor = env["SOUK_MONITOR_TOKEN"]
        self.staff = env["SOUK_STAFF_TOKEN"]
        self.home = str(home)
        self.build = os.path.join(ROOT, os.environ.get("SOUK_BUILD", "build"))
        self.bin = env.get("SOUK_BIN", os.path.join(self.build, "bin", "souk"))
        self.conf = env.get("SOUK_CONF", os.path.join(self.data, "souk.conf"))

    @classmethod
    def running(cls):
        home = os.environ.get("SOUK_HOME", os.path.join(ROOT, "var"))
        env = {}
        with contextlib.suppress(FileNotFoundError):
            env = read_env_file(os.path.join(home, "demo.env"))
        env.update((key, os.environ[key]) for key in TOLD if key in os.environ)
        if "SOUK_URL" not in env:
            raise RuntimeError("no instance: set SOUK_URL and the others, or run `make start`")
        return cls(env, home)

    @property
    def data(self):
        """The folder behind SOUK_HOME/home: where souk-serve keeps what the service's user may enter."""
        link = os.path.join(self.home, "home")
        return os.path.realpath(link) if os.path.exists(link) else self.home

    # ---- HTTP

    def client(self, source=None, timeout=30):
        return Client(self, source, timeout)

    def get(self, target, **kw):
        return thread_client(self).request("GET", target, **kw)

    def post(self, target, body=None, **kw):
        return thread_client(self).request("POST", target, body=body, **kw)

    def request(self, method, target, **kw):
        return thread_client(self).request(method, target, **kw)

    def mcp(self, method, params=None, server="", token=None, rpc_id=1, **kw):
        return thread_client(self).mcp(method, params, server, token, rpc_id, **kw)

    def call(self, tool, args=None, server="", token=None, **kw):
        return thread_client(self).call(tool, args, server, token, **kw)

    # ---- command line and database

    def souk(self, *args, check=True, stdin=None, env=None, timeout=120):
        """Run the command line; returns CompletedProcess with text."""
        full = dict(os.environ, SOUK_CONF=self.conf, **(env or {}))
        for key in ("DATABASE_URL", "REDIS_URL", "STATE_DIR", "WORKERS"):
            if key not in (env or {}):
                full.pop(key, None)
        done = subprocess.run([self.bin, *args], input=stdin, env=full, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"souk {' '.join(args)}: status {done.returncode}: {done.stderr.strip()}")
        return done

    def token(self, scopes, *options, name=None):
        """Create a token and return its text."""
        out = self.souk("token", "create", "--name", name or unique("test"), "--scopes", scopes, *options).stdout
        return next(word.strip('",') for word in out.replace("=", " ").split() if word.strip('",').startswith("mcp_key_"))

    def sql(self, statement, kind="system"):
        """Rows of the last statement as lists of strings; runs as the owner, speaking as kind."""
        out = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1", "-d", self.database_url,
             "-c", f"SET souk.kind = '{kind}'", "-c", "SET default_transaction_read_only = off", "-c", statement],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        if out.returncode != 0:
            raise AssertionError(f"psql: {out.stderr.strip()}")
        text = out.stdout.rstrip("\n\x1e")
        return [row.split("\x1f") for row in text.split("\x1e")] if text else []

    def value(self, statement, kind="system"):
        rows = self.sql(statement, kind)
        return rows[0][0] if rows else None


_names = itertools.count(1)


def unique(word):
    return f"{word} {os.getpid()}-{next(_names)}-{random.randrange(1 << 30):x}"


def token_id(text):
    """The public part of mcp_key_<id>_<secret><checksum>."""
    return text.split("_")[2]


_homes = [os.environ.get("SOUK_HOME", os.path.join(ROOT, "var"))]     # of the instances that were started


def server_said(since, most=20):
    """What the servers of this run have logged since that time (time.time()) and is no matter of course; for the report of a failure."""
    out = []
    for home in _homes:
        folder = os.path.join(os.path.realpath(os.path.join(home, "home")) if os.path.exists(os.path.join(home, "home")) else home, "log")
        for name in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
            with open(os.path.join(folder, name), "rb") as f:
                if os.fstat(f.fileno()).st_mtime < since:
                    continue
                f.seek(max(0, os.fstat(f.fileno()).st_size - 500_000))
                lines = f.read().decode("utf-8", "replace").splitlines()
            out += [f"{name}: {line[:400]}" for line in lines if _notable(line, since)]
    return out[-most:]


def _notable(line, since):
    if not line.startswith("{"):
        return re.search(r"ERROR|FATAL|PANIC|error|signal|refused", line)
    try:
        record = json.loads(line)
        when = datetime.datetime.fromisoformat(record["timestamp"].replace("Z", "+00:00")).timestamp()
        return when >= since - 1 and (record["level"] in ("warn", "error") or record.get("status", 0) >= 500)
    except (ValueError, KeyError, TypeError):
        return True


def sign(souk, kind, what, seconds=3600):
    """A handle as lib/auth/signed.h describes it, under the instance's own key."""
    pepper = next(line.partition("=")[2].strip() for line in open(souk.conf, encoding="utf-8") if line.startswith("TOKEN_PEPPER"))
    whole = hashlib.blake2b(pepper.encode(), digest_size=32).digest()
    key = hashlib.blake2b(b"souk signed handles v1", key=whole, digest_size=32).digest()
    bare = (int(time.time()) + seconds if seconds else 0).to_bytes(8, "big") + str(what).encode()
    mac = hashlib.blake2b(kind.encode() + b"\0" + bare, key=key, digest_size=16).digest()
    return kind + "_" + base64.urlsafe_b64encode(bare + mac).decode().rstrip("=")


def session(souk, customer=None, staff=None):
    """The Cookie header of a browser in which that customer or person of the shop is logged in; see lib/auth/login.h."""
    pepper = next(line.partition("=")[2].strip() for line in open(souk.conf, encoding="utf-8") if line.startswith("TOKEN_PEPPER"))
    whole = hashlib.blake2b(pepper.encode(), digest_size=32).digest()
    key = hashlib.blake2b(b"souk sessions v1", key=whole, digest_size=32).digest()
    value = "".join(random.choice("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") for _ in range(43))
    stored = hashlib.blake2b(value.encode() + b"\0session", key=key, digest_size=32).hexdigest()
    souk.sql("INSERT INTO souk.sessions (hash, customer_id, staff_id, expires_at) VALUES "
             f"('\\x{stored}', {customer or 'NULL'}, {staff or 'NULL'}, now() + interval '1 hour')")
    return f"souk={value}"


_ports = []     # sockets that hold the ports that were given away, so that nobody else gets them before they are used


def free_port():
    """A port for a server that sets SO_REUSEADDR, as all do; it is kept for this run."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    _ports.append(s)
    return s.getsockname()[1]


def loopback():
    """A loopback address that no other test calls from: anonymous limits are counted per address."""
    return f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}.{random.randrange(1, 255)}"


class Reply:
    """An HTTP answer."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.pairs = [(k.lower(), v) for k, v in headers]
        self.headers = dict(self.pairs)

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body.decode("utf-8"), parse_constant=lambda c: (_ for _ in ()).throw(ValueError(c)))

    def __repr__(self):
        return f"<{self.status} {self.headers.get('content-type')} {self.body[:300]!r}>"


class Client:
    """A keep-alive connection. One thread at a time."""

    def __init__(self, target, source=None, timeout=30):
        self.target, self.timeout = target, timeout
        self.source = (source, 0) if source else None
        self.conn = None

    def close(self):
        if self.conn:
            self.conn.close()
        self.conn = None

    def request(self, method, path, body=None, token=None, headers=None, json_body=None):
        """body: bytes or str as they are; json_body: a value. Headers of value None are left out."""
        send = {"Host": f"{self.target.host}:{self.target.port}", "Accept": "application/json, text/event-stream"}
        if json_body is not None:
            body = json.dumps(json_body)
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            send["Content-Type"] = JSON_TYPE
            send["Content-Length"] = str(len(body))
        elif method in ("POST", "PUT", "PATCH"):
            send["Content-Length"] = "0"
        if token:
            send["Authorization"] = f"Bearer {token}"
        send.update(headers or {})
        for attempt in (1, 2):
            reused = self.conn is not None
            if not self.conn:
                self.conn = http.client.HTTPConnection(self.target.host, self.target.port, timeout=self.timeout,
                                                       source_address=self.source)
                self.conn.connect()
                self.conn.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.conn.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
                for name, value in send.items():
                    if value is not None:
                        self.conn.putheader(name, value)
                self.conn.endheaders(body)
                answer = self.conn.getresponse()
                reply = Reply(answer.status, answer.getheaders(), answer.read())
                if answer.will_close:
                    self.close()
                return reply
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                # The server may end an idle connection at any time; only then a second try is right.
                if not reused or attempt == 2:
                    raise
            except Exception:
                self.close()
                raise
        raise AssertionError("not reached")

    def mcp(self, method, params=None, server="", token=None, rpc_id=1, **kw):
        message = {"jsonrpc": "2.0", "method": method}
        if rpc_id is not None:
            message["id"] = rpc_id
        if params is not None:
            message["params"] = params
        return self.request("POST", "/mcp" + (f"/{server}" if server else ""), json_body=message, token=token, **kw)

    def call(self, tool, args=None, server="", token=None, **kw):
        """tools/call -> Outcome; where a tool asks for a confirmation, that of the call that has it."""
        outcome = self.call_once(tool, args, server, token, **kw)
        asked = outcome.message and re.search(r'and "confirm": "(v1[.][A-Za-z0-9_-]+)"$', outcome.message)
        return self.call_once(tool, dict(args or {}, confirm=asked[1]), server, token, **kw) if asked else outcome

    def call_once(self, tool, args=None, server="", token=None, **kw):
        params = {"name": tool}
        if args is not None:
            params["arguments"] = args
        return Outcome(self.mcp("tools/call", params, server, token, **kw))


class Outcome:
    """What a tool call came to: value (structuredContent) or message, whichever way the refusal was told."""

    def __init__(self, reply):
        self.reply = reply
        self.value = self.message = self.code = None
        body = reply.json
        if "error" in body and isinstance(body["error"].get("code"), int):
            self.code, self.message = body["error"]["code"], body["error"]["message"]
        elif "error" in body:
            self.code, self.message = body["error"]["code"], body["error"]["message"]
        elif body["result"].get("isError"):
            self.message = body["result"]["content"][0]["text"]
        else:
            self.value = body["result"].get("structuredContent")
            self.content = body["result"]["content"]

    @property
    def ok(self):
        return self.message is None

    def __repr__(self):
        return f"<{self.reply.status} {self.code} {self.message or json.dumps(self.value)[:300]}>"


_local = threading.local()


def thread_client(target):
    """This thread's connection to the target."""
    clients = getattr(_local, "clients", None)
    if clients is None:
        clients = _local.clients = {}
    if target.url not in clients:
        clients[target.url] = Client(target)
    return clients[target.url]


def raw(target, data, timeout=20, source=None, read=True, pause=None):
    """Send bytes as they are on a fresh connection and read until the server closes it. pause: seconds between pieces, when
    data is a list."""
    with socket.create_connection((target.host, target.port), timeout=timeout,
                                  source_address=(source, 0) if source else None) as s:
        for i, piece in enumerate(data if isinstance(data, list) else [data]):
            if i and pause:
                time.sleep(pause)
            try:
                s.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
        return read_all(s) if read else b""


def read_all(s):
    out = b""
    while True:
        try:
            got = s.recv(65536)
        except ConnectionResetError:
            return out
        if not got:
            return out
        out += got


def parse_raw(data):
    """The first response in data."""
    class Source:
        def __init__(self, text):
            import io
            self.file = io.BytesIO(text)

        def makefile(self, *_):
            return self.file
    answer = http.client.HTTPResponse(Source(data))
    answer.begin()
    return Reply(answer.status, answer.getheaders(), answer.read())


def in_threads(n, work):
    """Run work(i) for i < n, each in a thread of its own, all let go at one moment; returns the results in order."""
    gate = threading.Barrier(n)
    results, failures = [None] * n, []

    def one(i):
        try:
            gate.wait(30)
            results[i] = work(i)
        except BaseException as e:  # told by the caller's thread
            failures.append(e)

    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    if failures:
        raise failures[0]
    assert not any(t.is_alive() for t in threads), "a thread did not end"
    return results


PATIENCE = 60   # seconds: what does not happen within these will not, on any machine


def wait_until(condition, seconds=PATIENCE, step=0.05):
    """The first true result of condition(); fails after some seconds, never fewer than PATIENCE: how quick a thing is on one machine is not for tests."""
    seconds = max(seconds, PATIENCE)
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, f"still not true after {seconds} s"
        time.sleep(step)


def assert_error(reply, status, code=None, mentions=()):
    """The answer is the one REST error form; nothing of the inside is told."""
    assert reply.status == status, reply
    assert reply.headers["content-type"].split(";")[0] == JSON_TYPE, reply
    body = reply.json
    assert set(body) == {"error"}, reply
    error = body["error"]
    assert set(error) == {"code", "message", "timestamp", "request_id"}, reply
    assert error["code"] in ({code} if code else ERROR_CODES[status]), reply
    assert error["message"] and isinstance(error["message"], str), reply
    assert_rfc3339(error["timestamp"])
    assert error["request_id"] == reply.headers["x-request-id"], reply
    assert_no_internals(reply)
    for word in [mentions] if isinstance(mentions, str) else mentions:
        assert word in error["message"], f"{word!r} is not in {error['message']!r}"
    return error


def assert_no_internals(reply):
    for word in INTERNALS:
        assert word not in reply.text, f"{word!r} in {reply}"


def assert_rfc3339(text):
    """An RFC 3339 time in UTC that is written with Z."""
    assert isinstance(text, str) and text.endswith("Z") and "T" in text, text
    datetime.datetime.fromisoformat(text[:-1])


def assert_rate_headers(reply):
    """Every answer tells limit, rest and seconds; the values fit together."""
    limit, rest, reset = (int(reply.headers[f"ratelimit-{k}"]) for k in ("limit", "remaining", "reset"))
    assert limit > 0 and 0 <= rest <= limit and reset >= 0, reply.headers
    return limit, rest, reset


class Instance:
    """A souk of the test's own, with its own folder, database and port; started by souk-serve."""

    def __init__(self, home, port, server="lighttpd", redis="on", program="souk-test.fcgi", demo="off", workers=4, **settings):
        self.home, self.settings = str(home), settings
        _homes.append(self.home)
        self.env = {k: v for k, v in os.environ.items() if k not in TOLD and not k.startswith(("MAKE", "MFLAGS"))}
        self.env.update(SOUK_HOME=self.home, PORT=str(port), SERVER=server, REDIS=redis, SOUK_PROGRAM=program, DEMO=demo,
                        WORKERS=str(workers), **{k: str(v) for k, v in settings.items()})
        self.target = None

    def serve(self, command, check=True):
        done = subprocess.run([os.path.join(ROOT, "bin", "souk-serve"), command], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"souk-serve {command}: {done.stdout[-2000:]}")
        return done.stdout

    def start(self):
        self.serve("start")
        self.target = Target(read_env_file(os.path.join(self.home, "demo.env")), self.home)
        return self.target

    def stop(self):
        self.serve("stop", check=False)

    def __enter__(self):
        try:
            return self.start() and self
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def pid(self, name):
        """The process that souk-serve started as name: postgresql, redis, pool or web."""
        with open(os.path.join(self.home, "pid", name), encoding="ascii") as f:
            return int(f.read().split()[0])

    def programs(self):
        """Process ids of the program -> that of its parent."""
        return {p: parent(p) for p in processes("souk.fcgi") if executable(p).startswith(self.target.data)}

    def workers(self):
        """Process ids of the program's workers: children of the parent of the pool, but for its guard."""
        mine = self.programs()
        return [p for p in mine if mine[p] in mine and command(p) == "souk.fcgi"]

    def pool(self):
        """The parent of the workers, or None where there is not exactly one."""
        mine = self.programs()
        parents = [p for p in mine if mine[p] not in mine]
        return parents[0] if len(parents) == 1 else None


def executable(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def command(pid):
    """The name that a process goes by."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return ""


def processes(name):
    """Ids of the processes whose executable has the name."""
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and os.path.basename(executable(p)) == name]


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def children(pid):
    """Ids of the direct children of a process."""
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and parent(int(p)) == pid]


def data_file(*path):
    """A file of the public test data, or None where there is none."""
    base = os.environ.get("SOUK_DATA", os.path.join(ROOT, "..", "shared", "data"))
    full = os.path.join(base, *path)
    return full if os.path.exists(full) else None
