"""`xportcn-mcp client-config`: what a client needs to start this very installation, ready to paste.

The snippet goes to stdout, so that it can be piped; where it belongs, and what it leaves out, to stderr.
No secret is ever in a snippet: these files are synchronised, shared and read by other programs. A client
starts the server in a folder of its own choosing and passes on little of its environment, so whatever is set
there is named, with the file to write it to. The ledger's path is always in the snippet: another home must
not lead to another ledger, where no earlier order is known and no cap is used up. So is the path of the file
that `--env-file` names.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from xportcn_server.commands.shared import loaded_settings
from xportcn_server.settings.loaded import Loaded
from xportcn_server.settings.settings import FIELDS, Settings
from xportcn_server.settings.sources import ENV_FILE, ENVIRONMENT

Client = Literal["claude-desktop", "claude-code", "vscode", "cursor"]
CLIENTS: tuple[Client, ...] = ("claude-desktop", "claude-code", "vscode", "cursor")

NAME = "xportcn"  # of the server, as the person meets it in the client
_PLAIN_ON_WINDOWS = re.compile(r"[\w:\\./=-]+")
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


HTTP_NOTES = (
    "For a client that speaks Streamable HTTP, such as Claude Code or Cursor; in VS Code, `mcpServers` is",
    "`servers`. Replace TOKEN with what `xportcn-mcp caller new NAME` printed. Leave `headers` out where the",
    "client gets its token from the OAuth issuer, or where the server is on loopback and has no callers.",
)


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


def start_of(loaded: Loaded, command: Sequence[str]) -> Start:
    """The start that leads to the same mode and the same ledger as here."""
    env = {"XPORTCN_MODE": loaded.settings.mode}
    if loaded.env_file:
        env[ENV_FILE] = str(loaded.env_file)
    if loaded.settings.ledger_path:  # a database's URL may hold a password
        env["XPORTCN_LEDGER"] = str(loaded.settings.ledger_path)
    return Start(command[0], (*command[1:], "serve"), env)


def http_snippet(settings: Settings) -> str:
    """For any client of `serve --http`: the server's URL as clients know it, and where the token goes."""
    url = settings.oauth_audience or "http://127.0.0.1:8000/mcp"
    server = {"type": "http", "url": url, "headers": {"Authorization": "Bearer TOKEN"}}
    return json.dumps({"mcpServers": {NAME: server}}, ensure_ascii=False, indent=2)


def snippet(client: Client, start: Start) -> str:
    """The configuration of a client that starts the server, as JSON."""
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
    return " ".join(map(_word_of_windows, words)) if windows else shlex.join(words)


def _word_of_windows(word: str) -> str:
    """One word for cmd.exe and PowerShell, which act on `&` and its like where it stands outside quotes."""
    quoted = subprocess.list2cmdline([word])
    if quoted.startswith('"') or _PLAIN_ON_WINDOWS.fullmatch(word):
        return quoted
    # As list2cmdline does it for a word with a blank: a backslash before the closing quote is doubled.
    closing = "\\" * (len(word) - len(word.rstrip("\\"))) + '"'
    return f'"{quoted}{closing}'


def notes(client: Client, start: Start, loaded: Loaded, *, windows: bool) -> list[str]:
    """Where the snippet belongs, and what the client will not pass on: lines for a person."""
    settings = loaded.settings
    line = command_line(start, windows=windows)
    lines = [text.replace("{command_line}", line) for text in PLACES[client]]
    lines.append(f"If the file names other servers already, add the entry `{NAME}` beside theirs.")
    file = loaded.env_file or (settings.ledger_path.parent / ".env" if settings.ledger_path else None)
    if file:
        lines.append(f"Write keys, secret and all other settings to {file}, never to the snippet.")
    else:
        lines.append(
            "XPORTCN_LEDGER is a URL that may hold a password, so it is not in the snippet. Write it, keys, "
            "secret and all other settings to a file, and run `xportcn-mcp --env-file FILE client-config`: "
            "that snippet names the file."
        )
    only_here = [
        name
        for name in loaded.names()
        if name in FIELDS and name not in start.env and loaded.holding(name)[0].label == ENVIRONMENT
    ]
    if only_here:
        lines.append(f"Set in this environment only, so write to that file: {', '.join(only_here)}")
    if settings.ledger_path:
        lines.append("After a change of XPORTCN_MODE print this again: the snippet names mode and ledger.")
    if UV_CACHE in Path(start.command).parts:
        lines.append(
            "This installation is in uv's cache and may be deleted: run `uv tool install xportcn-mcp`."
        )
    return lines


@click.command("client-config")
@click.argument("client", required=False, type=click.Choice((*CLIENTS, "http")))
def client_config(client: Client | Literal["http"] | None) -> None:
    """Print the configuration of a client. With it the client starts this program; without a client: all.

    http: for a client that reaches `serve --http`.
    """
    loaded = loaded_settings()
    if client == "http":
        click.echo(http_snippet(loaded.settings))
        click.echo("\n".join(HTTP_NOTES), err=True)
        return
    windows = sys.platform == "win32"
    start = start_of(loaded, command_of(Path(sys.executable).absolute(), windows=windows))
    for each in (client,) if client else CLIENTS:
        if not client:
            click.echo(f"# {TITLES[each]}")
        click.echo(snippet(each, start))
        for line in notes(each, start, loaded, windows=windows):
            click.echo(line, err=True)
        if not client:
            click.echo()
