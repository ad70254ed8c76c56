"""souk migrate and souk demo load."""
import glob
import os
import shutil
import threading

import pytest

from cli import ROOT, Cluster


@pytest.fixture(scope="module")
def cluster():
    c = Cluster()
    yield c
    c.stop()


@pytest.fixture
def share(tmp_path):
    """A copy of sql/ that a test may change; for SOUK_SHARE."""
    shutil.copytree(os.path.join(ROOT, "sql"), tmp_path / "sql")
    return tmp_path


def migrations(share=ROOT):
    return sorted(os.path.basename(p) for p in glob.glob(os.path.join(share, "sql", "migrations", "*.sql")))


def test_an_empty_database_is_migrated_once(cluster):
    shop = cluster.shop(migrated=False)
    names = migrations()
    out = shop.souk("migrate", "--status", code=1)
    assert f"0 applied, {len(names)} pending" in out
    assert shop.value("SELECT to_regclass('souk.migrations') IS NULL") == "t"
    out = shop.souk("migrate")
    assert [line.split()[1] for line in out.splitlines() if line.startswith("applied ")] == names
    assert f"{len(names)} applied, 0 pending" in shop.souk("migrate", "--status")
    assert "checksums match" in shop.souk("migrate", "--verify")
    before = shop.rows("SELECT * FROM souk.migrations ORDER BY version")
    assert "0 applied" in shop.souk("migrate")
    assert shop.rows("SELECT * FROM souk.migrations ORDER BY version") == before


def test_a_user_without_createrole_can_migrate(cluster):
    shop = cluster.shop(owner="plain")
    assert shop.value("SELECT count(*) FROM pg_roles WHERE rolname = 'plain_web'") == "0"
    shop.souk("migrate", "--verify")


def test_a_changed_migration_stops_it(cluster, share):
    shop = cluster.shop()
    name = migrations()[1]
    with open(share / "sql" / "migrations" / name, "a", encoding="utf-8") as f:
        f.write("\n-- changed\n")
    for option in ([], ["--status"], ["--verify"]):
        shop.souk("migrate", *option, code=1, SOUK_SHARE=str(share))
        assert f"{name} has changed" in shop.err


def test_a_missing_migration_stops_it(cluster, share):
    shop = cluster.shop()
    name = migrations()[2]
    os.unlink(share / "sql" / "migrations" / name)
    shop.souk("migrate", code=1, SOUK_SHARE=str(share))
    assert f"{name} was applied but is missing" in shop.err


def test_a_late_number_stops_it(cluster, share):
    first = migrations()[0]
    os.rename(share / "sql" / "migrations" / first, share / "kept.sql")
    shop = cluster.shop()
    os.rename(share / "kept.sql", share / "sql" / "migrations" / first)
    shop.rows("DELETE FROM souk.migrations WHERE version = 2")
    shop.souk("migrate", code=1, SOUK_SHARE=str(share))
    assert f"{migrations()[1]} was not applied but a later one was" in shop.err


def test_a_broken_migration_leaves_nothing(cluster, share):
    shop = cluster.shop()
    with open(share / "sql" / "migrations" / "0998_good.sql", "w", encoding="utf-8") as f:
        f.write("CREATE TABLE shop.good (id integer);\n")
    with open(share / "sql" / "migrations" / "0999_broken.sql", "w", encoding="utf-8") as f:
        f.write("-- é\nCREATE TABLE shop.half (id integer);\n\nSELECT nonsense;\n")
    shop.souk("migrate", code=4, SOUK_SHARE=str(share))
    assert "0999_broken.sql line 4:" in shop.err
    assert shop.value("SELECT to_regclass('shop.half') IS NULL AND to_regclass('shop.good') IS NOT NULL") == "t"
    assert shop.value("SELECT max(version) FROM souk.migrations") == "998"


def test_a_migration_may_not_end_its_transaction(cluster, share):
    shop = cluster.shop()
    with open(share / "sql" / "migrations" / "0999_sly.sql", "w", encoding="utf-8") as f:
        f.write("CREATE TABLE shop.sly (id integer);\nCOMMIT;\n")
    shop.souk("migrate", code=4, SOUK_SHARE=str(share))
    assert "0999_sly.sql" in shop.err
    assert shop.value("SELECT count(*) FROM souk.migrations WHERE version = 999") == "0"


def test_two_numbers_alike_are_refused(cluster, share):
    shop = cluster.shop(migrated=False)
    (share / "sql" / "migrations" / "0001_again.sql").write_text("SELECT 1;\n")
    shop.souk("migrate", code=3, SOUK_SHARE=str(share))
    assert "0001_again.sql and 0001_" in shop.err


def test_two_runs_at_once_are_one(cluster):
    shop = cluster.shop(migrated=False)
    runs = [shop.start("migrate") for _ in range(3)]
    outs = [p.communicate(timeout=120) for p in runs]
    assert [p.returncode for p in runs] == [0, 0, 0], outs
    applied = [line.split()[1] for out, _ in outs for line in out.decode().splitlines() if line.startswith("applied ")]
    assert sorted(applied) == migrations()
    shop.souk("migrate", "--verify")


def test_no_folder_and_no_database_are_told(cluster, tmp_path):
    shop = cluster.shop(migrated=False)
    shop.souk("migrate", code=3, SOUK_SHARE=str(tmp_path))
    assert "SOUK_SHARE" in shop.err
    shop.souk("migrate", code=4, DATABASE_URL=f"postgresql://maker@/nowhere?host={cluster.folder}")
    assert "nowhere" in shop.err


def test_the_demo_is_loaded_once(cluster):
    shop = cluster.shop()
    assert "demo shop loaded" in shop.souk("demo", "load")
    assert shop.count("shop.products") >= 600
    before = shop.digest()
    assert "nothing loaded" in shop.souk("demo", "load")
    assert shop.digest() == before


def test_reading_while_migrating_does_not_block(cluster):
    shop = cluster.shop()
    stop = threading.Event()
    failures = []

    def read():
        while not stop.is_set():
            try:
                shop.rows("SELECT count(*) FROM shop.products")
            except AssertionError as e:
                failures.append(str(e))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(3):
            shop.souk("migrate")
    finally:
        stop.set()
        reader.join()
    assert not failures
