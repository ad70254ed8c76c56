"""souk policy and souk faq: the owner edits what the shop promises and answers."""
import gzip
import json

import pytest

from cli import Cluster

FAQ = {"faqs": [{"code": "gift", "category": "products", "position": 1, "active": True,
                 "texts": {"en": {"question": "Do you wrap gifts?", "answer": "Yes.", "keywords": "present"}, "fr": {"question": "Emballez-vous ?", "answer": "Oui."}}}]}
POLICY = {"policies": [{"code": "ret", "name": "return", "texts": {"en": {"title": "Returns", "text": "14 days"}},
                        "withdrawal": {"allowed": True, "days": 14, "condition": "any", "automatic": False, "label": False, "returnCost": 0,
                                       "currency": "EUR", "returnCostPaidBy": "customer", "shippingRefunded": "full_order", "refundDays": 14}}]}


@pytest.fixture(scope="module")
def shop():
    c = Cluster()
    yield c.shop()
    c.stop()


@pytest.mark.parametrize("what,doc", [("faq", FAQ), ("policy", POLICY)])
def test_a_document_goes_in_and_comes_out(shop, tmp_path, what, doc):
    text = json.dumps(doc).encode()
    assert shop.souk(what, "import", "-", "--dry-run", stdin=text).strip() == "nothing was changed: 1 new, 0 replaced, 0 removed, 0 bad"
    assert shop.souk(what, "import", "-", stdin=text).strip() == "1 new, 0 replaced, 0 removed, 0 bad"
    assert json.loads(shop.souk(what, "export")) == doc
    path = tmp_path / "doc.json.gz"
    path.write_bytes(gzip.compress(text))
    assert shop.souk(what, "import", str(path)).strip() == "0 new, 1 replaced, 0 removed, 0 bad"
    shop.souk(what, "export", "--output", str(tmp_path / "out.json"))
    assert json.loads((tmp_path / "out.json").read_text()) == doc
    other = json.dumps(doc).replace('"gift"', '"other"').replace('"ret"', '"other"').encode()
    assert shop.souk(what, "import", "-", "--replace", stdin=other).strip() == "1 new, 0 replaced, 1 removed, 0 bad"


def test_questions_come_as_a_table_too(shop):
    table = ("code;category;lang;question;answer;position\nship;shipping;fr;Délai ?;Deux jours, « ouvrés ».;2\nship;shipping;en;How long?;\"Two; working\";2\n"
             "bad;nonsense;en;Q;A;1\nworse;returns;en;;A;x\n").encode()
    out = shop.souk("faq", "import", "-", "--replace", stdin=table, code=1)
    assert out.strip() == "1 new, 0 replaced, 0 removed, 2 bad"
    assert "faqs[1].category: one of shipping" in shop.err and "faqs[2]" in shop.err
    entry = next(f for f in json.loads(shop.souk("faq", "export"))["faqs"] if f["code"] == "ship")
    assert entry["texts"] == {"fr": {"question": "Délai ?", "answer": "Deux jours, « ouvrés »."}, "en": {"question": "How long?", "answer": "Two; working"}}
    assert entry["position"] == 2


@pytest.mark.parametrize("what,text,code,told", [
    ("faq", b"", 3, "is empty"), ("faq", b"[1", 3, "JSON"), ("faq", b"code,category\n1,2\n", 3, "no column lang"), ("policy", b"a,b\n1,2\n", 3, "from JSON"),
    ("faq", b'{"faqs": 5}', 1, "a list is expected"), ("faq", b'{"policies": []}', 1, "unknown member policies"), ("policy", b'{"policies": [5]}', 1, "must be an object"),
    ("faq", b"code,category,lang,question,answer\n,returns,en,q,a\n", 3, "code is missing")])
def test_what_cannot_be_used_is_told(shop, what, text, code, told):
    before = shop.souk(what, "export")
    shop.souk(what, "import", "-", stdin=text, code=code)
    assert told in shop.err
    assert shop.souk(what, "export") == before
