"""`xportcn-mcp doctor --probe`: which signing rule and timestamp unit does the account accept?

At most four signed previews, one after the other, each sent once: a preview creates nothing (documented).
The goods and the address are the vendor's own published sample. It stops at the first that is accepted.

The vendor's list of error codes could not be read. So a refusal is sorted by its words, which is inferred
and is called so; its raw code and text always stand beside it, for the vendor.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

import anyio

from xportcn_server.sandbox.catalogue import VENDOR_EXAMPLE_REQUEST
from xportcn_server.settings.settings import Settings
from xportcn_tools.upstream.clean import clean
from xportcn_tools.upstream.client import Endpoint, UpstreamClient, UpstreamError
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.signing import Credentials, SignatureRule, Signer, TimestampUnit
from xportcn_tools.upstream.words import about_goods, cause_of, documented

Meaning = Literal["accepted", "signature", "key", "permission", "clock", "unclear", "unreachable"]
Outcome = Meaning | Literal["not run"]


@dataclass(frozen=True)
class Attempt:
    """One signed preview and its answer. `inferred`: sorted by words, which nobody has documented."""

    signature: SignatureRule
    timestamp_unit: TimestampUnit
    http_status: int | None
    code: str
    text: str
    request_id: str | None
    meaning: Meaning
    inferred: bool


@dataclass(frozen=True)
class Finding:
    """What the attempts come to. `signature` and `timestamp_unit` are set where one was accepted."""

    outcome: Outcome
    found: str
    next_step: str
    inferred: bool = False
    attempts: tuple[Attempt, ...] = ()
    signature: SignatureRule | None = None
    timestamp_unit: TimestampUnit | None = None

    @property
    def env_lines(self) -> tuple[str, ...]:
        """The lines for `.env`; none where nothing was accepted."""
        if self.signature is None:
            return ()
        return f"XPORTCN_SIGNATURE={self.signature}", f"XPORTCN_TIMESTAMP_UNIT={self.timestamp_unit}"


def find_rule(settings: Settings) -> Finding:
    """Try rule x unit, the configured pair first, against the preview endpoint of the settings."""
    if settings.mode == "sandbox":
        return Finding(
            "not run",
            "there is nothing to probe in sandbox mode: it takes an account",
            "set XPORTCN_MODE=preview and the account's XPORTCN_ACCESS_KEY, XPORTCN_ACCESS_SECRET and"
            " XPORTCN_USER_ID",
        )
    if not (settings.access_key and settings.access_secret and settings.user_id):
        return Finding(
            "not run",
            "the account's credentials are missing or cannot be read",
            "set XPORTCN_ACCESS_KEY, XPORTCN_ACCESS_SECRET and XPORTCN_USER_ID",
        )
    account = Credentials(settings.access_key, settings.access_secret.get_secret_value(), settings.user_id)
    return sum_up(anyio.run(_tried, settings, account))


async def _tried(settings: Settings, account: Credentials) -> tuple[Attempt, ...]:
    attempts: list[Attempt] = []
    for rule, unit in _pairs(settings):
        endpoint = Endpoint(settings.base_url, settings.timeout_seconds)
        client = UpstreamClient(endpoint, Signer(account, rule, unit), preview_attempts=1)
        try:
            reply = await client.preview(VENDOR_EXAMPLE_REQUEST)
        except UpstreamError as error:
            # The next one would fare no better, and nothing is learnt from it.
            attempts.append(Attempt(rule, unit, None, "-", str(error), None, "unreachable", inferred=False))
            break
        finally:
            await client.aclose()
        meaning, inferred = sort_reply(reply)
        attempts.append(
            Attempt(rule, unit, reply.status, reply.code, said_in(reply), reply.request_id, meaning, inferred)
        )
        if meaning == "accepted" or reply.status == 429:
            break
    return tuple(attempts)


def _pairs(settings: Settings) -> list[tuple[SignatureRule, TimestampUnit]]:
    rules: tuple[SignatureRule, ...] = ("concat", "query")
    units: tuple[TimestampUnit, ...] = ("s", "ms")
    pairs: list[tuple[SignatureRule, TimestampUnit]] = [(rule, unit) for unit in units for rule in rules]
    return sorted(pairs, key=lambda pair: pair != (settings.signature, settings.timestamp_unit))


def said_in(reply: Reply) -> str:
    """The upstream's own words, cleaned; those of `data.errorMsg` too (the sibling's way to refuse)."""
    data = reply.envelope.data if reply.envelope else None
    if not isinstance(data, dict):
        return reply.text
    fields = cast("dict[str, Any]", data)
    parts = [fields.get("errorCode"), fields.get("errorMsg")]
    extra = " ".join(clean(str(part)) for part in parts if isinstance(part, str | int) and part)
    return (
        f"{reply.text} ({extra})"
        if extra and reply.envelope and reply.envelope.reports_failure
        else reply.text
    )


def sort_reply(reply: Reply) -> tuple[Meaning, bool]:
    """What an answer says of the signature, and whether that is inferred from words."""
    envelope = reply.envelope
    if envelope and reply.status == 200 and envelope.succeeded and not envelope.reports_failure:
        return "accepted", False
    if reply.status == 429 or reply.status >= 500:
        return "unclear", True
    said = said_in(reply) if envelope else ""
    code = envelope.code if envelope else None
    cause = cause_of(code, said, reply.status)
    if cause and cause != "busy":
        return cause, True
    if envelope and (envelope.refuses or envelope.reports_failure):
        # 1688's refusals of goods come after every check of the caller.
        return ("accepted" if documented(code) or about_goods(said) else "unclear"), True
    return "unclear", True


_NEXT: dict[Meaning, str] = {
    "signature": "check XPORTCN_ACCESS_SECRET (this account's, whole, no blank or quote too many); if it is"
    " right, the account signs by a rule that is not known here: ask the vendor, with the upstream's answers",
    "key": "check XPORTCN_ACCESS_KEY; if it is right, ask the vendor whether it is active, with the"
    " upstream's answers",
    "permission": "check XPORTCN_USER_ID, and ask the vendor to open the order preview to this account (and"
    " to this machine's address), with the upstream's answers",
    "clock": "set this machine's clock by network time (NTP), see the check `clock`; if it is right, ask the"
    " vendor for the form of `timestamp`, with the upstream's answers",
    "unclear": "send the vendor the codes, texts and request ids of the upstream's answers",
    "unreachable": "see the checks of the network: dns, tcp, tls, http",
}
_FOUND: dict[Meaning, str] = {
    "signature": "the signature is refused in every combination",
    "key": "the access key is refused",
    "permission": "the account is not permitted to preview; whether the signature is right, it does not say",
    "clock": "the timestamp is refused in every combination",
    "unclear": "no combination was accepted, and the answers do not say why",
    "unreachable": "no answer came",
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
    if last.meaning == "unreachable":
        return Finding("unreachable", _FOUND["unreachable"], _NEXT["unreachable"], attempts=attempts)
    meanings: list[Meaning] = [attempt.meaning for attempt in attempts]
    if meanings.count("unclear") == 1 and len(attempts) == 4:
        odd = attempts[meanings.index("unclear")]
        found = (
            f"none was accepted; {odd.signature} with {odd.timestamp_unit} is answered unlike the others,"
            " and may be the right one (inferred)"
        )
        return Finding("unclear", found, _NEXT["unclear"], inferred=True, attempts=attempts)
    # A refused signature outweighs a refused timestamp: two of the four have the wrong unit anyway.
    order: tuple[Meaning, ...] = ("signature", "permission", "key", "clock", "unclear")
    outcome: Meaning = next(meaning for meaning in order if meaning in meanings)
    return Finding(outcome, f"{_FOUND[outcome]} (inferred)", _NEXT[outcome], inferred=True, attempts=attempts)
