"""A preview is found again, by the caller who made it and by nobody else."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.suite.stores import START, TOKEN, Store, claimed, digest_of, opened, preview_of
from xportcn_tools.ledger.ledger import Realm


class PreviewSuite:
    async def test_a_preview_comes_back_as_it_was_stored(self, store: Store) -> None:
        preview = preview_of(1)
        async with opened(store) as ledger, opened(store) as other:
            await ledger.store_preview(preview)
            for view in (ledger, other):
                found = await view.preview_by_token(preview.token_digest, "sandbox", "local")
                assert found == preview
                assert found is not None
                assert json.dumps(found.request, ensure_ascii=False).count("王小明") == 1
                assert await view.preview_of_reference("sandbox", "local", "PO-1") == preview

    @pytest.mark.parametrize(
        ("realm", "caller", "digest"),
        [
            ("real", "local", digest_of(f"{TOKEN}1")),
            ("sandbox", "other", digest_of(f"{TOKEN}1")),
            ("sandbox", "LOCAL", digest_of(f"{TOKEN}1")),
            ("sandbox", "local", digest_of(f"{TOKEN}2")),
            ("sandbox", "local", f"{TOKEN}1"),
            ("sandbox", "local", "%"),
            ("sandbox", "local", ""),
        ],
    )
    async def test_a_preview_is_nobody_elses(
        self, store: Store, realm: Realm, caller: str, digest: str
    ) -> None:
        async with opened(store) as ledger:
            await ledger.store_preview(preview_of(1))
            assert await ledger.preview_by_token(digest, realm, caller) is None
            if (realm, caller) != ("sandbox", "local"):
                assert await ledger.preview_of_reference(realm, caller, "PO-1") is None

    async def test_the_newest_of_several_previews_with_one_reference_is_found(self, store: Store) -> None:
        async with opened(store) as ledger:
            for number, seconds in ((1, 0), (2, 20), (3, 10)):
                now = START + timedelta(seconds=seconds)
                await ledger.store_preview(preview_of(number, now=now, reference="PO-same"))
            newest = await ledger.preview_of_reference("sandbox", "local", "PO-same")
            assert newest is not None
            assert newest.preview_id == "preview-2"

    async def test_the_preview_of_an_order_is_the_one_that_was_claimed_not_the_newest(
        self, store: Store
    ) -> None:
        async with opened(store) as ledger, opened(store) as other:
            first = preview_of(1, reference="PO-same")
            order = await claimed(ledger, first)
            await ledger.store_preview(preview_of(2, now=START + timedelta(seconds=5), reference="PO-same"))
            for view in (ledger, other):
                assert await view.preview_of(order) == first
            assert await ledger.preview_of(replace(order, caller="other")) is None
            assert await ledger.preview_of(replace(order, preview_id="preview-3")) is None
