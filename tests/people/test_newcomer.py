"""The newcomer's path of README.md, command by command, in a fresh copy of the repository.

Every line of its shell blocks is in `RUN`, or in `ELSEWHERE` with the test that runs it.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from harness.house import ADDRESS, call
from harness.port_sandbox import running_sandbox
from harness.processes import answering, free_port, spawned
from harness.settings import SANDBOX_ACCOUNT, environ_of
from package.readme import ROOT, blocks, names_of_tests, readme

SECONDS = 600  # pip may have to fetch everything
FIRST_ORDER_SECONDS = 180
NOT_COPIED = shutil.ignore_patterns(".*", "build", "dist", "node_modules", "__pycache__", "*.egg-info")
NO_NETWORK = re.compile(
    r"No matching distribution|NewConnectionError|Name or service not known|Connection refused"
)
README = readme()
PROGRAM = ".venv/bin/xportcn-mcp"
CONFIG, SERVE = f"{PROGRAM} client-config claude-desktop", f"{PROGRAM} serve --http"
PROBE = f"{PROGRAM} doctor --probe"

RUN = {
    "make demo": r"placed: order [0-9]+ for 64\.00 CNY",
    f"{PROGRAM} doctor": r"^ok +ledger ",
    CONFIG: r'"xportcn"',
    SERVE: "",
    PROBE: r"^XPORTCN_SIGNATURE=concat",
    f"{PROGRAM} doctor --live": r"^8\. Compare afterwards",
    f"{PROGRAM} address add office": r"Saved as office",
    f"{PROGRAM} orders list": (
        r"Placed at 1688, not paid yet: pay order [0-9]+ in your Xportcn account\. "
        r"This server does not pay or cancel\."
    ),
    f"{PROGRAM} orders export > orders.csv": r"\A\Z",
    f"{PROGRAM} pause": r"no order leaves until",
}
"""What each line prints, in the order of README.md."""

ELSEWHERE = {
    "make test": "tests/people/test_newcomer.py::test_each_command_of_the_readme_does_what_it_says",
    f"{PROGRAM} orders resolve REF --placed ID": (
        "tests/people/test_commands.py::test_a_person_ends_an_unknown_order_as_placed"
    ),
    "make bundle": "tests/package/test_bundle.py::test_a_sandbox_order_is_placed_by_the_bundle_as_a_host_starts_it",
}
"""`make test` runs this very test; the others need what a clone alone does not have: an order, or npm."""

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="the README has other commands for Windows"),
]


def commands() -> list[str]:
    """The shell lines of README.md without their remarks, each once, and the `make` commands in its text."""
    lines = [line.partition(" #")[0].strip() for block in blocks(README, "console") for line in block]
    return list(dict.fromkeys(lines + re.findall(r"`(make [a-z]+)`", README)))


def test_every_command_of_the_readme_is_run_here_or_by_a_test_that_exists() -> None:
    assert set(commands()) == set(RUN) | set(ELSEWHERE)
    assert [line for line in commands() if line in RUN] == list(RUN)
    for named in ELSEWHERE.values():
        file, name = named.split("::")
        assert name in names_of_tests(ROOT / file), named


@pytest.mark.slow
async def test_each_command_of_the_readme_does_what_it_says(tmp_path: Path) -> None:
    clone = tmp_path / "xportcn-mcp"
    shutil.copytree(ROOT, clone, ignore=NOT_COPIED)
    home = {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "data")}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("XPORTCN_", "VIRTUAL_"))
    }
    environment = kept | home | {"PATH": str(bare(tmp_path / "bin"))}
    began, order = time.monotonic(), {}
    for command, prints in RUN.items():
        if command == SERVE:
            await serves(clone, environment)
            continue
        async with running_sandbox() as (_, url):
            account = environ_of(MODE="preview", BASE_URL=url, **SANDBOX_ACCOUNT) if command == PROBE else {}
            done = await anyio.to_thread.run_sync(run, command, clone, environment | account)
        if done.returncode and NO_NETWORK.search(done.stderr):
            pytest.skip("the packages cannot be fetched: no package index can be reached")
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert re.search(prints, done.stdout, re.MULTILINE), f"{command}\n{done.stdout}"
        if command == CONFIG:
            order = await first_order(json.loads(done.stdout)["mcpServers"]["xportcn"], environment)
            seconds = time.monotonic() - began
            print(f"{seconds:.0f} s to a first order in a client")
            assert order["state"] == "placed"
            assert seconds < FIRST_ORDER_SECONDS
    assert order["out_order_id"] in (clone / "orders.csv").read_text("utf-8")
    snippet = json.loads("\n".join(blocks(README, "json")[0]))["mcpServers"]["xportcn"]
    snippet["command"] = snippet["command"].replace("/path/to/xportcn-mcp", str(clone))
    server = StdioServerParameters(**snippet, env=environment)
    with anyio.fail_after(60):
        async with Client(server) as client:
            assert "create_order" in {tool.name for tool in (await client.list_tools()).tools}


def bare(folder: Path) -> Path:
    """A folder for PATH that holds Python, make, and the one other program that the Makefile needs."""
    folder.mkdir()
    for name in ("make", "touch"):
        (folder / name).symlink_to(found(name))
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    return folder


def found(name: str) -> str:
    path = shutil.which(name)
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


def run(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A line in a person's shell; a command that asks for an address gets one."""
    typed = [ADDRESS[field] for field in ("full_name", "mobile", "province", "city", "address")]
    return subprocess.run(
        [found("sh"), "-c", command],
        cwd=folder,
        env=environment,
        input="\n".join(typed) + "\n",
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


async def serves(clone: Path, environment: dict[str, str]) -> None:
    """The server over HTTP, on a port that is free, until it has answered a client."""
    words = shlex.split(SERVE)
    port = free_port()
    process = spawned([str(clone / words[0]), *words[1:], "--port", str(port)], environment, clone, port)
    try:
        await answering(process)
        async with Client(f"{process.url}/mcp") as client:
            assert (await client.list_tools()).tools
    finally:
        process.kill()


async def first_order(configured: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """What an assistant would make of the sentence that the README proposes."""
    server = StdioServerParameters(
        command=configured["command"], args=configured["args"], env=environment | configured["env"]
    )
    found = re.search(
        r"cost in (\w+)\?\s+(https\S+)\s+They go to (\S+?),\s+(\d+),\s+(\S+)\s+(\S+)\s+([^.]+)\.", README
    )
    assert found, "the sentence to ask is no longer where the test looks for it"
    option, link, name, mobile, province, city, street = found.groups()
    assert ADDRESS["mobile"] == mobile
    address = {"full_name": name, "mobile": mobile, "province": province, "city": city, "address": street}
    with anyio.fail_after(60):
        async with Client(server) as client:
            items = [{"offer_id": link, "option": option, "quantity": 2}]
            envelope = await call(client, "preview_order", {"items": items, "address": address})
            assert envelope["ok"], envelope["problem"]
            arguments = envelope["preview"]["create_order_arguments"]
            return (await call(client, "create_order", arguments))["order"]
