"""What only a file can have or suffer: modes, locks, a full disk, deletion, garbage, processes that die."""

# ruff: noqa: ASYNC240 - files are what is tested; nothing else waits for the loop meanwhile

import json
import os
import shutil
import sqlite3
import stat
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.to_thread
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from benchmarks.big_ledger import fill
from harness.clock import START, Clock
from harness.house import House, call, previewed
from harness.processes import ran, script_environment
from harness.trail_check import first_break
from ledger.suite.stores import (
    PLACED,
    UNKNOWN,
    all_orders,
    assert_whole,
    claim,
    claimed,
    digest_of,
    events,
    preview_of,
    remembered,
    settled,
    stored,
)
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    LedgerUnavailableError,
    NewerLedgerError,
    OrderQuery,
    StoredPreview,
)
from xportcn_tools.ledger.sqlite import SqliteLedger

pytestmark = pytest.mark.anyio

GARBAGE = bytes(range(256)) * 64
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither modes nor these signals")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@asynccontextmanager
async def ledger_at(path: Path, busy_seconds: float = 5.0) -> AsyncGenerator[SqliteLedger]:
    """Not yet opened: the first call does that."""
    ledger = SqliteLedger(path, "sandbox", clock=Clock(), busy_seconds=busy_seconds)
    try:
        with anyio.fail_after(60):
            yield ledger
    finally:
        await ledger.aclose()


def connection_of(ledger: SqliteLedger) -> sqlite3.Connection:
    """The driver's own connection, whose settings are per connection and visible nowhere else."""
    connection = ledger._connection  # pyright: ignore[reportPrivateUsage]
    assert connection is not None
    return connection


@contextmanager
def by_hand(path: Path) -> Generator[sqlite3.Connection]:
    """The file as any other program opens it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def files_beside(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


# Other processes

CHILD = """
import json, sys, anyio
from pathlib import Path
from harness.clock import START
from ledger.suite.stores import claim, preview_of, stored
from xportcn_tools.ledger.ledger import LedgerError
from xportcn_tools.ledger.sqlite import SqliteLedger

def tell(answer):
    print(json.dumps(answer), flush=True)

def stop(used):
    tell("judging")
    sys.stdin.readline()

async def do(ledger, command, argument):
    match command:
        case "open":
            await ledger.open()
        case "close":
            await ledger.aclose()
        case "store":
            await stored(ledger, preview_of(argument))
        case "claim":
            return type(await claim(ledger, preview_of(argument))).__name__
        case "claim and stop in the middle":
            return type(await claim(ledger, preview_of(argument), stop)).__name__
        case "limit":
            import resource
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            size = hard if argument is None else argument
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    return "done"

async def main():
    ledgers = {}
    tell("ready")
    for line in sys.stdin:
        command, path, argument = json.loads(line)
        if path not in ledgers:
            ledgers[path] = SqliteLedger(Path(path), "sandbox", clock=lambda: START)
        try:
            tell(await do(ledgers[path], command, argument))
        except LedgerError as error:
            tell(f"{type(error).__name__}: {error}")
    for ledger in ledgers.values():
        await ledger.aclose()

anyio.run(main)
"""


class Child:
    """Another process with ledgers of its own, that does as it is told."""

    def __init__(self, process: anyio.abc.Process) -> None:
        assert process.stdin
        assert process.stdout
        self.process = process
        self.killed = False
        self._orders = process.stdin
        self._answers = BufferedByteReceiveStream(process.stdout)

    async def told(self) -> str:
        return json.loads(await self._answers.receive_until(b"\n", 65536))

    async def begin(self, command: str, path: Path, argument: Any = None) -> None:
        await self._orders.send(json.dumps([command, str(path), argument]).encode() + b"\n")

    async def do(self, command: str, path: Path, argument: Any = None) -> str:
        await self.begin(command, path, argument)
        return await self.told()


@asynccontextmanager
async def children(number: int) -> AsyncGenerator[list[Child]]:
    """Processes that end by themselves, or must have been killed."""
    started: list[Child] = []
    try:
        with anyio.fail_after(60):
            for _ in range(number):
                command = [sys.executable, "-c", CHILD]
                process = await anyio.open_process(command, env=script_environment(), stderr=None)
                started.append(Child(process))
            for child in started:
                assert await child.told() == "ready"
            yield started
    finally:
        with anyio.CancelScope(shield=True):
            for child in started:
                await child.process.aclose()
    assert all(child.killed or child.process.returncode == 0 for child in started)


async def kill(child: Child) -> None:
    child.killed = True
    child.process.kill()
    await child.process.wait()


# The file


@POSIX
async def test_nobody_else_can_read_the_ledger_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "data" / "xportcn" / "ledger.db"
    before = os.umask(0)
    try:
        async with ledger_at(path) as ledger:
            await claimed(ledger, preview_of(1))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@POSIX
async def test_a_ledger_behind_a_link_to_nothing_is_made_at_its_target_for_this_user_alone(
    tmp_path: Path,
) -> None:
    target, link = tmp_path / "data" / "orders.db", tmp_path / "ledger.db"
    link.symlink_to(target)
    before = os.umask(0)
    try:
        async with ledger_at(link) as ledger:
            await claimed(ledger, preview_of(1))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in target.parent.iterdir()}
            # The log stands beside the target, and is missed there.
            target.with_name("orders.db-wal").unlink()
            with pytest.raises(LedgerUnavailableError, match="wal was deleted"):
                await all_orders(ledger)
    finally:
        os.umask(before)
    assert modes == {"orders.db": 0o600, "orders.db-wal": 0o600, "orders.db-shm": 0o600}
    assert link.is_symlink()


async def test_a_ledger_with_a_second_hard_link_is_refused_until_it_has_one_name(path: Path) -> None:
    async with ledger_at(path) as ledger:
        await claimed(ledger, preview_of(1))
        other = path.with_name("other.db")
        other.hardlink_to(path)
        for name in (path, other):
            async with ledger_at(name) as second:
                with pytest.raises(LedgerUnavailableError, match=r"hard link.*remove the other name"):
                    await second.open()
        other.unlink()
        async with ledger_at(path) as second:
            assert len(await all_orders(second)) == 1


@pytest.mark.skipif(not shutil.which("unshare"), reason="mounts are Linux's, and tried in a namespace")
@pytest.mark.parametrize("name", ["ledger.db", "two words\\.db"])
async def test_a_ledger_that_is_mounted_as_a_single_file_is_refused(tmp_path: Path, name: str) -> None:
    path, inside = tmp_path / "ledger.db", tmp_path / "inside" / name
    inside.parent.mkdir()
    inside.touch()
    async with ledger_at(path) as ledger:
        await ledger.open()
    tried = (
        "import sys; from pathlib import Path; from xportcn_tools.ledger.ledger_file import second_name; "
        "print([second_name(Path(name)) for name in sys.argv[1:]])"
    )
    shell = 'mount --bind "$1" "$2" && "$3" -c "$4" "$1" "$2"'
    words = ["unshare", "--mount", "sh", "-c", shell, "sh", str(path), str(inside), sys.executable, tried]
    found = await anyio.to_thread.run_sync(lambda: ran(words, tmp_path, script_environment()))
    if "unshare" in found.stderr or "mount:" in found.stderr:
        pytest.skip("this user may not mount")
    assert found.stdout.startswith("[None, (")
    assert "mounted as a single file" in found.stdout


@pytest.mark.parametrize("name", ["two words/账本 订单.db", "50% #1 & 'it'/a+b;c.db", "file:x/y.db"])
async def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    async with ledger_at(path) as ledger:
        await claimed(ledger, preview_of(1))
    assert path.is_file()
    assert [file.name for file in tmp_path.iterdir()] == [Path(name).parts[0]]
    async with ledger_at(path) as ledger:
        assert len(await all_orders(ledger)) == 1


async def test_a_commit_is_on_disk_when_it_returns(path: Path) -> None:
    async with ledger_at(path) as ledger:
        await ledger.open()
        settings = {
            name: connection_of(ledger).execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "fullfsync", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "foreign_keys": 1}


async def test_every_row_is_there_after_closing_and_opening_again(path: Path) -> None:
    async with ledger_at(path) as ledger:
        order = await settled(ledger, preview_of(1), PLACED)
        trail = await ledger.trail()
        await ledger.aclose()
        await ledger.aclose()
        assert await all_orders(ledger) == [order]
    async with ledger_at(path) as ledger:
        assert await all_orders(ledger) == [order]
        assert await ledger.trail() == trail


async def test_the_trail_can_only_be_appended_to(path: Path) -> None:
    async with ledger_at(path) as ledger:
        await claimed(ledger, preview_of(1))
        with by_hand(path) as sql:
            for change in (
                "UPDATE trail SET event = 'x'",
                "DELETE FROM trail",
                "DELETE FROM trail WHERE sequence = 1",
            ):
                with pytest.raises(sqlite3.IntegrityError, match="append only"):
                    sql.execute(change)
        assert await events(ledger) == ["claimed"]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE trail SET body = replace(body, '6561', '1') WHERE sequence = 2", 2),
        ("UPDATE trail SET at = '2026-03-09T12:00:00.123457Z' WHERE sequence = 3", 3),
        ("UPDATE trail SET subject = 'PO-2' WHERE sequence = 1", 1),
        ("UPDATE trail SET event = 'rejected' WHERE sequence = 3", 3),
        ("UPDATE trail SET hash = lower(hex(zeroblob(32))) WHERE sequence = 2", 2),
        ("DELETE FROM trail WHERE sequence = 1", 1),
        ("DELETE FROM trail WHERE sequence = 2", 2),
        ("UPDATE trail SET sequence = sequence + 10", 1),
    ],
)
async def test_a_trail_that_was_tampered_with_shows_where(path: Path, change: str, broken: int) -> None:
    async with ledger_at(path) as ledger:
        await stored(ledger, preview_of(1))
        await ledger.approve(preview_of(1))
        assert isinstance(await claim(ledger, preview_of(1)), Claimed)
        await ledger.record("order-preview-1", PLACED)
        assert first_break(await ledger.trail()) is None
        with by_hand(path) as sql:
            sql.execute("DROP TRIGGER trail_is_append_only_u")
            sql.execute("DROP TRIGGER trail_is_append_only_d")
            assert sql.execute(change).rowcount > 0
        assert first_break(await ledger.trail()) == broken


# Versions


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_a_newer_ledger_is_refused_and_not_touched(path: Path, journal: str) -> None:
    async with ledger_at(path) as ledger:
        await claimed(ledger, preview_of(1))
    with by_hand(path) as sql:
        sql.execute("INSERT INTO migrations VALUES (999, '999_to_come.sql', '2030-01-01')")
        assert sql.execute(f"PRAGMA journal_mode = {journal}").fetchone() == (journal,)
    before = files_beside(path)
    async with ledger_at(path) as ledger:
        for call in (ledger.open, ledger.trail):
            with pytest.raises(NewerLedgerError, match="999"):
                await call()
    assert files_beside(path) == before


async def test_a_ledger_is_migrated_once_however_many_processes_open_it_first(tmp_path: Path) -> None:
    async with children(4) as processes:
        for number in range(10):
            path = tmp_path / f"{number}" / "ledger.db"
            for child in processes:
                await child.begin("open", path)
            assert [await child.told() for child in processes] == ["done"] * 4
            with by_hand(path) as sql:
                applied = sql.execute("SELECT number FROM migrations").fetchall()
            assert applied == sorted(set(applied))


async def test_a_ledger_that_others_keep_from_its_log_is_opened_when_they_let_it_go(path: Path) -> None:
    with by_hand(path) as other:
        other.execute("CREATE TABLE something (at_all)")
        other.execute("BEGIN")
        other.execute("SELECT * FROM something").fetchall()
        async with ledger_at(path, busy_seconds=0.2) as ledger:
            begun = anyio.current_time()
            with pytest.raises(LedgerUnavailableError, match="locked"):
                await ledger.open()
            assert 0.1 < anyio.current_time() - begun < 2
        async with ledger_at(path, busy_seconds=20) as ledger, anyio.create_task_group() as tasks:
            tasks.start_soon(ledger.open)
            await anyio.wait_all_tasks_blocked()
            other.execute("COMMIT")


async def test_a_migration_that_fails_leaves_an_empty_ledger_that_can_be_migrated(path: Path) -> None:
    path.touch()
    with by_hand(path) as sql:
        sql.execute("CREATE TABLE trail (in_the_way)")
    async with ledger_at(path) as ledger:
        with pytest.raises(LedgerUnavailableError, match="trail already exists"):
            await ledger.open()
        with by_hand(path) as sql:
            assert sql.execute("SELECT name FROM sqlite_master").fetchall() == [("trail",)]
            sql.execute("DROP TABLE trail")
        await claimed(ledger, preview_of(1))


# Locked, full, read-only


Write = Callable[[SqliteLedger], Awaitable[object]]
WRITES: dict[str, Write] = {
    "offer": lambda ledger: stored(ledger, preview_of("new")),
    "claim": lambda ledger: claim(ledger, preview_of("stored")),
    "record": lambda ledger: ledger.record("order-preview-sending", PLACED),
}


async def prepared(ledger: SqliteLedger) -> None:
    """A preview to claim and an attempt to record."""
    await stored(ledger, preview_of("stored"))
    await claimed(ledger, preview_of("sending"))


@pytest.mark.parametrize("write", WRITES)
async def test_a_locked_ledger_is_unavailable_soon_and_back_when_it_is_let_go(path: Path, write: str) -> None:
    async with ledger_at(path, busy_seconds=0.2) as ledger:
        await prepared(ledger)
        before = await ledger.trail()
        with by_hand(path) as other:
            other.execute("BEGIN EXCLUSIVE")
            begun = anyio.current_time()
            with pytest.raises(LedgerUnavailableError, match="locked"):
                await WRITES[write](ledger)
            assert 0.1 < anyio.current_time() - begun < 2
            assert await ledger.trail() == before
            assert len(await all_orders(ledger, states=("sending",))) == 1
            other.execute("ROLLBACK")
            await WRITES[write](ledger)
        assert len(await ledger.trail()) == len(before) + (write != "offer")
        assert_whole(await ledger.trail())


async def test_a_ledger_locked_at_its_first_opening_is_unavailable_and_opened_later(path: Path) -> None:
    async with ledger_at(path, busy_seconds=0.2) as ledger:
        with by_hand(path) as other:
            other.execute("BEGIN EXCLUSIVE")
            begun = anyio.current_time()
            with pytest.raises(LedgerUnavailableError, match="locked"):
                await ledger.open()
            assert 0.1 < anyio.current_time() - begun < 2
        await claimed(ledger, preview_of(1))


async def test_a_claim_waits_for_a_short_lock_and_the_event_loop_goes_on(path: Path) -> None:
    async with ledger_at(path, busy_seconds=20) as ledger:
        await prepared(ledger)
        with by_hand(path) as other:
            other.execute("BEGIN EXCLUSIVE")
            results: list[object] = []

            async def waiting() -> None:
                results.append(await claim(ledger, preview_of("stored")))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(waiting)
                await anyio.wait_all_tasks_blocked()
                assert results == []
                other.execute("ROLLBACK")
        assert isinstance(results[0], Claimed)


def padded(number: int) -> StoredPreview:
    return replace(preview_of(number), terms={"padding": "满" * 5000})


async def until_it_fails(ledger: SqliteLedger) -> int:
    """Writes until the ledger takes no more; how many it took."""
    for number in range(1000):
        try:
            await stored(ledger, padded(number))
        except LedgerUnavailableError as error:
            assert "full" in str(error)  # noqa: PT017 - the count is wanted, too
            return number
    raise AssertionError("it never got full")


async def test_a_full_ledger_is_unavailable_and_nothing_is_half_written(path: Path) -> None:
    async with ledger_at(path) as ledger:
        await ledger.open()
        sql = connection_of(ledger)
        pages = sql.execute("PRAGMA page_count").fetchone()[0]
        sql.execute(f"PRAGMA max_page_count = {pages + 40}")
        taken = await until_it_fails(ledger)
        assert taken > 0
        with by_hand(path) as other:
            assert other.execute("SELECT count(*) FROM previews").fetchone() == (taken,)
        with pytest.raises(LedgerUnavailableError, match="full"):
            await stored(ledger, padded(taken))
        sql.execute("PRAGMA max_page_count = 100000")
        await stored(ledger, padded(taken))
        assert_whole(await ledger.trail())


@POSIX
async def test_a_disk_that_takes_no_more_gives_no_claim_and_nothing_half_written(path: Path) -> None:
    async with ledger_at(path) as ledger:
        await stored(ledger, preview_of(1))
        async with children(1) as (child,):
            assert await child.do("open", path) == "done"
            # The system itself refuses to let a file of that process grow beyond this.
            size = max(file.stat().st_size for file in path.parent.iterdir())
            await child.do("limit", path, size)
            for _ in range(2):
                assert (await child.do("claim", path, 1)).startswith("LedgerUnavailableError")
            assert await all_orders(ledger) == []
            assert await events(ledger) == []
            await child.do("limit", path, None)
            assert await child.do("claim", path, 1) == "Claimed"
        assert_whole(await ledger.trail())
        assert len(await all_orders(ledger)) == 1


@POSIX
async def test_a_ledger_that_cannot_be_begun_for_want_of_space_is_begun_later(path: Path) -> None:
    async with children(1) as (child,):
        await child.do("limit", path, 8192)
        told = await child.do("open", path)
        assert told.startswith("LedgerUnavailableError")
        assert "rollback" not in told  # the reason is told, not what came of it
        await child.do("limit", path, None)
        assert await child.do("open", path) == "done"
        assert await child.do("store", path, 1) == "done"


@pytest.mark.parametrize("write", WRITES)
async def test_a_read_only_ledger_is_read_and_not_written(
    path: Path, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ledger_at(path) as ledger:
        await prepared(ledger)
    connect = sqlite3.connect

    # As on a file system mounted read-only; that itself takes rights that a test has not.
    def connect_read_only(database: Path, **options: Any) -> sqlite3.Connection:
        return connect(f"{database.as_uri()}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_read_only)
    async with ledger_at(path) as ledger:
        assert await ledger.standing(preview_of("stored").token_digest, "local")
        before = await ledger.trail()
        with pytest.raises(LedgerUnavailableError, match="readonly"):
            await WRITES[write](ledger)
        assert await ledger.trail() == before


# Deleted, replaced, garbage

CALLS: dict[str, Write] = {
    **WRITES,
    "open": lambda ledger: ledger.open(),
    "orders": all_orders,
    "receipts": lambda ledger: ledger.receipts(OrderQuery(None)),
    "trail": lambda ledger: ledger.trail(),
    "standing": lambda ledger: ledger.standing(digest_of("x"), "local"),
    "remembered": lambda ledger: remembered(ledger, "local", preview_of(1).request),
    "knows": lambda ledger: ledger.knows(OrderQuery("local", "PO-1")),
    "waiting": lambda ledger: ledger.waiting(),
}


@POSIX
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed between"])
@pytest.mark.parametrize("call", CALLS)
async def test_a_file_deleted_under_the_server_is_missed_and_not_made_again(
    path: Path, call: str, closed: bool
) -> None:
    async with ledger_at(path) as ledger:
        await prepared(ledger)
        if closed:
            await ledger.aclose()
        path.unlink()
        for _ in range(2):
            with pytest.raises(LedgerUnavailableError, match="deleted"):
                await CALLS[call](ledger)
        assert not path.exists()


@POSIX
async def test_a_file_that_was_moved_away_and_back_is_the_ledger_again(path: Path) -> None:
    async with ledger_at(path) as ledger:
        await prepared(ledger)
        aside = path.with_name("aside.db")
        path.rename(aside)
        with pytest.raises(LedgerUnavailableError):
            await claim(ledger, preview_of("stored"))
        aside.rename(path)
        assert isinstance(await claim(ledger, preview_of("stored")), Claimed)


@POSIX
async def test_a_folder_deleted_under_the_server_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.db"
    async with ledger_at(path) as ledger:
        await prepared(ledger)
        shutil.rmtree(path.parent)
        with pytest.raises(LedgerUnavailableError):
            await claim(ledger, preview_of("stored"))
        assert not path.parent.exists()


@POSIX
@pytest.mark.parametrize("call", CALLS)
async def test_a_file_replaced_under_the_server_is_found_out_and_not_written(path: Path, call: str) -> None:
    async with ledger_at(path.with_name("other.db")) as another:
        await prepared(another)
    async with ledger_at(path) as ledger:
        await prepared(ledger)
        shutil.copyfile(path.with_name("other.db"), path.with_name("copy.db"))
        path.with_name("copy.db").replace(path)
        content = path.read_bytes()
        with pytest.raises(LedgerUnavailableError, match="replaced"):
            await CALLS[call](ledger)
        assert path.read_bytes() == content


@POSIX
@pytest.mark.parametrize("suffix", ["", "-wal"])
@pytest.mark.parametrize("moment", ["before", "within"])
async def test_a_claim_that_would_go_into_a_deleted_file_is_not_given(
    path: Path, suffix: str, moment: str
) -> None:
    # SQLite writes to a file that has lost its name without a word; the next process would see nothing of
    # it, and send again.
    def delete(used: object = None) -> None:
        Path(f"{path}{suffix}").unlink()

    async with ledger_at(path) as ledger:
        await prepared(ledger)
        if moment == "before":
            delete()
        with pytest.raises(LedgerUnavailableError):
            await claim(ledger, preview_of("stored"), delete if moment == "within" else lambda used: None)


async def test_a_ledger_opened_twice_in_a_process_keeps_its_locks_against_other_processes(path: Path) -> None:
    # Closing any descriptor of a file gives up all POSIX locks that this process has on it. The driver once
    # did so when it made sure of the file: another process, leaving, then took itself for the last one and
    # deleted the log that this one went on writing to.
    async with ledger_at(path) as ledger, ledger_at(path) as second:
        await stored(ledger, preview_of(1))
        await second.open()
        async with children(2) as (leaving, next_one):
            await leaving.do("open", path)
            await leaving.do("close", path)
            assert isinstance(await claim(ledger, preview_of(1)), Claimed)
            assert await next_one.do("claim", path, 1) == "AlreadyClaimed"


@pytest.mark.parametrize(
    "content",
    [GARBAGE, b"not a ledger\n" * 200, b"SQLite format 3\0" + GARBAGE],
    ids=["bytes", "text", "head"],
)
async def test_a_file_that_is_no_ledger_is_unavailable_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    async with ledger_at(path) as ledger:
        for call in (ledger.open, ledger.trail):
            with pytest.raises(LedgerUnavailableError):
                await call()
    assert path.read_bytes() == content


async def test_a_ledger_with_damaged_pages_is_unavailable(path: Path) -> None:
    async with ledger_at(path) as ledger:
        await prepared(ledger)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    async with ledger_at(path) as ledger:
        for call in CALLS.values():
            with pytest.raises(LedgerUnavailableError):
                await call(ledger)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff", "\N{REPLACEMENT CHARACTER}"), (b"\xe5\xba\x93\xe5", "库\N{REPLACEMENT CHARACTER}")],
)
async def test_a_bad_byte_costs_no_row(path: Path, content: bytes, said: str) -> None:
    async with ledger_at(path) as ledger:
        await settled(ledger, preview_of(1), UNKNOWN)
        with by_hand(path) as sql:
            sql.execute("UPDATE orders SET problem_text = CAST(? AS TEXT)", (content,))
        (order,) = await all_orders(ledger)
        assert order.problem_text == said


# Processes


async def test_exactly_one_of_many_processes_claims(path: Path) -> None:
    rounds = 15
    async with ledger_at(path) as ledger:
        for number in range(rounds):
            await stored(ledger, preview_of(number))
        async with children(4) as processes:
            for number in range(rounds):
                for child in processes:
                    await child.begin("claim", path, number)
                told = Counter([await child.told() for child in processes])
                assert told == {"Claimed": 1, "AlreadyClaimed": 3}
        assert_whole(await ledger.trail())
        assert len(await all_orders(ledger)) == rounds


async def test_a_claim_that_was_given_survives_a_process_that_is_killed(path: Path) -> None:
    async with children(1) as (child,):
        await child.do("store", path, 1)
        assert await child.do("claim", path, 1) == "Claimed"
        await kill(child)
    async with ledger_at(path) as ledger:
        (order,) = await all_orders(ledger)
        assert (order.state, order.created_at) == ("sending", START)
        assert await claim(ledger, preview_of(1)) == AlreadyClaimed(order)
        assert_whole(await ledger.trail())


async def test_a_claim_cut_by_a_kill_leaves_nothing_and_no_lock(path: Path) -> None:
    async with ledger_at(path, busy_seconds=0.2) as ledger, children(1) as (child,):
        await child.do("store", path, 1)
        await child.begin("claim and stop in the middle", path, 1)
        assert await child.told() == "judging"
        with pytest.raises(LedgerUnavailableError, match="locked"):
            await claim(ledger, preview_of(1))
        await kill(child)
        assert await all_orders(ledger) == []
        assert await events(ledger) == []
        assert isinstance(await claim(ledger, preview_of(1)), Claimed)
        assert_whole(await ledger.trail())


async def test_an_ordinary_order_takes_less_than_four_and_a_half_kilobytes_with_its_preview_and_trail(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, APPROVAL="off")
    async with house.client() as client:
        preview = await previewed(client)
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    with closing(sqlite3.connect(house.ledger, isolation_level=None)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = house.ledger.stat().st_size
        fill(lambda statement: file.execute(statement).fetchall(), 2000, postgres=False)
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert house.ledger.stat().st_size - before < 2000 * 4500
