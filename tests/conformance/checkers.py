"""Where `make checkers` puts third-party checkers of MCP servers, and how a test runs one."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.processes import process_environment, ran

ROOT = Path(__file__).resolve().parents[2]
CHECKERS = ROOT / "build" / "checkers"
NODE_MODULES = CHECKERS / "node" / "node_modules"
SECONDS = 180
"""For one run of a tool; none should need a tenth of it."""

PYTHON_PACKAGES = ("mcp-toolproof", "hypothesis", "mcp-toolgauge", "mcp-triage")
"""The Python tools and what the fuzzer draws with, in one environment; named in docs/conformance.md."""


def pinned(requirements: str) -> dict[str, str]:
    """The versions that a file in `requirements/` pins by name."""
    text = (ROOT / "requirements" / requirements).read_text("utf-8")
    return dict(re.findall(r"^(@?[a-z][a-z0-9/-]*)(?:==|@)([0-9][^\s;]*)", text, re.MULTILINE))


def npm_program(package: str, name: str) -> list[str]:
    """The words that start a program of an npm package, with the Node that was installed beside it."""
    nodes = sorted(NODE_MODULES.glob("node-*-*/bin/node*"))
    described = NODE_MODULES / package / "package.json"
    if not nodes or not described.exists():
        pytest.skip(f"{package} is not installed: `make checkers` does it (needs npm)")
    manifest = json.loads(described.read_text("utf-8"))
    assert manifest["version"] == pinned("node.txt")[package], f"{package} is not as pinned: `make checkers`"
    return [str(nodes[0]), str(described.parent / manifest["bin"][name])]


def python_program(package: str, name: str) -> list[str]:
    """The words that start a Python tool from the checkers' environment."""
    environment = CHECKERS / "python"
    program = environment / ("Scripts" if sys.platform == "win32" else "bin") / name
    program = program.with_suffix(".exe") if sys.platform == "win32" else program
    if not program.exists():
        pytest.skip(f"{package} is not installed: `make checkers` does it")
    wanted = f"{package.replace('-', '_')}-{pinned('checkers.txt')[package]}.dist-info"
    assert list(environment.rglob(wanted)), f"{package} is not as pinned: `make checkers`"
    return [str(program)]


def run(words: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool in a folder and a home of the test's own."""
    ours = process_environment({})
    del ours["PYTHONWARNINGS"]  # warnings of other people's programs are theirs
    homes = {"HOME": str(folder), "USERPROFILE": str(folder), "NO_COLOR": "1"}
    return ran(words, folder, ours | homes | environment, seconds=SECONDS)


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    """What it printed on stdout."""
    try:
        return json.loads(done.stdout)
    except ValueError:
        pytest.fail(f"exit {done.returncode}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}")
