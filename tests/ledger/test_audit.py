"""Whatever is done to the trail or to a table beside it is found by `audit verify`, and named."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import psycopg
import pytest
from click.testing import CliRunner, Result
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from harness.clock import Clock
from harness.postgres_server import PostgresServer
from harness.settings import environ_of
from ledger.suite.stores import OUTCOMES, claimed, preview_of, settled, stored
from xportcn_server.commands.cli import main
from xportcn_tools.ledger.audit import ORDER_EVENTS
from xportcn_tools.ledger.ledger import Ledger
from xportcn_tools.ledger.postgres import PostgresLedger
from xportcn_tools.ledger.seals import ORDER_COLUMNS, PREVIEW_COLUMNS
from xportcn_tools.ledger.sqlite import SqliteLedger
from xportcn_tools.upstream.clean import escaped

ORDERS = 5
TRAIL_COLUMNS = ("sequence", "at", "event", "subject", "body", "previous", "hash")


async def lived(ledger: Ledger) -> None:
    """Orders of every state, an approval, a pause that was ended and one that holds."""
    await ledger.open()
    for number, outcome in enumerate([*OUTCOMES.values()][:3]):
        await settled(ledger, preview_of(number), outcome)
    await claimed(ledger, preview_of(3))
    approved = preview_of(4)
    await stored(ledger, approved)
    await ledger.approve(approved)
    await ledger.pause("one")
    await ledger.resume()
    unknown = await settled(ledger, preview_of(5), OUTCOMES["unknown"])
    await ledger.resolve(unknown.order_key, OUTCOMES["placed"], "resolved_by_operator")
    await ledger.pause("two")
    await ledger.aclose()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "ledger.sqlite3"
    anyio.run(lived, SqliteLedger(path, "sandbox", clock=Clock()))
    return path


@pytest.fixture(scope="module")
def export(whole: Path) -> list[bytes]:
    return audited("export", ledger=whole).stdout_bytes.splitlines(keepends=True)


def audited(*words: str, ledger: Path | str = "/nonexistent") -> Result:
    environ = environ_of(LEDGER=str(ledger))
    return CliRunner().invoke(main, ["audit", *words], env=environ, catch_exceptions=False)


def found(*words: str, ledger: Path | str = "/nonexistent") -> str:
    """What `verify` says of something that is broken."""
    done = audited("verify", *words, ledger=ledger)
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    return done.stderr


def tampered(whole: Path, *statements: str, values: tuple[object, ...] = ()) -> Path:
    """A copy in which somebody with the file in their hands has run these."""
    copy = whole.with_name("copy.sqlite3")
    shutil.copyfile(whole, copy)
    with closing(sqlite3.connect(copy)) as sql, sql:
        sql.execute("PRAGMA ignore_check_constraints = ON")
        for (trigger,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            sql.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            sql.execute(statement, values)
    return copy


def rows_of(path: Path, table: str) -> list[dict[str, object]]:
    with closing(sqlite3.connect(path)) as sql:
        sql.row_factory = sqlite3.Row
        return [dict(row) for row in sql.execute(f"SELECT * FROM {table} ORDER BY 1")]  # noqa: S608


def another(value: object, at: int, character: str) -> object:
    """The value with one character replaced, or a number beside it."""
    if value is None:
        return character
    if isinstance(value, int):
        return value + 1 + at % 3
    text = str(value)
    if not text:
        return character
    at %= len(text)
    return text[:at] + character + text[at + 1 :]


# Whole


def test_a_ledger_that_nobody_touched_is_whole_and_so_are_its_copy_and_its_export(
    whole: Path, export: list[bytes], tmp_path: Path
) -> None:
    head = audited("head", ledger=whole).stdout.strip()
    file = tmp_path / "export.jsonl"
    file.write_bytes(b"".join(export))
    rows = len(rows_of(whole, "trail"))
    for words in ((), (str(shutil.copyfile(whole, tmp_path / "copy.sqlite3")),), (str(file),)):
        done = audited("verify", *words, "--head", head, ledger=whole)
        assert done.exit_code == 0, done.output
        assert f"Whole: {rows} rows" in done.stdout
        assert head in done.stdout
        assert (f"{ORDERS} orders" in done.stdout) == (words != (str(file),))


def test_a_ledger_in_which_nothing_has_happened_is_whole(tmp_path: Path) -> None:
    async def opened() -> None:
        ledger = SqliteLedger(tmp_path / "new.sqlite3", "sandbox")
        await ledger.open()
        await ledger.aclose()

    anyio.run(opened)
    assert "Whole: 0 rows, 0 orders" in audited("verify", ledger=tmp_path / "new.sqlite3").stdout
    assert audited("head", ledger=tmp_path / "new.sqlite3").stdout.strip() == "0" * 64


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for word in ("verify", "export", "head"):
        done = audited(word, ledger=tmp_path / "none.sqlite3")
        assert done.exit_code == 1
        assert "there is no ledger" in done.stderr
    assert not list(tmp_path.iterdir())


# Tampered in the ledger


@given(st.data())
def test_any_byte_of_a_row_of_the_trail_that_is_changed_is_found_at_its_row(
    whole: Path, data: st.DataObject
) -> None:
    rows = rows_of(whole, "trail")
    row = data.draw(st.sampled_from(rows))
    column = data.draw(st.sampled_from(TRAIL_COLUMNS[1:]))
    new = another(row[column], data.draw(st.integers(0, 500)), data.draw(st.characters(codec="utf-8")))
    assume(new != row[column])
    copy = tampered(
        whole,
        f"UPDATE trail SET {column} = ? WHERE sequence = ?",  # noqa: S608
        values=(new, row["sequence"]),
    )
    assert f"row {row['sequence']} of the trail was changed" in found(str(copy))


@given(st.data())
def test_any_byte_of_an_order_or_of_its_preview_that_is_changed_is_found_at_the_order(
    whole: Path, data: st.DataObject
) -> None:
    table, columns = data.draw(st.sampled_from([("orders", ORDER_COLUMNS), ("previews", PREVIEW_COLUMNS)]))
    column = data.draw(
        st.sampled_from([*columns, "last_sequence"] if table == "orders" else [*columns, "realm"])
    )
    ordered = {str(order["preview_id"]): order for order in rows_of(whole, "orders")}
    row = data.draw(
        st.sampled_from([each for each in rows_of(whole, table) if each["preview_id"] in ordered])
    )
    new = another(row[column], data.draw(st.integers(0, 5000)), data.draw(st.characters(codec="utf-8")))
    assume(new != row[column])
    statement = f"UPDATE {table} SET {column} = ? WHERE preview_id = ?"  # noqa: S608
    try:
        copy = tampered(whole, statement, values=(new, row["preview_id"]))
    except sqlite3.IntegrityError:  # another row has that value, which has to be unique
        reject()
    said = found(str(copy))
    number = str(new) if column == "out_order_id" and table == "orders" else row["out_order_id"]
    assert f"order {escaped(str(number))} " in said
    if table == "orders" and column not in ("preview_id", "realm"):
        assert "was changed in the table" in said or "is in the table, and no row" in said


def test_a_byte_that_is_no_text_any_more_is_found(whole: Path) -> None:
    copy = tampered(whole, "UPDATE trail SET event = CAST(x'ff41' AS TEXT) WHERE sequence = 2")
    assert "row 2 of the trail was changed" in found(str(copy))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM trail WHERE sequence = 3", "row 3 of the trail is missing"),
        ("DELETE FROM trail WHERE sequence IN (3, 4)", "rows 3 to 4 of the trail are missing"),
        ("DELETE FROM trail WHERE sequence = 1", "row 1 of the trail is missing"),
        (
            "DELETE FROM orders WHERE out_order_id = 'PO-1'",
            "is of order PO-1, and the table has no such order",
        ),
        (
            "DELETE FROM previews WHERE out_order_id = 'PO-1'",
            "the preview that order PO-1 was made of is missing",
        ),
        ("DELETE FROM approvals", "the table approvals has 0 rows, by the trail it should have 1"),
        ("DELETE FROM pause", "the table pause has 0 rows, by the trail it should have 1"),
        (
            "INSERT INTO approvals SELECT preview_id, 'operator', '2026' FROM orders WHERE out_order_id = 'PO-2'",
            "the table approvals has 2 rows",
        ),
    ],
)
def test_a_row_that_is_missing_or_put_in_is_named(whole: Path, statement: str, said: str) -> None:
    assert said in found(str(tampered(whole, statement)))


def test_an_order_that_the_trail_does_not_know_is_named(whole: Path) -> None:
    columns = list(rows_of(whole, "orders")[0])
    other = {"order_key": "'k'", "preview_id": "'p'", "out_order_id": "'PO-new'", "reference": "'po-new'"}
    wanted = ", ".join(other.get(name, name) for name in columns)
    copy = tampered(whole, f"INSERT INTO orders SELECT {wanted} FROM orders WHERE out_order_id = 'PO-1'")  # noqa: S608
    assert "order PO-new is in the table, and no row" in found(str(copy))


def test_an_order_that_was_set_back_to_what_it_was_before_is_named(whole: Path, tmp_path: Path) -> None:
    """Its row as it stood at the claim: every digest in it fits a row of the trail."""
    path = tmp_path / "earlier.sqlite3"

    async def two_states() -> dict[str, object]:
        ledger = SqliteLedger(path, "sandbox", clock=Clock())
        await ledger.open()
        order = await claimed(ledger, preview_of(1))
        (before,) = rows_of(path, "orders")
        await ledger.record(order.order_key, OUTCOMES["placed"])
        await ledger.aclose()
        return before

    before = anyio.run(two_states)
    marks = ", ".join(f"{name} = ?" for name in before)
    copy = tampered(path, f"UPDATE orders SET {marks}", values=tuple(before.values()))  # noqa: S608
    assert "row 2 of the trail is of order PO-1, and the table" in found(str(copy))


def test_a_tail_that_was_cut_off_is_found_against_the_witness_or_a_noted_hash(
    whole: Path, tmp_path: Path
) -> None:
    head = audited("head", ledger=whole).stdout.strip()
    last = len(rows_of(whole, "trail"))
    copy = tampered(whole, "DELETE FROM trail WHERE event = 'paused' AND sequence > 10", "DELETE FROM pause")
    assert audited("verify", str(copy)).exit_code == 0  # by itself it is whole
    assert f"it was cut off at row {last - 1}" in found(str(copy), "--head", head)
    said = found(ledger=copy)
    assert f"it ends at row {last - 1}, and its witness knows row {last}" in said


def test_a_damaged_file_is_said_to_be_damaged(whole: Path) -> None:
    copy = tampered(whole)
    content = bytearray(copy.read_bytes())
    content[4096:] = b"\xff" * len(content[4096:])
    copy.write_bytes(content)
    assert "damaged" in found(str(copy))


# Tampered in an export


def exported(folder: Path, lines: list[bytes]) -> str:
    path = folder / "export.jsonl"
    path.write_bytes(b"".join(lines))
    return str(path)


@given(st.data())
def test_any_byte_of_an_export_that_is_changed_is_found_at_its_row(
    whole: Path, export: list[bytes], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(export) - 1))
    line = bytearray(export[number])
    at = data.draw(st.integers(0, len(line) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    line[at] = byte
    said = found(exported(whole.parent, [*export[:number], bytes(line), *export[number + 1 :]]))
    if number < len(export) - 1:
        assert f"row {number + 1} of the trail was changed" in said
    else:
        assert "the last line" in said or f"row {number + 1} of the trail was changed" in said


@given(st.data())
def test_lines_of_an_export_that_are_missing_twice_there_or_out_of_order_are_named(
    whole: Path, export: list[bytes], data: st.DataObject
) -> None:
    rows = len(export) - 1
    one = data.draw(st.integers(1, rows - 1))
    other = data.draw(st.integers(one + 1, rows))
    missing = [line for number, line in enumerate(export, 1) if number != one]
    assert f"row {one} of the trail is missing" in found(exported(whole.parent, missing))
    twice = [*export[:other], export[one - 1], *export[other:]]
    assert f"row {one} of the trail is out of order" in found(exported(whole.parent, twice))
    swapped = list(export)
    swapped[one - 1], swapped[other - 1] = export[other - 1], export[one - 1]
    assert f"row {one} of the trail is out of order: it stands behind" in found(
        exported(whole.parent, swapped)
    )


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_an_export_that_was_cut_off_is_named(whole: Path, export: list[bytes], cut: int) -> None:
    assert f"cut off behind row {len(export) - cut}" in found(exported(whole.parent, export[:-cut]))


def test_rows_cut_off_with_a_forged_last_line_are_found_against_the_noted_hash(
    whole: Path, export: list[bytes]
) -> None:
    head = audited("head", ledger=whole).stdout.strip()
    short = tampered(whole, "DELETE FROM trail WHERE sequence > 4")
    lines = audited("export", ledger=short).stdout_bytes.splitlines(keepends=True)
    assert lines[:4] == export[:4]
    path = exported(whole.parent, lines)
    assert audited("verify", path).exit_code == 0
    assert "it was cut off at row 4" in found(path, "--head", head)


@pytest.mark.parametrize("later", ["erased", "resolved"])
@pytest.mark.parametrize(
    "statement", ["UPDATE orders SET payable_fen = 1", "UPDATE previews SET approval_code = 'AAAA-BBBB'"]
)
def test_what_was_changed_in_a_table_stays_found_when_the_program_changes_the_row_later(
    tmp_path: Path, statement: str, later: str
) -> None:
    """Each change of a row seals it afresh, with all that stands in it."""
    path = tmp_path / "ledger.sqlite3"

    async def work() -> None:
        ledger = SqliteLedger(path, "sandbox", clock=Clock())
        outcome = OUTCOMES["placed" if later == "erased" else "unknown"]
        order = await settled(ledger, preview_of(1), outcome)
        with closing(sqlite3.connect(path)) as sql, sql:
            sql.execute(statement)
        if later == "resolved":
            await ledger.resolve(order.order_key, OUTCOMES["placed"], "resolved_by_operator")
        assert await ledger.erase(order.order_key)
        await ledger.aclose()

    anyio.run(work)
    assert "order PO-1 was changed in the tables before row" in found(ledger=path)


# PostgreSQL


def test_the_same_is_found_in_postgresql(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.new_database()
    anyio.run(lived, PostgresLedger(url, "sandbox", clock=Clock()))
    done = audited("verify", ledger=url)
    assert (done.exit_code, f"{ORDERS} orders as the trail has them" in done.stdout) == (0, True), done.output
    path = exported(tmp_path, [audited("export", ledger=url).stdout_bytes])
    head = audited("head", ledger=url).stdout.strip()
    assert audited("verify", path, "--head", head).exit_code == 0
    breaks: list[tuple[str, str]] = [
        (
            "UPDATE orders SET payable_fen = 1 WHERE out_order_id = 'PO-1'",
            "order PO-1 was changed in the table",
        ),
        ("UPDATE previews SET shown = '{}' WHERE out_order_id = 'PO-2'", "the preview that order PO-2"),
        ("UPDATE trail SET at = '2026' WHERE sequence = 4", "row 4 of the trail was changed"),
        ("DELETE FROM trail WHERE sequence = 4", "row 4 of the trail is missing"),
        ("DELETE FROM orders WHERE out_order_id = 'PO-0'", "is of order PO-0"),
        ("DELETE FROM pause", "the table pause has 0 rows"),
    ]
    for statement, said in breaks:
        with psycopg.connect(url, autocommit=True) as sql:
            name = f"copy_{breaks.index((statement, said))}"
            sql.execute(f"CREATE DATABASE {name} TEMPLATE {sql.info.dbname}")  # pyright: ignore[reportArgumentType, reportCallIssue]
        other = url.replace(url.rpartition("/")[2].partition("?")[0], name)
        with psycopg.connect(other, autocommit=True) as sql:
            sql.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
            sql.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]
        assert said in found(ledger=other)


def test_every_event_that_changes_an_order_is_one_that_verify_looks_for(whole: Path) -> None:
    others = {"approved", "paused", "resumed"}
    assert {str(row["event"]) for row in rows_of(whole, "trail")} <= {*ORDER_EVENTS, *others}
