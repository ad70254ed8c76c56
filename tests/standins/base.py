"""Stand-ins for providers: local HTTP servers that check what they are sent against the provider's published interface, and misbehave on
demand. A subclass has routes and the provider's form of an error; the tests read `requests`, `problems` and what the subclass keeps.

    class Shouter(Standin):
        def routes(self):
            return [("POST", r"/v1/shouts/(\\d+)", self.shout)]

        def shout(self, request, number):
            self.expect(request.header("content-type") == "application/json", "content-type must be application/json")
            return 201, {"id": number}

    with Shouter() as s:
        s.fail_next(2, 503, headers={"Retry-After": "1"})   # the next two requests fail
        s.stall_next(1, 5)                                  # then one is answered after five seconds
        s.drop_next(1, done=True)                           # then one is done, but its connection is closed without an answer
        ... s.url ...
        assert not s.problems, s.problems

What a request gets wrong is refused as the provider would, and noted in `problems`: a test ends with `assert not s.problems`.
"""
import base64
import http.server
import json
import re
import ssl
import threading
import time
import urllib.parse


class Wrong(Exception):
    """A request that the provider would refuse."""

    def __init__(self, why, status=400):
        super().__init__(why)
        self.why, self.status = why, status


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.at = time.monotonic()
        self.path, _, self.query_text = target.partition("?")

    def header(self, name):
        """The value, None when absent. A header given twice is a mistake."""
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        if len(values) > 1:
            raise Wrong(f"header {name} given {len(values)} times")
        return values[0] if values else None

    @property
    def query(self):
        return urllib.parse.parse_qsl(self.query_text, keep_blank_values=True, strict_parsing=bool(self.query_text))

    @property
    def form(self):
        """The pairs of an application/x-www-form-urlencoded body, in order."""
        if (self.header("content-type") or "").split(";")[0] != "application/x-www-form-urlencoded":
            raise Wrong("the body must be application/x-www-form-urlencoded")
        return urllib.parse.parse_qsl(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(self.body), errors="strict")

    @property
    def json(self):
        if (self.header("content-type") or "").split(";")[0] != "application/json":
            raise Wrong("the body must be application/json")
        return json.loads(self.body.decode("utf-8"))

    @property
    def basic(self):
        """(user, password) of basic authentication, or None."""
        value = self.header("authorization") or ""
        if not value.startswith("Basic "):
            return None
        return tuple(base64.b64decode(value[6:], validate=True).decode().split(":", 1))

    @property
    def bearer(self):
        value = self.header("authorization") or ""
        return value[7:] if value.startswith("Bearer ") else None


class Standin:
    def __init__(self, host="127.0.0.1", port=0, certificate=None):
        """certificate: (file, key file) to speak TLS."""
        self.requests, self.problems, self.plan = [], [], []
        self.lock = threading.RLock()
        self.released = threading.Event()
        standin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def handle_any(self):
                standin.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass    # a client that left

        self.server = Server((host, port), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host, self.port = self.server.server_address[:2]
        self.url = f"{'https' if certificate else 'http'}://{self.host}:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.release()
        self.server.shutdown()
        self.server.server_close()

    # ---- what subclasses say ----

    def routes(self):
        """[(method, regular expression of the whole path, function of the request and the groups)]; a function returns
        (status, value or bytes) or (status, value or bytes, headers)."""
        raise NotImplementedError

    def error_body(self, status, why):
        """The provider's form of an error."""
        return {"error": {"status": status, "message": why}}

    @staticmethod
    def expect(condition, why, status=400):
        if not condition:
            raise Wrong(why, status)

    # ---- what tests ask for ----

    def fail_next(self, n, status, body=None, headers=None):
        """The next n requests are answered with this, and nothing is done."""
        with self.lock:
            self.plan += [("fail", status, body, headers or {})] * n

    def stall_next(self, n, seconds):
        """The next n requests are done, and answered late: after so many seconds, or release()."""
        with self.lock:
            self.plan += [("stall", seconds)] * n

    def release(self):
        """What is stalled is answered."""
        self.released.set()

    def drop_next(self, n, done):
        """The next n connections are closed without an answer, the work done or not."""
        with self.lock:
            self.plan += [("drop", done)] * n

    def wait(self, count, seconds=60):
        """Until so many requests have come; returns them."""
        end = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < end, f"{len(self.requests)} requests instead of {count} after {seconds} s; problems: {self.problems}"
            time.sleep(0.02)
        return list(self.requests)

    # ---- the way of a request ----

    def answer(self, request):
        for method, pattern, function in self.routes():
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                return function(request, *match.groups())
        raise Wrong(f"no route {request.method} {request.path}", 404)

    def handle(self, h):
        length = int(h.headers.get("Content-Length") or 0)
        request = Request(h.command, h.path, list(h.headers.items()), h.rfile.read(length))
        with self.lock:
            step = self.plan.pop(0) if self.plan else None
            status, headers, value = 200, {}, b""
            if step and step[0] == "fail":
                status, value, headers = step[1], step[2], step[3]
                value = self.error_body(status, "told to fail") if value is None else value
            elif not (step and step[0] == "drop" and not step[1]):
                try:
                    status, value, *rest = self.answer(request)
                    headers = rest[0] if rest else {}
                except Wrong as e:
                    self.problems.append(f"{request.method} {request.path}: {e.why}")
                    status, value = e.status, self.error_body(e.status, e.why)
                except (ValueError, KeyError, TypeError, IndexError) as e:
                    self.problems.append(f"{request.method} {request.path}: {e!r}")
                    status, value = 400, self.error_body(400, "malformed")
            self.requests.append(request)
        if step and step[0] == "stall":
            self.released.wait(step[1])
        if step and step[0] == "drop":
            h.close_connection = True
            return
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        h.send_response(status)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            h.send_header(name, text)
        h.end_headers()
        h.wfile.write(body)
