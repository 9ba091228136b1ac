"""`xportcn-mcp forget REF`: erases the personal data of one order."""

from pathlib import Path

import click

from xportcn_server.commands.shared import current_settings, stop, tell, with_ledger
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.ledger.backup import fold_in
from xportcn_tools.ledger.ledger import LedgerError


@click.command()
@click.argument("reference")
def forget(reference: str) -> None:
    """Erase name, address and message of one order. By out_order_id or order id. Sums and trail stay."""
    settings = current_settings()
    try:
        number = with_ledger(settings, lambda ledger: Operator(ledger).forget(reference))
    except RefusedError as error:
        stop(error, 1)
    tell(
        "Order {number}: name, address and message are erased. Backups made before still hold them.",
        number=number,
    )
    if settings.ledger_path:
        try:
            fold_in(Path(settings.ledger))
        except LedgerError as error:
            stop(f"the file could not be rewritten and may still hold traces ({error}); run this again", 1)
