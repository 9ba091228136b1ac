"""The ledger in PostgreSQL, looked at by psycopg in a read-only transaction.

The server options of the URL hold here as they do for the server: one of them may name another schema.
Of the driver's error texts nothing is shown: a URL that is written wrongly comes back in them, and parts
of its password with it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, LiteralString, cast

from xportcn_server.doctor.check import Check, fault, ok
from xportcn_server.doctor.ledger_state import (
    PAUSED,
    UNKNOWN,
    judged_pause,
    judged_rows,
    judged_unknown,
    judged_version,
)
from xportcn_server.settings.values import masked
from xportcn_tools.ledger.migrations import numbered_scripts

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
_WRITTEN = (
    ("previews", "INSERT"),
    ("previews", "UPDATE"),
    ("orders", "INSERT"),
    ("orders", "UPDATE"),
    ("trail", "INSERT"),
    ("approvals", "INSERT"),
    ("pause", "INSERT"),
    ("pause", "DELETE"),
    ("upstream_ids", "INSERT"),
    ("order_totals", "INSERT"),
    ("order_totals", "UPDATE"),
    ("totals_of_all_days", "INSERT"),
    ("totals_of_all_days", "UPDATE"),
)
_NAME = "ledger"

# In libpq's own English words, or a server's; where none matches, no reason is given.
_REASONS = (
    (
        "unsupported startup parameter",
        "a pooler (PgBouncer) before the database refuses an option in XPORTCN_LEDGER",
        "take it out of the URL, and set it in the database instead: ALTER ROLE … SET …",
    ),
    (
        "statement pooling",
        "a pooler (PgBouncer) before the database allows no transactions",
        "set its pool_mode to transaction or session",
    ),
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
    ("no pg_hba.conf entry", "the database refuses connections from this machine", "add it to pg_hba.conf"),
    ("ssl", "the TLS handshake fails", "check sslmode and the certificates"),
)


def check_postgres(url: str, *, whole: bool = False) -> list[Check]:
    """Connect, read the version of the schema and the unknown orders."""
    try:
        import psycopg  # noqa: PLC0415 - an optional extra
    except ImportError:
        found = "XPORTCN_LEDGER names a PostgreSQL database, and the driver is not installed"
        return [fault(_NAME, found, 'pip install "xportcn-mcp[postgres]"')]
    newest = numbered_scripts("postgres")[-1][0]
    try:
        # As the ledger connects: poolers refuse options, and lose prepared statements.
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS, prepare_threshold=None) as connection:
            connection.read_only = True
            connection.execute("SET LOCAL statement_timeout = '5s'")
            return list(_judged(masked(url), newest, connection, whole=whole))
    except (psycopg.Error, ValueError, OSError) as error:
        return [_unreached(masked(url), error)]


def _judged(place: str, newest: int, connection: "psycopg.Connection", *, whole: bool) -> Iterator[Check]:
    if _rows(connection, "SELECT pg_backend_pid()") != [str(connection.info.backend_pid)]:
        # PgBouncer, for one, gives each client a number of its own instead of the server process's.
        place += " (through a pooler such as PgBouncer)"
    hindrance = _hindrance(connection)
    if hindrance:
        found, step = hindrance
        yield fault(f"{_NAME} writable", f"{place}: {found}", step)
    if not _exists(connection, "migrations"):
        yield ok(_NAME, f"{place} is reached and has no tables yet; the first start makes them")
        return
    version = _rows(connection, "SELECT COALESCE(MAX(number), 0) FROM migrations")[0]
    yield judged_version(place, int(version), newest)
    if _exists(connection, "orders"):
        yield judged_unknown(_rows(connection, UNKNOWN))
    if _exists(connection, "pause"):
        yield judged_pause(_rows(connection, PAUSED))
    if int(version) == newest:
        from psycopg.rows import dict_row  # noqa: PLC0415 - an optional extra

        (size,) = _rows(
            connection, "SELECT pg_total_relation_size('orders') + pg_total_relation_size('previews')"
        )
        connection.execute("SET LOCAL statement_timeout = '10min'")
        yield judged_rows(
            lambda statement: connection.cursor(row_factory=dict_row).execute(cast("Any", statement)),
            int(size),
            whole=whole,
        )


def _hindrance(connection: "psycopg.Connection") -> tuple[str, str] | None:
    """Why the server could not write here, and what to do; by asking, never by writing."""
    if _rows(connection, "SELECT pg_is_in_recovery()") == ["True"]:
        return "this is a standby, which takes no order", "name the primary in XPORTCN_LEDGER"
    if _rows(connection, "SHOW default_transaction_read_only") == ["on"]:
        return (
            "its transactions are read-only by default",
            "set default_transaction_read_only to off for this user, database and URL",
        )
    if not _exists(connection, "migrations"):
        if _rows(connection, "SELECT has_schema_privilege(current_schema(), 'CREATE')") == ["True"]:
            return None
        return (
            "the user may not make the tables, or their schema does not exist",
            "create the schema, GRANT CREATE and USAGE on it to this user, or correct XPORTCN_LEDGER",
        )
    missing = [
        f"{right} on {table}"
        for table, right in _WRITTEN
        if connection.execute("SELECT has_table_privilege(to_regclass(%s), %s)", (table, right)).fetchone()
        == (False,)  # for a table that a later migration makes, the answer is NULL
    ]
    if missing:
        return f"the user lacks {', '.join(missing)}", "GRANT it, or make this user the tables' owner"
    return None


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
