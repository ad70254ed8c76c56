"""A real SMTP server (Debian's python3-aiosmtpd) that keeps what it receives, parsed by Python's email."""
import email
import email.policy
import ssl
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from support import free_port


class Mailbox:
    """with Mailbox() as box: ... box.url ... box.wait(1)"""

    def __init__(self, user=None, password=None, certificate=None):
        """user: authentication is asked for. certificate: (file, key file): STARTTLS is offered, and has to be used before authentication."""
        self.mails, self.recipients, self.replies, self.sessions = [], [], [], 0
        self.slow = 0           # seconds before DATA is answered
        self.lock = threading.Lock()
        options = {"hostname": "127.0.0.1", "port": 0, "ready_timeout": 60, "decode_data": False}
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            options.update(tls_context=context, require_starttls=True)
        if user:
            def check(_server, _session, _envelope, _mechanism, data):
                return AuthResult(success=isinstance(data, LoginPassword) and data.login == user.encode() and data.password == password.encode(),
                                  handled=False)
            options.update(authenticator=check, auth_required=True, auth_require_tls=bool(certificate))
        self.controller = Controller(self, **options)
        self.userinfo = f"{user}:{password}@" if user else ""

    def __enter__(self):
        self.controller.port = free_port()      # the library cannot tell which port it got
        self.controller.start()
        self.url = f"smtp://{self.userinfo}127.0.0.1:{self.controller.port}"
        return self

    def __exit__(self, *_):
        self.controller.stop()

    def reply_next(self, *replies):
        """The next messages are answered with these instead of being taken: "451 later"."""
        with self.lock:
            self.replies += replies

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        if self.slow:
            import asyncio
            await asyncio.sleep(self.slow)
        with self.lock:
            if self.replies:
                return self.replies.pop(0)
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            mail.raw, mail.envelope_from, mail.envelope_to = envelope.content, envelope.mail_from, list(envelope.rcpt_tos)
            self.mails.append(mail)
        return "250 OK"

    def wait(self, count, seconds=60):
        end = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < end, f"{len(self.mails)} mails instead of {count} after {seconds} s"
            time.sleep(0.02)
        return list(self.mails)

    @property
    def parts(self):
        return [{p.get_content_type(): p.get_content() for p in m.walk() if not p.is_multipart()} for m in self.mails]
