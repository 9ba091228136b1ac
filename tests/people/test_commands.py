"""The command line as a person meets it: words, exit codes, one line where it fails, never a traceback."""

import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from click.testing import CliRunner

from harness.house import House, call, order_arguments, previewed
from harness.processes import process_environment, ran, xportcn_mcp
from harness.settings import environ_of
from xportcn_server.commands.cli import main
from xportcn_server.logs import JsonLines, TextLines
from xportcn_server.sandbox.faults import FAULTS

SECONDS = 60
SECRET = "Kolibri-Geheimnis-7719"

# What a command needs comes with the issue that asks for it: these are offered.
COMMANDS: dict[str, tuple[str, ...]] = {
    "serve": (),
    "demo": (),
    "doctor": (),
    "orders": ("list", "show", "resolve", "export", "watch"),
    "approve": (),
    "page": (),
    "address": ("add", "list", "show", "remove"),
    "call": (),
    "audit": ("verify", "export", "head"),
    "backup": (),
    "forget": (),
    "pause": (),
    "resume": (),
    "caller": ("new", "list", "remove", "page"),
    "sandbox": (),
    "client-config": (),
}


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str


class Terminal:
    """A person's shell in a folder of their own, with a ledger there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = folder / "ledger.sqlite3"
        self.settings = {"XPORTCN_LEDGER": str(self.ledger), "XDG_DATA_HOME": str(folder / "data")}

    def run(self, *words: str, answer: str = "", **changes: str) -> Done:
        """One command; whatever comes of it, no traceback. What takes the process over gets one of its own."""
        environ = self.settings | environ_of(**changes)
        if not words or {"serve", "demo"} & set(words):
            return self.run_process(*words, answer=answer, **changes)
        done = CliRunner().invoke(main, list(words), input=answer, env=environ, prog_name="xportcn-mcp")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return Done(done.exit_code, done.stdout, done.stderr)

    def run_process(self, *words: str, answer: str = "", **changes: str) -> Done:
        environ = self.settings | environ_of(**changes)
        done = ran(xportcn_mcp(*words), self.folder, process_environment(environ), answer, SECONDS)
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def says(self, *words: str, answer: str = "", **changes: str) -> str:
        """What a command that goes well prints."""
        done = self.run(*words, answer=answer, **changes)
        assert done.code == 0, done.stderr
        return done.stdout

    def refuses(self, *words: str, code: int = 1, answer: str = "", **changes: str) -> str:
        """The one line on stderr of a command that does not."""
        done = self.run(*words, answer=answer, **changes)
        assert done.code == code, (done.stdout, done.stderr)
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("xportcn-mcp: ")
        return done.stderr.strip()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path)


def place(terminal: Terminal, *faults: str, **changes: Any) -> dict[str, Any]:
    """An order in the terminal's ledger, as an assistant would place it; `faults` are of the create."""

    async def conversation() -> dict[str, Any]:
        house = House(terminal.folder)
        for fault in faults:
            house.sandbox.faults.add(fault, "create")
        async with house.client() as client:
            preview = await previewed(client, **changes)
            order = (await call(client, "create_order", preview["create_order_arguments"]))["order"]
            return order | {"preview": preview}

    return anyio.run(conversation)


def preview(terminal: Terminal, **changes: Any) -> dict[str, Any]:
    async def conversation() -> dict[str, Any]:
        async with House(terminal.folder).client() as client:
            return await previewed(client, **changes)

    return anyio.run(conversation)


def events(terminal: Terminal) -> list[str]:
    with sqlite3.connect(terminal.ledger) as ledger:
        found = [row[0] for row in ledger.execute("SELECT event FROM trail ORDER BY sequence")]
    ledger.close()
    return found


# What is offered


def test_help_names_every_command_that_is_offered_and_no_other(terminal: Terminal) -> None:
    for flag in ("--help", "-h"):
        listed = terminal.says(flag).partition("Commands:")[2]
        assert set(re.findall(r"^ {2}(\S+)", listed, re.MULTILINE)) == set(COMMANDS)
        assert "..." not in listed, "what a command does is cut"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_without_settings_or_a_ledger(terminal: Terminal, command: str) -> None:
    text = terminal.says(command, "--help", MODE="nonsense")
    assert text.startswith(f"Usage: xportcn-mcp {command}")
    listed = text.partition("Commands:")[2]
    assert set(re.findall(r"^ {2}(\S+)", listed, re.MULTILINE)) == set(COMMANDS[command])
    for part in COMMANDS[command]:
        assert terminal.says(command, part, "--help", MODE="nonsense").startswith("Usage: ")
    assert "..." not in listed, "what a command does is cut"
    assert not terminal.ledger.exists()


def test_the_program_is_the_same_in_a_process_of_its_own(terminal: Terminal) -> None:
    order = place(terminal)
    for words in (
        ["orders", "show", order["out_order_id"]],
        ["approve", "ABCD-EFGH"],
        ["orders", "show", "nobodys"],
    ):
        assert terminal.run_process(*words) == terminal.run(*words)


def test_the_version_is_the_packages(terminal: Terminal) -> None:
    assert version("xportcn-mcp") in terminal.says("--version")


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["orders", "nonsense"],
        ["orders", "show"],
        ["orders", "list", "--limit", "0"],
        ["orders", "list", "--limit", "many"],
        ["orders", "resolve"],
        ["orders", "resolve", "PO-2026-1"],
        ["orders", "resolve", "PO-2026-1", "--placed"],
        ["orders", "resolve", "PO-2026-1", "--absent", "1234567890123456789"],
        ["orders", "resolve", "PO-2026-1", "--placed", "--absent", "1"],
        ["approve"],
        ["approve", "ABCD-EFGH", "--list"],
        ["address"],
        ["address", "show"],
        ["address", "remove"],
        ["sandbox", "--port", "many"],
        ["sandbox", "--shape", "round"],
        ["demo", "--mode", "yesterday"],
        ["client-config", "notepad"],
        ["serve", "--nonsense"],
    ],
    ids=" ".join,
)
def test_a_command_that_is_used_wrongly_shows_how_it_is_used(terminal: Terminal, words: list[str]) -> None:
    done = terminal.run(*words)
    assert done.code == 2
    assert "Usage: " in done.stderr
    assert done.stdout == ""
    assert not terminal.ledger.exists()


# Settings


LOOKING: list[list[str]] = [
    ["serve"],
    ["orders"],
    ["orders", "list"],
    ["orders", "show", "PO-2026-1"],
    ["orders", "resolve", "PO-2026-1", "--absent", "--yes"],
    ["approve", "--list"],
    ["approve", "ABCD-EFGH"],
    ["address", "list"],
    ["address", "show", "home"],
    ["address", "remove", "home"],
    ["client-config", "cursor"],
]


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_settings_that_cannot_be_read_end_any_command_in_one_line_that_names_them_all(
    terminal: Terminal, words: list[str]
) -> None:
    line = terminal.refuses(
        *words,
        code=2,
        MODE="live",
        ACCESS_KEY=f"{SECRET} with spaces",
        ACCESS_SECRET=f"{SECRET}\x07",
        MAX_ORDER_CNY="two thousand",
        APPROVAL="perhaps",
        PREVIEW_TTL_SECONDS="5",
    )
    for name in (
        "ACCESS_SECRET",
        "USER_ID",
        "MAX_ORDER_CNY",
        "APPROVAL",
        "PREVIEW_TTL_SECONDS",
        "ACCESS_KEY",
    ):
        assert f"XPORTCN_{name}" in line
    for allowed in ("two thousand", "ask, require or off", "60 to 1800"):
        assert allowed in line
    assert f"{SECRET}\\x07" not in line
    assert f"{SECRET}\x07" not in line
    assert "value is not shown" in line
    assert not terminal.ledger.exists()


def test_a_fault_in_a_file_of_settings_names_the_file(terminal: Terminal) -> None:
    (terminal.folder / ".env").write_text("XPORTCN_MAX_DAY_CNY=a lot\nXPORTCN_APPROVAL\n", encoding="utf-8")
    line = terminal.refuses("orders", "list", code=2)
    assert str(terminal.folder / ".env") in line
    assert "XPORTCN_MAX_DAY_CNY" in line
    assert "XPORTCN_APPROVAL" in line


@pytest.mark.parametrize("words", [["orders", "list"], ["approve", "--list"]], ids=" ".join)
def test_a_database_that_does_not_answer_is_told_in_one_line_without_its_password(
    terminal: Terminal, words: list[str]
) -> None:
    line = terminal.refuses(*words, code=1, LEDGER=f"postgresql://me:{SECRET}@127.0.0.1:1/orders")
    assert "no connection" in line
    assert SECRET not in line
    assert sorted(path.name for path in terminal.folder.iterdir()) == []


@pytest.mark.parametrize("words", [words for words in LOOKING if words[0] != "serve"], ids=" ".join)
def test_a_database_without_its_driver_is_refused_before_anything_is_made(
    terminal: Terminal, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as if it were not installed
    line = terminal.refuses(*words, code=2, LEDGER=f"postgresql://me:{SECRET}@127.0.0.1:1/orders")
    assert "xportcn-mcp[postgres]" in line
    assert SECRET not in line
    assert sorted(path.name for path in terminal.folder.iterdir()) == []


# The ledger's own state


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--http", "--port", "0"],
        *(words for words in LOOKING if words[0] not in ("address", "client-config")),
    ],
    ids=" ".join,
)
def test_a_ledger_of_a_newer_program_is_left_alone(terminal: Terminal, words: list[str]) -> None:
    place(terminal)
    with sqlite3.connect(terminal.ledger) as ledger:
        ledger.execute("INSERT INTO migrations VALUES (999, '999_later.sql', '2030-01-01T00:00:00.000000Z')")
    ledger.close()
    before = terminal.ledger.read_bytes()
    line = terminal.refuses(*words, code=2 if words[0] == "serve" else 1)
    assert "version 999" in line
    assert "newer" in line
    assert terminal.ledger.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [words for words in LOOKING if words[0] not in ("address", "client-config", "serve")],
    ids=" ".join,
)
def test_a_file_that_is_no_ledger_is_reported_in_one_line(terminal: Terminal, words: list[str]) -> None:
    terminal.ledger.write_text("this is no ledger, and it is long enough to be taken for one" * 20)
    assert "not a database" in terminal.refuses(*words)


# orders


def test_no_orders_are_none(terminal: Terminal) -> None:
    assert terminal.says("orders") == terminal.says("orders", "list") == "No orders.\n"


def test_orders_are_listed_newest_first_with_state_sum_reference_and_ids(terminal: Terminal) -> None:
    placed = place(terminal, out_order_id="PO-2026-0001")
    place(terminal, "refusal", out_order_id="PO-2026-0002", quantity=3)
    place(terminal, "http-502", out_order_id="PO-2026-0003", quantity=4)
    whole = terminal.says("orders", "list").splitlines()
    lines = [line for line in whole if not line.startswith(" ")]
    assert [re.split(r"\s{2,}|\s(?=PO)", line)[1:] for line in lines] == [
        ["unknown", "122.00 CNY", "PO-2026-0003", "-"],
        ["rejected", "93.00 CNY", "PO-2026-0002", "-"],
        ["placed", "64.00 CNY", "PO-2026-0001", placed["order_ids"][0]],
    ]
    assert terminal.says("orders", "list", "--limit", "1").splitlines() == whole[: whole.index(lines[1])]
    assert terminal.says("orders").splitlines() == whole


def test_a_listed_order_says_state_caller_goods_and_where_to_pay_in_the_owners_time(
    terminal: Terminal,
) -> None:
    order = place(terminal)
    row, state, goods, to_pay = terminal.says("orders", "list", TIMEZONE="Asia/Tokyo").splitlines()
    created = datetime.fromisoformat(order["created_at"]).astimezone(ZoneInfo("Asia/Tokyo"))
    assert row.startswith(f"{created:%Y-%m-%d %H:%M:%S} JST  placed ")
    assert state == f"    this order is placed; ordered for local, to {order['ship_to']}"
    assert goods == f"    {order['goods']}"
    assert f"not paid yet: pay order {order['order_ids'][0]} in your Xportcn account" in to_pay
    place(terminal, "refusal", quantity=3)
    refused = terminal.says("orders", "list", "--limit", "1")
    assert "this order was refused; no order exists" in refused
    assert "not paid" not in refused


def test_a_list_says_on_top_that_ordering_is_paused_and_keeps_its_rows_as_they_were(
    terminal: Terminal,
) -> None:
    place(terminal)
    running = terminal.run("orders", "list")
    assert "paused" not in running.stderr
    for reason, said in (("stock-taking", "Reason: stock-taking"), ("", "Reason: none")):
        terminal.says("pause", "--reason", reason)
        paused = terminal.run("orders", "list")
        assert paused.stdout == running.stdout
        first, *others = paused.stderr.splitlines()
        assert first.startswith("Ordering is paused since 20")
        assert first.endswith(f"no order leaves until `xportcn-mcp resume`. {said}")
        assert others == running.stderr.splitlines()
    terminal.says("resume")
    assert terminal.run("orders", "list") == running


def test_an_order_is_shown_by_its_reference_or_its_id_with_how_it_was_approved(terminal: Terminal) -> None:
    order = place(terminal)
    shown = terminal.says("orders", "show", order["out_order_id"])
    assert shown == terminal.says("orders", "show", order["order_ids"][0])
    rows = {line[:13].strip(): line[14:] for line in shown.splitlines()}
    assert rows["state"].startswith("placed")
    assert rows["order ids"] == order["order_ids"][0]
    assert rows["payable"] == "64.00 CNY"
    assert rows["ship to"] == order["ship_to"]
    assert rows["approval"] == "client_dialog (not verified)"
    assert rows["create sent"] == "yes"
    assert order["request_id"] in rows["request_id"]
    assert rows["ordered for"] == "local"
    assert rows["sum"] == "goods 58.00 + freight 6.00 + fees 0.00 - discount 0.00"
    assert f"pay order {order['order_ids'][0]} in your Xportcn account" in shown


def test_a_shown_order_has_its_lines_with_the_buyers_own_numbers_and_the_owners_time(
    terminal: Terminal,
) -> None:
    items = [order_arguments()["items"][0] | {"product_no": "SKU-0815"}]
    order = place(terminal, items=items)
    shown = terminal.says("orders", "show", order["out_order_id"], TIMEZONE="Asia/Tokyo")
    assert re.search(
        r"^goods +2 .*「Nordic ceramic mug.*: 58.00 CNY, product_no SKU-0815$", shown, re.MULTILINE
    )
    created = datetime.fromisoformat(order["created_at"]).astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"{created:%Y-%m-%d %H:%M:%S} JST" in shown


def test_the_reason_of_a_refusal_is_shown(terminal: Terminal) -> None:
    order = place(terminal, "refusal")
    shown = terminal.says("orders", "show", order["out_order_id"])
    assert "no order exists" in shown
    assert "500_004: 库存不足" in shown


@pytest.mark.parametrize(
    "words", [["show", "PO-nobodys"], ["resolve", "PO-nobodys", "--absent"]], ids=" ".join
)
def test_a_reference_that_is_nobodys_is_said_to_be(terminal: Terminal, words: list[str]) -> None:
    done = terminal.run("orders", *words)
    assert done.code == 1
    assert "PO-nobodys" in done.stderr
    assert "`xportcn-mcp orders list` lists them" in done.stderr
    assert done.stderr.count("\n") == 1


# orders resolve


@pytest.mark.parametrize("by", ["the question", "--yes"])
def test_a_person_ends_an_unknown_order_as_placed(terminal: Terminal, by: str) -> None:
    lost = place(terminal, "http-502")
    for listed in (("list",), ("show", lost["out_order_id"])):
        assert f"`xportcn-mcp orders resolve {lost['out_order_id']} --placed" in terminal.says(
            "orders", *listed
        )
    words = [
        "orders",
        "resolve",
        lost["out_order_id"],
        "--placed",
        "1234567890123456789",
        "1234567890123456790",
    ]
    if by == "--yes":
        said = terminal.says(*words, "--yes")
        assert "looked at the account yourself" not in said
    else:
        said = terminal.says(*words, answer="y\n")
        assert "exists as 1234567890123456789, 1234567890123456790 upstream?" in said
        assert "Nordic ceramic mug" in said.partition("Confirm")[0], "what to look for"
    assert said.splitlines()[-1].endswith("is now placed.")
    shown = terminal.says("orders", "show", "1234567890123456790")
    assert "placed" in shown
    assert "orders resolve" not in shown
    assert "1234567890123456789, 1234567890123456790" in shown
    assert events(terminal)[-1] == "resolved_by_operator"


def test_a_person_ends_an_unknown_order_as_absent_and_the_same_goods_can_be_ordered_again(
    terminal: Terminal,
) -> None:
    lost = place(terminal, "http-503")
    said = terminal.says("orders", "resolve", lost["out_order_id"], "--absent", answer="y\n")
    assert "OUTCOME UNKNOWN" in said
    assert "no such order exists upstream?" in said
    assert "absent" in terminal.says("orders", "list")
    assert place(terminal)["state"] == "placed"


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "perhaps\n"])
def test_without_a_plain_yes_nothing_is_resolved(terminal: Terminal, answer: str) -> None:
    lost = place(terminal, "http-503")
    before = events(terminal)
    done = terminal.run("orders", "resolve", lost["out_order_id"], "--absent", answer=answer)
    assert done.code == 1
    assert events(terminal) == before
    assert "OUTCOME UNKNOWN" in terminal.says("orders", "show", lost["out_order_id"])


def test_only_an_unknown_order_can_be_resolved_and_only_once(terminal: Terminal) -> None:
    placed = place(terminal)
    refused = terminal.refuses("orders", "resolve", placed["out_order_id"], "--absent", "--yes")
    assert "is placed; only an unknown one" in refused
    lost = place(terminal, "http-503", quantity=3)
    resolve = ("orders", "resolve", lost["out_order_id"])
    assert placed["out_order_id"] in terminal.refuses(*resolve, "--placed", placed["order_ids"][0], "--yes")
    assert "is no order id" in terminal.refuses(*resolve, "--placed", "12 34", "--yes")
    terminal.says(*resolve, "--absent", "--yes")
    assert "is absent; only an unknown one" in terminal.refuses(*resolve, "--absent", "--yes")


# approve


def test_a_preview_is_approved_after_it_was_shown(terminal: Terminal) -> None:
    code = preview(terminal)["approval_code"]
    (line,) = terminal.says("approve", "--list").splitlines()
    assert line.startswith(code)
    assert "64.00 CNY" in line
    said = terminal.says("approve", code, answer="y\n")
    assert said.startswith("[SANDBOX")
    assert "Total to pay: 64.00 CNY" in said
    assert "Approve [y/N]" in said
    assert "Approved. The assistant can call create_order now" in said.splitlines()[-1]
    assert events(terminal) == ["approved"]
    assert terminal.says("approve", "--list") == "Nothing waits for approval.\n"
    assert "approved already" in terminal.refuses("approve", code, answer="y\n")


def test_what_was_bought_before_stands_above_the_question(terminal: Terminal) -> None:
    order = place(terminal)
    said = terminal.says("approve", preview(terminal)["approval_code"], answer="y\n")
    (line,) = [line for line in said.partition("[SANDBOX")[0].splitlines() if "Last time" in line]
    assert re.search(rf"Last time [0-9.]+ on [0-9-]+ \([0-9]+ in order {order['out_order_id']}\)$", line)


@pytest.mark.parametrize("state", ["a folder of its own", "a file, so that no witness can be kept"])
def test_a_preview_is_approved_from_a_shell_whose_tokens_would_be_others(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    code = preview(terminal)["approval_code"]
    place = terminal.folder / "state"
    if state.startswith("a file"):
        place.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(place))
    assert "Approved." in terminal.says("approve", code, answer="y\n")


def test_a_preview_is_not_approved_without_a_yes_or_by_a_wrong_code(terminal: Terminal) -> None:
    code = preview(terminal)["approval_code"]
    for answer in ("n\n", "\n", ""):
        assert terminal.run("approve", code, answer=answer).code == 1
    refused = terminal.refuses("approve", "ZZZZ-ZZZZ", answer="y\n")
    assert "no preview has the code ZZZZ-ZZZZ; `xportcn-mcp approve --list` lists what waits" in refused
    assert events(terminal) == ["declined", "declined"]


# address


@pytest.mark.parametrize("province", ["北京", "上海市", "天津", "重庆市", "香港特别行政区", "澳门"])
def test_no_city_is_asked_for_where_the_province_is_one(terminal: Terminal, province: str) -> None:
    said = terminal.says("address", "add", "home", answer=f"王小明\n13987654321\n{province}\n网商路699号\n")
    assert "City" not in said
    shown = terminal.says("address", "show", "home")
    assert [line.split()[1] for line in shown.splitlines() if line.startswith(("province", "city"))] == [
        province,
        province,
    ]
    options = ("--full-name", "王", "--mobile", "13987654321", "--address", "路1", "--province", province)
    terminal.says("address", "add", "office", *options)
    terminal.says("address", "add", "other", *options, "--city", "北京市")
    assert "北京市" in terminal.says("address", "show", "other")


def test_an_address_is_saved_in_a_conversation_with_the_terminal(terminal: Terminal) -> None:
    answers = "王小明\n13987654321\n浙江省\n杭州市\n网商路699号\n"
    terminal.says("address", "add", "home", answer=answers)
    assert terminal.says("address", "list") == "home: 王小明, 杭州市\n"
    shown = terminal.says("address", "show", "home")
    assert all(part in shown for part in answers.split())
    saved = json.loads((terminal.folder / "addresses.json").read_text(encoding="utf-8"))
    assert saved["home"]["mobile"] == "13987654321"
    assert terminal.says("address", "remove", "home") == "Removed home.\n"
    assert terminal.says("address", "list") == "No saved addresses.\n"
    assert "no saved address has the name home" in terminal.refuses("address", "show", "home")
    assert "no saved address has the name home" in terminal.refuses("address", "remove", "home")


# sandbox


def test_a_fault_that_there_is_not_is_refused_with_those_that_there_are(terminal: Terminal) -> None:
    line = terminal.refuses("sandbox", "--fault", "rain", code=2)
    offered = {name for name, fault in FAULTS.items() if not fault.in_process_only}
    assert set(re.split(r", | ", line.partition("there are: ")[2])) == offered
    assert "not-connectable" not in offered
    terminal.refuses("sandbox", "--fault", "not-connectable", code=2)
    assert "there is no fault 'rain'" in terminal.refuses("sandbox", "--fault", "http-502", "rain", code=2)


@pytest.mark.parametrize("command", ["sandbox", "page", "serve"])
def test_a_port_that_there_is_not_is_refused(terminal: Terminal, command: str) -> None:
    done = terminal.run(command, "--port", "65536")
    assert (done.code, done.stdout) == (2, "")
    assert "65536 is not in the range 0<=x<=65535" in done.stderr


def test_a_port_that_is_taken_is_said_to_be(terminal: Terminal) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port}" in terminal.refuses("sandbox", "--port", port)


# The main job


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_demo_shows_the_whole_conversation_and_touches_nobodys_ledger(
    terminal: Terminal, mode: str
) -> None:
    said = terminal.says("demo", "--mode", mode, APPROVAL="off", MAX_DAY_ORDERS="0")
    steps: list[Callable[[str], bool]] = [
        lambda text: "detail.1688.com/offer/610947572360" in text,
        lambda text: "choose_option" in text,
        lambda text: "2 × 「Nordic ceramic mug with lid and spoon (白色)」" in text,
        lambda text: "Total to pay: 64.00 CNY" in text,
        lambda text: "echo_mismatch" in text,
        lambda text: text.count("replayed: true") == 2,
        lambda text: "approval by form" in text,
        lambda text: "one preview, one yes, one order" in text,
    ]
    assert all(step(said) for step in steps), said
    assert not terminal.ledger.exists()


# Settings


def test_a_projects_env_file_brings_neither_ledger_nor_address_book_nor_approval(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of a repository that was cloned: a stranger's ledger, book and settings lie ready in it."""
    project = terminal.folder / "project"
    project.mkdir()
    book = {"home": {"full_name": "stranger", "city": "elsewhere"}}
    (project / "addresses.json").write_text(json.dumps(book), "utf-8")
    (project / ".env").write_text(
        f"XPORTCN_LEDGER={project / 'l.sqlite3'}\nXPORTCN_APPROVAL=off\nXPORTCN_MODE=live\n", "utf-8"
    )
    monkeypatch.chdir(project)
    order = place(terminal)
    assert terminal.says("address", "list") == "No saved addresses.\n"
    assert order["out_order_id"] in terminal.says("orders", "list")
    del terminal.settings["XPORTCN_LEDGER"]
    assert terminal.says("address", "list") == "No saved addresses.\n"
    assert terminal.says("orders", "list") == "No orders.\n"
    assert sorted(path.name for path in project.iterdir()) == [".env", "addresses.json"]
    assert "home: stranger, elsewhere" in terminal.says(
        "--env-file", ".env", "address", "list", MODE="sandbox"
    )


def test_serve_logs_one_line_for_an_env_file_that_it_does_not_read(terminal: Terminal) -> None:
    (terminal.folder / ".env").write_text("XPORTCN_APPROVAL=off\n", "utf-8")
    terminal.settings["XPORTCN_LEDGER"] = str(terminal.folder / "ledgers" / "ledger.sqlite3")
    done = terminal.run("serve")
    assert (done.code, done.stdout) == (0, "")
    (line,) = done.stderr.splitlines()
    assert f"{terminal.folder / '.env'} is not read" in line
    assert "--env-file" in line
    assert terminal.run("--env-file", ".env", "serve").stderr == ""


def test_a_named_file_sets_what_the_environment_does_not(terminal: Terminal) -> None:
    file = terminal.folder / "owners.env"
    file.write_text("XPORTCN_MODE=live\nXPORTCN_MAX_ORDER_CNY=77.01\n", "utf-8")
    assert "mode live needs it" in terminal.refuses("--env-file", str(file), "orders", code=2)
    assert "mode live needs it" in terminal.refuses("orders", code=2, ENV_FILE=str(file))
    assert terminal.says("--env-file", str(file), "orders", MODE="sandbox") == "No orders.\n"
    assert "no such file" in terminal.refuses("--env-file", "gone.env", "orders", code=2)


# What others wrote, on a terminal and in a log

ACTS = "\x1b[2J\x1b]0;x\x07\x9b2J\u202e"


HOME = (
    "--full-name",
    "王小明",
    "--mobile",
    "13800138000",
    "--province",
    "浙江省",
    "--city",
    "杭州市",
    "--address",
    "1号",
)


def escapes_in(text: str) -> list[str]:
    return [char for char in text if not char.isprintable() and char != "\n"]


def test_what_others_wrote_does_not_act_on_the_terminal(terminal: Terminal) -> None:
    number = place(terminal, "http-500")["out_order_id"]
    with sqlite3.connect(terminal.ledger) as ledger:
        ledger.execute("UPDATE orders SET ship_to = ?, problem_text = ?", (ACTS, ACTS))
    ledger.close()
    terminal.says("address", "add", "home", *HOME)
    (book,) = terminal.folder.glob("*address*")
    book.write_text(json.dumps({"home": {"full_name": ACTS, "city": ACTS}}), "utf-8")
    for words in (("orders", "show", number), ("address", "list"), ("address", "show", "home")):
        printed = terminal.says(*words)
        assert r"\x1b[2J" in printed
        assert escapes_in(printed) == []
    assert escapes_in(terminal.refuses("address", "show", ACTS)) == []


@pytest.mark.parametrize(
    "formatter", [TextLines("%(levelname)s: %(message)s"), JsonLines()], ids=["text", "json"]
)
def test_a_log_line_does_not_act_on_the_terminal_and_stays_one_line(formatter: logging.Formatter) -> None:
    trouble = (ValueError, ValueError(ACTS), None)
    message = f"order %s{ACTS}\nWARNING: all is well"
    plain, failed = (
        formatter.format(logging.LogRecord("x", logging.WARNING, "x", 1, message, ("杭州",), exc_info))
        for exc_info in (None, trouble)
    )
    assert escapes_in(plain + failed) == []
    assert plain.count("\n") == 0
    assert "杭州" in plain
    assert "ValueError" in failed


OPENINGS = """
import sys
opened = []
sys.addaudithook(lambda event, _: opened.append(event) if event == "sqlite3.connect" else None)
from xportcn_server.commands.cli import main
try:
    main(["serve"])
finally:
    print(len(opened), file=sys.stderr)
"""


def test_serve_opens_the_ledger_once(terminal: Terminal) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPENINGS],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | terminal.settings,
        timeout=SECONDS,
        check=True,
    )
    assert done.stderr.split() == ["1"]
