"""What every test has: one event-loop backend, no settings of the person who runs it, and no silent skips."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from harness.postgres_server import PostgresServer, postgres_server
from harness.processes import free_port

pytest.register_assert_rewrite("ledger.suite")

# The same examples in each run, so that one commit is green or red wherever it is tried, and no deadline a slow
# machine could miss. `--hypothesis-profile=search` draws others (docs/development.md).
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("same"), max_examples=10)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("same")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes into the state folder of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def no_settings_of_this_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own account must not reach a test."""
    for name in list(os.environ):
        if name.startswith("XPORTCN_") and not name.startswith("XPORTCN_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a person, in which no `.env` takes part."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the run; skips where its programs are missing."""
    with postgres_server(free_port()) as server:
        yield server
