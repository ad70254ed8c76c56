"""A stand-in for Twilio's Messages resource. https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource"""
import re

from base import Standin, Wrong

PARAMETERS = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback"}


class Twilio(Standin):
    SID, TOKEN = "AC" + "0123456789abcdef" * 2, "a-secret-token"

    def __init__(self, **kw):
        super().__init__(**kw)
        self.messages = []      # what was taken: {"To", "From", "Body", ...}
        self.refuse = {}        # To -> (status, code)

    def routes(self):
        return [("POST", r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/Messages\.json", self.create)]

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
        return 201, {"sid": f"SM{len(self.messages):032x}", "account_sid": sid, "status": "queued", "to": form["To"], "body": form["Body"],
                     "num_segments": "1", "error_code": None, "error_message": None, "uri": f"/2010-04-01/Accounts/{sid}/Messages/SM.json"}


__all__ = ["Twilio", "Wrong"]
