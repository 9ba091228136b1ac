"""While the owner has paused, no claim succeeds, of whichever realm and caller."""

from ledger.suite.stores import (
    PLACED,
    Store,
    claim,
    claimed,
    events,
    opened,
    preview_of,
    settled,
    standing_of,
    stored,
)
from xportcn_tools.ledger.ledger import AlreadyClaimed, Claimed
from xportcn_tools.ledger.upkeep import Pause


class PauseSuite:
    async def test_no_claim_succeeds_while_paused_in_either_realm_and_all_do_afterwards(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger, opened(store, "real") as real:
            await ledger.pause("stocktaking")
            pause = Pause(store.clock.now, "stocktaking")
            for view in (ledger, real):
                preview = preview_of(f"{view is real}", caller=f"{view is real}")
                await stored(view, preview)
                assert await claim(view, preview) == pause
                assert (await standing_of(view, preview)).pause == await view.paused() == pause
            assert await real.resume()
            assert not await ledger.resume()
            assert await ledger.paused() is None
            assert isinstance(await claim(ledger, preview_of("False", caller="False")), Claimed)
            assert await events(ledger) == ["paused", "resumed", "claimed"]

    async def test_an_order_that_was_claimed_before_is_recorded_and_repeated_while_paused(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger:
            order = await claimed(ledger, preview_of(1))
            await ledger.pause("")
            assert (await ledger.record(order.order_key, PLACED)).state == "placed"
            assert isinstance(await claim(ledger, preview_of(1)), AlreadyClaimed)

    async def test_a_second_pause_has_its_own_reason_and_time(self, store: Store) -> None:
        async with opened(store) as ledger:
            await settled(ledger, preview_of(1), PLACED)
            await ledger.pause("one")
            store.clock.advance(60)
            await ledger.pause("two")
            assert await ledger.paused() == Pause(store.clock.now, "two")
            assert await ledger.resume()
            assert await ledger.paused() is None
