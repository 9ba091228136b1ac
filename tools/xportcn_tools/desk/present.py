"""Quotes and records in the words of the contract. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from xportcn_tools.desk.address import address_warnings
from xportcn_tools.desk.caps import Breach, Caps
from xportcn_tools.desk.comparison import Compared, compared
from xportcn_tools.desk.naming import goods_line
from xportcn_tools.desk.question import asked_for
from xportcn_tools.desk.quote import Quote
from xportcn_tools.ledger.ledger import DayUsage, OrderRecord, Receipt, StoredPreview
from xportcn_tools.money import yuan
from xportcn_tools.order import (
    ERASED,
    OrderRequest,
    ShownGroup,
    ShownPreview,
    ShownWarning,
)
from xportcn_tools.result_shapes import timestamp
from xportcn_tools.results import (
    ApprovalResult,
    BudgetResult,
    CreateOrderArguments,
    Money,
    OrderLine,
    OrderResult,
    PreviewResult,
)
from xportcn_tools.upstream_results import ParcelResult, UpstreamOrderResult, UpstreamResult
from xportcn_tools.upstream_state import Reading
from xportcn_tools.wording import UiLanguage


def shown(quote: Quote, request: OrderRequest, warnings: Iterable[ShownWarning]) -> ShownPreview:
    """The preview as it is shown, without the handles that `preview_result` adds."""
    groups = tuple(
        ShownGroup(
            group.payable,
            group.goods,
            group.freight,
            tuple(
                replace(line, product_no=number)
                if (number := request.items[line.position].product_no)
                else line
                for line in group.lines
            ),
            group.trade_types or (),
            group.promotions or (),
            group.seller_open_id,
        )
        for group in quote.groups
    )
    return ShownPreview(
        payable=quote.payable,
        goods=quote.goods,
        freight=quote.freight,
        fees=quote.fees,
        discount=quote.discount,
        ship_to=request.ship_to(),
        flow=quote.pinned.flow,
        trade_type=quote.pinned.trade_type,
        promotion_id=quote.pinned.promotion_id,
        groups=groups,
        warnings=tuple(warnings),
        goods_echo=goods_line([line for group in groups for line in group.lines]),
    )


def goods_shown(shown: ShownPreview, language: UiLanguage = "en") -> str:
    """What is bought, in the line that was shown; in Chinese, in a line that says the same."""
    return (shown.goods_echo if language == "en" else "") or goods_line(shown.lines, language)


def preview_result(
    preview: StoredPreview, token: str, budget: BudgetResult, *, needs_approval: bool
) -> PreviewResult:
    """The preview with the handles for it, and what holds beside it at this moment."""
    seen = preview.shown
    goods = goods_shown(seen)
    arguments = CreateOrderArguments(
        preview_token=token, expected_total=yuan(preview.payable_fen), ship_to=seen.ship_to, goods=goods
    )
    handles = {
        "preview_token": token,
        "approval_code": preview.approval_code,
        "out_order_id": preview.out_order_id,
        "expires_at": timestamp(preview.expires_at),
        "goods": goods,
        "groups": [_with_goods_total(group) for group in seen.groups],
        "budget": budget,
        "needs_approval": needs_approval,
        "sent_along": asked_for(preview.request),
        "create_order_arguments": arguments,
    }
    return PreviewResult.model_validate(_with_goods_total(seen) | handles)


def _with_goods_total(shown: ShownPreview | ShownGroup) -> dict[str, Any]:
    """What was shown, by the names of a result: there `goods` is a line of text."""
    fields = dict(vars(shown))
    fields.pop("goods_echo", None)
    return fields | {"goods_total": fields.pop("goods")}


def receipt_result(receipt: Receipt, when: Callable[[datetime], str] = timestamp) -> OrderResult:
    """An order with what the upstream last said of it. `when`: how its times are written."""
    shown = receipt.preview.shown if receipt.preview else None
    result = order_result(receipt.order, shown, replayed=False)
    if receipt.reading is None:
        return result
    return result.model_copy(update={"upstream": upstream_result(receipt.reading, shown, when)})


def upstream_result(
    reading: Reading, shown: ShownPreview | None, when: Callable[[datetime], str] = timestamp
) -> UpstreamResult:
    beside = compared(reading.orders, shown) if shown else Compared(None, differs=False)
    differences = [f"{each.what}: approved {each.was}, now {each.now}" for each in beside.differences]
    return UpstreamResult(
        read_at=when(reading.read_at),
        orders=[
            UpstreamOrderResult(
                order_id=order.order_id,
                status=order.status,
                status_text=order.status_text,
                total=None if fen is None else Money.model_validate(fen),
                unproven_total=None if fen is not None or order.total is None else str(order.total),
                differs=beside.differs,
                differences=differences,
                unpaid=order.unpaid,
                pay_until=when(order.pay_until) if order.pay_until else None,
                closed_because=order.closed_because,
                parcels=[ParcelResult.model_validate(parcel) for parcel in order.parcels],
            )
            for order, fen in ((order, beside.total_of(order)) for order in reading.orders)
        ],
    )


def order_result(order: OrderRecord, shown: ShownPreview | None, *, replayed: bool) -> OrderResult:
    """`shown`: the preview that the order was made of, where that is still kept."""
    return OrderResult(
        out_order_id=order.out_order_id,
        state=order.state,
        order_ids=list(order.order_ids),
        payable=Money.model_validate(order.payable_fen),
        goods=goods_shown(shown) if shown else "",
        lines=[OrderLine.model_validate(line) for line in (shown.lines if shown else ())],
        ship_to=order.ship_to or ERASED,
        approval=ApprovalResult.model_validate(
            {"method": order.approval_method, "verified": order.approval_verified}
        ),
        created_at=timestamp(order.created_at),
        updated_at=timestamp(order.updated_at),
        request_id=order.request_id,
        replayed=replayed,
    )


def budget_of(caps: Caps, used: DayUsage) -> BudgetResult:
    """What the caps leave of the owner's current day; a cap of all callers together counts as well."""
    left = [caps.day_fen - used.fen]
    if caps.total_day_fen is not None:
        left.append(caps.total_day_fen - used.total_fen)
    return BudgetResult(
        order_cap=Money.model_validate(caps.order_fen),
        day_cap=Money.model_validate(caps.day_fen),
        day_left=Money.model_validate(max(min(left), 0)),
        day_orders_left=max(caps.day_orders - used.orders, 0),
        day_ends_at=timestamp(used.ends_at),
    )


def look_at_the_unit(quote: Quote) -> Iterator[ShownWarning]:
    """For the first live order of an account."""
    yield ShownWarning(
        "unverified_unit",
        "No order for this account is known to be placed yet. Look at the unit once: the website's cart must"
        f" show {yuan(quote.payable)} CNY for the same, and not a hundred times more or less.",
    )


def over_budget(passed: Breach | None) -> Iterator[ShownWarning]:
    """The warning that a cap would refuse the order as things stand."""
    if passed:
        yield ShownWarning("over_budget", f"This order would be refused: {passed.message}.")


def quote_warnings(quote: Quote, request: OrderRequest) -> Iterator[ShownWarning]:
    """What a person should know of a quote before approving it; the desk adds what the ledger knows."""
    open_terms = [
        name
        for name, value in (("trade type", quote.pinned.trade_type), ("flow", quote.pinned.flow))
        if value is None
    ]
    if open_terms:
        credit = ", and may buy on credit" if quote.pinned.trade_type is None else ""
        yield ShownWarning(
            "platform_chooses",
            f"The platform chooses the {' and the '.join(open_terms)} itself{credit}: price and buyer "
            "protection can differ from what is shown.",
        )
    if quote.freight_by_description:
        offers = ", ".join(quote.freight_by_description)
        yield ShownWarning(
            "freight_by_description",
            f"Freight of offer {offers} is negotiated with the seller: it is not final here.",
        )
    if quote.no_cross_border_pay:
        offers = ", ".join(quote.no_cross_border_pay)
        yield ShownWarning("no_cross_border_pay", f"Offer {offers} cannot be paid by cross-border pay.")
    if quote.promotion_not_priced:
        yield ShownWarning(
            "promotion_not_priced",
            "The total was computed with the platform's promotion, not with the one asked for.",
        )
    if quote.unexplained_fee:
        yield ShownWarning(
            "unverified_fee",
            f"The total holds {yuan(quote.unexplained_fee)} CNY that no documented field explains, probably "
            "a service fee.",
        )
    if quote.stated:
        yield ShownWarning(
            "unverified_fee",
            f"The upstream also states {quote.stated} (unit not proven), which no sum needs.",
        )
    if quote.unverified_unit:
        yield ShownWarning(
            "unverified_unit",
            "The unit of these prices is not sure: every one is below 1.00 CNY a piece, or a list price says "
            "a hundred times as much or as little. If it is another unit, the order costs a hundred times as "
            "much, or a hundredth. Compare each line with its list price.",
        )
    yield from address_warnings(request.address)
