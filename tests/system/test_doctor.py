"""souk doctor finds what MCP clients stumble over: a proxy in front of the real service brings each known failure about, one at a time."""
import concurrent.futures
import http.client
import http.server
import json
import os
import subprocess
import threading

import pytest

HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "date", "server"}


class Fault:
    """What the proxy does wrong; by itself it does nothing."""

    def before(self, method, path, headers, body):
        """A status to answer with instead, or None; headers may be changed."""

    def after(self, method, path, asked, status, headers, body):
        """Status, headers, body as they are sent on."""
        return status, headers, body

    buffers = False


def proxy(souk, fault, address):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = dict(self.headers.items())
            instead = fault.before(self.command, self.path, headers, body)
            if instead is not None:
                self.reply(*(instead if isinstance(instead, tuple) else (instead, {}, b"")))
                return
            up = http.client.HTTPConnection(souk.host, souk.port, timeout=20, source_address=(address, 0))
            up.request(self.command, self.path, body or None, headers)
            answer = up.getresponse()
            got = {k: v for k, v in answer.getheaders() if k.lower() not in HOP}
            if answer.getheader("Content-Type", "").startswith("text/event-stream") and b"subscriptions/listen" in body:
                self.stream(answer, got)
                return
            self.reply(*fault.after(self.command, self.path, body, answer.status, got, answer.read()))

        def stream(self, answer, headers):
            self.send_response(answer.status)
            for item in headers.items():
                self.send_header(*item)
            self.end_headers()
            self.close_connection = True
            try:
                while part := answer.read1(4096):
                    if not fault.buffers:
                        self.wfile.write(part)
            except OSError:
                pass

        def reply(self, status, headers, body):
            self.send_response(status)
            for item in headers.items():
                self.send_header(*item)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = serve

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def changed(body, change):
    o = json.loads(body)
    change(o)
    return json.dumps(o).encode()


def refuse(when, status, headers=None, body=b"{}"):
    class Refusing(Fault):
        def before(self, method, path, headers_, body_):
            return (status, headers or {}, body) if when(method, path, headers_, body_) else None
    return Refusing()


def change(when, how):
    """how(headers, body) -> body, or (status, body)."""
    class Changing(Fault):
        def after(self, method, path, asked, status, headers, body):
            if when(method, path, asked):
                body = how(headers, body)
                if isinstance(body, tuple):
                    status, body = body
            return status, headers, body
    return Changing()


class Without(Fault):
    """Headers of requests get lost."""

    def __init__(self, *names):
        self.names = names

    def before(self, method, path, headers, body):
        for name in self.names:
            for key in [k for k in headers if k.lower() == name]:
                del headers[key]


class Silent(Fault):
    buffers = True


class Forgetful(Fault):
    """Every second process knows nothing of a session."""
    seen = 0

    def before(self, method, path, headers, body):
        if "Mcp-Session-Id" in headers and method == "POST":
            self.seen += 1
            return (404, {}, b"{}") if self.seen % 2 else None


def of(method):
    return lambda verb, path, asked: f'"{method}"'.encode() in asked


def first_tool(key, value):
    def how(headers, body):
        return changed(body, lambda o: o["result"]["tools"][0].update({key: value}))
    return change(of("tools/list"), how)


def drop(*names):
    def how(headers, body):
        for name in names:
            for key in [k for k in headers if k.lower() == name]:
                del headers[key]
        return body
    return how


def well_known(end, key, value):
    return change(lambda verb, path, asked: path.endswith(end), lambda headers, body: changed(body, lambda o: o.update({key: value(o[key])})))


HTML = {"Content-Type": "text/html"}
RESOURCE, SERVER = "/oauth-protected-resource/mcp", "/oauth-authorization-server"
FAULTS = {
    "redirected": ("mcp-address", refuse(lambda m, p, h, b: p == "/mcp/", 308, {"Location": "/mcp"})),
    "not-handed-on": ("mcp-address", refuse(lambda m, p, h, b: p == "/mcp", 404, HTML, b"<h1>Not found</h1>")),
    "locked": ("mcp-open", refuse(lambda m, p, h, b: p.startswith("/mcp") and "Authorization" not in h, 401, {"WWW-Authenticate": "Basic"})),
    "particular": ("mcp-accept", refuse(lambda m, p, h, b: m == "POST" and h.get("Accept") == "application/json", 406)),
    "wrong-method": ("mcp-methods", refuse(lambda m, p, h, b: p == "/mcp" and m == "DELETE", 404)),
    "no-allow": ("mcp-methods", change(lambda m, p, a: m == "GET" and p == "/mcp", drop("allow"))),
    "no-cors-on-errors": ("mcp-cors", change(lambda m, p, a: p == "/mcp/no-such-server", drop("access-control-allow-origin"))),
    "foreign-origin": ("mcp-cors", refuse(lambda m, p, h, b: "Origin" in h, 403)),
    "one-version": ("mcp-versions", refuse(lambda m, p, h, b: b"2099-01-01" in b, 400)),
    "no-modern-headers": ("mcp-versions", Without("mcp-method")),
    "sessions-lost": ("mcp-sessions", Forgetful()),
    "no-session-header": ("mcp-sessions", change(lambda m, p, a: True, drop("mcp-session-id"))),
    "collected": ("mcp-stream", Silent()),
    "compressed": ("mcp-stream", change(lambda m, p, a: b'"limit":2' in a, lambda headers, body: headers.update({"Content-Encoding": "identity"}) or body)),
    "several-lines": ("mcp-stream", change(lambda m, p, a: b'"limit":2' in a, lambda headers, body: body.replace(b'"result":', b'\ndata: "result":'))),
    "unasked-progress": ("mcp-stream", change(lambda m, p, a: b'"limit":2' in a, lambda headers, body: b'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n' + body)),
    "no-stream": ("mcp-stream", change(lambda m, p, a: b'"limit":2' in a, lambda headers, body: headers.update({"Content-Type": "application/json"}) or body)),
    "combinator": ("mcp-tools", first_tool("inputSchema", {"type": "object", "anyOf": []})),
    "dotted-name": ("mcp-tools", first_tool("name", "products.search")),
    "long-name": ("mcp-tools", first_tool("name", "x" * 65)),
    "typeless-output": ("mcp-tools", first_tool("outputSchema", {"properties": {}})),
    "no-tools": ("mcp-tools", change(of("tools/list"), lambda headers, body: changed(body, lambda o: o["result"].update(tools=[])))),
    "no-authorization": ("authorization", Without("authorization")),
    "html-metadata": ("oauth-metadata", refuse(lambda m, p, h, b: p.endswith(SERVER), 200, HTML, b"<h1>Welcome</h1>")),
    "half-metadata": ("oauth-metadata", refuse(lambda m, p, h, b: p.endswith(RESOURCE), 404, {"Content-Type": "application/json"})),
    "no-pkce": ("oauth-metadata", well_known(SERVER, "code_challenge_methods_supported", lambda v: ["plain"])),
    "other-resource": ("oauth-resource", well_known(RESOURCE, "resource", lambda v: v + "/")),
    "other-issuer": ("oauth-issuer", well_known(SERVER, "issuer", lambda v: v + "/")),
    "register-200": ("oauth-register", change(lambda m, p, a: p == "/oauth/register", lambda headers, body: (200, body))),
    "no-websocket": ("websocket", refuse(lambda m, p, h, b: p == "/ws", 404)),
}


# What cannot be told from what is meant.
ALSO = {"no-modern-headers": {"mcp-stream"}}


# What souk can do without.
DISPENSABLE = {"no-session-header", "no-websocket"}


def ask(souk, url):
    done = subprocess.run([souk.bin, "doctor", "--json", "--url", url, "--token", souk.monitor], capture_output=True, timeout=60, check=False,
                          env={**os.environ, "SOUK_CONF": souk.conf})
    report = json.loads(done.stdout)
    assert (done.returncode == 0) == report["ok"]
    assert all(f["mend"] for f in report["findings"] if f["state"] != "ok")
    return {f["check"]: f["state"] for f in report["findings"] if f["state"] != "ok"}, {f["check"] for f in report["findings"]}


def test_finds_the_real_service_well(souk):
    wrong, checks = ask(souk, souk.url)
    assert not {w for w in wrong if w.startswith(("mcp", "oauth", "websocket", "authorization"))}
    assert {check for check, _ in FAULTS.values()} - {"mcp-open", "oauth-resource", "oauth-issuer"} <= checks


def bring_about(souk, name):
    # limits count by address, and each of these asks as much as one client may
    server = proxy(souk, FAULTS[name][1], f"127.0.1.{1 + list(FAULTS).index(name)}")
    try:
        return ask(souk, f"http://127.0.0.1:{server.server_address[1]}")[0]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def all_wrong(souk):
    """Fault -> what the doctor found; several at a time, but for the one that keeps a stream from others."""
    others = [name for name in FAULTS if name != "collected"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return {"collected": bring_about(souk, "collected"), **dict(zip(others, pool.map(lambda name: bring_about(souk, name), others)))}


@pytest.mark.parametrize("name", FAULTS)
def test_finds_what_is_wrong(all_wrong, name):
    check, wrong = FAULTS[name][0], all_wrong[name]
    assert wrong.get(check) == ("warning" if name in DISPENSABLE else "error")
    others = {w for w, state in wrong.items() if state == "error"} - {check, *ALSO.get(name, ())}
    assert not others, f"also {others}"
