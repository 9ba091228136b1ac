"""One row that cannot be read costs this row, by name, and nothing else; one that is missing is not forgotten."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.clock import Clock
from harness.house import House, call, previewed
from harness.postgres_server import PostgresServer
from harness.settings import settings_for
from ledger.suite.stores import (
    LEASE,
    PLACED,
    UNKNOWN,
    all_orders,
    claim,
    claimed,
    digest_of,
    preview_of,
    settled,
    standing_of,
    stored,
    used_by,
)
from xportcn_server.doctor.check_ledger import check_ledger
from xportcn_server.sandbox.service import build_sandbox
from xportcn_server.settings.loaded import Loaded
from xportcn_tools.ledger.ledger import (
    EarlierUnknown,
    Ledger,
    LedgerUnavailableError,
    OrderQuery,
    Realm,
    ReferenceUsed,
)
from xportcn_tools.ledger.postgres import PostgresLedger
from xportcn_tools.ledger.sqlite import SqliteLedger

pytestmark = pytest.mark.anyio


def view_of(place: str, clock: Clock, realm: Realm = "sandbox") -> Ledger:
    if place.startswith("postgresql://"):
        return PostgresLedger(place, realm, clock=clock)
    return SqliteLedger(Path(place), realm, clock=clock)


@dataclass
class Damaged:
    """A ledger of either driver, and a hand in its tables."""

    place: str
    ledger: Ledger
    clock: Clock

    def by_hand(self, statement: str, *values: Any) -> None:
        if self.place.startswith("postgresql://"):
            with psycopg.connect(self.place, autocommit=True) as database:
                changed = database.execute(statement.replace("?", "%s"), values).rowcount  # pyright: ignore[reportArgumentType, reportCallIssue]
        else:
            with closing(sqlite3.connect(self.place, isolation_level=None)) as file:
                changed = file.execute(statement, values).rowcount
        assert changed == 1 or statement.startswith("ALTER")

    def in_the_trail(self, statement: str, *values: Any) -> None:
        """Past the triggers that keep others from changing it."""
        if self.place.startswith("postgresql://"):
            self.by_hand("ALTER TABLE trail DISABLE TRIGGER trail_is_append_only")
        else:
            with closing(sqlite3.connect(self.place, isolation_level=None)) as file:
                file.execute("DROP TRIGGER IF EXISTS trail_is_append_only_u")
        self.by_hand(statement, *values)

    def doctors_rows(self) -> tuple[str, str]:
        """Status and finding."""
        loaded = Loaded(settings_for(Path("/nowhere"), LEDGER=self.place), ())
        (check,) = (check for check in check_ledger(loaded) if check.name == "ledger rows")
        return check.status, check.found


@pytest.fixture(params=["sqlite", "postgres"])
async def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Damaged]:
    if request.param == "sqlite":
        place = str(tmp_path / "ledger.sqlite3")
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        place = postgres.new_database()
    clock = Clock()
    ledger = view_of(place, clock)
    await ledger.open()
    yield Damaged(place, ledger, clock)
    await ledger.aclose()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("order_ids", '["1'),
        ("order_ids", "7"),
        ("order_ids", '{"amount": "x", "currency": "CNY"}'),
        ("created_at", "soon"),
        ("updated_at", ""),
        ("lease_until", "2026-03-09"),
    ],
)
async def test_an_order_that_cannot_be_read_is_missing_in_lists_and_named(
    damaged: Damaged, caplog: pytest.LogCaptureFixture, column: str, value: str
) -> None:
    ledger = damaged.ledger
    await settled(ledger, preview_of(1), PLACED)
    await settled(ledger, preview_of(2), replace(PLACED, order_ids=("42",)))
    assert damaged.doctors_rows() == ("ok", "every order and preview can be read")
    before = await used_by(ledger)
    damaged.by_hand(f"UPDATE orders SET {column} = ? WHERE out_order_id = 'PO-1'", value)  # noqa: S608

    assert [order.out_order_id for order in await all_orders(ledger)] == ["PO-2"]
    assert f"order PO-1 cannot be read ({column})" in caplog.text
    receipts = await ledger.receipts(OrderQuery(None))
    assert [receipt.order.out_order_id for receipt in receipts] == ["PO-2"]
    assert [order.out_order_id for order in await all_orders(ledger, reference="42")] == ["PO-2"]
    assert await used_by(ledger) == before
    # Asked for alone it is no empty answer, and no second order.
    for ask in (all_orders(ledger, reference="PO-1"), claim(ledger, preview_of(1))):
        with pytest.raises(LedgerUnavailableError, match=rf"order PO-1 .*{column}"):
            await ask
    assert damaged.doctors_rows() == (
        "fault",
        f"the ledger's row of order PO-1 cannot be read ({column})",
    )


async def test_an_order_whose_time_of_claim_is_none_counts_on_each_day_until_it_is_mended(
    damaged: Damaged,
) -> None:
    await settled(damaged.ledger, preview_of(1), PLACED)
    damaged.clock.advance(86_400)
    assert (await used_by(damaged.ledger)).fen == 0
    damaged.by_hand("UPDATE orders SET created_at = 'yesterday'")
    assert (await used_by(damaged.ledger)).fen == 6561
    damaged.by_hand("UPDATE orders SET created_at = '2026-03-09T12:00:00.123456Z'")
    assert (await used_by(damaged.ledger)).fen == 0


@pytest.mark.parametrize("column", ["order_ids", "lease_until", "created_at"])
async def test_an_order_that_is_being_sent_ends_as_unknown_although_it_cannot_be_read(
    damaged: Damaged, column: str
) -> None:
    ledger = damaged.ledger
    order = await claimed(ledger, preview_of(1))
    await claimed(ledger, preview_of(2))
    damaged.by_hand(f"UPDATE orders SET {column} = ? WHERE out_order_id = 'PO-1'", "soon")  # noqa: S608
    damaged.clock.advance(LEASE + 1)
    assert "PO-2" in [order.out_order_id for order in await all_orders(ledger, states=("unknown",))]
    gone = {row.subject for row in await ledger.trail() if row.event == "abandoned"}
    assert gone == {"PO-1", "PO-2"}
    # Its sender was only late: the answer is recorded after all.
    assert (await ledger.record(order.order_key, PLACED)).order_ids == PLACED.order_ids


async def test_an_order_that_cannot_be_read_still_stops_its_twin(damaged: Damaged) -> None:
    ledger = damaged.ledger
    await settled(ledger, preview_of(1, goods="same"), UNKNOWN)
    twin = preview_of(2, goods="same")
    await stored(ledger, twin)
    changes = ["orders SET order_ids = '7'", "previews SET request = '{'", "previews SET request = '7'"]
    for change in [*(f"UPDATE {change}" for change in changes), "DELETE FROM previews"]:
        if change.startswith("DELETE") and isinstance(ledger, PostgresLedger):
            damaged.by_hand("ALTER TABLE orders DROP CONSTRAINT orders_preview_id_fkey")
        damaged.by_hand(f"{change} WHERE out_order_id = 'PO-1'")
        found = (await standing_of(ledger, twin)).twin
        assert found
        assert (found.out_order_id, found.state) == ("PO-1", "unknown")
        assert isinstance(await claim(ledger, twin), EarlierUnknown)


async def test_a_preview_that_cannot_be_read_costs_the_goods_of_its_order_alone(
    damaged: Damaged, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = damaged.ledger
    for number in (1, 2):
        await settled(ledger, preview_of(number), PLACED)
    for number in (3, 4):
        await stored(ledger, preview_of(number))
    for number in (1, 3):
        damaged.by_hand("UPDATE previews SET shown = '{' WHERE out_order_id = ?", f"PO-{number}")
    receipts = {found.order.out_order_id: found.preview for found in await ledger.receipts(OrderQuery(None))}
    assert receipts.keys() == {"PO-1", "PO-2"}
    assert receipts["PO-1"] is None
    assert receipts["PO-2"]
    assert [preview.out_order_id for preview in await ledger.waiting()] == ["PO-4"]
    assert "preview of PO-1 cannot be read (shown)" in caplog.text
    with pytest.raises(LedgerUnavailableError, match=r"preview of PO-3 cannot be read \(shown\)"):
        await ledger.standing(preview_of(3).token_digest, "local")
    status, found = damaged.doctors_rows()
    assert status == "fault"
    assert "preview of PO-1" in found
    assert "preview of PO-3" in found


async def test_an_order_id_is_found_as_a_whole_alone(damaged: Damaged) -> None:
    await settled(damaged.ledger, preview_of(1), PLACED)
    for reference, found in {
        **dict.fromkeys(PLACED.order_ids, 1),
        PLACED.order_ids[0][:-1]: 0,
        PLACED.order_ids[0] + '", "' + PLACED.order_ids[1]: 0,
        "": 0,
        '"': 0,
        ", ": 0,
    }.items():
        assert len(await all_orders(damaged.ledger, reference=reference)) == found, reference


async def test_a_claim_in_the_trail_counts_though_its_row_was_deleted(
    damaged: Damaged, tmp_path: Path
) -> None:
    house = House(tmp_path, build_sandbox(clock=damaged.clock), APPROVAL="off")
    async with house.client(ledger=view_of(damaged.place, damaged.clock), clock=damaged.clock) as client:
        token = (await previewed(client, out_order_id="PO-2026-1"))["create_order_arguments"]
        assert (await call(client, "create_order", token))["order"]["state"] == "placed"
    damaged.by_hand("DELETE FROM orders")
    async with house.client(ledger=view_of(damaged.place, damaged.clock), clock=damaged.clock) as client:
        again = await call(client, "create_order", token)
        assert (again["problem"]["code"], again["problem"]["request_sent"]) == ("duplicate_reference", "no")
        for number in ("PO-2026-1", "po-2026-1"):
            fresh = await previewed(client, quantity=7, out_order_id=number)
            refused = await call(client, "create_order", fresh["create_order_arguments"])
            assert refused["problem"]["code"] == "duplicate_reference"
        other = await previewed(client, quantity=7)
        assert (await call(client, "create_order", other["create_order_arguments"]))["ok"]
    assert house.creates == 2


async def test_the_claims_of_the_other_realm_bind_nobody(damaged: Damaged) -> None:
    preview = replace(preview_of(1), token_digest=digest_of("other"), preview_id="other", approval_code="o")
    await claimed(damaged.ledger, preview_of(1))
    real = view_of(damaged.place, damaged.clock, "real")
    await stored(real, preview)
    assert not (await standing_of(real, preview)).reference_used
    await claimed(real, replace(preview, preview_id="third", token_digest="t", approval_code="t"))
    damaged.by_hand("DELETE FROM orders WHERE realm = 'real'")
    assert await claim(real, preview) == ReferenceUsed()
    await real.aclose()


@pytest.mark.parametrize("column", ["request", "shown"])
@pytest.mark.parametrize(
    "value", ['{"address": {"full_name": "王小明"', "[" * 200_000, "7", '{"warnings": 1}']
)
async def test_a_preview_that_cannot_be_read_is_erased_with_the_others_and_hides_no_order(
    damaged: Damaged, column: str, value: str
) -> None:
    ledger = damaged.ledger
    await claimed(ledger, preview_of(1))
    for number in (2, 3):
        await stored(ledger, preview_of(number, lasts=timedelta(minutes=10)))
    for number in (1, 2):
        statement = f"UPDATE previews SET {column} = ? WHERE out_order_id = 'PO-{number}'"  # noqa: S608
        damaged.by_hand(statement, value)
    assert len(await all_orders(ledger)) == 1
    assert len(await ledger.receipts(OrderQuery(None))) == 1
    damaged.clock.advance(9 * 24 * 3600)
    assert await ledger.erase_old(timedelta(days=400)) == 2
    assert await ledger.erase_old(timedelta(days=400)) == 0


@pytest.mark.parametrize("body", ['{"a"', "7", "null", "[" * 200_000])
async def test_an_order_whose_row_of_the_trail_is_damaged_is_settled_and_erased(
    damaged: Damaged, body: str
) -> None:
    ledger = damaged.ledger
    await claimed(ledger, preview_of(1))
    damaged.in_the_trail("UPDATE trail SET body = ? WHERE event = 'claimed'", body)
    damaged.clock.advance(2 * LEASE)
    (order,) = await all_orders(ledger)
    assert order.state == "unknown"
    assert await ledger.resolve(order.order_key, PLACED, "resolved_by_operator")
    damaged.in_the_trail("UPDATE trail SET body = ? WHERE event = 'resolved_by_operator'", body)
    damaged.clock.advance(500 * 24 * 3600)
    assert await ledger.erase_old(timedelta(days=400)) == 1
