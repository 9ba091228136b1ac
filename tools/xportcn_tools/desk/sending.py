"""The heart: claim, send once, record. Nothing here is done twice, and nothing is cut short.

The claim is committed and on disk before a byte leaves. From it on the work is shielded from the
client's cancellation, within the call's deadline. Recording may be retried, sending may not.
"""

import logging
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio

from xportcn_tools.desk import order_problems, problems
from xportcn_tools.desk.caps import Caps, breach
from xportcn_tools.desk.policy import Approval, Policy
from xportcn_tools.ledger.ledger import (
    AlreadyClaimed,
    Claimed,
    Declined,
    EarlierUnknown,
    Expired,
    Ledger,
    LedgerUnavailableError,
    NewOrder,
    OrderRecord,
    Outcome,
    ReferenceUsed,
    RuleBroken,
    StoredPreview,
    Voided,
)
from xportcn_tools.ledger.outcome_log import log_outcome
from xportcn_tools.ledger.upkeep import Pause
from xportcn_tools.upstream.outcome import Placed, Refused, Unclear, sort_create
from xportcn_tools.upstream.port import HELD_UP, AnswerLostError, MayLeave, NotSentError, Upstream
from xportcn_tools.upstream.requests import Bodies

if TYPE_CHECKING:
    from stamina import Attempt

logger = logging.getLogger(__name__)

RECORD_ATTEMPTS = 5
RECORD_SECONDS = 8.0
"""Recording is tried again within this time; the lease leaves room for it."""

LATEST_SEND_SECONDS = 10.0
"""From before the claim until the first byte leaves. A machine that slept meanwhile must not send: the lease
may be over, and a person may have found that no order exists and ordered again. The lease is longer than this
and the deadline together."""


class TwinError(Exception):
    """The same goods to the same place or person were placed since the preview; nothing was claimed."""

    def __init__(self, order: OrderRecord) -> None:
        super().__init__(order.out_order_id)
        self.order = order


@dataclass(frozen=True)
class Sender:
    """Places one approved order, at most once."""

    _upstream: Upstream
    _ledger: Ledger
    _policy: Policy
    _clock: Callable[[], datetime]

    async def place(
        self,
        preview: StoredPreview,
        approval: Approval,
        caps_now: Callable[[], Caps],
        user_id: str | None = None,
    ) -> tuple[OrderRecord, bool]:
        """The order's record, and whether it was there before this call (replayed).

        `caps_now` is asked inside the claim: a caller that was removed by then has no caps left.

        Raises:
            ProblemError, TwinError: the claim was refused; nothing was sent.
            LedgerUnavailableError: the claim could not be written; nothing was sent.
        """
        try:  # all that sending needs, before anything is spent
            import stamina  # noqa: PLC0415 - at the first create

            self._upstream.prepare()
        except ImportError as error:
            missing = NotSentError(f"what recording needs cannot be loaded ({error.name})")
            raise problems.no_usable_answer(missing) from error
        except NotSentError as error:
            raise problems.no_usable_answer(error) from error
        retries = stamina.retry_context(
            on=LedgerUnavailableError,
            attempts=RECORD_ATTEMPTS,
            timeout=RECORD_SECONDS,
            wait_initial=0.1,
            wait_max=2.0,
        )
        body = Bodies(self._policy.account).create(preview.request, preview.pinned)
        began, awake_since = self._clock(), monotonic()

        def in_time() -> bool:
            # By both clocks: one stands still while a machine sleeps, the other may be set back.
            took = max((self._clock() - began).total_seconds(), monotonic() - awake_since)
            return took <= LATEST_SEND_SECONDS

        # One shield over all three: cancelled between claim and send, an order that never left would
        # be left unknown; cancelled after the send, an outcome that came would be lost.
        with anyio.CancelScope(shield=True):
            claimed = await self._ledger.claim(
                NewOrder(uuid4().hex, preview, approval.method, approval.verified),
                self._policy.lease,
                lambda used: breach(caps_now(), used, preview.payable_fen),
            )
            match claimed:
                case AlreadyClaimed(order):
                    return order, True
                case ReferenceUsed():
                    raise problems.duplicate_reference(preview.out_order_id)
                case EarlierUnknown(order):
                    raise TwinError(order) if order.state == "placed" else problems.earlier_order_open(order)
                case Pause():
                    raise problems.paused(claimed)
                case Voided():
                    raise problems.token_void()
                case Declined():
                    raise problems.approval_declined("they said no while this call was on its way")
                case Expired():
                    raise problems.token_expired(preview.expires_at)
                case RuleBroken(verdict):
                    raise problems.over_limit(verdict)
                case Claimed(order):
                    pass
            logger.info("order %s: claimed, sending", order.out_order_id)
            outcome = await self._send(body, preview, user_id, in_time) if in_time() else _not_sent(HELD_UP)
            log_outcome(order.out_order_id, outcome)  # before it is recorded, which may fail
            recorded = await self._record(order, outcome, retries)
            if outcome.state == "placed" and recorded.order_ids != outcome.order_ids:
                raise order_problems.contradicted(recorded, preview.shown, outcome.order_ids)
            return recorded, False
        raise AssertionError("nothing cancels the shield")  # pragma: no cover

    async def _send(
        self, body: dict[str, object], preview: StoredPreview, user_id: str | None, in_time: MayLeave
    ) -> Outcome:
        """Step 6: one create, and its outcome."""
        try:
            reply = await self._upstream.create(body, user_id, may_leave=in_time)
        except NotSentError as error:
            return _not_sent(str(error))
        except AnswerLostError as error:
            return replace(_unknown(str(error)), request_sent="yes" if error.sent else "unknown")
        except Exception:  # whatever it was, the request may have left: never an invented outcome
            logger.exception("a create ended in an unforeseen error; its outcome counts as unknown")
            return _unknown("an unforeseen error in this program after sending began")
        groups = len(preview.shown.groups)  # each becomes an order of its own
        match sort_create(reply, preview.out_order_id, body, groups):
            case Placed(order_ids, request_id):
                return Outcome("placed", "yes", order_ids, request_id)
            case Refused(code, text, request_id, unauthorized):
                name = "upstream_unauthorized" if unauthorized else "upstream_rejected"
                return Outcome("rejected", "yes", (), request_id, name, f"{code}: {text}")
            case Unclear(reason, request_id, order_ids, text):
                words = f"; the upstream said 「{text}」" if text else ""
                return replace(
                    _unknown(f"{reason}{words}"),
                    request_sent="yes",
                    order_ids=order_ids,
                    request_id=request_id,
                )

    async def _record(
        self, order: OrderRecord, outcome: Outcome, retries: "AsyncIterable[Attempt]"
    ) -> OrderRecord:
        try:
            async for attempt in retries:
                with attempt:
                    return await self._ledger.record(order.order_key, outcome)
        except Exception:  # an answer has come: whatever fails from here on, it must not be lost
            logger.exception("order %s: recording failed", order.out_order_id)
        # On disk the attempt is still `sending`, which the next look turns into `unknown`. What came is
        # not lost: it goes to the log and to the caller.
        logger.error(
            "order %s: the outcome could not be recorded: %s, order ids %s, request id %s",
            order.out_order_id,
            outcome.state,
            ", ".join(outcome.order_ids) or "none",
            outcome.request_id,
        )
        return replace(order, **vars(outcome))


def _not_sent(reason: str) -> Outcome:
    return Outcome("rejected", "no", problem_code="upstream_unavailable", problem_text=reason)


def _unknown(reason: str) -> Outcome:
    return Outcome("unknown", "unknown", problem_code="outcome_unknown", problem_text=reason)
