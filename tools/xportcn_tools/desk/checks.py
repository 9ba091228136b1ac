"""Steps 2 to 4 of a create: what speaks against it while nothing is spent, the yes, and a fresh price."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from xportcn_tools.desk import problems
from xportcn_tools.desk.caps import Caps, breach
from xportcn_tools.desk.policy import Answer, Approval, Policy, Profile, approval_from
from xportcn_tools.desk.pricing import Previewer
from xportcn_tools.desk.quote import NotOrderableError
from xportcn_tools.desk.sending import Step
from xportcn_tools.desk.terms import Change, differences, terms_of
from xportcn_tools.ledger.ledger import Ledger, PreviewRecord
from xportcn_tools.order import OrderRequest, echoed
from xportcn_tools.results import timestamp


@dataclass(frozen=True)
class CreateCall:
    """A call of `create_order`: its arguments, who made it, and when it arrived (UTC)."""

    preview_token: str
    expected_total: str
    ship_to: str
    goods: str
    caller: str
    arrived: datetime


class Clearing:
    """Clears one create for sending, or raises the `ProblemError` that says what is in its way."""

    def __init__(
        self,
        ledger: Ledger,
        policy: Policy,
        previewer: Previewer,
        caps_of: Callable[[str], Caps],
        step: Step,
    ) -> None:
        self._ledger = ledger
        self._policy = policy
        self._previewer = previewer
        self._caps_of = caps_of
        self._step = step

    async def clear(
        self, preview: PreviewRecord, call: CreateCall, answer: Answer, profile: Profile
    ) -> Approval:
        """Steps 2 to 4: whatever speaks against the order while nothing is spent; else its approval."""
        await self._step("check")
        await self.check(preview, call)
        approval = await self._approved(preview, answer)
        await self._step("recheck")
        await self._recheck(preview, profile)
        return approval

    async def check(self, preview: PreviewRecord, call: CreateCall) -> None:
        """Step 2: expiry, echoes, mode, and a first look at what the claim will judge."""
        if call.arrived >= preview.expires_at:
            raise problems.token_expired(timestamp(preview.expires_at))
        if not _same_amount(call.expected_total, preview.payable_fen):
            raise problems.echo_mismatch("expected_total", preview.shown["payable"]["amount"])
        if echoed(call.ship_to) != echoed(preview.ship_to):
            raise problems.echo_mismatch("ship_to", preview.ship_to)
        if echoed(call.goods) != echoed(preview.shown["goods"]):
            raise problems.echo_mismatch("goods", preview.shown["goods"])
        if self._policy.environment == "preview":
            raise problems.orders_disabled()
        pinned, allowed = preview.pinned["trade_type"], self._policy.pin.trade_types
        if pinned and pinned not in allowed:  # the owner has changed the setting since the preview
            raise problems.trade_type_not_allowed(pinned, allowed)
        used = await self._ledger.usage(preview.realm, preview.caller)
        passed = breach(self._caps_of(call.caller), used, preview.payable_fen)
        if passed:
            raise problems.over_limit(passed)
        earlier = await self._ledger.earlier_open(preview)
        if earlier:
            raise problems.earlier_order_open(earlier)
        if await self._ledger.reference_used(preview.realm, preview.out_order_id):
            raise problems.duplicate_reference(preview.out_order_id)

    async def _approved(self, preview: PreviewRecord, answer: Answer) -> Approval:
        """Step 3, settled: how approval was had, or why there is none."""
        words = {"no": "they said no", "cancelled": "the question was dismissed"}
        if answer in words:  # a no that is said counts, whatever was said elsewhere
            raise problems.approval_declined(words[answer])
        if await self._ledger.is_approved(preview.preview_id):
            return Approval("operator", verified=True)
        approval = approval_from(self._policy.approval, answer)
        if approval:
            return approval
        if self._policy.approval == "require":
            raise problems.approval_required(preview.approval_code)
        raise problems.approval_declined("no answer came in time, or the client could not ask")

    async def _recheck(self, preview: PreviewRecord, profile: Profile) -> None:
        """Step 4: an older preview is previewed again, and anything but equal terms ends the call."""
        age = await self._ledger.now() - preview.created_at
        # A negative age is a clock that was set back: it says nothing of freshness.
        fresh_enough = timedelta(0) <= age <= timedelta(seconds=self._policy.recheck_after)
        account = self._policy.account_of(profile)
        here = {"environment": self._policy.environment, "account": account}
        shown_here = here.items() <= preview.terms.items()
        if fresh_enough and shown_here and self._policy.recheck_after:
            return
        request = OrderRequest.from_json(preview.request)
        details: dict[str, Any] = {}
        try:
            quote = await self._previewer.ask(request, preview.caller, profile, at_create=True)
        except NotOrderableError as error:
            details["reasons"] = problems.reasons_of(error)
            changes = [Change("orderable", "yes", f"no: {error}")]
            raise problems.terms_changed(changes, None, details) from error
        changes = differences(preview.terms, terms_of(quote, self._policy.environment, account))
        if changes:
            fresh = await self._previewer.offer(quote, request, preview.caller, account)
            raise problems.terms_changed(changes, fresh, details)


def _same_amount(text: str, fen: int) -> bool:
    try:
        return Decimal(text.strip()) * 100 == fen
    except (InvalidOperation, ValueError):
        return False
