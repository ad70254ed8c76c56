"""Migrations from an empty database, by owners of different power."""
import os
import re

import pytest
from conftest import ROOT, SqlError, apply, files, migrate, text


def test_owner_without_createrole_gets_everything_but_the_role(cluster):
    db = cluster.database("plain")
    migrate(db)
    assert db.value("SELECT count(*) FROM pg_roles WHERE rolname = 'plain_web'") == "0"
    assert db.value("SELECT count(*) FROM pg_tables WHERE schemaname IN ('shop', 'souk')") > "0"
    assert db.query("ready") == [["0"]]


def test_owner_with_createrole_gets_a_role_that_cannot_log_in(empty):
    assert empty.rows("SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, pg_has_role(current_user, oid, 'MEMBER') "
                      "FROM pg_roles WHERE rolname = 'maker_web'") == [["f", "f", "f", "f", "f", "t"]]


def test_app_files_and_bootstrap_can_be_applied_again(empty):
    def state():
        return empty.rows("SELECT oid::regprocedure::text, md5(prosrc) FROM pg_proc WHERE pronamespace IN "
                          "('shop'::regnamespace, 'souk'::regnamespace) ORDER BY 1") + \
            empty.rows("SELECT tablename, policyname, qual, with_check FROM pg_policies ORDER BY 1, 2") + \
            empty.rows("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2") + \
            empty.rows("SELECT table_schema, table_name, privilege_type FROM information_schema.role_table_grants "
                       "WHERE grantee = 'maker_web' ORDER BY 1, 2, 3")
    before = state()
    assert len(before) > 100
    empty.run(text(os.path.join(ROOT, "sql", "bootstrap.sql")))
    apply(empty)
    assert state() == before


def test_migration_numbers_are_used_once():
    names = [os.path.basename(p) for p in files("sql", "migrations", "*.sql")]
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", n) for n in names)
    assert len({n[:4] for n in names}) == len(names)


@pytest.mark.parametrize("path", files("sql", "migrations", "*.sql") + files("sql", "app", "*.sql") + files("sql", "demo", "*.sql"),
                         ids=lambda p: os.path.basename(p))
def test_files_leave_transactions_to_the_runner(path):
    body = re.sub(r"--[^\n]*", "", text(path))
    assert not re.search(r"^\s*(BEGIN|COMMIT|ROLLBACK)\s*;", body, re.M | re.I)
    assert not re.search(r"^\\", body, re.M)


@pytest.mark.parametrize("path", files("sql", "*.sql") + files("sql", "*", "*.sql") + files("tools", "*", "*.sql"),
                         ids=lambda p: os.path.relpath(p, ROOT))
def test_syntax_is_that_of_postgresql_13(path):
    """What came with 14 to 17 and is easily written by habit."""
    newer = (r"\bBEGIN\s+ATOMIC\b", r"\bMERGE\s+INTO\b", r"\bsecurity_invoker\b", r"\bNULLS\s+NOT\s+DISTINCT\b", r"\bIS\s+JSON\b",
             r"\bJSON_ARRAYAGG\b", r"\bJSON_OBJECTAGG\b", r"\bJSON_TABLE\b", r"\bANY_VALUE\b", r"\bdate_bin\s*\(", r"\brandom_normal\b",
             r"\bmultirange\b", r"\bregexp_(like|count|instr|substr)\b", r"\bOUT\s+PROCEDURE\b", r"\bstring_to_table\b", r"\bGRANT\s+\w+\s+TO\s+\S+\s+WITH\s+(SET|INHERIT)\b")
    body = re.sub(r"--[^\n]*", "", text(path))
    for pattern in newer:
        assert not re.search(pattern, body, re.I), pattern


def test_only_trusted_extensions(empty):
    assert empty.rows("SELECT e.extname FROM pg_extension e WHERE e.extname <> 'plpgsql' ORDER BY 1") == [["fuzzystrmatch"], ["pg_trgm"], ["unaccent"]]
    assert empty.value("SELECT bool_and(v.trusted) FROM pg_extension e JOIN pg_available_extension_versions v "
                       "ON v.name = e.extname AND v.version = e.extversion") == "t"


def test_extensions_that_the_host_has_put_into_public_are_used(cluster):
    db = cluster.database("plain")
    cluster.admin.run("SELECT 1")
    db.run("CREATE EXTENSION pg_trgm; CREATE EXTENSION unaccent; CREATE EXTENSION fuzzystrmatch")
    migrate(db)
    db.run("INSERT INTO shop.products (sku, slug, name, price_minor) VALUES ('A', 'a', 'Étagère en chêne', 100)")
    assert db.value("SELECT shop.search_ids('{\"query\": \"etagerre\"}')->>'total'") == "1"


def test_statements_that_cannot_be_right_are_refused(empty):
    for statement in (
            "INSERT INTO shop.products (sku, slug, name, price_minor) VALUES ('A', 'a', 'A', -1)",
            "INSERT INTO shop.products (sku, slug, name, currency) VALUES ('A', 'a', 'A', 'eur')",
            "INSERT INTO shop.products (sku, slug, name, status) VALUES ('A', 'a', 'A', 'deleted')",
            "INSERT INTO shop.products (sku, slug, name, names) VALUES ('A', 'a', 'A', '[]')",
            "INSERT INTO souk.tokens (id, name, hash, kind) VALUES ('abcd', 'x', '', 'customer')",
            "INSERT INTO souk.test_runs (execution_id, test_type, total, passed, failed) VALUES ('t', 'unit', 1, 1, 1)"):
        with pytest.raises(SqlError) as e:
            empty.run(statement)
        assert e.value.state == "23514", statement
