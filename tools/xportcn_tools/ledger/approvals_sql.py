"""What a person does in the ledger, as SQL that every driver runs."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from xportcn_tools.ledger import rows
from xportcn_tools.ledger.approvals import ApprovedBy, Bought, DeclinedIn, SignIn, Visitor
from xportcn_tools.ledger.ledger import DayUsage, StoredPreview
from xportcn_tools.ledger.queries import Session
from xportcn_tools.ledger.upkeep_sql import SqlPart

TOUCH = timedelta(seconds=10)
"""A session that was seen more recently is not written again."""

LOOKED_BACK = 200
"""So many orders of a caller are looked through for goods that were bought before."""

MOST_NAMED = 500
"""Offers in one condition; of more, every order is read. SQLite refuses a condition of a thousand terms."""


class SqlApprovals(SqlPart):
    """A person's part of `SqlLedger`."""

    async def preview_by_code(self, approval_code: str) -> StoredPreview | None:
        return await self._run(lambda sql: self._queries.preview(sql, "approval_code = ?", (approval_code,)))

    async def waiting(self) -> list[StoredPreview]:
        def work(sql: Session) -> list[StoredPreview]:
            found = self._queries.waiting(sql, self._now(sql))
            return [each for each in found if not self._queries.restored_since(sql, each.trail_seen)]

        return await self._run(work)

    async def bought(self, caller: str, goods: Collection[tuple[str, str]]) -> list[Bought]:
        # Offer ids are digits: nothing of them is a sign of LIKE's.
        offers = sorted({f'%"{offer}"%' for offer, _ in goods})
        if len(offers) > MOST_NAMED:
            offers = ["%"]
        one_of = " OR ".join(["previews.shown LIKE ?"] * len(offers)) or "1 = 0"
        statement = (
            "SELECT recent.out_order_id, recent.created_at, previews.shown, previews.ship_to FROM"  # noqa: S608 - ours
            " (SELECT preview_id, out_order_id, created_at FROM orders"
            " WHERE realm = ? AND caller = ? AND state = 'placed'"
            f" ORDER BY created_at DESC LIMIT {LOOKED_BACK}) AS recent"
            f" JOIN previews USING (preview_id) WHERE {one_of} ORDER BY recent.created_at DESC"
        )
        values = (self._queries.realm, caller, *offers)

        def work(sql: Session) -> list[Bought]:
            bought, missing = list[Bought](), set(goods)
            for row in sql.execute(statement, values):
                if not missing:
                    break
                with suppress(rows.UnreadableRowError):  # doctor names such rows
                    order = rows.bought_of(row)
                    bought += [order] if order.goods & missing else []
                    missing -= order.goods
            return bought

        return await self._run(work)

    async def approve(self, preview: StoredPreview, method: ApprovedBy = "operator") -> bool:
        def work(sql: Session) -> bool:
            with self._transaction(sql):
                if self._queries.approved_by(sql, preview.preview_id):
                    return False
                row = {
                    "preview_id": preview.preview_id,
                    "method": method,
                    "approved_at": rows.time_text(self._now(sql)),
                }
                self._queries.insert(sql, "approvals", row)
                body = self._queries.preview_trail(sql, preview) | {"method": method}
                self._append(sql, "approved", preview.out_order_id, body)
                return True

        return await self._run(work)

    async def decline(self, preview: StoredPreview, method: DeclinedIn) -> bool:
        def work(sql: Session) -> bool:
            key = (preview.preview_id,)
            with self._transaction(sql):
                if sql.execute("SELECT 1 AS one FROM orders WHERE preview_id = ?", key):
                    return False
                if self._queries.approved_by(sql, preview.preview_id):  # the last word counts
                    sql.execute("DELETE FROM approvals WHERE preview_id = ?", key)
                    self._append(sql, "approval_withdrawn", preview.out_order_id, {})
                now = rows.time_text(self._now(sql))
                sql.execute("UPDATE previews SET declined_at = ? WHERE preview_id = ?", (now, *key))
                body = self._queries.preview_trail(sql, preview) | {"method": method}
                self._append(sql, "declined", preview.out_order_id, body)
                return True

        return await self._run(work)

    async def used(self, caller: str) -> DayUsage:
        return await self._run(lambda sql: self._queries.usage(sql, caller, self._now(sql)))

    async def let_in(self, sign_in: SignIn) -> None:
        def work(sql: Session) -> None:
            now = rows.time_text(self._now(sql))
            with self._one_row(sql):
                sql.execute("DELETE FROM visits WHERE expires_at <= ?", (now,))
                seen_at = now if sign_in.opened else ""
                row = self._visit(sign_in.code_digest, "code", sign_in.visitor, sign_in.expires_at, seen_at)
                self._queries.insert(sql, "visits", row)

        await self._run(work)

    async def sign_in(
        self, code_digest: str, session_of: Callable[[Visitor], str], expires_at: datetime
    ) -> Visitor | None:
        def work(sql: Session) -> Visitor | None:
            with self._transaction(sql):
                now = rows.time_text(self._now(sql))
                spent = sql.execute(
                    "DELETE FROM visits WHERE realm = ? AND digest = ? AND kind = 'code' AND expires_at > ?"
                    " RETURNING caller",
                    (self._queries.realm, code_digest, now),
                )
                if not spent:
                    return None
                visitor = Visitor(spent[0]["caller"])
                row = self._visit(session_of(visitor), "session", visitor, expires_at, now)
                self._queries.insert(sql, "visits", row)
                return visitor

        return await self._run(work)

    async def visitor(self, session_digest: str) -> Visitor | None:
        def work(sql: Session) -> Visitor | None:
            now = self._now(sql)
            found = sql.execute(
                "SELECT caller, seen_at FROM visits WHERE realm = ? AND digest = ? AND kind = 'session'"
                " AND expires_at > ?",
                (self._queries.realm, session_digest, rows.time_text(now)),
            )
            if not found:
                return None
            if found[0]["seen_at"] < rows.time_text(now - TOUCH):
                with self._one_row(sql):
                    sql.execute(
                        "UPDATE visits SET seen_at = ? WHERE digest = ?",
                        (rows.time_text(now), session_digest),
                    )
            return Visitor(found[0]["caller"])

        return await self._run(work)

    def _visit(
        self, digest: str, kind: str, visitor: Visitor, expires_at: datetime, seen_at: str
    ) -> dict[str, Any]:
        return {
            "digest": digest,
            "realm": self._queries.realm,
            "kind": kind,
            "caller": visitor.caller,
            "expires_at": rows.time_text(expires_at),
            "seen_at": seen_at,
        }
