"""Many claims and writes at once."""

from collections import Counter

import anyio

from ledger.suite.stores import (
    DAY_ENDS,
    PLACED,
    REJECTED,
    UNKNOWN,
    Store,
    all_orders,
    claim,
    claimed,
    events,
    opened,
    preview_of,
    stored,
    used_by,
)
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    DayUsage,
    Ledger,
    ReferenceUsed,
    RuleBroken,
    StoredPreview,
)


class RaceSuite:
    async def test_exactly_one_of_many_claims_at_once_succeeds(self, store: Store) -> None:
        preview = preview_of(1)
        results: list[object] = []
        async with opened(store) as ledger, opened(store) as other:
            await stored(ledger, preview)

            async def try_it(view: Ledger, number: int) -> None:
                results.append(await claim(view, preview, key=f"order-{number}"))

            async with anyio.create_task_group() as tasks:
                for number in range(60):
                    tasks.start_soon(try_it, (ledger, other)[number % 2], number)
            assert Counter(type(result) for result in results) == {Claimed: 1, AlreadyClaimed: 59}
            orders = {result.order for result in results if isinstance(result, Claimed | AlreadyClaimed)}
            assert [*orders] == await all_orders(ledger)
            assert (await events(ledger)).count("claimed") == 1

    async def test_exactly_one_of_many_previews_with_one_reference_is_claimed(self, store: Store) -> None:
        results: list[object] = []
        async with opened(store) as ledger, opened(store) as other:
            previews = [preview_of(number, reference="PO-same") for number in range(30)]
            for preview in previews:
                await stored(ledger, preview)

            async def try_it(view: Ledger, preview: StoredPreview) -> None:
                results.append(await claim(view, preview))

            async with anyio.create_task_group() as tasks:
                for number, preview in enumerate(previews):
                    tasks.start_soon(try_it, (ledger, other)[number % 2], preview)
            assert Counter(type(result) for result in results) == {Claimed: 1, ReferenceUsed: 29}
            assert len(await all_orders(ledger)) == 1

    async def test_claims_at_once_never_pass_a_limit(self, store: Store) -> None:
        results: list[object] = []

        def rule(used: DayUsage) -> str | None:
            return "over" if used.fen + 1000 > 7500 or used.orders + 1 > 50 else None

        async with opened(store) as ledger, opened(store) as other:
            previews = [preview_of(number, fen=1000) for number in range(40)]
            for preview in previews:
                await stored(ledger, preview)

            async def try_it(view: Ledger, preview: StoredPreview) -> None:
                results.append(await claim(view, preview, rule))

            async with anyio.create_task_group() as tasks:
                for number, preview in enumerate(previews):
                    tasks.start_soon(try_it, (ledger, other)[number % 2], preview)
            assert Counter(type(result) for result in results) == {Claimed: 7, RuleBroken: 33}
            assert await used_by(ledger) == DayUsage(7000, 7, 7000, DAY_ENDS)

    async def test_writes_of_every_kind_at_once_leave_one_unbroken_trail(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store) as other:

            async def one(view: Ledger, number: int) -> None:
                order = await claimed(view, preview_of(number))
                await view.record(order.order_key, [PLACED, REJECTED, UNKNOWN][number % 3])
                await all_orders(view)

            async with anyio.create_task_group() as tasks:
                for number in range(24):
                    tasks.start_soon(one, (ledger, other)[number % 2], number)
            counted = Counter(await events(ledger))
            assert counted == {"claimed": 24, "placed": 8, "rejected": 8, "unknown": 8}
