"""`xportcn-mcp approve`: a person says yes to a preview outside the conversation with the model."""

import sys
from functools import partial
from zoneinfo import ZoneInfo

import click

from xportcn_server.commands.shared import current_settings, say, stop, tell, with_ledger
from xportcn_server.settings.settings import Settings
from xportcn_tools.clock import local_time
from xportcn_tools.desk.last_time import since_last_time
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.desk.policy import LOCAL_CALLER
from xportcn_tools.desk.present import goods_shown
from xportcn_tools.desk.question import named, question
from xportcn_tools.money import yuan
from xportcn_tools.upstream.clean import escaped
from xportcn_tools.wording import worded


@click.command()
@click.argument("code", required=False)
@click.option("--list", "listing", is_flag=True, help="Show what waits for approval.")
def approve(code: str | None, *, listing: bool) -> None:
    """Approve a preview outside the conversation. Shows it, asks, records the yes."""
    if listing == bool(code):
        raise click.UsageError("say either a CODE or --list")
    settings = current_settings()
    if settings.mode == "preview":
        # The text would say that nothing is bought, and a live server on this ledger would take the yes.
        stop("mode preview creates nothing, so there is nothing to approve", 1)
    if code:
        _approve(settings, code)
    else:
        _list(settings)


def _approve(settings: Settings, code: str) -> None:
    """Show the same summary as the form does, ask, record."""
    try:
        preview = with_ledger(settings, lambda ledger: Operator(ledger).to_approve(code))
        if preview.caller != LOCAL_CALLER:
            tell("Asked for by {caller}", caller=escaped(preview.caller, keep=""))
        bought = with_ledger(settings, lambda ledger: Operator(ledger).bought([preview]))[preview.caller]
        for line in preview.shown.lines:
            for sentence in since_last_time(line, bought, settings.language, ZoneInfo(settings.timezone)):
                tell("{goods}: {sentence}", goods=named(line, settings.language), sentence=sentence)
        say(question(settings.mode, preview, settings.language))
        if not click.confirm(worded(settings.language, "Approve")):
            with_ledger(settings, lambda ledger: Operator(ledger).decline(preview))
            tell("Not approved; the trail has your no.", err=True)
            sys.exit(1)
        with_ledger(settings, lambda ledger: Operator(ledger).approve(code))
    except RefusedError as why:
        stop(f"{why}; `xportcn-mcp approve --list` lists what waits", 1)
    tell("Approved. The assistant can call create_order now; the order is placed only then.")


def _list(settings: Settings) -> None:
    """Print a line a preview that waits for approval, newest first."""
    waiting = with_ledger(settings, lambda ledger: Operator(ledger).waiting())
    t, when = partial(worded, settings.language), local_time(ZoneInfo(settings.timezone))
    for at, preview in enumerate(waiting):
        until = t("until {time}", time=when(preview.expires_at))
        words = [f"{preview.approval_code}  {yuan(preview.payable_fen):>10} CNY", until, preview.out_order_id]
        words += [goods_shown(preview.shown, settings.language), t("to {ship_to}", ship_to=preview.ship_to)]
        if preview.caller != LOCAL_CALLER:
            words.append(t("for {caller}", caller=escaped(preview.caller, keep="")))
        if any(newer.has_number_of(preview) for newer in waiting[:at]):
            words.append(t("(a newer preview has this number; only one of them can be ordered)"))
        say("  ".join(words))
    if not waiting:
        tell("Nothing waits for approval.")
