"""A create that needs a yes which its client cannot show waits for it, while a page for people is open."""

from dataclasses import dataclass

import anyio

from xportcn_tools.desk.policy import Answer, Policy
from xportcn_tools.ledger.ledger import Ledger, Standing

LONGEST_SECONDS = 55.0
"""Of a whole create: clients give up after a minute. Recheck and create follow, each with its time."""

POLL_SECONDS = 0.25
"""The yes comes from another process, mostly; the ledger is where both meet."""


@dataclass(frozen=True)
class Yes:
    """Waits for what a person says on the page."""

    _ledger: Ledger
    _policy: Policy

    async def awaited(self, standing: Standing, answer: Answer) -> tuple[Standing, Answer]:
        """How things stand once the person has answered, the page was closed, or the time is over; and `no`
        where the answer was a no. Returns at once where nothing has to be waited for.
        """
        declined_before = standing.preview.declined_at
        digest, caller = standing.preview.token_digest, standing.preview.caller
        with anyio.move_on_after(LONGEST_SECONDS - 2 * self._policy.call_timeout):
            while self._waits_for(standing, answer):
                await anyio.sleep(POLL_SECONDS)
                standing = await self._ledger.standing(digest, caller) or standing
                if standing.preview.declined_at != declined_before:
                    return standing, "no"
        return standing, answer

    def _waits_for(self, standing: Standing, answer: Answer) -> bool:
        policy = self._policy
        needed = policy.approval == "require" and policy.needs_approval(standing.preview.payable_fen)
        return (
            needed
            and answer == "cannot_ask"
            and standing.page_open
            and not standing.approved
            and not standing.attempt
        )
