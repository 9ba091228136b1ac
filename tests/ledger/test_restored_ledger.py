"""A ledger that was copied or put back from a backup: no token that it was issued with orders a second time."""

import errno
import logging
import shutil
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import pytest

from harness.clock import Clock
from harness.house import ERAS, Era, House, call, order_arguments, previewed
from harness.processes import process_environment, ran, xportcn_mcp
from harness.settings import environ_of
from harness.trail_check import first_break
from ledger.suite.stores import PLACED, all_orders, claim, claimed, preview_of, stored
from ledger.test_ledger_files import children
from xportcn_server.doctor import check_copies as check_copies_module
from xportcn_server.doctor.check import Check
from xportcn_server.doctor.check_copies import check_copies
from xportcn_server.sandbox.service import build_sandbox
from xportcn_tools.ledger import witness
from xportcn_tools.ledger.ledger import Claimed, DayUsage, LedgerUnavailableError, Voided
from xportcn_tools.ledger.sqlite import SqliteLedger
from xportcn_tools.ledger.witness import Held, Witness

pytestmark = pytest.mark.anyio


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """On a machine of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return House(tmp_path, APPROVAL="off")


async def events_of(house: House) -> list[str]:
    async with house.opened() as ledger:
        trail = await ledger.trail()
    assert first_break(trail) is None
    return [row.event for row in trail]


async def token_of(house: House) -> dict[str, Any]:
    """The arguments that order a fresh preview."""
    async with house.client() as client:
        return (await previewed(client))["create_order_arguments"]


async def created(house: House, arguments: dict[str, Any]) -> str:
    """What the create says: its problem's code, or the order's state."""
    async with house.client() as client:
        answer = await call(client, "create_order", arguments)
    if answer["problem"]:
        assert answer["problem"]["request_sent"] == "no"
        return answer["problem"]["code"]
    return answer["order"]["state"]


def witness_of(house: House) -> tuple[str, Witness | None]:
    with closing(sqlite3.connect(house.ledger)) as sql:
        (ledger_id,) = sql.execute("SELECT ledger_id FROM identity").fetchone()
    return ledger_id, witness.read(ledger_id)


def copied(house: House) -> Path:
    """A copy of the ledger as it is now, even while a server has it open."""
    backup = house.ledger.with_name("backup")
    with closing(sqlite3.connect(house.ledger)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    return backup


@pytest.mark.parametrize("orders_before", [0, 1], ids=["first order", "later order"])
async def test_a_backup_that_is_put_back_within_a_tokens_life_orders_nothing_again(
    house: House, caplog: pytest.LogCaptureFixture, orders_before: int
) -> None:
    for _ in range(orders_before):
        async with house.client() as client:
            other = await previewed(client, quantity=9)
        assert await created(house, other["create_order_arguments"]) == "placed"
    token = await token_of(house)
    backup = house.ledger.with_name("backup")
    shutil.copyfile(house.ledger, backup)
    assert await created(house, token) == "placed"
    shutil.copyfile(backup, house.ledger)

    assert await created(house, token) == "token_expired"
    assert house.creates == orders_before + 1
    assert (await events_of(house)).count("restored") == 1
    assert [record.levelno for record in caplog.records if "copied or restored" in record.message] == [
        logging.WARNING
    ]
    # A fresh preview is all it costs, and the same backup is found out again.
    assert await created(house, await token_of(house)) == "placed"
    shutil.copyfile(backup, house.ledger)
    assert await created(house, token) == "token_expired"
    assert house.creates == orders_before + 2


async def test_doctor_warns_for_a_day_that_orders_may_be_missing_in_a_restored_ledger(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> Check:
        with closing(sqlite3.connect(house.ledger)) as sql:
            (check,) = (each for each in check_copies(house.ledger, sql) if each.name == "ledger copy")
        return check

    token = await token_of(house)
    backup = house.ledger.with_name("backup")
    shutil.copyfile(house.ledger, backup)
    assert await created(house, token) == "placed"
    assert found().status == "ok"
    shutil.copyfile(backup, house.ledger)
    assert await created(house, token) == "token_expired"
    assert found().status == "warning"
    assert "may be missing" in found().found
    monkeypatch.setattr(check_copies_module, "utc_now", lambda: datetime.now(UTC) + timedelta(hours=25))
    assert found().status == "ok"


async def test_the_main_file_copied_without_its_log_orders_nothing_again(
    house: House, tmp_path: Path
) -> None:
    token = await token_of(house)
    elsewhere = House(tmp_path / "copy", house.sandbox, APPROVAL="off")
    elsewhere.ledger.parent.mkdir()
    async with house.client() as client:
        answer = await call(client, "create_order", token)
        assert answer["order"]["state"] == "placed"
        assert house.ledger.with_name("ledger.sqlite3-wal").stat().st_size > 0
        shutil.copyfile(house.ledger, elsewhere.ledger)
        assert await created(elsewhere, token) == "token_expired"
    assert house.creates == 1
    assert "claimed" not in await events_of(elsewhere)


async def test_of_two_copies_in_use_one_orders_a_token(house: House, tmp_path: Path) -> None:
    token = await token_of(house)
    elsewhere = House(tmp_path / "copy", house.sandbox, APPROVAL="off")
    shutil.copytree(house.ledger.parent, elsewhere.ledger.parent, ignore=shutil.ignore_patterns("state"))
    async with house.client() as one, elsewhere.client() as other:
        said = [await call(client, "create_order", token) for client in (other, one, other, one)]
    codes = [each["problem"] and each["problem"]["code"] for each in said]
    assert codes == [None, "token_expired", None, "token_expired"]
    assert [said[0]["order"]["replayed"], said[2]["order"]["replayed"]] == [False, True]
    assert house.creates == 1


@pytest.mark.parametrize("lost", ["another machine", "deleted", "not readable as a witness"])
async def test_a_history_without_a_witness_voids_its_tokens_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    token = await token_of(house)
    if lost == "another machine":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state of another machine"))
    elif lost == "deleted":
        shutil.rmtree(tmp_path / "state")
    else:
        (witness.folder() / witness_of(house)[0]).write_bytes(b"")
    assert await created(house, token) == "token_expired"
    assert await created(house, await token_of(house)) == "placed"
    restored = [] if lost in ("another machine", "deleted") else ["restored"]
    assert await events_of(house) == [*restored, "claimed", "placed"]


async def test_an_order_is_replayed_from_a_copy_that_knows_it(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await token_of(house)
    assert await created(house, token) == "placed"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
    assert await created(house, token) == "placed"
    assert house.creates == 1


async def test_a_process_without_a_witness_remembers_its_own_orders_where_a_backup_is_put_back_under_it(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / "state").touch()
    async with house.client() as client:
        token = (await previewed(client))["create_order_arguments"]
        backup = copied(house)
        assert (await call(client, "create_order", token))["order"]["state"] == "placed"
        with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(house.ledger)) as target:
            source.backup(target)
        for _ in range(2):
            assert (await call(client, "create_order", token))["problem"]["code"] == "token_expired"
        fresh = (await previewed(client))["create_order_arguments"]
        assert (await call(client, "create_order", fresh))["order"]["state"] == "placed"
    assert house.creates == 2
    assert await events_of(house) == ["restored", "claimed", "placed"]


async def test_a_ledger_that_was_restored_while_it_is_open_is_found_out_in_the_claim(house: House) -> None:
    """What no opening could see: here another process, which has died since, had written on."""
    token = await token_of(house)
    async with house.client() as client:
        ledger_id, seen = witness_of(house)
        assert seen == Witness(0, "0" * 64)
        witness.write(ledger_id, Witness(7, "a" * 64))
        answer = await call(client, "create_order", token)
        assert answer["problem"]["code"] == "token_expired"
        assert "copied or restored" in answer["problem"]["message"]
        assert (await call(client, "create_order", token))["problem"]["code"] == "token_expired"
        fresh = (await previewed(client))["create_order_arguments"]
        assert (await call(client, "create_order", fresh))["order"]["state"] == "placed"
    assert house.creates == 1
    assert await events_of(house) == ["restored", "claimed", "placed"]


def nothing(*_: object) -> None:
    pass


async def test_a_witness_that_is_behind_is_no_fault(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a process died between its commit and the witness."""
    assert await created(house, await token_of(house)) == "placed"
    async with house.client() as client:
        token = await previewed(client, quantity=7)
    with monkeypatch.context() as dying:
        dying.setattr(Held, "follow", nothing)
        assert await created(house, token["create_order_arguments"]) == "placed"
    ledger_id, seen = witness_of(house)
    assert seen
    assert (seen.sequence, len(await events_of(house))) == (2, 4)
    async with house.client() as client:
        token = await previewed(client, quantity=8)
    assert await created(house, token["create_order_arguments"]) == "placed"
    assert "restored" not in await events_of(house)
    async with house.opened() as ledger:
        last = (await ledger.trail())[-1]
    assert witness.read(ledger_id) == Witness(last.sequence, last.hash)


async def test_a_witness_that_is_behind_is_brought_up_by_the_next_process(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a backup of a moment that it does know would pass for the whole ledger."""
    async with house.client() as client:
        other = (await previewed(client, quantity=7))["create_order_arguments"]
    assert await created(house, other) == "placed"
    token = await token_of(house)
    backup = house.ledger.with_name("backup")
    shutil.copyfile(house.ledger, backup)
    with monkeypatch.context() as dying:
        dying.setattr(Held, "follow", nothing)
        assert await created(house, token) == "placed"
    async with house.client() as client:
        await call(client, "get_orders")
    shutil.copyfile(backup, house.ledger)
    assert await created(house, token) == "token_expired"
    assert house.creates == 2


async def test_a_copy_and_its_ledger_that_claim_at_the_same_moment_are_one_claim(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy's claim comes between the ledger's commit and the witness of it."""
    clock, other = Clock(), house.ledger.with_name("copy.sqlite3")
    preview = preview_of(1)
    ledger = SqliteLedger(house.ledger, "sandbox", clock=clock)
    await stored(ledger, preview)
    with closing(sqlite3.connect(house.ledger)) as source, closing(sqlite3.connect(other)) as target:
        source.backup(target)
    copy = SqliteLedger(other, "sandbox", clock=clock, busy_seconds=0.1)
    await copy.open()
    committed, tried, follow = anyio.Event(), threading.Event(), Held.follow

    def late(held: Held, seen: Witness) -> None:
        if threading.current_thread() is not claiming[0]:
            return follow(held, seen)
        anyio.from_thread.run_sync(committed.set)
        assert tried.wait(20)
        return follow(held, seen)

    claiming: list[threading.Thread] = []

    def note(used: DayUsage) -> None:
        del used
        claiming.append(threading.current_thread())

    monkeypatch.setattr(Held, "follow", late)
    results: list[object] = []

    async def claim_it() -> None:
        results.append(await claim(ledger, preview, note))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(claim_it)
            await committed.wait()
            try:
                with pytest.raises(LedgerUnavailableError, match="witness stays locked"):
                    await claim(copy, preview)
            finally:
                tried.set()
        (result,) = results
        assert isinstance(result, Claimed)
        assert await claim(copy, preview) == Voided()
    await ledger.aclose()
    await copy.aclose()


async def test_two_state_folders_on_one_ledger_share_orders_and_approvals_and_no_tokens(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may be a program of the same owner: a client's server, and a shell with a setting of its own."""
    house = House(tmp_path, house.sandbox, APPROVAL="require")
    mine, others = str(tmp_path / "state"), str(tmp_path / "others")
    async with house.client() as client:
        preview = await previewed(client)
    monkeypatch.setenv("XDG_STATE_HOME", others)
    async with house.opened() as ledger:
        stored = await ledger.preview_by_code(preview["approval_code"])
        assert stored
        await ledger.approve(stored)
    assert await created(house, preview["create_order_arguments"]) == "token_expired"
    monkeypatch.setenv("XDG_STATE_HOME", mine)
    house.sandbox.faults.add("http-502", "create")
    async with house.client() as client:
        answer = await call(client, "create_order", preview["create_order_arguments"])
    assert answer["problem"]["code"] == "outcome_unknown"
    monkeypatch.setenv("XDG_STATE_HOME", others)
    async with house.opened() as ledger:
        (order,) = await all_orders(ledger)
        assert await ledger.resolve(order.order_key, PLACED, "resolved_by_operator")
    monkeypatch.setenv("XDG_STATE_HOME", mine)
    assert await created(house, preview["create_order_arguments"]) == "placed"
    assert "restored" not in await events_of(house)
    assert house.creates == 1


async def test_a_backup_orders_nothing_again_under_a_state_folder_that_did_not_see_the_order(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, others = str(tmp_path / "state"), str(tmp_path / "others")
    monkeypatch.setenv("XDG_STATE_HOME", others)
    async with house.client() as client:
        other = (await previewed(client, quantity=7))["create_order_arguments"]
    assert await created(house, other) == "placed"
    monkeypatch.setenv("XDG_STATE_HOME", mine)
    token = await token_of(house)
    backup = house.ledger.with_name("backup")
    shutil.copyfile(house.ledger, backup)
    assert await created(house, token) == "placed"
    shutil.copyfile(backup, house.ledger)
    monkeypatch.setenv("XDG_STATE_HOME", others)
    assert await created(house, token) == "token_expired"
    assert house.creates == 2


@pytest.mark.parametrize("era", ERAS)
async def test_a_token_that_a_restore_voided_never_says_that_nothing_was_ordered(
    house: House, era: Era
) -> None:
    """Its time may be over as well, and the order may exist."""
    clock = Clock()
    house = House(house.ledger.parent, build_sandbox(clock=clock), APPROVAL="off")
    async with house.client(era, clock=clock) as client:
        token = (await previewed(client))["create_order_arguments"]
    backup = house.ledger.with_name("backup")
    shutil.copyfile(house.ledger, backup)
    async with house.client(era, clock=clock) as client:
        assert (await call(client, "create_order", token))["order"]["state"] == "placed"
    shutil.copyfile(backup, house.ledger)
    clock.advance(700)
    async with house.client(era, clock=clock) as client:
        problem = (await call(client, "create_order", token))["problem"]
    assert problem["code"] == "token_expired"
    assert "copied or restored" in problem["message"]
    assert "nothing was ordered by this call" in problem["message"]
    assert "look upstream first" in problem["next_step"]


async def test_a_late_witness_does_not_go_back(house: House) -> None:
    async with house.opened() as ledger:
        await claimed(ledger, preview_of(1))
        await claimed(ledger, preview_of(2))
        trail = await ledger.trail()
    ledger_id, seen = witness_of(house)
    with witness.locked(ledger_id, 1) as held:
        held.follow(Witness(trail[0].sequence, trail[0].hash))
    assert witness.read(ledger_id) == seen == Witness(trail[1].sequence, trail[1].hash)


async def test_many_processes_never_take_their_ledger_for_a_restored_one(house: House) -> None:
    rounds = 12
    async with house.opened() as ledger:
        for number in range(4 * rounds):
            await stored(ledger, preview_of(number))
        async with children(4) as processes:
            for number in range(rounds):
                for place, child in enumerate(processes):
                    await child.begin("claim", house.ledger, 4 * number + place)
                assert [await child.told() for child in processes] == ["Claimed"] * 4
        assert {row.event for row in await ledger.trail()} == {"claimed"}
    _, seen = witness_of(house)
    assert seen
    assert seen.sequence in (4 * rounds - 1, 4 * rounds)


async def test_without_a_state_folder_only_tokens_of_an_earlier_process_are_void(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "a file"))
    async with house.client() as client:
        token = await previewed(client)
        answer = await call(client, "create_order", token["create_order_arguments"])
        assert answer["order"]["state"] == "placed"
        other = await previewed(client, quantity=5)
    assert await created(house, other["create_order_arguments"]) == "token_expired"
    assert await events_of(house) == ["claimed", "placed"]
    assert "no witness" in caplog.text
    found = await anyio.to_thread.run_sync(
        lambda: ran(
            xportcn_mcp("doctor"), tmp_path, process_environment(environ_of(LEDGER=str(house.ledger)))
        )
    )
    assert "ledger witness" in found.stdout


async def test_a_token_is_void_once_its_witness_cannot_be_written_and_a_copy_orders_it_nowhere(
    house: House, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    async with house.client() as client:
        token = (await previewed(client))["create_order_arguments"]
        (tmp_path / "state").rename(elsewhere)
        (tmp_path / "state").touch()
        assert (await call(client, "create_order", token))["problem"]["code"] == "token_expired"
        fresh = (await previewed(client))["create_order_arguments"]
        backup = copied(house)
        assert (await call(client, "create_order", fresh))["order"]["state"] == "placed"
    (tmp_path / "state").unlink()
    elsewhere.rename(tmp_path / "state")
    shutil.copyfile(backup, house.ledger)  # which the witness knows whole
    assert await created(house, fresh) == "token_expired"
    assert house.creates == 1


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for ever"])
async def test_a_claim_that_its_witness_cannot_take_is_not_sent(
    house: House, monkeypatch: pytest.MonkeyPatch, lasting: bool
) -> None:
    """Else a backup of before it would pass for the ledger, and the token would order again."""
    async with house.client() as client:
        token = (await previewed(client))["create_order_arguments"]
        backup = copied(house)
        with monkeypatch.context() as failing:

            def full(*_: object) -> None:
                if not lasting:
                    failing.undo()
                raise OSError(errno.EIO, "no room")

            failing.setattr(Held, "follow", full)
            assert (await call(client, "create_order", token))["problem"]["code"] == "ledger_unavailable"
            fresh = (await previewed(client, quantity=7))["create_order_arguments"]
            assert (await call(client, "create_order", fresh))["order"]["state"] == "placed"
    assert house.creates == 1
    shutil.copyfile(backup, house.ledger)
    await created(house, token)
    assert house.creates == (2 if lasting else 1), "the first create was not sent"


async def test_a_token_of_a_process_without_a_witness_is_void_in_the_next_whatever_that_one_can_write(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    state.touch()
    async with house.client() as client:
        token = (await previewed(client))["create_order_arguments"]
        backup = copied(house)
        assert (await call(client, "create_order", token))["order"]["state"] == "placed"
    shutil.copyfile(backup, house.ledger)
    async with house.client() as client:
        await previewed(client, quantity=7)
        state.unlink()
        async with house.client() as other:  # the folder is there again, and the witness is kept
            fresh = (await previewed(other, quantity=8))["create_order_arguments"]
            assert (await call(other, "create_order", fresh))["order"]["state"] == "placed"
        assert (await call(client, "create_order", token))["problem"]["code"] == "token_expired"
    assert house.creates == 2


async def test_a_ledger_in_use_is_witnessed_outside_its_folder_for_this_user_alone(house: House) -> None:
    async with house.client() as client:
        await call(client, "preview_order", order_arguments())
    ledger_id, seen = witness_of(house)
    assert seen == Witness(0, "0" * 64)
    assert {file.name for file in witness.folder().iterdir()} == {ledger_id, "folder"}
    assert not [
        path for path in (witness.folder(), *witness.folder().iterdir()) if path.stat().st_mode & 0o077
    ]
    assert house.ledger.parent not in (witness.folder(), *witness.folder().iterdir())
