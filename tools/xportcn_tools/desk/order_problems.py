"""The problems that stand beside a recorded order. Pure."""

from functools import partial

from xportcn_tools.codes import SETTLE
from xportcn_tools.desk.present import order_result
from xportcn_tools.desk.problems import PREVIEW_AGAIN
from xportcn_tools.desk.refusals import create_refused
from xportcn_tools.ledger.ledger import OrderRecord
from xportcn_tools.order import ShownPreview
from xportcn_tools.results import ProblemError, problem


def contradicted(order: OrderRecord, shown: ShownPreview, order_ids: tuple[str, ...]) -> ProblemError:
    """The upstream's answer came after a person had ended the order otherwise."""
    named = ", ".join(order_ids)
    return problem(
        "outcome_unknown",
        f"The upstream has placed this order as {named}, after a person had recorded it as {order.state}.",
        f"Do not order this again; tell the person that order {named} exists.",
        request_sent="yes",
        request_id=order.request_id,
        order=order_result(order, shown, replayed=False),
        details={"order_ids": list(order_ids), "recorded_state": order.state},
    )


def of_order(order: OrderRecord, shown: ShownPreview, *, replayed: bool) -> ProblemError | None:
    """The problem that stands beside a recorded order, from the record alone; `None` if placed.

    `shown`: the preview that the order was made of.
    """
    if order.state == "placed":
        return None
    about = partial(
        problem,
        request_sent=order.request_sent,
        request_id=order.request_id,
        order=order_result(order, shown, replayed=replayed),
        details={"reason": order.problem_text} if order.problem_text and order.state != "absent" else None,
    )
    if order.state == "sending":
        return about(
            "order_in_progress",
            "Another call is sending this order now.",
            "Wait half a minute, then call create_order again with the same token, or get_orders.",
        )
    if order.state == "absent":
        return about(
            "outcome_unknown",
            "The answer to this create never came; a person has since found that no order exists.",
            PREVIEW_AGAIN,
        )
    if order.state == "unknown":
        return about(
            "outcome_unknown",
            f"A create {'was' if order.request_sent == 'yes' else 'may have been'} sent, and its outcome is "
            "not known: an order may exist.",
            f"Do not order this again; tell the person that {SETTLE.format(reference=order.out_order_id)}.",
        )
    if order.problem_code == "upstream_unavailable":
        return about(
            "upstream_unavailable",
            "The upstream could not be reached; no create was sent and no order exists.",
            PREVIEW_AGAIN,
        )
    code, _, text = (order.problem_text or "").partition(": ")
    meaning, out = create_refused(code, text)
    return about(
        "upstream_unauthorized" if order.problem_code == "upstream_unauthorized" else "upstream_rejected",
        f"The upstream refused the order{f': it {meaning}' if meaning else ''}. No order exists.",
        out,
    )
