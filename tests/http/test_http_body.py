"""Request bodies: sizes, chunks, types, and what is cut off in the middle."""
import json
import socket
import time

import pytest

import support

MAX = 1 << 20


def ping(size):
    """A call that is exactly size bytes long."""
    empty = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": {"x": ""}}})
    return empty.replace('"x": ""', '"x": "' + "y" * (size - len(empty)) + '"').encode()


def chunks(body, size):
    for i in range(0, len(body), size):
        piece = body[i:i + size]
        yield b"%x\r\n" % len(piece) + piece + b"\r\n"
    yield b"0\r\n\r\n"


def head(souk, extra, path="/mcp", method="POST"):
    return (f"{method} {path} HTTP/1.1\r\nHost: {souk.host}:{souk.port}\r\nAuthorization: Bearer {souk.admin}\r\n"
            f"Accept: application/json\r\nContent-Type: application/json\r\nConnection: close\r\n{extra}\r\n").encode()


def send_chunked(souk, body, size, pause=None):
    pieces = [head(souk, "Transfer-Encoding: chunked\r\n")]
    if pause:
        pieces += list(chunks(body, size))
    else:
        pieces.append(b"".join(chunks(body, size)))
    return support.parse_raw(support.raw(souk, pieces, pause=pause))


def test_largest_body_passes(souk):
    reply = souk.post("/mcp", body=ping(MAX), token=souk.admin)
    assert reply.status == 200 and reply.json["result"] == {}, reply


def test_one_byte_more_is_413(souk):
    reply = souk.post("/mcp", body=ping(MAX + 1), token=souk.admin)
    support.assert_error(reply, 413, mentions=str(MAX))


@pytest.mark.parametrize("size", [1, 7, 1000, 65536])
def test_chunked(souk, size):
    body = ping(200 if size == 1 else 140000)
    reply = send_chunked(souk, body, size)
    assert reply.status == 200 and reply.json["result"] == {}, reply


def test_chunked_largest(souk):
    reply = send_chunked(souk, ping(MAX), 8192)
    assert reply.status == 200 and reply.json["result"] == {}, reply


def test_chunked_too_large(souk):
    reply = send_chunked(souk, ping(MAX + 1), 8192)
    support.assert_error(reply, 413, mentions=str(MAX))


def test_chunked_slowly(souk):
    """A chunk every tenth of a second arrives whole."""
    reply = send_chunked(souk, ping(300), 60, pause=0.1)
    assert reply.status == 200 and reply.json["result"] == {}, reply


def test_far_too_large_is_refused_by_someone(souk):
    """8 MiB: web server or program, but 413 either way, and before all of it was sent."""
    with socket.create_connection((souk.host, souk.port), timeout=20) as s:
        s.sendall(head(souk, f"Content-Length: {8 << 20}\r\n"))
        sent = 0
        try:
            while sent < 8 << 20:
                sent += s.send(b"x" * 65536)
        except OSError:
            pass
        s.settimeout(20)
        status = support.read_all(s).split(b"\r\n")[0]
    assert b" 413 " in status, status


def test_body_is_bytes_not_characters(souk):
    """The limit counts bytes: 600,000 two-byte characters are too many."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "é" * 600000}}, ensure_ascii=False).encode()
    support.assert_error(souk.post("/mcp", body=body, token=souk.admin), 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "application/jsonp", "application/jso", "application", "", None])
def test_other_types_are_415(souk, kind):
    reply = souk.post("/mcp", body=ping(200), token=souk.admin, headers={"Content-Type": kind})
    assert reply.status == 415 and "Content-Type" in reply.json["error"]["message"], reply
    assert "result" not in reply.text


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8",
                                  "Application/JSON"])
def test_json_types_pass(souk, kind):
    reply = souk.post("/mcp", body=ping(200), token=souk.admin, headers={"Content-Type": kind})
    assert reply.status == 200, reply


def test_large_body_to_a_route_without_one(souk):
    """A body on GET is left alone or refused by the server, but is never taken for the next request."""
    c = souk.client()
    for _ in range(3):
        body = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50
        assert c.request("GET", "/api/mcp/status", body=body, token=souk.admin).status in (200, 400)
        assert c.request("GET", "/healthz").json == {"status": "ok"}
    c.close()


def test_cut_off_body_is_no_call(souk):
    """A client that leaves in the middle of its body costs nothing and calls nothing."""
    for _ in range(5):
        support.raw(souk, head(souk, "Content-Length: 1000\r\n") + ping(300), read=False)
    time.sleep(0.2)
    assert souk.mcp("ping", token=souk.admin).status == 200


def test_expect_continue(souk):
    """curl asks before it sends a large body."""
    body = ping(100000)
    with socket.create_connection((souk.host, souk.port), timeout=20) as s:
        s.sendall(head(souk, f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"))
        s.settimeout(5)
        first = s.recv(4096)
        assert first.startswith(b"HTTP/1.1 100"), first
        s.settimeout(20)
        s.sendall(body)
        rest = first.partition(b"\r\n\r\n")[2] + support.read_all(s)
    assert support.parse_raw(rest).status == 200, rest[:200]


@pytest.mark.parametrize("extra", [
    "Content-Length: 10\r\nContent-Length: 11\r\n",
    "Content-Length: -1\r\n",
    "Content-Length: 1x\r\n",
    "Content-Length: 99999999999999999999\r\n",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "Transfer-Encoding: xchunked\r\n",
])
def test_ambiguous_lengths_are_refused(souk, extra):
    """What could be understood as two requests is one refusal, and the connection ends."""
    smuggled = f"GET /healthz HTTP/1.1\r\nHost: {souk.host}:{souk.port}\r\nConnection: close\r\n\r\n".encode()
    answer = support.raw(souk, head(souk, extra) + b"0\r\n\r\n" + smuggled, timeout=25)
    status = int(answer.split(b" ")[1])
    assert status in (400, 411, 413, 501), answer[:300]
    assert b'"status":"ok"' not in answer, answer


@pytest.mark.parametrize("bad", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n", b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"])
def test_bad_chunks_are_refused(souk, bad):
    answer = support.raw(souk, head(souk, "Transfer-Encoding: chunked\r\n") + bad, timeout=25)
    assert int(answer.split(b" ")[1]) in (400, 408, 411, 413, 500), answer[:300]
    assert b'"result"' not in answer, answer
