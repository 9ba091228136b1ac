"""Priced groups → the `data` of a preview's answer, in either documented shape. Pure.

`object` (2025-09 schema): every documented field, sums in fen, line amounts and unit prices in yuan (1688).
`list` (2026-04 example): only the fields seen there, everything in fen, with `sumTotalPayment`.
Misspelt names (`orderPreviewResuslt`, `avaliable`) are on the wire and kept.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from xportcn_server.sandbox.catalogue import Offer, PromotionRule, TradeType
from xportcn_server.sandbox.jsontext import Json, yuan
from xportcn_server.sandbox.prices import PricedGroup, PricedLine

AnswerShape = Literal["object", "list"]

# The flow of a request that names none (1688: "the platform picks"; which one is our invention).
PLATFORM_FLOW = "general"


def preview_data(groups: Sequence[PricedGroup], flow: str, shape: AnswerShape) -> Json:
    """The answer's `data`. A list has no place for a refusal: that shape is for orderable groups only."""
    if shape == "list":
        return [_group_of_list(group) for group in groups]
    offers = [line.offer for group in groups for line in group.lines if line.offer]
    return {
        "orderPreviewResuslt": [_group_of_object(group, flow) for group in groups],
        "postFeeByDescOfferList": _ids(offer for offer in offers if offer.freight_by_description),
        "consignOfferList": _ids(offer for offer in offers if offer.consignment),
        "unsupportedCrossBorderPayOfferList": _ids(offer for offer in offers if not offer.cross_border_pay),
    }


def payable_fen(groups: Sequence[PricedGroup], shape: AnswerShape) -> int:
    """What the buyer pays, in fen, by the sums that the shape shows."""
    return sum(group.total_fen if shape == "list" else group.payment_fen for group in groups)


def _ids(offers: Iterable[Offer]) -> Json:
    """Offer ids, each once."""
    return list(dict.fromkeys(offer.offer_id for offer in offers))


def _group_of_list(group: PricedGroup) -> Json:
    return {
        "sumCarriage": group.carriage_fen,
        "sumPayment": group.payment_fen,
        "sumTotalPayment": group.total_fen,
        "sumPaymentNoCarriage": group.goods_fen,
        "orderItemTOList": [
            {
                "amount": line.amount_fen,
                "message": None,
                "finalUnitPrice": line.unit_fen,
                "specId": line.requested.spec_id,
                "skuId": line.sku.sku_id if line.sku else None,
                "offerId": line.requested.offer_id,
                "openOfferId": line.offer.open_offer_id if line.offer else None,
            }
            for line in group.lines
        ],
    }


def _group_of_object(group: PricedGroup, flow: str) -> Json:
    refusal = group.refusal
    supported = [kind for kind in group.trade_types if kind.supported]
    return {
        "discountFee": group.discount_fen,
        "tradeModeNameList": [kind.code for kind in supported],
        "status": refusal is None,
        # Inverted on 1688: false says that there is a single-item promotion.
        "taoSampleSinglePromotion": not any(line.promotion for line in group.lines),
        "sumPayment": group.payment_fen,
        "message": refusal.message if refusal else "",
        "sumCarriage": group.carriage_fen,
        "resultCode": str(refusal.code) if refusal else "SUCCESS",
        "sumPaymentNoCarriage": group.goods_fen,
        "additionalFee": 0,
        "flowFlag": flow or PLATFORM_FLOW,
        "cargoList": [_line_of_object(line) for line in group.lines],
        "shopPromotionList": [
            _promotion(promotion, selected=promotion is group.applied) for promotion in group.promotions
        ],
        "tradeModelList": [_trade_model(kind) for kind in group.trade_types],
        "payChannelList": [
            {"channel": "kuajingbao", "avaliable": True},
            {"channel": "bank", "avaliable": False},
        ],
        "payChannelInfos": [{"name": "跨境宝", "amountLimit": 5_000_000}],
    }


def _line_of_object(line: PricedLine) -> Json:
    return {
        "amount": yuan(line.amount_fen),
        "message": line.refusal.message if line.refusal else None,
        "finalUnitPrice": yuan(line.unit_fen),
        "specId": line.requested.spec_id,
        "skuId": line.sku.sku_id if line.sku else None,
        "resultCode": str(line.refusal.code) if line.refusal else "",
        "offerId": line.requested.offer_id,
        "cargoPromotionList": [_promotion(line.promotion, selected=True)] if line.promotion else [],
        "openOfferId": line.offer.open_offer_id if line.offer else None,
    }


def _promotion(promotion: PromotionRule, *, selected: bool) -> Json:
    return {
        "promotionId": promotion.promotion_id,
        "selected": selected,
        "text": promotion.text,
        "desc": promotion.description,
        "freePostage": promotion.free_freight,
        "discountFee": promotion.discount_fen,
    }


def _trade_model(kind: TradeType) -> Json:
    return {
        "tradeWay": kind.way,
        "name": kind.name,
        "tradeType": kind.code,
        "description": kind.description,
        "opSupport": kind.supported,
    }
