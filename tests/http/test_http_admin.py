"""What staff do with the catalogue, and that the next search knows it."""
import io
import json
import re
import zipfile

import pytest

import support
from support import assert_error
from test_http_mcp_streams import BOTH, META, MODERN, Stream

IMPORT = "/admin/api/import"


@pytest.fixture(scope="module")
def keeper(souk):
    return souk.token("admin:read,admin:write", "--rate-class", "bulk", name="keeper of the catalogue")


@pytest.fixture(scope="module")
def call(souk, keeper):
    def go(name, args, **kw):
        return souk.call(name, args, token=kw.pop("token", keeper), **kw)
    yield go
    souk.sql("UPDATE shop.products SET status = 'deleted', deleted_at = now() WHERE sku LIKE 'ADM-%' AND status <> 'deleted'")
    souk.souk("index")


def word():
    """A word that no catalogue has."""
    return "zyx" + "".join(chr(97 + int(c, 16)) for c in support.unique("w")[-8:] if c in "0123456789abcdef")


def create(call, **data):
    data.setdefault("sku", "ADM-" + support.unique("s").replace(" ", "-"))
    outcome = call("create_product", {"productData": {"name": "Thing", "price": 10, **data}, "locale": "en"})
    assert outcome.ok, outcome
    return outcome.value["product"]


def found(souk, text):
    return [(p["sku"], p.get("price")) for p in souk.call("search_products", {"query": text, "limit": 5}, token=souk.admin).value["products"] if p["sku"].startswith("ADM-")]


def test_each_change_is_found_by_the_next_search(souk, call):
    name = word()
    made = create(call, name=f"Lamp {name}", price=49.9, category="luminaires", stock=8)
    assert found(souk, name) == [(made["sku"], 49.9)]
    other = word()
    changed = call("update_product", {"productId": made["id"], "productData": {"name": f"Lamp {other}", "price": 39.9, "brand": "Acme"}, "locale": "en"}).value
    assert changed["changed"] == ["brand", "name", "price"]
    assert found(souk, name) == [] and found(souk, other) == [(made["sku"], 39.9)]
    assert call("update_product", {"productId": made["sku"], "productData": {"brand": "Acme"}}).value["changed"] == []
    assert call("delete_product", {"productId": made["slug"]}).value["product"]["status"] == "deleted"
    assert found(souk, other) == [] and not souk.call("get_product_details", {"productId": made["id"]}, token=souk.admin).ok
    assert "deleted already" in call("delete_product", {"productId": made["id"]}).message
    assert "restore it first" in call("update_product", {"productId": made["id"], "productData": {"price": 1}}).message
    assert [p["id"] for p in call("list_products", {"status": "deleted", "query": other}).value["products"]] == [made["id"]]
    assert call("restore_product", {"productId": made["id"], "status": "draft"}).value["product"]["status"] == "draft"
    assert found(souk, other) == [] and [p["status"] for p in call("list_products", {"status": "draft", "query": other}).value["products"]] == ["draft"]
    assert call("update_product", {"productId": made["id"], "productData": {"status": "active"}}).ok
    assert found(souk, other) == [(made["sku"], 39.9)]
    assert call("list_products", {"query": other}).value["products"][0]["id"] == made["id"]


def test_every_change_is_written_down(souk, call):
    made = create(call, price=20)
    call("update_product", {"productId": made["id"], "productData": {"price": 25}, "userId": "boss"})
    call("update_stock", {"productId": made["id"], "change": 7, "reason": "delivery"})
    call("delete_product", {"productId": made["id"]})
    rows = souk.sql(f"SELECT actor, action, details->'before', details->'after', details->>'reason', details->>'onBehalfOf' FROM souk.audit WHERE target = '{made['sku']}' ORDER BY seq")
    assert [r[:2] for r in rows] == [["keeper of the catalogue", a] for a in ("product.create", "product.update", "product.stock", "product.delete")]
    assert rows[1][2:] == ['{"price": 20.00}', '{"price": 25.00}', "", "boss"] and rows[2][2:5] == ["0", "7", "delivery"]
    assert souk.sql(f"SELECT delta, stock, reason, actor FROM shop.stock_moves WHERE product_id = {made['id']}") == [["7", "7", "delivery", "keeper of the catalogue"]]


@pytest.mark.parametrize("currency,price,minor", [("EUR", 12.34, 1234), ("JPY", 1500, 1500), ("KWD", 1.234, 1234), ("EUR", 0.07, 7), ("EUR", 81129638.41, 8112963841)])
def test_prices_are_exact(souk, call, currency, price, minor):
    made = create(call, price=price, currency=currency)
    assert made["price"] == price and souk.value(f"SELECT price_minor FROM shop.products WHERE id = {made['id']}") == str(minor)


@pytest.mark.parametrize("data,member", [
    ({"price": 12.345}, "productData.price"), ({"price": 10.5, "currency": "JPY"}, "productData.price"), ({"price": -1}, "productData.price"),
    ({"price": 10, "salePrice": 10}, "productData.salePrice"), ({"price": 10, "salePrice": 1.001}, "productData.salePrice"), ({"currency": "eur"}, "productData.currency"),
    ({"category": "no such shelf"}, "productData.category"), ({"name": " "}, "productData.name"), ({"slug": "!?"}, "productData.slug"),
    ({"images": [{"url": "/ok.jpg"}, {"url": "javascript:alert(1)"}]}, "productData.images[1].url"), ({"stock": -1}, "productData.stock"), ({"colr": "red"}, "colr"),
    ({"variants": [{"sku": "A", "price": 1.234}]}, "productData.variants[0].price"), ({"attributes": {"a": 5}}, "productData.attributes")])
def test_a_refusal_names_the_member_and_leaves_nothing(souk, call, data, member):
    before = souk.value("SELECT count(*) FROM shop.products")
    outcome = call("create_product", {"productData": {"name": "Thing", **data}})
    assert not outcome.ok and member in outcome.message, outcome
    assert souk.value("SELECT count(*) FROM shop.products") == before


def test_names_are_unique(call):
    one, two = create(call, name="Same name here"), create(call, name="Same name here")
    assert two["slug"].startswith(one["slug"] + "-")
    taken = call("create_product", {"productData": {"name": "x", "sku": one["sku"]}})
    assert taken.message == "productData.sku: another product has it"
    taken = call("update_product", {"productId": two["id"], "productData": {"slug": one["slug"]}})
    assert taken.message == "productData.slug: another product has it"


def test_the_same_name_at_once(souk, keeper, call):
    """Eight at the same moment: all are made, each with a slug of its own."""
    name = word()

    def one(i):
        return souk.client().call("create_product", {"productData": {"name": f"Twin {name}", "sku": f"ADM-{name}-{i}"}}, token=keeper)
    made = support.in_threads(8, one)
    assert all(m.ok for m in made), made
    assert len({m.value["product"]["slug"] for m in made}) == 8


def test_the_last_units_are_taken_once(souk, keeper, call):
    """Six at once take two of five each: two of them can, and stock is never negative."""
    made = create(call, stock=5)

    def one(_):
        return souk.client().call("update_stock", {"productId": made["id"], "change": -2, "reason": "sold"}, token=keeper)
    assert sorted(o.ok for o in support.in_threads(6, one)) == [False] * 4 + [True] * 2
    assert souk.value(f"SELECT stock FROM shop.products WHERE id = {made['id']}") == "1"


def test_of_two_updates_the_late_one_is_told(call):
    made = create(call)
    assert call("update_product", {"productId": made["id"], "productData": {"price": 11}, "expectedUpdatedAt": made["updatedAt"]}).ok
    late = call("update_product", {"productId": made["id"], "productData": {"price": 12}, "expectedUpdatedAt": made["updatedAt"]})
    assert "has changed since" in late.message


def test_variants(souk, call):
    made = create(call, price=10, variants=[{"sku": "ADM-V1" + word(), "options": {"Size": "S"}, "stock": 2}, {"sku": "ADM-V2" + word(), "options": {"Size": "L"}, "stock": 3, "price": 12.5}])
    assert made["stock"] == 5 and [v["price"] for v in made["variants"]] == [10, 12.5]
    small, large = (v["sku"] for v in made["variants"])
    assert "variantSku" in call("update_stock", {"productId": made["id"], "set": 9, "reason": "count"}).message
    moved = call("update_stock", {"productId": made["id"], "variantSku": small, "set": 9, "reason": "count"}).value
    assert (moved["before"], moved["after"], moved["stock"]) == (2, 9, 12)
    assert call("update_stock", {"productId": made["id"], "variantSku": small, "change": -10, "reason": "sold"}).message == "change: there are only 9"
    changed = call("update_product", {"productId": made["id"], "productData": {"variants": [{"sku": small, "remove": True}, {"sku": large, "stock": 1}]}}).value
    assert [(v["sku"], v["stock"]) for v in changed["product"]["variants"]] == [(large, 1)] and changed["product"]["stock"] == 1
    stolen = call("create_product", {"productData": {"name": "x", "variants": [{"sku": large}]}})
    assert stolen.message == "productData.variants[0].sku: belongs to another product"


def test_low_stock_is_told_once_for_each_crossing(souk, call):
    hook = souk.value("INSERT INTO souk.webhook_endpoints (url, events, salt) VALUES ('https://example.org/low', '{product.stock_low}', decode(repeat('ab', 16), 'hex')) RETURNING id")
    made = create(call, stock=10, lowStock=3)
    told = f"SELECT seen_count, resolved_at IS NULL FROM souk.alerts WHERE kind = 'stock' AND message LIKE '%{made['sku']}%' ORDER BY id"

    def go(n):
        return call("update_stock", {"productId": made["id"], "set": n, "reason": "count"}).value["low"]
    assert [go(4), go(3), go(2), go(0)] == [False, True, True, True]
    assert souk.sql(told) == [["1", "t"]]
    assert go(8) is False and souk.sql(told) == [["1", "f"]]
    assert go(1) is True and souk.sql(told) == [["1", "f"], ["1", "t"]]
    sent = souk.sql(f"SELECT body::jsonb->'data'->>'stock' FROM souk.webhook_events WHERE event = 'product.stock_low' AND subject = '{made['sku']}' ORDER BY created_at, id")
    assert sent == [["3"], ["1"]]
    souk.sql(f"DELETE FROM souk.webhook_endpoints WHERE id = {hook}")
    assert made["id"] in [p["id"] for p in call("list_products", {"lowStock": True, "limit": 50}).value["products"]]


def test_prices_change_as_the_preview_has_shown_or_not_at_all(souk, call):
    brand = word()
    one, two, three = create(call, brand=brand, price=10), create(call, brand=brand, price=19.99, salePrice=18), create(call, brand=brand, price=1.5, currency="KWD")
    rule = {"brand": brand, "percent": 10, "roundTo": 0.05}
    seen = call("preview_price_change", rule).value
    assert (seen["products"], seen["raised"], seen["skipped"]) == (3, 3, 0)
    assert [e["after"] for e in seen["examples"]] == [11, 22, 1.65]
    assert call("update_product", {"productId": one["id"], "productData": {"price": 12}}).ok
    late = call("apply_price_change", {**rule, "previewId": seen["previewId"]})
    assert late.message.startswith("previewId: prices or products have changed since")
    again = call("preview_price_change", rule).value
    done = call("apply_price_change", {**rule, "previewId": again["previewId"]})
    assert done.ok and done.value["products"] == 3, done
    prices = souk.sql(f"SELECT price_minor FROM shop.products WHERE brand = '{brand}' ORDER BY id")
    assert prices == [["1320"], ["2200"], ["1650"]]
    down = call("preview_price_change", {"brand": brand, "percent": -50}).value
    assert down["skipped"] == 1 and down["problems"] == [{"sku": two["sku"], "problem": "would not be above the sale price"}]
    sale = {"productIds": [one["id"]], "target": "salePrice", "percent": -25}
    assert call("apply_price_change", {**sale, "previewId": call("preview_price_change", sale).value["previewId"]}).ok
    assert souk.call("get_product_details", {"productId": one["id"]}, token=souk.admin).value["salePrice"] == 9.9
    ended = {"brand": brand, "target": "endSale"}
    assert call("apply_price_change", {**ended, "previewId": call("preview_price_change", ended).value["previewId"]}).value["products"] == 2
    assert souk.value(f"SELECT count(*) FROM shop.products WHERE brand = '{brand}' AND sale_price_minor IS NOT NULL") == "0"
    for bad, member in (({}, "category"), ({"brand": brand}, "percent"), ({"brand": brand, "percent": 1, "amount": 1}, "percent"), ({"productIds": ["no"], "percent": 1}, "productIds[0]")):
        assert member in call("preview_price_change", bad).message


def test_lists_page_and_filter(souk, call):
    every = call("list_products", {"status": "all", "limit": 50}).value
    assert every["total"] == int(souk.value("SELECT count(*) FROM shop.products"))
    engine = call("list_products", {"query": "lampe", "limit": 5}).value
    ranked = souk.call("search_products", {"query": "lampe", "limit": 5}, token=souk.admin).value
    assert [p["id"] for p in engine["products"]] == [p["id"] for p in ranked["products"]] and engine["total"] == ranked["total"]
    more = call("list_products", {"query": "lampe", "limit": 5, "cursor": engine["nextCursor"]}).value
    assert not {p["id"] for p in more["products"]} & {p["id"] for p in engine["products"]}
    assert call("list_products", {"category": "luminaires", "minPrice": 100, "maxPrice": 200, "limit": 50}).value["total"] == int(souk.value(
        "SELECT count(*) FROM shop.products p JOIN shop.categories c ON c.id = p.category_id WHERE c.path LIKE 'Luminaires%' AND status = 'active' "
        "AND coalesce(sale_price_minor, price_minor) BETWEEN 10000 AND 20000"))


# ---- files


def csv(rows):
    return "sku,name,price,stock\n" + "".join(f"{sku},{name},{price},{n}\n" for sku, name, price, n in rows)


def test_a_file_is_tried_then_imported_once_by_the_same_caller(souk, call):
    name = word()
    text = csv([(f"ADM-{name}-1", f"Vase {name}", "12.50", 3), (f"ADM-{name}-2", "", "1", 1), (f"ADM-{name}-3", f"Bowl {name}", "abc", 1)])
    tried = call("create_from_file", {"content": text, "fileName": "spring.csv", "currency": "EUR", "locale": "en"}).value
    assert (tried["dryRun"], tried["rows"], tried["created"], tried["bad"]) == (True, 3, 1, 2)
    assert [(b["line"], b["column"]) for b in tried["badRows"]] == [(3, "name"), (4, "price")] and found(souk, name) == []
    foreign = call("create_from_file", {"confirm": tried["confirm"]}, token=souk.admin)
    assert "no such file waiting" in foreign.message
    done = call("create_from_file", {"confirm": tried["confirm"]}).value
    assert (done["dryRun"], done["created"], done["bad"], done["file"]) == (False, 1, 2, "spring.csv")
    assert found(souk, name) == [(f"ADM-{name}-1", 12.5)]
    assert call("create_from_file", {"confirm": tried["confirm"]}).value == done, "asked again, the answer is the same"
    assert souk.value("SELECT count(*) FROM souk.audit WHERE action = 'product.import' AND target = 'spring.csv'") == "1"
    assert souk.sql("SELECT actor, target, details->>'created' FROM souk.audit WHERE action = 'product.import' ORDER BY seq DESC LIMIT 1") == [["keeper of the catalogue", "spring.csv", "1"]]


def test_json_and_base64(souk, call):
    name = word()
    tried = call("create_from_file", {"content": json.dumps([{"sku": f"ADM-{name}", "name": f"Jug {name}", "price": "9.90"}]), "fileType": "json"})
    assert tried.value["created"] == 1, tried
    import base64
    packed = base64.b64encode(csv([(f"ADM-{name}", "Jug", "9.90", 1)]).encode()).decode()
    assert call("create_from_file", {"contentBase64": packed}).value["rows"] == 1
    for bad, member in (({}, "content"), ({"content": "a", "confirm": "up_1"}, "content"), ({"contentBase64": "%%"}, "contentBase64"), ({"content": "sku\n", "currency": "XXQ"}, "currency"),
                        ({"content": "\x89PNG\r\n\x1a\n0000", "fileName": "a.png"}, "a.png"), ({"confirm": "up_00000000"}, "no such file waiting"), ({"confirm": "é" * 70}, "no such file waiting"),
                        ({"uploadId": "up_" + "é" * 20}, "no such file waiting"), ({"uploadId": "up_"}, "no such file waiting")):
        assert member in call("create_from_file", bad).message, bad


def sheet(rows):
    """A small XLSX workbook."""
    cells = "".join(f'<row r="{i}">' + "".join(f'<c r="{chr(65 + k)}{i}" t="inlineStr"><is><t>{v}</t></is></c>' for k, v in enumerate(r)) + "</row>" for i, r in enumerate(rows, 1))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType='
                   '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
                   '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>')
        z.writestr("_rels/.rels", '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type='
                   '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        z.writestr("xl/workbook.xml", '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
                   '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>')
        z.writestr("xl/_rels/workbook.xml.rels", '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type='
                   '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
        z.writestr("xl/worksheets/sheet1.xml", f'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>')
    return out.getvalue()


def upload(souk, token, content, filename="shop.csv", boundary="frontier", **fields):
    body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items())
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode() + content
    return souk.request("POST", IMPORT, body=body + f"\r\n--{boundary}--\r\n".encode(), token=token, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_is_uploaded(souk, keeper, kind):
    name = word()
    rows = [("sku", "name", "price", "stock"), (f"ADM-{name}", f"Crate {name}", "12,50", "4")]
    content = sheet(rows) if kind == "xlsx" else "\n".join(";".join(r) for r in rows).encode()
    tried = upload(souk, keeper, content, f"crates.{kind}", locale="fr", stock="2")
    assert tried.status == 200 and (tried.json["file"], tried.json["created"]) == (f"crates.{kind}", 1), tried
    done = souk.post(IMPORT, json_body={"confirm": tried.json["confirm"]}, token=keeper)
    assert done.status == 200 and done.json["created"] == 1, done
    again = souk.post(IMPORT, json_body={"confirm": tried.json["confirm"]}, token=keeper)
    assert again.json == done.json and again.headers["idempotency-replayed"] == "true"
    assert found(souk, name) == [(f"ADM-{name}", 12.5)]


def test_what_is_no_upload(souk, keeper):
    assert_error(souk.request("POST", IMPORT, body=b"sku,name\n", token=keeper, headers={"Content-Type": "text/csv"}), 415)
    assert_error(upload(souk, keeper, b""), 400, mentions="file")
    assert_error(upload(souk, keeper, b"sku,name\nA,B\n", color="red"), 400, mentions="color")
    assert_error(upload(souk, keeper, b"sku,name\nA,B\n", stock="many"), 400, mentions="stock")
    assert_error(souk.request("POST", IMPORT, body=b"--x\r\n\r\nno name\r\n--x--", token=keeper, headers={"Content-Type": "multipart/form-data; boundary=x"}), 400)
    assert_error(upload(souk, None, b"sku,name\nA,B\n"), 401)
    assert_error(upload(souk, souk.staff, b"sku,name\nA,B\n"), 403, mentions="admin:write")


def test_progress_is_told_and_who_leaves_stops_the_import(souk, keeper):
    """30,000 rows; the client hangs up at the first sign of progress. Whole batches stay, and the same file can be taken up again."""
    name, total = word(), 30000
    rows = "sku,name,price,description\n" + "".join(f"ADM-{name}-{i},Bead {i},1.00,{'round ' * 50}\n" for i in range(total))
    try:
        mark = upload(souk, keeper, rows.encode()).json["confirm"]
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "create_from_file", "arguments": {"confirm": mark}, "_meta": {**META, "progressToken": "p"}}}
        head = {"Accept": BOTH, "Authorization": f"Bearer {keeper}", "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "create_from_file"}
        with Stream(souk, "POST", "/mcp/admin", head, message) as s:
            s.read(lambda x: re.search(rb"notifications/progress", x.data), 30)
            progress = next(m for m in s.messages if m.get("method") == "notifications/progress")["params"]
            assert 0 < progress["progress"] <= progress["total"] and progress["progressToken"] == "p"
        note = "SELECT details->>'cancelled' FROM souk.audit WHERE action = 'product.import' AND (details->>'rows')::integer > 100 ORDER BY seq DESC LIMIT 1"
        assert support.wait_until(lambda: souk.sql(note), 60) == [["true"]]
        there = int(souk.value(f"SELECT count(*) FROM shop.products WHERE sku LIKE 'ADM-{name}-%'"))
        assert 0 <= there < total
        done = souk.post(IMPORT, json_body={"confirm": mark}, token=keeper)
        assert done.status == 200 and done.json["created"] + there == total and done.json["unchanged"] == there, done
    finally:  # taken out of the shop, which is faster than out of the table
        souk.sql(f"UPDATE shop.products SET status = 'deleted', deleted_at = now() WHERE sku LIKE 'ADM-{name}-%'")
