"""The owner's rules for the desk, and how an approval follows from them. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Literal

from xportcn_tools.canonical import fingerprint
from xportcn_tools.desk.caps import Caps
from xportcn_tools.desk.quote import PinRules
from xportcn_tools.order import NO_FIELDS, AccountFields
from xportcn_tools.results import ApprovalMethod, Environment
from xportcn_tools.wording import UiLanguage

LOCAL_CALLER = "local"
"""The caller on stdio, or on loopback without callers."""

ApprovalRule = Literal["ask", "require", "off"]

# What came of asking the person. `cannot_ask`: the client has no way to ask. `unanswered`: it said it
# could ask, and no answer came in time.
Answer = Literal["yes", "no", "cancelled", "unanswered", "cannot_ask"]


@dataclass(frozen=True)
class LookupPaths:
    """Where an order's details and the list of orders are read upstream; both inferred."""

    details: str
    orders: str


@dataclass(frozen=True)
class Policy:
    """Settings as the desk needs them. Times in seconds; caps and `ask_above` in fen."""

    environment: Environment
    caps: Caps
    pin: PinRules
    flow: str | None = None
    approval: ApprovalRule = "ask"
    ask_above: int = 0
    preview_ttl: float = 600
    recheck_after: float = 15
    call_timeout: float = 20
    account: AccountFields = field(default=NO_FIELDS)
    orders_as: str = ""
    zone: tzinfo = UTC
    lookup: LookupPaths | None = None
    language: UiLanguage = "en"

    def made_for(self, profile: "Profile") -> dict[str, str]:
        """Terms of every deal: the mode, and a short digest of whose orders these are upstream. What is
        previewed for one is not ordered for another. `orders_as` stands for the owner's own account.
        """
        account = fingerprint([self.orders_as, profile.user_id, vars(self.account)])[:12]
        return {"environment": self.environment, "account": account}

    def by_rule(self, payable: int) -> bool:
        """Whether the owner's rule is the approval of an order of this total, in fen."""
        return payable <= self.ask_above

    def needs_approval(self, payable: int) -> bool:
        """Whether a person has to be asked about an order of this total, in fen."""
        return self.approval != "off" and not self.by_rule(payable)

    @property
    def lease(self) -> float:
        """How long a sender may take from its claim to its record, in seconds.

        The deadline; the ten seconds after which nothing is sent any more; and twenty for a record that is
        tried again and then hangs.
        """
        return self.call_timeout + 30


@dataclass(frozen=True)
class Profile:
    """What holds for one caller beside the owner's rules; `None`: as the owner's.

    `user_id`: the upstream's sub-account; `previews_per_minute`: upstream questions that it may cause.
    """

    caps: Caps | None = None
    user_id: str | None = None
    previews_per_minute: int | None = None


@dataclass(frozen=True)
class Approval:
    """How approval was had. `verified`: a recorded yes; else it is the client's word that it asked."""

    method: ApprovalMethod
    verified: bool


def approval_from(policy: Policy, answer: Answer, payable: int) -> Approval | None:
    """The approval that an answer amounts to for an order of this total, or `None` where it is none."""
    if answer == "yes":
        return Approval("form", verified=True)
    if not policy.needs_approval(payable):
        return Approval("rule" if policy.by_rule(payable) else "off", verified=False)
    if answer == "cannot_ask" and policy.approval == "ask":
        return Approval("client_dialog", verified=False)
    return None
