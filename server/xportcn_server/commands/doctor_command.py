"""`xportcn-mcp doctor`: checks what an order needs."""

import sys

import click

from xportcn_server.commands.shared import env_file
from xportcn_server.doctor.report import run_doctor


@click.command()
@click.option("--probe", is_flag=True, help="Find the signing rule that the account accepts.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(*, probe: bool, as_json: bool) -> None:
    """Check settings, ledger, clock and network; say what to do. Changes nothing."""
    sys.exit(run_doctor(probe=probe, as_json=as_json, env_file=env_file()))
