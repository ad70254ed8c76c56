"""Each route of the live description: permissions, methods, parameters, the one error form, the headers that every answer has."""
import pytest

import contracts
import support
from support import assert_error, assert_rate_headers

SAMPLE_PATH = {"handle": "pay_x", "server": "catalog", "execution_id": "test_0"}


@pytest.fixture(scope="module")
def operations(souk):
    """(path, method, operation) of everything that is described."""
    paths = souk.get("/openapi.json").json["paths"]
    found = [(p, m, op) for p, item in paths.items() for m, op in item.items() if m in ("get", "post", "put", "patch", "delete")]
    assert len(found) >= 10
    return found


def concrete(path, operation=None):
    for name, value in SAMPLE_PATH.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path, f"a sample for the variable of {path} is needed"
    fixed = [p for p in (operation or {}).get("parameters", []) if p["in"] == "query" and p.get("required")]
    return path + "".join(("&" if i else "?") + f"{p['name']}={p['schema']['enum'][0] if 'enum' in p['schema'] else 'x'}" for i, p in enumerate(fixed))


def body_for(method):
    return {"json_body": {}} if method in ("post", "put", "patch") else {}


def test_everything_is_described(souk, operations):
    """The description is generated, so what a tool's contract says has to be in it."""
    described = {(p, m) for p, m, _ in operations}
    for contract in contracts.load().values():
        if "x-rest" in contract:
            assert (contract["x-rest"]["path"], contract["x-rest"]["method"].lower()) in described
    for server_path in ("/mcp", "/mcp/{server}"):
        assert (server_path, "post") in described


def test_description_is_complete(operations):
    for path, method, op in operations:
        assert op.get("summary") and op.get("operationId"), (path, method)
        assert op["x-scope"] == "none" or {"token": []} in op["security"] and {} not in op["security"]
        assert any(status[0] in "23" for status in op["responses"]), (path, method)
        if op["x-scope"] != "none":
            assert {"401", "403"} <= set(op["responses"]), (path, method)
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            assert any(p["in"] == "path" and p["name"] == name and p["required"] for p in op["parameters"])


def test_no_token(souk, operations):
    for path, method, op in operations:
        client = souk.client(source=support.loopback())
        reply = client.request(method.upper(), concrete(path, op), **body_for(method))
        client.close()
        assert_rate_headers(reply)
        if op["x-scope"] == "none":
            assert reply.status not in (401, 403), (path, method, reply)
        else:
            assert_error(reply, 401, "MCP_AUTH_REQUIRED")
            assert reply.headers["www-authenticate"].startswith("Bearer")


def test_bad_token(souk, operations):
    for path, method, op in operations:
        if path.startswith(("/oauth/", "/.well-known/")):
            continue  # where tokens come from: clients prove themselves in another way
        reply = souk.request(method.upper(), concrete(path, op), token="mcp_key_nonsense", **body_for(method))
        if path in ("/healthz", "/readyz"):
            assert reply.status == 200, reply  # probes look at no token, so that they need no database
            continue
        assert reply.status == 401, (path, method, reply)
        assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_every_scope(souk, operations, scope_tokens):
    for path, method, op in operations:
        for scope, token in scope_tokens.items():
            reply = souk.request(method.upper(), concrete(path, op), token=token, **body_for(method))
            assert_rate_headers(reply)
            if op["x-scope"] in ("none", scope):
                assert reply.status not in (401, 403), (path, method, scope, reply)
            else:
                assert_error(reply, 403, "MCP_FORBIDDEN", mentions=op["x-scope"])
                assert f'scope="{op["x-scope"]}"' in reply.headers["www-authenticate"]


def test_methods(souk, operations):
    """What a path does not serve is 405, with Allow naming exactly what it does."""
    for path in sorted({p for p, _, _ in operations}):
        served = {m.upper() for p, m, _ in operations if p == path}
        if "GET" in served:
            served.add("HEAD")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if method in served:
                continue
            reply = souk.request(method, concrete(path), token=souk.admin, **body_for(method.lower()))
            assert_error(reply, 405)
            allow = set(reply.headers["allow"].replace(" ", "").split(",")) - {"OPTIONS"}
            assert allow == served, (path, method, reply.headers["allow"])


def test_request_id_and_headers_on_every_answer(souk, operations):
    for path, method, op in operations:
        for token in (souk.admin, "mcp_key_bad", None):
            ident = f"contract-{method}-0123456789"
            reply = souk.request(method.upper(), concrete(path, op), token=token, headers={"X-Request-Id": ident}, **body_for(method))
            assert reply.headers["x-request-id"] == ident, (path, reply)
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert "cache-control" in reply.headers
            assert_rate_headers(reply)
            # OAuth has pages for people, and an error form of its own
            if reply.status >= 400 and "jsonrpc" not in reply.text and not path.startswith("/oauth/"):
                assert assert_error(reply, reply.status)["request_id"] == ident


def test_unknown_parameters(souk, operations):
    """A misspelt parameter of a tool's route is told, not left aside."""
    seen = 0
    for path, method, op in operations:
        if method == "get" and any(p["in"] == "query" for p in op.get("parameters", [])):
            reply = souk.get(concrete(path, op) + ("&" if "?" in concrete(path, op) else "?") + "no_such_parameter=1", token=souk.admin)
            assert_error(reply, 400, mentions="no_such_parameter")
            seen += 1
    assert seen >= 3


def test_unknown_routes(souk):
    for path in ("/api/nothing", "/api/mcp/nothing", "/mcp/nothing", "/mcp/catalog/nothing", "/oauth/nothing", "/admin/api/nothing", "/webhooks/nothing"):
        for method in ("GET", "POST", "DELETE"):
            reply = souk.request(method, path, token=souk.admin, **body_for(method.lower()))
            if method != "POST" and path == "/mcp/nothing":
                assert_error(reply, 405)  # no server of this family is asked that way
            else:
                assert_error(reply, 404, "MCP_NOT_FOUND")
            assert_rate_headers(reply)


def test_where_clients_look_for_oauth(souk):
    """The documents, and a clean 404 where there is none: a page there would mislead clients."""
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        assert souk.get(path).json["issuer"] == souk.url
    for path in ("/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"):
        assert souk.get(path).json["resource"] == souk.url + "/mcp"
    for path in ("/.well-known/oauth-authorization-server/mcp", "/.well-known/openid-configuration/mcp", "/.well-known/oauth-protected-resource/mcp/nothing",
                 "/.well-known/oauth-protected-resource/api", "/mcp/.well-known/oauth-authorization-server"):
        assert souk.get(path).status == 404, path
        assert "html" not in souk.get(path).headers["content-type"], path


def test_answers_fit_their_description(souk, operations):
    import jsonschema
    checked = 0
    for path, method, op in operations:
        schema = op["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
        if method != "get" or not schema:
            continue
        reply = souk.get(concrete(path, op), token=souk.admin)
        if reply.status == 200:
            jsonschema.Draft202012Validator(schema).validate(reply.json)
            checked += 1
    assert checked >= 6


def test_description_as_openapi_readers_see_it(souk):
    """No member twice, no dangling reference, each id once, each tag used: what linters stumble over first."""
    import json

    def once(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)
    doc = json.loads(souk.get("/openapi.json").body, object_pairs_hook=once)
    text = json.dumps(doc)
    import re
    for ref in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        at = doc
        for part in ref.split("/"):
            at = at[part]
    assert doc["info"]["title"] and doc["info"]["version"] and doc["info"].get("license")
    assert doc["servers"][0]["url"].startswith("http")
