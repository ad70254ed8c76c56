#!/usr/bin/env python3
"""Measure product search on a large catalogue derived from a product file, beside PostgreSQL full text and Xapian.

usage: bench/search.py PRODUCTS.tsv.gz QUERIES.tsv [COPIES]

Makes a shop of its own (BENCH_DIR, below build/bench), imports the file, then COPIES - 1 (147) further versions of every product in which 30 % of the
title's words are swapped for words of other titles, always the same ones.  All in one run:

- build time, size and memory of the builder, of souk's index and of the others';
- searches in the engine: top 10, with filters, with facets, in an explicit order, suggestions at 1, 2 and 3 letters, one process and two at once;
- the same queries in PostgreSQL (weighted tsvector, GIN, any of the words, ts_rank) and Xapian (BM25, field weights);
- over HTTP with 1 and 2 clients, with and without facets and filters, and while 100 products a second change; whether what is found afterwards is what
  the database has; private and shared memory of the processes;
- correction of words beside a vocabulary of 300,000.

Each line has the median, what 95 % stay below, and the longest, in milliseconds; those of the engine also CPU time, which other work on the machine blurs
least.  Everything is also written to var/bench/search.md.

Environment: BENCH_DIR, PORT (18299), KEEP=1 (leave the shop), REUSE=1 (take the one that was left, with the indexes of the others), PEERS=off (souk alone), SOUK_BUILD.
"""
import glob
import http.client
import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.realpath(os.path.join(ROOT, os.environ.get("SOUK_BUILD", "build")))
COLUMNS = "sku, slug, name, brand, colour, description, category_id, price_minor, currency, stock, rating_avg, rating_count, lang, sold_count"
PEER_ROWS = ("SELECT p.id, p.name, p.brand, p.colour, c.path, left(p.description, 20000), coalesce(p.sale_price_minor, p.price_minor), p.stock "
             "FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id ORDER BY p.id")
PG_TABLE = """CREATE UNLOGGED TABLE bench_fulltext AS SELECT p.id, p.stock, coalesce(p.sale_price_minor, p.price_minor) AS pays,
 setweight(to_tsvector('english', p.name), 'A') || setweight(to_tsvector('english', coalesce(p.brand, '') || ' ' || coalesce(p.colour, '')), 'B')
 || setweight(to_tsvector('english', coalesce(c.path, '')), 'C') || setweight(to_tsvector('english', left(p.description, 20000)), 'D') AS doc
 FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id;
CREATE INDEX bench_fulltext_doc ON bench_fulltext USING gin (doc); ANALYZE bench_fulltext"""
LIBS = ["-lstemmer", "-lz", "-ljson-c", "-lpq", "-lsodium", "-lhiredis", "-lcurl", "-lcrypto", "-lm", "-lpthread"]
FILTER = {"inStock": True, "maxPrice": 30}
lines = []


def say(text):
    print(text, flush=True)
    lines.append(text)


def shown(ms):
    ms = sorted(ms)
    return f"{len(ms)} searches: median {ms[len(ms) // 2]:.2f} ms, 95 % below {ms[len(ms) * 95 // 100]:.2f} ms, longest {ms[-1]:.2f} ms"


def derived(base, copies):
    """Lines of COPY text: base is the same of the imported products."""
    rows = [line.split("\t") for line in base.splitlines()]
    vocabulary = sorted({w for r in rows for w in r[2].split(" ") if w})
    for k in range(1, copies):
        rnd = random.Random(k)
        for r in rows:
            words = [vocabulary[rnd.randrange(len(vocabulary))] if rnd.random() < 0.3 else w for w in r[2].split(" ")]
            yield "\t".join([f"{r[0]}-{k}", f"{r[1]}-{k}", " ".join(words)[:990], *r[3:9], str(rnd.randrange(30)), *r[10:13],
                             str(rnd.randrange(1000))]) + "\n"


class Shop:
    def __init__(self, products, copies):
        self.home = os.path.join(os.environ.get("BENCH_DIR", os.path.join(BUILD, "bench")), "search")
        self.env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "STATE_DIR", "SOUK_CONF")}
        self.env.update(SOUK_HOME=self.home, SOUK_BUILD=BUILD, DEMO="off", REDIS="off", WORKERS="2", SHOP_LOCALE="en", SHOP_LOCALES="en",
                        SHOP_CURRENCY="USD", PORT=os.environ.get("PORT", "18299"))
        self.souk = os.path.join(BUILD, "bin", "souk")
        reuse = os.environ.get("REUSE") == "1" and os.path.exists(os.path.join(self.home, "demo.env"))
        if not reuse:
            self.serve("purge", check=False)
        self.serve("restart" if reuse else "start")
        self.data = os.path.realpath(os.path.join(self.home, "home")) if os.path.exists(os.path.join(self.home, "home")) else self.home
        self.env["SOUK_CONF"] = os.path.join(self.data, "souk.conf")
        told = dict(line.strip().split("=", 1) for line in open(os.path.join(self.home, "demo.env")) if "=" in line)
        self.url, self.token, self.port = told["DATABASE_URL"], told["SOUK_ADMIN_TOKEN"], int(self.env["PORT"])
        self.psql = ["psql", "-X", "-q", "-A", "-t", "-d", self.url, "-v", "ON_ERROR_STOP=1"]
        if not reuse:
            self.fill(products, copies)

    def serve(self, what, check=True):
        subprocess.run([os.path.join(ROOT, "bin", "souk-serve"), what], env=self.env, stdout=subprocess.DEVNULL, check=check)

    def sql(self, text):
        return subprocess.run([*self.psql, "-c", text], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()

    def fill(self, products, copies):
        subprocess.run([self.souk, "import", products, "--locale", "en", "--quiet"], env=self.env, stdout=subprocess.DEVNULL, check=True)
        base = self.sql(f"COPY (SELECT {COLUMNS} FROM shop.products ORDER BY id) TO STDOUT")
        feed = subprocess.Popen([*self.psql, "-c", f"COPY shop.products ({COLUMNS}) FROM STDIN"], stdin=subprocess.PIPE)
        out = io.TextIOWrapper(feed.stdin, encoding="utf-8", write_through=False)
        for line in derived(base, copies):
            out.write(line)
        out.close()
        if feed.wait() != 0:
            sys.exit("the products could not be copied in")
        self.sql("ANALYZE shop.products")

    def end(self):
        if os.environ.get("KEEP") == "1":
            return
        self.serve("purge", check=False)
        shutil.rmtree(self.home, ignore_errors=True)


# ---- the engine alone

def engine(shop, index, queries):
    prefixes = os.path.join(shop.home, "prefixes-{}.tsv")
    texts = [line.split("\t")[1].strip() for line in open(queries) if "\t" in line and not line.endswith("\tquery\n")]
    runs = [("top 10", queries, []), ("top 10, in stock and at most 30", queries, ["--filter", json.dumps(FILTER)]),
            ("top 10 with facets", queries, ["--facets"]),
            ("top 10 with facets, in stock and at most 30", queries, ["--facets", "--filter", json.dumps(FILTER)]), ("cheapest first", queries, ["--filter", '{"sortBy": "price-asc"}'])]
    for n in (1, 2, 3):
        with open(prefixes.format(n), "w") as f:
            f.writelines(f"{i}\t{text[:n]}\n" for i, text in enumerate(texts) if len(text) >= n and text[:n].isalnum())
        runs.append((f"suggestions at {n} letters", prefixes.format(n), ["--suggest"]))
    for clients in (1, 2):
        for title, file, options in runs:
            begun = [subprocess.Popen([shop.souk, "search-run", "--file", index, "--queries", file, "--top", "10", "--repeat", "5", "--times", *options],
                                      env=shop.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(clients)]
            for run in begun:
                say(f"souk, {title}{', two at once' if clients == 2 else ''}: {run.communicate()[1].strip().splitlines()[-1]}")


# ---- beside it

class built:
    """The build of another engine's index, timed; needed is False and the time that of an earlier run where REUSE=1 finds what that one finished."""

    def __init__(self, shop, name):
        self.note = os.path.join(shop.home, "built-" + name)
        self.needed = not (os.environ.get("REUSE") == "1" and os.path.exists(self.note))

    def __enter__(self):
        self.began = time.time()
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        if self.needed:
            with open(self.note, "w") as f:
                f.write(f"build {time.time() - self.began:.0f} s (load {os.getloadavg()[0]:.1f})")
        self.text = open(self.note).read() + ("" if self.needed else " in an earlier run")


def postgresql(shop, queries):
    with built(shop, "PostgreSQL") as build:
        if build.needed:
            shop.sql("DROP TABLE IF EXISTS bench_fulltext")
            shop.sql(PG_TABLE)
    say(f"PostgreSQL: {build.text}, {int(shop.sql('SELECT pg_total_relation_size(%s)' % repr('bench_fulltext'))) / 1e6:.0f} MB")
    texts = [line.split("\t")[1].strip() for line in open(queries) if "\t" in line and not line.endswith("\tquery\n")]
    for title, condition in (("top 10", ""), ("top 10, in stock and at most 30", "AND stock > 0 AND pays <= 3000")):
        times = []
        script = "\\timing on\n\\o /dev/null\n"
        for text in texts:
            words = "replace(plainto_tsquery('english', $q$" + text + "$q$)::text, '&', '|')::tsquery"
            script += (f"SELECT id, ts_rank('{{.1,.2,.5,1}}', doc, q) FROM bench_fulltext, (SELECT {words} AS q) x "
                       f"WHERE doc @@ q {condition} ORDER BY 2 DESC, 1 LIMIT 10;\n")
        out = subprocess.run(shop.psql, input=script, stdout=subprocess.PIPE, check=True, text=True).stdout
        times = [float(line.split()[1]) for line in out.splitlines() if line.startswith("Time:")]
        say(f"PostgreSQL, {title}: {shown(times)}")


def xapian(shop, queries):
    program, db = os.path.join(shop.home, "search_xapian"), os.path.join(shop.home, "xapian")
    subprocess.run(["g++", "-O2", "-o", program, os.path.join(ROOT, "bench", "search_xapian.cc"), "-lxapian"], check=True)
    with built(shop, "Xapian") as build:
        if build.needed:
            rows = subprocess.Popen([*shop.psql, "-c", f"COPY ({PEER_ROWS}) TO STDOUT"], stdout=subprocess.PIPE)
            subprocess.run([program, "index", db], stdin=rows.stdout, check=True, env=dict(os.environ, XAPIAN_FLUSH_THRESHOLD="1000000"))
            for part in glob.glob(db + ".part*"):
                shutil.rmtree(part)
    size = sum(os.path.getsize(f) for f in glob.glob(os.path.join(db, "*")))
    say(f"Xapian: {build.text}, {size / 1e6:.0f} MB")
    for title, mode in (("top 10", "plain"), ("top 10, in stock and at most 30", "filter"), ("top 10 with facets", "facets")):
        out = subprocess.run([program, "run", db, queries, "1", mode], stdout=subprocess.PIPE, check=True, text=True).stdout
        say(f"Xapian, {title}: {shown([float(x) / 1000 for x in out.split()])}")


# ---- over HTTP

def send(shop, link, path, body):
    """One request: as the query of a GET where the path has one already, else POSTed."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + shop.token}
    if "?" in path:
        link.request("GET", path + "&" + urllib.parse.urlencode(body), headers=headers)
    else:
        link.request("POST", path, json.dumps(body), headers)
    reply = link.getresponse()
    return reply.status, reply.read()


def client(shop, path, bodies, times, failures):
    link = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=30)
    for body in bodies:
        began = time.perf_counter()
        status, _ = send(shop, link, path, body)
        times.append((time.perf_counter() - began) * 1000)
        if status != 200:
            failures.append(status)
    link.close()


def ask(shop, title, path, bodies, clients):
    times, failures, spent = [], [], cpu_s(shop)
    threads = [threading.Thread(target=client, args=(shop, path, bodies, times, failures)) for _ in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    say(f"HTTP, {title}, {clients} client{'s' if clients > 1 else ''}: {shown(times)}; CPU time {(cpu_s(shop) - spent) * 1000 / len(times):.2f} ms a request"
        + (f"; {len(failures)} FAILED" if failures else ""))


def over_http(shop, queries):
    texts = [line.split("\t")[1].strip() for line in open(queries) if "\t" in line and not line.endswith("\tquery\n")]
    plain = [{"query": t, "limit": 10} for t in texts] * 4
    for bodies in (plain[:len(texts)], plain[:len(texts)]):  # every process maps the index, has its statements prepared
        client(shop, "/api/ai/search", bodies, [], [])
    for clients in (1, 2):
        ask(shop, "top 10 without facets", "/api/mcp/customersProducts?action=search", plain, clients)
        ask(shop, "top 10 with facets", "/api/ai/search", plain, clients)
        ask(shop, "the same in stock and at most 30", "/api/ai/search", [dict(b, filters=FILTER) for b in plain], clients)
        for n in (1, 2, 3):
            ask(shop, f"suggestions at {n} letters", "/api/ai/search/suggest", [{"query": t[:n]} for t in texts if t[:n].isalnum()] * 4, clients)
    memory(shop, "")
    while_products_change(shop, texts, plain)


def while_products_change(shop, texts, plain):
    stop, top = threading.Event(), int(shop.sql("SELECT max(id) FROM shop.products"))

    def change():
        """Ten products every tenth of a second, over one connection."""
        rnd, due = random.Random(1), time.monotonic()
        link = subprocess.Popen(shop.psql, stdin=subprocess.PIPE, text=True)
        while not stop.is_set():
            ids = ",".join(str(rnd.randrange(1, top)) for _ in range(10))
            link.stdin.write(f"UPDATE shop.products SET stock = (stock + 1) % 40, price_minor = price_minor + 1 WHERE id IN ({ids});\n")
            link.stdin.flush()
            due += 0.1
            stop.wait(max(0, due - time.monotonic()))
        link.stdin.close()
        if link.wait() != 0:
            say("changes FAILED")

    changer = threading.Thread(target=change)
    changer.start()
    try:
        for clients in (1, 2):
            ask(shop, "top 10 with facets while 100 products a second change", "/api/ai/search", plain, clients)
            ask(shop, "suggestions at 2 letters while 100 products a second change", "/api/ai/search/suggest",
                [{"query": t[:2]} for t in texts if t[:2].isalnum()] * 4, clients)
    finally:
        stop.set()
        changer.join()
    memory(shop, ", after the changes")
    agree(shop)


def agree(shop):
    """What the index counts and orders, in every process, against the database."""
    wrong = 0
    for body, condition in (({"filters": {"inStock": True}}, "stock > 0"), ({"filters": {"maxPrice": 30}}, "coalesce(sale_price_minor, price_minor) <= 3000"),
                            ({"filters": FILTER}, "stock > 0 AND coalesce(sale_price_minor, price_minor) <= 3000")):
        want = int(shop.sql(f"SELECT count(*) FROM shop.products WHERE status = 'active' AND {condition}"))
        for _ in range(8):  # over connections of their own, so that every process is asked
            link = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=30)
            status, reply = send(shop, link, "/api/ai/search", dict(body, query=" ", sortBy="price-asc"))
            wrong += status != 200 or json.loads(reply)["total"] != want
            link.close()
    say(f"after the changes {wrong} of 24 totals differ from the database's")


def processes(shop):
    """Folders in /proc of the shop's programs that answer requests."""
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            if os.readlink(folder + "/exe").startswith(os.path.realpath(shop.data)) and "souk.fcgi" in open(folder + "/cmdline").read():
                yield folder
        except OSError:
            continue


def cpu_s(shop):
    return sum(sum(int(x) for x in open(p + "/stat").read().rsplit(")", 1)[1].split()[11:13]) for p in processes(shop)) / os.sysconf("SC_CLK_TCK")


def memory(shop, when):
    """Pages of the mapped index that only one process has touched so far are counted with the file, not as that process's own."""
    for p in processes(shop):
        kb = {line.split(":")[0]: int(line.split()[1]) for line in open(p + "/smaps_rollup") if line.split()[-1] == "kB"}
        say(f"process{when}: {kb['Private_Dirty'] / 1024:.1f} MB of its own, {(kb['Rss'] - kb['Private_Dirty']) / 1024:.1f} MB of files that all share")


def correction(shop):
    program = os.path.join(shop.home, "correct")
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", f"-I{ROOT}/lib", f"-I{BUILD}", "-o", program, os.path.join(ROOT, "bench", "correct.c"),
                    os.path.join(BUILD, "lib", "libsouk.a"), *LIBS], check=True)
    say("correction beside " + subprocess.run([program], stdout=subprocess.PIPE, check=True, text=True).stdout.strip())


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    products, queries, copies = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 148
    shop = Shop(products, copies)
    index = os.path.join(shop.data, "state", "search.seg")
    try:
        began = time.time()
        done = subprocess.Popen([shop.souk, "index", "--file", index], env=shop.env, stdout=subprocess.PIPE, text=True)
        text = done.communicate()[0].strip().split(": ")[-1]
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        say(f"souk: {text}; build {time.time() - began:.0f} s, builder at most {used.ru_maxrss / 1024:.0f} MB, index {os.path.getsize(index) / 1e6:.0f} MB; "
            f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
        engine(shop, index, queries)
        correction(shop)
        over_http(shop, queries)
        if os.environ.get("PEERS") != "off":
            xapian(shop, queries)
            postgresql(shop, queries)
    finally:
        shop.end()
        os.makedirs(os.path.join(ROOT, "var", "bench"), exist_ok=True)
        with open(os.path.join(ROOT, "var", "bench", "search.md"), "w") as f:
            f.write("\n".join("- " + line for line in lines) + "\n")


main()
