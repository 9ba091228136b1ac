"""`create_order`: order exactly what was previewed, once."""

from dataclasses import dataclass
from typing import Annotated, Any

import anyio
from mcp.server.elicitation import AcceptedElicitation, CancelledElicitation, DeclinedElicitation
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit, ElicitationResult, Resolve
from mcp.shared.exceptions import MCPError
from mcp_types import ToolAnnotations
from mcp_types.version import is_version_at_least
from pydantic import BaseModel, Field, StrictBool

from xportcn_tools.arguments import Id, TextLine, plain_amount
from xportcn_tools.caller import caller_of, can_ask
from xportcn_tools.desk.checks import CreateCall
from xportcn_tools.desk.desk import Desk
from xportcn_tools.desk.policy import Answer
from xportcn_tools.results import OrderEnvelope, OrderResult, ProblemError
from xportcn_tools.tool import Offered
from xportcn_tools.wording import UiLanguage

ANNOTATIONS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True
)
ANSWER_SECONDS = 300.0
"""How long a person may take over the form where this process waits for the answer."""

STATELESS_SINCE = "2026-07-28"


class ApprovalForm(BaseModel):
    """The form: a plain yes or no."""

    approve: StrictBool = Field(title="Place this order?", description="Yes places the order as shown")


class ChineseForm(ApprovalForm):
    """The same for who reads Chinese: its answer is the same plain yes or no."""

    approve: StrictBool = Field(title="确认下单？", description="选择“是”，即按以上内容下单")


FORMS: dict[UiLanguage, type[ApprovalForm]] = {"en": ApprovalForm, "zh": ChineseForm}


@dataclass(frozen=True)
class Asked:
    """What came of the question, where the SDK's own form result does not say it."""

    answer: Answer
    refusal: ProblemError | None = None


Token = Annotated[str, TextLine(64), Field(description="From preview_order")]
Total = Annotated[
    str,
    Id(r"[0-9]{1,12}(\.[0-9]{1,6})?", plain_amount, number=False),
    Field(description="payable.amount of the preview, like 65.61"),
]
ShipTo = Annotated[str, TextLine(800), Field(description="ship_to of the preview")]
Goods = Annotated[str, TextLine(400), Field(description="goods of the preview")]


async def ask_person(
    preview_token: str, expected_total: str, ship_to: str, goods: str, ctx: Context[Any]
) -> Asked | Elicit[ApprovalForm]:
    """Runs before the tool, on the stateless protocol again in every round: reads, never writes."""
    desk: Desk = ctx.request_context.lifespan_context
    if desk.policy.approval == "off" or not (can_ask(ctx) or retried(ctx)):
        return Asked("cannot_ask")  # `create` finds what speaks against it
    call = CreateCall(preview_token, expected_total, ship_to, goods, caller_of(), desk.now())
    try:
        question = await desk.question(call, asked_before=retried(ctx))
    except ProblemError as refusal:
        return Asked("cannot_ask", refusal)
    if question is None:
        # Nothing is to be asked as things stand. Were that to change before the order, nobody had been asked.
        return Asked("unanswered")
    if not can_ask(ctx):
        # A retry that carries our question's state, from a client that no longer says that it can ask:
        # the person was asked, and the answer may have been a no. That is not nobody to ask.
        return Asked("unanswered")
    if is_version_at_least(ctx.protocol_version or "", STATELESS_SINCE):
        return Elicit(question, FORMS[desk.policy.language])
    return await _wait_for_form(ctx, question, FORMS[desk.policy.language])


async def arrival(ctx: Context[Any]) -> Any:
    """A coroutine, since the SDK runs a plain function in a thread."""
    desk: Desk = ctx.request_context.lifespan_context
    return desk.now()


async def create_order(
    preview_token: Token,
    expected_total: Total,
    ship_to: ShipTo,
    goods: Goods,
    ctx: Context[Desk],
    arrived: Annotated[Any, Resolve(arrival)],
    asked: Annotated[ElicitationResult[ApprovalForm], Resolve(ask_person)],
) -> OrderResult:
    """Use this only after the person agreed to this very preview. It places the order: real money in live
    mode, nothing real in the sandbox. Pass create_order_arguments unchanged; nothing here can change
    the order. Money: expected_total is payable.amount as it stands, CNY in yuan as a string. The same
    token never orders twice: again, it returns the recorded outcome. Next: show the order ids; on a
    problem follow next_step; on terms_changed show the new preview and ask again; on outcome_unknown
    an order may exist: do not order again, tell the person.
    """
    desk = ctx.request_context.lifespan_context
    outcome = _answer(asked)
    if outcome.refusal:
        raise outcome.refusal
    call = CreateCall(preview_token, expected_total, ship_to, goods, caller_of(), arrived)
    return await desk.create(call, outcome.answer)


CREATE_ORDER = Offered(create_order, "Place the previewed order", ANNOTATIONS, OrderEnvelope, "order")


def retried(ctx: Context[Any]) -> bool:
    """Whether this call carries the state or the answer of a question that was put before."""
    return bool(ctx.request_state or ctx.input_responses)


async def _wait_for_form(ctx: Context[Any], question: str, form: type[ApprovalForm]) -> Asked:
    """Protocols with sessions: this process waits for the answer, for a bounded time."""
    try:
        with anyio.fail_after(ANSWER_SECONDS):
            return _answer(await ctx.elicit(question, form))
    except (TimeoutError, MCPError):
        # In time there was no answer, or only an error from a client that had said that it can ask.
        return Asked("unanswered")
    except ValueError:
        # Accepted without the field, or with nonsense in it: that is no yes.
        return Asked("no")


def _answer(
    outcome: AcceptedElicitation[Any] | DeclinedElicitation | CancelledElicitation,
) -> Asked:
    if isinstance(outcome, DeclinedElicitation):
        return Asked("no")
    if isinstance(outcome, CancelledElicitation):
        return Asked("cancelled")
    data: Any = outcome.data
    if isinstance(data, Asked):
        return data
    return Asked("yes" if isinstance(data, ApprovalForm) and data.approve else "no")
