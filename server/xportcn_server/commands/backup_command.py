"""`xportcn-mcp backup FILE`: a whole, verified copy of the ledger while servers run."""

from pathlib import Path

import click

from xportcn_server.commands.shared import current_settings, stop, tell, with_ledger
from xportcn_tools.ledger.audit import BrokenTrailError
from xportcn_tools.ledger.backup import back_up
from xportcn_tools.ledger.ledger import LedgerError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the ledger to FILE, and verify the copy. FILE must not exist yet."""
    settings = current_settings()
    if settings.ledger_url:
        line = f'pg_dump --format=custom --file={file} "$XPORTCN_LEDGER"'
        stop(f"a PostgreSQL ledger is copied by its own tool: {line}", 1)
    if not Path(settings.ledger).is_file():
        stop(f"there is no ledger at {settings.ledger} yet, so nothing to copy: the first start makes it", 1)
    try:
        verdict = back_up(Path(settings.ledger), file)
        with_ledger(settings, lambda ledger: ledger.backed_up())
    except FileExistsError:
        stop(f"{file} exists: name a new file", 1)
    except BrokenTrailError as error:
        stop(f"{file} is a whole copy of a ledger whose trail is broken: {error}", 1)
    except (LedgerError, OSError) as error:
        stop(error, 1)
    rows, orders = f"{verdict.rows:,}", f"{verdict.orders or 0:,}"
    tell("{file}: {rows} rows of the trail, {orders} orders, verified.", file=file, rows=rows, orders=orders)
    tell("The last hash is {head}", head=verdict.head)
