"""Who a request of the page comes from, and whether a form is one that we gave to this person.

A one-time code (192 random bits) is exchanged for a session, whose cookie holds 192 bits more. The ledger
keeps the SHA-256 of both, so that every process on it knows them. Behind its bits the cookie has the marks of
the caller's entry, and is good while the entry has one of them: a later caller of the same name does not
inherit it. A form's token is signed with the cookie, and is good for one person, one action and one subject,
once.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from xportcn_tools.ledger.approvals import Approvals, SignIn, Visitor

COOKIE = "xportcn_page"
CODE_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(hours=12)
FORM_LIFE = timedelta(hours=12)

MarksOf = Callable[[str], tuple[str, ...]]
"""The marks of a caller's entry: none where it has been removed."""


def unmarked(caller: str) -> tuple[str, ...]:
    """Every caller is known."""
    del caller
    return ("",)


class FormError(Exception):
    """A form that is not to be acted on, and why; for the log."""


@dataclass(frozen=True)
class Person:
    """Who is signed in. `cookie` is the secret that the browser holds."""

    visitor: Visitor
    cookie: str


@dataclass(frozen=True)
class Sessions:
    """Sessions over one ledger."""

    _ledger: Approvals
    _clock: Callable[[], datetime]
    _marks_of: MarksOf = unmarked
    _used: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _known: set[str] = field(default_factory=set[str])

    async def new_code(self, visitor: Visitor, *, opened: bool = False) -> str:
        """A one-time code. `opened`: a browser is being started with it."""
        code = secrets.token_urlsafe(24)
        await self._ledger.let_in(SignIn(_digest(code), visitor, self._clock() + CODE_LIFE, opened))
        return code

    async def signed_in(self, code: str, *, by_link: bool = False) -> str | None:
        """The cookie of a new session; `None` where the code is not, or no longer, good.

        `by_link`: it stood in the address. That is for the owner alone: a caller's link would sign others in
        as that caller.
        """
        secret = secrets.token_urlsafe(24)

        def cookie(visitor: Visitor) -> str:
            return ".".join([secret, *self._marks(visitor)])

        until = self._clock() + SESSION_LIFE
        found = await self._ledger.sign_in(_digest(code), lambda visitor: _digest(cookie(visitor)), until)
        if found is None or (by_link and found.caller is not None):
            return None
        self._known.add(cookie(found))
        return cookie(found)

    async def person(self, cookie: str | None) -> Person | None:
        """Who holds this cookie."""
        visitor = await self._ledger.visitor(_digest(cookie)) if cookie else None
        if not (visitor and cookie) or set(cookie.split(".")[1:]).isdisjoint(self._marks(visitor)):
            self._known.discard(cookie or "")
            return None
        self._known.add(cookie)
        return Person(visitor, cookie)

    def is_known(self, cookie: str) -> bool:
        """Whether this was a person's cookie when it came last; without a look into the ledger."""
        return cookie in self._known

    def _marks(self, visitor: Visitor) -> tuple[str, ...]:
        return unmarked("") if visitor.caller is None else self._marks_of(visitor.caller)

    def form_token(self, person: Person, action: str, subject: str) -> str:
        until = int((self._clock() + FORM_LIFE).timestamp())
        stem = f"{until}.{secrets.token_urlsafe(9)}"
        return f"{stem}.{_signed(person, stem, action, subject)}"

    def take(self, token: str, person: Person, action: str, subject: str) -> None:
        """Spend a form's token.

        Raises:
            FormError: it is not ours, not this person's, not for this, too old, or spent.
        """
        now = self._clock()
        stem, _, signature = token.rpartition(".")
        until = stem.partition(".")[0]
        if not hmac.compare_digest(_signed(person, stem, action, subject).encode(), signature.encode()):
            raise FormError("its token is not this person's for this action")
        if int(until) < now.timestamp():
            raise FormError("its token is too old")
        for spent, life in list(self._used.items()):
            if life < now:
                del self._used[spent]
        if stem in self._used:
            raise FormError("it was sent before")
        self._used[stem] = now + FORM_LIFE


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _signed(person: Person, *parts: str) -> str:
    return hmac.new(person.cookie.encode(), "\0".join(parts).encode(), "sha256").hexdigest()
