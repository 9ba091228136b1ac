"""The hash chain: each row of the trail seals its predecessor and its own canonical JSON. Pure.

A row's body holds references, states, sums and digests; no secret, no token and no address.
"""

from dataclasses import dataclass
from typing import Any

from xportcn_tools.canonical import canonical_json
from xportcn_tools.ledger.seals import digest_of

GENESIS = "0" * 64


@dataclass(frozen=True)
class TrailRow:
    """One row. `body` is canonical JSON; `hash` is SHA-256 in 64 hex digits."""

    sequence: int
    at: str
    event: str
    subject: str
    body: str
    previous: str
    hash: str


def seal(sequence: int, at: str, event: str, subject: str, body: dict[str, Any], previous: str) -> TrailRow:
    """The next row of a chain whose last hash is `previous` (`GENESIS` for the first)."""
    text = canonical_json(body)
    return TrailRow(
        sequence, at, event, subject, text, previous, _hash(sequence, at, event, subject, text, previous)
    )


def is_intact(row: TrailRow) -> bool:
    """Whether its hash is that of its own content."""
    return row.hash == _hash(row.sequence, row.at, row.event, row.subject, row.body, row.previous)


def _hash(sequence: int, at: str, event: str, subject: str, body: str, previous: str) -> str:
    # The texts as they stand, not in NFC as in canonical JSON: another spelling is another row.
    return digest_of((sequence, at, event, subject, body, previous))
