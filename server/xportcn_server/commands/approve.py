"""`xportcn-mcp approve`: a person says yes to a preview outside the conversation with the model."""

import sys

import click

from xportcn_server.commands.shared import RefusedError, current_settings, with_ledger
from xportcn_server.settings.settings import Settings
from xportcn_tools.desk.desk import LOCAL_CALLER
from xportcn_tools.desk.question import question
from xportcn_tools.ledger.ledger import Ledger, LedgerError, OrderQuery, PreviewRecord, Realm
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
        preview = with_ledger(settings, lambda ledger, realm: _waiting(ledger, realm, code))
        if preview.caller != LOCAL_CALLER:
            click.echo(f"Asked for by {_in_one_line(preview.caller)}")
        click.echo(question(settings.mode, preview.shown, preview.request, preview.out_order_id))
        if not click.confirm("Approve"):
            click.echo("Not approved; nothing was recorded.", err=True)
            return 1
        # Looked at again: a person may take longer over it than the preview lives.
        with_ledger(settings, lambda ledger, realm: _approve(ledger, realm, code))
    except (LedgerError, RefusedError) as error:
        click.echo(f"xportcn-mcp: {error}", err=True)
        return 1
    click.echo("Approved. The assistant can call create_order now; the order is placed only then.")
    return 0


def list_waiting(settings: Settings) -> int:
    """Print a line a preview that waits for approval, newest first; the exit code."""
    try:
        waiting = with_ledger(settings, lambda ledger, realm: ledger.waiting(realm))
    except LedgerError as error:
        click.echo(f"xportcn-mcp: {error}", err=True)
        return 1
    for preview in waiting:
        click.echo(
            f"{preview.approval_code}  {yuan(preview.payable_fen):>10} CNY  until "
            f"{timestamp(preview.expires_at)}  {preview.out_order_id}  to {preview.ship_to}"
            + ("" if preview.caller == LOCAL_CALLER else f"  for {_in_one_line(preview.caller)}")
        )
    if not waiting:
        click.echo("Nothing waits for approval.")
    return 0


def _in_one_line(caller: str) -> str:
    """A name that an issuer gave, where it must not read like a line of ours."""
    return "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in caller)


async def _waiting(ledger: Ledger, realm: Realm, code: str) -> PreviewRecord:
    preview = await ledger.preview_by_code(realm, code.strip().upper())
    if preview is None:
        raise RefusedError(f"no preview has the code {code}")
    ordered = await ledger.orders(OrderQuery(realm, None, preview_id=preview.preview_id, limit=1))
    for order in ordered:
        raise RefusedError(f"this preview was ordered already: {order.out_order_id} is {order.state}")
    if preview.preview_id not in {other.preview_id for other in await ledger.waiting(realm)}:
        if await ledger.is_approved(preview.preview_id):
            raise RefusedError("this preview is approved already")
        raise RefusedError(f"this preview expired at {timestamp(preview.expires_at)}")
    return preview


async def _approve(ledger: Ledger, realm: Realm, code: str) -> None:
    await ledger.approve(await _waiting(ledger, realm, code))
