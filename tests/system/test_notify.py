"""Messages and webhooks on the wire: a real SMTP server, and stand-ins that check what the providers would check."""
import base64
import email
import email.policy
import hmac
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import pytest

import support
from cli import ROOT, SERVERS, Cluster, Shop

sys.path.insert(0, os.path.join(ROOT, "tests", "standins"))

from meta import Meta  # noqa: E402
from receiver import Receiver  # noqa: E402
from smtp import Mailbox  # noqa: E402
from twilio import Twilio  # noqa: E402

NOBODY = {"SMTP_URL": "", "TWILIO_ACCOUNT_SID": "", "WHATSAPP_PHONE_NUMBER_ID": "", "MAIL_DIR": "", "ALERT_TO": ""}
ORDER = ("INSERT INTO shop.customers (id, email, name, locale, phone) VALUES (7, 'Anna@Example.org', 'Anna Ørsted', 'de', '+49 151 1234567');"
         "INSERT INTO shop.orders (id, customer_id, number, subtotal_minor, shipping_minor, total_minor, item_count, shipping_address) VALUES "
         "(1, 7, 'ORD-AAAA0001', 123456, 590, 124046, 2, '{\"name\": \"Anna\", \"line1\": \"Weg 1\", \"postcode\": \"10115\", \"city\": \"Berlin\"}');"
         "INSERT INTO shop.order_items (order_id, sku, name, quantity, unit_price_minor, total_minor, position) VALUES "
         "(1, 'A', 'Lampe <b>Ärger</b> & Söhne', 2, 61728, 123456, 1)")


@pytest.fixture(scope="module")
def cluster():
    c = Cluster()
    yield c
    c.stop()


@pytest.fixture(scope="module")
def database(cluster):
    return cluster.shop()


@pytest.fixture
def shop(database):
    s = Shop(database.url, database.env["STATE_DIR"])
    s.rows("TRUNCATE souk.outbox, souk.opt_outs, souk.templates, souk.webhook_endpoints, souk.webhook_events, souk.webhook_deliveries, shop.customers "
           "RESTART IDENTITY CASCADE")
    s.env.update(NOBODY, NOTIFY_RETRY_S="1", SHOP_NAME="Maison Lumière", PUBLIC_URL="https://shop.example/souk", MCP_LOG_LEVEL="info")
    return s


def notify(shop, template, data=None, to="a@example.org", locale="'en'", customer="NULL", dedupe=None):
    text = json.dumps(data or {}).replace("'", "''")
    key = f"'{dedupe}'" if dedupe else "NULL"
    address = f"'{to}'" if to else "NULL"
    return shop.value(f"SELECT souk.notify('{template}', {customer}, {address}, {locale}, '{text}', {key})")


def deliver(shop, **env):
    """One round; (sent, to be tried again, parked, not wanted)."""
    return tuple(int(n) for n in re.findall(r"\d+", shop.souk("deliver", **env)))


def row(shop, number, columns="status, attempts, reason"):
    return shop.rows(f"SELECT {columns} FROM souk.outbox WHERE id = {number}")[0]


def make_due(shop):
    shop.rows("UPDATE souk.outbox SET next_at = now() WHERE status IN ('waiting', 'sending')")


class Nowhere:
    url = "http://127.0.0.1:1"


def twilio_env(standin):
    return {"TWILIO_URL": standin.url, "TWILIO_ACCOUNT_SID": Twilio.SID, "TWILIO_AUTH_TOKEN": Twilio.TOKEN, "TWILIO_FROM_NUMBER": "+15005550006"}


def meta_env(standin):
    return {"WHATSAPP_URL": standin.url, "WHATSAPP_PHONE_NUMBER_ID": Meta.NUMBER, "WHATSAPP_ACCESS_TOKEN": Meta.TOKEN, "WHATSAPP_TEMPLATE_PREFIX": "souk_"}


# ---- mail


def test_mail_arrives_as_it_was_meant(shop):
    shop.rows(ORDER)
    with Mailbox() as box:
        notify(shop, "order_confirmation", {"orderNumber": "ORD-AAAA0001"}, to=None, locale="NULL")
        assert deliver(shop, SMTP_URL=box.url, MAIL_FROM="laden@shop.example", MAIL_REPLY_TO="hilfe@shop.example") == (1, 0, 0, 0)
    mail, = box.mails
    assert not mail.defects and mail.envelope_from == "laden@shop.example" and mail.envelope_to == ["anna@example.org"]
    assert mail["subject"] == "Ihre Bestellung ORD-AAAA0001"
    assert mail["from"].addresses[0].display_name == "Maison Lumière" and mail["from"].addresses[0].addr_spec == "laden@shop.example"
    assert mail["to"].addresses[0].addr_spec == "anna@example.org" and mail["reply-to"] == "hilfe@shop.example"
    assert abs(mail["date"].datetime.timestamp() - time.time()) < 60
    assert re.fullmatch(r"<[0-9a-f-]{36}@shop\.example>", mail["message-id"])
    urls = re.findall("<([^>]*)>", mail["list-unsubscribe"])
    assert urls[0].startswith("https://shop.example/souk/unsubscribe/uns_") and urls[1] == "mailto:hilfe@shop.example?subject=unsubscribe"
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click" and mail["auto-submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = (mail.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    assert text.startswith("Guten Tag Anna,\n") and "2 × Lampe <b>Ärger</b> & Söhne: 1.234,56\u00a0€\n" in text and "10115 Berlin\n" in text
    assert "Lampe &lt;b&gt;Ärger&lt;/b&gt; &amp; Söhne" in html and "<b>Ärger" not in html
    assert all((len(line) <= 78 or b"/unsubscribe/" in line) and line.isascii() for line in mail.raw.split(b"\r\n")), "a relay would have to change it"
    assert b"\n" not in mail.raw.replace(b"\r\n", b"")


@pytest.mark.parametrize("locale", ["en", "es", "fr", "de"])
def test_every_message_in_every_language(shop, locale):
    shop.rows(ORDER)
    names = re.findall(r"^(\w+)", shop.souk("template", "list"), re.M)
    names = [n for n in names if n != "layout"]
    assert len(names) == 15
    for name in names:
        notify(shop, name, {"orderNumber": "ORD-AAAA0001", "code": "1", "subject": "S", "message": "M", "body": "B", "paragraphs": ["B"]}, locale=f"'{locale}'")
    with Mailbox() as box:
        assert deliver(shop, SMTP_URL=box.url, ALERT_TO="x@example.org", NOTIFY_LIMIT="off") == (15, 0, 0, 0)
    for mail in box.mails:
        assert not mail.defects and mail["subject"].strip() and f'<html lang="{locale}">' in mail.get_body(("html",)).get_content()
        assert "{{" not in mail.get_body(("plain",)).get_content() + mail.get_body(("html",)).get_content() + mail["subject"]


def test_mail_with_attachments_and_long_subject(shop):
    subject = "Größe, Maß & «déjà vu» — " + "日本語のとても長い件名 " * 8
    content = bytes(range(256)) * 40
    args = {"to": "a@example.org", "subject": subject[:200], "body": "One.\n\nTwo <script>.\n.\nFrom me",
            "attachments": [{"name": "Facture n° 7.pdf", "type": "application/pdf", "content": base64.b64encode(content).decode()}]}
    assert json.loads(shop.souk("call", "send_email", json.dumps(args), "--admin"))["status"] == "waiting"
    with Mailbox() as box:
        assert deliver(shop, SMTP_URL=box.url) == (1, 0, 0, 0)
    mail, = box.mails
    assert not mail.defects and mail.get_content_type() == "multipart/mixed" and "auto-submitted" not in mail
    assert mail["subject"].rstrip() == subject[:200].rstrip()
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").startswith("One.\n\nTwo <script>.\n.\nFrom me\n")
    assert "Two &lt;script&gt;." in mail.get_body(("html",)).get_content()
    part, = mail.iter_attachments()
    assert part.get_filename() == "Facture n° 7.pdf" and part.get_content() == content
    assert row(shop, 1, "data ? 'attachments'") == ["f"], "kept though it was sent"


def test_mail_with_authentication_and_tls(shop, tmp_path):
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=mail",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, stderr=subprocess.DEVNULL)
    with Mailbox("shop", "s3cret", (cert, key)) as box:
        notify(shop, "alert", {"message": "hello"})
        bad = box.url.replace("s3cret", "other")
        assert deliver(shop, SMTP_URL=box.url, SMTP_TLS="always") == (0, 1, 0, 0)        # a certificate that nobody has vouched for
        assert "TLS" in row(shop, 1)[2]
        make_due(shop)
        assert deliver(shop, SMTP_URL=bad, SMTP_TLS="always", OUTGOING_CA_FILE=cert) == (0, 1, 0, 0)
        assert "user or password" in row(shop, 1)[2] and not box.mails
        make_due(shop)
        assert deliver(shop, SMTP_URL=box.url, SMTP_TLS="always", OUTGOING_CA_FILE=cert) == (1, 0, 0, 0)
    assert len(box.mails) == 1
    assert "s3cret" not in shop.err and "s3cret" not in str(shop.rows("SELECT * FROM souk.outbox"))


def test_mail_server_answers(shop):
    with Mailbox() as box:
        notify(shop, "alert", {"message": "one"})
        notify(shop, "alert", {"message": "two"}, to="nobody@example.org")
        box.reply_next("451 4.3.0 come back later")
        assert deliver(shop, SMTP_URL=box.url) == (0, 1, 1, 0)
        assert row(shop, 1) == ["waiting", "1", "the mail server put the message off (451)"]
        assert row(shop, 2) == ["parked", "1", "the mail server refused the message for good (550)"]
        box.reply_next("554 5.7.1 spam")
        make_due(shop)
        assert deliver(shop, SMTP_URL=box.url) == (0, 0, 1, 0)
        shop.souk("outbox", "retry", "1")
        assert deliver(shop, SMTP_URL=box.url) == (1, 0, 0, 0)
        assert len(box.mails) == 1
    notify(shop, "alert", {"message": "three"})
    assert deliver(shop, SMTP_URL=box.url) == (0, 1, 0, 0)      # nobody listens any more
    assert "no connection" in row(shop, 3)[2]
    shop.rows("UPDATE souk.outbox SET created_at = now() - interval '25 hours', next_at = now() WHERE id = 3")
    assert deliver(shop, SMTP_URL=box.url) == (0, 0, 1, 0)
    assert row(shop, 3)[2].startswith("given up after 2 attempts")


@pytest.mark.parametrize("greeting, mail, code", [("554 5.3.2 not now", "250 ok", 554), ("220 mail", "530 5.7.0 Authentication required", 530)])
def test_a_server_that_turns_the_shop_away_loses_no_mail(shop, greeting, mail, code):
    """It says nothing of the message: the owner mends SMTP_URL while it waits."""
    def serve(listener):
        with listener.accept()[0] as c, c.makefile("rb") as lines:
            c.sendall(greeting.encode() + b"\r\n")
            for line in lines:
                c.sendall((mail if line.startswith(b"MAIL") else "250 ok").encode() + b"\r\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        notify(shop, "alert", {"message": "hello"})
        assert deliver(shop, SMTP_URL=f"smtp://127.0.0.1:{listener.getsockname()[1]}") == (0, 1, 0, 0)
        thread.join(10)
    assert row(shop, 1) == ["waiting", "1", f"the mail server takes nothing from us ({code}); see SMTP_URL"]


@pytest.mark.parametrize("to", ["a@b.example\r\nBcc: c@d.example", "a@b.example\nX", "a b@c.example", "<a@b.example>", "a@b.example,c@d.example", "nonsense"])
def test_no_address_no_message(shop, to):
    with Mailbox() as box, Twilio() as twilio:
        number = shop.value("SELECT souk.notify('alert', NULL, E'" + to.replace("\r", "\\r").replace("\n", "\\n") + "', 'en', '{\"message\": \"x\"}', NULL)")
        assert deliver(shop, SMTP_URL=box.url, **twilio_env(twilio)) == (0, 0, 1, 0)
    assert not box.mails and not twilio.requests and row(shop, number)[0] == "parked"


# ---- text messages and WhatsApp


def test_text_messages_on_the_wire(shop):
    shop.rows(ORDER)
    with Twilio() as twilio:
        env = twilio_env(twilio)
        notify(shop, "order_confirmation", {"orderNumber": "ORD-AAAA0001"}, to="0049 151 / 1234567".replace("/ ", ""))
        assert deliver(shop, **env, TWILIO_STATUS_CALLBACK="https://shop.example/sms") == (1, 0, 0, 0)
        assert twilio.messages == [{"To": "+491511234567", "From": "+15005550006", "StatusCallback": "https://shop.example/sms",
                                    "Body": "Maison Lumière: thank you for order ORD-AAAA0001, €1,240.46. We write again when it ships."}]
        assert row(shop, 1, "status, provider_id") == ["sent", "SM" + "0" * 31 + "1 (1 segment)"]
        assert all("message=" not in m["StatusCallback"] for m in twilio.messages), "the owner's own address is left as it is"
        twilio.refuse = {"+33600000001": (400, 21211), "+33600000002": (400, 21610)}
        for n in (1, 2):
            notify(shop, "alert", {"message": "x"}, to=f"+3360000000{n}")
        assert deliver(shop, **env) == (0, 0, 1, 1)
        assert row(shop, 2) == ["parked", "1", "Twilio refused the message (400, code 21211)"]
        assert shop.rows("SELECT channel, recipient, source FROM souk.opt_outs") == [["sms", "+33600000002", "provider"]]
        notify(shop, "alert", {"message": "y"}, to="+33600000002")
        assert deliver(shop, **env) == (0, 0, 0, 1), "it has opted out"
        notify(shop, "one_time_code", {"code": "123456"}, to="+33600000003")
        twilio.fail_next(1, 429, {"code": 20429, "message": "Too Many Requests", "status": 429}, {"Retry-After": "77"})
        assert deliver(shop, **env) == (0, 1, 0, 0)
        assert 50 < float(row(shop, 5, "extract(epoch FROM next_at - now())")[0]) <= 77, "Retry-After"
        make_due(shop)
        assert deliver(shop, **dict(env, TWILIO_AUTH_TOKEN="wrong")) == (0, 1, 0, 0) and "401" in row(shop, 5)[2]
        make_due(shop)
        assert deliver(shop, **dict(env, TWILIO_FROM_NUMBER="MG" + "ab" * 16)) == (1, 0, 0, 0)
        assert twilio.messages[-1]["Body"].startswith("123456 is your code") and "From" not in twilio.messages[-1]
        assert not twilio.problems, twilio.problems


def test_whatsapp_on_the_wire(shop):
    shop.rows(ORDER)
    with Meta() as meta:
        env = meta_env(meta)
        notify(shop, "order_confirmation", {"orderNumber": "ORD-AAAA0001"}, to="whatsapp:+33612345678", locale="'fr'")
        notify(shop, "one_time_code", {"code": "987654"}, to="whatsapp:+33612345678")
        notify(shop, "order_delivered", {"orderNumber": "ORD-AAAA0001"}, to="whatsapp:+33612345678")     # no such template at Meta
        assert deliver(shop, **env) == (2, 0, 1, 0)
        assert [m["template"]["name"] for m in meta.messages] == ["souk_order_confirmation", "souk_one_time_code"]
        assert meta.messages[0]["template"]["language"] == {"code": "fr"} and meta.messages[0]["to"] == "33612345678"
        assert [p["text"] for p in meta.messages[0]["template"]["components"][0]["parameters"]] == ["ORD-AAAA0001", "1\u202f240,46\u00a0€"]
        assert row(shop, 1, "provider_id") == ["wamid.00000001"] and "132001" in row(shop, 3)[2]
        call = {"to": "+33612345678", "body": "Hello"}
        shop.souk("call", "send_whatsapp", json.dumps(call), "--admin")
        assert deliver(shop, **env) == (0, 0, 1, 0) and "24 hours" in row(shop, 4)[2]
        meta.wrote.add("33612345678")
        shop.souk("call", "send_whatsapp_message", json.dumps(call), "--admin")
        shop.souk("call", "send_whatsapp", json.dumps(dict(call, template="promo_1", parameters=["a", "b \u2028 é"])), "--admin")
        assert deliver(shop, **env) == (2, 0, 0, 0)
        assert meta.messages[2]["text"] == {"preview_url": False, "body": "Hello"} and meta.messages[3]["template"]["name"] == "promo_1"
        for n, (code, what) in enumerate([(130429, (0, 1, 0, 0)), (131026, (0, 0, 1, 0)), (131050, (0, 0, 0, 1)), (131000, (0, 1, 0, 0))]):
            meta.refuse[f"3360000000{n}"] = (400, code)
            number = notify(shop, "order_confirmation", {"orderNumber": "ORD-AAAA0001"}, to=f"whatsapp:+3360000000{n}")
            assert deliver(shop, **env) == what, code
            shop.rows(f"UPDATE souk.outbox SET next_at = 'infinity' WHERE id = {number}")
        assert not meta.problems, meta.problems


# ---- the queue


def test_without_a_channel_it_is_parked_and_says_why(shop, tmp_path):
    notify(shop, "alert", {"message": "m"})
    notify(shop, "alert", {"message": "m"}, to="+33612345678")
    notify(shop, "alert", {"message": "m"}, to="whatsapp:+33612345678")
    notify(shop, "alert", {"message": "m"}, to=None)
    assert deliver(shop) == (0, 0, 4, 0)
    reasons = [row(shop, n)[2] for n in (1, 2, 3, 4)]
    assert [re.search(r"\(([A-Z_]+)", r)[1] for r in reasons] == ["SMTP_URL", "TWILIO_ACCOUNT_SID", "WHATSAPP_PHONE_NUMBER_ID", "SMTP_URL"] or \
        reasons[3].endswith("(ALERT_TO)")
    listed = json.loads(shop.souk("outbox", "list", "--json"))
    assert [r["status"] for r in listed] == ["parked"] * 4 and listed[3]["to"] == "a***@example.org" and listed[2]["to"] == "***78"
    shop.souk("outbox", "drop", "2")
    shop.souk("outbox", "drop", "2", code=1)
    shop.souk("outbox", "retry", code=2)
    assert shop.souk("outbox", "retry", "--parked").startswith("3 ")
    folder = tmp_path / "out"
    folder.mkdir()
    assert deliver(shop, MAIL_DIR=str(folder)) == (3, 0, 0, 0), "the demo writes files"
    assert sorted(os.listdir(folder)) == ["000001-alert.eml", "000003-alert.whatsapp.txt", "000004-alert.eml"]


def test_a_code_leaves_the_database_with_its_message(shop):
    with Mailbox() as box:
        notify(shop, "one_time_code", {"code": "735190"})
        shop.souk("optout", "add", "email", "A@example.org")      # codes are asked for: they come all the same
        assert deliver(shop, SMTP_URL=box.url) == (1, 0, 0, 0)
        assert "735190" in box.mails[0]["subject"] and "list-unsubscribe" not in box.mails[0]
        notify(shop, "one_time_code", {"code": "735191"})
        shop.rows("UPDATE souk.outbox SET expires_at = now() - interval '1 s' WHERE id = 2")
        assert deliver(shop, SMTP_URL=box.url) == (0, 0, 1, 0)
        shop.souk("outbox", "retry", "2", code=1)
    assert "73519" not in str(shop.rows("SELECT * FROM souk.outbox")) and "73519" not in shop.err
    assert len(box.mails) == 1


def test_the_log_names_nobody(shop):
    notify(shop, "message", {"subject": "Secret subject", "body": "Secret body", "paragraphs": []}, to="private.person@example.org")
    with Mailbox() as box:
        deliver(shop, SMTP_URL=box.url)
    assert '"channel":"email"' in shop.err and '"status":"sent"' in shop.err
    assert not re.search("private|person|example|Secret", shop.err), shop.err


def test_dedupe_and_opt_out_and_limit(shop):
    assert [notify(shop, "alert", {"message": "m"}, dedupe="k") for _ in range(3)] == ["1", "1", "1"]
    shop.souk("optout", "add", "email", "B@Example.org")
    shop.souk("optout", "add", "sms", "not a number", code=1)
    number = notify(shop, "order_message", {"message": "m"}, to="b@example.org")
    with Mailbox() as box:
        assert deliver(shop, SMTP_URL=box.url) == (1, 0, 0, 1)
        assert row(shop, number)[0] == "suppressed"
        shop.souk("call", "send_email", '{"to":"b@EXAMPLE.org","subject":"s","body":"b"}', "--admin", code=1)
        assert "opted out" in shop.err
        shop.souk("optout", "remove", "email", "b@example.org")
        for n in range(4):
            notify(shop, "alert", {"message": f"m{n}"}, to="c@example.org")
        assert deliver(shop, SMTP_URL=box.url, NOTIFY_LIMIT="3/60") == (3, 1, 0, 0)
        assert 20 < float(shop.value("SELECT extract(epoch FROM next_at - now()) FROM souk.outbox WHERE status = 'waiting'")) <= 60
        shop.souk("call", "send_email", '{"to":"c@example.org","subject":"s","body":"b"}', "--admin", code=1, NOTIFY_LIMIT="3/60")
        assert "enough messages" in shop.err
        one = [json.loads(shop.souk("call", "send_email", '{"to":"d@example.org","subject":"s","body":"b","dedupeKey":"z"}', "--admin"))["messageId"] for _ in range(2)]
        assert one[0] == one[1]


def test_an_alert_is_told_once_an_hour(shop):
    assert len({notify(shop, "alert", {"message": "down"}) for _ in range(3)}) == 1
    assert notify(shop, "alert", {"message": "up"}) != notify(shop, "alert", {"message": "down"}) != notify(shop, "alert", {"message": "down"}, to="b@example.org")


def test_a_dead_provider_is_left_alone(shop):
    """After five failures the rest is held back, and does not count as tried."""
    for n in range(8):
        notify(shop, "alert", {"message": "m"}, to=f"+3361000000{n}")
    assert deliver(shop, **twilio_env(Nowhere)) == (0, 8, 0, 0)
    assert shop.rows("SELECT attempts, count(*), min(reason) FROM souk.outbox GROUP BY 1 ORDER BY 1") == [
        ["0", "3", "the host has failed several times and is left alone for some seconds"], ["1", "5", "no connection to the host"]]


def test_the_running_shop_sends(souk):
    """Through the front door to the process that souk-serve keeps: in the demo messages become files."""
    before = set(os.listdir(os.path.join(souk.data, "outbox")))
    token = souk.admin
    assert souk.call("send_email", {"to": "visitor@example.org", "subject": "Grüße", "body": "Hello"}, server="notifications", token=token).value["status"] == "waiting"
    new = support.wait_until(lambda: [f for f in set(os.listdir(os.path.join(souk.data, "outbox"))) - before if f.endswith("-message.eml")], 20)
    with open(os.path.join(souk.data, "outbox", new[0]), "rb") as f:
        mail = email.message_from_binary_file(f, policy=email.policy.default)
    assert mail["subject"] == "Grüße" and mail["to"].addresses[0].addr_spec == "visitor@example.org" and not mail.defects


def test_recipients_take_themselves_off(tmp_path):
    """The link of a mail: looking at it changes nothing, one POST does, as mail programs make it; and it is good for this recipient only."""
    port, folder = support.free_port(), tempfile.mkdtemp(prefix="souk-mail-")
    os.chmod(folder, 0o777)     # the server is another user
    with support.Instance(tmp_path / "home", port, redis="off", program="souk.fcgi", workers=1, PUBLIC_URL=f"http://127.0.0.1:{port}",
                          MAIL_DIR=folder) as running:
        souk = running.target
        call = {"to": "Leaver@example.org", "subject": "s", "body": "b"}
        number = souk.call("send_email", call, token=souk.admin).value["messageId"]
        support.wait_until(lambda: souk.value(f"SELECT status = 'sent' FROM souk.outbox WHERE id = {number}") == "t", 20)
        with open(os.path.join(folder, f"{int(number):06d}-message.eml"), "rb") as f:
            mail = email.message_from_binary_file(f, policy=email.policy.default)
        shutil.rmtree(folder)
        url = re.match("<(.*?)>", mail["list-unsubscribe"])[1]
        assert url in mail.get_body(("plain",)).get_content() and url in mail.get_body(("html",)).get_content()
        path = url[len(souk.url):]
        page = souk.get(path)
        assert page.status == 200 and "l***@example.org" in page.text and "leaver@" not in page.text.lower() and "<form method=\"post\">" in page.text
        assert souk.value("SELECT count(*) FROM souk.opt_outs") == "0"
        client = souk.client()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for bad in (path[:-1] + ("A" if path[-1] != "A" else "B"), "/unsubscribe/1", path.replace("uns_", "pay_")):
            assert client.request("POST", bad, body="List-Unsubscribe=One-Click", headers=form).status == 404
        for _ in range(2):
            assert client.request("POST", path, body="List-Unsubscribe=One-Click", headers=form).status == 200
        assert souk.sql("SELECT channel, recipient, source FROM souk.opt_outs") == [["email", "leaver@example.org", "customer"]]
        assert "opted out" in souk.call("send_email", call, token=souk.admin).message


def reports_of(souk, path, form, signature):
    return souk.client().request("POST", path, body=urllib.parse.urlencode(form),
                                 headers={"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature})


def test_delivery_reports(tmp_path):
    """What Twilio and Meta tell afterwards: who signed it is believed, once, in any order; what never arrived is parked, and the shop is told."""
    with Twilio() as twilio, Meta() as meta, support.Instance(
            tmp_path / "home", support.free_port(), redis="off", program="souk.fcgi", workers=1, PUBLIC_URL="https://shop.example:8443/souk",
            WHATSAPP_APP_SECRET="app-secret", WHATSAPP_VERIFY_TOKEN="a-word", **twilio_env(twilio), **meta_env(meta)) as running:
        souk = running.target
        os.kill(running.pid("deliverer"), signal.SIGTERM)
        souk.sql("SELECT souk.notify('order_message', NULL, '+3360000000' || n, 'en', '{\"message\": \"m\"}', NULL) FROM generate_series(1, 4) n")
        souk.souk("deliver", "--quiet")
        assert [m["To"] for m in twilio.messages] == [f"+3360000000{n}" for n in range(1, 5)]
        state = lambda: souk.sql("SELECT status, delivered_at IS NOT NULL, reason FROM souk.outbox WHERE channel = 'sms' ORDER BY id")  # noqa: E731

        def tell(number, word, code=None, code_of_answer=204, change=None, **more):
            url, form, signed = twilio.report(number, word, code)
            form.update(change or {})
            path = url[len("https://shop.example:8443/souk"):]
            assert reports_of(souk, more.get("path", path), form, more.get("signed", signed)).status == code_of_answer

        tell(0, "sent")
        tell(0, "delivered")
        tell(0, "failed", 30003)                                  # told late: it has arrived
        tell(1, "undelivered", 30005)
        tell(1, "undelivered", 30005)
        tell(2, "failed", 21610)
        tell(3, "delivered", code_of_answer=403, change={"MessageStatus": "failed"})
        tell(3, "failed", code_of_answer=403, signed="")
        tell(3, "failed", code_of_answer=400, path="/webhooks/twilio")
        tell(3, "failed", code_of_answer=403, path="/webhooks/twilio?message=00000000-0000-0000-0000-000000000000")
        assert state() == [["sent", "t", ""], ["parked", "f", "the provider could not deliver it (code 30005)"],
                           ["suppressed", "f", "the provider could not deliver it (code 21610)"], ["sent", "f", ""]]
        assert souk.sql("SELECT channel, recipient FROM souk.opt_outs") == [["sms", "+33600000003"]]
        assert souk.sql("SELECT message, seen_count FROM souk.alerts WHERE kind = 'message'") == [["messages could not be delivered (sms, code 30005)", "1"]]
        # Killed between the answer and the note of it: the report settles the row, and a text is not sent twice.
        souk.sql("UPDATE souk.outbox SET status = 'sending', provider_id = NULL, done_at = NULL, next_at = now() + interval '1 minute' WHERE id = 4")
        tell(3, "delivered")
        assert state()[3] == ["sent", "t", ""]

        # WhatsApp
        client = souk.client()
        ask = "/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
        reply = client.request("GET", ask + "a-word")
        assert reply.status == 200 and reply.text == "1158201444" and reply.headers["content-type"].startswith("text/plain")
        assert client.request("GET", ask + "a-worD").status == 403 and client.request("GET", "/webhooks/whatsapp").status == 403
        souk.sql("SELECT souk.notify('order_confirmation', NULL, 'whatsapp:+3361000000' || n, 'en', '{\"orderNumber\": \"X\", \"total\": \"1\"}', NULL) "
                 "FROM generate_series(1, 2) n")
        souk.souk("deliver", "--quiet")
        for n, (word, code, phone) in enumerate([("delivered", None, Meta.NUMBER), ("failed", 131026, "1"), ("failed", 131026, Meta.NUMBER)]):
            body = meta.report(min(n, 1), word, code, phone)
            signed = "sha256=" + hmac.new(b"app-secret", body, "sha256").hexdigest()
            for header, status in ((signed[:-1] + "g", 403), (signed, 200), (signed, 200)):
                assert client.request("POST", "/webhooks/whatsapp", body=body, headers={"Content-Type": "application/json", "X-Hub-Signature-256": header}).status == status
            rows = souk.sql("SELECT status, delivered_at IS NOT NULL FROM souk.outbox WHERE channel = 'whatsapp' ORDER BY id")
            assert rows == [["sent", "t"], ["sent" if n < 2 else "parked", "f"]]
        assert not twilio.problems and not meta.problems, (twilio.problems, meta.problems)


def test_a_text_whose_answer_was_lost_is_sent_once(shop):
    """Twilio takes no key: where nobody knows what it answered, it is asked."""
    with Twilio() as twilio:
        env = twilio_env(twilio)
        for n in (1, 2, 3):
            notify(shop, "order_message", {"message": "the same"}, to="+33600000001")
        twilio.drop_next(1, done=True)              # taken, and the answer lost
        twilio.drop_next(1, done=False)             # lost before
        assert deliver(shop, **env) == (1, 2, 0, 0)
        make_due(shop)
        assert deliver(shop, **env) == (2, 0, 0, 0)
        assert len(twilio.messages) == 3 and [r.method for r in twilio.requests] == ["POST"] * 3 + ["GET", "GET", "POST"]
        assert len(set(x for n in (1, 2, 3) for x in row(shop, n, "split_part(provider_id, ' ', 1)"))) == 3
        # A dispatcher that is killed between Twilio's answer and the note of it.
        shop.rows("UPDATE souk.outbox SET status = 'sending', provider_id = NULL, next_at = now() WHERE id = 3")
        assert deliver(shop, **env) == (1, 0, 0, 0) and len(twilio.messages) == 3
        # What Twilio has answered it is not asked again.
        notify(shop, "order_message", {"message": "another"}, to="+33600000001")
        twilio.fail_next(1, 503)
        assert deliver(shop, **env) == (0, 1, 0, 0)
        make_due(shop)
        assert deliver(shop, **env) == (1, 0, 0, 0) and [r.method for r in twilio.requests][-2:] == ["POST", "POST"]
        assert not twilio.problems, twilio.problems


def test_customers_cannot_send(shop):
    shop.rows(ORDER)
    done = subprocess.run(["psql", "-X", "-q", "-d", shop.url, "-c", "SET ROLE maker_web", "-c", "SET souk.kind = 'customer'", "-c", "SET souk.customer_id = '7'",
                           "-c", "SELECT souk.send_message('email', '{\"to\": \"a@example.org\", \"subject\": \"s\", \"body\": \"b\"}', 0, 3600)"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert "only staff and services" in done.stderr and shop.count("souk.outbox") == 0


def test_killed_dispatchers_lose_nothing(shop):
    """Three dispatchers; after every twenty mails one is killed with SIGKILL. Everything arrives, and what arrives twice has the same Message-ID."""
    shop.env.update(NOTIFY_LIMIT="off")
    with Mailbox() as box:
        shop.env["SMTP_URL"] = box.url
        shop.rows("SELECT souk.notify('alert', NULL, 'r' || n || '@example.org', 'en', jsonb_build_object('message', n), NULL) FROM generate_series(1, 360) n")
        workers = [shop.start("deliver", "--watch", "--only", "messages") for _ in range(3)]
        for killed in range(1, 7):
            box.wait(20 * killed)
            victim = workers[killed % 3]
            assert victim.poll() is None
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            workers[killed % 3] = shop.start("deliver", "--watch", "--only", "messages")
        end = time.monotonic() + support.PATIENCE
        while shop.value("SELECT count(*) FROM souk.outbox WHERE status <> 'sent'") != "0" and time.monotonic() < end:
            shop.rows("UPDATE souk.outbox SET next_at = now() WHERE status = 'sending' AND lease_until < now() + interval '118 s'")     # the leases of the killed
            time.sleep(0.2)
        for w in workers:
            w.terminate()
            assert w.wait(60) == 0
    to = [m["to"].addresses[0].addr_spec for m in box.mails]
    assert set(to) == {f"r{n}@example.org" for n in range(1, 361)}
    assert len({m["message-id"] for m in box.mails}) == 360, "a repeat has to be known by its Message-ID"
    assert len(to) - 360 <= killed, "more repeats than kills"


def test_a_database_that_restarts_loses_and_doubles_nothing(shop, cluster):
    shop.env.update(NOTIFY_LIMIT="off")
    with Mailbox() as box:
        shop.env["SMTP_URL"] = box.url
        box.slow = 0.02
        shop.rows("SELECT souk.notify('alert', NULL, 'r' || n || '@example.org', 'en', jsonb_build_object('message', n), NULL) FROM generate_series(1, 60) n")
        worker = shop.start("deliver", "--watch", "--only", "messages")
        try:
            for count in (10, 30):
                box.wait(count)
                subprocess.run([SERVERS, "restart", cluster.folder], check=True, stdout=subprocess.DEVNULL, timeout=60)
            support.wait_until(lambda: shop.value("SELECT count(*) FROM souk.outbox WHERE status = 'sent'") == "60", 30)
        finally:
            worker.terminate()
            assert worker.wait(30) == 0
    assert sorted(m["to"] for m in box.mails) == sorted(f"r{n}@example.org" for n in range(1, 61))


def test_side_by_side_dispatchers_send_each_once(shop):
    with Mailbox() as box:
        shop.rows("SELECT souk.notify('alert', NULL, 'r' || n || '@example.org', 'en', jsonb_build_object('message', n), NULL) FROM generate_series(1, 60) n")
        shop.env["SMTP_URL"] = box.url
        workers = [shop.start("deliver") for _ in range(4)]
        assert all(w.wait(60) == 0 for w in workers)
    assert len(box.mails) == 60 and len({m["to"] for m in box.mails}) == 60


# ---- the owner's own texts


def test_own_texts_replace_built_in_ones(shop):
    shop.souk("template", "set", "order_delivered", "-", "--locale", "fr", "--part", "subject", stdin="Arrivé : {{orderNumber}}\n".encode())
    shop.souk("template", "set", "layout", "-", "--locale", "fr", "--part", "text", stdin=b"{{>content}}\n== {{shopName}} ==")
    assert re.search("^order_delivered +own: fr subject$", shop.souk("template", "list"), re.M)
    preview = shop.souk("template", "preview", "order_delivered", "--locale", "fr")
    assert preview.startswith("---- subject\nArrivé : ORD-7Q2M4KXA\n") and "\n== Maison Lumière ==\n" in preview
    assert shop.souk("template", "preview", "order_delivered", "--locale", "en", "--part", "subject") == "Your order ORD-7Q2M4KXA has arrived\n"
    notify(shop, "order_delivered", {"orderNumber": "X-1"}, locale="'fr'")
    with Mailbox() as box:
        assert deliver(shop, SMTP_URL=box.url) == (1, 0, 0, 0)
    assert box.mails[0]["subject"] == "Arrivé : X-1"
    for wrong, said in (("{{orderNumbr}}", "no variable orderNumbr"), ("{{#items}}", "not closed"), ("a {{/b}}", "nothing to close")):
        shop.souk("template", "set", "order_delivered", "-", "--locale", "fr", "--part", "text", stdin=wrong.encode(), code=1)
        assert said in shop.err and "line 1" in shop.err
    shop.souk("template", "set", "order_delivered", "-", "--locale", "it", "--part", "text", stdin=b"x", code=2)
    shop.souk("template", "set", "no_such", "-", "--locale", "fr", "--part", "text", stdin=b"x", code=2)
    assert shop.souk("template", "reset", "order_delivered") == "1 of the owner's texts removed\n"
    assert shop.souk("template", "show", "order_delivered", "--locale", "fr", "--part", "subject") == "Votre commande {{orderNumber}} est arrivée\n"


# ---- webhooks


@pytest.fixture
def hook(shop):
    shop.env["OUTGOING_PRIVATE"] = "127.0.0.1"
    with Receiver() as receiver:
        made = json.loads(shop.souk("webhook", "add", f"{receiver.url}/hooks", "--events", "order.paid,order.shipped", "--json"))
        receiver.secrets = [made["secret"]]
        receiver.id = made["id"]
        yield receiver


def emit(shop, event="order.paid", subject="ORD-1"):
    return shop.value(f"SELECT souk.emit('{event}', '{subject}', '{{\"total\": 12.5, \"name\": \"Ærø 😀 \\u2028\"}}')")


def test_webhooks_are_signed_and_told_apart(shop, hook):
    event = emit(shop)
    assert emit(shop, "order.created") == "", "nobody wants it"
    assert deliver(shop) == (1, 0, 0, 0)
    assert hook.events[event]["type"] == "order.paid" and hook.events[event]["data"] == {"total": 12.5, "name": "Ærø 😀 \u2028"}
    assert hook.events[event]["subject"] == "ORD-1"
    test = shop.souk("webhook", "test", hook.id).strip()
    assert deliver(shop) == (1, 0, 0, 0) and hook.events[test]["type"] == "webhook.test"
    assert shop.souk("webhook", "resend", event) == "queued for 1 endpoint\n" and deliver(shop) == (1, 0, 0, 0) and hook.repeats == 1
    log = json.loads(shop.souk("webhook", "log", hook.id, "--json"))
    assert [(r["event id"], r["result"], r["status"]) for r in log] == [(event, "delivered", "200"), (test, "delivered", "200"), (event, "delivered", "200")]
    shop.souk("webhook", "resend", "evt_" + "0" * 32, code=1)
    assert not hook.problems, hook.problems


def test_webhook_secret_is_shown_once_and_rotates(shop, hook):
    assert hook.secrets[0].startswith("whsec_") and hook.secrets[0] not in shop.souk("webhook", "list")
    assert hook.secrets[0] not in str(shop.rows("SELECT * FROM souk.webhook_endpoints"))
    old, new = hook.secrets[0], json.loads(shop.souk("webhook", "rotate", hook.id, "--overlap", "1h", "--json"))["secret"]
    assert old != new
    for secrets in ([old], [new]):      # during the overlap both fit
        hook.secrets = secrets
        emit(shop)
        assert deliver(shop) == (1, 0, 0, 0)
    shop.rows("UPDATE souk.webhook_endpoints SET previous_until = now()")
    hook.secrets = [old]
    emit(shop)
    assert deliver(shop) == (0, 1, 0, 0) and hook.problems.pop().endswith("no signature fits")
    hook.secrets = [new]
    make_due(shop)
    assert deliver(shop) == (1, 0, 0, 0) and not hook.problems


def test_webhooks_are_repeated_for_three_days(shop, hook):
    event = emit(shop)
    hook.fail_next(1, 500)
    hook.fail_next(1, 302, headers={"Location": "http://127.0.0.1:1/"})
    hook.drop_next(1, done=True)
    for n in range(3):
        assert deliver(shop) == (0, 1, 0, 0), n
        make_due(shop)
    assert deliver(shop) == (1, 0, 0, 0) and hook.repeats == 1 and list(hook.events) == [event]
    tried = shop.rows("SELECT attempt, status, error FROM souk.webhook_deliveries ORDER BY id")
    assert tried == [["1", "500", "the endpoint answered 500"], ["2", "302", "the endpoint answered 302"], ["3", "0", "the connection was lost"], ["4", "200", ""]]
    hook.fail_next(2, 500)
    emit(shop)
    number = int(shop.value("SELECT max(id) FROM souk.outbox"))
    assert deliver(shop) == (0, 1, 0, 0)
    shop.rows(f"UPDATE souk.outbox SET created_at = now() - interval '73 hours', next_at = now() WHERE id = {number};"
              "UPDATE souk.webhook_endpoints SET failing_since = now() - interval '73 hours'")
    assert deliver(shop, ALERT_TO="") == (0, 0, 2, 0)       # the event, and the alert that nobody is set to get
    assert "disabled: nothing was taken for 72 hours" in shop.souk("webhook", "list")
    assert emit(shop) == "", "disabled endpoints get nothing"
    shop.souk("webhook", "enable", hook.id)
    assert deliver(shop) == (1, 0, 0, 0) and len(hook.events) == 2, "what was parked comes after all"


def test_gone_endpoints_are_disabled_at_once(shop, hook):
    hook.fail_next(1, 410)
    emit(shop)
    assert deliver(shop, ALERT_TO="owner@example.org")[2] == 2 and "410 Gone" in shop.souk("webhook", "list")


@pytest.mark.parametrize("url", ["http://shop.example/", "https://127.0.0.1:99999/", "file:///etc/passwd", "https://user:pw@shop.example/", "https://shop.example:22/", "nonsense"])
def test_webhook_urls_are_checked(shop, url):
    shop.souk("webhook", "add", url, "--events", "order.paid", code=2)
    assert shop.count("souk.webhook_endpoints") == 0


def test_webhooks_reach_nothing_inside(shop):
    with Receiver() as inside:
        shop.souk("webhook", "add", "https://127.0.0.1/hooks", "--events", "*")
        shop.souk("webhook", "add", "https://inside.example/hooks", "--events", "*")
        shop.souk("webhook", "add", "https://x.example/", "--events", "order.nonsense", code=2)
        shop.rows(f"UPDATE souk.webhook_endpoints SET url = '{inside.url}/hooks' WHERE id = 1")      # as if it had been written past the command
        emit(shop)
        assert deliver(shop, OUTGOING_RESOLVE=f"inside.example:443:127.0.0.1") == (0, 0, 2, 0)
        assert not inside.requests
    assert {row(shop, n)[2] for n in (1, 2)} == {"only https URLs are reached", "the address behind this URL may not be reached"}


def test_a_slow_endpoint_holds_up_no_mail(shop, hook):
    with Mailbox() as box:
        shop.env["SMTP_URL"] = box.url
        hook.stall_next(1, 50)
        emit(shop)
        worker = shop.start("deliver", "--watch")
        try:
            hook.wait(1)
            notify(shop, "alert", {"message": "quick"})
            box.wait(1)
            assert not shop.rows("SELECT FROM souk.webhook_deliveries"), "the webhook is still under way"
        finally:
            worker.terminate()
            hook.release()
            assert worker.wait(60) == 0
    assert shop.rows("SELECT status FROM souk.webhook_deliveries") == [["200"]], "what was under way at SIGTERM was finished"


# ---- what the manual says


CALL = {"php": ("php", 'echo json_encode(souk_event(file_get_contents("php://stdin"), $argv[1], $argv[2]));'),
        "js": ("node", 'console.log(JSON.stringify(soukEvent(require("node:fs").readFileSync(0), process.argv[2], process.argv[3])));'),
        "python": ("/usr/bin/python3", "import sys\nprint(json.dumps(souk_event(sys.stdin.buffer.read(), sys.argv[1], sys.argv[2])))")}


@pytest.mark.parametrize("language", sorted(CALL))
def test_the_manual_verifies(shop, hook, language, tmp_path):
    """The code of docs/webhooks.md takes what souk signs, and nothing else."""
    with open(os.path.join(ROOT, "docs", "webhooks.md"), encoding="utf-8") as f:
        code, = re.findall(rf"```{language}\n(.*?)```", f.read(), re.S)
    program, call = CALL[language]
    script = tmp_path / f"verify.{'cjs' if language == 'js' else language}"
    script.write_text(f"{code}\n{call}\n", encoding="utf-8")

    def verify(body, signature, secret):
        return subprocess.run([program, str(script), signature, secret], input=body, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, check=False)

    old = hook.secrets[0]
    new = json.loads(shop.souk("webhook", "rotate", hook.id, "--json"))["secret"]
    event = emit(shop)
    assert deliver(shop) == (1, 0, 0, 0)
    request, = hook.requests
    signature = request.header("souk-signature")
    for secret in (old, new):
        done = verify(request.body, signature, secret)
        assert done.returncode == 0, done.stderr.decode()
        assert json.loads(done.stdout)["id"] == event and json.loads(done.stdout)["data"] == hook.events[event]["data"]
    t = int(re.match(r"t=(\d+)", signature)[1])
    stale = hmac.new(new.encode(), f"{t - 301}.".encode() + request.body, "sha256").hexdigest()
    for body, header, secret in ((request.body, f"t={t - 301},v1={stale}", new), (request.body + b" ", signature, new), (request.body, signature, new + "x"), (request.body, "", new),
                                 (request.body, signature.replace(f"t={t}", f"t={t + 1}"), new), (request.body, f"t={t}", new), (request.body, f"t={t},v1=00", new)):
        assert verify(body, header, secret).returncode != 0, header
