"""What must be true after any run, whatever happened in it. A list of faults found; empty is good."""

from typing import Literal, NamedTuple

from harness.trail_check import first_break
from torture.world import Facts, Told

Kind = Literal["double", "untrue", "sending", "trail", "error"]
"""`error`: the run itself did not come to its end."""


class Fault(NamedTuple):
    kind: Kind
    text: str


def faults_in(facts: Facts, *, recovered: bool = True) -> list[Fault]:
    """Faults of ledger, books and trail against each other. `recovered`: nothing may be left `sending`."""
    found: list[Fault] = []
    if facts.arrived > 1 or facts.creates > 1 or len(facts.order_ids) > 1:
        found.append(Fault("double", f"{facts.arrived} creates, {len(facts.order_ids)} orders upstream"))
    if facts.strays:
        found.append(Fault("double", f"{facts.strays} creates or orders that no preview stands for"))
    row = facts.row
    if row is None:
        if facts.arrived:
            found.append(Fault("untrue", "a create reached the upstream and no attempt is recorded"))
        if recovered:
            found.append(Fault("untrue", "no attempt is recorded after a healthy call"))
    else:
        if row.state == "sending" and recovered:
            found.append(Fault("sending", "left sending after recovery"))
        found += _untrue(row.state, row.order_ids, row.request_sent, facts)
    return found + _trail_faults(facts)


def told_faults(told: Told, arrived_before: int, facts: Facts) -> list[Fault]:
    """Faults of an answer against the upstream's books, as they are right after it."""
    if told.state is None:
        if told.request_sent == "no" and facts.arrived != arrived_before:
            return [Fault("untrue", f"the caller was told {told.code}, nothing sent, but a create was")]
        return []
    sent = told.request_sent if told.code else "yes"
    return [
        Fault(fault.kind, f"told the caller: {fault.text}")
        for fault in _untrue(told.state, told.order_ids, sent, facts)
    ]


def _untrue(state: str, order_ids: tuple[str, ...], request_sent: str, facts: Facts) -> list[Fault]:
    """A stated outcome against the books. `sending` and `unknown` state nothing but that."""
    exist = [order_id for ids in facts.order_ids for order_id in ids]
    wrong: list[str] = []
    if state == "placed" and sorted(order_ids) != sorted(exist):
        wrong.append(f"placed as {order_ids}, upstream has {exist}")
    if state in ("rejected", "absent") and exist:
        wrong.append(f"{state}, upstream has {exist}")
    if state == "unknown" and not set(order_ids) <= set(exist):  # a contradictory answer may name them
        wrong.append(f"unknown, named as {order_ids}, upstream has {exist}")
    if state not in ("placed", "unknown") and order_ids:
        wrong.append(f"{state} with order ids {order_ids}")
    if request_sent == "no" and facts.arrived:
        wrong.append(f"{state}, request_sent no, but {facts.arrived} creates came")
    if state == "rejected" and request_sent == "yes" and not facts.creates:
        wrong.append("rejected by an upstream that has read nothing")
    if state == "placed" and request_sent != "yes":
        wrong.append(f"placed, but request_sent {request_sent}")
    if request_sent == "yes" and not facts.arrived:
        wrong.append(f"{state}, request_sent yes, but no create came")
    return [Fault("untrue", text) for text in wrong]


def _trail_faults(facts: Facts) -> list[Fault]:
    found: list[Fault] = []
    broken = first_break(facts.trail)
    if broken is not None:
        found.append(Fault("trail", f"the chain breaks at row {broken}"))
    events = [row.event for row in facts.trail]
    state = facts.row.state if facts.row else None
    told = {"claimed": "sending", "abandoned": "unknown"}.get(events[-1], events[-1]) if events else None
    if told != state or events[:1] != ["claimed"] * (state is not None) or "claimed" in events[1:]:
        found.append(Fault("trail", f"the trail tells {events}, the ledger {state}"))
    return found
