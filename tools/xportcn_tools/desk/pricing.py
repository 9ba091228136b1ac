"""The first half of the story: what would it cost, may it be ordered as shown, and under which token."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

import anyio

from xportcn_tools.desk import present, problems
from xportcn_tools.desk.caps import breach
from xportcn_tools.desk.naming import named, not_named
from xportcn_tools.desk.policy import Policy, Profile
from xportcn_tools.desk.product_facts import held_against_list_prices, warned_of_quantities
from xportcn_tools.desk.quote import NotOrderableError, Products, Quote, UnitsUnclearError
from xportcn_tools.desk.rate import RateLimit
from xportcn_tools.desk.reading import read_quote
from xportcn_tools.desk.terms import kept, terms_of
from xportcn_tools.goods.product import NotRead, Product
from xportcn_tools.goods.reader import ProductReader
from xportcn_tools.ledger.ledger import Ledger, OrderQuery, OrderRecord, Remembered, StoredPreview
from xportcn_tools.order import Item, OrderRequest, ShownWarning
from xportcn_tools.results import BudgetResult, PreviewResult
from xportcn_tools.upstream.envelope import UnreadableAnswerError
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import AnswerLostError, Upstream, UpstreamError
from xportcn_tools.upstream.preview_answer import read_preview
from xportcn_tools.upstream.requests import Bodies
from xportcn_tools.upstream.signing import LETTERS_AND_DIGITS, random_word

logger = logging.getLogger(__name__)

_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that a person misreads
MOST_NAMED = 5

NAMES_WAIT_SECONDS = 3.0
"""How long names may come after the price's own answer: an order by ids does not depend on them."""


def new_token() -> str:
    """`pv_` and 33 letters and digits: more than 192 random bits."""
    return f"pv_{random_word(LETTERS_AND_DIGITS, 33)}"


def token_digest(token: str) -> str:
    """What the ledger keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _code() -> str:
    letters = random_word(_CODE_ALPHABET, 8)
    return f"{letters[:4]}-{letters[4:]}"


def mint_reference(now: datetime) -> str:
    """An `out_order_id` of our own: the server mints it once, at preview."""
    return f"xp{now:%Y%m%d}-{random_word(_CODE_ALPHABET, 12)}"


def with_priced_specs(quote: Quote, items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items as they were priced: where none was named, the spec that the upstream chose is pinned."""
    specs = {line.position: line.spec_id for group in quote.groups for line in group.lines}
    return tuple(
        item if item.spec_id == specs[at] else replace(item, spec_id=specs[at])
        for at, item in enumerate(items)
    )


@dataclass(frozen=True)
class Previewer:
    """Asks, proves, stores. Shared by `preview_order` and by the recheck of `create_order`."""

    _upstream: Upstream
    _ledger: Ledger
    _policy: Policy
    _clock: Callable[[], datetime]
    _products: ProductReader | None = None
    _rate: RateLimit = field(default_factory=RateLimit)
    _ordered_for: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Callers and accounts with a placed order."""

    async def ask(
        self, request: OrderRequest, caller: str, profile: Profile, *, at_create: bool = False
    ) -> Quote:
        """The upstream's quote for a request, its lines named as far as their products can be read.

        `at_create`: asked and named afresh, for a token that is there already.

        Raises:
            ProblemError: `over_limit` (too many previews a minute), `upstream_unavailable`,
                `upstream_unauthorized`, `units_unclear`.
            NotOrderableError: an answer came, and says that it cannot be ordered as shown.
        """
        most = profile.previews_per_minute
        wait = self._rate.wait_seconds(caller, most, self._clock()) if most else 0
        if most and wait:
            raise problems.too_many_previews(most, wait, at_create=at_create)
        try:
            reply, products = await self._price_and_products(request, profile, afresh=at_create)
        except UpstreamError as error:
            raise problems.no_usable_answer(error) from error
        request_id = reply.request_id
        try:
            if reply.envelope is None or reply.status != 200 or not reply.envelope.succeeded:
                raise problems.preview_refused(reply)
            quote = read_quote(read_preview(reply.envelope.data), request, self._policy.pin)
            return held_against_list_prices(named(quote, products))
        except UnreadableAnswerError as departure:
            raise problems.no_usable_answer(departure, request_id) from departure
        except UnitsUnclearError as unclear:
            raise problems.units_unclear(unclear, request_id) from unclear
        except NotOrderableError as error:
            error.request_id, error.products = request_id, products
            raise

    async def _price_and_products(
        self, request: OrderRequest, profile: Profile, *, afresh: bool
    ) -> tuple[Reply, Products]:
        """The price's answer, and the products that were read beside it or soon after."""
        body = Bodies(self._policy.account).preview(request)
        reader = self._products
        if reader is None:
            return await self._upstream.preview(body, profile.user_id), {}
        offers = {item.offer_id for item in request.items}
        found: dict[str, Product | NotRead] = {}
        for each in offers:
            if not afresh and (known := reader.remembered(each, user_id=profile.user_id)):
                found[each] = known
        if found.keys() == offers:
            return await self._upstream.preview(body, profile.user_id), found
        scope = anyio.CancelScope()
        answer: Reply | Exception = AnswerLostError("the call was given up", sent=True)

        async def read() -> None:
            found.update(await reader.products(offers, fresh=afresh, user_id=profile.user_id, scope=scope))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            try:
                answer = await self._upstream.preview(body, profile.user_id)
                scope.deadline = anyio.current_time() + NAMES_WAIT_SECONDS
            except Exception as error:  # noqa: BLE001 - raised below: a task group would wrap it
                answer = error
                scope.cancel()
        if isinstance(answer, Exception):
            raise answer
        return answer, found

    async def offer(
        self,
        quote: Quote,
        request: OrderRequest,
        caller: str,
        profile: Profile,
        *,
        twin: OrderRecord | None = None,
    ) -> PreviewResult:
        """Store what is shown, and give the token for it. The only place where tokens are made.

        `twin`: the placed order that ended a create; it is named, however long ago it was placed.
        """
        request = replace(request, items=with_priced_specs(quote, request.items))
        caps = profile.caps or self._policy.caps
        warnings = (
            *(present.look_at_the_unit(quote) if await self._is_first(caller, profile) else ()),
            *not_named(quote),
            *warned_of_quantities(quote),
            *present.quote_warnings(quote, request),
        )
        token, terms = new_token(), kept(terms_of(quote, self._policy.made_for(profile)))
        budgets: list[BudgetResult] = []

        def made(earlier: Remembered) -> StoredPreview:
            budgets.append(present.budget_of(caps, earlier.used))
            over = present.over_budget(breach(caps, earlier.used, quote.payable))
            return StoredPreview(
                preview_id=uuid4().hex,
                token_digest=token_digest(token),
                approval_code=_code(),
                caller=caller,
                out_order_id=request.out_order_id,
                created_at=earlier.now,
                expires_at=earlier.now + timedelta(seconds=self._policy.preview_ttl),
                payable_fen=quote.payable,
                ship_to=request.ship_to(),
                request=request,
                pinned=quote.pinned,
                terms=terms,
                shown=present.shown(quote, request, (*warnings, *over, *_warnings_of(earlier.alike, twin))),
                trail_seen=earlier.trail_seen,
            )

        preview = await self._ledger.offer(caller, request, made)
        return present.preview_result(
            preview, token, budgets[-1], needs_approval=self._policy.needs_approval(quote.payable)
        )

    async def _is_first(self, caller: str, profile: Profile) -> bool:
        """Whether no placed order of this caller for this real account is known: then nothing has shown yet
        that a total is right. One trip more until there is one, in mode `live` alone.
        """
        if self._policy.environment != "live":
            return False
        account = self._policy.made_for(profile)["account"]
        if (caller, account) not in self._ordered_for:
            newest = await self._ledger.receipts(OrderQuery(caller, states=("placed",), limit=1))
            if any(each.preview and each.preview.terms.get("account") == account for each in newest):
                self._ordered_for.add((caller, account))
        return (caller, account) not in self._ordered_for


def _warnings_of(alike: list[OrderRecord], twin: OrderRecord | None) -> Iterator[ShownWarning]:
    """Warnings of earlier orders of the same goods to the same place or person: models do order twice."""
    still_open = next((order for order in alike if order.state in ("unknown", "sending")), None)
    if still_open:
        state = "whose outcome is unknown" if still_open.state == "unknown" else "which is being sent"
        yield ShownWarning(
            "earlier_order_unknown",
            "When this was previewed, the same goods to the same address or mobile were in order "
            f"{still_open.out_order_id}, {state}; this order is refused until that one is settled.",
        )
    placed = [order for order in alike if order.state == "placed"]
    if twin:
        placed = [twin, *(order for order in placed if order.order_key != twin.order_key)]
    if placed:
        named = [f"{order.out_order_id} ({', '.join(order.order_ids)})" for order in placed[:MOST_NAMED]]
        more = f" and {len(placed) - MOST_NAMED} more" if len(placed) > MOST_NAMED else ""
        yield ShownWarning(
            "recent_identical_order",
            "The same goods to the same address or mobile were ordered lately: "
            f"{'; '.join(named)}{more}. This would be another order.",
        )
