"""A ledger of any size within minutes: one order that was placed through the desk, copied by SQL.

Each copy has keys, number, order id, goods, caller, state and times of its own, a preview, and two rows in the
trail. The hashes are random, so that no chain is whole: it is for timing, and not for `audit verify`.
"""

# ruff: noqa: S608 - every word is its own

from collections.abc import Callable, Sequence

Execute = Callable[[str], Sequence[Sequence[object]]]
"""Runs a statement and gives its rows."""

SECONDS_APART = 31
"""A million orders are a year; the last is of two days ago."""

_SQLITE = {
    "key": "lower(hex(randomblob(16)))",
    "digest": "lower(hex(randomblob(32)))",
    "at": "strftime('%Y-%m-%dT%H:%M:%f', 'now', '-2 days', (({n} - {orders}) * {apart}) || ' seconds') || '000Z'",
    "numbers": "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {orders})",
}
_POSTGRES = {
    "key": "replace(gen_random_uuid()::text, '-', '')",
    "digest": "replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')",
    "at": "to_char((now() AT TIME ZONE 'UTC') - INTERVAL '2 days' + ({n} - {orders}) * INTERVAL '{apart} s',"
    """ 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "numbers": "WITH numbers AS (SELECT generate_series(1, {orders}) AS n)",
}
_STATE = (
    "CASE WHEN n % 1000 < 970 THEN 'placed' WHEN n % 1000 < 990 THEN 'rejected'"
    " WHEN n % 1000 < 999 THEN 'absent' ELSE 'unknown' END"
)


def fill(execute: Execute, orders: int, *, postgres: bool) -> None:
    """Copy the newest order of a ledger so often. One transaction; ends with the planner's statistics on PostgreSQL."""
    words = {
        name: text.replace("{orders}", str(orders))
        for name, text in (_POSTGRES if postgres else _SQLITE).items()
    }
    at = words["at"].replace("{apart}", str(SECONDS_APART)).replace("{n}", "n")
    ((last,),) = execute("SELECT MAX(sequence) FROM trail")
    execute("BEGIN")
    execute(
        f"CREATE TEMP TABLE copies AS {words['numbers']} SELECT n, {words['key']} AS preview_id,"
        f" {words['key']} AS order_key, substr({words['digest']}, 1, 32) AS goods, {at} AS at, {_STATE} AS state,"
        " CASE n % 5 WHEN 0 THEN 'local' ELSE 'caller-' || n % 5 END AS caller,"
        f" 'PO-' || n || '-' || substr({words['key']}, 1, 8) AS number FROM numbers"
    )
    ids = "'[\"' || (3000000000000000000 + n) || '\"]'"
    preview = {
        "preview_id": "copies.preview_id",
        "token_digest": words["digest"],
        "caller": "copies.caller",
        "approval_code": f"n || '-' || substr({words['key']}, 1, 2)",
        "out_order_id": "copies.number",
        "created_at": "copies.at",
        "expires_at": "copies.at",
        "trail_seen": f"{last} + 2 * n - 2",
        "goods_digest": "CASE WHEN n % 100 = 0 THEN one.goods_digest ELSE copies.goods END",
    }
    order = {
        "order_key": "copies.order_key", "preview_id": "copies.preview_id", "caller": "copies.caller",
        "out_order_id": "copies.number", "reference": "lower(copies.number)", "state": "copies.state",
        "day": "substr(copies.at, 1, 10)", "created_at": "copies.at", "updated_at": "copies.at",
        "goods_digest": preview["goods_digest"], "last_sequence": f"{last} + 2 * n",
        "order_ids": f"CASE WHEN copies.state = 'placed' THEN {ids} ELSE '[]' END",
    }  # fmt: skip
    for table, changed in (("previews", preview), ("orders", order)):
        columns = _columns(execute, table, postgres=postgres)
        values = ", ".join(changed.get(name, f"one.{name}") for name in columns)
        one = f"(SELECT * FROM {table} ORDER BY created_at DESC LIMIT 1)"
        execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM copies, {one} AS one ORDER BY n"
        )
    for event, offset in (("claimed", -1), ("placed", 0)):
        execute(
            f"CREATE TEMP TABLE rows_{event} AS SELECT {last} + 2 * n + {offset} AS sequence, copies.at AS at,"
            f" '{event}' AS event, copies.number AS subject, one.body AS body, {words['digest']} AS previous,"
            f" {words['digest']} AS hash FROM copies, (SELECT body FROM trail WHERE event = '{event}' LIMIT 1) AS one"
        )
    execute(
        "INSERT INTO trail (sequence, at, event, subject, body, previous, hash)"
        " SELECT * FROM rows_claimed UNION ALL SELECT * FROM rows_placed ORDER BY sequence"
    )
    for table in ("copies", "rows_claimed", "rows_placed"):
        execute(f"DROP TABLE {table}")
    execute("COMMIT")
    if postgres:
        execute("ANALYZE")


def _columns(execute: Execute, table: str, *, postgres: bool) -> list[str]:
    if postgres:
        found = execute(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'")
    else:
        found = execute(f"SELECT name FROM pragma_table_info('{table}')")
    return [str(row[0]) for row in found]
