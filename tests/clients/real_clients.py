"""The clients that `make clients` sets up, and how a test talks to one: through its driver in `drivers/`,
which starts the client on our server and stands where the model would be.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clients.scripted_agent import Half, Shown
from conformance.checkers import pinned
from harness.processes import process_environment, xportcn_mcp

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = Path(__file__).parent / "drivers"
CLIENTS = ROOT / "build" / "clients"
NODE = CLIENTS / "node"
SECONDS = 300
"""For all that one client does; the machine may have other things to do."""

QUIET = {
    "MCP_USE_ANONYMIZED_TELEMETRY": "false",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "PYTHONUTF8": "1",
    "CLIENT_MODULES": str(NODE / "package.json"),
}
"""Nothing that a client would send home; no model is behind any of them."""


@dataclass(frozen=True)
class Client:
    """`packages`: what is pinned, the one that speaks MCP first, in `requirements/<environment>.txt`.

    `halves`: what an agent reads; None where the framework decides what its model sees.
    `asks`: how its users are asked, if they want it. `to_set`: what else to set, and why.
    """

    name: str
    packages: tuple[str, ...]
    environment: str
    driver: str
    asks: str
    to_set: str = "nothing"
    halves: tuple[Half | None, ...] = (None,)

    @property
    def versions(self) -> str:
        pins = pinned(f"{self.environment}.txt")
        return ", ".join(f"`{package}` {pins[package]}" for package in self.packages)


BOTH: tuple[Half, ...] = ("text", "structured content")

CLIENTS_OF_PEOPLE = (
    Client(
        "LangChain",
        ("langchain-mcp-adapters", "langchain"),
        "clients-mcp1",
        "langchain_adapter.py",
        '`HumanInTheLoopMiddleware(interrupt_on={"create_order": True})`, or a form: '
        "`Callbacks(on_elicitation=…)`",
        "nothing; over stdio each call starts a server of its own, unless the tools come from `client.session(…)`",
    ),
    Client(
        "OpenAI Agents, Python",
        ("openai-agents",),
        "clients",
        "openai_agents.py",
        '`require_approval={"always": {"tool_names": ["create_order"]}}`',
        "`client_session_timeout_seconds=60`: the default, 5, ends a call that waits for the upstream",
    ),
    Client(
        "Pydantic AI",
        ("pydantic-ai-slim",),
        "clients",
        "pydantic_ai_agent.py",
        "`toolset.approval_required(…)`, or a form: `MCPToolset(elicitation_handler=…)`",
        "`init_timeout=60` where the machine is slow: the default, 5, is for the program's start",
    ),
    Client(
        "FastMCP",
        ("fastmcp",),
        "clients",
        "fastmcp_client.py",
        "a form: `Client(elicitation_handler=…)`",
        halves=("text",),
    ),
    Client(
        "mcp-use",
        ("mcp-use",),
        "clients-mcp1",
        "mcp_use_agent.py",
        "a form: `MCPClient(elicitation_callback=…)`",
        "`max_steps=30`: the default, 5, ends a conversation in which the terms change",
    ),
    Client(
        "TypeScript SDK v1",
        ("@modelcontextprotocol/sdk",),
        "clients-node",
        "typescript_v1.mjs",
        "a form: the capability `elicitation` and a handler of `elicitation/create`",
        halves=BOTH,
    ),
    Client(
        "TypeScript SDK v2",
        ("@modelcontextprotocol/client",),
        "clients-node",
        "typescript_v2.mjs",
        "a form: the capability `elicitation` and a handler of `elicitation/create`",
        halves=BOTH,
    ),
    Client(
        "Vercel AI SDK",
        ("@ai-sdk/mcp", "ai"),
        "clients-node",
        "vercel.mjs",
        '`toolApproval: { create_order: "user-approval" }`, or a form: the capability `elicitation` and '
        "`client.onElicitationRequest(…)`",
        "`stopWhen: stepCountIs(30)`: by default the model gets no turn after its first call",
    ),
)


def python(environment: str) -> str:
    """The interpreter of an environment of theirs, which is as pinned; skips where there is none."""
    folder = CLIENTS / environment
    program = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not program.exists():
        pytest.skip(f"{environment} is not installed: `make clients` does it")
    for package, version in pinned(f"{environment}.txt").items():
        if package in {name for client in CLIENTS_OF_PEOPLE for name in client.packages}:
            as_pinned = f"{package.replace('-', '_')}-{version}.dist-info"
            assert list(folder.rglob(as_pinned)), f"{package} is not as pinned: `make clients`"
    return str(program)


def node() -> str:
    """The Node that was installed beside their packages, which are as pinned; skips where there is none."""
    nodes = sorted(NODE.glob("node_modules/node-*-*/bin/node*"))
    if not nodes:
        pytest.skip("the clients from npm are not installed: `make clients` does it (needs npm)")
    for package, version in pinned("clients-node.txt").items():
        if package != "node":
            described = json.loads((NODE / "node_modules" / package / "package.json").read_text("utf-8"))
            assert described["version"] == version, f"{package} is not as pinned: `make clients`"
    return str(nodes[0])


def words(client: Client, server: Mapping[str, Any]) -> list[str]:
    """What starts a client of this server, `{"command", "args", "env"}` or `{"url"}`."""
    program = node() if client.driver.endswith(".mjs") else python(client.environment)
    return [program, str(DRIVERS / client.driver), json.dumps(server)]


class Driven:
    """A client that runs, and waits for what its model says."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin
        assert process.stdout
        self._stdin, self._stdout = process.stdin, process.stdout

    def shown(self) -> Shown:
        """What it shows now."""
        line = self._stdout.readline()
        assert line, "the client has ended; its last words are on stderr"
        return json.loads(line)

    def answer(self, **answer: Any) -> Shown:
        """Answer what it showed; what it shows next."""
        self.say(json.dumps(answer))
        return self.shown()

    def call(self, tool: str, arguments: dict[str, Any]) -> Shown:
        return self.answer(tool=tool, arguments=arguments)

    def say(self, line: str = "") -> None:
        """An empty line: there is nothing more to say."""
        self._stdin.write(line + "\n")
        self._stdin.flush()


@contextmanager
def driven(started_by: list[str], folder: Path) -> Generator[Driven]:
    """A client at home in this folder, with our program in its path; it must end by itself, and well."""
    process = subprocess.Popen(
        started_by,
        cwd=folder,
        env=environment_in(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    late = threading.Timer(SECONDS, process.kill)
    late.start()
    try:
        with process:
            yield Driven(process)
        assert process.returncode == 0
    finally:
        late.cancel()
        process.kill()


def environment_in(folder: Path) -> dict[str, str]:
    environment = process_environment(QUIET)
    for name in (
        "PYTHONWARNINGS",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
    ):  # warnings of other people's programs are theirs
        environment.pop(name, None)
    path = os.pathsep.join([str(Path(xportcn_mcp()[0]).parent), environment["PATH"]])
    return environment | {"HOME": str(folder), "USERPROFILE": str(folder), "PATH": path}
