"""One signed call that reads, sent once, and what its answer says of the account.

The vendor's list of error codes could not be read. So a refusal is sorted by its words, which is inferred and
is called so; its raw code and text always stand beside it, for the vendor.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from xportcn_server.settings.settings import Settings
from xportcn_tools.goods.answer_data import NotReadableError, data_of
from xportcn_tools.upstream.clean import clean, quoted
from xportcn_tools.upstream.client import Endpoint, UpstreamClient
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import UpstreamError
from xportcn_tools.upstream.reading_paths import reads_only
from xportcn_tools.upstream.requests import SEARCH_PATH, SearchQuery
from xportcn_tools.upstream.signing import Credentials, SignatureRule, Signer, TimestampUnit
from xportcn_tools.upstream.words import about_goods, cause_of, documented

SEARCH_WORDS = "杯"  # "cup": 1688 never lacks some

NO_CODE = "-"

Call = Literal["search", "product", "order list", "order details"]
Meaning = Literal[
    "accepted", "signature", "key", "user", "permission", "clock", "path", "page", "unclear", "unreachable"
]
PathAnswer = Literal["confirmed", "not confirmed", "not permitted", "unreadable", "no answer"]

_OF_USER = re.compile(r"user[-_ ]?id|sub[-_ ]?account|子账[号户]", re.IGNORECASE)


@dataclass(frozen=True)
class Attempt:
    """One call and its answer. `inferred`: sorted by words, which are not documented.

    `text`: the upstream's own words; where `code` is `NO_CODE`, ours for what came instead.
    """

    call: Call
    path: str
    signature: SignatureRule
    timestamp_unit: TimestampUnit
    http_status: int | None
    code: str
    text: str
    request_id: str | None
    meaning: Meaning | PathAnswer
    inferred: bool


def in_signs(code: str, text: str) -> str:
    """An answer's code and words for a person: the upstream's between signs, ours as they are."""
    return text if code == NO_CODE else f"code {code}, {quoted(text)}"


@dataclass(frozen=True)
class Exchange:
    """A call as it was made, for a recording; `reply` is `None` where no answer came."""

    call: str
    path: str
    request: Mapping[str, Any]
    reply: Reply | None


@dataclass(frozen=True)
class Account:
    """Whose calls these are, and where they go. `heard` gets every exchange."""

    settings: Settings
    credentials: Credentials
    heard: Callable[[Exchange], None] = field(default=lambda _: None)

    async def call(
        self, name: str, path: str, body: Mapping[str, Any], rule: SignatureRule, unit: TimestampUnit
    ) -> Reply | UpstreamError:
        """Make one call, which is not tried again."""
        endpoint = Endpoint(self.settings.base_url, self.settings.timeout_seconds)
        client = UpstreamClient(endpoint, Signer(self.credentials, rule, unit), preview_attempts=1)
        try:
            reply = await client.read(path, body)
        except UpstreamError as error:
            self.heard(Exchange(name, path, body, None))
            return error
        finally:
            await client.aclose()
        self.heard(Exchange(name, path, body, reply))
        return reply

    async def search(self, rule: SignatureRule, unit: TimestampUnit) -> tuple[Attempt, Reply | UpstreamError]:
        """The first and most harmless call: its path is documented, and it touches no cart.

        An owner's path that may do more than read is not called: the documented one is.
        """
        path = self.settings.search_path if reads_only(self.settings.search_path) else SEARCH_PATH
        body = SearchQuery(SEARCH_WORDS, limit=1).body(self.settings.product_language)
        reply = await self.call("search", path, body, rule, unit)
        meaning, inferred = ("unreachable", False) if isinstance(reply, UpstreamError) else sort_reply(reply)
        return attempt("search", path, (rule, unit), reply, meaning, inferred=inferred), reply


def account_of(settings: Settings, heard: Callable[[Exchange], None] = lambda _: None) -> Account | None:
    """The account of the settings; `None` where its credentials are missing."""
    if not (settings.access_key and settings.access_secret and settings.user_id):
        return None
    secret = settings.access_secret.get_secret_value()
    return Account(settings, Credentials(settings.access_key, secret, settings.user_id), heard)


def attempt(
    call: Call,
    path: str,
    pair: tuple[SignatureRule, TimestampUnit],
    reply: Reply | UpstreamError,
    meaning: Meaning | PathAnswer,
    *,
    inferred: bool,
) -> Attempt:
    if isinstance(reply, UpstreamError):
        return Attempt(call, path, *pair, None, NO_CODE, str(reply), None, meaning, inferred)
    said, code = said_in(reply), reply.code if reply.envelope else NO_CODE
    return Attempt(call, path, *pair, reply.status, code, said, reply.request_id, meaning, inferred)


def said_in(reply: Reply) -> str:
    """The upstream's own words, cleaned; those of `data.errorMsg` too (the sibling's way to refuse)."""
    data = reply.envelope.data if reply.envelope else None
    if not (isinstance(data, dict) and reply.envelope and reply.envelope.reports_failure):
        return reply.text
    fields = cast("dict[str, Any]", data)
    parts = [fields.get("errorCode"), fields.get("errorMsg")]
    extra = " ".join(clean(str(part)) for part in parts if isinstance(part, str | int) and part)
    return f"{reply.text} ({extra})" if extra else reply.text


def sort_reply(reply: Reply) -> tuple[Meaning, bool]:
    """What an answer to the search says of the account, and whether that is inferred from words."""
    envelope = reply.envelope
    if envelope and reply.status == 200 and envelope.succeeded and not envelope.reports_failure:
        return "accepted", False
    if reply.status == 429 or reply.status >= 500:
        return "unclear", True
    if is_no_path(reply):
        return "path", True
    if envelope is None and reply.body.lstrip()[:1] == b"<":
        return "page", False
    said = said_in(reply) if envelope else ""
    code = envelope.code if envelope else None
    cause = cause_of(code, said, reply.status)
    if cause and cause != "busy":
        return "user" if cause == "permission" and _OF_USER.search(said) else cause, True
    if envelope and (envelope.refuses or envelope.reports_failure):
        # 1688's refusals of goods come after every check of the caller.
        return ("accepted" if documented(code) or about_goods(said) else "unclear"), True
    return "unclear", True


def is_no_path(reply: Reply) -> bool:
    """A 404, or "no such interface"."""
    try:
        data_of(reply)
    except NotReadableError as why:
        return why.reason == "not_confirmed"
    return False
