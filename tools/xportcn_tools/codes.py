"""Codes of warnings and problems, as the contract has them. Pure."""

from typing import Literal

WarningCode = Literal[
    "goods_not_named",
    "below_minimum",
    "not_in_lots",
    "low_stock",
    "platform_chooses",
    "freight_by_description",
    "no_cross_border_pay",
    "address_conflict",
    "address_abroad",
    "recent_identical_order",
    "earlier_order_unknown",
    "promotion_not_priced",
    "unverified_fee",
    "unverified_unit",
    "over_budget",
]
ProblemCode = Literal[
    "invalid_arguments",
    "unknown_token",
    "token_expired",
    "echo_mismatch",
    "terms_changed",
    "choose_option",
    "product_not_found",
    "product_unavailable",
    "several_sellers",
    "not_orderable",
    "units_unclear",
    "over_limit",
    "approval_declined",
    "approval_required",
    "orders_disabled",
    "paused",
    "duplicate_reference",
    "earlier_order_unknown",
    "order_in_progress",
    "upstream_rejected",
    "upstream_unauthorized",
    "upstream_busy",
    "upstream_unavailable",
    "outcome_unknown",
    "ledger_unavailable",
    "not_found",
]

Environment = Literal["sandbox", "preview", "live"]
MODE_WORDS: dict[Environment, str] = {
    "sandbox": "SANDBOX: nothing real is bought",
    "preview": "PREVIEW MODE: prices are real and create_order is refused (orders_disabled)",
    "live": "LIVE: real orders, real money",
}

RESOLVE = "`xportcn-mcp orders resolve {reference} --placed ORDER_ID…` or `… --absent`"
"""How the owner records what became of an order of unknown outcome."""
SETTLE = f"the owner must look for it in the Xportcn account, then say what they found with {RESOLVE}"
"""What an assistant tells the person about such an order."""
