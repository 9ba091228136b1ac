"""What must hold, and what need not, with the reason. The tests check that every exception is still needed;
docs/conformance.md lists them.
"""

from dataclasses import dataclass
from typing import Literal

Revision = Literal["2025-11-25", "2026-07-28"]
REVISIONS: tuple[Revision, ...] = ("2025-11-25", "2026-07-28")

Keeping = Literal["sessions", "keys"]
"""Without and with `XPORTCN_STATE_KEYS`: clients of the older protocol have sessions, or there are none."""
KEEPINGS: tuple[Keeping, ...] = ("sessions", "keys")


# The official suite: scenarios

APPLICABLE: dict[Revision, tuple[str, ...]] = {
    "2025-11-25": (
        "server-initialize",
        "server-session-lifecycle",
        "ping",
        "tools-list",
        "resources-list",
        "prompts-list",
        "completion-complete",
        "dns-rebinding-protection",
        "server-sse-multiple-streams",
    ),
    "2026-07-28": (
        "server-stateless",
        "tools-list",
        "resources-list",
        "prompts-list",
        "completion-complete",
        "dns-rebinding-protection",
        "server-sse-multiple-streams",
        "caching",
        "sep-2164-resource-not-found",
        "http-header-validation",
    ),
}


@dataclass(frozen=True)
class Group:
    """Scenarios that do not apply, and why."""

    reason: str
    scenarios: tuple[str, ...]


INAPPLICABLE = (
    Group(
        "They call a tool `test_…` of the suite's own, which a server that orders goods does not offer. What "
        "ours do is tested in tests/clients and tests/orders: results, refusals, the approval form in both eras",
        (
            "tools-call-simple-text",
            "tools-call-image",
            "tools-call-audio",
            "tools-call-embedded-resource",
            "tools-call-mixed-content",
            "tools-call-error",
            "tools-call-with-logging",
            "tools-call-with-progress",
            "tools-call-sampling",
            "tools-call-elicitation",
            "elicitation-sep1034-defaults",
            "elicitation-sep1330-enums",
            "json-schema-2020-12",
            "server-sse-polling",
            "input-required-result-basic-elicitation",
            "input-required-result-basic-sampling",
            "input-required-result-basic-list-roots",
            "input-required-result-request-state",
            "input-required-result-multiple-input-requests",
            "input-required-result-multi-round",
            "input-required-result-missing-input-response",
            "input-required-result-non-tool-request",
            "input-required-result-result-type",
            "input-required-result-unsupported-methods",
            "input-required-result-tampered-state",
            "input-required-result-capability-check",
            "input-required-result-ignore-extra-params",
            "input-required-result-validate-input",
        ),
    ),
    Group(
        "They read a resource `test://…` or get a prompt `test_…` of the suite's own. Those of ours are "
        "tested in tests/people/test_resources.py and test_prompts.py, and by the inspector",
        (
            "resources-read-text",
            "resources-read-binary",
            "resources-templates-read",
            "prompts-get-simple",
            "prompts-get-with-args",
            "prompts-get-embedded-resource",
            "prompts-get-with-image",
        ),
    ),
    Group(
        "Logging to the client is not offered and not declared: logs go to stderr and to telemetry, where they "
        "cannot reach a model",
        ("logging-set-level",),
    ),
    Group(
        "Subscriptions are not offered, and not declared",
        ("resources-subscribe", "resources-unsubscribe"),
    ),
    Group(
        "The tasks extension is not offered: every call answers within the time that clients wait",
        (
            "tasks-lifecycle",
            "tasks-capability-negotiation",
            "tasks-wire-fields",
            "tasks-request-state-removal",
            "tasks-mrtr-input",
            "tasks-request-headers",
            "tasks-dispatch-and-envelope",
            "tasks-status-notifications",
            "tasks-required-task-error",
            "tasks-mrtr-composition",
        ),
    ),
    Group(
        "No argument of ours is copied into an HTTP header (`x-mcp-header`): addresses and totals do not "
        "belong into the logs of proxies",
        ("http-custom-header-server-validation",),
    ),
)

PASS_ON_NOTHING: dict[Revision, frozenset[str]] = {
    "2025-11-25": frozenset({"tools-call-simple-text", "tools-call-error"}),
    "2026-07-28": frozenset(
        {
            "tools-call-simple-text",
            "tools-call-error",
            "input-required-result-missing-input-response",
            "input-required-result-unsupported-methods",
            "input-required-result-ignore-extra-params",
            "input-required-result-validate-input",
            "tasks-status-notifications",
        }
    ),
}
"""Inapplicable ones that a refusal of the unknown tool passes; that says nothing, so they do not count."""


# The official suite: single checks of the scenarios that apply


@dataclass(frozen=True)
class Excused:
    """A check that may be other than a success, and why. `keeping`: in this one alone."""

    revision: Revision
    scenario: str
    check: str
    reason: str
    keeping: Keeping | None = None


_OWN_TOOL = "needs the tool `{}` of the suite's own; passes on this server with that tool added"
NO_SUBSCRIPTIONS = (
    "skipped: subscriptions are not offered and not declared; nothing here changes while it runs, and a POST "
    "without end would hold a place for calls"
)
EXCUSED = (
    Excused(
        "2026-07-28",
        "server-stateless",
        "sep-2575-server-rejects-undeclared-capability",
        _OWN_TOOL.format("test_missing_capability"),
    ),
    Excused(
        "2026-07-28",
        "server-stateless",
        "sep-2575-missing-capability-http-400",
        _OWN_TOOL.format("test_missing_capability"),
    ),
    *(
        Excused("2026-07-28", "server-stateless", f"sep-2575-server-{check}", NO_SUBSCRIPTIONS)
        for check in (
            "sends-subscription-ack",
            "honors-notification-filter",
            "tags-subscription-id",
            "sends-tools-list-changed-on-subscription",
            "sends-prompts-list-changed-on-subscription",
        )
    ),
    Excused(
        "2025-11-25",
        "server-sse-multiple-streams",
        "server-sse-multiple-streams-session",
        "with state keys there are no sessions, so that any replica may answer",
        "keys",
    ),
)


@dataclass(frozen=True)
class NothingToSee:
    """An applicable scenario that passes because there is nothing to look at."""

    revision: Revision
    scenario: str
    reason: str
    keeping: Keeping | None = None


NOTHING_TO_SEE = (
    NothingToSee(
        "2025-11-25", "server-sse-multiple-streams", "with state keys there are no sessions", "keys"
    ),
    NothingToSee("2025-11-25", "server-session-lifecycle", "with state keys there are no sessions", "keys"),
)


# The linters

TOOLPROOF_WARNINGS = {
    ("required-fields", "get_orders"): "each argument narrows the list, and without any it is the newest ten",
}
"""Warnings of mcp-toolproof's static checks; errors and findings of its fuzzer have no exceptions."""

TOOLGAUGE_LEAST_SCORE = 85
TOOLGAUGE_NOTES = {
    (
        "MCP025",
        "preview_order",
    ): "an example of an offer or an address is one that a model may order, or ship to",
    ("MCP025", "create_order"): "a token, total and address are copied from a preview, never made up",
    ("MCP025", "search_products"): "the words are the person's",
    (
        "MCP025",
        "get_product",
    ): "an offer is one that the person has a link to, or that was found, never made up",
    (
        "MCP023",
        "get_orders",
    ): "since and until say their form by example, and before is an order's number, no date",
    ("MCP025", "get_orders"): "its references are copied from a preview or an order, never made up",
    (
        "MCP022",
        "preview_order",
    ): "out_order_id is the buyer's own number, and 1688 adds trade types: neither has a fixed set of values",
}
"""Findings of severity `info`, but for MCP022 and MCP023 (`warning`); errors have no exceptions."""

TRIAGE_LOW = {
    (
        "MCP003",
        name,
    ): "longer than 400 characters: it says when to use it, what it costs, how money is written "
    "and what to do next, and was measured so (docs/requests.md)"
    for name in ("preview_order", "create_order", "get_orders")
}
"""Findings of mcp-triage of severity `low`, by rule and tool; `medium` and `high` have no exceptions."""
