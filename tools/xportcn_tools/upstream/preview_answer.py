"""An answer to a preview, misspellings included.

Two shapes are documented and both are read (2025-09: an object with `orderPreviewResuslt`; 2026-04: a list
of groups with `orderItemTOList`). Unknown fields and unknown values are taken as they come; a field that is
absent is unknown (`None`), not false. Texts are cleaned here, where they come in.
"""

import re
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
    reports_failure,
    text_of,
)

_OFFER_ID = re.compile(r"[0-9]{1,19}")
_FINE_CODES = (None, "", "200", "SUCCESS")
_LARGEST = 10**15  # ten thousand billion yuan in fen: beyond it a figure is nonsense, and arithmetic dear


def _number(value: object) -> Decimal:
    """An exact number out of a JSON number or a numeric string; `bool` and words are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("is not a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("is not a number") from None
    if not number.is_finite() or number.adjusted() > 15 or abs(number) > _LARGEST:
        raise ValueError("is not a usable number")
    if number != round(number, 6):
        raise ValueError("has more than six decimals")
    return number


def _fen(value: object) -> int:
    """A sum, documented as integer fen. `6400.0` is one; `64.00` is yuan, and would pass for 64 fen."""
    number = _number(value)
    if number != number.to_integral_value() or (number and int(number.as_tuple().exponent) < -1):
        raise ValueError("is not a whole number of fen")
    return int(number)


def _offer_id(value: object) -> str:
    """Offer ids are integers on the wire (documented); sentences of ours name them."""
    text = identifier(value)
    if not _OFFER_ID.fullmatch(text):
        raise ValueError("is not an offer id")
    return text


def _optional_identifier(value: object) -> str | None:
    return None if value is None or value == "" else identifier(value)


def _or_empty(value: object) -> object:
    return [] if value is None else value


def _listed(value: object) -> object:
    """Absent stays unknown; a list stays a list; anything else is a departure."""
    if value is not None and not isinstance(value, list):
        raise ValueError("is not a list")
    return cast("object", value)


Fen = Annotated[int, BeforeValidator(_fen)]
Exact = Annotated[Decimal, BeforeValidator(_number)]
OfferId = Annotated[str, BeforeValidator(_offer_id)]
OptionalIdentifier = Annotated[str | None, BeforeValidator(_optional_identifier)]
Text = Annotated[str | None, BeforeValidator(text_of)]


class AnswerPart(BaseModel):
    """A part of an answer. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PromotionAnswer(AnswerPart):
    """A shop promotion (documented). `discount_fee` is in fen."""

    promotion_id: OptionalIdentifier = Field(None, alias="promotionId")
    selected: bool | None = None
    text: Text = None
    discount_fee: Fen | None = Field(None, alias="discountFee")


class TradeModelAnswer(AnswerPart):
    """A trade type on offer (documented); usable on create where `op_support` is true (1688)."""

    trade_type: Text = Field(None, alias="tradeType")
    name: Text = None
    op_support: bool | None = Field(None, alias="opSupport")


class LineAnswer(AnswerPart):
    """A line. `amount` and `unit_price` are in yuan or in fen: `desk/sums.py` proves which."""

    offer_id: OfferId = Field(alias="offerId")
    spec_id: OptionalIdentifier = Field(None, alias="specId")
    sku_id: OptionalIdentifier = Field(None, alias="skuId")
    amount: Exact | None = None
    unit_price: Exact | None = Field(None, alias="finalUnitPrice")
    message: Text = None
    result_code: Text = Field(None, alias="resultCode")

    @property
    def refused(self) -> bool:
        return self.result_code not in _FINE_CODES


class GroupAnswer(AnswerPart):
    """One order to come. All sums are in fen (documented example; 1688)."""

    sum_payment: Fen | None = Field(None, alias="sumPayment")
    sum_carriage: Fen | None = Field(None, alias="sumCarriage")
    sum_goods: Fen | None = Field(None, alias="sumPaymentNoCarriage")
    sum_total: Fen | None = Field(None, alias="sumTotalPayment")
    discount_fee: Fen | None = Field(None, alias="discountFee")
    additional_fee: Fen | None = Field(None, alias="additionalFee")
    flow: OptionalIdentifier = Field(None, alias="flowFlag")
    status: bool | None = None
    result_code: Text = Field(None, alias="resultCode")
    message: Text = None
    lines: Annotated[list[LineAnswer], BeforeValidator(_or_empty)] = Field(
        default_factory=list[LineAnswer], validation_alias=AliasChoices("cargoList", "orderItemTOList")
    )
    trade_names: Annotated[list[Text] | None, BeforeValidator(_listed)] = Field(
        None, alias="tradeModeNameList"
    )
    trade_models: Annotated[list[TradeModelAnswer] | None, BeforeValidator(_listed)] = Field(
        None, alias="tradeModelList"
    )
    promotions: Annotated[list[PromotionAnswer] | None, BeforeValidator(_listed)] = Field(
        None, alias="shopPromotionList"
    )

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, data: Any) -> Any:
        return _without_null_spellings(cast("dict[str, Any]", data)) if isinstance(data, dict) else data

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
        supported = [model.trade_type for model in models if model.op_support]
        tokens = (name for name in (*supported, *named) if name and TOKEN.fullmatch(name))
        return tuple(dict.fromkeys(tokens))


class PreviewAnswer(AnswerPart):
    """A preview answer of either shape. The offer lists hold offer ids; `None` is unknown.

    `refused`: the sibling's way to refuse as a whole; `error_code` and `error_message` say why.
    """

    refused: bool = False
    error_code: Text = Field(None, alias="errorCode")
    error_message: Text = Field(None, alias="errorMsg")
    groups: Annotated[list[GroupAnswer], BeforeValidator(_or_empty)] = Field(
        default_factory=list[GroupAnswer],
        validation_alias=AliasChoices("orderPreviewResuslt", "orderPreviewResult"),
    )
    freight_by_description: list[OfferId] | None = Field(None, alias="postFeeByDescOfferList")
    no_cross_border_pay: list[OfferId] | None = Field(None, alias="unsupportedCrossBorderPayOfferList")

    @model_validator(mode="after")
    def _priced_or_refused(self) -> "PreviewAnswer":
        if not (self.groups or self.refused):
            raise ValueError("has no groups")
        return self


def _without_null_spellings(fields: dict[str, Any]) -> dict[str, Any]:
    """An answer may hold both spellings of a list, one of them null: the other is meant."""
    pairs = (("cargoList", "orderItemTOList"), ("orderPreviewResuslt", "orderPreviewResult"))
    empty = {a for pair in pairs for a in pair if fields.get(a) is None and any(fields.get(b) for b in pair)}
    return {name: value for name, value in fields.items() if name not in empty}


def read_preview(data: object) -> PreviewAnswer:
    """The answer to a preview, of either documented shape.

    Raises:
        UnreadableAnswerError: a field that the order depends on is not of its documented form.
    """
    whole: object = {"orderPreviewResuslt": cast("object", data)} if isinstance(data, list) else data
    if isinstance(whole, dict):
        whole = {
            **_without_null_spellings(cast("dict[str, Any]", whole)),
            "refused": reports_failure(cast("object", whole)),
        }
    try:
        return PreviewAnswer.model_validate(whole)
    except (ValidationError, ValueError) as error:
        raise UnreadableAnswerError(f"the preview answer is not as documented: {_where(error)}") from None


def _where(error: Exception) -> str:
    """Only the names of the offending fields: their values are untrusted."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    places = (".".join(str(part) for part in item["loc"]) for item in error.errors()[:5])
    return ", ".join(dict.fromkeys(place or "data" for place in places))
