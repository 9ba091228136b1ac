"""A write that is cancelled is there whole or not at all."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from ledger.suite.stores import (
    PLACED,
    Store,
    claim,
    claimed,
    events,
    opened,
    order_of,
    preview_of,
    stored,
)
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    DayUsage,
    Ledger,
    StoredPreview,
)


class CancellationSuite:
    @pytest.mark.parametrize("how", ["scope", "task"])
    async def test_a_claim_cancelled_in_its_middle_is_there_whole_or_not_at_all(
        self, store: Store, how: str
    ) -> None:
        loop = asyncio.get_running_loop()
        async with opened(store) as ledger, opened(store) as other:
            preview = preview_of(1)
            await stored(ledger, preview)
            judging = threading.Event()

            def cancelling(used: DayUsage) -> None:
                judging.set()
                loop.call_soon_threadsafe(cancel)

            if how == "scope":
                with anyio.CancelScope() as scope:
                    cancel: Callable[[], Any] = scope.cancel
                    await claim(ledger, preview, cancelling)
            else:
                task = asyncio.create_task(claim(ledger, preview, cancelling))
                cancel = task.cancel
                await asyncio.wait([task])
                if not task.cancelled():
                    assert isinstance(task.result(), Claimed)
            assert judging.is_set()
            await check_whole(ledger, other, preview)

    @pytest.mark.parametrize("ticks", range(6))
    async def test_writes_cancelled_at_any_moment_are_there_whole_or_not_at_all(
        self, store: Store, ticks: int
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            first, second, third = preview_of(1), preview_of(2), preview_of(3)
            order = await claimed(ledger, first)
            await stored(ledger, second)

            async def cancelled_soon(write: Callable[..., Any], *args: Any) -> None:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(write, *args)
                    for _ in range(ticks):
                        await anyio.lowlevel.checkpoint()
                    tasks.cancel_scope.cancel()

            await cancelled_soon(ledger.record, order.order_key, PLACED)
            await cancelled_soon(claim, ledger, second)
            await cancelled_soon(stored, ledger, third)
            (now,) = await order_of(other, "preview-1")
            assert (await events(other)).count("placed") == (now.state == "placed")
            assert now.order_ids == (PLACED.order_ids if now.state == "placed" else ())
            standing = await other.standing(third.token_digest, "local")
            assert standing is None or standing.preview == third
            await check_whole(ledger, other, second)


async def check_whole(ledger: Ledger, other: Ledger, preview: StoredPreview) -> None:
    """The claim of this preview has row and trail row, or neither, and the ledger works on."""
    await claimed(ledger, preview_of("after"))  # writers queue: what was cancelled is over by now
    rows = await order_of(other, preview.preview_id)
    claims = [
        row for row in await other.trail() if (row.event, row.subject) == ("claimed", preview.out_order_id)
    ]
    assert len(rows) == len(claims) <= 1
    result = await claim(ledger, preview)
    assert isinstance(result, AlreadyClaimed if rows else Claimed)
    assert result.order.state == "sending"
