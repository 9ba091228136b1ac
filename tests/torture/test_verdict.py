"""The judge of all runs, judged: each kind of wrong that could be is seen, and what is right is let pass."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from torture.crashes import memory_folder
from torture.verdict import faults_in, told_faults
from torture.world import Facts, Told, World
from xportcn_tools.ledger.ledger import OrderRecord

pytestmark = pytest.mark.anyio

IDS = ("1767323045000000001",)


async def placed_facts() -> Facts:
    """What both sides say after a create that went well."""
    with memory_folder() as folder:
        world = World(Path(folder))
        preview = await world.preview()
        await world.repeat(preview)
        return await world.facts(preview)


def but(facts: Facts, **row: Any) -> Facts:
    assert isinstance(facts.row, OrderRecord)
    return replace(facts, row=replace(facts.row, **row))


async def test_a_create_that_went_well_is_without_fault() -> None:
    facts = await placed_facts()
    assert facts.order_ids == [IDS]
    assert faults_in(facts) == []
    assert told_faults(Told(None, "yes", "placed", IDS, replayed=False), 0, facts) == []


async def test_everything_that_must_never_be_is_seen() -> None:
    facts = await placed_facts()
    trail = [replace(facts.trail[0], event="told otherwise"), *facts.trail[1:]]
    wrong = {
        "two creates": (replace(facts, arrived=2), "double"),
        "two creates that were read": (replace(facts, creates=2), "double"),
        "two orders": (replace(facts, order_ids=[*facts.order_ids, ("2",)]), "double"),
        "an order of nobody's": (replace(facts, strays=1), "double"),
        "another id": (but(facts, order_ids=("1",)), "untrue"),
        "an id too few": (replace(facts, order_ids=[(*IDS, "2")]), "untrue"),
        "placed where nothing is": (replace(facts, order_ids=[]), "untrue"),
        "rejected where an order is": (but(facts, state="rejected", order_ids=()), "untrue"),
        "absent where an order is": (but(facts, state="absent", order_ids=()), "untrue"),
        "sent, and said not to be": (but(facts, request_sent="no"), "untrue"),
        "not sent, and said to be": (replace(facts, arrived=0), "untrue"),
        "sent unrecorded": (replace(facts, row=None), "untrue"),
        "left sending": (but(facts, state="sending", order_ids=()), "sending"),
        "a broken chain": (replace(facts, trail=trail), "trail"),
        "a trail that lacks the end": (replace(facts, trail=facts.trail[:-1]), "trail"),
        "a trail that lacks the claim": (replace(facts, trail=facts.trail[:1]), "trail"),
    }
    seen = {name: {fault.kind for fault in faults_in(found)} for name, (found, _) in wrong.items()}
    assert {name: kinds & {wrong[name][1]} for name, kinds in seen.items()} == {
        name: {kind} for name, (_, kind) in wrong.items()
    }


@pytest.mark.parametrize(
    "told",
    [
        Told(None, "yes", "placed", ("1",), replayed=False),
        Told("upstream_rejected", "yes", "rejected", (), replayed=False),
        Told("upstream_unavailable", "no", "rejected", (), replayed=False),
        Told("terms_changed", "no", None, (), replayed=False),
    ],
)
async def test_a_caller_who_was_told_otherwise_than_it_is_has_a_case(told: Told) -> None:
    assert {fault.kind for fault in told_faults(told, 0, await placed_facts())} == {"untrue"}


async def test_an_unknown_order_states_nothing_and_so_is_never_untrue() -> None:
    facts = await placed_facts()
    unknown = but(facts, state="unknown", order_ids=(), request_sent="unknown")
    assert {fault.kind for fault in faults_in(unknown)} == {"trail"}  # which told of `placed`
    assert told_faults(Told("outcome_unknown", "unknown", "unknown", (), replayed=False), 0, facts) == []
