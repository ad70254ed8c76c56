"""souk import: every format, bad rows, repetition, a kill in the middle."""
import contextlib
import csv
import gzip
import io
import json
import os
import signal
import subprocess
import time
import zipfile
from xml.sax.saxutils import escape

import pytest

from cli import BIN, Cluster, data_file

COLUMNS = ["sku", "name", "brand", "color", "category_path", "description", "price", "stock", "featured", "images"]
PRODUCTS = [
    ["LMP-1", "Lampe Été", "Nova", "rouge", "Luminaires > Lampes", "Une lampe.\nDeux lignes; et \"guillemets\".", "149.90", "3", "1",
     "https://cdn.example/a.jpg https://cdn.example/b.jpg"],
    ["LMP-2", "Lampe, haute", "Nova", "", "Luminaires > Lampadaires", "", "1299.00", "0", "0", ""],
    ["CHR-1", "Chaise œuf", "Ovo", "blanc", "Mobilier > Chaises", "Tab\there", "89.00", "12", "0", "/img/chair.svg"],
    ["CHR-2", "Chaise œuf", "Ovo", "noir", "Mobilier > Chaises", "= not a formula", "", "1", "1", ""],
]


def table(rows, columns=COLUMNS, delimiter=",", encoding="utf-8", newline="\r\n"):
    out = io.StringIO()
    w = csv.writer(out, delimiter=delimiter, lineterminator=newline)
    w.writerows([columns, *rows])
    return out.getvalue().encode(encoding)


def objects(rows, columns=COLUMNS):
    def value(name, cell):
        if cell == "":
            return None
        return {"price": float, "stock": int, "featured": lambda c: c == "1"}.get(name, str)(cell)
    return [{n: value(n, c) for n, c in zip(columns, row)} for row in rows]


def workbook(rows, columns=COLUMNS):
    """A workbook as Excel writes it: shared strings, numbers as numbers."""
    strings, xml = {}, []
    for y, row in enumerate([columns, *rows], 1):
        cells = []
        for x, cell in enumerate(row):
            at = f"{chr(65 + x)}{y}"
            if y > 1 and columns[x] in ("price", "stock") and cell:
                cells.append(f'<c r="{at}"><v>{float(cell)!r}</v></c>')
            elif cell:
                cells.append(f'<c r="{at}" t="s"><v>{strings.setdefault(cell, len(strings))}</v></c>')
        xml.append(f'<row r="{y}">{"".join(cells)}</row>')
    ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        z.writestr("xl/workbook.xml", f'<workbook {ns} xmlns:r="r"><sheets><sheet name="P" sheetId="1" r:id="rId1"/></sheets></workbook>')
        z.writestr("xl/_rels/workbook.xml.rels", '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>')
        z.writestr("xl/worksheets/sheet1.xml", f"<worksheet {ns}><sheetData>{''.join(xml)}</sheetData></worksheet>")
        z.writestr("xl/sharedStrings.xml", f"<sst {ns}>" + "".join(f'<si><t xml:space="preserve">{escape(s)}</t></si>' for s in strings) + "</sst>")
    return out.getvalue()


FILES = {
    "a.csv": table(PRODUCTS),
    "bom.csv": b"\xef\xbb\xbf" + table(PRODUCTS),
    "semicolon.csv": table(PRODUCTS, delimiter=";"),
    "windows.csv": table(PRODUCTS, delimiter=";", encoding="cp1252"),
    "utf16.tsv": table(PRODUCTS, delimiter="\t", encoding="utf-16"),
    "a.tsv": table(PRODUCTS, delimiter="\t", newline="\n"),
    "a.json": json.dumps(objects(PRODUCTS)).encode(),
    "pretty.json": json.dumps({"products": objects(PRODUCTS)}, indent=2, ensure_ascii=False).encode(),
    "a.jsonl": "".join(json.dumps(o) + "\n" for o in objects(PRODUCTS)).encode(),
    "a.xlsx": workbook(PRODUCTS),
}
FILES.update({name + ".gz": gzip.compress(FILES[name]) for name in ("a.csv", "a.tsv", "a.json", "a.jsonl", "a.xlsx")})


@pytest.fixture(scope="module")
def cluster():
    c = Cluster()
    yield c
    c.stop()


@pytest.fixture
def shop(cluster):
    return cluster.shop()


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def many(n, start=0, price="10.00", text=""):
    return [[f"BULK-{i:07d}", f"Produit {i % 97} modèle {i}", "Marque", "bleu", f"Rayon {i % 7} > Sous-rayon {i % 31}", text or f"Texte {i}",
             price, str(i % 50), "0", ""] for i in range(start, start + n)]


def counts(shop, *args, code=0):
    """Import with a report; the numbers of it."""
    out = shop.souk("import", "--report", "-", "--quiet", *args, code=code)
    return json.loads(out[out.index('{"file"'):].splitlines()[0])


@pytest.fixture(scope="module")
def expected(cluster, tmp_path_factory):
    """What the four products are once they are in."""
    s = cluster.shop()
    s.souk("import", write(tmp_path_factory.mktemp("expected"), "a.csv", FILES["a.csv"]))
    assert s.rows("SELECT sku FROM shop.products ORDER BY sku") == [["CHR-1"], ["CHR-2"], ["LMP-1"], ["LMP-2"]]
    return s.souk("export", "products")


def test_the_values_are_right(cluster, shop, tmp_path):
    shop.souk("import", write(tmp_path, "a.csv", FILES["a.csv"]))
    rows = shop.rows("SELECT sku, slug, name, brand, colour, (SELECT path FROM shop.categories c WHERE c.id = category_id), price_minor, stock, "
                     "featured, images, lang, currency FROM shop.products ORDER BY sku")
    assert rows[2] == ["LMP-1", "lampe-ete", "Lampe Été", "Nova", "rouge", "Luminaires > Lampes", "14990", "3", "t",
                       '[{"url": "https://cdn.example/a.jpg"}, {"url": "https://cdn.example/b.jpg"}]', "fr", "EUR"]
    assert rows[0][1] == "chaise-oeuf" and rows[1][1] == "chaise-oeuf-chr-2" and rows[1][6] == ""
    assert shop.value("SELECT md5(description) = md5(E'Une lampe.\\nDeux lignes; et \"guillemets\".') FROM shop.products WHERE sku = 'LMP-1'") == "t"
    # and they can be found at once
    assert shop.count("shop.search_queue") == 0 and shop.count("shop.product_search") == 4


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_format_gives_the_same_products(shop, tmp_path, expected, name):
    r = counts(shop, write(tmp_path, name, FILES[name]))
    assert (r["created"], r["bad"], r["rows"]) == (4, 0, 4)
    assert shop.souk("export", "products") == expected
    r = counts(shop, tmp_path / name)
    assert (r["created"], r["updated"], r["unchanged"]) == (0, 0, 4)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl.gz", "a.xlsx"])
def test_standard_input(shop, expected, name):
    shop.souk("import", "-", stdin=FILES[name])
    assert shop.souk("export", "products") == expected


def test_a_dry_run_changes_nothing_and_is_right(shop, tmp_path):
    shop.souk("import", write(tmp_path, "a.csv", FILES["a.csv"]))
    changed = [row[:] for row in PRODUCTS]
    changed[0][6] = "139.90"
    changed.append(["NEW-1", "Nouveau", "X", "", "Neuf > Tout neuf", "", "1", "1", "0", ""])
    changed.append(["", "Sans SKU", "X", "", "", "", "1", "1", "0", ""])
    path = write(tmp_path, "b.csv", table(changed))
    before = shop.digest()
    sequence = "SELECT last_value FROM pg_sequences WHERE schemaname = 'shop' AND sequencename = 'products_id_seq'"
    serial = shop.value(sequence)
    dry = counts(shop, "--dry-run", path, code=1)
    assert shop.digest() == before and shop.value(sequence) == serial
    assert (dry["created"], dry["updated"], dry["unchanged"], dry["bad"]) == (1, 1, 3, 1)
    real = counts(shop, path, code=1)
    same = ("rows", "created", "updated", "unchanged", "bad", "badRows", "repeated")
    assert {k: dry[k] for k in same} == {k: real[k] for k in same}
    again = counts(shop, "--dry-run", path, code=1)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 5)


def test_bad_rows_are_told_and_good_ones_kept(shop, tmp_path):
    rows = [
        ["A", "Good", "", "", "", "", "1", "1", "0", ""],
        ["B", "Bad price", "", "", "", "", "douze", "1", "0", ""],
        ["C", "Bad stock", "", "", "", "", "1", "many", "0", ""],
        ["", "No SKU", "", "", "", "", "1", "1", "0", ""],
        ["D", "", "", "", "", "", "1", "1", "0", ""],
        ["E", "Bad image", "", "", "", "", "1", "1", "0", "javascript:alert(1)"],
        ["F", "Also good", "", "", "", "", "2", "1", "0", ""],
    ]
    body = table(rows, newline="\n") + b"G,too,few\nH,\"Caf\xc3\xa9\xff\",,,,,1,1,0,\n"
    path = write(tmp_path, "bad.csv", body)
    report = tmp_path / "report.json"
    out = shop.souk("import", "--report", report, path, code=1)
    assert "bad rows: 7" in out
    for line in ("line 3, price: is not an amount", "line 4, stock: is not a whole number", "line 5, sku: is missing", "line 6, name: is missing",
                 "line 7, images: is not a list of web addresses", "line 9: has 3 cells where the header has 10", "line 10, name: is not valid UTF-8"):
        assert line in shop.err
    listed = json.loads(report.read_text())
    assert [r["line"] for r in listed["badRows"]] == [3, 4, 5, 6, 7, 9, 10] and listed["created"] == 2
    assert shop.rows("SELECT sku FROM shop.products ORDER BY 1") == [["A"], ["F"]]
    shop.souk("import", "--errors", "2", path, code=1)
    assert "... and 5 more bad rows" in shop.err


def test_what_only_the_database_refuses_is_one_row(shop, tmp_path):
    """A text that PostgreSQL cannot index takes no other row with it."""
    shop.rows("ALTER TABLE shop.products ADD CONSTRAINT odd CHECK (name <> 'Odd')")
    rows = many(300)
    rows[123][1] = "Odd"
    r = counts(shop, write(tmp_path, "odd.csv", table(rows)), code=1)
    assert (r["created"], r["bad"]) == (299, 1)
    assert r["badRows"][0]["line"] == 125 and "odd" in r["badRows"][0]["reason"]


NOT_WHAT_IT_CLAIMS = {
    "photo.csv": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is a PNG image"),
    "table.xlsx": (FILES["a.csv"], "named xlsx but is CSV text"),
    "book.csv": (FILES["a.xlsx"], "named csv but is a ZIP archive"),
    "page.csv": (b"<!DOCTYPE html><html><body>Login</body></html>", "this is an HTML page"),
    "plain.csv.gz": (FILES["a.csv"], "not compressed with gzip"),
    "cut.csv.gz": (gzip.compress(os.urandom(3000) * 2)[:2000], ""),
    "cut.xlsx": (FILES["a.xlsx"][:400], "damaged ZIP archive or was cut off"),
    "other.xlsx": (b"PK\3\4" + b"\0" * 100, "damaged ZIP archive or was cut off"),
    "empty.csv": (b"", "this is empty"),
    "list.csv": (b"hello,world\n1,2\n", "no column says which product a row is"),
    "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel file"),
}


@pytest.mark.parametrize("name", sorted(NOT_WHAT_IT_CLAIMS))
def test_a_file_that_is_not_what_it_claims(shop, tmp_path, name):
    content, reason = NOT_WHAT_IT_CLAIMS[name]
    shop.souk("import", write(tmp_path, name, content), code=3)
    assert reason in shop.err and len(shop.err.splitlines()) == 1
    assert shop.count("shop.products") == 0


def test_a_file_that_breaks_off_keeps_what_came(shop, tmp_path):
    whole = gzip.compress(table(many(9000)))
    shop.souk("import", write(tmp_path, "cut.csv.gz", whole[:len(whole) // 2]), code=3)
    assert "cut off" in shop.err
    assert 0 < shop.count("shop.products") < 9000
    r = counts(shop, write(tmp_path, "whole.csv.gz", whole))
    assert r["created"] + r["unchanged"] == 9000 and shop.count("shop.products") == 9000


def test_usage_and_database_have_their_own_codes(cluster, shop, tmp_path):
    path = write(tmp_path, "a.csv", FILES["a.csv"])
    shop.souk("import", code=2)
    shop.souk("import", "--format", "pdf", path, code=2)
    shop.souk("import", "--currency", "EURO", path, code=2)
    shop.souk("import", "--nonsense", path, code=2)
    shop.souk("import", tmp_path / "absent.csv", code=3)
    shop.souk("import", path, code=4, DATABASE_URL=f"postgresql://maker@/nowhere?host={cluster.folder}")
    bare = cluster.shop(migrated=False)
    bare.souk("import", path, code=4)
    assert "souk migrate" in bare.err


def test_columns_that_are_absent_are_left_alone(shop, tmp_path):
    shop.souk("import", write(tmp_path, "a.csv", FILES["a.csv"]))
    r = counts(shop, write(tmp_path, "prices.csv", "sku;prix\nLMP-1;99,50\nNOPE;1\n"), code=1)
    assert (r["updated"], r["bad"]) == (1, 1) and "a new one needs a name" in r["badRows"][0]["reason"]
    assert shop.rows("SELECT price_minor, name, stock, brand FROM shop.products WHERE sku = 'LMP-1'") == [["9950", "Lampe Été", "3", "Nova"]]
    shop.souk("import", write(tmp_path, "brand.csv", "sku,brand\nLMP-1,\n"))
    assert shop.value("SELECT brand IS NULL FROM shop.products WHERE sku = 'LMP-1'") == "t"


def test_another_language_is_a_translation(shop, tmp_path):
    shop.souk("import", write(tmp_path, "a.csv", FILES["a.csv"]))
    r = counts(shop, "--locale", "en", write(tmp_path, "en.csv", "sku,name,description\nLMP-1,Summer lamp,A lamp.\n"))
    assert r["updated"] == 1
    assert shop.rows("SELECT lang, name, names->>'en', descriptions->>'en' FROM shop.products WHERE sku = 'LMP-1'") == [
        ["fr", "Lampe Été", "Summer lamp", "A lamp."]]
    assert counts(shop, "--locale", "en", tmp_path / "en.csv")["unchanged"] == 1


def test_repeated_skus_count_once(shop, tmp_path):
    rows = [["R", f"Name {i}", "", "", "", "", str(i), "1", "0", ""] for i in range(1, 4)]
    r = counts(shop, write(tmp_path, "r.csv", table(rows)))
    assert (r["created"], r["repeated"]) == (1, 2)
    assert shop.rows("SELECT name, price_minor FROM shop.products") == [["Name 3", "300"]]


def test_many_products_of_one_name(shop, tmp_path):
    """Slugs stay unique, also between the two connections of a large import, and nobody waits for the other."""
    rows = [[r[0], "Lampe d'été" if i % 2 else "Lamp", *r[2:]] for i, r in enumerate(many(16000))]
    r = counts(shop, write(tmp_path, "one.csv", table(rows)))
    assert (r["created"], r["bad"]) == (16000, 0)
    assert shop.rows("SELECT count(DISTINCT slug), count(*) FILTER (WHERE slug ~ '^(lamp|lampe-d-ete)(-bulk-[0-9]{7}.*)?$') FROM shop.products") == [
        ["16000", "16000"]]


def test_woocommerce(shop, tmp_path):
    path = data_file("feeds", "woocommerce_sample_products.csv")
    if path is None:
        path = write(tmp_path, "woo.csv", (
            "ID,Type,SKU,Name,Published,In stock?,Stock,Sale price,Regular price,Categories,Images,Parent,Attribute 1 name,Attribute 1 value(s)\n"
            "76,variation,woo-vneck-tee-red,V,1,0,,,20,,,woo-vneck-tee,Color,Red\n"
            "78,variation,woo-vneck-tee-blue,V,1,0,,,15,,,id:44,Color,Blue\n"
            "44,variable,woo-vneck-tee,V-Neck,1,1,,,,Clothing > Tshirts,https://x.example/a.jpg,,Color,\"Blue, Red\"\n"
            "58,simple,woo-belt,Belt,1,1,,55,65,Clothing > Accessories,,,,\n"))
    dry = counts(shop, "--dry-run", path)
    r = counts(shop, path)
    assert r["bad"] == 0 and r["created"] == dry["created"] > 0 and r["variantsCreated"] == dry["variantsCreated"] > 0
    assert shop.rows("SELECT price_minor, variant_count > 1 FROM shop.products WHERE sku = 'woo-vneck-tee'") == [["1500", "t"]]
    assert shop.rows("SELECT price_minor, sale_price_minor FROM shop.products WHERE sku = 'woo-belt'") == [["6500", "5500"]]
    assert shop.value("SELECT options->>'Color' FROM shop.product_variants WHERE sku = 'woo-vneck-tee-red'") == "Red"
    again = counts(shop, path)
    assert again["created"] == again["updated"] == again["variantsCreated"] == again["variantsUpdated"] == 0


def test_variants_may_come_before_their_product(shop, tmp_path):
    head = "sku,parent_sku,name,price,stock,options\n"
    far = "".join(f"P{i},,Product {i},1,1,\n" for i in range(9000))
    r = counts(shop, write(tmp_path, "v.csv", head + "T-S,T,,10,4,Size: S\nX-S,X,,10,4,Size: S\n" + far + "T,,Tee,12,,\n"), code=1)
    assert (r["created"], r["variantsCreated"], r["bad"]) == (9001, 1, 1)
    assert r["badRows"] == [{"line": 3, "column": "parent", "reason": 'there is no product "X", neither in the file nor in the shop'}]
    assert shop.rows("SELECT stock, variant_count FROM shop.products WHERE sku = 'T'") == [["4", "1"]]


def test_a_real_catalogue(shop):
    path = data_file("search", "products.tsv.gz")
    if path is None:
        pytest.skip("no public test data here")
    r = counts(shop, path)
    assert (r["rows"], r["created"], r["bad"]) == (6764, 6764, 0)
    assert shop.count("shop.product_search") == 6764
    assert counts(shop, path)["unchanged"] == 6764
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        source = {row["sku"]: row for row in csv.DictReader(f, delimiter="\t")}
    for sku, name, brand, price, ratings, category in shop.rows(
            "SELECT sku, name, coalesce(brand, ''), coalesce(souk.money(price_minor, currency)::text, ''), rating_count, "
            "coalesce((SELECT path FROM shop.categories c WHERE c.id = category_id), '') FROM shop.products"):
        row = source[sku]
        assert (name, brand, ratings, category) == (row["name"].strip(), row["brand"].strip(), row["rating_count"] or "0", row["category_path"])
        assert (float(price) if price else None) == (float(row["price"]) if row["price"] else None)


# ---- a kill, two at once, memory


def test_a_kill_leaves_whole_batches(shop, tmp_path):
    path = write(tmp_path, "many.csv", table(many(60000, text="x" * 300)))
    run = shop.start("import", "--quiet", path)
    while shop.count("shop.products") == 0 and run.poll() is None:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert run.returncode == -signal.SIGKILL
    for _ in range(600):        # the server notices that its client is gone
        if shop.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'souk' AND datname = current_database()") == "0":
            break
        time.sleep(0.1)
    there = shop.count("shop.products")
    assert 0 < there < 60000
    assert shop.value("SELECT count(*) FROM shop.products WHERE category_id IS NULL OR price_minor <> 1000 OR name = ''") == "0"
    r = counts(shop, path)
    assert (r["created"], r["unchanged"], r["bad"]) == (60000 - there, there, 0)
    assert shop.count("shop.products") == 60000


def test_two_imports_at_once(shop, tmp_path):
    path = write(tmp_path, "many.csv", table(many(20000)))
    runs = [shop.start("import", "--quiet", path) for _ in range(2)]
    outs = [p.communicate(timeout=300) for p in runs]
    assert [p.returncode for p in runs] == [0, 0], outs
    assert shop.count("shop.products") == 20000
    assert shop.value("SELECT count(*) - count(DISTINCT path) FROM shop.categories") == "0"
    assert counts(shop, path)["unchanged"] == 20000


def peak_kib(shop, path):
    """The most memory the import ever had resident, as the kernel counts it."""
    run = shop.start("import", "--dry-run", "--quiet", path)
    peak = 0
    while run.poll() is None:
        with contextlib.suppress(OSError), open(f"/proc/{run.pid}/status", encoding="ascii") as f:
            peak = max([peak] + [int(line.split()[1]) for line in f if line.startswith("VmHWM:")])
        time.sleep(0.01)
    assert run.communicate() is not None and run.returncode == 0 and peak > 0
    return peak


@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_memory_does_not_grow_with_the_file(shop, tmp_path, form):
    def make(n):
        rows = many(n, text="y" * 200)
        body = {"csv": table, "json": lambda r: json.dumps(objects(r)).encode(), "xlsx": workbook}[form](rows)
        return write(tmp_path, f"{n}.{form}", body)

    small, large = peak_kib(shop, make(15000)), peak_kib(shop, make(60000))
    assert large < small * 1.25 + 2048, f"{small} KiB for 15,000 rows, {large} KiB for 60,000"


# ---- export


def same(text, path):
    """Long texts are compared line by line, which tells more than their difference."""
    for n, (got, want) in enumerate(zip(text.splitlines(), path.read_text(encoding="utf-8").splitlines()), 1):
        assert got == want, f"line {n}"
    assert len(text) == len(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json"])
def test_an_export_reads_back(cluster, tmp_path, form):
    shop = demo(cluster)
    path = tmp_path / f"products.{form}"
    shop.souk("export", "products", "--format", form, "--output", path)
    r = counts(shop, "--dry-run", path)
    assert r["created"] == r["updated"] == r["variantsCreated"] == r["variantsUpdated"] == r["bad"] == 0
    assert r["unchanged"] == shop.count("shop.products") and r["variantsUnchanged"] == shop.count("shop.product_variants")
    other = cluster.shop()
    assert counts(other, path)["bad"] == 0
    same(other.souk("export", "products", "--format", form), path)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_exported_orders_read_back(cluster, tmp_path, form):
    shop = demo(cluster)
    path = tmp_path / f"orders.{form}"
    shop.souk("export", "orders", "--format", form, "--output", path)
    assert os.stat(path).st_mode & 0o077 == 0
    r = counts(shop, "--orders", "--dry-run", path)
    assert (r["created"], r["updated"], r["bad"], r["unchanged"]) == (0, 0, 0, shop.count("shop.orders"))
    other = cluster.shop()
    assert counts(other, "--orders", path)["bad"] == 0
    same(other.souk("export", "orders", "--format", form), path)


_demo = {}


def demo(cluster):
    if cluster not in _demo:
        _demo[cluster] = cluster.shop()
        _demo[cluster].souk("demo", "load")
    return _demo[cluster]


def test_an_empty_shop_exports(shop):
    assert shop.souk("export", "products").count("\n") == 1
    assert json.loads(shop.souk("export", "products", "--format", "json")) == []
    assert shop.souk("export", "orders", "--format", "jsonl") == ""


# ---- orders

ORDERS = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,LMP-1,LAMP,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,71053,LANTERN,2,2010-12-01 08:26:00,3.39,17850.0,United Kingdom
536366,D,Discount,1,2010-12-02 09:00:00,0,,France
536365,84029G,BOTTLE,1,2010-12-01 08:26:00,1,17850.0,United Kingdom
C536379,LMP-1,LAMP,-1,2010-12-01 09:41:00,2.55,14527.0,United Kingdom
"""


def test_orders_are_grouped_and_repeatable(shop, tmp_path):
    shop.souk("import", write(tmp_path, "a.csv", FILES["a.csv"]))
    path = write(tmp_path, "orders.csv", ORDERS)
    dry = counts(shop, "--orders", "--currency", "GBP", "--dry-run", path)
    assert shop.count("shop.orders") == shop.count("shop.customers") == 0
    r = counts(shop, "--orders", "--currency", "GBP", path)
    assert (r["created"], r["lines"], r["bad"]) == (3, 5, 0) and dry["created"] == 3
    assert shop.rows("SELECT number, status, total_minor, item_count, currency, created_at AT TIME ZONE 'UTC', customer_id IS NOT NULL "
                     "FROM shop.orders ORDER BY number") == [
        ["536365", "DELIVERED", "2308", "9", "GBP", "2010-12-01 08:26:00", "t"],
        ["536366", "DELIVERED", "0", "1", "GBP", "2010-12-02 09:00:00", "f"],
        ["C536379", "CANCELLED", "-255", "-1", "GBP", "2010-12-01 09:41:00", "t"]]
    assert shop.rows("SELECT sku, quantity, position, product_id IS NOT NULL FROM shop.order_items i JOIN shop.orders o ON o.id = order_id "
                     "WHERE number = '536365' ORDER BY position") == [["LMP-1", "6", "0", "t"], ["71053", "2", "1", "f"], ["84029G", "1", "2", "f"]]
    assert shop.rows("SELECT reference FROM shop.customers ORDER BY 1") == [["14527"], ["17850"]]
    assert shop.value("SELECT sold_count FROM shop.products WHERE sku = 'LMP-1'") == "6"
    before = shop.digest()
    again = counts(shop, "--orders", "--currency", "GBP", path)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 3) and shop.digest() == before
    write(tmp_path, "orders.csv", ORDERS.replace("LANTERN,2", "LANTERN,5"))
    assert counts(shop, "--orders", "--currency", "GBP", "--dry-run", path)["updated"] == 1
    r = counts(shop, "--orders", "--currency", "GBP", path)
    assert (r["updated"], r["unchanged"]) == (1, 2)
    assert shop.value("SELECT total_minor FROM shop.orders WHERE number = '536365'") == "3325" and shop.count("shop.order_items") == 5


def test_bad_order_lines_are_told(shop, tmp_path):
    body = ORDERS + "536400,X,Y,0,2010-12-01,1,,France\n536401,X,Y,1,soon,1,,France\n,X,Y,1,2010-12-01,1,,France\n536402,X,Y,1,2010-12-01,cheap,,France\n"
    r = counts(shop, "--orders", "--currency", "GBP", write(tmp_path, "o.csv", body), code=1)
    assert (r["created"], r["bad"]) == (3, 4)
    assert [(b["line"], b["column"]) for b in r["badRows"]] == [(7, "Quantity"), (8, "InvoiceDate"), (9, "InvoiceNo"), (10, "UnitPrice")]
    shop.souk("import", "--orders", write(tmp_path, "p.csv", FILES["a.csv"]), code=3)
    assert "which order lines need" in shop.err


def test_dates_of_a_workbook(shop, tmp_path):
    body = workbook([["O-1", "SKU", "1", "2"]], ["number", "sku", "quantity", "price"])
    with zipfile.ZipFile(io.BytesIO(body)) as z:
        parts = {n: z.read(n).decode() for n in z.namelist()}
    ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    parts["xl/styles.xml"] = f'<styleSheet {ns}><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>'
    sheet = parts["xl/worksheets/sheet1.xml"]
    sheet = sheet.replace("</row><row", '<c r="E1" t="inlineStr"><is><t>date</t></is></c></row><row', 1)
    parts["xl/worksheets/sheet1.xml"] = sheet[::-1].replace("</row>"[::-1], f'<c r="E2" s="1"><v>40513.35138888889</v></c></row>'[::-1], 1)[::-1]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for n, text in parts.items():
            z.writestr(n, text)
    r = counts(shop, "--orders", write(tmp_path, "o.xlsx", out.getvalue()))
    assert r["created"] == 1 and shop.value("SELECT created_at AT TIME ZONE 'UTC' FROM shop.orders") == "2010-12-01 08:26:00"


def test_real_orders(shop):
    path = data_file("orders", "online_retail_dev_until_2011-11-09.csv.gz")
    if path is None:
        pytest.skip("no public test data here")
    r = counts(shop, "--orders", "--currency", "GBP", path)
    assert (r["rows"], r["bad"]) == (453843, 0)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        numbers, total = set(), 0
        for row in csv.DictReader(f):
            numbers.add(row["InvoiceNo"])
            pence = round(float(row["UnitPrice"]) * 100 + 1e-9)
            total += int(row["Quantity"]) * pence
    assert r["created"] == len(numbers) == shop.count("shop.orders")
    assert int(shop.value("SELECT sum(total_minor) FROM shop.orders")) == total
    assert shop.value("SELECT count(*) FROM shop.orders WHERE (status = 'CANCELLED') <> (number LIKE 'C%')") == "0"


def test_progress_is_for_terminals_only(shop, tmp_path):
    path = write(tmp_path, "a.csv", FILES["a.csv"])
    done = subprocess.run([BIN, "import", str(path)], env=shop.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, timeout=60)
    assert done.stderr == b"" and b"\r" not in done.stdout
