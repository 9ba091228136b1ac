"""The one line of the log that tells how an order ended."""

import logging

from xportcn_tools.ledger.ledger import Outcome

_outcomes = logging.getLogger("xportcn.orders")


def log_outcome(out_order_id: str, outcome: Outcome) -> None:
    """One line, heard whatever the log level, without the problem's text, which may be the upstream's."""
    _outcomes.info(
        "order %s: %s, order ids %s, request id %s, problem %s",
        out_order_id,
        outcome.state,
        ", ".join(outcome.order_ids) or "none",
        outcome.request_id or "none",
        outcome.problem_code or "none",
    )
