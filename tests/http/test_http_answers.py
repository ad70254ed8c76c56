"""answer_question: what the catalogue, the frequent questions and the policies say, and nothing else."""
import pytest


def answer(souk, question, **more):
    outcome = souk.call("answer_question", {"question": question, **more}, server="storefront")
    assert outcome.ok, outcome
    return outcome.value


@pytest.fixture(scope="module")
def lamp(souk):
    """A product whose English name is its own, with its facts."""
    row = souk.sql("SELECT id, names->>'en', price_minor / 100.0, attributes->>'dimensions', colours->>'en', stock, sku FROM shop.products p "
                   "WHERE variant_count = 0 AND stock > 0 AND sale_price_minor IS NULL AND attributes ? 'dimensions' AND status = 'active' "
                   "AND NOT EXISTS (SELECT FROM shop.products q WHERE q.id <> p.id AND q.names->>'en' = p.names->>'en') ORDER BY id LIMIT 1")[0]
    return dict(zip(("id", "name", "price", "dimensions", "colour", "stock", "sku"), row))


@pytest.mark.parametrize("question, locale, fact", [
    ("How much is the {name}?", "en", "price"), ("What are the dimensions of the {name}", "en", "dimensions"), ("{name}: colour?", "en", "colour"),
    ("is the {name} available?", "en", "stock"), ("{sku}: how wide is it", "en", "dimensions")])
def test_a_fact_of_a_product_that_is_named(souk, lamp, question, locale, fact):
    got = answer(souk, question.format(**lamp), locale=locale)
    assert got["known"] and got["product"]["id"] == lamp["id"] and got["sources"][0]["fact"] == fact, got
    assert (f"{float(lamp['price']):.2f}" if fact == "price" else lamp[fact]) in got["answer"], got


@pytest.mark.parametrize("question, locale", [("Quelle est la matière ?", "fr"), ("¿De qué material es?", "es"), ("Aus welchem Material ist sie?", "de"), ("what is it made of", "en")])
def test_a_product_that_is_given(souk, lamp, question, locale):
    material = souk.value(f"SELECT attributes->>'material' FROM shop.products WHERE id = {lamp['id']}")
    got = answer(souk, question, locale=locale, productId=lamp["id"])
    assert got["known"] and material in got["answer"]
    assert not souk.call("answer_question", {"question": question, "productId": "999999999"}).ok


def test_frequent_questions_and_policies(souk):
    got = answer(souk, "How long does delivery take?", locale="en")
    assert got["known"] and got["sources"][0]["type"] == "faq" and "days" in got["answer"]
    got = answer(souk, "quelle est votre politique de confidentialité ?", locale="fr")
    assert got["known"] and got["sources"][0] == {"type": "policy", "id": "privacy", "title": got["sources"][0]["title"]}


@pytest.mark.parametrize("question", ["Is it waterproof?", "Do you sell cars on the moon?", "What is the meaning of life?", "🛒", "%_'\"\\;--", "x" * 500])
def test_what_is_not_in_the_data_is_not_known(souk, question):
    got = answer(souk, question, locale="en")
    assert got["known"] is False and got["sources"] == []


def test_which_product_is_meant(souk):
    got = answer(souk, "combien coûte la lampe ?", locale="fr")
    assert got["known"] is False and "Quel produit" in got["answer"]
