"""The flow of an order, from a request to its outcome. What tools call.

Each public method raises `ProblemError` for whatever a user can meet. `caller` is who asks: the local
user on stdio, a principal over HTTP; previews and orders belong to their caller.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from xportcn_tools.clock import utc_now
from xportcn_tools.desk import order_problems, present, problems, product_problems
from xportcn_tools.desk.awaiting import Yes
from xportcn_tools.desk.caps import Caps
from xportcn_tools.desk.checks import Checks, CreateCall
from xportcn_tools.desk.choosing import Chooser, Wish
from xportcn_tools.desk.history import OrderHistory, ledger_problems
from xportcn_tools.desk.lookup import OrderLookup
from xportcn_tools.desk.policy import Answer, Policy, Profile
from xportcn_tools.desk.pricing import Previewer, mint_reference, token_digest, with_priced_specs
from xportcn_tools.desk.question import question
from xportcn_tools.desk.quote import NotOrderableError
from xportcn_tools.desk.saved_addresses import NO_ADDRESSES, SavedAddresses
from xportcn_tools.desk.sending import Sender, TwinError
from xportcn_tools.goods.product import NotRead, Product, SearchPage
from xportcn_tools.goods.reader import ProductReader
from xportcn_tools.ledger.ledger import (
    Ledger,
    OrderQuery,
    OrderRecord,
    Standing,
    StoredPreview,
)
from xportcn_tools.order import OrderRequest
from xportcn_tools.results import OrderResult, PreviewResult, ProblemError
from xportcn_tools.upstream.port import Upstream
from xportcn_tools.upstream.requests import SearchQuery

PAGE_OPENED = (
    "A page has opened on this machine: the person says yes or no there; create_order waits while it is open."
)


class Desk:
    """The rules of ordering over one upstream account and one ledger. `products`: where they may be read."""

    def __init__(
        self,
        upstream: Upstream,
        ledger: Ledger,
        policy: Policy,
        *,
        clock: Callable[[], datetime] = utc_now,
        addresses: SavedAddresses = NO_ADDRESSES,
        profile_of: Callable[[str], Profile] = lambda _: Profile(),
        products: ProductReader | None = None,
        open_page: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self.policy = policy
        self._ledger = ledger
        self._clock = clock
        self.addresses = addresses
        self._profile_of = profile_of
        self._open_page = open_page
        self._products = products
        self._previewer = Previewer(upstream, ledger, policy, clock, products)
        self._chooser = Chooser(products, policy.call_timeout)
        self._checks = Checks(policy, self._previewer, addresses)
        self._yes = Yes(ledger, policy)
        self.lookup = None
        if policy.lookup:
            self.lookup = OrderLookup(
                upstream, ledger, policy.lookup, clock, lambda caller: profile_of(caller).user_id
            )
        self.history = OrderHistory(ledger, policy, self.lookup)
        self._sender = Sender(upstream, ledger, policy, clock)

    def _caps(self, caller: str) -> Caps:
        return self._profile_of(caller).caps or self.policy.caps

    async def yes_before_create(self, preview: PreviewResult, caller: str) -> str | None:
        """What a person does before a create by a client that cannot ask, where it needs a recorded yes. The
        page for people opens, where this machine has one.
        """
        policy = self.policy
        if policy.approval != "require" or not preview.needs_approval or policy.environment == "preview":
            return None
        if self._open_page is not None and await self._open_page():
            return PAGE_OPENED
        where = problems.where_to_say_yes(preview.approval_code, caller)
        return f"The owner requires a recorded yes before create_order: the person says it {where}."

    def now(self) -> datetime:
        return self._clock()

    async def product(self, offer_id: str, caller: str) -> Product:
        """What is known of an offer."""
        found = await self._reader().product(offer_id, user_id=self._profile_of(caller).user_id)
        if isinstance(found, NotRead):
            raise product_problems.not_read(found)
        return found

    async def search(self, query: SearchQuery, caller: str) -> SearchPage:
        """Offers by words."""
        found = await self._reader().search(query, user_id=self._profile_of(caller).user_id)
        if isinstance(found, NotRead):
            raise product_problems.no_search(found)
        return found

    @ledger_problems
    async def preview(self, request: OrderRequest, caller: str, wishes: Sequence[Wish] = ()) -> PreviewResult:
        """What would it cost? A token only for what can be ordered as shown.

        `request.out_order_id` may be empty: then one is minted. `request.flow` may be absent: then the
        owner's setting stands in. `wishes`: what was said of each item, options in words above all.
        """
        profile = self._profile_of(caller)
        if request.out_order_id and await self._is_used(request.out_order_id):
            raise problems.duplicate_reference(request.out_order_id)
        if request.trade_type and request.trade_type not in self.policy.pin.trade_types:
            raise problems.trade_type_not_allowed(request.trade_type, self.policy.pin.trade_types)
        asked = await self._chooser.before_price(request, wishes, profile.user_id)
        request = replace(
            asked,
            out_order_id=request.out_order_id or mint_reference(self._clock()),
            flow=request.flow or self.policy.flow,
        )
        try:
            quote = await self._previewer.ask(request, caller, profile)
        except NotOrderableError as error:
            clear = self._chooser.after_refusal(asked, wishes, error)
            if clear == asked:
                raise problems.not_orderable(error, request) from error
            return await self.preview(clear, caller)
        clear = self._chooser.after_price(asked, wishes, quote.products)
        if clear.items != asked.items and clear.items != with_priced_specs(quote, asked.items):
            # The price names no spec, or another: the same goods must be the same order each time.
            return await self.preview(clear, caller)
        return await self._previewer.offer(quote, request, caller, profile)

    @ledger_problems
    async def question(self, call: CreateCall, *, asked_before: bool = False) -> str | None:
        """What the person is to be asked before this create; `None` where there is nothing to approve.

        The text depends on the stored preview alone. No question is asked about an order that cannot be
        placed. One that was put before (`asked_before`) is put again, so that its answer is heard.
        """
        standing = await self._standing(call)
        if standing.attempt:
            return None
        self._checks.check(standing, call, self._caps(call.caller))
        if self._checks.outdated(standing):  # this create ends in a fresh preview
            return None
        needed = self.policy.needs_approval(standing.preview.payable_fen)
        if (standing.approved or not needed) and not asked_before:
            return None
        return question(self.policy.environment, standing.preview, self.policy.language)

    @ledger_problems
    async def create(self, call: CreateCall, answer: Answer) -> OrderResult:
        """Order what the token stands for. The same token again returns the recorded outcome."""
        standing = await self._standing(call)
        if standing.attempt:
            return _result_of(standing.attempt, standing.preview, replayed=True)
        profile = self._profile_of(call.caller)
        try:
            self._checks.check(standing, call, self._caps(call.caller))
            if self._checks.outdated(standing):  # shown before anybody is asked
                await self._checks.recheck(standing, profile)
            if answer in ("no", "cancelled"):
                await self._ledger.decline(standing.preview, "form")
            standing, answer = await self._yes.awaited(standing, answer)
            if standing.attempt:
                return _result_of(standing.attempt, standing.preview, replayed=True)
            approval = self._checks.approval(standing, answer)
            await self._checks.recheck(standing, profile)
        except ProblemError:
            # Another call with this token may have claimed it meanwhile: then what stood in the way was
            # that very order, and the answer is what came of it.
            attempt = (await self._standing(call)).attempt
            if attempt is None:
                raise
            return _result_of(attempt, standing.preview, replayed=True)
        try:
            order, replayed = await self._sender.place(
                standing.preview, approval, lambda: self._caps(call.caller), profile.user_id
            )
        except TwinError as placed:
            await self._checks.recheck(replace(standing, twin=placed.order), profile)
            raise  # pragma: no cover - a twin ends every recheck
        return _result_of(order, standing.preview, replayed=replayed)

    def _reader(self) -> ProductReader:
        if self._products is None:
            raise RuntimeError("a tool that reads products is offered although XPORTCN_PRODUCTS is off")
        return self._products

    async def _is_used(self, out_order_id: str) -> bool:
        """Whether any attempt of any caller has this reference."""
        found = await self._ledger.orders(OrderQuery(None, out_order_id))
        return any(order.out_order_id.lower() == out_order_id.lower() for order in found)

    async def _standing(self, call: CreateCall) -> Standing:
        standing = await self._ledger.standing(token_digest(call.preview_token), call.caller)
        if standing is None:
            raise problems.unknown_token()
        return standing


def _result_of(order: OrderRecord, preview: StoredPreview, *, replayed: bool) -> OrderResult:
    """A placed order as a result; any other as its problem, with the order beside it."""
    trouble = order_problems.of_order(order, preview.shown, replayed=replayed)
    if trouble:
        raise trouble
    return present.order_result(order, preview.shown, replayed=replayed)
