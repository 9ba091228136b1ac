"""Results as a short text for people, beside the structured content. Pure.

Only our own words and figures, and what the caller itself sent: foreign text stays in its fields.
"""

from collections.abc import Sequence

from xportcn_tools.results import Envelope, OrderResult, PreviewResult, Problem

_LABEL = {
    "sandbox": "[sandbox: nothing real] ",
    "preview": "[preview mode: creating is switched off] ",
    "live": "[live] ",
}
_STATE_WORDS = {
    "sending": "is being sent",
    "placed": "is placed",
    "rejected": "was refused; no order exists",
    "unknown": "has an unknown outcome: an order may exist",
    "absent": "does not exist upstream, as a person established",
}


def text_of(envelope: Envelope, notes: Sequence[str] = ()) -> str:
    """A few lines: what happened, what it costs, what to do next; `notes` belong to a preview."""
    parts: list[str] = []
    if envelope.preview:
        parts += [*notes, _preview(envelope.preview)]
    if envelope.problem:
        parts.append(_problem(envelope.problem))
    if envelope.order:
        parts.append(_order(envelope.order))
    if envelope.orders is not None:
        parts += [_order(order) for order in envelope.orders] or ["No orders."]
    return _LABEL[envelope.environment] + "\n".join(parts)


def _preview(preview: PreviewResult) -> str:
    goods, freight = preview.goods.amount, preview.freight.amount
    parts = (
        f"goods {goods}, freight {freight}, fees {preview.fees.amount}, discount {preview.discount.amount}"
    )
    pinned = (
        f"Trade type {preview.trade_type or 'open'}, flow {preview.flow or 'open'}, "
        f"promotion {preview.promotion_id or 'none'}. Good until {preview.expires_at}."
    )
    lines = [
        f"{preview.payable.amount} CNY to pay ({parts}), to {preview.ship_to}.",
        *(
            f"- {line.quantity} x offer {line.offer_id}: {line.amount.amount} CNY"
            for group in preview.groups
            for line in group.lines
        ),
        pinned,
        *(f"Warning {warning.code}: {warning.message}" for warning in preview.warnings),
        "Show this to the person; if they agree, call create_order with create_order_arguments.",
    ]
    return "\n".join(lines)


def _problem(problem: Problem) -> str:
    lines = [f"{problem.code}: {problem.message}", f"Create sent: {problem.request_sent}.", problem.next_step]
    if problem.request_id:
        lines.append(f"For the vendor's support: request_id {problem.request_id}.")
    if problem.preview:
        lines.append(f"New preview: {_preview(problem.preview)}")
    return "\n".join(lines)


def _order(order: OrderResult) -> str:
    ids = f" as {', '.join(order.order_ids)}" if order.order_ids else ""
    again = " (recorded before; nothing was sent again)" if order.replayed else ""
    return (
        f"Order {order.out_order_id} {_STATE_WORDS[order.state]}{ids}{again}: {order.payable.amount} CNY, "
        f"to {order.ship_to}, approval {order.approval.method}."
    )
