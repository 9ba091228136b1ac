"""Results as text. Complete by itself: many clients show the model nothing else. Pure.

Our own words and figures, and what the caller itself sent. What an upstream or a seller wrote stands only
between 「 and 」.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, cast

from xportcn_tools.codes import MODE_WORDS
from xportcn_tools.desk.naming import TITLE_BYTES, goods_of
from xportcn_tools.desk.pins import chosen
from xportcn_tools.desk.terms import is_name
from xportcn_tools.money import sum_line
from xportcn_tools.product_results import ProductEnvelope, ProductsEnvelope
from xportcn_tools.product_text import open_lines_text, product_text, products_text, sellers_text
from xportcn_tools.results import (
    STATE_WORDS,
    Envelope,
    GroupResult,
    LineResult,
    OrderEnvelope,
    OrderLine,
    OrderResult,
    OrdersEnvelope,
    PreviewEnvelope,
    PreviewResult,
    Problem,
    PromotionResult,
)
from xportcn_tools.upstream.clean import quoted
from xportcn_tools.upstream_results import UpstreamOrderResult, UpstreamResult
from xportcn_tools.wording import UiLanguage, worded

_UNVERIFIED = {"client_dialog": ", on the client's word", "rule": ": small enough to need no question"}
MANY_LINES, FEW_BYTES = 20, 72
"""Beyond so many lines a title has so many bytes, so that a model reads fifty lines in 12 kB."""
_NOT_ORDERED = (
    "This preview has not been ordered. If the person agrees to it, call create_order with its arguments; "
    "once it has expired, preview again."
)
_OURS = re.compile(r"-?[0-9.]+|none|unknown|yes|no")


def text_of(envelope: Envelope) -> str:
    """What happened, what it costs, what to do next: line by line, with all that the next call needs."""
    lines: list[str] = []
    problem: Problem | None = None
    match envelope:
        case PreviewEnvelope(preview=preview, problem=problem):
            lines += _preview(preview) if preview else []
        case OrderEnvelope(order=order, problem=problem):
            lines += (*_differences([order]), *_order(order)) if order else ()
        case ProductEnvelope(product=product, problem=problem):
            lines += product_text(product) if product else []
        case ProductsEnvelope(products=products, total=total, problem=problem):
            lines += products_text(products, total) if products is not None else []
        case OrdersEnvelope(orders=orders, problem=problem):
            lines += _orders(envelope) if orders is not None else []
        case _:
            pass
    if problem:
        # A fresh preview ends with the call to make, which stays the last line.
        lines = [*_problem(problem), *lines, *(_fresh(problem.preview) if problem.preview else [])]
    return "\n".join([f"[{MODE_WORDS[envelope.environment]}] {lines[0]}", *lines[1:]])


def _preview(preview: PreviewResult) -> Iterator[str]:
    parts = (preview.goods_total, preview.freight, preview.fees, preview.discount)
    yield f"To pay: {preview.payable.amount} CNY = {sum_line(*(part.amount for part in parts))}"
    yield from (f"Warning {warning.code}: {warning.message}" for warning in preview.warnings)
    many = sum(len(group.lines) for group in preview.groups) > MANY_LINES
    title_bytes = FEW_BYTES if many else TITLE_BYTES
    for number, group in enumerate(preview.groups, start=1):
        if len(preview.groups) > 1:
            yield (
                f"Order {number} of {len(preview.groups)}: {group.payable.amount} CNY, "
                f"freight {group.freight.amount} in it"
            )
        yield from _group(group, title_bytes)
    yield f"Ship to: {preview.ship_to}"
    yield f"Order number: {preview.out_order_id}"
    yield f"Approval code: {preview.approval_code} (good until {preview.expires_at})"
    promotion = quoted(preview.promotion_id) if preview.promotion_id else "none"
    yield f"Trade type: {chosen(preview.trade_type)}; flow: {chosen(preview.flow)}; promotion: {promotion}"
    yield from preview.sent_along
    if not preview.needs_approval:
        yield "Approval: create_order asks no question (the owner's rule)"
    budget = preview.budget
    yield (
        f"Caps: {budget.order_cap.amount} CNY an order, {budget.day_cap.amount} CNY a day; until "
        f"{budget.day_ends_at} {budget.day_left.amount} CNY and {budget.day_orders_left} orders are left"
    )
    if any(warning.code == "earlier_order_unknown" for warning in preview.warnings):
        yield "Do not order this now: it is refused until the order that the warning names is settled. Then:"
    elif any(warning.code == "over_budget" for warning in preview.warnings):
        yield "Do not order this now: a cap refuses it. Tell the person; once the owner has changed it, call:"
    else:
        yield "Show this to the person. Only if they agree to exactly this, call:"
    arguments = preview.create_order_arguments.model_dump()
    yield f"create_order {json.dumps(arguments, ensure_ascii=False)}"


def _fresh(preview: PreviewResult) -> Iterator[str]:
    yield "The new preview, with a token of its own:"
    yield from _preview(preview)


def _group(group: GroupResult, title_bytes: int) -> Iterator[str]:
    yield from (_line(line, title_bytes) for line in group.lines)
    if group.seller_open_id:
        yield f"- seller: {quoted(group.seller_open_id)}"
    yield from (f"- promotion {_promotion(offer)}" for offer in group.promotions)
    if group.trade_types:
        yield f"- trade types on offer: {', '.join(map(chosen, group.trade_types))}"


def _line(line: LineResult, title_bytes: int) -> str:
    price = f" at {line.unit_price.amount}" if line.unit_price else ""
    if line.unit_price:  # a member's price, for example, is in the amount alone
        less = Decimal(line.unit_price.amount) * line.quantity - Decimal(line.amount.amount)
        price += f", less {less}" if less > 0 else ""
    number = f", product_no {line.product_no}" if line.product_no else ""
    said = f"; the upstream says {quoted(line.message)}" if line.message else ""
    return f"- {goods_of(line, '×', title_bytes)}{price}: {line.amount.amount} CNY{number}{said}"


def _promotion(offer: PromotionResult) -> str:
    discount = f": -{offer.discount.amount} CNY" if offer.discount else ""
    words = f" {quoted(offer.text)}" if offer.text else ""
    name = quoted(offer.promotion_id) if offer.promotion_id else "without id"
    return f"{name}{words}{discount}{' (applied)' if offer.selected else ''}"


def _order(order: OrderResult, *, with_ids: bool = False) -> Iterator[str]:
    named = _ids(order)
    yield (
        f"Order {order.out_order_id} {STATE_WORDS[order.state]}{f' as {named}' if named else ''}: "
        f"{order.payable.amount} CNY"
    )
    if order.replayed:
        yield "This was recorded before; nothing was sent again."
    if order.goods:
        yield f"Goods: {order.goods}"
    if with_ids:
        yield from map(_order_line, order.lines)
    yield f"Ship to: {order.ship_to}"
    yield f"Created {order.created_at}, changed {order.updated_at}"
    yield f"Approval: {order.approval.method}{_UNVERIFIED.get(order.approval.method, '')}"
    if order.state == "unknown":
        yield (
            "Do not order this again. Tell the person; the owner settles it with "
            f"`xportcn-mcp orders resolve {order.out_order_id}`."
        )
    if order.state == "sending":
        yield "Do not order this again. Ask get_orders once more in half a minute."
    if order.upstream:
        yield from upstream_lines(order.upstream)
    yield from to_pay(order)


def _ids(order: OrderResult, language: UiLanguage = "en") -> str:
    count, ids = len(order.order_ids), ", ".join(order.order_ids)
    return worded(language, "{count} separate orders ({ids})", count=count, ids=ids) if count > 1 else ids


def to_pay(order: OrderResult, language: UiLanguage = "en") -> Iterator[str]:
    """Where a placed order is paid, unless nothing is to be paid any more."""
    if order.state == "placed" and not (order.upstream and _is_settled(order.upstream)):
        yield worded(
            language,
            "Placed at 1688, not paid yet: pay {which_} {ids} in your Xportcn account. "
            "This server does not pay or cancel.",
            which_="all" if len(order.order_ids) > 1 else "order",
            ids=_ids(order, language),
        )


def _differences(orders: list[OrderResult]) -> Iterator[str]:
    """The first thing said: what is to be paid is no longer what was approved."""
    for order in orders:
        read = order.upstream.orders if order.upstream else []
        if read and read[0].differences:
            yield (
                f"WARNING: the upstream has order {order.out_order_id} otherwise than it was approved: "
                f"{'; '.join(read[0].differences)}. Tell the person before anybody pays."
            )


def _is_settled(upstream: UpstreamResult) -> bool:
    """Whether nothing is to be paid any more."""
    return all(order.unpaid is False for order in upstream.orders)


def upstream_lines(upstream: UpstreamResult, language: UiLanguage = "en") -> Iterator[str]:
    """What the upstream last said of an order: a line for each order id, and for each parcel."""
    t = partial(worded, language)
    for order in upstream.orders:
        amount = f"{order.total.amount} CNY" if order.total else order.unproven_total
        said = state_of(order, language)
        said += t(", total {amount}", amount=amount) if amount else ""
        said += t(", to be paid until {time}", time=order.pay_until) if order.pay_until else ""
        said += t(", because {why}", why=quoted(order.closed_because)) if order.closed_because else ""
        time, number = upstream.read_at, order.order_id
        yield t("Upstream, read {time}: order {number}: {said}", time=time, number=number, said=said)
        yield from (f"- {parcel}" for parcel in parcels_of(order, language))


def state_of(order: UpstreamOrderResult, language: UiLanguage = "en") -> str:
    """In our words, or else in the upstream's."""
    t = partial(worded, language)
    if order.status_text:
        return t(order.status_text)
    return t("state {state}", state=quoted(order.status)) if order.status else t("state unknown")


def parcels_of(order: UpstreamOrderResult, language: UiLanguage = "en") -> Iterator[str]:
    """Each with its carrier and its number."""
    for parcel in order.parcels:
        named = " ".join(quoted(text) for text in (parcel.carrier, parcel.tracking_number) if text)
        yield worded(language, "parcel {named}", named=named)


def _orders(found: OrdersEnvelope) -> list[str]:
    orders = found.orders or []
    one = len(orders) == 1
    none = _NOT_ORDERED if found.not_ordered else "No orders."
    lines = [*_differences(orders), *(line for order in orders for line in _order(order, with_ids=one))] or [
        none
    ]
    if len(orders) > 1:
        lines.append("For the offer and spec ids of an order, call get_orders with its reference.")
    totals = [f"{each.orders} {each.state}, {each.payable.amount} CNY" for each in found.totals or ()]
    if totals:
        lines.append(f"All that fit: {'; '.join(totals)}")
    if found.not_read:
        lines.append(f"Not read: {found.not_read}.")
    if found.next_before:
        call = f"get_orders {json.dumps({'before': found.next_before})}"
        lines.append(f"There are more: keep your other arguments, and call {call}")
    return lines


def _order_line(line: OrderLine) -> str:
    spec = f" spec {line.spec_id}" if line.spec_id else ""
    option = f" {quoted(line.option)}" if line.option else ""
    number = f", product_no {line.product_no}" if line.product_no else ""
    return f"- {line.quantity} × offer {line.offer_id}{spec}{option}: {line.amount.amount} CNY{number}"


def _problem(problem: Problem) -> Iterator[str]:
    yield f"{problem.code}: {problem.message}"
    yield from _details(problem.details or {}, problem.message)
    yield f"Create sent: {problem.request_sent}."
    if problem.request_id:
        yield f"For the vendor's support: request_id {problem.request_id}"
    yield f"Next: {problem.next_step}"


def _details(details: Mapping[str, Any], message: str) -> Iterator[str]:
    """What the message has not said yet: reasons by line, changes, the preview's own values."""
    yield from filter(None, (_reason(reason, message) for reason in _objects(details.get("reasons"))))
    yield from (f"- {figures}" for figures in details.get("figures", ()))
    for change in _objects(details.get("changes")):
        word = quoted if is_name(change["what"]) else _value
        yield f"- {change['what']}: was {word(change['was'])}, now {word(change['now'])}"
    yield from open_lines_text(details.get("lines", ()))
    yield from sellers_text(details.get("by_seller", ()))
    if "preview_has" in details:
        yield f"The preview has {details['field']}: {details['preview_has']}"
    if details.get("reason"):
        yield f"Reason: {quoted(details['reason'])}"
    if details.get("text"):
        code = f"code {quoted(str(details['code']))}, " if details.get("code") else ""
        yield f"The upstream's words: {code}{quoted(details['text'])}"


def _reason(reason: Mapping[str, Any], message: str) -> str:
    words = " ".join(quoted(str(reason[name])) for name in ("code", "text") if reason.get(name))
    what = f"{reason['lists']}:" if reason.get("lists") else "the upstream says"
    said = f"{what} {words}" if words else ""
    if reason["message"] not in message:
        return f"- {'; '.join(filter(None, (reason['message'], said)))}"
    line = f"line {reason['line']}: " if reason.get("line") else ""
    return f"- {line}{said}" if said else ""


def _objects(value: object) -> Iterable[dict[str, Any]]:
    return cast("list[dict[str, Any]]", value or [])


def _value(value: str) -> str:
    """Figures and words of ours as they are; what may be an upstream's name, as a quotation."""
    return value if _OURS.fullmatch(value) else quoted(value)
