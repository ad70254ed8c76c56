"""souk token, config, call, doctor, completion, help: what people type."""
import json
import os
import subprocess

import pytest

from cli import BIN, PEPPER, Cluster


@pytest.fixture(scope="module")
def shop():
    c = Cluster()
    s = c.shop()
    s.souk("import", "-", stdin=b"sku,name,price,stock\nLMP-1,Lampe,149.90,3\n")
    yield s
    c.stop()


def make_token(shop, *options):
    return json.loads(shop.souk("token", "create", "--json", "--name", "test", *options))


COMMANDS = ["migrate", "demo load", "import", "export products", "export orders", "token create", "token list", "token rotate", "token revoke",
            "config list", "config get", "config", "call", "serve", "doctor", "completion", "help"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(shop, command):
    out = shop.souk(*command.split(), "--help")
    assert out.startswith(f"Usage: souk {command}") and "--help" in out
    assert command in shop.souk("--help")
    shop.souk(*command.split(), "--no-such-option", code=2)


def test_misspelt_commands_are_told(shop):
    shop.souk("imprt", code=2)
    assert 'no command "imprt"' in shop.err
    shop.souk("help", "imprt", code=2)
    for words in (["token"], ["token", "revok"]):
        shop.souk(*words, code=2)
        assert "one of create, list, rotate, revoke is expected" in shop.err
    shop.souk(code=2)
    assert shop.souk("--version").startswith("souk ")


def test_a_token_is_shown_once(shop):
    made = make_token(shop, "--scope", "status:read, inventory:read", "--rate-class", "bulk", "--expires", "30d", "--ip", "127.0.0.1,10.0.0.0/8")
    assert made["token"].startswith(f"mcp_key_{made['id']}_")
    secret = made["token"].split("_")[3]
    listed = shop.souk("token", "list") + shop.souk("token", "list", "--json")
    assert made["id"] in listed and secret not in listed
    row = next(t for t in json.loads(shop.souk("token", "list", "--json")) if t["id"] == made["id"])
    assert row["scopes"] == ["status:read", "inventory:read"] and row["rateClass"] == "bulk" and row["expiresAt"] and row["active"]
    assert secret not in shop.value("SELECT string_agg(to_json(t)::text, '') FROM souk.tokens t")


def test_a_token_for_no_address_is_not_made(shop):
    """An empty list is a mistake (a variable that is not set), not a token that works from everywhere; of 10.0.0.1/8 the network is meant."""
    count = shop.value("SELECT count(*) FROM souk.tokens")
    for options, code in ((["--ip", ""], 2), (["--ip="], 2), (["--ip", " , "], 1), (["--ip", "10.0.0.0/33"], 1)):
        shop.souk("token", "create", "--name", "test", "--scope", "status:read", *options, code=code)
    assert shop.value("SELECT count(*) FROM souk.tokens") == count
    made = make_token(shop, "--scope", "status:read", "--ip", "10.0.0.1/8, 2001:db8::1/32")
    assert shop.value(f"SELECT ip_allow::text FROM souk.tokens WHERE id = '{made['id']}'") == "{10.0.0.0/8,2001:db8::/32}"


def test_tokens_are_rotated_and_revoked(shop):
    old = make_token(shop, "--scope", "inventory:read")
    shop.souk("call", "inventory", "{}", "--as", old["token"])
    new = json.loads(shop.souk("token", "rotate", old["id"], "--overlap", "1h", "--json"))
    for t in (old, new):
        shop.souk("call", "inventory", "{}", "--as", t["token"])
    shop.souk("token", "revoke", old["id"])
    shop.souk("call", "inventory", "{}", "--as", old["token"], code=1)
    shop.souk("call", "inventory", "{}", "--as", new["token"])
    shop.souk("token", "revoke", "nosuchtoken1", code=1)


def test_token_options_are_checked(shop):
    shop.souk("token", "create", "--name", "x", code=2)
    shop.souk("token", "create", "--name", "x", "--scope", "a:b", "--expires", "soon", code=2)
    shop.souk("token", "create", "--name", "x", "--scope", "no scope!", code=1)
    shop.souk("token", "create", "--name", "x", "--scope", "*", "--ip", "not an address", code=1)


def test_tools_are_called_with_rights(shop):
    product = json.loads(shop.souk("call", "get_product_details", '{"sku": "LMP-1"}'))
    assert "LMP-1" in json.dumps(product)
    shop.souk("call", "inventory", "{}", code=1)
    assert "MCP_AUTH_REQUIRED" in shop.err
    token = make_token(shop, "--scope", "status:read")["token"]
    shop.souk("call", "inventory", "{}", "--as", token, code=1)
    assert "MCP_FORBIDDEN" in shop.err
    assert json.loads(shop.souk("call", "inventory", "{}", "--admin"))
    shop.souk("call", "no_such_tool", code=1)
    shop.souk("call", "get_product_details", '{"sku": 5}', code=1)
    shop.souk("call", "get_product_details", "{not json", code=2)
    shop.souk("call", "get_product_details", "[]", code=2)
    shop.souk("call", "get_product_details", '{"sku": "none such"}', code=1)
    assert "MCP_NOT_FOUND" in shop.err
    assert int(shop.value("SELECT count(*) FROM souk.interactions WHERE transport = 'cli'")) > 0


def test_configuration_hides_secrets(shop):
    out = shop.souk("config", "list")
    assert "TOKEN_PEPPER = (set)" in out and PEPPER not in out and shop.url not in out
    assert shop.souk("config", "get", "SHOP_CURRENCY") == "EUR\n"
    assert PEPPER not in shop.souk("config", "get", "TOKEN_PEPPER")
    shop.souk("config", "get", "NO_SUCH", code=2)
    assert "SHOP_CURRENCY" in shop.souk("config", "--example") and "SHOP_CURRENCY" in shop.souk("config", "--markdown")
    shop.souk("config", code=2)


def test_the_example_is_a_configuration(shop, tmp_path):
    path = tmp_path / "souk.conf"
    path.write_text(shop.souk("config", "--example"))
    shop.souk("config", "list", f"--config={path}")
    path.write_text("NO_SUCH_KEY = 1\n")
    shop.souk("config", "list", "--config", path, code=2)
    assert "NO_SUCH_KEY" in shop.err


def test_the_doctor_finds_and_mends(shop, tmp_path):
    found = json.loads(shop.souk("doctor", "--json"))
    state = {f["check"]: f["state"] for f in found["findings"]}
    assert found["ok"] and state["database"] == state["migrations"] == state["clock"] == "ok"
    assert all(f["mend"] for f in found["findings"] if f["state"] != "ok")
    found = json.loads(shop.souk("doctor", "--json", "--url", "http://127.0.0.1:9", code=1))
    assert next(f for f in found["findings"] if f["check"] == "web")["state"] == "error"
    found = json.loads(shop.souk("doctor", "--json", code=1, DATABASE_URL=f"postgresql://maker@/nowhere?host={tmp_path}"))
    assert next(f for f in found["findings"] if f["check"] == "database")["state"] == "error"
    found = json.loads(shop.souk("doctor", "--json", code=1, TOKEN_PEPPER=""))
    assert any("TOKEN_PEPPER" in f["finding"] for f in found["findings"])
    found = json.loads(shop.souk("doctor", "--json", code=1, STATE_DIR=str(tmp_path / "absent")))
    assert next(f for f in found["findings"] if f["check"] == "state")["state"] == "error"
    found = json.loads(shop.souk("doctor", "--json", REDIS_URL=f"unix:{tmp_path}/none.sock"))
    assert next(f for f in found["findings"] if f["check"] == "redis")["state"] == "warning"


def complete(shop, line):
    """What bash offers at the end of the line."""
    words = line.split(" ")
    script = shop.souk("completion", "bash") + (
        f"\nCOMP_WORDS=({' '.join(repr(w) for w in words)})\nCOMP_CWORD={len(words) - 1}\ncompopt() {{ :; }}\n_souk\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
    done = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, cwd="/",
                          env=dict(os.environ, PATH=os.environ["PATH"]))
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split("\n")[:-1]


def test_bash_completes(shop):
    assert complete(shop, "souk imp") == ["import"]
    assert complete(shop, "souk tok") == ["token"]
    assert {"create", "list", "rotate", "revoke"} <= set(complete(shop, "souk token "))
    assert complete(shop, "souk import --dr") == ["--dry-run"]
    assert complete(shop, "souk token create --ra") == ["--rate-class="]
    assert complete(shop, "souk import --format xl") == ["xlsx"]
    assert complete(shop, "souk import --format = js") == ["json", "jsonl"]
    shop.souk("completion", "fish", code=2)


def test_zsh_rules_name_every_command(shop):
    out = shop.souk("completion", "zsh")
    assert out.startswith("#compdef souk")
    for command in COMMANDS:
        assert f"'{command}')" in out


def test_output_that_cannot_be_written_is_told(shop):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BIN, "export", "products"], env=shop.env, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode != 0 and b"No space left" in done.stderr


def test_housekeeping_keeps_keys_as_long_as_configured(shop):
    shop.value("INSERT INTO souk.idempotency_keys (principal, key, request_hash, created_at) "
               "SELECT 'p', 'k' || i, '', now() - interval '30 hours' FROM generate_series(1, 10001) i RETURNING 1")
    assert json.loads(shop.souk("housekeep", IDEMPOTENCY_KEEP_H="31"))["idempotency_keys"] == 0
    rounds = [json.loads(line) for line in shop.souk("housekeep", IDEMPOTENCY_KEEP_H="29").splitlines()]
    assert [r["idempotency_keys"] for r in rounds] == [10000, 1]
