"""Who may do what: access.tsv says it for every tool and route and each kind of speaker, and here the calls are made.

The table explains itself at its head. What it does not name fails, and what it names in vain.
"""
import functools
import json
import os
import re
import subprocess
import urllib.parse

import pytest

import contracts
import support

HERE = os.path.dirname(os.path.abspath(__file__))
SPEAKERS = ("anonymous", "visitor", "own", "foreign", "guest", "otherguest", "staff", "unscoped", "readonly", "service")
CELLS = re.compile(r"yes|none|bad|-|[345]\d\d")
ALL = contracts.load()
OURS = {n: c for n, c in ALL.items() if os.sep + "tests" + os.sep not in c["file"]}


class Row:
    def __init__(self, line, kind, name, profile, what, mark=None):
        self.line, self.kind, self.name, self.profile, self.what, self.mark = line, kind, name, profile, what, mark

    def __repr__(self):
        return f"{self.kind}-{self.name}"


def read_table():
    table = {"profile": {}, "value": {}, "each": {}, "rows": []}
    with open(os.path.join(HERE, "access.tsv"), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            kind, *rest = re.split(r"\t+", line.rstrip("\n"))
            if kind in ("profile", "value", "each"):
                assert rest[0] not in table[kind], f"access.tsv:{number}: {rest[0]} twice"
                table[kind][rest[0]] = rest[1:] if kind == "profile" else rest[1]
            else:
                assert kind in ("tool", "resource", "complete", "route") and 3 <= len(rest) <= 4, f"access.tsv:{number}: not a row"
                table["rows"].append(Row(number, kind, *rest))
    return table


TABLE = read_table()


# ---- the speakers


@pytest.fixture(scope="module")
def values(souk):
    known = {}
    for name, sql in TABLE["value"].items():
        known[name] = souk.value(fill(sql, known))
        assert known[name] is not None, f"access.tsv: {name} has no value in this shop"
    return known


def fill(text, known):
    """Put values in; every name has to be known. Braces of JSON and of paths stay."""
    return re.sub(r"\{([a-z_]+)\}", lambda m: known.get(m[1], m[0]), text)


@pytest.fixture(scope="module")
def speakers(souk, values):
    """(kind of speaker, scope) -> its bearer token or None."""
    every = sorted({c["x-scope"] for c in OURS.values()} | {op["x-scope"] for _, _, op in operations(souk)} - {"none"})
    made = {
        "anonymous": None, "visitor": support.sign(souk, "bsk", "matrix-of-speakers"), "own": support.sign(souk, "cst", values["customer"]),
        "foreign": support.sign(souk, "cst", values["foreign_customer"]), "guest": support.sign(souk, "gst", values["order"]),
        "otherguest": support.sign(souk, "gst", values["foreign_order"]),
    }

    def token(kind, scopes):
        return souk.token(",".join(scopes), "--rate-class", "bulk", "--kind", kind, name=support.unique(kind))

    def of(speaker, scope):
        if speaker in made:
            return made[speaker]
        if scope == "none":  # any will do
            scope = "status:read"
        key = (speaker, scope if speaker != "readonly" else "")
        if key not in made:
            made[key] = token("service" if speaker == "service" else "staff",
                              [scope] if speaker in ("staff", "service") else [s for s in every if s not in ("none", scope)] if speaker == "unscoped"
                              else [s for s in every if s.endswith(":read")])
        return made[key]
    return of


@functools.lru_cache(None)
def operations(souk):
    paths = souk.get("/openapi.json").json["paths"]
    return [(m.upper(), p, op) for p, item in paths.items() for m, op in item.items() if m in ("get", "post", "put", "patch", "delete")]


# ---- the table is complete


def test_cells():
    for name, cells in TABLE["profile"].items():
        assert len(cells) == len(SPEAKERS) and all(CELLS.fullmatch(c) for c in cells), f"profile {name}: {len(SPEAKERS)} cells"
    for row in TABLE["rows"]:
        assert row.profile in TABLE["profile"], f"access.tsv:{row.line}: no profile {row.profile}"


def test_every_tool_has_a_row():
    rows = [r.name for r in TABLE["rows"] if r.kind != "route"]
    assert sorted(rows) == sorted(OURS), "tools without a row, or rows without a tool, or twice"


def test_every_route_has_a_row(souk):
    """Those that are a tool's are in its row."""
    of_tools = {(c["x-rest"]["method"], c["x-rest"]["path"]) for c in OURS.values() if "x-rest" in c}
    described = {f"{m} {p}" for m, p, _ in operations(souk) if (m, p) not in of_tools}
    assert {r.name.partition("?")[0] for r in TABLE["rows"] if r.kind == "route"} == described


# ---- the calls


class Database:
    """One connection for all values that are computed anew: most calls need one."""

    def __init__(self, souk):
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", souk.database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)
        self.value("SELECT set_config('souk.kind', 'system', false), set_config('default_transaction_read_only', 'off', false)")

    def value(self, statement):
        """The first row of the statement, None without one."""
        self.psql.stdin.write(statement + ";\n\\echo -end-\n")
        self.psql.stdin.flush()
        lines = list(iter(lambda: self.psql.stdout.readline().rstrip("\n"), "-end-"))
        assert not any(line.startswith(("ERROR", "FATAL")) for line in lines) and self.psql.poll() is None, f"{statement}: {lines}"
        return lines[0] if lines else None

    def close(self):
        self.psql.stdin.close()
        self.psql.wait(10)


@pytest.fixture(scope="module")
def database(souk):
    made = Database(souk)
    yield made
    made.close()


class Caller:
    """Makes the calls of one row; each as the address of its own, since anonymous limits are by address."""

    def __init__(self, souk, row, values, database):
        self.souk, self.row, self.values, self.database = souk, row, values, database

    def fresh(self, text):
        known = dict(self.values)
        for name, sql in TABLE["each"].items():
            if "{" + name + "}" in text:
                known[name] = self.database.value(fill(sql, known))
                assert known[name] is not None, f"access.tsv: {name} has no value"
        return fill(text, known), fill(self.row.mark, known) if self.row.mark else None

    def send(self, work):
        client = self.souk.client(source=support.loopback())
        try:
            return work(client)
        finally:
            client.close()

    def tool(self, token, guest=None):
        what, mark = self.fresh(self.row.what)
        args = json.loads(what)
        if guest:
            args["guest"] = guest
        return verdict_mcp(self.send(lambda c: c.call(self.row.name, args, token=token)), mark)

    def rest(self, token):
        what, mark = self.fresh(self.row.what)
        contract = OURS[self.row.name]
        rest = contract["x-rest"]
        pairs = rest.get("query", {})
        if rest["method"] == "GET":
            pairs = dict(pairs, **contracts.in_query(json.loads(what), contract["inputSchema"]))
        path = rest["path"] + ("?" + urllib.parse.urlencode(pairs) if pairs else "")
        body = {} if rest["method"] == "GET" else {"json_body": json.loads(what)}
        return verdict(self.send(lambda c: c.request(rest["method"], path, token=token, **body)), mark)

    def route(self, token):
        what, mark = self.fresh(self.row.what)
        method, path = self.fresh(self.row.name)[0].split(" ", 1)
        more = {}
        if what.startswith("form "):
            more = {"body": what[5:], "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
        elif what != "-":
            more = {"json_body": json.loads(what)}
        path = re.sub(r"\{server\}", "catalog", path)
        return verdict(self.send(lambda c: c.request(method, path, token=token, **more)), mark)

    def resource(self, token):
        what, mark = self.fresh(self.row.what)
        return verdict_rpc(self.send(lambda c: c.mcp("resources/read", {"uri": what}, token=token)), mark)

    def complete(self, token):
        what, mark = self.fresh(self.row.what)
        ref, name, value = what.split(" ")
        params = {"ref": {"type": "ref/resource", "uri": ref.replace(value, "{" + name + "}")}, "argument": {"name": name, "value": value}}
        return verdict_rpc(self.send(lambda c: c.mcp("completion/complete", params, token=token)), mark)

    def ways(self):
        """How this row can be called."""
        if self.row.kind != "tool":
            return [getattr(self, self.row.kind)]
        contract = OURS[self.row.name]
        return ([self.tool] if contract["x-servers"] else []) + ([self.rest] if "x-rest" in contract else [])


def found(text, mark):
    return "yes" if mark is None or mark in text else "none"


def verdict(reply, mark):
    if 200 <= reply.status < 300:
        return found(reply.text, mark), reply.text
    return {404: "none", 400: "bad", 409: "bad", 422: "bad"}.get(reply.status, str(reply.status)), reply.text


def verdict_mcp(outcome, mark):
    """An error of a tool is not told apart there: it may stand for both."""
    if outcome.ok:
        return found(outcome.reply.text, mark), outcome.reply.text
    return "none or bad" if outcome.reply.status == 200 else str(outcome.reply.status), outcome.reply.text


def verdict_rpc(reply, mark):
    if reply.status != 200:
        return ("none" if reply.status == 404 else str(reply.status)), reply.text
    return (found(reply.text, mark) if "result" in reply.json else "none or bad"), reply.text


@pytest.mark.parametrize("row", TABLE["rows"], ids=repr)
def test_access(souk, row, values, speakers, database):
    caller = Caller(souk, row, values, database)
    scope = OURS[row.name]["x-scope"] if row.kind != "route" else next(
        op["x-scope"] for m, p, op in operations(souk) if f"{m} {p}" == row.name.partition("?")[0])
    wrong = []
    for speaker, cell in zip(SPEAKERS, TABLE["profile"][row.profile]):
        if cell == "-":
            continue
        calls = [(way.__name__, lambda way=way: way(speakers(speaker, scope))) for way in caller.ways()]
        if speaker in ("guest", "otherguest") and row.kind == "tool" and caller.tool in caller.ways() and \
                "guest" in OURS[row.name].get("x-handles", []):
            calls.append(("argument guest", lambda: caller.tool(None, speakers(speaker, scope))))
        for how, call in calls:
            got, text = call()
            if cell not in got.split(" or "):
                wrong.append(f"{speaker} by {how}: {got}, expected {cell}: {text[:300]}")
            if got != "yes" and (values["email"] in text or values["name"] and values["name"] in text):
                wrong.append(f"{speaker} by {how}: the answer names the customer: {text[:300]}")
    assert not wrong, "\n".join(wrong)
