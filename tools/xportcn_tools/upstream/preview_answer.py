"""An answer to a preview, misspellings included.

Two shapes are documented and both are read (2025-09: an object with `orderPreviewResuslt`; 2026-04: a list
of groups with `orderItemTOList`). Unknown fields and unknown values are taken as they come; a field that is
absent is unknown (`None`), not false. Texts are cleaned here, where they come in.

Every list has a length beyond which the answer is unreadable: nobody orders by 150,000 trade types, and a
model would have to read them.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, cast

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from xportcn_tools.upstream.envelope import (
    TOKEN,
    UnreadableAnswerError,
    identifier,
    identifier_or_unknown,
    reports_failure,
    text_of,
)

_OFFER_ID = re.compile(r"[0-9]{1,19}")
_FINE_CODES = (None, "", "0", "200", "SUCCESS")
_LARGEST = 10**15  # ten thousand billion yuan in fen: beyond it a figure is nonsense, and arithmetic dear
_NUMBER = re.compile(r"(?!.{41})-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MOST_LINES = _MOST_GROUPS = 50  # the lines that one order takes (1688)
_MOST_PROMOTIONS = _MOST_OFFERS = 200
_MOST_TRADE_TYPES = 50


def _number(value: object) -> Decimal:
    """An exact number out of a JSON number or a numeric string; `bool` and words are no numbers.

    Whether it came with a decimal point or an exponent stays visible: only then it has decimals, at least
    one. A double's noise beyond the twelfth is cut off.
    """
    if type(value) is int and abs(value) <= _LARGEST:
        return Decimal(value)
    if not (isinstance(value, Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value))):
        raise ValueError("is not a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("is not a number") from None
    if not number.is_finite() or number.adjusted() > 15 or abs(number) > _LARGEST:
        raise ValueError("is not a usable number")
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return number
    number = round(number, 12).normalize()
    return number if has_point(number) else number.quantize(Decimal("0.1"))


def has_point(number: Decimal) -> bool:
    """Whether a figure of an answer was written with a decimal point or an exponent, as doubles are."""
    return int(number.as_tuple().exponent) < 0


def _number_or_unknown(value: object) -> Decimal | None:
    try:
        return None if value is None else _number(value)
    except ValueError:
        return None


def _flag_or_unknown(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _offer_id(value: object) -> str:
    """Offer ids are integers on the wire (documented); sentences of ours name them."""
    text = identifier(value)
    if not _OFFER_ID.fullmatch(text):
        raise ValueError("is not an offer id")
    return text


def _optional_identifier(value: object) -> str | None:
    return None if value is None or value == "" else identifier(value)


def _listed(most: int, absent: list[object] | None = None) -> Callable[[object], list[object] | None]:
    """A list of at most so many stays a list; anything else but nothing is a departure."""

    def check(value: object) -> list[object] | None:
        if value is None:
            return absent
        if not isinstance(value, list):
            raise ValueError("is not a list")
        if len(listed := cast("list[object]", value)) > most:
            raise ValueError(f"has more than {most} entries")
        return listed

    return check


def _offer_ids(value: object) -> list[str] | None:
    """What is no offer id is none of the request's, so it is left out."""
    listed = _listed(_MOST_OFFERS)(value)
    if listed is None:
        return None
    return [text for text in map(identifier_or_unknown, listed) if text and _OFFER_ID.fullmatch(text)]


Exact = Annotated[Decimal, BeforeValidator(_number)]
ExactOrUnknown = Annotated[Decimal | None, BeforeValidator(_number_or_unknown)]
OfferId = Annotated[str, BeforeValidator(_offer_id)]
OfferIds = Annotated[list[str] | None, BeforeValidator(_offer_ids)]
IdentifierOrUnknown = Annotated[str | None, BeforeValidator(identifier_or_unknown)]
OptionalIdentifier = Annotated[str | None, BeforeValidator(_optional_identifier)]
Text = Annotated[str | None, BeforeValidator(text_of)]


class AnswerPart(BaseModel):
    """A part of an answer. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PromotionAnswer(AnswerPart):
    """A shop promotion (documented). `discount_fee` is in fen. What is odd in it is unknown, which matters
    only where it is applied.
    """

    promotion_id: IdentifierOrUnknown = Field(None, alias="promotionId")
    selected: bool | None = None
    text: Text = None
    free_postage: Annotated[bool | None, BeforeValidator(_flag_or_unknown)] = Field(None, alias="freePostage")
    discount_fee: ExactOrUnknown = Field(None, alias="discountFee")


class TradeModelAnswer(AnswerPart):
    """A trade type on offer (documented); where `op_support` is false, create does not take it (1688)."""

    trade_type: Text = Field(None, alias="tradeType")
    name: Text = None
    op_support: bool | None = Field(None, alias="opSupport")


class LineAnswer(AnswerPart):
    """A line. `amount` and `unit_price` are in yuan or in fen: `desk/sums.py` proves which.

    The amount is what counts, so a unit price that is no number is unknown.
    """

    offer_id: OfferId = Field(alias="offerId")
    spec_id: OptionalIdentifier = Field(None, alias="specId")
    sku_id: IdentifierOrUnknown = Field(None, alias="skuId")
    amount: Exact | None = None
    unit_price: ExactOrUnknown = Field(None, alias="finalUnitPrice")
    message: Text = None
    result_code: Text = Field(None, alias="resultCode")

    @property
    def refused(self) -> bool:
        return self.result_code not in _FINE_CODES


class GroupAnswer(AnswerPart):
    """One order to come. All sums are documented as integer fen (example; 1688); `desk/sums.py` proves it.

    `fund_usage` and `post_fund_usage` are reductions, in the seller's red packets for goods and for freight
    (inferred from their names).
    """

    sum_payment: Exact | None = Field(None, alias="sumPayment")
    sum_carriage: Exact | None = Field(None, alias="sumCarriage")
    sum_goods: Exact | None = Field(None, alias="sumPaymentNoCarriage")
    sum_total: Exact | None = Field(None, alias="sumTotalPayment")
    discount_fee: Exact | None = Field(None, alias="discountFee")
    fund_usage: ExactOrUnknown = Field(None, alias="totalFundUsageAmount")
    post_fund_usage: ExactOrUnknown = Field(None, alias="totalPostFundUsageAmount")
    additional_fee: Exact | None = Field(None, alias="additionalFee")
    flow: OptionalIdentifier = Field(None, alias="flowFlag")
    status: bool | None = None
    result_code: Text = Field(None, alias="resultCode")
    message: Text = None
    lines: Annotated[list[LineAnswer], BeforeValidator(_listed(_MOST_LINES, []))] = Field(
        default_factory=list[LineAnswer], validation_alias=AliasChoices("cargoList", "orderItemTOList")
    )
    trade_names: Annotated[list[Text] | None, BeforeValidator(_listed(_MOST_TRADE_TYPES))] = Field(
        None, alias="tradeModeNameList"
    )
    trade_models: Annotated[list[TradeModelAnswer] | None, BeforeValidator(_listed(_MOST_TRADE_TYPES))] = (
        Field(None, alias="tradeModelList")
    )
    promotions: Annotated[list[PromotionAnswer] | None, BeforeValidator(_listed(_MOST_PROMOTIONS))] = Field(
        None, alias="shopPromotionList"
    )

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, data: Any) -> Any:
        return _one_spelling_of(cast("dict[str, Any]", data)) if isinstance(data, dict) else data

    @property
    def refused(self) -> bool:
        """The upstream says that the group cannot be ordered (inferred); `message` says why."""
        return self.status is False or self.result_code not in _FINE_CODES

    @model_validator(mode="after")
    def _priced_or_refused(self) -> "GroupAnswer":
        if not (self.lines or self.refused):
            raise ValueError("has no lines")
        return self

    def offered_trade_types(self) -> tuple[str, ...] | None:
        """The values that create allows as `tradeType`; `None` where the answer names no list at all.

        An empty list, where it is present, means that the group cannot be ordered through the API (1688).
        """
        if self.trade_names is None and self.trade_models is None:
            return None
        if self.trade_names == [] or self.trade_models == []:
            return ()
        models = self.trade_models or []
        refused = {model.trade_type for model in models if model.op_support is False}
        named = [name for name in self.trade_names or [] if name not in refused]
        supported = [model.trade_type for model in models if model.op_support is not False]
        tokens = (name for name in (*supported, *named) if name and TOKEN.fullmatch(name))
        return tuple(dict.fromkeys(tokens))


class PreviewAnswer(AnswerPart):
    """A preview answer of either shape. The offer lists hold offer ids; `None` is unknown.

    `refused`: the sibling's way to refuse as a whole; `error_code` and `error_message` say why.
    """

    refused: bool = False
    error_code: Text = Field(None, alias="errorCode")
    error_message: Text = Field(None, alias="errorMsg")
    groups: Annotated[list[GroupAnswer], BeforeValidator(_listed(_MOST_GROUPS, []))] = Field(
        default_factory=list[GroupAnswer],
        validation_alias=AliasChoices("orderPreviewResuslt", "orderPreviewResult"),
    )
    freight_by_description: OfferIds = Field(None, alias="postFeeByDescOfferList")
    no_cross_border_pay: OfferIds = Field(None, alias="unsupportedCrossBorderPayOfferList")

    @model_validator(mode="after")
    def _priced_or_refused(self) -> "PreviewAnswer":
        if not (self.groups or self.refused):
            raise ValueError("has no groups")
        if sum(len(group.promotions or ()) for group in self.groups) > _MOST_PROMOTIONS:
            raise ValueError("has too many promotions")
        return self


def _one_spelling_of(fields: dict[str, Any]) -> dict[str, Any]:
    """An answer may hold both spellings of a list, one of them empty: the other is meant.

    Raises:
        ValueError: both are filled, and nobody can say which one is meant.
    """
    for pair in (("cargoList", "orderItemTOList"), ("orderPreviewResuslt", "orderPreviewResult")):
        filled = [name for name in pair if fields.get(name)]
        if len(filled) > 1:
            raise ValueError(f"gives {' and '.join(filled)}")
        if filled:
            fields = {name: value for name, value in fields.items() if name not in pair or name in filled}
    return fields


def read_preview(data: object) -> PreviewAnswer:
    """The answer to a preview, of either documented shape.

    Raises:
        UnreadableAnswerError: a field that the order depends on is not of its documented form.
    """
    whole: object = {"orderPreviewResuslt": cast("object", data)} if isinstance(data, list) else data
    try:
        if isinstance(whole, dict):
            whole = {
                **_one_spelling_of(cast("dict[str, Any]", whole)),
                "refused": reports_failure(cast("object", whole)),
            }
        return PreviewAnswer.model_validate(whole)
    except (ValidationError, ValueError) as error:
        raise UnreadableAnswerError(f"the preview answer is not as documented: {_where(error)}") from None


def _where(error: Exception) -> str:
    """Only the names of the offending fields: their values are untrusted."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    places = (".".join(str(part) for part in item["loc"]) for item in error.errors()[:5])
    return ", ".join(dict.fromkeys(place or "data" for place in places))
