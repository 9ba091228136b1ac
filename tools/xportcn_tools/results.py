"""What every tool answers: one envelope, and the shapes inside it. Public, as the contract has them.

`{ok, environment, preview|order|orders, problem}`. Money is a decimal string in yuan with two digits;
inside the program it is integer fen. Ids are strings. Times are UTC, ISO 8601 with `Z`.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from xportcn_tools.money import yuan

Environment = Literal["sandbox", "preview", "live"]
RequestSent = Literal["no", "yes", "unknown"]
OrderState = Literal["sending", "placed", "rejected", "unknown", "absent"]
ApprovalMethod = Literal["form", "operator", "client_dialog", "off"]
WarningCode = Literal[
    "flow_open",
    "trade_type_open",
    "freight_by_description",
    "no_cross_border_pay",
    "address_conflict",
    "recent_identical_order",
    "earlier_order_unknown",
    "promotion_not_priced",
    "unverified_fee",
]
ProblemCode = Literal[
    "invalid_arguments",
    "unknown_token",
    "token_expired",
    "echo_mismatch",
    "terms_changed",
    "not_orderable",
    "units_unclear",
    "over_limit",
    "approval_declined",
    "approval_required",
    "orders_disabled",
    "duplicate_reference",
    "earlier_order_unknown",
    "order_in_progress",
    "upstream_rejected",
    "upstream_unauthorized",
    "upstream_unavailable",
    "outcome_unknown",
    "ledger_unavailable",
    "not_found",
]


class Shape(BaseModel):
    """A part of a result: nothing beyond its fields, and nothing that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Money(Shape):
    """An amount in yuan as a decimal string with two digits, such as `65.61`."""

    amount: str
    currency: Literal["CNY"] = "CNY"


def money(fen: int) -> Money:
    return Money(amount=yuan(fen))


def timestamp(moment: datetime) -> str:
    """UTC, whole seconds, `2026-11-21T09:30:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class PreviewWarning(Shape):
    """Something that a person should know before approving."""

    code: WarningCode
    message: str


class LineResult(Shape):
    offer_id: str
    spec_id: str | None
    sku_id: str | None
    quantity: int
    unit_price: Money | None
    amount: Money
    message: str | None


class PromotionResult(Shape):
    promotion_id: str | None
    text: str | None
    selected: bool | None
    discount: Money | None


class GroupResult(Shape):
    """One order to come: the upstream may make several out of one create."""

    payable: Money
    goods: Money
    freight: Money
    lines: list[LineResult]
    trade_types: list[str]
    promotions: list[PromotionResult]


class CreateOrderArguments(Shape):
    """What `create_order` takes for this preview, ready to be passed on."""

    preview_token: str
    expected_total: str
    ship_to: str


class PreviewResult(Shape):
    preview_token: str
    approval_code: str
    out_order_id: str
    expires_at: str
    payable: Money
    goods: Money
    freight: Money
    fees: Money
    discount: Money
    ship_to: str
    flow: str | None
    trade_type: str | None
    promotion_id: str | None
    groups: list[GroupResult]
    warnings: list[PreviewWarning]
    create_order_arguments: CreateOrderArguments


class ApprovalResult(Shape):
    """How approval was had; `verified` is false where it is only the client's word."""

    method: ApprovalMethod
    verified: bool


class OrderResult(Shape):
    out_order_id: str
    state: OrderState
    order_ids: list[str]
    payable: Money
    ship_to: str
    approval: ApprovalResult
    created_at: str
    updated_at: str
    request_id: str | None
    replayed: bool


class Problem(Shape):
    """Why there is no plain success, whether a create was sent, and what to do next."""

    code: ProblemCode
    message: str
    request_sent: RequestSent
    next_step: str
    request_id: str | None = None
    preview: PreviewResult | None = None
    details: dict[str, Any] | None = None


class Envelope(Shape):
    """Every result of every tool."""

    ok: bool
    environment: Environment
    preview: PreviewResult | None = None
    order: OrderResult | None = None
    orders: list[OrderResult] | None = None
    problem: Problem | None = None


class ProblemError(Exception):
    """Carries a `Problem` out of the rules; with the order, once an attempt is recorded."""

    def __init__(self, problem: Problem, order: OrderResult | None = None) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.problem = problem
        self.order = order


def problem(
    code: ProblemCode,
    message: str,
    next_step: str,
    *,
    request_sent: RequestSent = "no",
    request_id: str | None = None,
    preview: PreviewResult | None = None,
    order: OrderResult | None = None,
    details: dict[str, Any] | None = None,
) -> ProblemError:
    """A `Problem` ready to be raised."""
    found = Problem(
        code=code,
        message=message,
        request_sent=request_sent,
        next_step=next_step,
        request_id=request_id,
        preview=preview,
        details=details,
    )
    return ProblemError(found, order)


def wrong_argument(field: str, message: str) -> ProblemError:
    """One argument that is of the right form and cannot be taken all the same."""
    return problem(
        "invalid_arguments",
        f"{field}: {message}.",
        "Correct the fields that are named and call the tool again.",
        details={"fields": [{"field": field, "message": message}]},
    )
