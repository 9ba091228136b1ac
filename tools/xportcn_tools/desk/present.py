"""Quotes and records in the words of the contract. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from xportcn_tools.desk.address import province_conflict
from xportcn_tools.desk.quote import Group, Quote
from xportcn_tools.ledger.ledger import OrderRecord
from xportcn_tools.order import OrderRequest
from xportcn_tools.results import (
    ApprovalResult,
    CreateOrderArguments,
    GroupResult,
    LineResult,
    Money,
    OrderLine,
    OrderResult,
    PreviewResult,
    PreviewWarning,
    PromotionResult,
    money,
    timestamp,
    yuan,
)

LINES_NAMED = 3
GOODS_LENGTH = 300


def shown(quote: Quote, request: OrderRequest, warnings: list[PreviewWarning]) -> dict[str, Any]:
    """The preview as it is shown, without the handles that `preview_result` adds (JSON, stored)."""
    groups = [_group(group, request).model_dump() for group in quote.groups]
    return {
        "payable": money(quote.payable).model_dump(),
        "goods_total": money(quote.goods).model_dump(),
        "freight": money(quote.freight).model_dump(),
        "fees": money(quote.fees).model_dump(),
        "discount": money(quote.discount).model_dump(),
        "goods": goods_line(line for group in groups for line in group["lines"]),
        "ship_to": request.ship_to(),
        "flow": quote.pinned.flow,
        "trade_type": quote.pinned.trade_type,
        "promotion_id": quote.pinned.promotion_id,
        "groups": groups,
        "warnings": [warning.model_dump() for warning in warnings],
    }


def preview_result(
    stored: dict[str, Any], token: str, approval_code: str, out_order_id: str, expires_at: str
) -> PreviewResult:
    return PreviewResult(
        preview_token=token,
        approval_code=approval_code,
        out_order_id=out_order_id,
        expires_at=expires_at,
        create_order_arguments=CreateOrderArguments(
            preview_token=token,
            expected_total=stored["payable"]["amount"],
            ship_to=stored["ship_to"],
            goods=stored["goods"],
        ),
        **stored,
    )


def goods_line(lines: Iterable[Mapping[str, Any]]) -> str:
    """What is bought in one line: up to three lines of goods, then how many more there are."""
    every = list(lines)
    for named in range(min(LINES_NAMED, len(every)), 0, -1):
        rest = every[named:]
        more = f"and {len(rest)} more ({sum(line['quantity'] for line in rest)} pieces)"
        text = "; ".join(_named(line) for line in every[:named])
        text = f"{text}; {more}" if rest else text
        if len(text) <= GOODS_LENGTH or named == 1:
            return text
    return ""


def _named(line: Mapping[str, Any]) -> str:
    spec: str | None = line["spec_id"]
    short = f"{spec[:8]}…{spec[-4:]}" if spec and len(spec) > 13 else spec
    return f"{line['quantity']} × offer {line['offer_id']}{f' spec {short}' if short else ''}"


def order_lines(stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of goods of a stored preview."""
    groups = cast("list[dict[str, Any]]", stored.get("groups", []))
    return [line for group in groups for line in cast("list[dict[str, Any]]", group["lines"])]


def order_result(order: OrderRecord, stored: Mapping[str, Any] | None, *, replayed: bool) -> OrderResult:
    """`stored`: the preview that the order was made of, as it was shown, where that is still kept."""
    lines = order_lines(stored or {})
    return OrderResult(
        out_order_id=order.out_order_id,
        state=order.state,
        order_ids=list(order.order_ids),
        payable=money(order.payable_fen),
        goods=goods_line(lines),
        lines=[
            OrderLine(
                offer_id=line["offer_id"],
                spec_id=line["spec_id"],
                quantity=line["quantity"],
                product_no=line.get("product_no"),
                amount=Money(**line["amount"]),
            )
            for line in lines
        ],
        ship_to=order.ship_to,
        approval=ApprovalResult.model_validate(
            {"method": order.approval_method, "verified": order.approval_verified}
        ),
        created_at=timestamp(order.created_at),
        updated_at=timestamp(order.updated_at),
        request_id=order.request_id,
        replayed=replayed,
    )


def quote_warnings(quote: Quote, request: OrderRequest) -> list[PreviewWarning]:
    """What a person should know of a quote before approving it; the desk adds what the ledger knows."""
    warnings: list[PreviewWarning] = []
    open_terms = [
        name
        for name, value in (("trade type", quote.pinned.trade_type), ("flow", quote.pinned.flow))
        if value is None
    ]
    if open_terms:
        credit = ", and may buy on credit" if quote.pinned.trade_type is None else ""
        warnings.append(
            PreviewWarning(
                code="platform_chooses",
                message=f"The platform chooses the {' and the '.join(open_terms)} itself{credit}: price and "
                "buyer protection can differ from what is shown.",
            )
        )
    if quote.freight_by_description:
        offers = ", ".join(quote.freight_by_description)
        warnings.append(
            PreviewWarning(
                code="freight_by_description",
                message=f"Freight of offer {offers} is negotiated with the seller: it is not final here.",
            )
        )
    if quote.no_cross_border_pay:
        offers = ", ".join(quote.no_cross_border_pay)
        warnings.append(
            PreviewWarning(
                code="no_cross_border_pay", message=f"Offer {offers} cannot be paid by cross-border pay."
            )
        )
    if quote.promotion_not_priced:
        warnings.append(
            PreviewWarning(
                code="promotion_not_priced",
                message="The total was computed with the platform's promotion, not with the one asked for.",
            )
        )
    if quote.unexplained_fee:
        warnings.append(
            PreviewWarning(
                code="unverified_fee",
                message=f"The total holds {yuan(quote.unexplained_fee)} CNY that no documented field "
                "explains, probably a service fee.",
            )
        )
    conflict = province_conflict(request.address)
    if conflict:
        warnings.append(PreviewWarning(code="address_conflict", message=conflict))
    return warnings


def _group(group: Group, request: OrderRequest) -> GroupResult:
    return GroupResult(
        payable=money(group.payable),
        goods_total=money(group.goods),
        freight=money(group.freight),
        lines=[
            LineResult(
                offer_id=line.offer_id,
                spec_id=line.spec_id,
                sku_id=line.sku_id,
                quantity=line.quantity,
                unit_price=None if line.unit_price is None else money(line.unit_price),
                amount=money(line.amount),
                product_no=request.items[line.position].product_no,
                message=line.message,
            )
            for line in group.lines
        ],
        trade_types=list(group.trade_types or ()),
        promotions=[
            PromotionResult(
                promotion_id=offer.promotion_id,
                text=offer.text,
                selected=offer.selected,
                discount=None if offer.discount is None else money(offer.discount),
            )
            for offer in group.promotions or ()
        ],
    )
