"""`xportcn-mcp pause` and `resume`: the owner stops all creates on this ledger, and lets them go on."""

import click

from xportcn_server.commands.shared import current_settings, stop, tell, with_ledger
from xportcn_tools.desk.operator import Operator, RefusedError


@click.command()
@click.option("--reason", default="", metavar="TEXT", help="Every refused order shows this text.")
def pause(reason: str) -> None:
    """Let no order leave until `resume`. In any process on this ledger."""
    with_ledger(current_settings(), lambda ledger: Operator(ledger).pause(reason))
    tell("Paused: no order leaves until `xportcn-mcp resume`. One that is being sent now is not stopped.")


@click.command()
def resume() -> None:
    """End the pause."""
    try:
        with_ledger(current_settings(), lambda ledger: Operator(ledger).resume())
    except RefusedError as error:
        stop(error, 1)
    tell("Resumed: orders can be placed again.")
