"""One Idempotency-Key, one effect, one answer."""
import json
import uuid

import pytest

import support
from support import in_threads, unique


def write(souk, key, idem=None, token=None, **args):
    headers = {"Idempotency-Key": idem} if idem is not None else {}
    return souk.call("test_write", dict({"key": key}, **args), token=token or souk.admin, headers=headers)


def effect(souk, key):
    """What the database holds after all."""
    return int(souk.value(f"SELECT convert_from(value, 'UTF8') FROM souk.kv WHERE key = 'test_write:{key}'") or 0)


def fresh():
    return unique("k"), unique("idem").replace(" ", "-")


def test_fifty_at_once(souk):
    """1 effect; the others get its answer, or are told that it still runs."""
    key, idem = fresh()

    def work(_):
        c = souk.client(timeout=60)
        outcome = c.call("test_write", {"key": key}, token=souk.admin, headers={"Idempotency-Key": idem})
        c.close()
        return outcome
    outcomes = in_threads(50, work)
    assert effect(souk, key) == 1
    assert all(o.ok or "still running" in o.message for o in outcomes), [o for o in outcomes if not o.ok][:3]
    assert {json.dumps(o.value) for o in outcomes if o.ok} == {json.dumps({"key": key, "value": 1})}
    assert sum(o.ok for o in outcomes) >= 40
    again = write(souk, key, idem)
    assert again.value == {"key": key, "value": 1} and effect(souk, key) == 1


def test_repeat_is_marked(souk):
    key, idem = fresh()
    first, second = write(souk, key, idem), write(souk, key, idem)
    assert first.value == second.value and effect(souk, key) == 1
    assert "idempotency-replayed" not in first.reply.headers
    assert second.reply.headers["idempotency-replayed"] == "true"


def test_without_a_key_each_call_counts(souk):
    key, _ = fresh()
    assert [write(souk, key).value["value"] for _ in range(3)] == [1, 2, 3]


def test_another_body_is_refused(souk):
    key, idem = fresh()
    assert write(souk, key, idem).ok
    other = write(souk, key, idem, add=2)
    assert not other.ok and "Idempotency-Key" in other.message, other
    assert effect(souk, key) == 1


def test_visitors_of_one_address_get_none_of_each_others_answers(souk):
    """Their principal is the address, and the basket comes by a handle: the same key and arguments for another basket are another request."""
    product = souk.value("SELECT id FROM shop.products WHERE status = 'active' AND variant_count = 0 AND stock > 5 ORDER BY id LIMIT 1")
    c, idem = souk.client(source=support.loopback()), fresh()[1]
    mine, other = (c.call("add_to_basket", {"productId": product, "quantity": 1}).value["basket"] for _ in range(2))

    def add(basket):
        return c.call("add_to_basket", {"productId": product, "quantity": 1, "basket": basket}, headers={"Idempotency-Key": idem})
    first, again, foreign = add(mine), add(mine), add(other)
    c.close()
    assert first.ok and first.value == again.value and first.value["itemCount"] == 2, (first, again)
    assert not foreign.ok and "Idempotency-Key" in foreign.message and mine not in str(foreign), foreign


def test_who_has_shown_nothing_needs_a_long_key(souk):
    """Two people behind one address who choose the same simple key must not get one basket; a long key repeats as everybody's does."""
    product = souk.value("SELECT id FROM shop.products WHERE status = 'active' AND variant_count = 0 AND stock > 5 ORDER BY id LIMIT 1")
    c, before = souk.client(source=support.loopback()), souk.value("SELECT count(*) FROM shop.baskets")

    def first(idem):
        return c.call("add_to_basket", {"productId": product}, headers={"Idempotency-Key": idem})
    for simple in ("1", "basket1"):
        refused = first(simple)
        assert not refused.ok and "Idempotency-Key" in refused.message, refused
    assert souk.value("SELECT count(*) FROM shop.baskets") == before
    key = str(uuid.uuid4())
    one, again, other = first(key), first(key), first(str(uuid.uuid4()))
    c.close()
    assert one.ok and one.value == again.value and other.value["basket"] != one.value["basket"], (one, again, other)


def test_spelling_of_the_body_does_not_matter(souk):
    """A client that gives a default, or other blanks, repeats the same call."""
    key, idem = fresh()
    assert write(souk, key, idem).value == write(souk, key, idem, add=1).value
    assert effect(souk, key) == 1


def test_another_token_has_other_keys(souk):
    key, idem = fresh()
    mine, other = souk.token("test:run"), souk.token("test:run")
    assert write(souk, key, idem, token=mine).value["value"] == 1
    assert write(souk, key, idem, token=other).value["value"] == 2
    assert write(souk, key, idem, token=mine).value["value"] == 1
    assert effect(souk, key) == 2


@pytest.mark.parametrize("idem", ["", "x" * 256, "has blank", "é", "tab\there", "x" * 4000])
def test_bad_keys(souk, idem):
    key, _ = fresh()
    outcome = write(souk, key, idem.encode().decode("latin-1"))
    if not idem and outcome.ok:
        assert effect(souk, key) == 1  # lighttpd leaves empty headers out: a call without a key
        return
    assert not outcome.ok and "Idempotency-Key" in outcome.message, outcome
    assert effect(souk, key) == 0


@pytest.mark.parametrize("idem", ["x", "x" * 200, "!~", "'; DROP TABLE souk.kv; --".replace(" ", "_")])
def test_good_keys(souk, idem):
    key, tail = fresh()
    idem = (idem + tail)[:255]
    assert write(souk, key, idem).ok and write(souk, key, idem).ok and effect(souk, key) == 1


def test_longest_key(souk):
    key, tail = fresh()
    idem = (tail + "x" * 255)[:255]
    assert write(souk, key, idem).ok and write(souk, key, idem).ok and effect(souk, key) == 1


def test_a_failure_is_not_kept(souk):
    """What was refused had no effect, so the corrected call may use the key, and the failed one be repeated."""
    key, idem = fresh()
    assert not write(souk, key, idem, fail=True).ok
    assert not write(souk, key, idem, add=0).ok
    assert write(souk, key, idem).value["value"] == 1
    assert write(souk, key, idem).value["value"] == 1
    assert effect(souk, key) == 1


def test_refusals_come_before_the_key(souk):
    """Neither a missing scope nor a bad argument uses a key up."""
    key, idem = fresh()
    reader = souk.token("sales:read")
    assert write(souk, key, idem, token=reader).reply.status == 403
    assert souk.value(f"SELECT count(*) FROM souk.idempotency_keys WHERE key = '{idem}'") == "0"


def test_reads_do_not_use_keys(souk):
    _, idem = fresh()
    for limit in (1, 2):
        assert souk.call("list_categories", {"limit": limit}, token=souk.admin, headers={"Idempotency-Key": idem}).ok
    assert souk.value(f"SELECT count(*) FROM souk.idempotency_keys WHERE key = '{idem}'") == "0"


def test_replays_are_recorded_as_such(souk):
    key, idem = fresh()
    token = souk.token("test:run")
    for _ in range(3):
        write(souk, key, idem, token=token)
    rows = support.wait_until(lambda: (lambda r: r if len(r) == 3 else None)(souk.sql(
        f"SELECT metadata->>'replayed' FROM souk.interactions WHERE token_id = '{support.token_id(token)}' ORDER BY created_at, id")), 8)
    assert sorted(r[0] for r in rows) == ["", "true", "true"]
