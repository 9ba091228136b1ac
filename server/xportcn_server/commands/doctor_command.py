"""`xportcn-mcp doctor`: checks what an order needs."""

import sys
from pathlib import Path

import click

from xportcn_server.commands.shared import env_file, record_option
from xportcn_server.doctor.report import run_doctor


@click.command()
@click.option("--probe", is_flag=True, help="Find signing rule, unit and paths by calls that read.")
@click.option("--live", is_flag=True, help="Print the list for the first live day.")
@click.option("--whole", is_flag=True, help="Look at each page and row of a large ledger, too.")
@record_option
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(*, probe: bool, live: bool, whole: bool, folder: Path | None, as_json: bool) -> None:
    """Check settings, ledger, clock, network and account. Says what to do, and changes nothing."""
    sys.exit(
        run_doctor(probe=probe, live=live, whole=whole, folder=folder, as_json=as_json, env_file=env_file())
    )
