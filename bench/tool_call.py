#!/usr/bin/python3
"""get_product_details over MCP: souk against independent servers on the same PostgreSQL.

Rounds are interleaved and the order is reversed every other round, so that other load on the machine meets all alike.
souk runs with everything on: a token with a limit (raised so that the load stays below it, but counted at each call), validation, recording.
Printed are the medians of the rounds: requests per second, p50 and p99, CPU time per request (web server, program, PostgreSQL), private
memory of a worker, cold start, and souk's ratio to each, of the requests per second (the median of the rounds' ratios) and of the CPU time.
The table is also written to var/bench/tool_call.md.

Environment: PEERS (../shared/peers), ROUNDS (5), SECONDS (5), CLIENTS (32), WORKERS (4), PRODUCTS (100000), ERA (2025-06-18), BENCH_HOME
(var/bench), BENCH_PORT (8190, and the four above it), BENCH_ONLY (names of servers, by commas).
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
HOME = os.environ.get("BENCH_HOME", os.path.join(TOP, "var", "bench"))
PORT = int(os.environ.get("BENCH_PORT", "8190"))
ONLY = os.environ.get("BENCH_ONLY", "c-bare,php-min,node-sdk2,node-sdk1").split(",")
BUILD = os.environ.get("SOUK_BUILD", os.path.join(TOP, "build"))
RATE = "1000000/60"
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


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        return int(f.read().rsplit(")", 1)[1].split()[1])


def cpu_us(pid):
    """CPU time of a process with one thread or more, to the nanosecond: ticks are too coarse for what takes 10 us."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                total += int(f.read().split()[0])
    except OSError:
        pass
    return total / 1000


def tree(roots):
    """The processes below roots, roots included."""
    parent = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            try:
                parent[int(d)] = parent_of(d)
            except (OSError, IndexError):
                pass
    found = set(roots)
    grown = True
    while grown:
        more = {p for p, up in parent.items() if up in found and p not in found}
        found |= more
        grown = bool(more)
    return found


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

    def spawn(self, command, cwd, extra):
        """All of a candidate in one session, as souk is: the kernel shares processors among sessions first."""
        with open(f"{HOME}/{self.name}.log", "a", encoding="utf-8") as log:
            if os.getuid() == 0:
                shutil.chown(log.name, "www-data")  # php-fpm opens it again
            p = subprocess.Popen(["sh", "-c", command], cwd=cwd, env={**os.environ, **extra}, stdout=subprocess.DEVNULL, stderr=log,
                                 start_new_session=True, **drop(self))
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
        for p in self.procs:
            os.killpg(p.pid, signal.SIGTERM)
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)

    def cpu(self, postgres):
        """CPU time so far of web server, program and PostgreSQL, which are found by their names."""
        web = program = 0.0
        for p, comm in names(tree(self.roots)).items():
            if comm == "lighttpd":
                web += cpu_us(p)
            else:
                program += cpu_us(p)
        return web, program, sum(cpu_us(p) for p in tree(postgres))

    def wrk(self, env, seconds, check):
        more = {"PEER_PATH": self.path, "PEER_IDS": env["PEER_IDS"]}
        if "Authorization" in self.headers:
            more["PEER_TOKEN"] = self.headers["Authorization"].replace("Bearer ", "")
        if check:
            more["PEER_CHECK"] = "1"
        return subprocess.run(["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--latency", "-s", LUA, self.url()],
                              env={**os.environ, **more}, capture_output=True, text=True, check=True, start_new_session=True).stdout

    def check(self, env):
        text = self.wrk(env, 2, True)
        m = re.search(r"checked (\d+) replies, (\d+) without structuredContent(.*)", text)
        if not m or int(m.group(2)) or not int(m.group(1)):
            raise SystemExit(f"{self.name}: wrong answers: {m.group(0) if m else text}")

    def run(self, postgres, env, seconds):
        before = self.cpu(postgres)
        text = self.wrk(env, seconds, False)
        time.sleep(0.3)  # what is recorded belongs to the round
        after = self.cpu(postgres)
        if "Non-2xx" in text:
            raise SystemExit(f"{self.name}: {text}")
        for line in re.findall("Socket errors.*", text):  # the machine is busy with something else
            print(f"        {self.name}: {line}")
        count = max(int(re.search(r"(\d+) requests in", text).group(1)), 1)
        web, program, database = ((b - a) / count for a, b in zip(before, after))
        self.rounds.append({
            "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            "p50": ms(re.search(r"^ +50% +(\S+)", text, re.M).group(1)), "p99": ms(re.search(r"^ +99% +(\S+)", text, re.M).group(1)),
            "web": web, "program": program, "database": database, "cpu": web + program + database})

    def memory(self):
        sizes = [private_mb(p) for p, comm in names(tree(self.roots)).items() if comm.startswith(self.worker_comm)]
        return max(sizes, default=0.0)

    def median(self, key):
        return statistics.median(r[key] for r in self.rounds)


def drop(c):
    """The database lets in the service's user, and php-fpm does not run as root."""
    return service() if c.name != "souk" else {}


def ms(text):
    value, unit = re.match(r"([\d.]+)(\w+)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def serve(*args):
    env = {**os.environ, "SOUK_HOME": HOME, "PORT": str(PORT), "SERVER": "lighttpd", "WORKERS": str(WORKERS), "RATE_DATA": RATE}
    subprocess.run([os.path.join(TOP, "bin", "souk-serve"), *args], env=env, check=True, stdout=subprocess.DEVNULL)


def conf():
    """The configuration of the bench's instance; its home is elsewhere when the service's user cannot enter this folder."""
    home = os.path.join(HOME, "home")
    return os.path.join(os.path.realpath(home) if os.path.islink(home) else HOME, "souk.conf")


def souk(*args):
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "STATE_DIR", "WORKERS")}
    return subprocess.run([os.path.join(BUILD, "bin", "souk"), *args], env={**env, "SOUK_CONF": conf()}, check=True,
                          capture_output=True, text=True, **service()).stdout


def service():
    return {"user": "www-data", "group": "www-data", "extra_groups": []} if os.getuid() == 0 else {}


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
        souk("import", "--wait", f.name)
    psql(env["DATABASE_URL"], "VACUUM ANALYZE shop.products")


def pid_in(path):
    with open(path, encoding="ascii") as f:
        return int(f.read().split()[0])


def bench_token(env):
    """A token like any other's: of the class data, which has a limit."""
    text = souk("token", "create", "--name", "bench", "--scopes", "catalog:read")
    return re.search(r"mcp_key_\w+", text).group(0)


def souk_candidate(env):
    c = Candidate("souk", PORT, {"Authorization": "Bearer " + env["BENCH_TOKEN"]})
    c.roots = [pid_in(os.path.join(HOME, "pid", f)) for f in os.listdir(os.path.join(HOME, "pid"))
               if not re.search("postgres|pg|redis", f)]
    c.worker_comm = "souk.fcgi"  # not the index builder, which is called souk
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


def peer(name, port, env, sockets, everyone):
    c = Candidate(name, port)
    everyone.append(c)  # so that it is stopped, whatever happens
    d = build(name)
    extra = {"DATABASE_URL": env["DATABASE_URL"], "PEER_SQL": PEER_SQL, "PORT": str(port), "NODE_ENV": "production"}
    began = time.monotonic()
    if name.startswith("node"):
        c.worker_comm = "node"
        c.spawn("exec node server.mjs", d, extra)
    else:
        extra |= {"SOCKET": os.path.join(sockets, name + ".sock"), "WORKERS": str(WORKERS)}
        c.worker_comm = "peer" if name == "c-bare" else "php-fpm"
        pool = "./peer" if name == "c-bare" else "/usr/sbin/php-fpm8.2 -F -y php-fpm.conf"
        # Without its socket lighttpd would look away for a second.
        c.spawn(f'{pool} & while [ ! -S "$SOCKET" ]; do sleep 0.01; done; exec lighttpd -D -f lighttpd.conf', d, extra)
    c.wait(began)


def cold_start(env):
    """From exec to the end of the first answer that asks the database: the program alone, as plain CGI."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_product_details","arguments":{"productId":"1"}}}'
    cgi = {"PATH": os.environ["PATH"], "SOUK_CONF": conf(), "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST",
           "REQUEST_URI": "/mcp", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1",
           "SERVER_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1", "HTTP_AUTHORIZATION": "Bearer " + env["BENCH_TOKEN"]}
    times, cpu = [], []
    for _ in range(15):
        began = time.monotonic()
        p = subprocess.Popen([env["PROGRAM"]], env=cgi, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **service())
        p.stdin.write(body)
        p.stdin.close()
        out = b""
        while b"structuredContent" not in out or not out.rstrip().endswith(b"}"):
            got = os.read(p.stdout.fileno(), 65536)
            if not got:
                raise SystemExit("cold start: wrong answer: " + out.decode()[:300])
            out += got
        times.append((time.monotonic() - began) * 1000)
        usage = os.wait4(p.pid, 0)[2]  # it has yet to fold its record
        p.returncode = 0
        p.stdout.close()
        cpu.append((usage.ru_utime + usage.ru_stime) * 1000)
    return statistics.median(times), statistics.median(cpu)


def ratio(one, other, key):
    return statistics.median(a[key] / b[key] for a, b in zip(one.rounds, other.rounds))


def table(everyone):
    mine = everyone[0]
    yield "| server | requests/s | p50 ms | p99 ms | CPU us a request: web + program + PostgreSQL | MB a worker | souk's requests/s | goal | souk's CPU |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for c in everyone:
        parts = " + ".join(f"{c.median(k):.0f}" for k in ("web", "program", "database"))
        row = (f"| {c.name} | {c.median('rps'):,.0f} | {c.median('p50'):.1f} | {c.median('p99'):.1f} | {parts} = {c.median('cpu'):.0f} "
               f"| {c.memory():.1f} |")
        if c is mine:
            yield row + " | | |"
            continue
        got = ratio(mine, c, "rps")
        verdict = "met" if got >= GOALS[c.name] else "missed"
        yield row + f" {got:.2f} x | {GOALS[c.name]:.2f} x, {verdict} | {ratio(mine, c, 'cpu'):.2f} x |"


def report(everyone, cold):
    lines = list(table(everyone))
    memory = everyone[0].memory()
    lines += ["", f"souk: {memory:.2f} MB of private memory a worker (goal 2: {'met' if memory <= 2 else 'missed'}), cold start "
              f"{cold[0]:.1f} ms from exec to the first answer out of the database (goal 20: {'met' if cold[0] <= 20 else 'missed'}), "
              f"the program's own CPU time {cold[1]:.1f} ms.", "",
              f"{ROUNDS} rounds of {SECONDS} s, {CLIENTS} clients, {WORKERS} processes (Node: 1), {PRODUCTS:,} products, revision {ERA}, "
              f"{os.cpu_count()} processors, load {os.getloadavg()[1]:.1f}."]
    print("\n" + "\n".join(lines))
    with open(os.path.join(HOME, "tool_call.md"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def main():
    os.makedirs(HOME, exist_ok=True)
    if not os.path.isfile(LUA):
        raise SystemExit(f"no other servers in {PEERS}: set PEERS")
    serve("start")
    everyone, sockets = [], tempfile.mkdtemp(prefix="souk-bench-")
    os.chmod(sockets, 0o777)
    try:
        env = env_file(os.path.join(HOME, "demo.env"))
        fill(env)
        env["PEER_IDS"] = psql(env["DATABASE_URL"], "SELECT max(id) FROM shop.products")
        env["BENCH_TOKEN"] = bench_token(env)
        env["PROGRAM"] = os.path.join(os.path.dirname(conf()), "app", "lib", "souk", "cgi-bin", "souk.fcgi")
        postgres = [pid_in(os.path.join(HOME, "pid", "postgresql"))]
        everyone.append(souk_candidate(env))
        for i, name in enumerate(n for n in GOALS if n in ONLY):
            peer(name, PORT + 1 + i, env, sockets, everyone)
        for c in everyone:
            c.check(env)
        for i in range(ROUNDS):
            for c in everyone if i % 2 == 0 else reversed(everyone):
                c.run(postgres, env, SECONDS)
                print(f"round {i + 1} {c.name:<10} {c.rounds[-1]['rps']:>8.0f} requests/s {c.rounds[-1]['cpu']:>6.0f} us", flush=True)
        report(everyone, cold_start(env))
    finally:
        for c in everyone[1:]:
            c.stop()
        serve("stop")
        shutil.rmtree(sockets, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
