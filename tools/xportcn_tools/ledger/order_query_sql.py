"""An `OrderQuery` as SQL that every driver runs, by an index however many orders there are. Pure."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import get_args

from xportcn_tools.ledger.order_query import OrderQuery, State
from xportcn_tools.ledger.rows import day_of, start_of, time_text

Statement = tuple[str, list[str]]
"""SQL with `?` for its values, and these."""

_REFERRED = (
    "SELECT order_key FROM orders WHERE realm = ? AND out_order_id = ?"
    " UNION SELECT order_key FROM orders WHERE realm = ? AND reference = ?"
    " UNION SELECT order_key FROM upstream_ids WHERE order_id = ?"
    " UNION SELECT order_key FROM orders"
    " WHERE preview_id = (SELECT preview_id FROM previews WHERE token_digest = ?)"
)


@dataclass(frozen=True)
class QueryStatements:
    """What finds and counts the orders of a query. `realm`: whose orders, as of the ledger."""

    realm: str

    def newest(self, query: OrderQuery) -> Statement:
        """Orders, newest first. Of a caller's states each is read by itself: one index has the newest."""
        order = " ORDER BY created_at DESC, order_key"
        if query.limit is not None:
            order += f" LIMIT {query.limit:d}"
        parts = [query]
        if query.caller is not None and query.reference is None:
            parts = [replace(query, states=(state,)) for state in query.states or get_args(State)]
        statements: list[str] = []
        values: list[str] = []
        for part in parts:
            condition, found = self._fitting(part)
            if query.before is not None:
                last = "FROM orders WHERE realm = ? AND out_order_id = ?"
                time, key = f"(SELECT created_at {last})", f"(SELECT order_key {last})"
                condition += f" AND created_at <= {time} AND (created_at < {time} OR order_key > {key})"
                found += [self.realm, query.before] * 3
            statements.append(f"SELECT * FROM orders WHERE {condition}{order}")  # noqa: S608 - ours
            values += found
        if len(statements) == 1:
            return statements[0], values
        each = [f"({statement}) AS part{number}" for number, statement in enumerate(statements)]
        return f"SELECT * FROM {' UNION ALL SELECT * FROM '.join(each)}{order}", values  # noqa: S608 - ours

    def totals(self, query: OrderQuery) -> Statement:
        """`state`, `orders` and `fen`. All days together stand added up in a table, and whole days (UTC) in
        another; the orders of a period's first and last day are added to them.
        """
        first = query.since and day_of(query.since + timedelta(days=1, microseconds=-1))
        last = query.until and day_of(query.until)
        if query.reference is not None or (first and last and first > last):
            parts = [self._ones(query)]
        else:
            condition, values = self._fitting(replace(query, since=None, until=None))
            for day, bound in ((first, " AND day >= ?"), (last, " AND day < ?")):
                if day:
                    condition += bound
                    values.append(day)
            table = "order_totals" if first or last else "totals_of_all_days"
            parts = [(f"SELECT state, orders, payable_fen FROM {table} WHERE {condition}", values)]  # noqa: S608
            if first:
                parts.append(self._ones(replace(query, until=start_of(first))))
            if last:
                parts.append(self._ones(replace(query, since=start_of(last))))
        counted = " UNION ALL ".join(part for part, _ in parts)
        statement = (
            "SELECT state, SUM(orders) AS orders, SUM(payable_fen) AS fen"  # noqa: S608 - ours
            f" FROM ({counted}) AS counted GROUP BY state HAVING SUM(orders) > 0 ORDER BY state"
        )
        return statement, [value for _, values in parts for value in values]

    def _ones(self, query: OrderQuery) -> Statement:
        """Each order by itself."""
        condition, values = self._fitting(query)
        return f"SELECT state, 1 AS orders, payable_fen FROM orders WHERE {condition}", values  # noqa: S608 - ours

    def _fitting(self, query: OrderQuery) -> Statement:
        """The condition of a query, but for `limit` and `before`."""
        # Beside a reference no index may begin with the realm: SQLite would take it, and read all orders.
        clauses, values = ["realm = ?" if query.reference is None else "realm || '' = ?"], [self.realm]
        if query.caller is not None:
            clauses.append("caller = ?")
            values.append(query.caller)
        if query.reference is not None:
            clauses.append(f"order_key IN ({_REFERRED})")
            values += [self.realm, query.reference, self.realm, query.reference.lower(), query.reference]
            values.append(query.token_digest)
        if query.states:
            # Our own words, and no values: these would lead SQLite to no index of some states.
            clauses.append("(" + " OR ".join(f"state = '{state}'" for state in query.states) + ")")
        for bound, condition in ((query.since, "created_at >= ?"), (query.until, "created_at < ?")):
            if bound:
                clauses.append(condition)
                values.append(time_text(bound))
        return " AND ".join(clauses), values
