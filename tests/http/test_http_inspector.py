"""The official Inspector's command line, over HTTP through the web server and over stdio: what it lists, calls and reads, and what its --strict finds fault with.

NODE22 names a node_modules with Node 22 and the Inspector. Its command line knows neither completion nor subscriptions; the SDK clients in tests/e2e do these.
"""
import json
import os
import subprocess

import pytest

MODULES = os.environ.get("NODE22") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "tests", "conformance", "node_modules")
# No web server has a part in the second: once is enough.
ADDRESSES = ["http"] + ["stdio"] * (os.environ.get("SERVER", "lighttpd") == "lighttpd")


class Inspector:
    def __init__(self, souk, how, folder):
        self.souk, self.how, self.folder = souk, how, folder

    def run(self, method, *args):
        """Exit status, result, standard error."""
        if self.how == "http":
            where = [self.souk.url + "/mcp", "--transport", "http", "--header", "Authorization: Bearer " + self.souk.admin]
        else:
            where = [os.path.join(os.path.dirname(self.souk.bin), "souk-stdio"), "-e", "SOUK_TOKEN=" + self.souk.admin, "-e", "SOUK_CONF=" + self.souk.conf]
        done = subprocess.run([os.path.join(MODULES, ".bin", "node"), os.path.join(MODULES, ".bin", "mcp-inspector"), "--cli", *where,
                               "--method", method, "--format", "json", *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, text=True,
                              env={**os.environ, "MCP_INSPECTOR_SECRET_STORE": "memory", "HOME": str(self.folder)})
        return done.returncode, json.loads(done.stdout)["result"] if done.returncode in (0, 6) and done.stdout else None, done.stderr


@pytest.fixture(params=ADDRESSES)
def inspector(souk, request, tmp_path):
    return Inspector(souk, request.param, tmp_path)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_finds_no_fault_with_any_tool(inspector, era):
    status, result, errors = inspector.run("tools/list", "--strict", "--protocol-era", era)
    assert status == 0, errors
    assert len(result["tools"]) > 10


def test_calls_reads_and_gets(inspector):
    status, result, errors = inspector.run("tools/call", "--tool-name", "search_products", "--tool-args-json", '{"query":"lampe","limit":2}')
    assert status == 0, errors
    assert len(result["structuredContent"]["products"]) == 2
    status, result, errors = inspector.run("resources/read", "--uri", "souk://products/categories")
    assert status == 0, errors
    assert json.loads(result["contents"][0]["text"])["categories"]
    status, result, errors = inspector.run("prompts/get", "--prompt-name", "greeting", "--prompt-args", "customerName=Zoé", "language=fr")
    assert status == 0, errors
    assert "Zoé" in result["messages"][0]["content"]["text"]


def test_is_told_what_is_wrong(inspector):
    status, _, errors = inspector.run("tools/call", "--tool-name", "search_products", "--tool-args-json", '{"limit":"many"}')
    assert status == 5, errors


def test_sees_the_views(inspector):
    status, result, errors = inspector.run("tools/list", "--advertise-apps")
    assert status == 0, errors
    assert {t["_meta"]["ui"]["resourceUri"] for t in result["tools"] if "ui" in t.get("_meta", {})} == {"ui://souk/product-cards", "ui://souk/basket", "ui://souk/order"}
