#!/usr/bin/env python3
"""Measure the search engine on a large catalogue derived from a product file.

usage: bench/search.py PRODUCTS.tsv.gz QUERIES.tsv [COPIES]

Makes a shop of its own (below build/bench), imports the file, then COPIES - 1 (147) further versions of every product in
which 30 % of the title's words are swapped for words of other titles, always the same ones. Prints build time, size, memory
of the builder, and how long searches take in the engine: plain, with filters, with facets, in an explicit order.
"""
import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.realpath(os.path.join(ROOT, os.environ.get("SOUK_BUILD", "build")))
COLUMNS = "sku, slug, name, brand, colour, description, category_id, price_minor, currency, stock, rating_avg, rating_count, lang, sold_count"


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


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    products, queries, copies = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 148
    home = os.path.join(os.environ.get("BENCH_DIR", os.path.join(BUILD, "bench")), "search")
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "STATE_DIR", "SOUK_CONF")}
    env.update(SOUK_HOME=home, SOUK_BUILD=BUILD, DEMO="off", REDIS="off", WORKERS="1", SHOP_LOCALE="en", SHOP_LOCALES="en",
               SHOP_CURRENCY="USD", PORT=os.environ.get("PORT", "18299"))
    serve = os.path.join(ROOT, "bin", "souk-serve")
    subprocess.run([serve, "purge"], env=env, stdout=subprocess.DEVNULL, check=False)
    subprocess.run([serve, "start"], env=env, stdout=subprocess.DEVNULL, check=True)
    data = os.path.realpath(os.path.join(home, "home")) if os.path.exists(os.path.join(home, "home")) else home
    env["SOUK_CONF"] = os.path.join(data, "souk.conf")
    url = next(line.split("=", 1)[1].strip() for line in open(os.path.join(home, "demo.env")) if line.startswith("DATABASE_URL"))
    souk = os.path.join(BUILD, "bin", "souk")
    index = os.path.join(data, "state", "bench.seg")
    try:
        subprocess.run([souk, "import", products, "--locale", "en", "--quiet"], env=env, stdout=subprocess.DEVNULL, check=True)
        psql = ["psql", "-X", "-q", "-d", url, "-v", "ON_ERROR_STOP=1", "-c"]
        base = subprocess.run([*psql, f"COPY (SELECT {COLUMNS} FROM shop.products ORDER BY id) TO STDOUT"], stdout=subprocess.PIPE,
                              check=True).stdout.decode()
        feed = subprocess.Popen([*psql, f"COPY shop.products ({COLUMNS}) FROM STDIN"], stdin=subprocess.PIPE)
        out = io.TextIOWrapper(feed.stdin, encoding="utf-8", write_through=False)
        for line in derived(base, copies):
            out.write(line)
        out.close()
        if feed.wait() != 0:
            sys.exit("the products could not be copied in")
        subprocess.run([*psql, "ANALYZE shop.products"], check=True)
        began = time.time()
        done = subprocess.Popen([souk, "index", "--file", index], env=env, stdout=subprocess.PIPE, text=True)
        text = done.communicate()[0].strip()
        print(text)
        print(f"build {time.time() - began:.1f} s, builder at most {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB, "
              f"index {os.path.getsize(index) / 1e6:.0f} MB")
        for title, options in (("top 10", []), ("top 10, in stock and at most 30", ["--filter", json.dumps({"inStock": True, "maxPrice": 30})]),
                               ("top 10 with facets", ["--facets"]), ("cheapest first", ["--filter", '{"sortBy": "price-asc"}'])):
            run = subprocess.run([souk, "search-run", "--file", index, "--queries", queries, "--top", "10", "--repeat", "5", "--times", *options],
                                 env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
            print(f"{title}: {run.stderr.strip().splitlines()[-1]}", flush=True)
    finally:
        if os.environ.get("KEEP") != "1":
            subprocess.run([serve, "purge"], env=env, stdout=subprocess.DEVNULL, check=False)
            shutil.rmtree(home, ignore_errors=True)


main()
