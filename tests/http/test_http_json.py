"""JSON texts of all kinds through a real endpoint: what is wrong is refused as a whole, what is right is never called wrong."""
import json
import tarfile

import pytest

import support

PARSE_ERROR = -32700
INVALID_REQUEST = -32600


def nested(n):
    return b"[" * n + b"]" * n


# What parsers are known to get wrong. Always run, also where the public suite is absent.
REFUSED = {
    "nothing": b"",
    "blank": b" \n\t ",
    "byte order mark": b"\xef\xbb\xbf{}",
    "NUL behind": b"{}\0",
    "NUL inside": b'{"a":1,\0"b":2}',
    "two values": b"{}{}",
    "text behind": b"{} x",
    "comma behind": b'{"a":1,}',
    "comma in array": b"[1,]",
    "comment": b'{/*x*/"a":1}',
    "line comment": b'{"a":1}//x',
    "single quotes": b"{'a':1}",
    "bare name": b"{a:1}",
    "no colon": b'{"a" 1}',
    "leading zero": b"[012]",
    "minus zero one": b"[-01]",
    "plus": b"[+1]",
    "point at end": b"[1.]",
    "point at start": b"[.5]",
    "minus point": b"[-.5]",
    "empty exponent": b"[1e]",
    "hexadecimal": b"[0x1F]",
    "NaN": b"[NaN]",
    "Infinity": b"[Infinity]",
    "minus Infinity": b"[-Infinity]",
    "True": b"[True]",
    "nul": b"[nul]",
    "raw newline in string": b'["a\nb"]',
    "raw tab in string": b'["a\tb"]',
    "DEL is fine but 1f is not": b'["\x1f"]',
    "bad escape": b'["\\x41"]',
    "short escape": b'["\\u12"]',
    "unclosed string": b'["a',
    "unclosed array": b"[1",
    "closed wrongly": b"[1}",
    "overlong slash": b'["\xc0\xaf"]',
    "overlong three bytes": b'["\xe0\x80\xaf"]',
    "surrogate in UTF-8": b'["\xed\xa0\x80"]',
    "above U+10FFFF": b'["\xf4\x90\x80\x80"]',
    "lone continuation": b'["\x80"]',
    "cut UTF-8": b'["\xe2\x82"]',
    "UTF-16": '{"a":1}'.encode("utf-16-le"),
    "duplicate member": b'{"a":1,"a":1}',
    "duplicate member by escape": b'{"a":1,"\\u0061":2}',
    "duplicate member deep": b'{"a":[{"b":1,"b":2}]}',
    "lone high surrogate": b'["\\ud800"]',
    "lone low surrogate": b'["\\udc00"]',
    "surrogates swapped": b'["\\udc00\\ud800"]',
    "NUL escape": b'["a\\u0000b"]',
    "NUL escape in a name": b'{"a\\u0000b":1}',
    "integer above int64": b"[9223372036854775808]",
    "integer below int64": b"[-9223372036854775809]",
    "huge exponent": b"[1e400]",
    "33 deep": nested(33),
    "100000 deep": b"[" * 100000,
    "100000 deep objects": b'{"a":' * 100000,
    "number of 200 digits": b"[0." + b"1" * 200 + b"]",
}
# JSON that cannot be taken: an error, but not a parse error, since the text is what it claims to be.
UNTAKEN = {"duplicate member", "duplicate member by escape", "duplicate member deep", "NUL escape", "NUL escape in a name",
           "integer above int64", "integer below int64", "huge exponent", "number of 200 digits"}
ACCEPTED = {
    "32 deep": nested(32),
    "int64": b"[9223372036854775807,-9223372036854775808]",
    "escapes": rb'["\u0041\"\\\/\b\f\n\r\t"]',
    "surrogate pair": b'["\\ud83d\\ude00"]',
    "emoji": '["😀"]'.encode(),
    "highest code point": '["\U0010ffff"]'.encode(),
    "DEL": b'["\x7f"]',
    "blanks": b" \r\n\t{ } \n",
    "minus zero": b"[-0]",
    "exponents": b"[1E+2,1e-2,0e1]",
    "empty name": b'{"":0}',
    "long text": b'["' + b"x" * 500000 + b'"]',
    "names that differ": b'{"a":1,"A":2}',
}


def post(souk, body, path="/mcp"):
    return souk.post(path, body=body, token=souk.admin)


def assert_parse_error(reply, about, code=PARSE_ERROR):
    assert reply.status == 400, f"{about}: {reply}"
    body = reply.json
    assert body["error"]["code"] == code, f"{about}: {reply}"
    assert body.get("jsonrpc") == "2.0" and body.get("id") is None, f"{about}: {reply}"
    support.assert_no_internals(reply)


def assert_not_parse_error(reply, about):
    assert reply.status < 500, f"{about}: {reply}"
    assert reply.json.get("error", {}).get("code") != PARSE_ERROR, f"{about}: {reply}"


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(souk, name):
    assert_parse_error(post(souk, REFUSED[name]), name, INVALID_REQUEST if name in UNTAKEN else PARSE_ERROR)


@pytest.mark.parametrize("name", ACCEPTED)
def test_takes(souk, name):
    reply = post(souk, ACCEPTED[name])
    assert_not_parse_error(reply, name)
    # It is JSON, but no call.
    assert reply.status == 400 and reply.json["error"]["code"] == -32600, reply


def test_nul_escape_is_named(souk):
    message = post(souk, b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"a\\u0000b"}').json["error"]["message"]
    assert "\\u0000" in message, message


def test_duplicate_is_named(souk):
    message = post(souk, b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}').json["error"]["message"]
    assert "duplicate" in message.lower(), message


def in_query(text):
    """The text as the query of a search."""
    return (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_products","arguments":{"query":'
            + text + b"}}}")


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_as_argument(souk, name):
    text = REFUSED[name]
    if name == "33 deep":
        text = nested(30)  # three levels are the call's own
    assert_parse_error(post(souk, in_query(text)), name, INVALID_REQUEST if name in UNTAKEN else PARSE_ERROR)


def test_argument_of_another_type_is_no_parse_error(souk):
    for text in (b"{}", b"[]", b"1", b"true", b"null", nested(28)):
        reply = post(souk, in_query(text))
        assert_not_parse_error(reply, text)
        assert "query" in reply.text and "result" not in reply.json or reply.json["result"]["isError"], reply


def test_public_suite(souk):
    """JSONTestSuite, 318 texts: as the whole body, and as an argument."""
    archive = support.data_file("json", "JSONTestSuite.tar.gz")
    if not archive:
        pytest.skip("the public test data is not here")
    seen = {"y": 0, "n": 0, "i": 0}
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            name = member.name.rpartition("/")[2]
            if "test_parsing/" not in member.name or not name.endswith(".json"):
                continue
            text = tar.extractfile(member).read()
            seen[name[0]] += 1
            for body in (text, in_query(text)):
                check_public(name, text, post(souk, body))
    assert seen == {"y": 95, "n": 188, "i": 35}


def texts(value):
    """All strings in a value, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for k, v in value.items():
            yield k
            yield from texts(v)
    elif isinstance(value, list):
        for v in value:
            yield from texts(v)


def check_public(name, text, reply):
    if name[0] == "n":
        assert_parse_error(reply, name)
    elif name[0] == "i":
        assert reply.status < 500, f"{name}: {reply}"
        json.loads(reply.text)
    elif any("\0" in t for t in texts(json.loads(text))):
        assert_parse_error(reply, name, INVALID_REQUEST)
        assert "\\u0000" in reply.json["error"]["message"], reply
    elif name.startswith("y_object_duplicated_key"):
        assert_parse_error(reply, name, INVALID_REQUEST)
        assert "duplicate" in reply.json["error"]["message"].lower(), reply
    else:
        assert_not_parse_error(reply, name)


def test_rest_error_form(souk):
    """A REST route refuses the same with the form of REST; registration answers as OAuth says, webhooks look at the signature first."""
    paths = souk.get("/openapi.json").json["paths"]
    writes = [p for p in paths if "application/json" in paths[p].get("post", {}).get("requestBody", {}).get("content", {})
              and not p.startswith(("/mcp", "/oauth/", "/webhooks/")) and "{" not in p]
    assert len(writes) > 2
    for path in writes:
        actions = [q["schema"]["enum"][0] for q in paths[path]["post"].get("parameters", []) if q["name"] == "action"]
        path += f"?action={actions[0]}" if actions else ""
        for name in ("comma behind", "duplicate member", "NUL escape", "overlong slash"):
            support.assert_error(souk.post(path, body=REFUSED[name], token=souk.admin), 400, mentions="JSON")
