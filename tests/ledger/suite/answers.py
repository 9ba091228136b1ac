"""A person's yes and no are kept, with where they were said; codes and sessions of the page are known to all."""

import json
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from ledger.suite.stores import (
    PLACED,
    UNKNOWN,
    Store,
    digest_of,
    events,
    opened,
    preview_of,
    settled,
    standing_of,
    stored,
)
from xportcn_tools.ledger import approvals_sql
from xportcn_tools.ledger.approvals import ApprovedBy, SignIn, Visitor
from xportcn_tools.ledger.ledger import Ledger, StoredPreview

OWNER, ALICE = Visitor(None), Visitor("caller:alice")
MINUTE = timedelta(minutes=1)


def code_of(store: Store, visitor: Visitor, *, opened: bool = False, name: str = "code") -> SignIn:
    return SignIn(digest_of(name), visitor, store.clock.now + MINUTE, opened)


async def signed_in(store: Store, ledger: Ledger, visitor: Visitor = OWNER) -> str:
    """The digest of a session for this visitor."""
    await ledger.let_in(code_of(store, visitor))
    session = digest_of("session")
    assert (
        await ledger.sign_in(digest_of("code"), lambda _: session, store.clock.now + 60 * MINUTE) == visitor
    )
    return session


class AnswerSuite:
    @pytest.mark.parametrize("method", ["operator", "page"])
    async def test_a_yes_is_kept_once_with_where_it_was_said(self, store: Store, method: ApprovedBy) -> None:
        preview = preview_of(1)
        async with opened(store) as ledger, opened(store) as other:
            await stored(ledger, preview)
            assert await ledger.approve(preview, method)
            assert not await other.approve(preview, "operator")
            assert (await standing_of(other, preview)).approved == method
            assert await other.waiting() == []
            (row,) = await other.trail()
            assert (row.event, row.subject, json.loads(row.body)["method"]) == ("approved", "PO-1", method)

    async def test_a_no_is_kept_with_its_time_and_the_preview_still_waits(self, store: Store) -> None:
        preview = preview_of(1)
        async with opened(store) as ledger, opened(store) as other:
            await stored(ledger, preview)
            await ledger.decline(preview, "page")
            assert (await standing_of(other, preview)).preview.declined_at == store.clock.now
            assert [each.preview_id for each in await other.waiting()] == ["preview-1"]
            assert await events(other) == ["declined"]

    async def test_what_was_bought_before_is_the_callers_newest_placed_order_of_each_of_the_goods(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def with_goods(number: int, *goods: tuple[str, str], caller: str = "local") -> StoredPreview:
            preview = preview_of(number, caller=caller)
            (group,) = preview.shown.groups
            lines = tuple(replace(group.lines[0], offer_id=offer, spec_id=spec) for offer, spec in goods)
            return replace(preview, shown=replace(preview.shown, groups=(replace(group, lines=lines),)))

        mug, white, jar = ("1", "AA"), ("1", "BB"), ("12", "AA")
        kept = [with_goods(1, mug, jar), with_goods(2, white), with_goods(3, mug, white)]
        wanted = [("1", "aa"), ("1", "bb"), ("12", "aa"), ("2", "aa")]
        async with opened(store) as ledger, opened(store, "real") as real:
            for preview in kept:
                await settled(ledger, preview, PLACED)
                store.clock.advance(60)
            await settled(ledger, with_goods(4, mug), UNKNOWN)
            await settled(ledger, with_goods(5, mug, caller="caller:bob"), PLACED)
            await settled(real, with_goods(6, mug), PLACED)
            found = await ledger.bought("local", wanted)
            assert [(each.out_order_id, each.shown) for each in found] == [
                ("PO-3", kept[2].shown),
                ("PO-1", kept[0].shown),
            ]
            assert found[0].created_at - found[1].created_at == 2 * MINUTE
            assert await ledger.bought("local", wanted[3:]) == []
            assert await ledger.bought("local", []) == []
            many = [(str(offer), "aa") for offer in range(1100)]  # as many previews at once may have
            assert [each.out_order_id for each in await ledger.bought("local", many)] == ["PO-3", "PO-1"]
            assert [each.out_order_id for each in await ledger.bought("caller:bob", wanted)] == ["PO-5"]
            monkeypatch.setattr(approvals_sql, "LOOKED_BACK", 2)
            assert [each.out_order_id for each in await ledger.bought("local", wanted)] == ["PO-3"]

    async def test_of_many_at_once_with_one_code_one_is_signed_in(self, store: Store) -> None:
        entered: list[Visitor | None] = []
        async with opened(store) as ledger, opened(store) as other:
            await ledger.let_in(code_of(store, ALICE))

            async def enter(view: Ledger, number: int) -> None:
                session = digest_of(f"session-{number}")
                entered.append(
                    await view.sign_in(digest_of("code"), lambda _: session, store.clock.now + MINUTE)
                )

            async with anyio.create_task_group() as tasks:
                for number in range(10):
                    tasks.start_soon(enter, (ledger, other)[number % 2], number)
        assert entered.count(ALICE) == 1
        assert entered.count(None) == 9

    async def test_a_code_and_a_session_end_with_their_time_and_are_of_one_realm(self, store: Store) -> None:
        async with opened(store) as ledger, opened(store, "real") as real:
            session = await signed_in(store, ledger)
            await ledger.let_in(code_of(store, OWNER, name="late"))
            assert await ledger.visitor(session) == OWNER
            assert await real.visitor(session) is None
            assert await ledger.visitor(digest_of("another")) is None
            store.clock.advance(60)
            assert (
                await ledger.sign_in(digest_of("late"), lambda _: session, store.clock.now + MINUTE) is None
            )
            store.clock.advance(3600)
            assert await ledger.visitor(session) is None

    async def test_a_page_is_open_from_its_last_request_on_for_a_while(self, store: Store) -> None:
        preview = preview_of(1, caller=ALICE.caller or "")
        async with opened(store) as ledger, opened(store) as other:
            await stored(ledger, preview)
            assert not (await standing_of(ledger, preview)).page_open
            session = await signed_in(store, ledger)
            assert (await standing_of(other, preview)).page_open, "the owner's page shows everybody's"
            store.clock.advance(74)
            assert (await standing_of(other, preview)).page_open
            store.clock.advance(1)
            assert not (await standing_of(other, preview)).page_open
            await ledger.visitor(session)
            assert (await standing_of(other, preview)).page_open

    async def test_a_callers_page_is_open_for_that_caller_alone(self, store: Store) -> None:
        hers, his = preview_of(1, caller="caller:alice"), preview_of(2, caller="caller:bob")
        async with opened(store) as ledger:
            for preview in (hers, his):
                await stored(ledger, preview)
            await signed_in(store, ledger, ALICE)
            assert (await standing_of(ledger, hers)).page_open
            assert not (await standing_of(ledger, his)).page_open

    async def test_a_code_that_a_browser_was_started_with_counts_as_a_page_that_is_open(
        self, store: Store
    ) -> None:
        preview = preview_of(1)
        async with opened(store) as ledger:
            await stored(ledger, preview)
            await ledger.let_in(code_of(store, OWNER, name="printed"))
            assert not (await standing_of(ledger, preview)).page_open
            await ledger.let_in(code_of(store, OWNER, opened=True))
            assert (await standing_of(ledger, preview)).page_open
