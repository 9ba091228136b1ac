"""Steps 2 to 4 of a create: what speaks against it while nothing is spent, the yes, and a fresh price."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from xportcn_tools.desk import problems
from xportcn_tools.desk.caps import Caps, breach
from xportcn_tools.desk.policy import Answer, Approval, Policy, Profile, approval_from
from xportcn_tools.desk.present import goods_shown
from xportcn_tools.desk.pricing import Previewer
from xportcn_tools.desk.quote import NotOrderableError
from xportcn_tools.desk.saved_addresses import SavedAddresses
from xportcn_tools.desk.terms import Change, differences, terms_of
from xportcn_tools.ledger.ledger import Standing
from xportcn_tools.money import yuan
from xportcn_tools.order import echoed


@dataclass(frozen=True)
class CreateCall:
    """A call of `create_order`: its arguments, who made it, and when it arrived (UTC)."""

    preview_token: str
    expected_total: str
    ship_to: str
    goods: str
    caller: str
    arrived: datetime


@dataclass(frozen=True)
class Checks:
    """Each step lets a create pass, or raises the `ProblemError` that says what is in its way."""

    _policy: Policy
    _previewer: Previewer
    _addresses: SavedAddresses

    def check(self, standing: Standing, call: CreateCall, caps: Caps) -> None:
        """Step 2: expiry, echoes, mode, pause, and a first look at what the claim will judge."""
        preview = standing.preview
        if standing.void:  # before the expiry, which says that nothing was ordered
            raise problems.token_void()
        if call.arrived >= preview.expires_at:
            raise problems.token_expired(preview.expires_at)
        if not _same_amount(call.expected_total, preview.payable_fen):
            raise problems.echo_mismatch("expected_total", yuan(preview.payable_fen))
        if not _is_echo(call.ship_to, preview.ship_to):
            raise problems.echo_mismatch("ship_to", preview.ship_to)
        goods = goods_shown(preview.shown)
        if not _is_echo(call.goods, goods):
            raise problems.echo_mismatch("goods", goods)
        if self._policy.environment == "preview":
            raise problems.orders_disabled()
        if standing.pause:
            raise problems.paused(standing.pause)
        pinned, allowed = preview.pinned.trade_type, self._policy.pin.trade_types
        if pinned and pinned not in allowed:  # the owner has changed the setting since the preview
            raise problems.trade_type_not_allowed(pinned, allowed)
        passed = breach(caps, standing.used, preview.payable_fen)
        if passed:
            raise problems.over_limit(passed)
        if standing.reference_used:
            raise problems.duplicate_reference(preview.out_order_id)
        if standing.twin and standing.twin.state != "placed":  # a placed one: `recheck`
            raise problems.earlier_order_open(standing.twin)

    def approval(self, standing: Standing, answer: Answer) -> Approval:
        """Step 3, settled: how approval was had, or why there is none."""
        words = {"no": "they said no", "cancelled": "the question was dismissed"}
        if answer in words:  # a no that is said counts, whatever was said elsewhere
            raise problems.approval_declined(words[answer])
        if standing.approved:
            return Approval(standing.approved, verified=True)
        if standing.preview.declined_at and answer != "yes" and self._policy.approval != "off":
            raise problems.approval_declined("they said no before, and have not said yes since")
        approval = approval_from(self._policy, answer, standing.preview.payable_fen)
        if approval:
            return approval
        if self._policy.approval == "require":
            preview = standing.preview
            where = problems.where_to_say_yes(
                preview.approval_code, preview.caller, page_open=standing.page_open
            )
            raise problems.approval_required(where)
        raise problems.approval_declined("no answer came in time, or the client could not ask")

    def outdated(self, standing: Standing) -> bool:
        """Whether the recheck of this preview can only end in a fresh one."""
        request = standing.preview.request
        return standing.twin is not None or self._addresses.now(request) != request.address

    async def recheck(self, standing: Standing, profile: Profile) -> None:
        """Step 4: an older preview is previewed again, and anything but equal terms ends the call. So does a
        placed twin that the preview could not show: the fresh one names it. So does a saved address
        that the owner has changed since: its name is the same, and little else was shown.
        """
        preview, twin = standing.preview, standing.twin
        request = replace(preview.request, address=self._addresses.now(preview.request))
        age = standing.now - preview.created_at
        # A negative age is a clock that was set back: it says nothing of freshness.
        fresh_enough = timedelta(0) <= age <= timedelta(seconds=self._policy.recheck_after)
        made_for = self._policy.made_for(profile)
        as_shown = fresh_enough and made_for.items() <= preview.terms.items()
        if request == preview.request and not twin and as_shown and self._policy.recheck_after:
            return
        details: dict[str, Any] = {}
        changes: list[Change] = []
        if twin:
            made = f"order {twin.out_order_id} ({', '.join(twin.order_ids)})"
            changes = [Change("identical order", "none", made)]
        if request != preview.request:
            changes.append(
                Change(f"saved address {request.address_name}", "as it was previewed", "changed since")
            )
        try:
            quote = await self._previewer.ask(request, preview.caller, profile, at_create=True)
        except NotOrderableError as error:
            details["reasons"] = problems.reasons_of(error, request)
            changes.append(Change("orderable", "yes", f"no: {error}"))
            raise problems.terms_changed(changes, None, details) from error
        if self._addresses.now(preview.request) != request.address:  # changed while the price was asked
            await self.recheck(standing, profile)
            return
        changes += differences(preview.terms, terms_of(quote, made_for))
        if changes:
            fresh = await self._previewer.offer(quote, request, preview.caller, profile, twin=twin)
            raise problems.terms_changed(changes, fresh, details)


def _is_echo(text: str, shown: str) -> bool:
    return text == shown or echoed(text) == echoed(shown)


def _same_amount(text: str, fen: int) -> bool:
    try:
        return Decimal(text.strip()) * 100 == fen
    except (InvalidOperation, ValueError):
        return False
