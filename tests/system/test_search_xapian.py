"""A second opinion: Xapian's BM25 over the same texts of the demo shop. The two weigh fields differently, so they need not agree on the order, but
what one puts on the first page the other must know, and their orders must point the same way."""
import json
import statistics

import xapian

QUERIES = ["lampe chêne", "coussin velours", "vase verre", "table basse marbre", "miroir rond", "tapis laine", "chaise rotin", "bougie cire",
           "lampadaire laiton", "plaid laine", "horloge murale", "suspension papier", "commode noyer", "banc chêne", "panier osier",
           "rideau lin", "housse couette coton", "nappe lin", "pouf cuir", "étagère métal", "oak table", "glass vase", "wool rug", "velvet cushion",
           "brass lamp", "linen curtain", "lámpara latón", "cojín terciopelo", "jarrón vidrio", "espejo redondo"]
WEIGHTS = {"name": 5, "brand": 3, "colour": 3, "category": 2, "attributes": 2, "description": 1}
LANGS = ("fr", "en", "es", "de")


def texts(row):
    """(field, language, text) of a product, as the index takes them."""
    for field, plain, more in (("name", "name", "names"), ("colour", "colour", "colours"), ("description", "description", "descriptions")):
        yield field, row["lang"], row[plain] or ""
        for lang, text in (row[more] or {}).items():
            yield field, lang, text
    yield "brand", row["lang"], row["brand"] or ""
    for lang, text in (row["paths"] or {}).items():
        yield "category", lang, text
    yield "category", row["lang"], row["path"] or ""
    for key, value in (row["attributes"] or {}).items():
        if key != "colourHex":
            yield "attributes", row["lang"], str(value)


def opinion(souk):
    db = xapian.WritableDatabase("", xapian.DB_BACKEND_INMEMORY)
    rows = souk.value("SELECT json_agg(json_build_object('id', p.id, 'lang', p.lang, 'name', p.name, 'names', p.names, 'brand', p.brand, 'colour', p.colour, "
                      "'colours', p.colours, 'description', p.description, 'descriptions', p.descriptions, 'path', c.path, 'paths', c.paths, "
                      "'attributes', p.attributes)) FROM shop.products p LEFT JOIN shop.categories c ON c.id = p.category_id WHERE p.status = 'active'")
    for row in json.loads(rows):
        doc = xapian.Document()
        generator = xapian.TermGenerator()
        generator.set_document(doc)
        generator.set_stemming_strategy(xapian.TermGenerator.STEM_ALL)
        for field, lang, text in texts(row):
            generator.set_stemmer(xapian.Stem(lang if lang in LANGS else "none"))
            generator.index_text_without_positions(text, WEIGHTS[field])
        doc.set_data(str(row["id"]))
        db.add_document(doc)
    return db


def ranked(db, query, n):
    terms = set()
    for lang in LANGS:
        stem = xapian.Stem(lang)
        terms |= {stem(word.lower()).decode() for word in query.split()}
    enquire = xapian.Enquire(db)
    enquire.set_query(xapian.Query(xapian.Query.OP_OR, sorted(terms)))
    return [hit.document.get_data().decode() for hit in enquire.get_mset(0, n)]


def test_xapian_has_nearly_the_same_opinion(souk, tmp_path):
    queries = tmp_path / "queries.tsv"
    queries.write_text("".join(f"{i}\t{query}\n" for i, query in enumerate(QUERIES)))
    path = str(tmp_path / "plain.seg")
    souk.souk("index", "--quiet", "--file", path)
    ids = {sku: i for i, sku in (row for row in souk.sql("SELECT id, sku FROM shop.products"))}
    mine = {}
    for line in souk.souk("search-run", "--plain", "--queries", str(queries), "--top", "50", "--file", path).stdout.splitlines():
        mine.setdefault(int(line.split("\t")[0]), []).append(ids[line.split("\t")[1]])
    db, shared, known, agree = opinion(souk), [], [], []
    for i, query in enumerate(QUERIES):
        other = ranked(db, query, 50)
        assert mine[i] and other, query
        shared.append(len(set(mine[i][:10]) & set(other[:10])) / min(10, len(other)))
        known.append(len(set(mine[i][:10]) & set(other)) / len(mine[i][:10]))
        both = [p for p in mine[i] if p in other]
        pairs = [(a, b) for k, a in enumerate(both) for b in both[k + 1:]]
        agree.append(sum(other.index(a) < other.index(b) for a, b in pairs) / max(1, len(pairs)))
    print(f"of ten {statistics.mean(shared):.2f} shared, {statistics.mean(known):.2f} among fifty, {statistics.mean(agree):.2f} of pairs in the same order")
    assert statistics.mean(shared) > 0.55 and statistics.mean(known) > 0.88 and statistics.mean(agree) > 0.68
