"""`xportcn-mcp client-config`: what a client needs to start this very installation, ready to paste.

The snippet goes to stdout, so that it can be piped; where it belongs, and what it leaves out, to stderr.
No secret is ever in a snippet: these files are synchronised, shared and read by other programs. A client
starts the server in a folder of its own choosing and passes little of its environment on, so whatever is set
elsewhere is named, with the one file that the server always reads.
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from xportcn_server.settings import Settings

Client = Literal["claude-desktop", "claude-code", "vscode", "cursor"]
CLIENTS: tuple[Client, ...] = ("claude-desktop", "claude-code", "vscode", "cursor")

NAME = "xportcn"  # of the server, as the person meets it in the client
CARRIED = ("XPORTCN_MODE", "XPORTCN_LEDGER")  # in the snippet itself
UV_CACHE = "archive-v0"  # the folder in which uvx keeps what it has unpacked

TITLES: dict[Client, str] = {
    "claude-desktop": "Claude Desktop",
    "claude-code": "Claude Code",
    "vscode": "VS Code",
    "cursor": "Cursor",
}
PLACES: dict[Client, tuple[str, ...]] = {
    "claude-desktop": (
        "Settings > Developer > Edit Config opens the file; restart Claude Desktop afterwards. It is",
        "  macOS    ~/Library/Application Support/Claude/claude_desktop_config.json",
        r"  Windows  %APPDATA%\Claude\claude_desktop_config.json",
        "  Linux    ~/.config/Claude/claude_desktop_config.json",
    ),
    "claude-code": (
        "Into .mcp.json in the folder of a project, on every system; or, for all projects, run:",
        "  {command_line}",
    ),
    "vscode": (
        "Into .vscode/mcp.json in the folder of a project; or, for all projects, run the command",
        "`MCP: Open User Configuration`, which opens",
        "  macOS    ~/Library/Application Support/Code/User/mcp.json",
        r"  Windows  %APPDATA%\Code\User\mcp.json",
        "  Linux    ~/.config/Code/User/mcp.json",
    ),
    "cursor": (
        "Into .cursor/mcp.json in the folder of a project; or, for all projects, into",
        "  macOS, Linux  ~/.cursor/mcp.json",
        r"  Windows       %USERPROFILE%\.cursor\mcp.json",
    ),
}


@dataclass(frozen=True)
class Start:
    """How a client starts the server: an absolute command, its arguments, settings without secrets."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]


def command_of(executable: Path, *, windows: bool) -> tuple[str, ...]:
    """The absolute words that start this installation; `executable` is its interpreter.

    The script beside the interpreter where there is one, else the interpreter with `-m`. Symbolic links
    stay as they are: a virtual environment's interpreter is one, and its target knows nothing of us.
    """
    script = executable.parent / ("xportcn-mcp.exe" if windows else "xportcn-mcp")
    return (str(script),) if script.is_file() else (str(executable), "-m", "xportcn_server")


def start_of(settings: Settings, command: Sequence[str]) -> Start:
    """The start that leads to the same mode and the same ledger as here."""
    env = {"XPORTCN_MODE": settings.mode}
    if settings.ledger_path and "XPORTCN_LEDGER" in dict(settings.sources):
        env["XPORTCN_LEDGER"] = str(settings.ledger_path)
    return Start(command[0], (*command[1:], "serve"), env)


def snippet(client: Client, start: Start) -> str:
    """The configuration of one client as JSON, which escapes the backslashes of Windows paths."""
    server: dict[str, object] = {
        "command": start.command,
        "args": list(start.args),
        "env": dict(start.env),
    }
    if client in ("claude-code", "vscode"):
        server = {"type": "stdio"} | server
    root = "servers" if client == "vscode" else "mcpServers"
    return json.dumps({root: {NAME: server}}, ensure_ascii=False, indent=2)


def command_line(start: Start, *, windows: bool) -> str:
    """The call of Claude Code that adds the server for all projects.

    The name stands before `--env`, which takes every word that follows it.
    """
    words = ["claude", "mcp", "add", NAME, "--scope", "user"]
    words += [word for name, value in start.env.items() for word in ("--env", f"{name}={value}")]
    words += ["--", start.command, *start.args]
    return subprocess.list2cmdline(words) if windows else shlex.join(words)


def notes(client: Client, start: Start, settings: Settings, *, windows: bool) -> list[str]:
    """Where the snippet belongs, and what the client will not pass on: lines for a person."""
    line = command_line(start, windows=windows)
    lines = [text.replace("{command_line}", line) for text in PLACES[client]]
    if settings.ledger_path:
        file = settings.ledger_path.parent / ".env"
        lines.append(f"Keys, secret and all other settings belong into {file}, never into the snippet.")
        elsewhere = [
            name
            for name, source in settings.sources
            if name not in CARRIED and source not in (str(file), "default")
        ]
        if elsewhere:
            lines.append(
                f"Set elsewhere and not passed on by the client, so write there: {', '.join(elsewhere)}"
            )
    if UV_CACHE in Path(start.command).parts:
        lines.append(
            "This installation is in uv's cache and may vanish: `uv tool install xportcn-mcp` first."
        )
    return lines


def print_client_config(settings: Settings, client: Client | None) -> None:
    """Print the snippet of one client, or of all under headings."""
    windows = sys.platform == "win32"
    start = start_of(settings, command_of(Path(sys.executable).absolute(), windows=windows))
    for each in (client,) if client else CLIENTS:
        if not client:
            click.echo(f"# {TITLES[each]}")
        click.echo(snippet(each, start))
        for line in notes(each, start, settings, windows=windows):
            click.echo(line, err=True)
        if not client:
            click.echo()
