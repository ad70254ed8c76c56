"""The routes of monitoring: status to the letter, probes, metrics, the description of all routes."""
import os
import re
import shutil
import time

import support

LETTERS = ("system", "database", "tests", "resources")


def status(souk):
    reply = souk.get("/api/mcp/status", token=souk.monitor)
    assert reply.status == 200, reply
    assert reply.headers["content-type"].split(";")[0] == "application/json"
    return reply.json


def test_status_has_the_published_form(souk):
    body = status(souk)
    assert {k: set(v) for k, v in body.items()} == {
        "system": {"status", "version", "uptime", "environment"}, "database": {"connected", "latency"},
        "tests": {"total", "passed", "failed", "last_run"}, "resources": {"memory_usage", "cpu_usage", "disk_usage"}}
    assert body["system"]["status"] in ("healthy", "degraded", "down")
    assert isinstance(body["system"]["uptime"], int) and body["system"]["uptime"] >= 0
    assert body["system"]["environment"] in ("production", "development")
    assert body["database"]["connected"] is True
    assert isinstance(body["database"]["latency"], (int, float)) and 0 <= body["database"]["latency"] < 5000
    for name in ("total", "passed", "failed"):
        assert isinstance(body["tests"][name], int)
    for value in body["resources"].values():
        assert re.fullmatch(r"\d{1,3}%", value) and int(value[:-1]) <= 100, value


def test_version_is_the_programs(souk):
    with open(os.path.join(support.ROOT, "VERSION"), encoding="ascii") as f:
        assert status(souk)["system"]["version"] == f.read().strip()


def test_figures_are_this_hosts(souk):
    """Memory and disk as the host says them, before or after."""
    def memory():
        with open("/proc/meminfo", encoding="ascii") as f:
            info = {line.split(":")[0]: int(line.split()[1]) for line in f}
        return 100 * (1 - info["MemAvailable"] / info["MemTotal"])

    def disk():
        have = shutil.disk_usage("/")
        return 100 * have.used / (have.used + have.free)  # as df has it: what is reserved for root is not free

    def agrees():
        before = memory(), disk()
        body = status(souk)["resources"]
        after = memory(), disk()
        told = int(body["memory_usage"][:-1]), int(body["disk_usage"][:-1])
        return all(min(b, a) - 3 <= t <= max(b, a) + 3 for b, t, a in zip(before, told, after))
    # Other programs of this machine may start and end in between, but not each time.
    support.wait_until(agrees, step=0.5)


def test_uptime_runs(souk):
    began = time.monotonic()
    first = status(souk)["system"]["uptime"]
    time.sleep(1.1)
    more = status(souk)["system"]["uptime"] - first
    assert 1 <= more <= time.monotonic() - began + 1


def test_tests_are_those_of_the_last_run(souk):
    run = support.unique("test").replace(" ", "_")
    souk.sql(f"INSERT INTO souk.test_runs (execution_id, test_type, status, total, passed, failed, started_at, finished_at) "
             f"VALUES ('{run}', 'unit', 'completed', 66, 65, 1, now() - interval '3 s', now())")
    try:
        body = status(souk)
        assert (body["tests"]["total"], body["tests"]["passed"], body["tests"]["failed"]) == (66, 65, 1)
        support.assert_rfc3339(body["tests"]["last_run"])
        assert body["system"]["status"] == "degraded", "a failed test has to show"
    finally:
        souk.sql(f"DELETE FROM souk.test_runs WHERE execution_id = '{run}'")

    def well():
        """Redis may have been slow for once, and a machine whose memory or disk is full is not healthy."""
        body = status(souk)
        full = any(int(body["resources"][name][:-1]) >= 95 for name in ("memory_usage", "disk_usage"))
        return body["system"]["status"] == ("degraded" if full else "healthy")
    support.wait_until(well, step=0.5)


def test_status_is_for_monitors(souk, stranger):
    assert stranger.request("GET", "/api/mcp/status").status == 401
    assert souk.get("/api/mcp/status", token=souk.token("sales:read")).status == 403


def test_nothing_is_written(souk):
    """None of the monitoring routes changes a row."""
    counts = ("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables "
              "WHERE schemaname IN ('shop', 'souk') AND relname NOT LIKE 'interactions%' AND relname NOT IN ('tokens', 'rate_counters', 'kv')")
    def nothing():
        """PostgreSQL's counts lag by a second. The deliverer may have had something to do; the routes would write each time."""
        time.sleep(1.2)
        before = souk.value(counts)
        for _ in range(5):
            for path in ("/api/mcp/status", "/healthz", "/readyz", "/metrics", "/openapi.json"):
                assert souk.get(path, token=souk.monitor).status == 200
        time.sleep(1.2)
        return souk.value(counts) == before
    souk.get("/healthz")
    support.wait_until(nothing)


def test_healthz(souk, stranger):
    reply = stranger.request("GET", "/healthz")
    assert reply.status == 200 and reply.json == {"status": "ok"}


def test_readyz(souk, stranger):
    reply = stranger.request("GET", "/readyz")
    assert reply.status == 200 and reply.json["status"] == "ready", reply
    checks = reply.json["checks"]
    assert checks["database"]["ok"] is True and checks["migrations"]["ok"] is True
    support.assert_no_internals(reply)
    assert "latency" in reply.text


# ---- metrics

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.eE+-]+|NaN|\+Inf|-Inf)( [0-9]+)?')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)')


class Metrics:
    """Prometheus text format 0.0.4, read strictly."""

    def __init__(self, text):
        assert text.endswith("\n") and "\r" not in text
        self.types, self.help, self.samples = {}, {}, {}
        done, current = set(), None
        for line in text.split("\n")[:-1]:
            if line.startswith("# "):
                _, word, name, rest = line.split(" ", 3)
                table = {"HELP": self.help, "TYPE": self.types}[word]
                assert name not in table, f"{word} {name} twice"
                table[name] = rest
                assert word == "HELP" or rest in ("counter", "gauge", "histogram", "summary", "untyped"), line
            elif line:
                match = SAMPLE.fullmatch(line)
                assert match, f"not a sample: {line!r}"
                name, labels, value = match.group(1), self.labels(match.group(2)), float(match.group(3))
                family = re.sub(r"_(bucket|sum|count)$", "", name) if self.types.get(re.sub(r"_(bucket|sum|count)$", "", name)) == "histogram" else name
                assert family in self.types and family in self.help, f"{name} without TYPE or HELP"
                assert family == current or family not in done, f"samples of {family} are not together"
                done.add(family)
                current = family
                assert (name, labels) not in self.samples, f"{line!r} twice"
                self.samples[name, labels] = value
        self.check_names()
        self.check_histograms()

    @staticmethod
    def labels(text):
        if not text:
            return ()
        found = LABEL.findall(text)
        assert ",".join(f'{k}="{v}"' for k, v in found) == text.rstrip(","), f"labels: {text!r}"
        assert len({k for k, _ in found}) == len(found)
        return tuple(sorted(found))

    def check_names(self):
        for name, kind in self.types.items():
            assert name.startswith(("souk_", "process_")), name
            assert (kind == "counter") == name.endswith("_total"), (name, kind)
            assert not re.search(r"_(ms|milliseconds|us|kb|mb|percent)$", name), name

    def check_histograms(self):
        for family in (n for n, k in self.types.items() if k == "histogram"):
            series = {}
            for (name, labels), value in self.samples.items():
                if name == family + "_bucket":
                    rest = tuple(p for p in labels if p[0] != "le")
                    series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
            for rest, buckets in series.items():
                assert buckets == sorted(buckets), (family, rest)
                values = [v for _, v in buckets]
                assert values == sorted(values), f"{family} {rest}: buckets are not cumulative"
                assert buckets[-1][0] == float("inf")
                assert self.samples[family + "_count", rest] == values[-1]
                assert (family + "_sum", rest) in self.samples

    def sum(self, name, **labels):
        return sum(v for (n, have), v in self.samples.items() if n == name and set(labels.items()) <= set(have))


def metrics(souk):
    reply = souk.get("/metrics", token=souk.admin)
    assert reply.status == 200, reply
    assert reply.headers["content-type"].replace(" ", "") == "text/plain;version=0.0.4;charset=utf-8"
    return Metrics(reply.text)


def test_metrics_have_the_proposed_names(souk):
    souk.call("list_categories", token=souk.admin)
    souk.get("/api/mcp/status", token="mcp_key_bad")
    found = metrics(souk)
    for name, kind in (("souk_requests_total", "counter"), ("souk_request_duration_seconds", "histogram"), ("souk_in_flight", "gauge"),
                       ("souk_auth_failures_total", "counter"), ("souk_build_info", "gauge"), ("souk_rate_limited_total", "counter"),
                       ("souk_redis_errors_total", "counter"), ("souk_webhook_deliveries_total", "counter")):
        assert found.types.get(name) == kind, (name, sorted(found.types))
    assert {"transport", "tool", "code"} == {k for (n, labels) in found.samples if n == "souk_requests_total" for k, _ in labels}
    assert found.sum("souk_build_info") == 1


def test_metrics_are_not_public(souk, stranger):
    assert stranger.request("GET", "/metrics").status == 401
    assert souk.get("/metrics", token=souk.staff).status == 403


def test_counters_count_exactly(souk):
    """From all processes together, each request once."""
    labels = {"transport": "mcp", "tool": "get_similar_products"}
    before = metrics(souk)
    product = "no such product"
    clients = [souk.client() for _ in range(10)]
    for i in range(30):
        clients[i % 10].call("get_similar_products", {"productId": product, "limit": 0 if i % 3 == 0 else 1}, token=souk.admin)
    for c in clients:
        c.close()
    after = metrics(souk)
    assert after.sum("souk_requests_total", **labels) - before.sum("souk_requests_total", **labels) == 30
    refused = dict(labels, code="MCP_INVALID_REQUEST")
    assert after.sum("souk_requests_total", **refused) - before.sum("souk_requests_total", **refused) == 10
    assert after.sum("souk_request_duration_seconds_count", **labels) - before.sum("souk_request_duration_seconds_count", **labels) == 30


def test_rest_is_counted_by_route(souk):
    before = metrics(souk)
    for _ in range(3):
        souk.get("/api/mcp/status", token=souk.admin)
        souk.get("/api/nothing-that-anybody-declared", token=souk.admin)
    after = metrics(souk)
    assert after.sum("souk_requests_total", transport="rest") - before.sum("souk_requests_total", transport="rest") >= 6
    assert not any("nothing-that" in v for _, labels in after.samples for _, v in labels), "a caller's text became a label"


def test_limited_and_refused_are_counted(souk):
    token = souk.token("status:read")
    before = metrics(souk)
    for _ in range(63):
        souk.get("/api/mcp/status", token=token)
    souk.get("/api/mcp/status", token="mcp_key_bad")
    after = metrics(souk)
    assert after.sum("souk_requests_total", code="MCP_RATE_LIMITED") - before.sum("souk_requests_total", code="MCP_RATE_LIMITED") >= 3
    assert after.sum("souk_rate_limited_total") - before.sum("souk_rate_limited_total") >= 3
    assert after.sum("souk_auth_failures_total") - before.sum("souk_auth_failures_total") >= 1


def test_in_flight_is_this_request(souk):
    assert 1 <= metrics(souk).sum("souk_in_flight") <= 5


# ---- openapi


def test_openapi_names_every_published_route(souk):
    reply = souk.get("/openapi.json")
    assert reply.status == 200
    doc = reply.json
    assert doc["openapi"].startswith("3.1.")
    for path in ("/mcp", "/api/mcp/status", "/healthz", "/readyz", "/metrics", "/api/mcp/inventory", "/api/mcp/sales",
                 "/api/mcp/customersProducts", "/openapi.json"):
        assert path in doc["paths"], path
    ids = [op["operationId"] for item in doc["paths"].values() for op in item.values() if isinstance(op, dict) and "operationId" in op]
    assert len(ids) == len(set(ids)) > 5


def test_etag(souk):
    first = souk.get("/openapi.json")
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9A-Za-z-]+"', tag)
    for value in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = souk.get("/openapi.json", headers={"If-None-Match": value})
        assert again.status == 304 and again.body == b"", (value, again)
        assert again.headers["etag"] == tag
    for value in ('"other"', tag[:-2] + '"', "", tag.strip('"')[:5]):
        assert souk.get("/openapi.json", headers={"If-None-Match": value}).status == 200, value


def test_etag_through_compression(souk):
    first = souk.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert first.headers.get("content-encoding") == "gzip", first.headers
    again = souk.get("/openapi.json", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]})
    assert again.status == 304, again


def test_etag_changes_with_the_answer(souk):
    path = "/api/mcp/customersProducts?action=categories"
    fr, en = souk.get(path + "&locale=fr"), souk.get(path + "&locale=en")
    assert fr.headers["etag"] != en.headers["etag"]
    assert souk.get(path + "&locale=fr").headers["etag"] == fr.headers["etag"]


def test_a_refusal_has_no_etag(souk):
    assert "etag" not in souk.get("/api/mcp/inventory?x=1", token=souk.admin, headers={"If-None-Match": "*"}).headers
