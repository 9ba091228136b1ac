"""The ledger in PostgreSQL, looked at by psycopg in a read-only session.

Of the driver's error texts nothing is shown: a URL that is written wrongly comes back in them, and parts
of its password with it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, LiteralString

from xportcn_server.checks.check import Check, fault, ok
from xportcn_server.checks.ledger_state import judged_unknown, judged_version
from xportcn_server.setting_values import masked
from xportcn_tools.ledger.migrations import numbered_scripts

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
_READ_ONLY = "-c default_transaction_read_only=on -c statement_timeout=5s"
_NAME = "ledger"

# In libpq's own English words, or a server's; what matches none is told without a reason.
_REASONS = (
    (
        "password authentication",
        "the database refuses the user or the password",
        "correct both in XPORTCN_LEDGER",
    ),
    (
        "resolve host",
        "the database's host name is not found",
        "correct the host in XPORTCN_LEDGER, or check the DNS",
    ),
    (
        "refused",
        "nothing answers at the database's address",
        "start the database, or correct host and port in XPORTCN_LEDGER",
    ),
    ("timeout", "the database does not answer in time", "check the network and the firewall on the way"),
    ("does not exist", "the database or the user does not exist", "create it, or correct XPORTCN_LEDGER"),
    ("no pg_hba.conf entry", "the database does not let this machine in", "add it to pg_hba.conf"),
    ("ssl", "the TLS connection does not come about", "check sslmode and the certificates"),
)


def check_postgres(url: str) -> list[Check]:
    """Connect, read the version of the schema and the unknown orders."""
    try:
        import psycopg  # noqa: PLC0415 - an optional extra
    except ImportError:
        found = "XPORTCN_LEDGER names a PostgreSQL database, and the driver is not installed"
        return [fault(_NAME, found, 'pip install "xportcn-mcp[postgres]"')]
    newest = numbered_scripts("postgres")[-1][0]
    try:
        with psycopg.connect(
            url, autocommit=True, connect_timeout=CONNECT_SECONDS, options=_READ_ONLY
        ) as connection:
            return list(_judged(masked(url), newest, connection))
    except (psycopg.Error, ValueError, OSError) as error:
        return [_unreached(masked(url), error)]


def _judged(place: str, newest: int, connection: "psycopg.Connection") -> Iterator[Check]:
    if not _exists(connection, "migrations"):
        yield ok(_NAME, f"{place} is reached and has no tables yet; the first start makes them")
        return
    version = _rows(connection, "SELECT COALESCE(MAX(number), 0) FROM migrations")[0]
    yield judged_version(place, int(version), newest)
    if _exists(connection, "orders"):
        unknown = "SELECT out_order_id FROM orders WHERE state = 'unknown' ORDER BY created_at DESC"
        yield judged_unknown(_rows(connection, unknown))


def _exists(connection: "psycopg.Connection", table: str) -> bool:
    return connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,)


def _rows(connection: "psycopg.Connection", statement: LiteralString) -> list[str]:
    return [str(row[0]) for row in connection.execute(statement)]


def _unreached(place: str, error: Exception) -> Check:
    said = str(error).casefold()
    for words, found, step in _REASONS:
        if words in said:
            return fault(_NAME, f"{place}: {found}", step)
    step = "try XPORTCN_LEDGER with psql on this machine: it says what is wrong"
    return fault(_NAME, f"{place} cannot be used ({type(error).__name__})", step)
