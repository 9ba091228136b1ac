"""Every failure that the desk can meet, in the words of the contract. Pure."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from xportcn_tools.codes import SETTLE
from xportcn_tools.desk.caps import Breach
from xportcn_tools.desk.policy import LOCAL_CALLER
from xportcn_tools.desk.quote import NotOrderableError, Reason, UnitsUnclearError
from xportcn_tools.desk.refusals import reasons_of, way_out
from xportcn_tools.desk.terms import Change
from xportcn_tools.ledger.ledger import OrderRecord
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.order import OrderRequest
from xportcn_tools.result_shapes import timestamp
from xportcn_tools.results import PreviewResult, ProblemError, problem, wrong_argument
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import SettingUnusableError
from xportcn_tools.upstream.words import cause_of, documented

BUSY_SECONDS = 60  # where the upstream asks to wait and does not say how long
PREVIEW_AGAIN = "Call preview_order again and show the person the new preview."
ASK_THE_OWNER = f"Tell the person; {SETTLE}."


def unknown_token() -> ProblemError:
    return problem("unknown_token", "This caller has no preview with this token.", PREVIEW_AGAIN)


def token_expired(at: datetime) -> ProblemError:
    expired = f"The preview expired at {timestamp(at)}; nothing was ordered."
    return problem("token_expired", expired, PREVIEW_AGAIN)


def token_void() -> ProblemError:
    return problem(
        "token_expired",
        "The ledger was copied or restored since this preview was made, or it was made under another state "
        "folder; nothing was ordered by this call.",
        "Since orders placed after a copy was made may be missing here, look upstream first; then call "
        "preview_order again and show the person the new preview.",
    )


def echo_mismatch(field: str, expected: str) -> ProblemError:
    return problem(
        "echo_mismatch",
        f"{field} is not the preview's.",
        "Pass the arguments of the preview's create_order line (create_order_arguments) unchanged, after the "
        "person has seen them.",
        details={"field": field, "preview_has": expected},
    )


def orders_disabled() -> ProblemError:
    return problem(
        "orders_disabled",
        "The server runs in mode preview: it shows prices and creates nothing.",
        "Tell the person; the owner can set XPORTCN_MODE=live, in the client's configuration, too, if it "
        "is set there.",
    )


def paused(pause: Pause) -> ProblemError:
    return problem(
        "paused",
        f"The owner has paused ordering since {timestamp(pause.since)}: no create is sent until they resume.",
        "Tell the person; after `xportcn-mcp resume` create_order can be called again with the same token.",
        details={"since": timestamp(pause.since), "reason": pause.reason or None},
    )


def over_limit(breach: Breach) -> ProblemError:
    return problem(
        "over_limit",
        f"The order would pass a cap: {breach.message}.",
        "Tell the person; order less, or let the owner change the cap.",
        details={name: value for name, value in asdict(breach).items() if value is not None},
    )


def too_many_previews(most: int, seconds: int, *, at_create: bool = False) -> ProblemError:
    """`at_create`: the price had to be asked afresh, and the token stays good."""
    again = "create_order again with the same token" if at_create else "preview_order again"
    return problem(
        "over_limit",
        f"This caller may preview {most} times a minute, and has; there is room again in {seconds} s.",
        f"Wait {seconds} seconds, then call {again}.",
        details={"cap": str(most), "unit": "previews per minute", "retry_after_seconds": seconds},
    )


def approval_declined(how: str) -> ProblemError:
    return problem(
        "approval_declined",
        f"The person did not approve the order: {how}. Nothing was spent and the token stays good.",
        "Ask the person what to change; do not call create_order again unless they ask for it.",
    )


def where_to_say_yes(code: str, caller: str, *, page_open: bool = False) -> str:
    """A caller that is not the local user reaches the server over the network; so does the page's reader."""
    local = caller == LOCAL_CALLER
    there = "(`xportcn-mcp page` opens it)" if local else "(at / of this server's address)"
    return f"on the page {'that is open' if page_open else there} or by `xportcn-mcp approve {code}`"


def approval_required(where: str) -> ProblemError:
    return problem(
        "approval_required",
        "The owner requires a recorded yes, and this client cannot ask the person.",
        f"Ask for a yes {where}, then call this again.",
    )


def duplicate_reference(out_order_id: str) -> ProblemError:
    return problem(
        "duplicate_reference",
        f"out_order_id {out_order_id} was used before.",
        "Look it up with get_orders; for another order, preview with another out_order_id or none.",
    )


def earlier_order_open(order: OrderRecord) -> ProblemError:
    """The same goods to the same place or person, under way or of unknown outcome."""
    about = partial(problem, details={"out_order_id": order.out_order_id})
    if order.state == "sending":
        return about(
            "order_in_progress",
            f"The same goods to the same address or mobile are being sent as order {order.out_order_id}.",
            "Wait half a minute, then look that order up with get_orders before anything else.",
        )
    return about(
        "earlier_order_unknown",
        f"The same goods to the same address or mobile are in order {order.out_order_id}, whose outcome is "
        "unknown.",
        ASK_THE_OWNER.format(reference=order.out_order_id),
    )


def ledger_unavailable(reason: str) -> ProblemError:
    return problem(
        "ledger_unavailable",
        f"The ledger cannot be read or written, so nothing was sent: {reason}",
        "Tell the person; try again once the owner says that the ledger can be used.",
    )


def not_found(reference: str) -> ProblemError:
    return problem(
        "not_found",
        f"No order and no preview has the reference {reference}.",
        "Check the reference, or call get_orders without one for the newest orders.",
    )


def units_unclear(unclear: UnitsUnclearError, request_id: str | None) -> ProblemError:
    return problem(
        "units_unclear",
        f"The preview was refused: {unclear}.",
        "Tell the person; the vendor's support needs the request_id and these figures.",
        request_id=request_id,
        details={"figures": unclear.figures},
    )


def not_orderable(error: NotOrderableError, request: OrderRequest) -> ProblemError:
    reasons = reasons_of(error, request)
    first, *others = dict.fromkeys(reason["next_step"].removesuffix(".") for reason in reasons)
    steps = (step.removeprefix("Tell the person; ") for step in others)
    return problem(
        "not_orderable",
        f"This cannot be ordered as asked: {'; '.join(reason['message'] for reason in reasons)}.",
        "; ".join([first, *(step[0].lower() + step[1:] for step in steps)]) + ".",
        request_id=error.request_id,
        details={"reasons": reasons},
    )


def terms_changed(
    changes: list[Change], fresh: PreviewResult | None, details: dict[str, Any]
) -> ProblemError:
    names = ", ".join(change.what for change in changes[:5])
    more = f" and {len(changes) - 5} more" if len(changes) > 5 else ""
    return problem(
        "terms_changed",
        f"The terms are no longer those that were shown ({names}{more}). Nothing was ordered.",
        "Show the person what changed and the new preview; order with its token only if they agree."
        if fresh
        else "Show the person what changed; preview again once it can be ordered.",
        preview=fresh,
        details={"changes": [asdict(change) for change in changes], **details},
    )


def trade_type_not_allowed(asked: str, allowed: tuple[str, ...]) -> ProblemError:
    listed = ", ".join(allowed)
    return wrong_argument(
        "trade_type", f"{asked} is not among the trade types that the owner allows ({listed})"
    )


def no_usable_answer(
    reason: object, request_id: str | None = None, details: dict[str, Any] | None = None
) -> ProblemError:
    """To a preview. `reason`: in our words."""
    support = " and give the vendor the request_id" if request_id else ""
    return problem(
        "upstream_unavailable",
        f"The upstream gave no usable answer: {reason}. No create was sent.",
        reason.next_step
        if isinstance(reason, SettingUnusableError)
        else f"Try again in a minute; if it persists, tell the person{support}.",
        request_id=request_id,
        details=details,
    )


def preview_refused(reply: Reply) -> ProblemError | NotOrderableError:
    """A reply to a preview that is no success, sorted."""
    envelope = reply.envelope
    code = envelope.code if envelope else None
    said = {"code": reply.code, "text": reply.text}
    cause = cause_of(code, envelope.message if envelope else None, reply.status)
    if cause == "busy":
        seconds = reply.retry_after or BUSY_SECONDS
        return problem(
            "upstream_busy",
            "The upstream asks to wait. No create was sent.",
            f"Wait {seconds} seconds, then call preview_order again; the arguments need no change.",
            request_id=reply.request_id,
            details=said | {"retry_after_seconds": seconds},
        )
    if cause and (reply.status in (401, 403) or (envelope and envelope.refuses)):
        return problem(
            "upstream_unauthorized",
            f"The upstream refused this account's request (by its words: {cause}). No create was sent.",
            way_out(cause),
            request_id=reply.request_id,
            details=said,
        )
    if envelope is None or not (envelope.refuses or documented(code)) or reply.status >= 500:
        return no_usable_answer(f"HTTP {reply.status}", reply.request_id, said)
    refusal = NotOrderableError(
        [Reason("the upstream refuses the preview", code=reply.code, text=reply.text)]
    )
    refusal.request_id = reply.request_id
    return refusal
