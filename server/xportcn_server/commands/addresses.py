"""`xportcn-mcp address`: the owner's saved addresses."""

import re

import click
from pydantic import ValidationError

from xportcn_server.app import address_book_of
from xportcn_server.settings.settings import Settings
from xportcn_tools.arguments import invalid_arguments
from xportcn_tools.desk.address import province_conflict
from xportcn_tools.ledger.ledger import LedgerError
from xportcn_tools.order import Address
from xportcn_tools.order_arguments import AddressArgument

_NAME = re.compile(r"[\w.-]{1,64}")


def add_address(settings: Settings, name: str, fields: dict[str, str]) -> int:
    """Save it if it would do for an order; the exit code."""
    if not _NAME.fullmatch(name):
        return _failed("a name is 1 to 64 letters, digits, dots, dashes or underscores")
    try:
        checked = AddressArgument.model_validate(fields).model_dump(exclude_none=True)
        address_book_of(settings).save(name, checked)
    except ValidationError as error:
        return _failed(invalid_arguments(error).problem.message)
    except (LedgerError, OSError) as error:
        return _failed(str(error))
    conflict = province_conflict(Address(**checked))
    if conflict:
        click.echo(f"Note: {conflict}.", err=True)
    click.echo(f"Saved as {name}. The assistant can use it as address_name.")
    return 0


def list_addresses(settings: Settings) -> int:
    """Names with recipient and city; the exit code."""
    try:
        saved = address_book_of(settings).all()
    except LedgerError as error:
        return _failed(str(error))
    for name, fields in sorted(saved.items()):
        click.echo(f"{name}: {fields.get('full_name', '?')}, {fields.get('city', '?')}")
    if not saved:
        click.echo("No saved addresses.")
    return 0


def show_address(settings: Settings, name: str) -> int:
    """One whole address; the exit code."""
    try:
        fields = address_book_of(settings).all().get(name)
    except LedgerError as error:
        return _failed(str(error))
    if fields is None:
        return _failed(f"there is no saved address {name}")
    for field, value in fields.items():
        click.echo(f"{field:<14} {value}")
    return 0


def remove_address(settings: Settings, name: str) -> int:
    """Forget it; the exit code."""
    try:
        removed = address_book_of(settings).remove(name)
    except (LedgerError, OSError) as error:
        return _failed(str(error))
    if not removed:
        return _failed(f"there is no saved address {name}")
    click.echo(f"Removed {name}.")
    return 0


def _failed(reason: str) -> int:
    click.echo(f"xportcn-mcp: {reason}", err=True)
    return 1
