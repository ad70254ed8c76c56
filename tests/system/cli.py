"""What the tests of the command line share: a PostgreSQL of their own, databases by the dozen, and souk run as people run it."""
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVERS = os.path.join(ROOT, "tests", "unit", "servers.sh")
BUILD = os.path.join(ROOT, os.environ.get("SOUK_BUILD", "build"))
BIN = os.path.join(BUILD, "bin", "souk") if os.path.exists(os.path.join(BUILD, "bin", "souk")) else os.environ.get("SOUK_BIN", "souk")
PEPPER = "0123456789abcdef0123456789abcdef"


def data_file(*path):
    """A file of the public test data, or None."""
    base = os.environ.get("SOUK_DATA", os.path.join(os.path.dirname(ROOT), "shared", "data"))
    full = os.path.join(base, *path)
    return full if os.path.exists(full) else None


class Cluster:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="souk-cli-")
        done = subprocess.run([SERVERS, "start", self.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0, done.stderr
        self.made = 0
        self.admin("CREATE ROLE maker LOGIN CREATEROLE", "CREATE ROLE plain LOGIN")
        self.template = None

    def admin(self, *statements):
        for s in statements:
            subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", f"postgresql://postgres@/postgres?host={self.folder}", "-c", s],
                           check=True, stdout=subprocess.DEVNULL, timeout=60)

    def shop(self, owner="maker", migrated=True):
        """A new database; migrated ones are copies of the first."""
        self.made += 1
        name, copied = f"cli{self.made}", migrated and owner == "maker"
        if copied and self.template is None:
            self.template = "migrated"
            self.admin(f"CREATE DATABASE {self.template} OWNER {owner}")
            Shop(f"postgresql://{owner}@/{self.template}?host={self.folder}", self.folder).souk("migrate")
        self.admin(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE {self.template if copied else 'template1'}")
        shop = Shop(f"postgresql://{owner}@/{name}?host={self.folder}", self.folder)
        if migrated and not copied:
            shop.souk("migrate")
        return shop

    def stop(self):
        subprocess.run([SERVERS, "stop", self.folder], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)


class Shop:
    """One database, and souk on it."""

    def __init__(self, url, state):
        self.url = url
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("SOUK_", "SHOP_")) and k not in ("REDIS_URL", "DATABASE_URL")}
        self.env.update(DATABASE_URL=url, STATE_DIR=state, TOKEN_PEPPER=PEPPER, SOUK_SHARE=ROOT, MCP_LOG_LEVEL="error")

    def souk(self, *args, code=0, stdin=None, **env):
        done = subprocess.run([BIN, *map(str, args)], input=stdin, env=dict(self.env, **env), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=300, check=False)
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, f"souk {' '.join(map(str, args))}: status {done.returncode}\n{out}{err}"
        self.out, self.err = out, err
        return out

    def start(self, *args):
        return subprocess.Popen([BIN, *map(str, args)], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def rows(self, statement):
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", "SET souk.kind = 'system'",
                               "-c", statement], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\x1f") for line in done.stdout.split("\n")[:-1]]

    def value(self, statement):
        rows = self.rows(statement)
        return rows[0][0] if rows else None

    def count(self, table):
        return int(self.value(f"SELECT count(*) FROM {table}"))

    def digest(self):
        """Everything an import may change, as one value; times of change are left out."""
        return self.value("""
            SELECT md5(concat(
                (SELECT string_agg(md5((to_jsonb(p) - 'updated_at')::text), '' ORDER BY p.id) FROM shop.products p),
                (SELECT string_agg(md5((to_jsonb(v) - 'updated_at')::text), '' ORDER BY v.id) FROM shop.product_variants v),
                (SELECT string_agg(md5((to_jsonb(c) - 'updated_at')::text), '' ORDER BY c.id) FROM shop.categories c),
                (SELECT string_agg(md5((to_jsonb(o) - 'updated_at')::text), '' ORDER BY o.id) FROM shop.orders o),
                (SELECT string_agg(md5(to_jsonb(i)::text), '' ORDER BY i.id) FROM shop.order_items i),
                (SELECT string_agg(md5((to_jsonb(k) - 'updated_at')::text), '' ORDER BY k.id) FROM shop.customers k)))""")
