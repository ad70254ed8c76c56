"""Tokens, one for each scope there is, and values of this shop."""
import pytest

import contracts
import support

BASE_SCOPES = {"status:read", "metrics:read", "sales:read", "inventory:read", "catalog:read", "orders:read", "admin:read", "admin:write", "test:run"}


@pytest.fixture(scope="session")
def everything(souk):
    return contracts.load()


@pytest.fixture(scope="session")
def samples(souk):
    return contracts.Samples(souk)


@pytest.fixture(scope="session")
def scope_tokens(souk, everything):
    """Scope -> a token that holds this scope alone."""
    scopes = BASE_SCOPES | {c["x-scope"] for c in everything.values()} - {"none"}
    return {s: souk.token(s, "--rate-class", "bulk", name=support.unique(s)) for s in sorted(scopes)}
