"""What every test has: one event-loop backend, no settings of the person who runs it, and no silent skips."""

import os
from collections.abc import Generator

import pytest

pytest.register_assert_rewrite("contract.ledger_suite")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_settings_of_this_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own account must not reach a test."""
    for name in list(os.environ):
        if name.startswith("XPORTCN_") and not name.startswith("XPORTCN_TEST_"):
            monkeypatch.delenv(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing may skip: a skip says that something is missing, and there everything is installed."""
    del item, call
    report = yield
    if report.skipped and os.environ.get("XPORTCN_TEST_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report
