"""A caller that gives up: the statement that works for it in the database ends, too."""
import json
import socket
import threading

import support

MODERN_META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


def running(souk):
    return souk.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%FROM pg_sleep((%' AND pid <> pg_backend_pid()")


def ended_as(souk, token, code):
    """How the record says that the one call of this token has ended: not by the deadline, which is another word."""
    found = f"SELECT string_agg(coalesce(error_code, 'OK'), ' ') FROM souk.interactions WHERE token_id = '{support.token_id(token)}'"
    support.wait_until(lambda: souk.value(found))
    assert souk.value(found) == code
    support.wait_until(lambda: running(souk) == "0")


def test_a_modern_client_that_leaves_ends_its_statement(souk):
    """The stream that opens while it waits is how the web server notices."""
    token = souk.token("test:run")
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                       "params": {"name": "test_slow", "arguments": {"ms": 20000}, "_meta": MODERN_META}}).encode()
    head = (f"POST /mcp HTTP/1.1\r\nHost: {souk.host}:{souk.port}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
            f"Authorization: Bearer {token}\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: test_slow\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    with socket.create_connection((souk.host, souk.port), timeout=30) as s:
        s.sendall(head + body)
        answer = b""
        while b"\n:\n\n" not in answer:
            part = s.recv(4096)
            assert part, answer
            answer += part
        assert b"text/event-stream" in answer and b"RateLimit-Remaining" in answer, answer
        assert running(souk) == "1"
    ended_as(souk, token, "MCP_CANCELLED")


def test_a_legacy_client_cancels_its_statement(souk):
    """The notification comes to another process than the call."""
    token = souk.token("test:run")
    hello = souk.mcp("initialize", {"protocolVersion": "2025-11-25", "capabilities": {"roots": {}}, "clientInfo": {"name": "t", "version": "1"}}, token=token)
    headers = {"Mcp-Session-Id": hello.headers["mcp-session-id"], "Accept": "application/json, text/event-stream"}
    answers = []
    call = threading.Thread(target=lambda: answers.append(
        souk.mcp("tools/call", {"name": "test_slow", "arguments": {"ms": 20000}}, rpc_id="slow-1", token=token, headers=headers)))
    call.start()
    support.wait_until(lambda: running(souk) == "1")
    for request in ("slow-2", 1):
        assert souk.mcp("notifications/cancelled", {"requestId": request}, rpc_id=None, token=token, headers=headers).status == 202
    stranger = {k: v for k, v in headers.items() if k == "Accept"}
    assert souk.mcp("notifications/cancelled", {"requestId": "slow-1"}, rpc_id=None, token=souk.admin, headers=stranger).status == 202
    assert running(souk) == "1", "of these none was meant"
    assert souk.mcp("notifications/cancelled", {"requestId": "slow-1", "reason": "tired"}, rpc_id=None, token=token, headers=headers).status == 202
    call.join(60)
    assert answers[0].status == 202 and answers[0].text == "", answers
    ended_as(souk, token, "MCP_CANCELLED")
