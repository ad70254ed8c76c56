"""Tools that destroy something ask first: by a token from a preview, or by the client's user."""
import re

import support

MODERN = "2026-07-28"


def counter(souk, key):
    return souk.value(f"SELECT convert_from(value, 'UTF8') FROM souk.kv WHERE key = 'test_write:{key}'")


def preview(client, key, token):
    outcome = client.call_once("test_confirm", {"key": key}, token=token)
    assert outcome.message.startswith(f"Remove the counter {key}? Nothing was done yet."), outcome
    return re.search(r'"confirm": "(v1[.][A-Za-z0-9_-]+)"', outcome.message)[1]


def test_a_preview_does_nothing_and_its_token_does_it_once(souk):
    client = souk.client()
    key, other = support.unique("a"), support.unique("b")
    for name in (key, other):
        assert client.call("test_write", {"key": name, "add": 5}, token=souk.admin).ok
    mark = preview(client, key, souk.admin)
    assert counter(souk, key) == "5"
    wrong = client.call_once("test_confirm", {"key": other, "confirm": mark}, token=souk.admin)
    assert not wrong.ok and wrong.message.startswith("confirm: "), wrong
    runner = souk.token("test:run")
    wrong = client.call_once("test_confirm", {"key": key, "confirm": mark}, token=runner)
    assert not wrong.ok and wrong.message.startswith("confirm: "), "another caller's"
    assert (counter(souk, key), counter(souk, other)) == ("5", "5")
    done = client.call_once("test_confirm", {"key": key, "confirm": mark}, token=souk.admin)
    assert done.ok and done.value == {"key": key, "removed": 5}
    again = client.call_once("test_confirm", {"key": key, "confirm": mark}, token=souk.admin)
    assert not again.ok and "used already" in again.message
    assert counter(souk, key) is None and counter(souk, other) == "5"


def test_no_scope_no_preview(souk):
    outcome = souk.client().call_once("test_confirm", {"key": "a"}, token=souk.monitor)
    assert outcome.reply.status == 403 and "test:run" in outcome.message


def ask_user(client, key, token, **more):
    meta = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    reply = client.mcp("tools/call", {"name": "test_confirm", "arguments": {"key": key}, "_meta": meta, **more}, token=token,
                       headers={"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "test_confirm"})
    assert reply.status == 200, reply
    return reply.json.get("result"), reply.json.get("error")


def test_the_user_is_asked_where_the_client_can(souk):
    client = souk.client()
    key = support.unique("c")
    assert client.call("test_write", {"key": key, "add": 7}, token=souk.admin).ok
    asked, _ = ask_user(client, key, souk.admin)
    assert asked["resultType"] == "input_required"
    assert asked["inputRequests"]["confirm"]["params"]["message"] == f"Remove the counter {key}?"
    yes = {"confirm": {"action": "accept", "content": {"ok": True}}}
    for answer in ({"action": "decline"}, {"action": "cancel"}, {"action": "accept", "content": {"ok": False}}):
        refused = ask_user(client, key, souk.admin)[0]["requestState"]
        for later in ({"confirm": answer}, yes):
            result, _ = ask_user(client, key, souk.admin, inputResponses=later, requestState=refused)
            assert result["isError"] and counter(souk, key) == "7", "after a no there is no yes to the same question"
    state = asked["requestState"]
    result, _ = ask_user(client, key, souk.admin, inputResponses=yes)
    assert result["resultType"] == "input_required" and counter(souk, key) == "7", "a yes to what nobody has asked"
    _, error = ask_user(client, key, souk.admin, inputResponses=yes, requestState=state + "-TAMPERED")
    assert error["code"] == -32602 and counter(souk, key) == "7"
    result, _ = ask_user(client, key, souk.admin, inputResponses=yes, requestState=state)
    assert result["structuredContent"] == {"key": key, "removed": 7} and counter(souk, key) is None
    assert client.call("test_write", {"key": key, "add": 7}, token=souk.admin).ok
    result, _ = ask_user(client, key, souk.admin, inputResponses=yes, requestState=state)
    assert result["isError"] and "used already" in str(result) and counter(souk, key) == "7", "one yes, one call"
