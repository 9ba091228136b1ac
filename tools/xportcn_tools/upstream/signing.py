"""Signing in four pure steps, so that a failing vector names the step that broke. Pure.

    canonical → string to sign → signature → headers

Five headers go with every request (documented): `access-key`, `timestamp`, `nonce-str`, `user-id`,
`signature`. The body takes no part (inferred). The exact string to sign is on no page that could be
read; two candidates are implemented and the configuration chooses:

- `concat`: access key, timestamp, nonce and secret, nothing between (seen in a public client).
- `query`: `access-key=…&nonce-str=…&timestamp=…&secret=…`, keys sorted (a vendor-style rule page,
  applied to these headers by inference).

Both are MD5 over UTF-8, 32 upper-case hex digits, secret last.
"""

import hashlib
import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

SignatureRule = Literal["concat", "query"]
TimestampUnit = Literal["s", "ms"]

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
NONCE_LENGTH = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Credentials:
    """A developer's access to the upstream. `access_secret` never leaves this module but as a hash."""

    access_key: str
    access_secret: str = field(repr=False)
    user_id: str


@dataclass(frozen=True)
class Canonical:
    """What takes part in the signature, besides the secret: the values of three headers."""

    access_key: str
    timestamp: str
    nonce: str


def canonical(access_key: str, moment: datetime, unit: TimestampUnit, nonce: str) -> Canonical:
    """First step: header values from a moment. `unit`: `s` gives 10 digits, `ms` gives 13."""
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)  # exact, where a float is not
    timestamp = str(milliseconds if unit == "ms" else milliseconds // 1000)
    return Canonical(access_key, timestamp, nonce)


def string_to_sign(rule: SignatureRule, parts: Canonical, access_secret: str) -> str:
    """Second step. The result holds the secret: never log it."""
    if rule == "concat":
        return f"{parts.access_key}{parts.timestamp}{parts.nonce}{access_secret}"
    return (
        f"access-key={parts.access_key}&nonce-str={parts.nonce}"
        f"&timestamp={parts.timestamp}&secret={access_secret}"
    )


def signature(text: str) -> str:
    """Third step: MD5 over UTF-8 as 32 upper-case hex digits."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def headers(parts: Canonical, user_id: str, signed: str) -> dict[str, str]:
    """Fourth step: the five headers, all required, never in the query or the body."""
    return {
        "access-key": parts.access_key,
        "timestamp": parts.timestamp,
        "nonce-str": parts.nonce,
        "user-id": user_id,
        "signature": signed,
    }


def new_nonce() -> str:
    """32 characters of `[A-Za-z0-9]`."""
    return random_word(LETTERS_AND_DIGITS, NONCE_LENGTH)


def random_word(alphabet: str, length: int) -> str:
    """One of all words of so many letters, by the randomness of the operating system, which is asked once."""
    number, word = secrets.randbelow(len(alphabet) ** length), ""
    while len(word) < length:
        number, letter = divmod(number, len(alphabet))
        word += alphabet[letter]
    return word


@dataclass(frozen=True)
class Signer:
    """The four steps bound to one account's credentials, rule and timestamp unit."""

    credentials: Credentials
    rule: SignatureRule = "concat"
    unit: TimestampUnit = "s"

    def sign(self, moment: datetime, nonce: str | None = None, user_id: str | None = None) -> dict[str, str]:
        """The headers of one request sent at `moment` (UTC); the nonce is fresh unless given."""
        account = self.credentials
        parts = canonical(account.access_key, moment, self.unit, nonce or new_nonce())
        text = string_to_sign(self.rule, parts, account.access_secret)
        return headers(parts, user_id or account.user_id, signature(text))
