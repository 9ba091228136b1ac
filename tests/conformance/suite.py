"""Runs of the official conformance suite and what they found."""

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from conformance.checkers import npm_program, run
from conformance.expected import Keeping, Revision
from harness.over_http import STATE_KEY
from harness.processes import Process, answering, start

PACKAGE = "@modelcontextprotocol/conformance"
_RESULT = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
_ABOUT_THE_WIRE = "wire-schema-valid"
"""A check of every scenario: that each message fits the revision's JSON schema."""


@dataclass(frozen=True)
class Scenario:
    """What the checks of one scenario found."""

    checks: list[dict[str, Any]]

    @property
    def passed(self) -> bool:
        """As the suite counts: nothing failed."""
        return not any(check["status"] == "FAILURE" for check in self.checks)

    @property
    def successes(self) -> int:
        """Of the scenario's own checks."""
        return sum(check["status"] == "SUCCESS" and check["id"] != _ABOUT_THE_WIRE for check in self.checks)

    def unsuccessful(self) -> dict[str, str]:
        """The checks that failed, warn or were skipped, each with what it says."""
        return {
            check["id"]: f"{check['status']}: {check.get('errorMessage') or check.get('details')}"
            for check in self.checks
            if check["status"] not in ("SUCCESS", "INFO")
        }


def suite(url: str, revision: Revision, folder: Path, *words: str) -> dict[str, Scenario]:
    """Run what a revision asks for, or what `words` say, against the server at this base URL; by scenario."""
    program = npm_program(PACKAGE, "conformance")
    results = folder / "results"
    which = words or ("--requirements", revision)
    done = run([*program, "server", "--url", f"{url}/mcp", *which, "-o", str(results)], folder)
    found: dict[str, Scenario] = {}
    for file in sorted(results.glob("*/checks.json")):
        named = _RESULT.fullmatch(file.parent.name)
        assert named, file
        found[named["scenario"]] = Scenario(json.loads(file.read_text("utf-8")))
    assert found, done.stdout + done.stderr
    return found


@dataclass(repr=False)
class Runs:
    """The suite against `serve --http`, by what the server keeps and by revision; each run is made once."""

    folder: Path
    _servers: dict[Keeping, Process] = field(default_factory=dict[Keeping, Process])
    _found: dict[tuple[Keeping, Revision], dict[str, Scenario]] = field(
        default_factory=dict[tuple[Keeping, Revision], dict[str, Scenario]]
    )
    _at_the_end: ExitStack = field(default_factory=ExitStack)

    def of(self, keeping: Keeping, revision: Revision) -> dict[str, Scenario]:
        """What the run found, by scenario."""
        if (keeping, revision) not in self._found:
            npm_program(PACKAGE, "conformance")  # or skip, before a server is started for nothing
            folder = self.folder / f"{keeping}-{revision}"
            folder.mkdir(exist_ok=True)
            self._found[keeping, revision] = suite(self._server(keeping).url, revision, folder)
        return self._found[keeping, revision]

    def end(self) -> None:
        """End the servers."""
        self._at_the_end.close()

    def _server(self, keeping: Keeping) -> Process:
        if keeping not in self._servers:
            environment = {"XPORTCN_LEDGER": str(self.folder / f"{keeping}.sqlite3")}
            if keeping == "keys":
                environment["XPORTCN_STATE_KEYS"] = STATE_KEY
            process = start(environment, self.folder)
            self._at_the_end.callback(process.kill)
            self._servers[keeping] = anyio.run(answering, process)
        return self._servers[keeping]
