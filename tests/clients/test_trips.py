"""Where others have tripped: consoles without UTF-8, missing variables, odd folders, proxies, eager clients.

Each test starts the program as a client would, in a process of its own, and places a sandbox order through it.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from harness.house import ADDRESS, ERAS, Era, call, order_arguments

pytestmark = pytest.mark.anyio

SECONDS = 60
START = "from xportcn_server.commands.cli import main; main(prog_name='xportcn-mcp')"
WITHOUT_UTF8 = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
NEEDED = ("PATH", "SYSTEMROOT", "VIRTUAL_ENV")  # what no client withholds


def environment(**changes: str) -> dict[str, str]:
    """Next to nothing, as clients pass it on, and `changes`."""
    kept = (*NEEDED, "XDG_STATE_HOME")  # the tests' own
    return {name: os.environ[name] for name in kept if name in os.environ} | changes


async def ordered(
    folder: Path, environ: Mapping[str, str], era: Era = "auto", **changes: Any
) -> dict[str, Any]:
    """A whole order through a server in `folder`; its envelope, and what the server wrote to stderr."""
    log = folder / "stderr.txt"
    server = StdioServerParameters(
        command=sys.executable, args=["-c", START, "serve"], env=dict(environ), cwd=folder
    )
    with log.open("w", encoding="utf-8") as errors, anyio.fail_after(SECONDS):
        async with Client(stdio_client(server, errlog=errors), mode=era) as client:
            preview = (await call(client, "preview_order", order_arguments(**changes)))["preview"]
            envelope = await call(client, "create_order", preview["create_order_arguments"])
    assert envelope["ok"], envelope["problem"]
    assert "Traceback" not in log.read_bytes().decode("utf-8", "replace")
    return envelope["order"]


def command(folder: Path, environ: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", START, *words],
        cwd=folder,
        env=dict(environ),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


# Consoles and variables


@pytest.mark.parametrize("era", ERAS)
async def test_a_console_without_utf_8_harms_no_order(tmp_path: Path, era: Era) -> None:
    environ = environment(**WITHOUT_UTF8, XPORTCN_LEDGER=str(tmp_path / "ledger.sqlite3"))
    order = await ordered(tmp_path, environ | {"XPORTCN_LOG_LEVEL": "DEBUG"}, era, message="快！小心轻放")
    assert ADDRESS["full_name"] in order["ship_to"]
    shown = command(tmp_path, environ, "orders", "show", order["out_order_id"])
    assert shown.returncode == 0, shown.stderr
    assert order["out_order_id"].encode() in shown.stdout
    assert b"Traceback" not in shown.stderr
    demo = command(tmp_path, environ, "demo")
    assert demo.returncode == 0, demo.stderr


NOBODY = """import pwd
def getpwuid(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = getpwuid
"""


@pytest.mark.skipif(sys.platform == "win32", reason="passwd is of Unix")
async def test_without_a_home_and_a_passwd_entry_the_named_ledger_is_all_that_is_needed(
    tmp_path: Path,
) -> None:
    """As in a container that runs under any number."""
    (tmp_path / "sitecustomize.py").write_text(NOBODY, encoding="utf-8")
    environ = environment(XPORTCN_LEDGER=str(tmp_path / "ledger.sqlite3"), PYTHONPATH=str(tmp_path))
    assert not {"HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"} & environ.keys()
    order = await ordered(tmp_path, environ)
    assert order["state"] == "placed"
    listed = command(tmp_path, environ, "orders", "list")
    assert order["out_order_id"].encode() in listed.stdout
    unnamed = command(tmp_path, {**environ, "XPORTCN_LEDGER": ""}, "serve")
    assert unnamed.returncode != 0
    assert b"XPORTCN_LEDGER" in unnamed.stderr
    assert b"Traceback" not in unnamed.stderr


@pytest.mark.parametrize("name", ["with spaces", "我的 订单", "quo'te & (more)", "dots.and-50%"])
async def test_the_ledgers_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    ledger = tmp_path / name / "订单 ledger.sqlite3"
    environ = environment(XPORTCN_LEDGER=str(ledger)) | {"PYTHONUTF8": "1"}
    order = await ordered(tmp_path, environ)
    assert ledger.exists()
    listed = command(tmp_path, environ, "orders", "list")
    assert order["out_order_id"].encode() in listed.stdout


async def test_a_proxy_that_leads_nowhere_is_not_asked_for_what_is_on_this_machine(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:1"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere)
    environ = environment(**proxies, ALL_PROXY="socks5://127.0.0.1:1", XPORTCN_LEDGER=str(tmp_path / "l.db"))
    order = await ordered(tmp_path, environ)
    assert order["state"] == "placed"


async def test_a_env_file_as_windows_writes_it_is_read(tmp_path: Path) -> None:
    lines = [
        "# 设置",
        f'XPORTCN_LEDGER="{(tmp_path / "orders of ours.sqlite3").as_posix()}"  # quotes, spaces',
        "export XPORTCN_MAX_ORDER_CNY='64'",
        "",
        "XPORTCN_STAFF_NAME=王小明",
    ]
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    order = await ordered(tmp_path, environment(XPORTCN_ENV_FILE=".env"))
    assert order["payable"]["amount"] == "64.00"
    assert (tmp_path / "orders of ours.sqlite3").exists()


async def test_a_path_with_backslashes_is_one_file_and_no_escape(tmp_path: Path) -> None:
    """It must not become a line end; on other systems than Windows it is part of a plain name."""
    text = f"XPORTCN_LEDGER={tmp_path}{os.sep}.\\new\\table.sqlite3\n"
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    await ordered(tmp_path, environment(XPORTCN_ENV_FILE=".env"))
    place = tmp_path / "new" / "table.sqlite3" if os.name == "nt" else tmp_path / ".\\new\\table.sqlite3"
    assert place.exists()


# Clients


async def test_ids_beyond_what_a_float_holds_arrive_whole_as_texts_and_are_refused_as_numbers(
    tmp_path: Path,
) -> None:
    environ = environment(XPORTCN_LEDGER=str(tmp_path / "ledger.sqlite3"))
    server = StdioServerParameters(command=sys.executable, args=["-c", START], env=environ, cwd=tmp_path)
    with anyio.fail_after(SECONDS):
        async with Client(stdio_client(server)) as client:
            big = "9007199254740993"
            unknown = await call(
                client, "preview_order", order_arguments(items=[{"offer_id": big, "quantity": 1}])
            )
            number = await call(
                client, "preview_order", order_arguments(items=[{"offer_id": int(big), "quantity": 1}])
            )
    assert unknown["problem"]["code"] == "not_orderable"
    assert big in json.dumps(unknown["problem"])
    assert number["problem"]["code"] == "invalid_arguments"
    assert "offer_id" in json.dumps(number["problem"])


def exchange(folder: Path, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What a server on stdio answers to these lines, sent all at once; then it is told to end."""
    server = subprocess.Popen(
        [sys.executable, "-c", START, "serve"],
        cwd=folder,
        env=environment(XPORTCN_LEDGER=str(folder / "ledger.sqlite3")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    late = threading.Timer(SECONDS, server.kill)
    late.start()
    try:
        assert server.stdin
        assert server.stdout
        for message in messages:
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        server.stdin.flush()
        answers = [json.loads(server.stdout.readline() or b"{}") for message in messages if "id" in message]
        rest, _ = server.communicate()
    finally:
        late.cancel()
        server.kill()
    assert server.returncode == 0
    return answers + [json.loads(line) for line in rest.splitlines()]


INITIALIZE = {
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "eager", "version": "1"},
    },
}
PREVIEW = {
    "id": 2,
    "method": "tools/call",
    "params": {"name": "preview_order", "arguments": order_arguments()},
}


def test_a_tool_call_before_initialized_is_answered_and_the_server_lives(tmp_path: Path) -> None:
    later = {"method": "notifications/initialized"}
    ping = {"id": 3, "method": "ping"}
    answers = {message["id"]: message for message in exchange(tmp_path, INITIALIZE, PREVIEW, later, ping)}
    assert answers.keys() == {1, 2, 3}
    assert answers[3]["result"] == {}
    if "result" in answers[2]:
        assert answers[2]["result"]["structuredContent"]["ok"]
    else:
        assert answers[2]["error"]["message"]


def test_a_tool_call_before_anything_else_is_answered_and_the_server_lives(tmp_path: Path) -> None:
    answers = {message["id"]: message for message in exchange(tmp_path, PREVIEW, INITIALIZE)}
    assert answers.keys() == {1, 2}
    assert answers[1]["result"]["serverInfo"]["name"] == "xportcn-mcp"
    assert "error" in answers[2] or answers[2]["result"]["structuredContent"]["ok"]
