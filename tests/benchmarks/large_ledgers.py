"""A ledger with many orders beside one with few, on both drivers; `doctor`; one row of a long trail."""

import sqlite3
import statistics
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg

from benchmarks.big_ledger import Execute, fill
from benchmarks.measured import Figure, Measured, Sizes
from benchmarks.start_and_calls import Orders, in_turn, milliseconds, ratios
from benchmarks.surroundings import Place
from harness.postgres_server import postgres_server, programs
from harness.processes import free_port, process_environment, xportcn_mcp

NO_POSTGRES = "PostgreSQL is not installed"
APPENDS = 30
PREPARED_AFTER = 6
"""From this one on, a connection runs the trail's trigger by a plan made for every sequence number."""


def sqlite(place: Place, sizes: Sizes) -> Measured:
    few, many = place.folder / "few.sqlite3", place.folder / "many.sqlite3"
    _with_an_order(place, few)
    _with_an_order(place, many)
    with closing(sqlite3.connect(many, isolation_level=None)) as connection:
        # While it is filled; the server has its own settings.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
            connection.execute(f"PRAGMA {pragma}")
        before = many.stat().st_size
        fill(lambda text: connection.execute(text).fetchall(), sizes.sqlite_orders, postgres=False)
        file = (many.stat().st_size - before) / sizes.sqlite_orders
    create, look_up = _compared(place, few, many, sizes, sizes.sqlite_orders)
    doctor = [_doctor_seconds(place, many) for _ in range(sizes.doctor_runs)]
    many.unlink()
    return {
        "create-big": create,
        "get-big": look_up,
        "doctor": Figure(doctor, size=sizes.sqlite_orders),
        "file": Figure([file], size=sizes.sqlite_orders),
    }


def postgres(place: Place, sizes: Sizes) -> Measured:
    if programs() is None:
        return dict.fromkeys(("create-postgres", "get-postgres"), NO_POSTGRES)
    with postgres_server(free_port()) as server:
        few, many = server.new_database(), server.new_database()
        _with_an_order(place, few)
        _with_an_order(place, many)
        with _executing(many) as execute:
            fill(execute, sizes.postgres_orders, postgres=True)
        create, look_up = _compared(place, few, many, sizes, sizes.postgres_orders)
    return {"create-postgres": create, "get-postgres": look_up}


def trail(place: Place, sizes: Sizes) -> Measured:
    if not sizes.trail_rows:
        return {"trail": "a run of its own: `make bench ARGS=--trail`"}
    if programs() is None:
        return {"trail": NO_POSTGRES}
    with postgres_server(free_port()) as server:
        return {"trail": _trail(place, server.new_database(), sizes.trail_rows)}


def _with_an_order(place: Place, ledger: Path | str) -> None:
    """The order that is copied, which is the second: the first of an account has a warning of its own."""
    with place.ours(ledger) as server:
        orders = Orders(server)
        for _ in range(2):
            orders.create()


def _compared(
    place: Place, few: Path | str, many: Path | str, sizes: Sizes, size: int
) -> tuple[Figure, Figure]:
    """Creates, and then `get_orders`, when the newest orders of both ledgers are those that were just made."""
    with ExitStack() as stack:
        at = {
            name: Orders(stack.enter_context(place.ours(ledger)))
            for name, ledger in (("few", few), ("many", many))
        }
        for orders in at.values():
            for _ in range(sizes.batch * (sizes.rounds + 1)):
                orders.preview()
        creates = {name: orders.create for name, orders in at.items()}
        look_ups = {
            name: lambda orders=orders: orders.server.timed("get_orders", {})[0]
            for name, orders in at.items()
        }
        figures: list[Figure] = []
        for works in (creates, look_ups):
            in_turn(works, 1, sizes.batch)
            found = in_turn(works, sizes.rounds, sizes.batch)
            figures.append(Figure(ratios(found["many"], found["few"]), milliseconds(found["few"]), size))
    return figures[0], figures[1]


def _doctor_seconds(place: Place, ledger: Path) -> float:
    """Whatever it finds: copies are no chain, and the sandbox is no account."""
    environment = process_environment(place.settings(ledger))
    began = time.perf_counter()
    done = subprocess.run(
        xportcn_mcp("doctor", "--json"),
        env=environment,
        cwd=place.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    took = time.perf_counter() - began
    assert done.stdout.startswith(b"{"), done.stderr
    return took


def _trail(place: Place, url: str, rows: int) -> Figure:
    """The INSERT of one row, as the ledger makes it, without its commit."""
    _with_an_order(place, url)
    with _executing(url) as execute:
        execute("ALTER TABLE trail DISABLE TRIGGER USER")
        execute(
            "INSERT INTO trail (sequence, at, event, subject, body, previous, hash)"  # noqa: S608 - two numbers
            " SELECT last.sequence + n, last.at, last.event, 'PO-' || n, last.body, md5(n::text), md5((n + 1)::text)"
            f" FROM (SELECT * FROM trail ORDER BY sequence DESC LIMIT 1) AS last, generate_series(1, {rows}) AS n"
        )
        execute("ALTER TABLE trail ENABLE TRIGGER USER")
        execute("ANALYZE")
    took: list[float] = []
    with psycopg.connect(url) as connection:
        for number in range(APPENDS):
            found = connection.execute("SELECT * FROM trail ORDER BY sequence DESC LIMIT 1").fetchone()
            assert found
            new = (found[0] + 1, *found[1:5], found[6], f"bench-{number}")
            began = time.perf_counter()
            connection.execute(
                "INSERT INTO trail (sequence, at, event, subject, body, previous, hash)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                new,
            )
            took.append((time.perf_counter() - began) * 1000)
            connection.commit()
    after = took[PREPARED_AFTER:]
    return Figure(after, f"{statistics.median(took[:5]):.2g} ms before the sixth", rows)


@contextmanager
def _executing(url: str) -> Generator[Execute]:
    with psycopg.connect(url, autocommit=True) as connection:

        def execute(text: str) -> Sequence[Sequence[object]]:
            cursor = connection.execute(cast("Any", text))
            return cursor.fetchall() if cursor.description else []

        yield execute
