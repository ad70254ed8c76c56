"""What the build refuses: build/embed, which writes the tool table, ends with an error that names the file."""
import copy
import json
import os
import subprocess

import pytest

import support

EMBED = os.path.join(support.ROOT, os.environ.get("SOUK_BUILD", "build"), "embed")
GOOD = {
    "name": "t", "title": "T", "description": "D", "inputSchema": {"type": "object", "properties": {"a": {"type": "string"}}},
    "outputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False},
    "x-scope": "none", "x-rate": "data", "x-servers": ["catalog"],
}


def embed(folder, files):
    """Write the files below folder and run the program on them."""
    for name, text in files.items():
        os.makedirs(os.path.dirname(folder / name), exist_ok=True)
        (folder / name).write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return subprocess.run([EMBED, *files], cwd=folder, capture_output=True, text=True)


def changed(**members):
    contract = copy.deepcopy(GOOD) | {k.replace("x_", "x-"): v for k, v in members.items()}
    return {k: v for k, v in contract.items() if v is not None}


def test_a_good_contract_becomes_c(tmp_path):
    done = embed(tmp_path, {"tools/catalog/t.json": GOOD, "tools/catalog/t.sql": "-- what it does\n\nSELECT '\"?'\n"})
    assert done.returncode == 0 and done.stderr == ""
    assert "what it does" not in done.stdout and r"""SELECT '\"\?'\n""" in done.stdout
    c = tmp_path / "tools.c"
    c.write_text(done.stdout, encoding="utf-8")
    flags = subprocess.run(["pkg-config", "--cflags", "json-c", "libpq"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-fsyntax-only",
                    "-I", os.path.join(support.ROOT, "lib"), *flags, str(c)], check=True)


BROKEN = {
    "not JSON": ({"tools/catalog/t.json": "{"}, "tools/catalog/t.json: JSON: byte"),
    "no title": ({"tools/catalog/t.json": changed(title=None)}, "tools/catalog/t.json: title is missing"),
    "no scope": ({"tools/catalog/t.json": changed(x_scope=None)}, "tools/catalog/t.json: x-scope is missing"),
    "unknown rate class": ({"tools/catalog/t.json": changed(x_rate="fast")}, 'tools/catalog/t.json: x-rate "fast" is no rate class'),
    "unknown handler": ({"tools/catalog/t.json": changed(x_handler="nobody"), "tools/catalog/t.sql": None},
                        'tools/catalog/t.json: x-handler "nobody" is unknown'),
    "unknown keyword": ({"tools/catalog/t.json": changed(inputSchema={"type": "object", "properties": {"a": {"contains": {}}}})},
                        'tools/catalog/t.json: inputSchema: a: keyword "contains" is not implemented'),
    "query of two pairs": ({"tools/catalog/t.json": changed(x_rest={"method": "GET", "path": "/x", "query": {"a": "1", "b": "2"}})},
                           "tools/catalog/t.json: x-rest: query must be one pair of texts"),
    "no work": ({"tools/catalog/t.json": GOOD, "tools/catalog/t.sql": None}, "tools/catalog/t.json: neither a statement nor x-handler"),
    "name taken": ({"tools/catalog/t.json": GOOD, "tools/orders/u.json": changed(name="u", x_servers=["orders"], x_aliases=["t"]),
                    "tools/orders/u.sql": "SELECT 1"}, 'the name "t" belongs to'),
    "given twice": ({"tools/catalog/t.json": GOOD, "other/catalog/t.json": GOOD}, "other/catalog/t.json: given twice"),
    "statement alone": ({"tools/catalog/t.json": GOOD, "tools/catalog/u.sql": "SELECT 1"}, "tools/catalog/u.sql: a statement without a contract"),
    "nothing": ({"tools/catalog/t.json": ""}, "tools/catalog/t.json: nothing in it"),
    "only a comment": ({"tools/catalog/t.json": GOOD, "tools/catalog/t.sql": "-- nothing\n"}, "tools/catalog/t.sql: no statement in it"),
    "bad file name": ({"tools/catalog/T.json": GOOD}, "tools/catalog/T.json: a contract is server/name.json"),
    "long name": ({f"tools/catalog/{'t' * 60}.json": GOOD}, "the name is too long"),
    "very long": ({"tools/catalog/t.json": changed(description="D" * 70000)}, "tools/catalog/t.json: is longer than 65536 bytes"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_build_refuses(tmp_path, name):
    files, why = BROKEN[name]
    done = embed(tmp_path, {k: v for k, v in ({"tools/catalog/t.sql": "SELECT 1\n"} | files).items() if v is not None})
    assert done.returncode == 1 and why in done.stderr and len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
