"""A private PostgreSQL for the SQL suite: an owner who may create roles, one who may not, and a loaded demo shop."""
import glob
import json
import os
import shutil
import subprocess
import tempfile
import uuid

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVERS = os.path.join(ROOT, "tests", "unit", "servers.sh")
# A Wednesday in autumn, so that two loads of the demo shop can be compared whenever the tests run.
DEMO_NOW = "2025-11-12 15:30:00+00"


class SqlError(Exception):
    def __init__(self, text):
        super().__init__(text)
        line = next((x for x in text.splitlines() if "ERROR:  " in x), "")
        self.state, _, self.message = line.partition("ERROR:  ")[2].partition(": ")


def files(*pattern):
    return sorted(glob.glob(os.path.join(ROOT, *pattern)))


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def literal(value):
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def record(**more):
    """A row for interactions_insert."""
    return dict({"id": uuid.uuid4(), "created_at": "2025-11-12T10:00:00Z", "type": "SEARCH", "tool": "search_products", "latency_ms": 1.25,
                 "success": "t", "transport": "mcp", "token_id": None, "customer_id": None, "session_id": None, "error_code": None,
                 "error_message": None, "input": None, "output": None, "metadata": "{}"}, **more)


def columns(*records):
    """Its parameters: one array literal for each column."""
    def element(v):
        return "NULL" if v is None else '"' + str(v).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return ["{" + ",".join(element(r[name]) for r in records) + "}" for name in records[0]]


class Db:
    """One database as one user, through psql."""

    def __init__(self, url):
        self.url = url

    def run(self, script, **options):
        """Run a script in one session; returns the lines it prints."""
        env = dict(os.environ, PGOPTIONS=" ".join(
            ["-c client_min_messages=warning"] + [f"-c {k.replace('__', '.')}={v}" for k, v in options.items()]))
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", self.url],
            input=script, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise SqlError(done.stderr)
        return done.stdout.split("\n")[:-1]

    def rows(self, script, **options):
        return [line.split("\x1f") for line in self.run(script, **options)]

    def value(self, script, **options):
        rows = self.rows(script, **options)
        return rows[-1][0] if rows else None

    def statement(self, path, *args, kind="anonymous", customer="", locale="fr", role=True, read_only=True):
        """Run a statement of sql/query or tools as a program does; returns its rows."""
        script = ["BEGIN READ ONLY;" if read_only else "BEGIN READ WRITE;"]
        if role:
            script.append("SELECT set_config('role', r.rolname, true) FROM pg_roles r WHERE r.rolname = session_user || '_web' \\g /dev/null")
        script.append("SELECT set_config('souk.kind', %s, true), set_config('souk.customer_id', %s, true), "
                      "set_config('souk.token_id', '', true), set_config('souk.locale', %s, true) \\g /dev/null"
                      % (literal(kind), literal(customer), literal(locale)))
        given = ", ".join(literal(a) for a in args)
        script += ["PREPARE statement AS", text(path), ";", f"EXECUTE statement({given});" if args else "EXECUTE statement;", "COMMIT;"]
        return self.rows("\n".join(script))

    def query(self, name, *args, **kw):
        kw.setdefault("read_only", False)
        return self.statement(os.path.join(ROOT, "sql", "query", name + ".sql"), *args, **kw)

    def tool(self, name, args=None, **kw):
        """Result of a tool statement with the defaults of its contract filled in; None when there is no row."""
        base = files("tools", "*", name + ".json")[0][:-5]
        contract = json.loads(text(base + ".json"))
        full = {k: p["default"] for k, p in contract["inputSchema"]["properties"].items() if "default" in p}
        full.update(args or {})
        given = [json.dumps(full)]
        if "$2" in text(base + ".sql"):  # the language, for statements that need no speaker
            given.append(kw.get("locale", "fr"))
        rows = self.statement(base + ".sql", *given, **kw)
        return json.loads(rows[0][0]) if rows and rows[0][0] else None


def migrate(db):
    db.run(text(os.path.join(ROOT, "sql", "bootstrap.sql")))
    for path in files("sql", "migrations", "*.sql"):
        db.run("BEGIN;\n" + text(path) + "\nCOMMIT;")
    apply(db)


def apply(db):
    db.run("BEGIN;\n" + "\n".join(text(p) for p in files("sql", "app", "*.sql")) + "\nCOMMIT;")


def load_demo(db, now=DEMO_NOW):
    db.run("BEGIN;\n" + f"SET LOCAL souk.demo_now = '{now}';\n" + "\n".join(text(p) for p in files("sql", "demo", "*.sql")) + "\nCOMMIT;")


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        done = subprocess.run([SERVERS, "start", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self.admin = Db(f"postgresql://postgres@/postgres?host={folder}")
        for statement in ("CREATE ROLE maker LOGIN CREATEROLE", "CREATE ROLE plain LOGIN"):
            self.admin.run(statement)
        self.made = 0

    def database(self, owner):
        """A new empty database."""
        self.made += 1
        name = f"test{self.made}"
        self.admin.run(f"CREATE DATABASE {name} OWNER {owner}")
        return Db(f"postgresql://{owner}@/{name}?host={self.folder}")

    def stop(self):
        subprocess.run([SERVERS, "stop", self.folder], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def cluster():
    folder = tempfile.mkdtemp(prefix="souk-sql-")
    server = Cluster(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shop(cluster):
    """The demo shop; tests that change it put it back."""
    db = cluster.database("maker")
    migrate(db)
    load_demo(db)
    return db


@pytest.fixture
def empty(cluster):
    """A migrated database without anything in it, owned by somebody who may create roles."""
    db = cluster.database("maker")
    migrate(db)
    return db
