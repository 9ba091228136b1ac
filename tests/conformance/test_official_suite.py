"""The official conformance suite over HTTP: all that a revision asks for, and what of it applies to us.

Each of the four runs (two revisions, with and without `XPORTCN_STATE_KEYS`) is made once, whole; a scenario
that fails is a test of its own. What need not pass is in `expected.py`, with the reason.
"""

from pathlib import Path
from typing import Annotated

import anyio
import anyio.to_thread
import pytest
from mcp.server import MCPServer
from mcp.server.mcpserver.resolve import Resolve, Sample
from mcp_types import CreateMessageResult, SamplingMessage, TextContent

from conformance.checkers import npm_program
from conformance.expected import (
    APPLICABLE,
    EXCUSED,
    INAPPLICABLE,
    KEEPINGS,
    NO_SUBSCRIPTIONS,
    NOTHING_TO_SEE,
    PASS_ON_NOTHING,
    REVISIONS,
    Excused,
    Keeping,
    NothingToSee,
    Revision,
)
from conformance.suite import PACKAGE, Runs, Scenario, suite
from harness.house import House
from harness.over_http import loop_server
from xportcn_server.http.application import Readiness, http_app
from xportcn_tools.desk.desk import Desk


def keepings(exception: Excused | NothingToSee) -> tuple[Keeping, ...]:
    return (exception.keeping,) if exception.keeping else KEEPINGS


@pytest.mark.parametrize(
    ("revision", "scenario"),
    [(revision, scenario) for revision in REVISIONS for scenario in APPLICABLE[revision]],
)
@pytest.mark.parametrize("keeping", KEEPINGS)
def test_each_scenario_that_applies_passes(
    runs: Runs, keeping: Keeping, revision: Revision, scenario: str
) -> None:
    found = runs.of(keeping, revision)[scenario]
    here = (revision, scenario)
    excused = {
        each.check for each in EXCUSED if (each.revision, each.scenario) == here and keeping in keepings(each)
    }
    assert not {check: said for check, said in found.unsuccessful().items() if check not in excused}
    nothing_to_see = any(
        (each.revision, each.scenario) == here and keeping in keepings(each) for each in NOTHING_TO_SEE
    )
    assert bool(found.successes) is not nothing_to_see


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_scenario_of_a_revision_applies_or_has_a_reason_why_not(runs: Runs, revision: Revision) -> None:
    reasoned = {scenario for group in INAPPLICABLE for scenario in group.scenarios}
    asked = set(runs.of("sessions", revision))
    assert not reasoned & set(APPLICABLE[revision])
    assert asked - reasoned == set(APPLICABLE[revision])
    assert reasoned <= {name for each in REVISIONS for name in runs.of("sessions", each)}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_scenario_that_does_not_apply_fails_or_passes_on_nothing(runs: Runs, revision: Revision) -> None:
    found = runs.of("sessions", revision)
    passed = {name for name, scenario in found.items() if scenario.passed}
    assert passed - set(APPLICABLE[revision]) == PASS_ON_NOTHING[revision]


@pytest.mark.parametrize("excused", EXCUSED, ids=lambda excused: excused.check)
def test_every_excused_check_still_needs_its_excuse(runs: Runs, excused: Excused) -> None:
    for keeping in keepings(excused):
        assert excused.check in runs.of(keeping, excused.revision)[excused.scenario].unsuccessful()


# Checks that need a tool of the suite's own


def asks_for_what_the_client_cannot() -> Sample:
    return Sample([SamplingMessage(role="user", content=TextContent(type="text", text="?"))], max_tokens=1)


def with_a_tool_of_the_suite(server: MCPServer[Desk]) -> MCPServer[Desk]:
    """Ours, and beside our tools the one that `server-stateless` calls."""

    @server.tool()
    def test_missing_capability(  # pyright: ignore[reportUnusedFunction]
        said: Annotated[CreateMessageResult, Resolve(asks_for_what_the_client_cannot)],
    ) -> str:
        return said.model

    return server


@pytest.mark.anyio
async def test_with_the_tool_that_it_calls_the_stateless_scenario_has_no_exception_but_subscriptions(
    tmp_path: Path,
) -> None:
    npm_program(PACKAGE, "conformance")
    house = House(tmp_path)
    server = with_a_tool_of_the_suite(house.server())

    async def reachable() -> None: ...

    def stateless(url: str) -> Scenario:
        words = ("--scenario", "server-stateless", "--spec-version", "2026-07-28")
        return suite(url, "2026-07-28", tmp_path, *words)["server-stateless"]

    async with loop_server(http_app(server, Readiness(reachable), host="127.0.0.1", stateless=False)) as url:
        found = await anyio.to_thread.run_sync(stateless, url)
    unoffered = {each.check for each in EXCUSED if each.reason == NO_SUBSCRIPTIONS}
    assert found.unsuccessful().keys() == unoffered
    assert {each.check for each in EXCUSED if each.scenario == "server-stateless"} <= {
        check["id"] for check in found.checks
    }
