"""A backup is whole although servers write, and doctor says where a copy is not."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result

from harness.clock import Clock
from harness.patient import Patient
from harness.settings import environ_of
from ledger.suite.stores import PLACED, preview_of, settled
from xportcn_server.commands.cli import main
from xportcn_server.doctor.check_ledger import check_ledger
from xportcn_server.settings.loaded import default_ledger, read_settings
from xportcn_tools.ledger.sqlite import SqliteLedger


def ordered(path: Path, *numbers: int | str, while_open: Callable[[], None] = lambda: None) -> None:
    """Orders of a program that has the ledger open, and what happens before it closes it."""

    async def work() -> None:
        ledger = SqliteLedger(path, "sandbox", clock=Clock())
        await ledger.open()
        for number in numbers:
            await settled(ledger, preview_of(number), PLACED)
        await anyio.to_thread.run_sync(while_open)
        await ledger.aclose()

    anyio.run(work)


def said(path: Path | str, *words: str) -> Result:
    return CliRunner().invoke(main, list(words), env=environ_of(LEDGER=str(path)), catch_exceptions=False)


def orders_of(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as sql:
        return sql.execute("SELECT COUNT(*) FROM orders").fetchone()[0]


def test_a_backup_is_a_whole_private_file_and_a_second_never_overwrites_it(tmp_path: Path) -> None:
    ledger, copy = tmp_path / "ledger.sqlite3", tmp_path / "copy.sqlite3"
    ordered(ledger, 1, 2)
    done = said(ledger, "backup", str(copy))
    assert done.exit_code == 0, done.output
    assert "2 orders, verified" in done.stdout
    assert orders_of(copy) == 2
    if os.name == "posix":
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert said(copy, "audit", "verify", str(copy)).exit_code == 0
    before = copy.read_bytes()
    again = said(ledger, "backup", str(copy))
    assert (again.exit_code, "exists" in again.stderr) == (1, True)
    assert copy.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("copy")] == ["copy.sqlite3"]


@contextmanager
def under_load(ledger: Path) -> Generator[Callable[[], object]]:
    """While a program places order after order in it. Yields what waits until one more was placed."""
    ended, placed = threading.Event(), threading.Semaphore(0)

    async def work() -> None:
        books = SqliteLedger(ledger, "sandbox", clock=Clock())
        await books.open()
        for number in count():
            await settled(books, preview_of(number), PLACED)
            placed.release()
            if ended.is_set():
                break
        await books.aclose()

    busy = threading.Thread(target=anyio.run, args=(work,))
    busy.start()
    try:
        yield lambda: placed.acquire(timeout=30)
    finally:
        ended.set()
        busy.join()


def hashes_of(ledger: Path) -> list[str]:
    with closing(sqlite3.connect(ledger)) as sql:
        return [row[0] for row in sql.execute("SELECT hash FROM trail ORDER BY sequence")]


def test_twenty_backups_that_are_made_while_orders_are_written_are_each_whole(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    ordered(ledger, "first")
    copies = [tmp_path / f"copy-{number}" for number in range(20)]
    with under_load(ledger) as one_more:
        for copy in copies:
            assert one_more()
            done = said(ledger, "backup", str(copy))
            assert done.exit_code == 0, done.output
    found, trail = [orders_of(copy) for copy in copies], hashes_of(ledger)
    assert found == sorted(found)
    assert found[-1] > found[0]
    for copy in copies:
        assert said(ledger, "audit", "verify", str(copy)).exit_code == 0
        assert hashes_of(copy)[-1] in trail


def test_each_copy_by_cp_alone_is_a_state_that_once_was_or_doctor_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    ordered(ledger, "first")
    folders = [tmp_path / f"copy-{number}" for number in range(20)]
    with under_load(ledger) as one_more:
        for number, folder in enumerate(folders):
            assert one_more()
            cp(ledger, folder, with_log=bool(number % 2))
    trail, here = hashes_of(ledger), os.environ["XDG_STATE_HOME"]
    for folder in folders:
        copied = folder / ledger.name
        monkeypatch.setenv("XDG_STATE_HOME", here)
        if not named_by_doctor(copied, "its witness knows row"):
            assert said(ledger, "audit", "verify", str(copied)).exit_code == 0
            assert hashes_of(copied)[-1] == trail[-1]
        # On a machine that knows no witness of it, a copy that can be read is named with its age.
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
        assert named_by_doctor(copied, "its last row is of 2026-03-09")
    monkeypatch.setenv("XDG_STATE_HOME", here)
    cp(ledger, tmp_path / "quiet", with_log=True)  # nothing writes any more: this one is as good as a backup
    quiet = tmp_path / "quiet" / ledger.name
    assert not named_by_doctor(quiet, "its witness knows row")
    assert hashes_of(quiet) == trail


def named_by_doctor(ledger: Path, behind: str) -> bool:
    """Whether the part of doctor that looks at ledgers calls it broken, or behind in these words."""
    checks = check_ledger(read_settings(environ_of(LEDGER=str(ledger)), ledger.parent))
    broken = [check for check in checks if check.status == "fault"]
    return bool(broken) or any(check.name == "ledger copy" and behind in check.found for check in checks)


def cp(ledger: Path, folder: Path, *, with_log: bool) -> None:
    """As a person does: the file, or the file and what lies beside it, one after the other."""
    folder.mkdir()
    for path in sorted(ledger.parent.glob(f"{ledger.name}*")) if with_log else [ledger]:
        with suppress(FileNotFoundError):  # the log went meanwhile
            shutil.copyfile(path, folder / path.name)


def test_before_the_first_start_there_is_nothing_to_copy(tmp_path: Path) -> None:
    done = said(tmp_path / "orders.sqlite3", "backup", str(tmp_path / "copy"))
    assert done.exit_code == 1
    assert "the first start makes it" in done.stderr


def test_a_damaged_ledger_gives_no_backup(tmp_path: Path) -> None:
    ledger, copy = tmp_path / "ledger.sqlite3", tmp_path / "copy.sqlite3"
    ordered(ledger, 1)
    content = bytearray(ledger.read_bytes())
    content[8192:] = b"\xff" * len(content[8192:])
    ledger.write_bytes(content)
    assert said(ledger, "backup", str(copy)).exit_code == 1
    assert not copy.exists()


def test_a_ledger_in_postgresql_is_copied_by_pg_dump_and_its_password_is_not_shown(tmp_path: Path) -> None:
    done = said("postgresql://desk:secret@127.0.0.1:9/orders", "backup", str(tmp_path / "copy"))
    assert done.exit_code == 1
    assert "pg_dump --format=custom --file=" in done.stderr
    assert "secret" not in done.output


def test_the_file_copied_without_its_log_is_named_by_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, copy = tmp_path / "ledger.sqlite3", tmp_path / "copies" / "ledger.sqlite3"
    copy.parent.mkdir()
    ordered(ledger, 1)

    def copied() -> None:
        shutil.copyfile(ledger, copy)

    ordered(ledger, 2, while_open=copied)
    patient = Patient(copy.parent, monkeypatch)
    check = patient.examined().checks["ledger copy"]
    assert check["status"] == "warning"
    assert "ledger.sqlite3-wal" in check["found"]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
    check = patient.examined().checks["ledger copy"]
    assert check["status"] == "warning"
    assert "2026-03-09" in check["found"]


@pytest.mark.parametrize("folder", ["OneDrive - Firma", "Dropbox", "iCloud Drive", "Mobile Documents"])
def test_a_ledger_in_a_folder_that_is_synced_is_named_by_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    place = tmp_path / folder
    place.mkdir()
    ordered(place / "ledger.sqlite3", 1)
    assert Patient(place, monkeypatch).examined().checks["ledger folder"]["status"] == "warning"
    ordered(tmp_path / "ledger.sqlite3", 1)
    assert Patient(tmp_path, monkeypatch).examined().checks["ledger folder"]["status"] == "ok"


def test_doctor_warns_of_a_backup_that_is_older_than_the_last_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = Patient(tmp_path, monkeypatch)
    ordered(patient.ledger, 1)
    assert patient.examined().checks["backup"]["status"] == "ok"  # who never made one is not nagged
    assert said(patient.ledger, "backup", str(tmp_path / "copy")).exit_code == 0
    assert patient.examined().checks["backup"]["status"] == "ok"
    ordered(patient.ledger, 2)
    assert patient.examined().checks["backup"]["status"] == "warning"


# What docs/backup.md says, run

LEDGER_FILE = default_ledger("live").name  # what a person has who set nothing


def test_the_lines_for_a_new_computer_are_those_that_work(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    ordered(old / LEDGER_FILE, 1, 2)
    lines = page_lines("Move to a new computer")
    run(lines[0], old)
    (old / "ledger-copy.sqlite3").rename(new / "ledger-copy.sqlite3")
    run(lines[1], new)
    assert "PO-2" in said(new / LEDGER_FILE, "orders", "list").stdout


def test_the_lines_for_a_backup_and_an_upgrade_and_to_uninstall_are_those_that_work(tmp_path: Path) -> None:
    ordered(tmp_path / LEDGER_FILE, 1)
    for line in page_lines("Backup"):
        run(line, tmp_path)
    install, look = page_lines("Upgrade")
    assert install == "pip install --upgrade xportcn-mcp"  # as CI installs it; a test does not fetch it again
    run(look, tmp_path)
    assert page_lines("Uninstall")[0] == "pip uninstall xportcn-mcp"
    run(page_lines("Uninstall")[1], tmp_path)
    assert not list(tmp_path.glob(f"{LEDGER_FILE}*"))


def page_lines(heading: str) -> list[str]:
    text = (Path(__file__).parents[2] / "docs" / "backup.md").read_text(encoding="utf-8")
    part = text.partition(f"**{heading}**")[2]
    return part.partition("```console\n")[2].partition("```")[0].splitlines()


def run(line: str, folder: Path) -> None:
    """A line of the page in a person's shell, in which the program is installed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = os.environ | {"PATH": path, "XPORTCN_LEDGER": str(folder / LEDGER_FILE)}
    done = subprocess.run(line, shell=True, cwd=folder, env=environ, capture_output=True, check=False)  # noqa: S602
    assert done.returncode == 0, done.stderr
