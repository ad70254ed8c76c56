"""A stand-in for Stripe, by its published interface (https://docs.stripe.com/api): what souk asks for is checked parameter by parameter, idempotency keys
are kept, and buyers, banks and webhooks are played by the tests.

    with Stripe() as stripe:
        ... STRIPE_API_URL=stripe.url STRIPE_SECRET_KEY=stripe.key STRIPE_WEBHOOK_SECRET=stripe.secret ...
        session = stripe.last_session()
        event = stripe.pay(session["id"])            # the buyer pays; the event that Stripe would send
        stripe.post(souk, event)                      # deliver it, signed; see post() for what can go wrong with it
"""
import hashlib
import hmac
import itertools
import json
import re
import time

from .base import Standin, Wrong

ZERO_DECIMAL = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
THREE_DECIMAL = {"bhd", "jod", "kwd", "omr", "tnd"}
HUNDREDTHS_OF_NOTHING = {"isk", "ugx"}   # written with two decimals that have to be 00
TWO_DECIMAL = {"eur", "usd", "gbp", "chf", "cad", "aud", "pln", "sek", "nok", "dkk", "czk"}
LOCALES = {"auto", "de", "en", "es", "fr", "it", "nl", "pt"}


def text(most=5000):
    def check(v):
        if not 0 < len(v) <= most:
            raise Wrong(f"a text of 1 to {most} characters is expected")
        return v
    return check


def integer(low=0, high=99999999):
    def check(v):
        if not re.fullmatch(r"-?\d+", v) or not low <= int(v) <= high:
            raise Wrong(f"Invalid integer: {v}")
        return int(v)
    return check


def one_of(*words):
    def check(v):
        if v not in words:
            raise Wrong(f"must be one of {words}: {v}")
        return v
    return check


def url(v):
    if not re.fullmatch(r"https?://[^\s]{3,2000}", v):
        raise Wrong(f"Not a valid URL: {v}")
    return v


def email(v):
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", v):
        raise Wrong("Invalid email address")
    return v


def currency(v):
    if v not in ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL | HUNDREDTHS_OF_NOTHING:
        raise Wrong(f"Invalid currency: {v}")
    return v


def country(v):
    if not re.fullmatch("[A-Z]{2}", v):
        raise Wrong(f"Invalid country: {v}")
    return v


METADATA = {"*": text(500)}
PRODUCT = {"name": text(), "metadata": METADATA, "description": text()}
INTENT = {"metadata": METADATA, "description": text(1000)}
ADDRESS = {"allowed_countries!": [country]}
SESSION = {
    "mode!": one_of("payment", "subscription", "setup"), "client_reference_id": text(200), "customer_email": email,
    "locale": one_of(*LOCALES), "success_url!": url, "cancel_url": url, "expires_at": integer(0, 1 << 40),
    "line_items!": [{"quantity!": integer(1, 999999), "price": text(100),
                     "price_data": {"currency!": currency, "unit_amount!": integer(), "product_data!": PRODUCT}}],
    "metadata": METADATA, "payment_intent_data": INTENT, "shipping_address_collection": ADDRESS,
    "shipping_options": [{"shipping_rate_data": {"type": one_of("fixed_amount"), "display_name!": text(100),
                                                 "fixed_amount": {"amount!": integer(), "currency!": currency}}}],
}
PRICE = {"currency!": currency, "unit_amount!": integer(), "product_data!": PRODUCT}
LINK = {
    "line_items!": [{"quantity!": integer(1, 999999), "price!": text(100)}], "metadata": METADATA, "payment_intent_data": INTENT,
    "restrictions": {"completed_sessions": {"limit!": integer(1)}}, "shipping_address_collection": ADDRESS,
    "after_completion": {"type!": one_of("redirect", "hosted_confirmation"), "redirect": {"url!": url}},
}
REFUND = {"payment_intent!": text(100), "amount": integer(1), "metadata": METADATA,
          "reason": one_of("duplicate", "fraudulent", "requested_by_customer")}


def nested(pairs):
    """a[b][0][c]=1 -> {"a": {"b": {"0": {"c": "1"}}}}"""
    made = {}
    for name, value in pairs:
        if not re.fullmatch(r"[a-z_]+(\[[A-Za-z0-9_]+\])*", name):
            raise Wrong(f"malformed parameter {name}")
        keys, at = re.findall(r"[A-Za-z0-9_]+", name), made
        for key in keys[:-1]:
            at = at.setdefault(key, {})
            if not isinstance(at, dict):
                raise Wrong(f"{name}: given twice")
        if keys[-1] in at:
            raise Wrong(f"{name}: given twice")
        at[keys[-1]] = value
    return made


def checked(value, shape, where=""):
    """value by shape: a function for one value, [shape] for a list, {name: shape} with ! for what is required and * for any name."""
    if callable(shape):
        if not isinstance(value, str):
            raise Wrong(f"Invalid string: {where}")
        return shape(value)
    if not isinstance(value, dict):
        raise Wrong(f"Invalid object: {where}")
    if isinstance(shape, list):
        if sorted(value, key=lambda k: int(k) if k.isdigit() else -1) != [str(i) for i in range(len(value))] or not 1 <= len(value) <= 100:
            raise Wrong(f"Invalid array: {where}")
        return [checked(value[str(i)], shape[0], f"{where}[{i}]") for i in range(len(value))]
    known = {k.rstrip("!"): v for k, v in shape.items()}
    for name in value:
        if name not in known and "*" not in known:
            raise Wrong(f"Received unknown parameter: {where}[{name}]")
    for name in shape:
        if name.endswith("!") and name[:-1] not in value:
            raise Wrong(f"Missing required param: {where}[{name[:-1]}]")
    return {k: checked(v, known.get(k, known.get("*")), f"{where}[{k}]") for k, v in value.items()}


def amount_fits(amount, code):
    if code in THREE_DECIMAL and amount % 10:
        raise Wrong(f"Invalid amount {amount} for {code}: the last digit must be 0")
    if code in HUNDREDTHS_OF_NOTHING and amount % 100:
        raise Wrong(f"Invalid amount {amount} for {code}: decimals must be 00")


class Stripe(Standin):
    version = re.compile(r"20\d\d-\d\d-\d\d(\.[a-z]+)?")

    def __init__(self, **kw):
        super().__init__(**kw)
        self.key, self.secret, self.count = "sk_test_standin", "whsec_standin", itertools.count(1)
        self.kept = {}          # idempotency key -> (path, form, answer)
        self.prices, self.sessions, self.links, self.intents, self.refunds = {}, {}, {}, {}, {}
        self.refund_status = "succeeded"

    def new(self, prefix):
        return f"{prefix}_{next(self.count):06d}{int(time.time() * 1000) % 10**8:08d}"

    def error_body(self, status, why):
        return {"error": {"type": "api_error" if status >= 500 else "invalid_request_error", "message": why, "code": "resource_missing" if status == 404 else "standin"}}

    # ---- the interface

    def routes(self):
        return [(method, path, self.guarded(work)) for method, path, work in (
            ("POST", r"/v1/checkout/sessions", self.create_session), ("POST", r"/v1/checkout/sessions/([a-z]+_[a-z0-9_]+)/expire", self.expire),
            ("POST", r"/v1/prices", self.create_price), ("POST", r"/v1/payment_links", self.create_link),
            ("POST", r"/v1/payment_links/([a-z]+_[a-z0-9_]+)", self.update_link), ("POST", r"/v1/refunds", self.create_refund))]

    def guarded(self, work):
        def answer(request, *groups):
            self.expect(request.bearer == self.key, "Invalid API Key provided", 401)
            self.expect(self.version.fullmatch(request.header("stripe-version") or ""), "Invalid Stripe API version")
            key = request.header("idempotency-key")
            self.expect(key and len(key) <= 255, "Idempotency-Key is missing or too long")
            form = request.form
            if key in self.kept:
                path, kept, reply = self.kept[key]
                self.expect((path, kept) == (request.path, form), "Keys for idempotent requests can only be used with the same parameters they were "
                            "first used with")
                return (*reply, {"Idempotent-Replayed": "true"})
            reply = work(nested(form), *groups)
            self.kept[key] = (request.path, form, reply)
            return reply
        return answer

    def create_price(self, form):
        p = checked(form, PRICE)
        amount_fits(p["unit_amount"], p["currency"])
        price = {"id": self.new("price"), "object": "price", "currency": p["currency"], "unit_amount": p["unit_amount"]}
        self.prices[price["id"]] = price
        return 200, price

    def create_session(self, form):
        p = checked(form, SESSION)
        self.expect(p["mode"] == "payment", "only payments are played here")
        expires = p.get("expires_at", int(time.time()) + 86400)
        self.expect(time.time() + 1790 <= expires <= time.time() + 86400 + 10, "The `expires_at` timestamp must be between 30 minutes and 24 hours from "
                    "Checkout Session creation.")
        lines = [(i["price_data"]["unit_amount"], i["quantity"], i["price_data"]["currency"]) for i in p["line_items"]]
        codes = {c for _, _, c in lines} | {s["shipping_rate_data"]["fixed_amount"]["currency"] for s in p.get("shipping_options", [])}
        self.expect(len(codes) == 1, "all amounts must have one currency")
        code = codes.pop()
        shipping = sum(s["shipping_rate_data"]["fixed_amount"]["amount"] for s in p.get("shipping_options", []))
        for amount in [a for a, _, _ in lines] + [shipping]:
            amount_fits(amount, code)
        subtotal = sum(a * q for a, q, _ in lines)
        self.expect(code not in TWO_DECIMAL or subtotal + shipping >= 50, "The Checkout Session's total amount must convert to at least 50 cents.")
        made = self.session(subtotal, shipping, code, p, expires)
        return 200, made

    def session(self, subtotal, shipping, code, p, expires, link=None):
        made = {"id": self.new("cs_test"), "object": "checkout.session", "livemode": False, "mode": "payment", "status": "open", "payment_status": "unpaid",
                "amount_subtotal": subtotal, "amount_total": subtotal + shipping, "currency": code, "expires_at": expires,
                "client_reference_id": p.get("client_reference_id"), "customer_email": p.get("customer_email"), "metadata": p.get("metadata", {}),
                "payment_intent": None, "payment_link": link, "success_url": p.get("success_url"), "cancel_url": p.get("cancel_url"), "customer_details": None}
        made["url"] = f"https://checkout.stripe.com/c/pay/{made['id']}"
        made["intent_metadata"] = p.get("payment_intent_data", {}).get("metadata", {})
        self.sessions[made["id"]] = made
        return made

    def create_link(self, form):
        p = checked(form, LINK)
        for item in p["line_items"]:
            self.expect(item["price"] in self.prices, f"No such price: {item['price']}", 404)
        link = {"id": self.new("plink"), "object": "payment_link", "active": True, "metadata": p.get("metadata", {}), "given": p, "paid": 0}
        link["url"] = f"https://buy.stripe.com/test_{link['id']}"
        self.links[link["id"]] = link
        return 200, {k: v for k, v in link.items() if k != "given"}

    def update_link(self, form, link):
        self.expect(link in self.links, "No such payment link", 404)
        p = checked(form, {"active": one_of("true", "false")})
        self.links[link]["active"] = p["active"] == "true"
        return 200, {"id": link, "object": "payment_link", "active": self.links[link]["active"]}

    def expire(self, form, session):
        self.expect(session in self.sessions, f"No such checkout.session: {session}", 404)
        self.expect(not form, "no parameters are expected")
        s = self.sessions[session]
        if s["status"] != "open":
            return 400, self.error_body(400, f"Only Checkout Sessions with a status in [\"open\"] can be expired. This one is {s['status']}.")
        s["status"] = "expired"
        return 200, s

    def create_refund(self, form):
        p = checked(form, REFUND)
        intent = self.intents.get(p["payment_intent"])
        self.expect(intent, f"No such payment_intent: {p['payment_intent']}", 404)
        left = intent["amount"] - intent["amount_refunded"]
        amount = p.get("amount", left)
        if amount > left:
            return 400, {"error": {"type": "invalid_request_error", "code": "charge_already_refunded" if not left else "amount_too_large",
                                   "message": f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"}}
        amount_fits(amount, intent["currency"])
        if self.refund_status == "succeeded":
            intent["amount_refunded"] += amount
        refund = {"id": self.new("re"), "object": "refund", "amount": amount, "currency": intent["currency"], "payment_intent": p["payment_intent"],
                  "charge": intent["charge"], "status": self.refund_status, "metadata": p.get("metadata", {}), "reason": p.get("reason")}
        self.refunds[refund["id"]] = refund
        return 200, refund

    # ---- buyers and banks

    def last_session(self):
        return list(self.sessions.values())[-1]

    def event(self, kind, obj):
        return {"id": self.new("evt"), "object": "event", "api_version": "2025-03-31.basil", "created": int(time.time()), "livemode": False, "type": kind,
                "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None},
                "data": {"object": {k: v for k, v in obj.items() if k != "intent_metadata"}}}

    def pay(self, session, amount=None, code=None, unpaid=False):
        """The buyer fills the page in and pays; amount and code play a session that is not the shop's. unpaid: the bank takes its time."""
        with self.lock:
            s = self.sessions[session]
            assert s["status"] == "open", f"session {session} is {s['status']}: nobody can pay it"
            intent = {"id": self.new("pi"), "object": "payment_intent", "amount": s["amount_total"] if amount is None else amount,
                      "currency": code or s["currency"], "amount_refunded": 0, "charge": self.new("ch"), "metadata": s["intent_metadata"]}
            self.intents[intent["id"]] = intent
            s.update(status="complete", payment_status="unpaid" if unpaid else "paid", payment_intent=intent["id"],
                     customer_details={"email": s["customer_email"] or "buyer@example.org", "name": "B. Yer", "phone": None})
            shown = dict(s, amount_total=intent["amount"], currency=intent["currency"])
            if s["payment_link"]:
                self.links[s["payment_link"]]["paid"] += 1
            return self.event("checkout.session.completed", shown)

    def open_link(self, link):
        """The buyer opens a payment link, which makes a session."""
        with self.lock:
            known = self.links[link]
            assert known["active"] and known["paid"] < 1, "the link leads nowhere any more"
            lines = [(self.prices[i["price"]], i["quantity"]) for i in known["given"]["line_items"]]
            total = sum(p["unit_amount"] * q for p, q in lines)
            return self.session(total, 0, lines[0][0]["currency"], known["given"], int(time.time()) + 86400, link)

    def charge(self, intent):
        i = self.intents[intent]
        return {"id": i["charge"], "object": "charge", "amount": i["amount"], "amount_refunded": i["amount_refunded"], "currency": i["currency"],
                "payment_intent": intent, "paid": True, "refunded": i["amount_refunded"] == i["amount"], "metadata": i["metadata"]}

    def refund(self, intent, amount):
        """The shop's owner refunds in Stripe's own pages."""
        with self.lock:
            self.intents[intent]["amount_refunded"] += amount
            return self.event("charge.refunded", self.charge(intent))

    def dispute(self, intent, kind="charge.dispute.created", status="needs_response"):
        i = self.intents[intent]
        return self.event(kind, {"id": self.new("dp"), "object": "dispute", "amount": i["amount"], "currency": i["currency"], "charge": i["charge"],
                                 "payment_intent": intent, "reason": "product_not_received", "status": status})

    # ---- webhooks

    def signature(self, body, at=None, secrets=None):
        at = int(time.time()) if at is None else at
        signed = [hmac.new(s.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() for s in secrets or [self.secret]]
        return f"t={at}," + ",".join(f"v1={s}" for s in signed) + ",v0=" + "0" * 64

    def post(self, souk, event, headers=None, body=None):
        """Deliver an event; returns the reply."""
        body = json.dumps(event, ensure_ascii=False, indent=2).encode() if body is None else body
        send = {"Stripe-Signature": self.signature(body), "Content-Type": "application/json; charset=utf-8", "Accept": "*/*; q=0.5, application/xml",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)"}
        send.update(headers or {})
        client = souk.client()
        try:
            return client.request("POST", "/webhooks/stripe", body=body, headers=send)
        finally:
            client.close()
