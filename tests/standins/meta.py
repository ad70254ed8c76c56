"""A stand-in for Meta's WhatsApp Cloud API. https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages"""
import json
import re

from base import Standin

# Names and numbers of body parameters of the templates that "Meta has approved".
TEMPLATES = {"souk_order_shipped": 3, "souk_order_confirmation": 2, "souk_one_time_code": 1, "promo_1": 2}


class Meta(Standin):
    NUMBER, TOKEN, VERSION = "106540352242922", "EAAG-a-token", "v23.0"

    def __init__(self, **kw):
        super().__init__(**kw)
        self.messages = []      # the bodies that were taken
        self.refuse = {}        # to -> (status, code)
        self.wrote = set()      # who has written to the shop in the last 24 hours

    def routes(self):
        return [("POST", r"/(v\d+\.\d+)/(\d+)/messages", self.send)]

    def error_body(self, status, why, code=100):
        return {"error": {"message": f"(#{code}) {why}", "type": "OAuthException", "code": code,
                          "error_data": {"messaging_product": "whatsapp", "details": why}, "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam"}}

    def send(self, request, version, number):
        if request.bearer != self.TOKEN:
            return 401, self.error_body(401, "Invalid OAuth access token", 190)
        self.expect(version == self.VERSION and number == self.NUMBER, "another version or number")
        body = request.json
        self.expect(body.get("messaging_product") == "whatsapp", "messaging_product must be whatsapp")
        self.expect(body.get("recipient_type") == "individual", "recipient_type must be individual")
        self.expect(re.fullmatch(r"\d{7,15}", body.get("to", "")), "to must be digits")
        self.expect(len(body.get("biz_opaque_callback_data", "")) <= 512, "biz_opaque_callback_data is too long")
        kind = body.get("type")
        self.expect(set(body) == {"messaging_product", "recipient_type", "to", "type", kind} | (set(body) & {"biz_opaque_callback_data"}),
                    f"unexpected members {sorted(body)}")
        if kind == "text":
            self.expect(1 <= len(body["text"]["body"]) <= 4096, "text.body needs 1 to 4096 characters")
            if body["to"] not in self.wrote:
                return 400, self.error_body(400, "Re-engagement message", 131047)
        else:
            self.expect(kind == "template", f"type {kind}")
            refused = self.template(body["template"])
            if refused:
                return refused
        if body["to"] in self.refuse:
            status, code = self.refuse[body["to"]]
            return status, self.error_body(status, "refused", code)
        self.messages.append(body)
        return 200, {"messaging_product": "whatsapp", "contacts": [{"input": body["to"], "wa_id": body["to"]}],
                     "messages": [{"id": f"wamid.{len(self.messages):08d}"}]}

    def report(self, number, state, code=None, phone=None):
        """The body of the webhook about messages[number]. https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components#statuses-object"""
        m = self.messages[number]
        status = {"id": f"wamid.{number + 1:08d}", "status": state, "timestamp": "1795180477", "recipient_id": m["to"],
                  "biz_opaque_callback_data": m["biz_opaque_callback_data"]}
        if code:
            status["errors"] = [{"code": code, "title": "Message undeliverable", "message": "Message undeliverable", "error_data": {"details": "none"}}]
        value = {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550783881", "phone_number_id": phone or self.NUMBER}, "statuses": [status]}
        return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}]}).encode()

    def template(self, template):
        self.expect(set(template) == {"name", "language", "components"}, f"template has {sorted(template)}")
        self.expect(template["language"] in [{"code": c} for c in ("en", "es", "fr", "de")], "language")
        if template["name"] not in TEMPLATES:
            return 404, self.error_body(404, "Template name does not exist", 132001)
        kinds = [c["type"] for c in template["components"]]
        self.expect(kinds == (["body", "button"] if template["name"].endswith("code") else ["body"]), f"components {kinds}")
        for component in template["components"]:
            for p in component["parameters"]:
                self.expect(set(p) == {"type", "text"} and p["type"] == "text", f"parameter {p}")
                self.expect(p["text"].strip() and not re.search(r"[\n\t]| {5,}", p["text"]), "a parameter is empty or has line breaks")
            if component["type"] == "button":
                self.expect(component["sub_type"] == "url" and component["index"] == "0" and len(component["parameters"]) == 1, "button")
        if len(template["components"][0]["parameters"]) != TEMPLATES[template["name"]]:
            return 400, self.error_body(400, "Number of parameters does not match", 132000)
        return None
