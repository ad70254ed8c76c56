"""Each program as plain CGI: one process, one request, nothing but environment, input and output. The way of hosts without FastCGI, and
of tools such as valgrind."""
import glob
import json
import os
import shutil
import subprocess

import pytest

import support

FOLDER = os.path.join(support.ROOT, os.environ.get("SOUK_BUILD", "build"))
PROGRAMS = sorted(os.path.basename(p) for p in glob.glob(os.path.join(FOLDER, "cgi-bin", "*")) if os.access(p, os.X_OK) and "." not in os.path.basename(p))
PING = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "ping"}).encode()


def call(name):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}}).encode()


# program -> (method, target, body, expected status, a word of the answer)
REQUESTS = {
    "status": [("GET", "/healthz", None, 200, '"ok"'), ("GET", "/api/mcp/status", None, 200, '"connected":true'), ("GET", "/readyz", None, 200, "ready"),
               ("GET", "/metrics", None, 200, "souk_build_info"), ("GET", "/openapi.json", None, 200, '"openapi"')],
    "inventory": [("GET", "/api/mcp/inventory?limit=2", None, 200, '"items"'), ("GET", "/api/mcp/inventory?limit=x", None, 400, "limit")],
    "sales": [("GET", "/api/mcp/sales?limit=2", None, 200, '"sales"')],
    "search": [("POST", "/api/ai/search", json.dumps({"query": "lampe", "limit": 2}).encode(), 200, '"success":true'),
               ("POST", "/api/ai/search/suggest", json.dumps({"query": "la"}).encode(), 200, '"completions"'),
               ("POST", "/api/ai/search", json.dumps({"query": "lampe", "limit": "x"}).encode(), 400, "limit")],
    "products": [("GET", "/api/mcp/customersProducts?action=search&query=lampe", None, 200, '"products"'),
                 ("GET", "/api/mcp/customersProducts", None, 400, "action")],
    "oauth": [("GET", "/.well-known/oauth-authorization-server", None, 200, "code_challenge_methods_supported"), ("GET", "/oauth/jwks", None, 200, '"keys"'),
              ("POST", "/oauth/register", b'{"redirect_uris": ["https://x/"]}', 201, "client_id")],
    "login": [("GET", "/login", None, 200, "<form"), ("POST", "/api/guest/start", b"{}", 400, "orderNumber")],
    "orders": [("GET", "/api/mcp/customerOrders?action=list_orders", None, 400, "customer_id")],
    "admin": [("POST", "/admin/api/import", b"{}", 400, "content")],
    "pay": [("GET", "/pay/pay_x", None, 404, "payment page")],
    "webhook": [("POST", "/webhooks/stripe", b"{}", 404, "not configured")],
    "unsubscribe": [("GET", "/unsubscribe/x", None, 404, "no such page")],
    "mcp": [("POST", "/mcp", PING, 200, '"id":7'), ("POST", "/mcp/catalog", call("list_categories"), 200, '"categories"'),
            ("POST", "/mcp", call("search_products"), 200, '"products"'), ("POST", "/mcp", b'{"a":', 400, "-32700"), ("GET", "/mcp", None, 405, "POST")],
}
CASES = [(p, r) for p in PROGRAMS for r in REQUESTS.get(p, [])]


def environment(souk, method, target, body, **more):
    env = {
        "PATH": "/usr/bin:/bin", "SOUK_CONF": souk.conf, "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_ADDR": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "REQUEST_METHOD": method,
        "REQUEST_URI": target, "SCRIPT_NAME": target.split("?")[0], "QUERY_STRING": target.partition("?")[2],
        "HTTP_AUTHORIZATION": f"Bearer {souk.admin}",
    }
    if body is not None:
        env.update(CONTENT_TYPE="application/json", CONTENT_LENGTH=str(len(body)))
    env.update(more)
    return {k: v for k, v in env.items() if v is not None}


def run(souk, program, method, target, body=None, wrapper=(), timeout=60, **more):
    done = subprocess.run([*wrapper, os.path.join(FOLDER, "cgi-bin", program)], input=body or b"", env=environment(souk, method, target, body, **more),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, cwd="/", check=False)
    return done


def parse(output):
    """A CGI answer: headers with Status, a blank line, the body."""
    head, _, body = output.partition(b"\r\n\r\n")
    pairs = [line.split(": ", 1) for line in head.decode().split("\r\n")]
    status = next(v for k, v in pairs if k == "Status")
    return support.Reply(int(status.split()[0]), [p for p in pairs if p[0] != "Status"], body)


def test_every_program_has_requests():
    """A new program needs a line in the table above."""
    assert set(PROGRAMS) == set(REQUESTS), "a program without requests, or requests without a program"


@pytest.mark.parametrize("program, request_", CASES, ids=lambda x: x if isinstance(x, str) else f"{x[0]} {x[1]}")
def test_one_request(souk, program, request_):
    method, target, body, status, word = request_
    done = run(souk, program, method, target, body)
    assert done.returncode == 0, done.stderr[-500:]
    reply = parse(done.stdout)
    assert reply.status == status and word in reply.text, reply
    assert int(reply.headers["content-length"]) == len(reply.body)
    support.assert_rate_headers(reply)
    if status >= 400 and program != "mcp":
        support.assert_error(reply, status)


def test_the_same_answer_as_the_server(souk):
    target = "/api/mcp/customersProducts?action=products&limit=20"
    assert parse(run(souk, "products", "GET", target).stdout).json == souk.get(target, token=souk.admin).json


def test_another_programs_route_is_404(souk):
    support.assert_error(parse(run(souk, "sales", "GET", "/api/mcp/inventory").stdout), 404)


def test_without_length_the_body_is_read_to_its_end(souk):
    """Apache's CGI announces no length for a chunked body."""
    assert parse(run(souk, "mcp", "POST", "/mcp", PING, CONTENT_LENGTH=None).stdout).json["id"] == 7
    assert parse(run(souk, "mcp", "POST", "/mcp", PING, CONTENT_LENGTH="").stdout).json["id"] == 7
    big = b'"' + b"x" * (1 << 20) + b'"'
    support.assert_error(parse(run(souk, "mcp", "POST", "/mcp", big, CONTENT_LENGTH=None).stdout), 413)


def test_a_body_shorter_than_announced(souk):
    reply = parse(run(souk, "mcp", "POST", "/mcp", PING, CONTENT_LENGTH=str(len(PING) + 5)).stdout)
    assert reply.status == 400 and "result" not in reply.text, reply


@pytest.mark.parametrize("length", ["-1", "x", "99999999999999999999999", "1e3", " ", "0x10"])
def test_odd_lengths(souk, length):
    done = run(souk, "mcp", "POST", "/mcp", PING, CONTENT_LENGTH=length)
    assert done.returncode == 0 and parse(done.stdout).status in (200, 400, 413), done.stdout[:300]


@pytest.mark.parametrize("missing", ["REQUEST_METHOD", "REQUEST_URI", "REMOTE_ADDR", "HTTP_HOST", "SERVER_ADDR", "SERVER_NAME", "QUERY_STRING", "CONTENT_TYPE"])
def test_missing_variables(souk, missing):
    """A server that leaves a variable out gets an answer, not a crash."""
    done = run(souk, "mcp", "POST", "/mcp", PING, **{missing: None})
    assert done.returncode == 0 or missing == "REQUEST_METHOD", done.stderr[-300:]
    if done.returncode == 0:
        assert parse(done.stdout).status in (200, 400, 403, 404, 405, 415), done.stdout[:300]


def test_authorization_after_an_internal_redirect(souk):
    """Apache moves the header there when .htaccess rewrites."""
    reply = parse(run(souk, "sales", "GET", "/api/mcp/sales?limit=1", HTTP_AUTHORIZATION=None,
                      REDIRECT_HTTP_AUTHORIZATION=f"Bearer {souk.admin}").stdout)
    assert reply.status == 200, reply


def test_base_path(souk):
    reply = parse(run(souk, "status", "GET", "/shop/healthz", BASE_PATH="/shop").stdout)
    assert reply.status == 200
    assert parse(run(souk, "status", "GET", "/shopping/healthz", BASE_PATH="/shop").stdout).status == 404


def test_calls_are_recorded(souk):
    """The process ends with its request, its record is kept."""
    token = souk.token("sales:read")
    for _ in range(3):
        run(souk, "sales", "GET", "/api/mcp/sales?limit=1", HTTP_AUTHORIZATION=f"Bearer {token}")
    support.wait_until(lambda: souk.value(f"SELECT count(*) FROM souk.interactions WHERE token_id = '{support.token_id(token)}'") == "3", 5)


def test_limits_hold_across_processes(souk):
    token = souk.token("sales:read")
    rests = [support.assert_rate_headers(parse(run(souk, "sales", "GET", "/api/mcp/sales?limit=1", HTTP_AUTHORIZATION=f"Bearer {token}").stdout))[1]
             for _ in range(3)]
    assert rests == [99, 98, 97]


def test_without_a_database(souk):
    for program, target, status in (("status", "/healthz", 200), ("status", "/readyz", 503), ("sales", "/api/mcp/sales", 503)):
        done = run(souk, program, "GET", target, DATABASE_URL="postgresql:///nowhere?host=/nonexistent", STATE_DIR="/tmp")
        reply = parse(done.stdout)
        assert reply.status == status, reply
        support.assert_no_internals(reply)
        assert "nonexistent" not in reply.text


def test_a_bad_configuration_is_told(souk, tmp_path):
    conf = tmp_path / "souk.conf"
    for text, word in (("NO_SUCH_KEY = 1\n", "NO_SUCH_KEY"), ("WORKERS = many\n", "WORKERS"), ("nonsense\n", ":1:"),
                       ("WORKERS = 2\nWORKERS = 3\n", "WORKERS")):
        conf.write_text(text)
        done = run(souk, "status", "GET", "/healthz", SOUK_CONF=str(conf))
        assert done.returncode != 0 and word.encode() in done.stderr, (text, done)
        # The visitor gets a plain 5xx, without what is wrong.
        assert not done.stdout or b"Status: 50" in done.stdout and word.encode() not in done.stdout


VALGRIND = [("status", "GET", "/api/mcp/status", None), ("sales", "GET", "/api/mcp/sales?limit=5", None), ("mcp", "POST", "/mcp", call("search_products")),
            ("mcp", "POST", "/mcp", b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'), ("mcp", "POST", "/mcp", b'[{"a":"\\u0000'),
            ("products", "GET", "/api/mcp/customersProducts?action=recommendations", None), ("status", "GET", "/openapi.json", None)]


@pytest.mark.parametrize("program, method, target, body", VALGRIND, ids=lambda x: str(x)[:40])
def test_under_valgrind(souk, program, method, target, body):
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    # Statically known one-time allocations of libraries are reachable at the end; what is lost is ours.
    done = run(souk, program, method, target, body, timeout=300, wrapper=(
        "valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite", "--log-fd=2"), API_TIMEOUT_MS="60000")
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    assert parse(done.stdout).status in (200, 400)
