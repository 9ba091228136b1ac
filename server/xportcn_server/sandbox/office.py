"""A request's headers and body → the envelope that answers it, with what that writes into the books.

The envelope `{requestId, code, developId, msg, data}` with code 200 and msg 成功 is documented. The codes of
refusals are 1688's where one fits; 400, 401 and 409 are our invention, since the vendor's list of error
codes could not be read. Refusals come with HTTP 200.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xportcn_server.sandbox.access import Door
from xportcn_server.sandbox.books import Bill, Books
from xportcn_server.sandbox.catalogue import Offer
from xportcn_server.sandbox.jsontext import Json, decode
from xportcn_server.sandbox.order_answers import details_data, list_data
from xportcn_server.sandbox.parsing import (
    BadRequestError,
    CreateBody,
    DetailsBody,
    ListBody,
    Operation,
    PreviewBody,
    ProductBody,
    SearchBody,
    read,
)
from xportcn_server.sandbox.prices import PricedGroup, Refusal, price
from xportcn_server.sandbox.product_answers import product_data, search_data, varied
from xportcn_server.sandbox.shapes import AnswerShape, payable_fen, preview_data

AnswerBody = dict[str, Json]

# Real answers hold it as a quoted number of 19 digits.
DEVELOP_ID = "1460312345678901234"

BAD_REQUEST = 400
UNAUTHORIZED = 401
OUT_OF_STOCK = Refusal("500_004", "库存不足")
WRONG_SIGNATURE = Refusal(UNAUTHORIZED, "签名错误")
FORBIDDEN = Refusal(403, "无权限访问该接口")  # our invention
# The words of the first are 1688's, the codes are our invention.
NO_SUCH_PRODUCT = Refusal(500, "商品不存在")
NO_SUCH_ORDER = Refusal(500, "订单不存在")
DUPLICATE = Refusal(409, "外部订单号已存在")


def envelope(code: str | int, msg: str, data: Json = None) -> AnswerBody:
    """An answer with a request id of its own."""
    request_id = secrets.token_hex(16)
    return {"requestId": request_id, "code": code, "developId": DEVELOP_ID, "msg": msg, "data": data}


def success(data: Json) -> AnswerBody:
    return envelope(200, "成功", data)


def refused(refusal: Refusal) -> AnswerBody:
    return envelope(refusal.code, refusal.message)


@dataclass(frozen=True)
class Office:
    """The clerk behind the API. Nothing in here awaits: what a call does, it does in one piece."""

    shape: AnswerShape
    door: Door
    clock: Callable[[], datetime]
    books: Books
    catalogue: Mapping[int, Offer]
    forbidden: frozenset[Operation] = frozenset()

    def answer(
        self,
        endpoint: Operation,
        headers: Mapping[str, str],
        body: bytes,
        variation: str = "",
    ) -> AnswerBody:
        """Carries out one request, with the content that the fault `variation` is about."""
        turned_away = self.door.refusal(headers, self.clock())
        if turned_away:
            return envelope(UNAUTHORIZED, turned_away)
        if endpoint in self.forbidden:
            return refused(FORBIDDEN)
        try:
            match endpoint:
                case "preview":
                    return self._preview(read(PreviewBody, body), drifted=variation == "price-drift")
                case "create":
                    return self._create(read(CreateBody, body), decode(body), split=variation == "split")
                case "product" | "sibling-product":
                    return self._product(read(ProductBody, body), variation)
                case "search":
                    offers = list(self.catalogue.values())
                    return success(search_data(read(SearchBody, body), offers, self.shape, variation))
                case "list":
                    return self._list(read(ListBody, body), variation)
                case "details":
                    return self._details(read(DetailsBody, body).order_id, variation)
        except BadRequestError as error:
            return envelope(BAD_REQUEST, f"参数错误：{error}")

    def _preview(self, request: PreviewBody, *, drifted: bool) -> AnswerBody:
        groups = price(request, self.catalogue, drifted=drifted)
        refusal = _first_refusal(groups)
        # The object shape tells refusals line by line; the list shape has no field for them.
        if refusal and self.shape == "list":
            return refused(refusal)
        return success(preview_data(groups, request.flow, self.shape))

    def _create(self, request: CreateBody, content: Any, *, split: bool) -> AnswerBody:
        if self.books.refuses(request.out_order_id):
            return refused(DUPLICATE)
        groups = price(request, self.catalogue)
        trade_types = _trade_types(groups)
        refusal = _first_refusal(groups) or _refused_choice(request, groups, trade_types)
        if refusal:
            return refused(refusal)
        order = self.books.place(
            content,
            # Who names none leaves the choice to the platform, which prefers credit (1688).
            trade_type=request.trade_type or trade_types[0],
            bills=_bills(groups, self.shape, split=split),
            now=self.clock(),
        )
        return success({"orderIds": list(order.order_ids)})

    def _product(self, request: ProductBody, variation: str) -> AnswerBody:
        offer = self.catalogue.get(request.offer_id)
        if offer is None:
            return refused(NO_SUCH_PRODUCT)
        offer = varied(offer, variation, self.catalogue)
        return success(product_data(offer, request.language, self.shape, variation))

    def _list(self, request: ListBody, variation: str) -> AnswerBody:
        orders = self.books.orders
        if request.out_order_id:
            orders = self.books.orders_of(request.out_order_id)
        return success(list_data(request, orders, variation))

    def _details(self, order_id: str, variation: str) -> AnswerBody:
        try:
            order, part = self.books.found(order_id)
        except LookupError:
            return refused(NO_SUCH_ORDER)
        return success(details_data(order, part, variation))


def _bills(groups: Sequence[PricedGroup], shape: AnswerShape, *, split: bool) -> list[Bill]:
    """One per group. `split` adds one, which has the last group's freight alone (our invention)."""
    bills = [Bill(payable_fen([group], shape), group.carriage_fen, group.lines) for group in groups]
    if not split:
        return bills
    *others, last = bills
    freight = Bill(last.carriage_fen, last.carriage_fen)
    return [*others, Bill(last.payable_fen - last.carriage_fen, 0, last.lines), freight]


def _first_refusal(groups: Sequence[PricedGroup]) -> Refusal | None:
    return next((group.refusal for group in groups if group.refusal), None)


def _trade_types(groups: Sequence[PricedGroup]) -> list[str]:
    """The codes that every group supports, in the first one's order."""
    supported = [[kind.code for kind in group.trade_types if kind.supported] for group in groups]
    return [code for code in supported[0] if all(code in others for others in supported[1:])]


def _refused_choice(
    request: CreateBody, groups: Sequence[PricedGroup], trade_types: Sequence[str]
) -> Refusal | None:
    if not trade_types or (request.trade_type and request.trade_type not in trade_types):
        return Refusal(BAD_REQUEST, f"参数错误：不支持的交易方式{request.trade_type}")
    promotions = {promotion.promotion_id for group in groups for promotion in group.promotions}
    if request.promotion_id and request.promotion_id not in promotions:
        return Refusal(BAD_REQUEST, f"参数错误：优惠{request.promotion_id}不可用")
    return None
