"""An endpoint of outgoing webhooks, as a shop's ERP would have one: verifies as docs/webhooks.md says, keeps each event once."""
import hashlib
import hmac
import json
import time

from base import Standin


class Receiver(Standin):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.secrets = []       # any of these may have signed
        self.events = {}        # id -> event
        self.repeats = 0

    def routes(self):
        return [("POST", r"/hooks", self.take)]

    def verify(self, header, body, secret):
        fields = [f.split("=", 1) for f in header.split(",")]
        t = next(v for k, v in fields if k == "t")
        self.expect(abs(time.time() - int(t)) <= 300, "the signature is too old")
        want = hmac.new(secret.encode(), t.encode() + b"." + body, hashlib.sha256).hexdigest()
        return any(k == "v1" and hmac.compare_digest(v, want) for k, v in fields)

    def take(self, request):
        signature = request.header("souk-signature") or ""
        self.expect(any(self.verify(signature, request.body, s) for s in self.secrets), "no signature fits", 401)
        event = json.loads(request.body)
        self.expect(set(event) == {"id", "type", "created", "subject", "data"}, f"members {sorted(event)}")
        self.expect(request.header("souk-event-id") == event["id"] and request.header("souk-event") == event["type"], "headers and body differ")
        self.expect(request.header("content-type") == "application/json", "content-type")
        self.repeats += event["id"] in self.events
        self.events[event["id"]] = event
        return 200, {}
