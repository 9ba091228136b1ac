"""The newcomer's path of README.md, command by command, in a fresh copy of the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from harness.house import ADDRESS, call

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECONDS = 600  # pip may have to fetch everything
NOT_COPIED = shutil.ignore_patterns(".*", "build", "dist", "node_modules", "__pycache__", "*.egg-info")
NO_NETWORK = re.compile(
    r"No matching distribution|NewConnectionError|Name or service not known|Connection refused"
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the README has other commands for Windows"),
]


def section(title: str) -> str:
    """The README's text under a heading."""
    return README.partition(f"## {title}\n")[2].partition("\n## ")[0]


PATH = section("Quick start")
COMMANDS = [
    line.partition(" #")[0].strip() for line in PATH.partition("```\n")[2].partition("```")[0].splitlines()
]


async def test_each_command_of_the_readme_does_what_it_says_up_to_a_first_order(tmp_path: Path) -> None:
    clone = tmp_path / "xportcn-mcp"
    shutil.copytree(ROOT, clone, ignore=NOT_COPIED)
    home = {"HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "data")}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("XPORTCN_", "VIRTUAL_"))
    }
    environment = kept | home | {"PYTHON": sys.executable}
    printed: dict[str, str] = {}
    for command in COMMANDS:
        if command == "make test":
            continue  # it would run this very test
        done = await anyio.to_thread.run_sync(run, command, clone, environment)
        if done.returncode and NO_NETWORK.search(done.stderr):
            pytest.skip("the packages cannot be fetched: no package index can be reached")
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        printed[command] = done.stdout
    demo, doctor, snippet = printed.values()
    assert "placed" in demo
    assert not re.search(r"^fault", doctor, re.MULTILINE), doctor
    order = await first_order(json.loads(snippet)["mcpServers"]["xportcn"], environment)
    assert order["state"] == "placed"
    assert order["order_ids"]


def run(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


async def first_order(configured: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """What an assistant would make of the sentence that the README proposes."""
    server = StdioServerParameters(
        command=configured["command"], args=configured["args"], env=environment | configured["env"]
    )
    found = re.search(
        r"cost in (\w+)\?\s+(https\S+)\s+They go to (\S+?),\s+(\d+),\s+(\S+)\s+(\S+)\s+([^.]+)\.", PATH
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


def test_there_is_a_path() -> None:
    assert [command.split()[0] for command in COMMANDS] == [
        "make",
        ".venv/bin/xportcn-mcp",
        ".venv/bin/xportcn-mcp",
        "make",
    ]
