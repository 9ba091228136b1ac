"""`xportcn-mcp doctor --probe`: which signing rule, timestamp unit and paths does the account accept?

By calls that read, one after the other, each sent once: at most four searches, which stop at the first that
is accepted, then the inferred paths (`probe_paths`). Nothing is created, paid, cancelled or changed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import anyio

from xportcn_server.doctor.probe_paths import PathProbe
from xportcn_server.doctor.signed_call import (
    Account,
    Attempt,
    Call,
    Exchange,
    Meaning,
    PathAnswer,
    account_of,
)
from xportcn_server.settings.settings import Settings
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.signing import SignatureRule, TimestampUnit

ProbeOutcome = Meaning | PathAnswer | Literal["not run"]

_AS_SET: tuple[tuple[Call, str, str], ...] = (
    ("product", "XPORTCN_PRODUCT_PATH", "product_path"),
    ("order list", "XPORTCN_ORDER_LIST_PATH", "order_list_path"),
    ("order details", "XPORTCN_ORDER_DETAIL_PATH", "order_detail_path"),
)


@dataclass(frozen=True)
class Finding:
    """What the calls come to. `signature` and `timestamp_unit` are set where a pair was accepted.

    `attempts`: the searches. `paths`: the calls by the accepted pair, none where there is no such pair.
    """

    outcome: ProbeOutcome
    found: str
    next_step: str
    inferred: bool = False
    attempts: tuple[Attempt, ...] = ()
    signature: SignatureRule | None = None
    timestamp_unit: TimestampUnit | None = None
    paths: tuple[Attempt, ...] = ()

    def confirmed(self, call: Call) -> str | None:
        """The path that is confirmed for a call."""
        found = (each.path for each in self.paths if each.call == call and each.meaning == "confirmed")
        return next(found, None)

    @property
    def env_lines(self) -> tuple[str, ...]:
        """The lines for `.env`: what was accepted and confirmed, and nothing else."""
        if self.signature is None:
            return ()
        lines = [f"XPORTCN_SIGNATURE={self.signature}", f"XPORTCN_TIMESTAMP_UNIT={self.timestamp_unit}"]
        lines += [f"{name}={path}" for call, name, _ in _AS_SET if (path := self.confirmed(call))]
        if self.confirmed("order list") and self.confirmed("order details"):
            lines.append("XPORTCN_ORDER_LOOKUP=on")
        return tuple(lines)

    def differs(self, settings: Settings) -> bool:
        """Whether what was found is not what is set."""
        pair = (self.signature, self.timestamp_unit) != (settings.signature, settings.timestamp_unit)
        found = {field: self.confirmed(call) for call, _, field in _AS_SET}
        return pair or any(path and path != getattr(settings, field) for field, path in found.items())


def find_rule(settings: Settings, heard: Callable[[Exchange], None] = lambda _: None) -> Finding:
    """Try rule x unit, the configured pair first, then the paths. `heard` gets every exchange."""
    if settings.mode == "sandbox":
        return Finding(
            "not run",
            "there is nothing to probe in sandbox mode: it takes an account",
            "set XPORTCN_MODE=preview and the account's XPORTCN_ACCESS_KEY, XPORTCN_ACCESS_SECRET and"
            " XPORTCN_USER_ID",
        )
    account = account_of(settings, heard)
    if account is None:
        return Finding(
            "not run",
            "the account's credentials are missing or cannot be read",
            "set XPORTCN_ACCESS_KEY, XPORTCN_ACCESS_SECRET and XPORTCN_USER_ID",
        )
    return anyio.run(_found, account)


async def _found(account: Account) -> Finding:
    attempts: list[Attempt] = []
    searched: dict[tuple[SignatureRule, TimestampUnit], Reply] = {}
    for pair in _pairs(account.settings):
        attempt, reply = await account.search(*pair)
        attempts.append(attempt)
        if isinstance(reply, Reply):
            searched[pair] = reply
        # The next one would fare no better where nothing, a page or no path answers.
        if attempt.meaning in ("accepted", "unreachable", "page", "path") or attempt.http_status == 429:
            break
    finding = sum_up(tuple(attempts))
    last = attempts[-1] if attempts[-1].meaning == "accepted" else _unlike_the_others(finding.attempts)
    if last is None or last.meaning not in ("accepted", "permission"):
        return finding
    pair = last.signature, last.timestamp_unit
    paths = await PathProbe(account, pair).all(searched[pair])
    if last.meaning == "permission" and any(each.meaning == "confirmed" for each in paths):
        found = f"{last.signature} with {last.timestamp_unit} is accepted; the search is not permitted"
        return Finding("accepted", found, "", False, finding.attempts, *pair, paths)
    return replace(finding, paths=paths)


def _pairs(settings: Settings) -> list[tuple[SignatureRule, TimestampUnit]]:
    rules: tuple[SignatureRule, ...] = ("concat", "query")
    units: tuple[TimestampUnit, ...] = ("s", "ms")
    pairs: list[tuple[SignatureRule, TimestampUnit]] = [(rule, unit) for unit in units for rule in rules]
    return sorted(pairs, key=lambda pair: pair != (settings.signature, settings.timestamp_unit))


_SEND = "with the upstream's answers"
_NEXT: dict[str, str] = {
    "signature": "check XPORTCN_ACCESS_SECRET (this account's, whole, no blank or quote too many); if it is"
    f" right, the account signs by a rule that is not known here: ask the vendor, {_SEND}",
    "key": f"check XPORTCN_ACCESS_KEY; if it is right, ask the vendor whether it is active, {_SEND}",
    "user": "check XPORTCN_USER_ID; if it is right, ask the vendor whether it belongs to this access key,"
    f" {_SEND}",
    "permission": "ask the vendor to open the product search to this account (and to this machine's address),"
    f" and check XPORTCN_USER_ID, {_SEND}",
    "clock": "set this machine's clock by network time (NTP), see the check `clock`; if it is right, ask the"
    f" vendor for the form of `timestamp`, {_SEND}",
    "path": "check XPORTCN_BASE_URL (by default https://www.xportcn.com/api) and XPORTCN_SEARCH_PATH",
    "page": "see the check `http`; ask who runs the network here, then the vendor, whether calls from this"
    " machine's address are let through",
    "unclear": "send the vendor the codes, texts and request ids of the upstream's answers",
    "unreachable": "see the checks of the network: dns, tcp, tls, http",
}
_FOUND: dict[str, str] = {
    "signature": "the signature is refused in every combination",
    "key": "the access key is refused",
    "user": "the user id is refused; whether the signature is right, the answers do not say",
    "permission": "the account is not permitted to search; whether the signature is right, the answers do not"
    " say",
    "clock": "the timestamp is refused in every combination",
    "path": "nothing answers at the path of the product search, which is documented",
    "page": "a page answers instead of the API: of a firewall, a proxy or a log-in in between",
    "unclear": "no combination was accepted, and the answers do not say why",
    "unreachable": "no answer came",
}
IN_WORDS: dict[str, str] = {
    "accepted": "accepted",
    "signature": "signature refused",
    "key": "access key refused",
    "user": "user id refused",
    "permission": "not permitted",
    "clock": "timestamp refused (the clock, or the unit)",
    "path": "no such path",
    "page": "a page, and no answer of the API",
    "unclear": "unclear",
    "unreachable": "no answer",
}


def sum_up(attempts: tuple[Attempt, ...]) -> Finding:
    """One verdict out of the answers, the last of which is the accepted one, if any is."""
    last = attempts[-1]
    if last.meaning == "accepted":
        how = "accepted (inferred: it is refused for its goods only)" if last.inferred else "accepted"
        return Finding(
            "accepted",
            f"{last.signature} with {last.timestamp_unit} is {how}",
            "",
            last.inferred,
            attempts,
            last.signature,
            last.timestamp_unit,
        )
    odd = _unlike_the_others(attempts)
    if odd:
        what = IN_WORDS[odd.meaning]
        return Finding(
            odd.meaning,
            f"none was accepted; {odd.signature} with {odd.timestamp_unit} is answered unlike the others"
            f" ({what}), and may be the right one (inferred)",
            _NEXT[odd.meaning],
            inferred=True,
            attempts=attempts,
        )
    meanings = [attempt.meaning for attempt in attempts]
    # A refused signature outweighs a refused timestamp: two of the four have the wrong unit anyway.
    order: tuple[Meaning, ...] = (
        "unreachable",
        "signature",
        "user",
        "permission",
        "key",
        "clock",
        "page",
        "path",
        "unclear",
    )
    outcome: Meaning = next(meaning for meaning in order if meaning in meanings)
    inferred = outcome not in ("unreachable", "page")
    found = f"{_FOUND[outcome]}{' (inferred)' if inferred else ''}"
    return Finding(outcome, found, _NEXT[outcome], inferred=inferred, attempts=attempts)


def _unlike_the_others(attempts: tuple[Attempt, ...]) -> Attempt | None:
    """The one of four that got past the check that refused the others: then its signature may be right."""
    for odd in attempts:
        others = {each.meaning for each in attempts if each is not odd}
        past = odd.meaning not in ("signature", "key") and odd.meaning not in others
        if len(attempts) == 4 and past and others <= {"signature", "clock"}:
            return odd
    return None
