"""People's commands start without the MCP SDK and without the sandbox: each imports what it needs, when called."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import json, sys
from xportcn_server.commands.cli import main
try:
    main(sys.argv[1:], prog_name="xportcn-mcp")
finally:
    print(json.dumps(sorted(sys.modules)))
"""


def imported(folder: Path, *words: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XPORTCN_")}
    environ["XPORTCN_LEDGER"] = str(folder / "ledger.sqlite3")
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words],
        capture_output=True,
        encoding="utf-8",
        env=environ,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def roots(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize(
    "words",
    [
        ["orders", "list"],
        ["orders", "show", "PO-2026-1"],
        ["orders", "resolve", "PO-2026-1", "--absent", "--yes"],
        ["approve", "--list"],
        ["approve", "ABCD-EFGH"],
        ["pause", "--reason", "stocktaking"],
        ["resume"],
        ["address", "list"],
        ["address", "show", "home"],
        ["address", "remove", "home"],
        ["caller", "new", "alice", "--digest-only"],
        ["client-config", "cursor"],
        ["doctor"],
        ["call", "/alibaba/ka/order/pay"],
    ],
    ids=" ".join,
)
def test_a_persons_command_imports_neither_the_sdk_nor_the_sandbox(tmp_path: Path, words: list[str]) -> None:
    modules = imported(tmp_path, *words)
    assert len([module for module in modules if module.startswith("xportcn_server.commands.")]) > 1
    assert not {"mcp", "mcp_types", "starlette", "uvicorn", "jwt"} & roots(modules)
    assert not [module for module in modules if module.startswith("xportcn_server.sandbox")]


def test_the_group_alone_imports_no_command(tmp_path: Path) -> None:
    modules = imported(tmp_path, "--version")
    assert "pydantic" not in modules
    assert [module for module in sorted(modules) if module.startswith("xportcn_server.commands.")] == [
        "xportcn_server.commands.cli"
    ]


def test_serve_over_stdio_imports_neither_the_sandbox_nor_the_http_server(tmp_path: Path) -> None:
    code = "import sys, xportcn_server.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    modules = set(done.stdout.split())
    assert not {"xportcn_server.http.application", "xportcn_server.http.auth"} & modules
    assert not [module for module in modules if module.startswith("xportcn_server.sandbox")]
