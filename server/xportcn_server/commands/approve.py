"""`xportcn-mcp approve`: a person says yes to a preview outside the conversation with the model."""

import sys

import click

from xportcn_server.commands.shared import current_settings, with_ledger
from xportcn_server.settings.settings import Settings
from xportcn_tools.desk.desk import LOCAL_CALLER
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.desk.present import goods_shown
from xportcn_tools.desk.question import question
from xportcn_tools.ledger.ledger import LedgerError
from xportcn_tools.money import yuan
from xportcn_tools.results import timestamp


@click.command()
@click.argument("code", required=False)
@click.option("--list", "listing", is_flag=True, help="Show what waits for approval.")
def approve(code: str | None, *, listing: bool) -> None:
    """Approve a preview outside the conversation: shows it, asks, records the yes."""
    if listing == bool(code):
        raise click.UsageError("say either a CODE or --list")
    sys.exit(approve_preview(current_settings(), code) if code else list_waiting(current_settings()))


def approve_preview(settings: Settings, code: str) -> int:
    """Show the same summary as the form does, ask, record; the exit code (0: approved)."""
    if settings.mode == "preview":
        # The text would say that nothing is bought, and a live server on this ledger would take the yes.
        click.echo("xportcn-mcp: mode preview creates nothing, so there is nothing to approve", err=True)
        return 1
    try:
        preview = with_ledger(settings, lambda ledger: Operator(ledger).to_approve(code))
        if preview.caller != LOCAL_CALLER:
            click.echo(f"Asked for by {_in_one_line(preview.caller)}")
        click.echo(question(settings.mode, preview))
        if not click.confirm("Approve"):
            click.echo("Not approved; nothing was recorded.", err=True)
            return 1
        with_ledger(settings, lambda ledger: Operator(ledger).approve(code))
    except (LedgerError, RefusedError) as error:
        click.echo(f"xportcn-mcp: {error}", err=True)
        return 1
    click.echo("Approved. The assistant can call create_order now; the order is placed only then.")
    return 0


def list_waiting(settings: Settings) -> int:
    """Print a line a preview that waits for approval, newest first; the exit code."""
    try:
        waiting = with_ledger(settings, lambda ledger: Operator(ledger).waiting())
    except LedgerError as error:
        click.echo(f"xportcn-mcp: {error}", err=True)
        return 1
    for preview in waiting:
        click.echo(
            f"{preview.approval_code}  {yuan(preview.payable_fen):>10} CNY  until "
            f"{timestamp(preview.expires_at)}  {preview.out_order_id}  {goods_shown(preview.shown)}"
            f"  to {preview.ship_to}"
            + ("" if preview.caller == LOCAL_CALLER else f"  for {_in_one_line(preview.caller)}")
        )
    if not waiting:
        click.echo("Nothing waits for approval.")
    return 0


def _in_one_line(caller: str) -> str:
    """A name that an issuer gave, where it must not read like a line of ours."""
    return "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in caller)
