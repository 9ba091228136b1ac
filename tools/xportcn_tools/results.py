"""What the tools answer: an envelope each, and the shapes inside. Public, as the contract has them.

`{ok, environment, <what the tool answers>, problem}`. Money is a decimal string in yuan with two digits;
inside the program it is integer fen. Ids are strings. Times are UTC, ISO 8601 with `Z`.
"""

from typing import Any, Literal

from pydantic import Field

from xportcn_tools.codes import Environment, ProblemCode, WarningCode
from xportcn_tools.result_shapes import Money, Shape
from xportcn_tools.upstream_results import UpstreamResult

RequestSent = Literal["no", "yes", "unknown"]
OrderState = Literal["sending", "placed", "rejected", "unknown", "absent"]
ApprovalMethod = Literal["form", "page", "operator", "rule", "client_dialog", "off"]
STATE_WORDS: dict[OrderState, str] = {
    "sending": "is being sent now",
    "placed": "is placed",
    "rejected": "was refused; no order exists",
    "unknown": "has an unknown outcome: an order may exist",
    "absent": "does not exist upstream, as a person established",
}
"""What becomes of an order, as the end of a sentence about it."""


class PreviewWarning(Shape):
    """Something that a person should know before approving."""

    code: WarningCode
    message: str


class LineResult(Shape):
    """Goods of one spec. `message` is the upstream's own text; titles and options are the seller's."""

    offer_id: str
    spec_id: str | None
    sku_id: str | None
    quantity: int
    unit: str | None
    unit_price: Money | None
    amount: Money
    title: str | None
    title_translated: str | None
    option: str | None
    option_translated: str | None
    url: str
    image: str | None
    product_no: str | None
    message: str | None


class PromotionResult(Shape):
    promotion_id: str | None
    text: str | None
    selected: bool | None
    discount: Money | None


class GroupResult(Shape):
    """One order to come: the upstream may make several out of one create."""

    payable: Money
    goods_total: Money
    freight: Money
    seller_open_id: str | None
    lines: list[LineResult]
    trade_types: list[str]
    promotions: list[PromotionResult]


class CreateOrderArguments(Shape):
    """What `create_order` takes for this preview, ready to be passed on."""

    preview_token: str
    expected_total: str
    ship_to: str
    goods: str


class BudgetResult(Shape):
    """The caller's caps, and what the owner's current day leaves of them before this order."""

    order_cap: Money
    day_cap: Money
    day_left: Money
    day_orders_left: int
    day_ends_at: str


class PreviewResult(Shape):
    """`sent_along`: what else is sent at the caller's wish, in words; for the text alone."""

    preview_token: str
    approval_code: str
    out_order_id: str
    expires_at: str
    payable: Money
    goods_total: Money
    freight: Money
    fees: Money
    discount: Money
    goods: str
    ship_to: str
    flow: str | None
    trade_type: str | None
    promotion_id: str | None
    groups: list[GroupResult]
    warnings: list[PreviewWarning]
    budget: BudgetResult
    needs_approval: bool
    sent_along: list[str] = Field(default=[], exclude=True)
    create_order_arguments: CreateOrderArguments


class ApprovalResult(Shape):
    """How approval was had; `verified` is false where it is only the client's word."""

    method: ApprovalMethod
    verified: bool


class OrderLine(Shape):
    """Goods of an order, as its preview showed them."""

    offer_id: str
    spec_id: str | None
    quantity: int
    title: str | None
    option: str | None
    product_no: str | None
    amount: Money


class OrderResult(Shape):
    """`goods` and `lines` are those of the preview that was approved; empty where it is no longer kept."""

    out_order_id: str
    state: OrderState
    order_ids: list[str]
    payable: Money
    goods: str
    lines: list[OrderLine]
    ship_to: str
    approval: ApprovalResult
    created_at: str
    updated_at: str
    request_id: str | None
    replayed: bool
    upstream: UpstreamResult | None = None

    def differences(self) -> list[str]:
        """What the upstream has otherwise than it was approved."""
        return self.upstream.orders[0].differences if self.upstream and self.upstream.orders else []


class Problem(Shape):
    """Why there is no plain success, whether a create was sent, and what to do next."""

    code: ProblemCode
    message: str
    request_sent: RequestSent
    next_step: str
    request_id: str | None = None
    preview: PreviewResult | None = None
    details: dict[str, Any] | None = None


class PlainProblem(Problem):
    """A problem of a tool that never answers with a fresh preview."""

    preview: None = None  # pyright: ignore[reportIncompatibleVariableOverride] - frozen, so it may narrow


class Envelope(Shape):
    """What each result begins with."""

    ok: bool
    environment: Environment


class PreviewEnvelope(Envelope):
    """`preview_order`."""

    preview: PreviewResult | None = None
    problem: PlainProblem | None = None


class OrderEnvelope(Envelope):
    """`create_order`: the order, once an attempt is recorded, beside the problem where there is one."""

    order: OrderResult | None = None
    problem: Problem | None = None


class TotalResult(Shape):
    """Orders of one state, and what they cost together."""

    state: OrderState
    orders: int
    payable: Money


class OrdersEnvelope(Envelope):
    """`get_orders`. `totals`: over all that fit, shown or not; `next_before`: where the next ones begin.

    For the text alone: `not_read`, what `refresh` did not read upstream, and why, as `upstream` is null there
    or older; `not_ordered`, that the reference is a preview's of which no order was made.
    """

    orders: list[OrderResult] | None = None
    totals: list[TotalResult] | None = None
    next_before: str | None = None
    not_read: str | None = Field(default=None, exclude=True)
    not_ordered: bool = Field(default=False, exclude=True)
    problem: PlainProblem | None = None


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
    return wrong_arguments([{"field": field, "message": message}])


def wrong_arguments(fields: list[dict[str, str]], left_off: int = 0) -> ProblemError:
    """`fields`: each with its `field` and `message`; `left_off` more are not named."""
    named = "; ".join(f"{item['field']}: {item['message']}" for item in fields)
    more = f"; and {left_off} more" if left_off else ""
    return problem(
        "invalid_arguments",
        f"These arguments cannot be taken: {named}{more}.",
        "Correct the arguments that are named and call the tool again; ask the person for what is missing.",
        details={"fields": fields},
    )
