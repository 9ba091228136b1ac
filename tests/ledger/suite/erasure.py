"""What is erased leaves goods, sums, states and a whole trail, and nothing of the person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ledger.suite.stores import (
    ABSENT,
    PLACED,
    UNKNOWN,
    Store,
    all_orders,
    claim,
    claimed,
    events,
    opened,
    preview_of,
    settled,
    standing_of,
    stored,
)
from xportcn_tools.ledger.ledger import AlreadyClaimed, OrderQuery
from xportcn_tools.upstream_state import VendorMessage

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


class ErasureSuite:
    async def test_an_erased_order_keeps_its_sums_and_names_nobody(self, store: Store) -> None:
        async with opened(store) as ledger:
            order = await settled(ledger, preview_of(1), PLACED)
            assert await ledger.erase(order.order_key)
            assert not await ledger.erase(order.order_key)
            (receipt,) = await ledger.receipts(OrderQuery(None, "PO-1"))
            assert receipt.order.ship_to == ""
            assert (receipt.order.payable_fen, receipt.order.order_ids) == (
                order.payable_fen,
                order.order_ids,
            )
            assert receipt.preview
            assert receipt.preview.request.items == preview_of(1).request.items
            texts = str(receipt)
            assert [word for word in ("王小明", "13800138000", "网商路", "快！") if word in texts] == []
            assert receipt.preview.salt == ""
            assert await events(ledger) == ["claimed", "placed", "erased"]
            assert isinstance(await claim(ledger, preview_of(1)), AlreadyClaimed)

    async def test_the_newest_messages_of_an_order_are_kept_without_their_text_once_it_is_erased(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger:
            order = await settled(ledger, preview_of(1), PLACED)
            assert await ledger.messages(order.order_key) == ()
            sent = [VendorMessage(NOW + timedelta(seconds=at), "EVENT", None, "王小明") for at in range(12)]
            for message in sent:
                await ledger.keep_message(order.order_key, message)
            assert await ledger.messages(order.order_key) == tuple(reversed(sent))[:10]
            assert await ledger.erase(order.order_key)
            assert await ledger.messages(order.order_key) == ()
            await ledger.keep_message(order.order_key, sent[0])
            assert await ledger.messages(order.order_key) == (replace(sent[0], text=""),)
            assert await events(ledger) == ["claimed", "placed", "erased"]

    async def test_an_order_without_an_outcome_is_never_erased(self, store: Store) -> None:
        async with opened(store) as ledger:
            orders = [await claimed(ledger, preview_of(1)), await settled(ledger, preview_of(2), UNKNOWN)]
            for order in orders:
                assert not await ledger.erase(order.order_key)
            assert await ledger.erase_old(timedelta(0)) == 0
            assert all(order.ship_to for order in await all_orders(ledger))

    async def test_only_what_is_older_than_the_retention_is_erased(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store, "real") as other:
            await settled(ledger, preview_of(1), PLACED)
            unknown = await settled(ledger, preview_of(2), UNKNOWN)
            await settled(other, preview_of(3), PLACED)
            store.clock.advance(YEAR.total_seconds())
            await settled(ledger, preview_of(4, now=store.clock.now), PLACED)
            assert await ledger.erase_old(YEAR - timedelta(seconds=1)) == 1
            assert await ledger.erase_old(YEAR - timedelta(seconds=1)) == 0
            left = {order.out_order_id for order in await all_orders(ledger) if order.ship_to}
            assert left == {"PO-2", "PO-4"}
            await ledger.resolve(unknown.order_key, ABSENT, "resolved_by_operator")
            assert await ledger.erase_old(YEAR - timedelta(seconds=1)) == 1
            assert all(order.ship_to for order in await all_orders(other))

    async def test_previews_that_became_no_order_are_erased_a_week_after_they_expired(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger:
            for number in range(120):  # more than one transaction's
                await stored(ledger, preview_of(number, lasts=timedelta(minutes=10)))
            await settled(ledger, preview_of("ordered"), PLACED)
            store.clock.advance(timedelta(days=7, minutes=10).total_seconds() - 1)
            assert await ledger.erase_old(YEAR) == 0
            store.clock.advance(2)
            counts = [await ledger.erase_old(YEAR) for _ in range(4)]
            assert (sum(counts), counts[-1]) == (120, 0)
            assert (await events(ledger)).count("preview_erased") == 120
            preview = (await standing_of(ledger, preview_of(7))).preview
            assert (preview.ship_to, preview.request.message, preview.salt) == ("", None, "")
            assert (preview.shown.groups, preview.terms) == ((), {})  # it gives its place back
            assert preview.payable_fen == preview_of(7).payable_fen
            assert (await standing_of(ledger, preview_of("ordered"))).preview.ship_to
