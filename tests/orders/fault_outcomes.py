"""What each fault of the sandbox comes to: the one table, for the tests and for docs/reliability.md.

It is written from the rule of docs/reliability.md, and not from what the program does. A test
holds it against the sandbox's own knowledge of whether an order exists.
"""

from dataclasses import dataclass

from xportcn_server.sandbox.faults import FAULTS, Fault
from xportcn_tools.results import OrderState, ProblemCode, RequestSent


@dataclass(frozen=True)
class OfCreate:
    """`request_id`: the answer had an envelope that can be read, so the vendor's number is kept. `names_ids`: the
    order keeps the ids that the answer names.
    """

    state: OrderState
    problem: ProblemCode | None
    request_sent: RequestSent | None
    request_id: bool
    reason: str
    names_ids: bool = False


@dataclass(frozen=True)
class OfPreview:
    """`problem` is `None` where the preview has a token. Nothing is ever ordered by a preview."""

    problem: ProblemCode | None
    request_id: bool


def _placed(reason: str) -> OfCreate:
    return OfCreate("placed", None, None, True, reason, names_ids=True)


def _refused(problem: ProblemCode, reason: str) -> OfCreate:
    return OfCreate("rejected", problem, "yes", True, reason)


def _lost(reason: str) -> OfCreate:
    """It was handed to the network, and no whole answer came: what was done cannot be told from here."""
    return OfCreate("unknown", "outcome_unknown", "yes", False, reason)


def _unclear(reason: str, *, request_id: bool, names_ids: bool = False) -> OfCreate:
    """An answer came, so the request was read; but it does not say whether an order exists."""
    return OfCreate("unknown", "outcome_unknown", "yes", request_id, reason, names_ids)


_SERVER_ERROR = "an HTTP 5xx says nothing about what was done before it"
_NO_ENVELOPE = "there is no envelope that can be read"

CREATE: dict[str, OfCreate] = {
    "not-connectable": OfCreate(
        "rejected", "upstream_unavailable", "no", False, "without a connection nothing was sent"
    ),
    "timeout-before-read": _lost("it was sent, and no answer came in time"),
    "reset-before-order": _lost("it was sent, and a reset does not say what was done before it"),
    "reset-after-order": _lost("it was sent, and a reset does not say what was done before it"),
    "hang-before-order": _lost("it was sent, and no answer came in time"),
    "hang": _lost("it was sent, and no answer came in time"),
    "slow": _placed("the answer came within the deadline"),
    "drip": _lost("it was sent, and no whole answer came in time"),
    "http-500": _unclear(_SERVER_ERROR, request_id=False),
    "http-500-envelope": _unclear(_SERVER_ERROR, request_id=True),
    "http-502": _unclear(_SERVER_ERROR, request_id=False),
    "http-502-envelope": _unclear(_SERVER_ERROR, request_id=True),
    "http-503": _unclear(_SERVER_ERROR, request_id=False),
    "http-503-envelope": _unclear(_SERVER_ERROR, request_id=True),
    "http-429": _unclear(_NO_ENVELOPE, request_id=False),
    "http-429-envelope": _refused("upstream_rejected", "HTTP 4xx with an envelope that refuses in words"),
    "redirect": _unclear("a redirect is not followed, and says nothing of an order", request_id=False),
    "html": _unclear(_NO_ENVELOPE, request_id=False),
    "cut-json": _unclear(_NO_ENVELOPE, request_id=False),
    "too-large": _unclear("an answer of more than 2 MB is not read to its end", request_id=False),
    "no-code": _unclear("without a code it is no envelope, neither success nor refusal", request_id=False),
    "null-data": _unclear("a success without order ids contradicts itself", request_id=True),
    "wrong-types": _unclear("order ids that cannot be read are none to rely on", request_id=True),
    "no-ids": _unclear("a success without order ids contradicts itself", request_id=True),
    "ids-beside-failure": _unclear(
        "order ids beside a failure contradict each other", request_id=True, names_ids=True
    ),
    "ids-beside-refusal": _unclear(
        "order ids beside a refusal contradict each other", request_id=True, names_ids=True
    ),
    "ids-beside-failed-goods": _unclear(
        "order ids beside goods that failed stand for a part", request_id=True, names_ids=True
    ),
    "refusal": _refused("upstream_rejected", "an envelope that refuses in words"),
    "signature-refused": _refused(
        "upstream_unauthorized", "an envelope that refuses key, signature or clock"
    ),
    "duplicate-refused": _unclear(
        "a number that we sent once and that is taken means that an order exists", request_id=True
    ),
    "envelope-500": _unclear("codes 500–599 are general server errors, no refusal", request_id=True),
    "negative-code": _unclear("a negative code is a general server error, no refusal", request_id=True),
    "split": _placed("several order ids are one create that the upstream has split"),
}

_UNANSWERED = OfPreview("upstream_unavailable", request_id=False)
_UNUSABLE = OfPreview("upstream_unavailable", request_id=True)

PREVIEW: dict[str, OfPreview] = {
    "not-connectable": _UNANSWERED,
    "timeout-before-read": _UNANSWERED,
    "reset-before-order": _UNANSWERED,
    "reset-after-order": _UNANSWERED,
    "hang-before-order": _UNANSWERED,
    "hang": _UNANSWERED,
    "slow": OfPreview(None, request_id=False),
    "drip": _UNANSWERED,
    "http-500": _UNANSWERED,
    "http-500-envelope": _UNUSABLE,
    "http-502": _UNANSWERED,
    "http-502-envelope": _UNUSABLE,
    "http-503": _UNANSWERED,
    "http-503-envelope": _UNUSABLE,
    "http-429": OfPreview("upstream_busy", request_id=False),
    "http-429-envelope": OfPreview("upstream_busy", request_id=True),
    "redirect": _UNANSWERED,
    "html": _UNANSWERED,
    "cut-json": _UNANSWERED,
    "too-large": _UNANSWERED,
    "no-code": _UNANSWERED,
    "null-data": _UNUSABLE,
    "wrong-types": _UNUSABLE,
    "refusal": OfPreview("not_orderable", request_id=True),
    "signature-refused": OfPreview("upstream_unauthorized", request_id=True),
    "envelope-500": _UNUSABLE,
    "negative-code": OfPreview("upstream_busy", request_id=True),
    "price-drift": OfPreview(None, request_id=False),
}


def contradiction(fault: Fault, outcome: OfCreate) -> str | None:
    """Why an outcome would be untrue of what the sandbox did, or `None`."""
    if outcome.state == "placed" and not fault.order_exists:
        return "stated as placed, and no order exists"
    if outcome.state == "rejected" and fault.order_exists:
        return "stated as rejected, and an order exists"
    if (outcome.state == "unknown") is not (outcome.problem == "outcome_unknown"):
        return "unknown and outcome_unknown go together"
    return None


def as_markdown() -> str:
    """The table of docs/reliability.md."""
    lines = [
        "| fault | what happens upstream | order | problem | create sent | why | in a preview |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, fault in FAULTS.items():
        if not fault.endpoints & {"create", "preview"}:
            continue
        create, preview = CREATE.get(name), PREVIEW.get(name)
        cells = [f"`{name}`", fault.sentence]
        if create:
            cells += [
                f"`{create.state}`",
                f"`{create.problem}`" if create.problem else "–",
                create.request_sent or "yes",
                create.reason,
            ]
        else:
            cells += ["–"] * 4
        in_preview = "does not occur" if preview is None else f"`{preview.problem or 'ok'}`"
        lines.append(f"| {' | '.join([*cells, in_preview])} |")
    return "\n".join(lines)
