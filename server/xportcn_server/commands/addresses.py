"""`xportcn-mcp address`: the owner's saved addresses."""

import re

import click
from pydantic import ValidationError

from xportcn_server.commands.shared import current_settings, language, say, stop, tell
from xportcn_server.parts import address_book_of
from xportcn_tools.desk.address import address_warnings, is_municipality
from xportcn_tools.ledger.address_book import AddressBook
from xportcn_tools.ledger.ledger import LedgerError
from xportcn_tools.order import Address
from xportcn_tools.wording import worded

_NAME = re.compile(r"[\w.-]{1,64}")
_ASKED = {
    "full_name": "Full name",
    "mobile": "Mobile",
    "province": "Province",
    "city": "City",
    "address": "Street and number",
}


@click.group()
def address() -> None:
    """Saved addresses, used by name. They need not pass through the model."""


def _book() -> AddressBook:
    return address_book_of(current_settings())


@address.command("add")
@click.argument("name")
@click.option("--full-name")
@click.option("--mobile")
@click.option("--province")
@click.option("--city", help="May be left out for 北京, 上海, 天津, 重庆, 香港 and 澳门.")
@click.option("--address", help="Street and number.")
@click.option("--area", default="")
@click.option("--town", default="")
@click.option("--post-code", default="")
@click.option("--phone", default="")
@click.option(
    "--district-code", default="", help="GB/T 2260, six digits; the upstream follows it, not the texts."
)
def address_add(name: str, **fields: str | None) -> None:
    """Save an address under NAME; asks for what is not given."""
    from xportcn_tools.preview_order import AddressArgument
    from xportcn_tools.tool import invalid_arguments

    for field, words in _ASKED.items():
        is_province = field == "city" and is_municipality(fields["province"] or "")
        if fields[field] is None and not is_province:
            fields[field] = click.prompt(worded(language(), words))
    book = _book()
    if not _NAME.fullmatch(name):
        stop("a name is 1 to 64 letters, digits, dots, dashes or underscores", 1)
    try:
        checked = AddressArgument.model_validate(fields).model_dump(exclude_none=True)
        before = book.all().get(name)
        book.save(name, checked)
    except ValidationError as error:
        stop(invalid_arguments(error).problem.message, 1)
    except (LedgerError, OSError) as error:
        stop(error, 1)
    for warning in address_warnings(Address(**checked)):
        tell("Note: {text_}", err=True, text_=warning.message)
    if before and before != checked:
        was = f"{before.get('full_name', '?')}, {before.get('city', '?')}"
        tell("It replaces the earlier address of this name: {was}.", was=was)
    tell("Saved as {name}. The assistant can use it as address_name.", name=name)


@address.command("list")
def address_list() -> None:
    """List the names, with recipient and city."""
    try:
        saved = _book().all()
    except LedgerError as error:
        stop(error, 1)
    for name, fields in sorted(saved.items()):
        say(f"{name}: {fields.get('full_name', '?')}, {fields.get('city', '?')}")
    if not saved:
        tell("No saved addresses.")


@address.command("show")
@click.argument("name")
def address_show(name: str) -> None:
    """Show one whole address."""
    try:
        fields = _book().all().get(name)
    except LedgerError as error:
        stop(error, 1)
    if fields is None:
        stop(f"no saved address has the name {name}", 1)
    for field, value in fields.items():
        say(f"{field:<14} {value}")


@address.command("remove")
@click.argument("name")
def address_remove(name: str) -> None:
    """Forget an address. Orders keep theirs."""
    try:
        removed = _book().remove(name)
    except (LedgerError, OSError) as error:
        stop(error, 1)
    if not removed:
        stop(f"no saved address has the name {name}", 1)
    tell("Removed {name}.", name=name)
