"""Fixtures of all Python suites; see support.py."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# Assertions in the shared helpers are explained like those of tests.
pytest.register_assert_rewrite("support")

import support  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure is told with what the servers logged meanwhile, and at once: a run that is cut off has told what it knew."""
    report = (yield).get_result()
    if not report.failed:
        return
    said = support.server_said(call.start)
    if said:
        report.sections.append(("Server log", "\n".join(said)))
    why = getattr(getattr(report.longrepr, "reprcrash", None), "message", "") or str(report.longrepr)
    item.config.pluginmanager.getplugin("terminalreporter").write_line(f"\nFAILED {report.nodeid} ({report.when}): {' '.join(why.split())[:600]}")


@pytest.fixture(scope="session")
def souk():
    """The running instance."""
    target = support.Target.running()
    reply = target.get("/readyz")
    assert reply.status == 200, f"not ready: {reply}"
    return target


@pytest.fixture
def client(souk):
    """A connection of the test's own."""
    c = souk.client()
    yield c
    c.close()


@pytest.fixture
def stranger(souk):
    """A connection without token from an address that no other test uses, so with all its anonymous requests left."""
    c = souk.client(source=support.loopback())
    yield c
    c.close()
