"""Quotes and records in the words of the contract. Pure."""

from dataclasses import replace

from xportcn_tools.desk.address import province_conflict
from xportcn_tools.desk.question import asked_for
from xportcn_tools.desk.quote import Quote
from xportcn_tools.ledger.ledger import OrderRecord, StoredPreview
from xportcn_tools.order import (
    Line,
    OrderRequest,
    ShownGroup,
    ShownPreview,
    ShownWarning,
)
from xportcn_tools.results import (
    ApprovalResult,
    CreateOrderArguments,
    GroupResult,
    LineResult,
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


def shown(quote: Quote, request: OrderRequest, warnings: list[PreviewWarning]) -> ShownPreview:
    """The preview as it is shown, without the handles that `preview_result` adds."""
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
        groups=tuple(
            ShownGroup(
                group.payable,
                group.goods,
                group.freight,
                tuple(
                    replace(line, product_no=request.items[line.position].product_no) for line in group.lines
                ),
                group.trade_types or (),
                group.promotions or (),
            )
            for group in quote.groups
        ),
        warnings=tuple(ShownWarning(warning.code, warning.message) for warning in warnings),
    )


def preview_result(preview: StoredPreview, token: str) -> PreviewResult:
    """The preview with the handles for it."""
    seen = preview.shown
    total, goods = money(preview.payable_fen), goods_line(seen)
    return PreviewResult(
        preview_token=token,
        approval_code=preview.approval_code,
        out_order_id=preview.out_order_id,
        expires_at=timestamp(preview.expires_at),
        payable=total,
        goods_total=money(seen.goods),
        freight=money(seen.freight),
        fees=money(seen.fees),
        discount=money(seen.discount),
        goods=goods,
        ship_to=seen.ship_to,
        flow=seen.flow,
        trade_type=seen.trade_type,
        promotion_id=seen.promotion_id,
        groups=[_group_result(group) for group in seen.groups],
        warnings=[PreviewWarning.model_validate(vars(warning)) for warning in seen.warnings],
        sent_along=asked_for(preview.request),
        create_order_arguments=CreateOrderArguments(
            preview_token=token, expected_total=total.amount, ship_to=seen.ship_to, goods=goods
        ),
    )


def goods_line(shown: ShownPreview) -> str:
    """What is bought in one line: up to three lines of goods, then how many more there are."""
    lines = [line for group in shown.groups for line in group.lines]
    text = ""
    for named in range(min(LINES_NAMED, len(lines)), 0, -1):
        rest = lines[named:]
        more = [f"and {len(rest)} more ({sum(line.quantity for line in rest)} pieces)"] if rest else []
        text = "; ".join([*map(_named, lines[:named]), *more])
        if len(text) <= GOODS_LENGTH:
            break
    return text


def _named(line: Line) -> str:
    spec = line.spec_id
    short = f"{spec[:8]}…{spec[-4:]}" if spec and len(spec) > 13 else spec
    return f"{line.quantity} × offer {line.offer_id}{f' spec {short}' if short else ''}"


def order_result(order: OrderRecord, shown: ShownPreview | None, *, replayed: bool) -> OrderResult:
    """`shown`: the preview that the order was made of, where that is still kept."""
    return OrderResult(
        out_order_id=order.out_order_id,
        state=order.state,
        order_ids=list(order.order_ids),
        payable=money(order.payable_fen),
        goods=goods_line(shown) if shown else "",
        lines=[
            OrderLine(
                offer_id=line.offer_id,
                spec_id=line.spec_id,
                quantity=line.quantity,
                product_no=line.product_no,
                amount=money(line.amount),
            )
            for group in (shown.groups if shown else ())
            for line in group.lines
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
    if quote.stated:
        warnings.append(
            PreviewWarning(
                code="unverified_fee",
                message=f"The upstream also states {quote.stated} (unit not proven), which no sum needs.",
            )
        )
    if quote.unverified_unit:
        warnings.append(
            PreviewWarning(
                code="unverified_unit",
                message="Every price is below 1.00 CNY a piece, with the upstream's numbers read as fen. "
                "If they are yuan, the order costs a hundred times as much. Compare with the list price.",
            )
        )
    conflict = province_conflict(request.address)
    if conflict:
        warnings.append(PreviewWarning(code="address_conflict", message=conflict))
    return warnings


def _group_result(group: ShownGroup) -> GroupResult:
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
                product_no=line.product_no,
                message=line.message,
            )
            for line in group.lines
        ],
        trade_types=list(group.trade_types),
        promotions=[
            PromotionResult(
                promotion_id=offer.promotion_id,
                text=offer.text,
                selected=offer.selected,
                discount=None if offer.discount is None else money(offer.discount),
            )
            for offer in group.promotions
        ],
    )
