"""The upstream's own words: its envelope and its answers, misspellings included.

Two shapes of a preview answer are documented and both are read (2025-09: an object with
`orderPreviewResuslt`; 2026-04: a list of groups with `orderItemTOList`). Unknown fields and unknown
values are taken as they come; a field that is absent is unknown (`None`), not false. Texts are cleaned
here, at the border. Numbers never become floats: JSON decimals are read as `Decimal`.
"""

import json
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

from xportcn_tools.upstream.clean import clean

PREVIEW_PATH = "/alibaba/ka/order/create/preview"
CREATE_PATH = "/alibaba/ka/order/create"
PAY_PATH = "/alibaba/ka/order/pay"

_TOKEN = re.compile(r"[A-Za-z0-9_.:+/=@-]{1,64}")  # in Chinese a whole sentence is letters without spaces
_OFFER_ID = re.compile(r"[0-9]{1,19}")
# Codes in words, or numbers with a tail, that say nothing of what became of the request: general errors,
# and successes that are not 200.
_SAYS_NOTHING = re.compile(
    r".*(system|internal|server|gateway|time.?out|busy|unknown|unavailable|exception).*"
    r"|success\w*|succeed\w*|ok|true|accepted|processing|pending|error|fail\w*"
    r"|-.*|[+]?0*(0|[25][0-9][0-9])(?![_0-9]).*",
    re.IGNORECASE,
)
_FINE_CODES = (None, "", "200", "SUCCESS")
_FINE_ERROR_CODES = (None, "", 0, "0", 200, "200", "SUCCESS")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_LARGEST = 10**15  # ten thousand billion yuan in fen: beyond it a figure is nonsense, and arithmetic dear


class UnreadableAnswerError(Exception):
    """The body is not what the documentation describes; the text says where it departs."""


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


def _identifier(value: object) -> str:
    """An id as a string, whether it came as a JSON integer or a string; it is passed back as it is."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _TOKEN.fullmatch(text):
        raise ValueError("is not an identifier")
    return text


def _offer_id(value: object) -> str:
    """Offer ids are integers on the wire (documented); sentences of ours name them."""
    text = _identifier(value)
    if not _OFFER_ID.fullmatch(text):
        raise ValueError("is not an offer id")
    return text


def _request_id(value: object) -> str | None:
    """The vendor's number for an answer. It is shown beside our own words, so no sentence passes for one."""
    try:
        return _identifier(value)
    except ValueError:
        return None


def _text(value: object) -> str | None:
    """Foreign text, cleaned; what is neither text nor number says nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return clean(str(value)) or None


def _optional_identifier(value: object) -> str | None:
    return None if value is None or value == "" else _identifier(value)


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
Text = Annotated[str | None, BeforeValidator(_text)]


class Wire(BaseModel):
    """A part of an answer. Unknown fields are left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PromotionAnswer(Wire):
    """A shop promotion (documented). `discount_fee` is in fen."""

    promotion_id: OptionalIdentifier = Field(None, alias="promotionId")
    selected: bool | None = None
    text: Text = None
    discount_fee: Fen | None = Field(None, alias="discountFee")
    free_postage: bool | None = Field(None, alias="freePostage")


class TradeModelAnswer(Wire):
    """A trade type on offer (documented); usable on create where `op_support` is true (1688)."""

    trade_type: Text = Field(None, alias="tradeType")
    name: Text = None
    op_support: bool | None = Field(None, alias="opSupport")


class LineAnswer(Wire):
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


class GroupAnswer(Wire):
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

        An empty list, where it is present, means that the group cannot be ordered by API (1688).
        """
        if self.trade_names is None and self.trade_models is None:
            return None
        if self.trade_names == [] or self.trade_models == []:
            return ()
        models = self.trade_models or []
        refused = {model.trade_type for model in models if model.op_support is False}
        named = [name for name in self.trade_names or [] if name not in refused]
        supported = [model.trade_type for model in models if model.op_support]
        tokens = (name for name in (*supported, *named) if name and _TOKEN.fullmatch(name))
        return tuple(dict.fromkeys(tokens))


class PreviewAnswer(Wire):
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
    consignment: list[OfferId] | None = Field(None, alias="consignOfferList")
    no_cross_border_pay: list[OfferId] | None = Field(None, alias="unsupportedCrossBorderPayOfferList")

    @model_validator(mode="after")
    def _priced_or_refused(self) -> "PreviewAnswer":
        if not (self.groups or self.refused):
            raise ValueError("has no groups")
        return self


class Envelope(BaseModel):
    """`{requestId, code, developId, msg, data}`. Success is code 200 and nothing else (inferred)."""

    model_config = ConfigDict(frozen=True)

    code: int | str | None
    message: str | None
    request_id: str | None
    data: Any
    reports_failure: bool = False
    beside: Any = None
    """Whatever fields the envelope has that no page names."""

    @property
    def succeeded(self) -> bool:
        return self.code == 200

    @property
    def refuses(self) -> bool:
        """Whether the code is a refusal in so many words.

        Not 200; not a general server error (500–599, negative, absent, or a word for one); and not 0,
        201–299 or a word that other programs use for success: such codes say nothing of the request's
        fate.
        """
        if isinstance(self.code, str):
            return not _SAYS_NOTHING.fullmatch(self.code.strip())
        if self.code is None or self.code <= 0:
            return False
        return not (200 <= self.code <= 299 or 500 <= self.code <= 599)


_ENVELOPE_FIELDS = frozenset(("requestId", "code", "developId", "msg", "data"))


def _refuse_constant(name: str) -> object:
    raise UnreadableAnswerError(f"the body holds {name}")


def read_envelope(body: bytes) -> Envelope:
    """The envelope of an answer's body.

    Raises:
        UnreadableAnswerError: the body is no JSON object with a `code`.
    """
    try:
        answer: object = json.loads(
            body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise UnreadableAnswerError(f"the body is not JSON ({type(error).__name__})") from None
    if not isinstance(answer, dict):
        raise UnreadableAnswerError("the body is not a JSON object")
    fields = cast("dict[str, Any]", answer)
    if "code" not in fields:
        raise UnreadableAnswerError("the body has no code")
    return Envelope(
        code=_code(fields["code"]),
        message=_text(fields.get("msg")),
        request_id=_request_id(fields.get("requestId")),
        data=fields.get("data"),
        beside={name: value for name, value in fields.items() if name not in _ENVELOPE_FIELDS},
        reports_failure=reports_failure(fields) or reports_failure(fields.get("data")),
    )


def reports_failure(data: object) -> bool:
    """Whether `success` and `errorCode` tell of a failure: the sibling's way, inside `data`."""
    if not isinstance(data, dict):
        return False
    fields = cast("dict[str, Any]", data)
    success = fields.get("success")
    failed = success is not None and str(success).strip().casefold() in ("false", "0", "no", "n", "f")
    return failed or fields.get("errorCode") not in _FINE_ERROR_CODES


def _code(value: object) -> int | str | None:
    """An envelope's code: an integer where it is one, else its text (1688 has codes like `500_004`)."""
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return clean(value)[:64] or None if isinstance(value, str) else None


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
        raise UnreadableAnswerError(f"the preview answer is not as documented: {where(error)}") from None


def where(error: Exception) -> str:
    """Names of the departing fields only: values are a stranger's."""
    if not isinstance(error, ValidationError):
        return type(error).__name__
    places = (".".join(str(part) for part in item["loc"]) for item in error.errors()[:5])
    return ", ".join(dict.fromkeys(place or "data" for place in places))
