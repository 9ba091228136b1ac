"""`client-config`: the snippet starts this installation, says nothing secret, and survives Windows."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path, PureWindowsPath
from typing import Any

import anyio
import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters

from harness.settings import load_settings
from xportcn_server.commands.cli import main
from xportcn_server.commands.client_config import (
    CLIENTS,
    Start,
    command_line,
    command_of,
    notes,
    snippet,
    start_of,
)
from xportcn_server.settings.loaded import read_settings

SECRET = "Kolibri-Geheimnis-7719"
SECONDS = 60
WINDOWS = Start(
    r"C:\Users\王 Xiaoming\xportcn-mcp\.venv\Scripts\xportcn-mcp.exe", ("serve",), {"XPORTCN_MODE": "sandbox"}
)
LIVE = {
    "XPORTCN_MODE": "live",
    "XPORTCN_ACCESS_KEY": f"{SECRET}-key",
    "XPORTCN_ACCESS_SECRET": SECRET,
    "XPORTCN_USER_ID": f"{SECRET}-user",
    "XPORTCN_STATE_KEYS": SECRET * 2,
    "XPORTCN_MESSAGES_SECRET": SECRET,
    "XPORTCN_MAX_ORDER_CNY": "77.01",
}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, and a data folder that is the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def printed(*words: str, **environ: str) -> tuple[str, str]:
    """Stdout and stderr of the command."""
    done = CliRunner().invoke(main, ["client-config", *words], env=environ)
    assert done.exit_code == 0, done.stderr
    return done.stdout, done.stderr


def server_in(text: str) -> dict[str, Any]:
    """The one server that a snippet names, under either root."""
    (servers,) = json.loads(text).values()
    assert list(servers) == ["xportcn"]
    return servers["xportcn"]


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_gets_json_alone_on_stdout_and_its_place_on_every_system_on_stderr(
    work: Path, client: str
) -> None:
    stdout, stderr = printed(client)
    server = server_in(stdout)
    assert Path(server["command"]).is_absolute()
    assert server["args"][-1] == "serve"
    ledger = str(work / "data" / "xportcn-mcp" / "sandbox.sqlite3")
    assert server["env"] == {"XPORTCN_MODE": "sandbox", "XPORTCN_LEDGER": ledger}
    assert list(json.loads(stdout)) == ["servers" if client == "vscode" else "mcpServers"]
    assert server.get("type") == ("stdio" if client in ("vscode", "claude-code") else None)
    assert ".json" in stderr
    assert "add the entry `xportcn` beside theirs" in stderr
    assert "After a change of XPORTCN_MODE print this again" in stderr
    for system in ("macOS", "Windows", "Linux") if client != "claude-code" else ("every system",):
        assert system in stderr


@pytest.mark.parametrize("audience", ["", "https://orders.example/mcp"])
def test_a_client_over_http_gets_the_address_and_a_place_for_the_token(work: Path, audience: str) -> None:
    stdout, stderr = printed("http", **({"XPORTCN_OAUTH_AUDIENCE": audience} if audience else {}))
    assert json.loads(stdout) == {
        "mcpServers": {
            "xportcn": {
                "type": "http",
                "url": audience or "http://127.0.0.1:8000/mcp",
                "headers": {"Authorization": "Bearer TOKEN"},
            }
        }
    }
    assert "caller new" in stderr


def test_without_a_client_all_are_printed_each_under_its_name(work: Path) -> None:
    stdout, stderr = printed()
    for title in ("Claude Desktop", "Claude Code", "VS Code", "Cursor"):
        assert f"# {title}\n" in stdout
    assert stdout.count('"xportcn": {') == len(CLIENTS)
    for place in ("claude_desktop_config.json", ".mcp.json", ".vscode/mcp.json", ".cursor/mcp.json"):
        assert place in stderr


@pytest.mark.parametrize("words", [(), *((client,) for client in CLIENTS)])
def test_no_secret_is_printed_wherever_it_was_set(work: Path, words: tuple[str, ...]) -> None:
    file = work / "owners.env"
    file.write_text("\n".join(f"{name}={value}" for name, value in LIVE.items()), "utf-8")
    for environ in (LIVE, {"XPORTCN_ENV_FILE": str(file)}):
        stdout, stderr = printed(*words, **environ)
        assert '"XPORTCN_MODE": "live"' in stdout
        assert SECRET not in stdout + stderr
        assert "ACCESS" not in stdout


def test_what_the_client_would_not_pass_on_is_named_with_the_file_where_it_belongs(work: Path) -> None:
    (work / "ledgers").mkdir()
    beside = work / "ledgers" / ".env"
    beside.write_text("XPORTCN_MAX_DAY_ORDERS=3\n", "utf-8")
    ledger = str(work / "ledgers" / "mine.sqlite3")
    _, stderr = printed("cursor", XPORTCN_LEDGER=ledger, XPORTCN_MAX_ORDER_CNY="77.01")
    assert f"all other settings to {beside}, never" in stderr
    (line,) = [line for line in stderr.splitlines() if line.startswith("Set in this environment only")]
    assert line.endswith(": XPORTCN_MAX_ORDER_CNY")


def test_a_ledger_that_was_chosen_goes_with_the_snippet(work: Path) -> None:
    stdout, _ = printed("claude-desktop", XPORTCN_LEDGER=str(work / "mine.sqlite3"))
    assert server_in(stdout)["env"] == {
        "XPORTCN_MODE": "sandbox",
        "XPORTCN_LEDGER": str(work / "mine.sqlite3"),
    }


def test_a_file_that_was_named_goes_with_the_snippet_as_an_absolute_path(work: Path) -> None:
    file = work / "owners.env"
    file.write_text(f"XPORTCN_LEDGER=postgresql://me:{SECRET}@db/orders\nXPORTCN_MODE=live\n", "utf-8")
    words = ["--env-file", "owners.env", "client-config", "cursor"]
    done = CliRunner().invoke(main, words, env={name: LIVE[name] for name in LIVE if "MODE" not in name})
    assert server_in(done.stdout)["env"] == {"XPORTCN_MODE": "live", "XPORTCN_ENV_FILE": str(file)}
    assert f"all other settings to {file}, never" in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Set in this environment only")]
    assert "XPORTCN_LEDGER" not in line
    assert "XPORTCN_ACCESS_SECRET" in line
    assert SECRET not in done.stdout + done.stderr


def test_the_snippet_names_this_ledger_wherever_the_client_starts(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = load_settings({}, work)
    stdout, _ = printed("claude-desktop")
    monkeypatch.setenv("XDG_DATA_HOME", str(work / "another"))
    project = work / "project"
    project.mkdir()
    (project / ".env").write_text("XPORTCN_LEDGER=fresh.sqlite3\n", "utf-8")
    assert load_settings(server_in(stdout)["env"], project).ledger == here.ledger


def test_with_a_ledger_in_a_server_the_notes_ask_for_a_file_that_names_it(work: Path) -> None:
    url = f"postgresql://me:{SECRET}@db/orders"
    stdout, stderr = printed("cursor", XPORTCN_LEDGER=url, XPORTCN_MAX_ORDER_CNY="77.01")
    assert server_in(stdout)["env"] == {"XPORTCN_MODE": "sandbox"}
    lines = stderr.splitlines()
    (only_here,) = [line for line in lines if line.startswith("Set in this environment only")]
    assert "XPORTCN_LEDGER" in only_here
    assert "XPORTCN_MAX_ORDER_CNY" in only_here
    (note,) = [line for line in lines if line.startswith("XPORTCN_LEDGER is a URL")]
    assert "xportcn-mcp --env-file FILE client-config" in note
    assert SECRET not in stderr


def test_a_ledger_in_a_server_is_never_in_a_snippet_since_its_url_may_hold_a_password(work: Path) -> None:
    loaded = read_settings({"XPORTCN_LEDGER": f"postgresql://me:{SECRET}@db/orders"}, work)
    start = start_of(loaded, ["/opt/xportcn-mcp"])
    assert start.env == {"XPORTCN_MODE": "sandbox"}
    for client in CLIENTS:
        assert SECRET not in snippet(client, start) + "".join(notes(client, start, loaded, windows=False))


@pytest.mark.parametrize("client", CLIENTS)
def test_the_backslashes_of_windows_paths_are_escaped_and_other_scripts_kept(client: Any) -> None:
    text = snippet(client, WINDOWS)
    assert r"C:\\Users\\王 Xiaoming\\xportcn-mcp" in text
    command = server_in(text)["command"]
    assert command == WINDOWS.command
    assert PureWindowsPath(command).is_absolute()


def test_the_line_for_claude_code_names_the_server_before_its_settings_and_is_quoted_for_each_shell() -> None:
    posix = Start("/opt/my tools/xportcn-mcp", ("serve",), {"XPORTCN_MODE": "sandbox"})
    words = ["claude", "mcp", "add", "xportcn", "--scope", "user", "--env", "XPORTCN_MODE=sandbox", "--"]
    assert shlex.split(command_line(posix, windows=False)) == [*words, posix.command, "serve"]
    assert command_line(WINDOWS, windows=True) == " ".join([*words, f'"{WINDOWS.command}"', "serve"])


@pytest.mark.parametrize("path", [r"C:\R&D\x.exe", r"C:\a^b|c", r"C:\(x86)\x", "C:\\R&D\\", r"C:\a;b,c"])
def test_no_sign_that_a_shell_of_windows_acts_on_stands_outside_quotes(path: str) -> None:
    line = command_line(Start(path, ("serve",), {"XPORTCN_LEDGER": path}), windows=True)
    assert not set("&^|();,").intersection("".join(line.split('"')[::2]))
    assert line.count('"') == 4
    assert not re.search(r'(?<!\\)\\(?:\\\\)*" serve', line)  # an odd backslash would take the quote


@pytest.mark.parametrize(
    ("windows", "name"), [(False, "xportcn-mcp"), (True, "xportcn-mcp.exe")], ids=["posix", "windows"]
)
def test_the_script_beside_the_interpreter_is_the_command_and_where_there_is_none_the_module_is(
    tmp_path: Path, windows: bool, name: str
) -> None:
    interpreter = tmp_path / "python"
    assert command_of(interpreter, windows=windows) == (str(interpreter), "-m", "xportcn_server")
    (tmp_path / name).touch()
    assert command_of(interpreter, windows=windows) == (str(tmp_path / name),)


def test_an_installation_that_uv_may_clear_away_is_warned_about(work: Path) -> None:
    loaded = read_settings({}, work)
    for folder, told in (("/c/uv/archive-v0/x/bin", True), ("/opt/x/bin", False)):
        start = start_of(loaded, [f"{folder}/xportcn-mcp"])
        lines = notes("cursor", start, loaded, windows=False)
        assert any("uv tool install" in line for line in lines) is told


def test_the_module_is_the_program(work: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "xportcn_server", "--version"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert done.stdout.startswith("xportcn-mcp, version ")


@pytest.mark.anyio
async def test_a_client_that_starts_what_the_snippet_says_is_served(work: Path) -> None:
    stdout, _ = printed("claude-desktop", XPORTCN_LEDGER=str(work / "ledger.sqlite3"))
    server = server_in(stdout)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XPORTCN_")}
    parameters = StdioServerParameters(
        command=server["command"], args=server["args"], env=kept | server["env"], cwd=work
    )
    with anyio.fail_after(SECONDS):
        async with Client(parameters) as client:
            listed = await client.list_tools()
    assert [tool.name for tool in listed.tools] == [
        "search_products",
        "get_product",
        "preview_order",
        "create_order",
        "get_orders",
    ]
