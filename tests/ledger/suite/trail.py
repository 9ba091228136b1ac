"""Texts come back letter for letter, and the trail holds no token and no address."""

from dataclasses import replace

from harness.trail_check import first_break
from ledger.suite.stores import (
    ADDRESS,
    PLACED,
    REJECTED,
    SHIP_TO,
    TOKEN,
    UNKNOWN,
    Store,
    all_orders,
    claim,
    opened,
    preview_of,
    settled,
    standing_of,
    stored,
)
from xportcn_tools.ledger.ledger import Claimed
from xportcn_tools.order import Item


class TrailSuite:
    async def test_texts_of_every_language_come_back_letter_for_letter(self, store: Store) -> None:
        text = "中文，日本語、한국어 – é e\u0301 🧧👨‍👩‍👧 'quoted\" \\ \n\t; DROP TABLE orders; --"
        async with opened(store) as ledger:
            preview = preview_of(1)
            request = replace(preview.request, message=text, items=(Item(text, 2**53, text),))
            preview = replace(preview, ship_to=text, request=request, caller=text, terms={text: text})
            await stored(ledger, preview)
            assert (await standing_of(ledger, preview)).preview == preview
            result = await claim(ledger, preview)
            assert isinstance(result, Claimed)
            recorded = await ledger.record(result.order.order_key, replace(UNKNOWN, problem_text=text))
            assert (recorded.ship_to, recorded.problem_text, recorded.caller) == (text, text, text)
            assert await all_orders(ledger, caller=text) == [recorded]

    async def test_a_no_is_a_row_of_the_trail_each_time_it_is_said(self, store: Store) -> None:
        async with opened(store) as ledger:
            preview = preview_of(1)
            await stored(ledger, preview)
            await ledger.decline(preview, "form")
            await ledger.decline(preview, "operator")
            trail = await ledger.trail()
            assert [(row.event, row.subject) for row in trail] == [("declined", "PO-1")] * 2
            assert ['"method":"form"' in row.body for row in trail] == [True, False]
            assert first_break(trail) is None
            assert (await standing_of(ledger, preview)).attempt is None

    async def test_the_trail_holds_sums_and_digests_and_neither_token_nor_address(self, store: Store) -> None:
        async with opened(store) as ledger:
            preview = preview_of(1)
            order = await settled(ledger, preview, UNKNOWN)
            await ledger.record(order.order_key, PLACED)
            await ledger.record(order.order_key, REJECTED)
            trail = await ledger.trail()
            texts = "\n".join(f"{row.subject} {row.body}" for row in trail)
            private = (*ADDRESS.values(), SHIP_TO, TOKEN, preview.token_digest, preview.approval_code, "库存")
            assert [word for word in private if word in texts] == []
            assert "6561" in texts
            assert PLACED.order_ids[0] in texts
            assert {row.subject for row in trail} == {"PO-1"}
            assert [row.event for row in trail] == [
                "claimed",
                "unknown",
                "placed",
                "contradicted",
            ]
            assert all(row.at == "2026-03-09T12:00:00.123456Z" for row in trail)
