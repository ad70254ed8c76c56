"""A language model reads what the built-in parser could not: what goes over the wire, and that nothing depends on it."""
import json
import os
import subprocess
import sys
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "standins"))

from model import Model  # noqa: E402

GOOD = {"words": "lampe", "category": None, "colour": "noir", "minPrice": None, "maxPrice": 120, "inStock": True, "sortBy": "price-asc"}
STRANGE = "zqxvwk jjqqzz"


def search(souk, model, query=STRANGE, name=Model.MODEL, **more):
    """The answer of a process of its own, as the configuration is read at the start."""
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "STATE_DIR", "WORKERS")}
    env.update(SOUK_CONF=souk.conf, OPENAI_URL=model.url + "/v1", ANTHROPIC_URL=model.url, OPENAI_API_KEY=Model.KEY, ANTHROPIC_API_KEY=Model.KEY,
               AI_SEARCH_MODEL=name, AI_SEARCH_TIMEOUT_MS="1500")
    env.update(more)
    done = subprocess.run([souk.bin, "call", "ai_search", json.dumps({"query": query, "limit": 5})], env=env, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", [Model.MODEL, "claude-small"])
def test_a_model_reads_what_is_left(souk, name):
    with Model() as model:
        model.answer_with = GOOD
        body = search(souk, model, name=name)
        assert not model.problems, model.problems
        assert model.queries == [STRANGE]
    assert body["intent"] == {"words": "lampe", "colour": "noir", "maxPrice": 120, "inStock": True, "readBy": "model", "sortBy": "price-asc"}
    prices = [p.get("salePrice", p["price"]) for p in body["data"]]
    assert prices and prices == sorted(prices) and prices[-1] <= 120 and all("noir" in p["colour"] and p["inStock"] for p in body["data"])


def test_no_model_is_asked_for_what_was_understood(souk):
    with Model() as model:
        model.answer_with = GOOD
        assert "readBy" not in search(souk, model, "lampe noire à moins de 80 euros")["intent"]
        assert "readBy" not in search(souk, model, name="")["intent"]
        assert model.queries == []


@pytest.mark.parametrize("bad", [
    dict(GOOD, extra=1), {"words": "lampe"}, dict(GOOD, maxPrice="120"), dict(GOOD, maxPrice=-1), dict(GOOD, words="x" * 201),
    dict(GOOD, sortBy="random"), [GOOD], b"{", b"[]", b'{"choices":[]}', dict(GOOD, words="", colour=None), dict(GOOD, words="zzqqxx")])
def test_what_does_not_fit_is_left_out(souk, bad):
    with Model() as model:
        model.answer_with = bad
        body = search(souk, model)
        assert model.queries == [STRANGE] and "readBy" not in body["intent"] and body["success"] is True


def test_failures_give_the_built_in_result(souk):
    with Model() as model:
        model.answer_with = GOOD
        model.fail_next(1, 500)
        assert "readBy" not in search(souk, model)["intent"]
        model.stall_next(1, 50)
        assert "readBy" not in search(souk, model)["intent"]
        model.drop_next(1, done=False)
        assert "readBy" not in search(souk, model)["intent"]
    gone = Model()
    gone.server.server_close()
    assert "readBy" not in search(souk, gone)["intent"]
