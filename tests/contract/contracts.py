"""The contracts of all tools as files, and what can be derived from a contract: arguments that fit it and arguments that do not."""
import copy
import functools
import glob
import json
import os
import random

import support

SERVERS = ("catalog", "orders", "support", "analytics", "storefront", "admin", "intent", "notifications")
EXTRA = 987654321  # a number that no enum has


@functools.lru_cache(None)
def load():
    """Name -> contract, of the real tools and of those that the tests add."""
    found = {}
    for path in sorted(glob.glob(os.path.join(support.ROOT, "tools", "*", "*.json")) +
                       glob.glob(os.path.join(support.ROOT, "tests", "tools", "*", "*.json"))):
        with open(path, encoding="utf-8") as f:
            contract = json.load(f)
        contract["file"] = path
        found[contract["name"]] = contract
    return found


def listings(contract):
    """Server -> the name under which it lists the tool."""
    listed = {}
    for entry in contract["x-servers"]:
        if isinstance(entry, str):
            listed[entry] = contract["name"]
        else:
            listed.update(entry)
    return listed


def new_order(status, paid=0):
    """Makes an order that stands there: for tools that change one, so that each test has its own. paid: by bank transfer, in minor units."""
    def make(souk):
        number = support.unique("TEST").replace(" ", "-").upper()
        return souk.value(
            "WITH o AS (INSERT INTO shop.orders (customer_id, number, status, subtotal_minor, total_minor, item_count, paid_at, shipped_at, shipping_address) "
            f"VALUES (1, '{number}', '{status}', 1000, 1000, 1, {'NULL' if status == 'PENDING' else 'now()'}, {'now()' if status == 'SHIPPED' else 'NULL'}, "
            "'{\"country\": \"FR\", \"postcode\": \"75011\"}') RETURNING id), "
            "i AS (INSERT INTO shop.order_items (order_id, unit_price_minor, total_minor, quantity, sku, name) SELECT id, 1000, 1000, 1, 'T', 'Test' FROM o), "
            "s AS (INSERT INTO shop.shipments (order_id, status, carrier, tracking_number) SELECT id, 'IN_TRANSIT', 'Colissimo', 'TEST0001' FROM o "
            f"WHERE '{status}' = 'SHIPPED'), "
            "p AS (INSERT INTO shop.payments (order_id, amount_minor, paid_minor, paid_at, provider, state, currency, reference) "
            f"SELECT id, {paid}, {paid}, now(), 'bank_transfer', 'paid', 'EUR', '{number}' FROM o WHERE {paid} > 0) SELECT id FROM o")
    return make


def somebody(mail):
    """An address that nobody has written to."""
    return lambda souk: f"a{random.randrange(1 << 40):x}@example.org" if mail else f"+336{random.randrange(10 ** 8):08d}"


def new_product(status):
    """Makes a product."""
    def make(souk):
        word = support.unique("made").replace(" ", "-")
        return souk.value(f"INSERT INTO shop.products (sku, slug, name, price_minor, stock, status, deleted_at) VALUES ('{word}', '{word}', 'Made for a test', 1000, 10, "
                          f"'{status}', {'now()' if status == 'deleted' else 'NULL'}) RETURNING id")
    return make


# Tools that use up what they are given: member -> what makes a new one.
OWN = {
    "send_email": {"to": somebody(True)},
    "send_sms": {"to": somebody(False)},
    "send_whatsapp": {"to": somebody(False)},
    "cancel_order": {"orderId": new_order("PENDING")},
    "customer_orders_cancel": {"order_id": new_order("PENDING")},
    "ship_order": {"orderId": new_order("PROCESSING")},
    "mark_delivered": {"orderId": new_order("SHIPPED"), "trackingNumber": lambda souk: "TEST0001"},
    "add_tracking_event": {"orderId": new_order("SHIPPED"), "trackingNumber": lambda souk: "TEST0001"},
    "create_from_file": {"content": lambda souk: "sku,name\nMADE-1,Made for a test\n"},
    "delete_product": {"productId": new_product("active")},
    "restore_product": {"productId": new_product("deleted")},
    "update_stock": {"productId": new_product("active")},
    "refund_order": {"orderId": new_order("DELIVERED", paid=1000)},
    "set_order_status": {"orderId": new_order("PENDING"), "status": lambda souk: "PROCESSING"},
}


def new_ticket(souk):
    return souk.value("WITH t AS (INSERT INTO shop.tickets (number, subject, email, opened_by) VALUES (shop.service_number('TKT'), 'Test', "
                      "'test@example.org', 'system') RETURNING number) SELECT number FROM t")


def new_return(souk):
    return souk.value("WITH r AS (INSERT INTO shop.returns (order_id, items_minor, refund_minor, number, currency, reason, ground, cost_paid_by, label) "
                      "SELECT id, 0, 0, shop.service_number('RET'), 'EUR', 'other', 'withdrawal', 'customer', false FROM shop.orders ORDER BY id LIMIT 1 "
                      "RETURNING number) SELECT number FROM r")


OWN.update({
    "open_return": {"orderId": lambda souk: new_order("DELIVERED")(souk)},
    "update_ticket": {"ticketId": new_ticket}, "reply_to_ticket": {"ticketId": new_ticket}, "get_ticket_status": {"ticketId": new_ticket},
    "decide_return": {"returnId": new_return}, "cancel_return": {"returnId": new_return}, "list_returns": {"returnId": new_return},
})


class Samples:
    """Values of this shop for arguments that mean something in it; by name, else by schema."""

    def __init__(self, souk):
        def one(statement):
            return souk.value(statement)
        product, sku, slug = souk.sql("SELECT id, sku, slug FROM shop.products WHERE status = 'active' ORDER BY id LIMIT 1")[0]
        self.known = {
            "productId": product, "id": product, "sku": sku, "slug": slug, "productSlug": slug,
            "categorySlug": one("SELECT slug FROM shop.categories ORDER BY id LIMIT 1"),
            "category": one("SELECT slug FROM shop.categories ORDER BY id LIMIT 1"),
            "parent": one("SELECT slug FROM shop.categories WHERE parent_id IS NULL ORDER BY id LIMIT 1"),
            "brand": one("SELECT brand FROM shop.products WHERE brand IS NOT NULL ORDER BY id LIMIT 1"),
            "colour": one("SELECT colour FROM shop.products WHERE colour IS NOT NULL ORDER BY id LIMIT 1"),
            "variantSku": sku, "query": "lampe", "q": "lampe", "from": "2024-01-01", "to": "2030-12-31", "cursor": None,
            "confirm": None,  # from a preview; support.call() gets it
        }
        order, number, customer = souk.sql("SELECT id, number, customer_id FROM shop.orders WHERE status = 'DELIVERED' AND customer_id IS NOT NULL ORDER BY id LIMIT 1")[0]
        self.known.update({"orderId": order, "order_id": order, "orderNumber": number, "userId": customer, "customer_id": customer})
        self.souk = souk
        self.own = {id(load()[name]["inputSchema"]["properties"][member]): make
                    for name, members in OWN.items() if name in load() for member, make in members.items()}

    def value(self, name, schema):
        """A valid value, or None when there is none to be had (a cursor comes from a page)."""
        if id(schema) in self.own:
            return self.own[id(schema)](self.souk)
        if name in self.known and "enum" not in schema:
            return self.known[name]
        return valid(schema, self)

    def required(self, schema):
        return {k: self.value(k, schema["properties"][k]) for k in schema.get("required", [])}


def valid(schema, samples=None):
    """Some value that fits the schema."""
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return schema.get("minimum", min(1, schema.get("maximum", 1)))
    if kind == "boolean":
        return True
    if kind == "array":
        return [valid(schema["items"], samples) for _ in range(schema.get("minItems", 0))]
    if kind == "object":
        return {k: samples.value(k, schema["properties"][k]) if samples else valid(schema["properties"][k])
                for k in schema.get("required", [])}
    formats = {"date": "2024-05-05", "date-time": "2024-05-05T10:00:00Z", "email": "a@example.org", "uri": "https://example.org/",
               "uuid": "00000000-0000-4000-8000-000000000000"}
    if "format" in schema:
        return formats[schema["format"]]
    return "x" * max(1, schema.get("minLength", 1))


def edges(schema):
    """Values at the very limits, all valid."""
    kind = schema.get("type")
    if "enum" in schema:
        return list(schema["enum"])
    if kind in ("integer", "number"):
        return [schema[k] for k in ("minimum", "maximum") if k in schema] + ([float(schema["minimum"])] if "minimum" in schema else [])
    if kind == "boolean":
        return [True, False]
    if kind == "string" and "format" not in schema:
        return (["x" * schema["minLength"]] if "minLength" in schema else []) + (
            [c * schema["maxLength"] for c in "xé"] if "maxLength" in schema else [])
    return []


TYPES = {"string": "text", "integer": 3, "number": 2.5, "boolean": True, "null": None, "array": [], "object": {}}


def wrong_values(schema):
    """(what is wrong, value) for one member: other types, one beyond each limit."""
    kind = schema.get("type")
    for other, value in TYPES.items():
        if kind and other != kind and not (kind == "number" and other == "integer"):
            yield f"{other} for {kind}", value
    if kind == "integer":
        yield "a fraction", 2.5
        yield "a number as text", "3"
    if kind == "boolean":
        yield "zero for false", 0
        yield "text for true", "true"
    for word, sign in (("minimum", -1), ("maximum", 1)):
        if word in schema:
            yield f"beyond {word}", schema[word] + sign
            if kind == "number":
                yield f"just beyond {word}", schema[word] + sign * (0.5 if abs(schema[word]) > 1 else 0.001)
    for word, sign in (("exclusiveMinimum", -1), ("exclusiveMaximum", 1)):
        if word in schema:
            yield word, schema[word]
    if "maxLength" in schema:
        yield "too long", "x" * (schema["maxLength"] + 1)
        yield "too long in characters of two bytes", "é" * (schema["maxLength"] + 1)
    if schema.get("minLength"):
        yield "too short", "x" * (schema["minLength"] - 1)
    if "enum" in schema:
        yield "not in enum", "no such choice" if kind == "string" else EXTRA
        yield "in another case", schema["enum"][0].swapcase() if kind == "string" and schema["enum"][0].swapcase() not in schema["enum"] else EXTRA
    if "maxItems" in schema:
        yield "too many items", [valid(schema["items"])] * (schema["maxItems"] + 1)
    if schema.get("minItems"):
        yield "too few items", []
    if schema.get("uniqueItems"):
        yield "the same twice", [valid(schema["items"])] * 2
    for name, value in {"date": "2024-13-01", "date-time": "yesterday", "email": "nobody", "uri": "::", "uuid": "123"}.items():
        if schema.get("format") == name:
            yield f"no {name}", value


def put(args, path, value):
    """A copy of the arguments with the member at path set; path is names, and 0 for the first item of an array."""
    args = copy.deepcopy(args)
    at = args
    for i, step in enumerate(path[:-1]):
        following = path[i + 1]
        if step == 0:
            at[0:] = at[0:1] or [[] if following == 0 else {}]
            at = at[0]
        else:
            at = at.setdefault(step, [] if following == 0 else {})
    if path[-1] == 0:
        at[0:] = [value]
    else:
        at[path[-1]] = value
    return args


def members(schema, path=()):
    """(path, schema) of all members, at any depth."""
    for name, sub in schema.get("properties", {}).items():
        yield path + (name,), sub
        yield from members(sub, path + (name,))
        if sub.get("type") == "array" and "items" in sub:
            yield path + (name, 0), sub["items"]
            yield from members(sub["items"], path + (name, 0))


def violations(contract, samples):
    """(what, member that the answer has to name, arguments): everything that must be refused."""
    schema = contract["inputSchema"]
    base = samples.required(schema)
    schemas = dict(members(schema))
    for path, sub in schemas.items():
        whole = base  # with whole items where the path goes through a list
        for i in range(1, len(path) - 1):
            if path[i] == 0:
                whole = put(whole, path[:i + 1], valid(schemas[path[:i + 1]], samples))
        for what, value in wrong_values(sub):
            yield f"{'.'.join(map(str, path))}: {what}", next(p for p in reversed(path) if p != 0), put(whole, path, value)
        for name in sub.get("required", []):
            whole = valid(sub, samples)
            whole.pop(name)
            yield f"{'.'.join(map(str, path))}: without {name}", name, put(base, path, whole)
        if sub.get("additionalProperties") is False:
            whole = valid(sub, samples)
            yield f"{'.'.join(map(str, path))}: unknown member", "no_such_member", put(base, path, dict(whole, no_such_member=1))
    for name in schema.get("required", []):
        yield f"without {name}", name, {k: v for k, v in base.items() if k != name}
    if schema.get("additionalProperties") is False:
        yield "unknown argument", "no_such_argument", dict(base, no_such_argument=1)
        if schema["properties"]:
            first = next(iter(schema["properties"]))
            for other in {first.upper(), first + " ", "__proto__", "constructor"} - set(schema["properties"]):
                yield f"unknown argument {other!r}", other, dict(base, **{other: 1})


def query_text(value):
    """The value as a query parameter writes it, None when a query cannot say it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return json.dumps(value)
    return value if isinstance(value, str) else None


def in_query(args, schema):
    """The arguments as query parameters, or None when a query string cannot say them: there all is text."""
    pairs = {}
    for name, value in args.items():
        text = query_text(value)
        kind = schema["properties"].get(name, {}).get("type")
        if text is None or (kind == "string" and not isinstance(value, str)):
            return None
        if kind in ("integer", "number", "boolean") and isinstance(value, str) and value in ("3", "true"):
            return None
        if kind == "boolean" and value in (0, 1):
            return None
        pairs[name] = text
    return pairs
