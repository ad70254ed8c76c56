"""A stand-in for Twilio's Messages resource. https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource"""
import base64
import hashlib
import hmac
import re

from base import Standin, Wrong

PARAMETERS = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback"}


class Twilio(Standin):
    SID, TOKEN = "AC" + "0123456789abcdef" * 2, "a-secret-token"

    def __init__(self, **kw):
        super().__init__(**kw)
        self.messages = []      # what was taken: {"To", "From", "Body", ...}
        self.refuse = {}        # To -> (status, code)
        self.sids = []          # of messages, in their order

    def routes(self):
        return [("POST", r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/Messages\.json", self.create),
                ("GET", r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/Messages\.json", self.list)]

    def error_body(self, status, why, code=20001):
        return {"code": code, "message": why, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}

    def create(self, request, sid):
        if request.basic != (self.SID, self.TOKEN) or sid != self.SID:
            return 401, self.error_body(401, "Authenticate", 20003)
        self.expect(not request.query_text, "no query is expected")
        pairs = request.form
        form = dict(pairs)
        self.expect(len(form) == len(pairs), "a parameter is given twice")
        self.expect(set(form) <= PARAMETERS, f"unknown parameters {set(form) - PARAMETERS}")
        self.expect(re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")), f"To is no E.164 number: {form.get('To')!r}")
        self.expect(("From" in form) != ("MessagingServiceSid" in form), "either From or MessagingServiceSid is needed")
        self.expect(re.fullmatch(r"\+[1-9]\d{6,14}|[A-Za-z0-9 ]{1,11}", form.get("From", "+1234567")), "From is no sender")
        self.expect(re.fullmatch(r"MG[0-9a-f]{32}", form.get("MessagingServiceSid", "MG" + "0" * 32)), "MessagingServiceSid is none")
        self.expect(1 <= len(form.get("Body", "")) <= 1600, "Body needs 1 to 1600 characters")
        self.expect(re.match("https?://", form.get("StatusCallback", "https://")), "StatusCallback is no URL")
        if form["To"] in self.refuse:
            status, code = self.refuse[form["To"]]
            return status, self.error_body(status, "refused", code)
        self.messages.append(form)
        self.sids.append(f"SM{len(self.messages):032x}")
        return 201, {"sid": f"SM{len(self.messages):032x}", "account_sid": sid, "status": "queued", "to": form["To"], "body": form["Body"],
                     "num_segments": "1", "error_code": None, "error_message": None, "uri": f"/2010-04-01/Accounts/{sid}/Messages/SM.json"}

    def list(self, request, sid):
        if request.basic != (self.SID, self.TOKEN) or sid != self.SID:
            return 401, self.error_body(401, "Authenticate", 20003)
        query = dict(request.query)
        self.expect(set(query) <= {"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize"}, f"unknown parameters {set(query)}")
        self.expect(re.fullmatch(r"\d{4}-\d\d-\d\d", query.get("DateSent>", "2026-01-01")), "DateSent> is no date")
        self.expect(1 <= int(query.get("PageSize", 50)) <= 1000, "PageSize")
        return 200, {"page": 0, "next_page_uri": None, "messages": [
            {"sid": s, "body": m["Body"], "to": m["To"], "status": "sent", "direction": "outbound-api"}
            for s, m in zip(self.sids, self.messages) if m["To"] == query.get("To", m["To"])][::-1]}

    def report(self, number, state, code=None):
        """(path and query, form, signature) of the report about messages[number], as Twilio posts it to its StatusCallback."""
        m = self.messages[number]
        form = {"MessageSid": self.sids[number], "SmsSid": self.sids[number], "AccountSid": self.SID, "MessageStatus": state, "SmsStatus": state,
                "To": m["To"], "From": m["From"], "ApiVersion": "2010-04-01"}
        if code:
            form["ErrorCode"] = str(code)
        url = m["StatusCallback"]
        return url, form, signature(url, form, self.TOKEN)


def signature(url, form, token):
    """https://www.twilio.com/docs/usage/webhooks/webhooks-security"""
    text = url + "".join(k + form[k] for k in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


__all__ = ["Twilio", "Wrong", "signature"]
