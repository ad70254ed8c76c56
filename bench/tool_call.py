#!/usr/bin/python3
"""get_product_details over MCP: souk against independent servers on the same PostgreSQL.

Rounds are interleaved and the order is reversed every other round, so that other load on the machine meets all alike.
souk runs with everything on: token, rate limit, validation, row-level security, recording.  Printed are the medians of the rounds:
requests per second, p50 and p99, CPU time per request (web server, program and PostgreSQL), private memory of a worker, cold
start, and souk's ratio to each.

Environment: PEERS (../shared/peers), ROUNDS (5), SECONDS (5), CLIENTS (32), WORKERS (4), PRODUCTS (100000), ERA (2025-06-18).
"""
import csv
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.environ.get("PEERS", os.path.join(TOP, "..", "shared", "peers"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("SECONDS", "5"))
CLIENTS = int(os.environ.get("CLIENTS", "32"))
WORKERS = int(os.environ.get("WORKERS", "4"))
PRODUCTS = int(os.environ.get("PRODUCTS", "100000"))
ERA = os.environ.get("ERA", "2025-06-18")
HOME = os.path.join(TOP, "var", "bench")
TICK = os.sysconf("SC_CLK_TCK")
LUA = os.path.join(PEERS, "wrk", f"tools_call_{ERA}.lua")

PEER_SQL = """SELECT p.id::text AS id, p.name, p.description, p.price_minor / 100.0 AS price, p.currency, p.stock, c.name AS category
FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id WHERE p.id = $1::bigint"""

# goal: souk's requests per second against theirs
GOALS = {"c-bare": 9000 / 12160, "node-sdk1": 8.0, "node-sdk2": 5.0, "php-min": 1.2}


def env_file(path):
    out = {}
    for line in open(path):
        m = re.match(r"(?:export )?([A-Z_]+)=(.*)", line.strip())
        if m:
            out[m.group(1)] = m.group(2).strip("'\"")
    return out


def stat_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        tail = f.read().rsplit(")", 1)[1].split()
    return int(tail[1]), int(tail[11]) + int(tail[12])  # parent, user + system ticks


def tree(roots):
    """The processes below roots, roots included."""
    parent = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            try:
                parent[int(d)] = stat_of(d)[0]
            except (OSError, IndexError):
                pass
    found = set(roots)
    grown = True
    while grown:
        more = {p for p, up in parent.items() if up in found and p not in found}
        found |= more
        grown = bool(more)
    return found


def cpu_ticks(pids):
    total = 0
    for p in pids:
        try:
            total += stat_of(p)[1]
        except OSError:
            pass
    return total


def private_mb(pid):
    kb = 0
    try:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Private_"):
                kb += int(line.split()[1])
    except OSError:
        return 0.0
    return kb / 1024


def names(pids):
    out = {}
    for p in pids:
        try:
            out[p] = open(f"/proc/{p}/comm").read().strip()
        except OSError:
            pass
    return out


class Candidate:
    def __init__(self, name, port, headers=None, path="/mcp"):
        self.name, self.port, self.path = name, port, path
        self.headers = headers or {}
        self.procs, self.roots, self.rounds = [], [], []
        self.worker_comm = ""
        self.cold_ms = 0.0

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def ask(self, key="1", timeout=5):
        body = ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_product_details",'
                f'"arguments":{{"productId":"{key}"}}}}}}')
        head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2025-06-18", **self.headers}
        req = urllib.request.Request(self.url() + self.path, body.encode(), head)
        with urllib.request.urlopen(req, timeout=timeout) as r:
            return r.read().decode()

    def spawn(self, argv, cwd, extra):
        env = {**os.environ, **extra}
        p = subprocess.Popen(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=open(f"{HOME}/{self.name}.log", "a"),
                             **drop(self))
        self.procs.append(p)
        self.roots.append(p.pid)

    def wait(self, began):
        for _ in range(3000):
            try:
                if "structuredContent" in self.ask():
                    self.cold_ms = (time.monotonic() - began) * 1000
                    return
            except OSError:
                pass
            time.sleep(0.002)
        raise SystemExit(f"{self.name} does not answer; see {HOME}/{self.name}.log")

    def stop(self):
        for p in reversed(self.procs):
            p.send_signal(signal.SIGTERM)
        for p in self.procs:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()

    def run(self, postgres, env, seconds, check=False):
        pids = tree(self.roots)
        before = cpu_ticks(pids) + cpu_ticks(tree(postgres))
        token = self.headers.get("Authorization", "").replace("Bearer ", "")
        wrk_env = {**os.environ, "PEER_PATH": self.path, "PEER_IDS": env["PEER_IDS"]}
        if token:
            wrk_env["PEER_TOKEN"] = token
        if check:
            wrk_env["PEER_CHECK"] = "1"
        text = subprocess.run(["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--latency", "-s", LUA, self.url()], env=wrk_env,
                              capture_output=True, text=True, check=True).stdout
        after = cpu_ticks(tree(self.roots)) + cpu_ticks(tree(postgres))
        if check:
            m = re.search(r"checked (\d+) replies, (\d+) without structuredContent(.*)", text)
            if not m or int(m.group(2)) or not int(m.group(1)):
                raise SystemExit(f"{self.name}: wrong answers: {m.group(0) if m else text}")
            return
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        if bad or "Socket errors" in text:
            print(f"  {self.name}: {bad.group(0) if bad else ''} {''.join(re.findall('Socket errors.*', text))}")
        count = int(re.search(r"(\d+) requests in", text).group(1))
        self.rounds.append({
            "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            "p50": ms(re.search(r"50%\s+(\S+)", text).group(1)), "p99": ms(re.search(r"99%\s+(\S+)", text).group(1)),
            "cpu": (after - before) / TICK * 1e6 / max(count, 1)})

    def memory(self):
        sizes = [private_mb(p) for p, comm in names(tree(self.roots)).items() if comm.startswith(self.worker_comm)]
        return max(sizes, default=0.0)

    def median(self, key):
        return statistics.median(r[key] for r in self.rounds)


def drop(c):
    """php-fpm and PostgreSQL clients need no root; run peers as the service's user where we are root."""
    return {"user": "www-data", "group": "www-data"} if os.getuid() == 0 and c.name != "souk" else {}


def ms(text):
    value, unit = re.match(r"([\d.]+)(\w+)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def serve(*args):
    env = {**os.environ, "SOUK_HOME": HOME, "PORT": "8190", "SERVER": "lighttpd", "WORKERS": str(WORKERS)}
    subprocess.run([os.path.join(TOP, "bin", "souk-serve"), *args], env=env, check=True, stdout=subprocess.DEVNULL)


def psql(url, sql):
    return subprocess.run(["psql", url, "-XAtqc", sql], check=True, capture_output=True, text=True).stdout.strip()


def fill(env):
    """Enough products that the table does not sit in one corner of the cache."""
    have = int(psql(env["DATABASE_URL"], "SELECT count(*) FROM shop.products"))
    if have >= PRODUCTS:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as f:
        w = csv.writer(f)
        w.writerow(["sku", "name", "brand", "description", "category", "price", "stock"])
        for i in range(PRODUCTS - have):
            w.writerow([f"BENCH-{i:06d}", f"Lampe de mesure {i}", "Atelier", "Une lampe pour mesurer, " * 6, "Luminaires",
                        f"{10 + i % 500}.90", i % 40])
        f.flush()
        os.chmod(f.name, 0o644)
        subprocess.run([os.path.join(TOP, "build", "bin", "souk"), "import", f.name], check=True,
                       env={**os.environ, **env}, stdout=subprocess.DEVNULL)
    psql(env["DATABASE_URL"], "ANALYZE shop.products")


def pid_in(path):
    return int(open(path).read().split()[0])


def souk_candidate(env):
    c = Candidate("souk", 8190, {"Authorization": "Bearer " + env["BENCH_TOKEN"]})
    c.roots = [pid_in(os.path.join(HOME, "pid", f)) for f in os.listdir(os.path.join(HOME, "pid"))
               if not re.search("postgres|pg|redis", f)]
    c.worker_comm = "souk"
    return c


def build(name):
    src, dst = os.path.join(PEERS, name), os.path.join("/var/tmp", f"souk-bench-{os.getuid()}", name)
    if not os.path.isdir(dst):
        shutil.copytree(src, dst, copy_function=shutil.copy)
        subprocess.run(["chmod", "-R", "u+w,a+rX", os.path.dirname(dst)], check=True)
        if name == "c-bare":
            subprocess.run(["make", "-s"], cwd=dst, check=True)
        elif name.startswith("node"):
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=dst, check=True)
        subprocess.run(["chmod", "-R", "a+rX", dst], check=True)
    return dst


def peer(name, port, env, sockets):
    c = Candidate(name, port)
    d = build(name)
    extra = {"DATABASE_URL": env["DATABASE_URL"], "PEER_SQL": PEER_SQL, "PORT": str(port), "NODE_ENV": "production"}
    began = time.monotonic()
    if name.startswith("node"):
        c.worker_comm = "node"
        c.spawn(["node", "server.mjs"], d, extra)
    else:
        extra |= {"SOCKET": os.path.join(sockets, name + ".sock"), "WORKERS": str(WORKERS)}
        c.worker_comm = "peer" if name == "c-bare" else "php-fpm"
        c.spawn(["./peer"] if name == "c-bare" else ["/usr/sbin/php-fpm8.2", "-F", "-y", "php-fpm.conf"], d, extra)
        c.spawn(["lighttpd", "-D", "-f", "lighttpd.conf"], d, extra)
    c.wait(began)
    return c


def cold_start(env):
    """From exec to the end of the first answer that asks the database: the program alone, as plain CGI."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_product_details","arguments":{"productId":"1"}}}'
    cgi = {**os.environ, "SOUK_CONF": os.path.join(os.path.realpath(os.path.join(HOME, "home")), "souk.conf"),
           "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST",
           "REQUEST_URI": "/mcp", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1",
           "SERVER_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1", "HTTP_AUTHORIZATION": "Bearer " + env["BENCH_TOKEN"]}
    times = []
    for _ in range(15):
        began = time.monotonic()
        out = subprocess.run([os.path.join(TOP, "build", "souk.fcgi")], env=cgi, input=body, capture_output=True).stdout
        times.append((time.monotonic() - began) * 1000)
        if b"structuredContent" not in out:
            raise SystemExit("cold start: wrong answer: " + out.decode()[:300])
    return statistics.median(times)


def report(all_of, cold):
    souk = all_of[0]
    print(f"\n{'server':<11}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'CPU us':>8}{'MB/worker':>11}{'ratio':>8}{'goal':>7}")
    for c in all_of:
        ratio = souk.median("rps") / c.median("rps")
        goal = GOALS.get(c.name)
        print(f"{c.name:<11}{c.median('rps'):>8.0f}{c.median('p50'):>8.2f}{c.median('p99'):>8.2f}{c.median('cpu'):>8.0f}"
              f"{c.memory():>11.2f}" + (f"{ratio:>8.2f}{goal:>7.2f}  {'met' if ratio >= goal else 'MISSED'}" if goal else ""))
    print(f"\nsouk: private memory {souk.memory():.2f} MB a worker (goal 2), cold start with one database answer {cold:.1f} ms (goal 20)")
    print(f"{ROUNDS} rounds of {SECONDS} s, {CLIENTS} clients, {WORKERS} workers, era {ERA}; ratio = souk's req/s to theirs")


def main():
    os.makedirs(HOME, exist_ok=True)
    if not os.path.isfile(LUA):
        raise SystemExit(f"no other servers in {PEERS}: set PEERS")
    serve("start")
    env = env_file(os.path.join(HOME, "demo.env"))
    everyone, sockets = [], tempfile.mkdtemp(prefix="souk-bench-")
    os.chmod(sockets, 0o777)
    try:
        fill(env)
        env["PEER_IDS"] = psql(env["DATABASE_URL"], "SELECT max(id) FROM shop.products")
        env["BENCH_TOKEN"] = env["SOUK_ADMIN_TOKEN"]
        postgres = [pid_in(os.path.join(HOME, "pid", f)) for f in os.listdir(os.path.join(HOME, "pid"))
                    if re.search("postgres|pg|redis", f)]
        everyone.append(souk_candidate(env))
        for i, name in enumerate(GOALS):
            everyone.append(peer(name, 8191 + i, env, sockets))
        for c in everyone:
            c.run(postgres, env, 2, check=True)
        for i in range(ROUNDS):
            for c in everyone if i % 2 == 0 else reversed(everyone):
                c.run(postgres, env, SECONDS)
                print(f"round {i + 1} {c.name:<10} {c.rounds[-1]['rps']:>8.0f} req/s {c.rounds[-1]['cpu']:>6.0f} us", flush=True)
        report(everyone, cold_start(env))
    finally:
        for c in everyone[1:]:
            c.stop()
        serve("stop")
        shutil.rmtree(sockets, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
