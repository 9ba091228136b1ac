"""What the commands share: reading the settings, opening the ledger, and ending in one line."""

import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar
from unicodedata import east_asian_width

import anyio
import click

from xportcn_server.parts import ledger_of
from xportcn_server.settings.loaded import Loaded, SettingsError, read_settings, usable
from xportcn_server.settings.settings import Settings
from xportcn_tools.ledger.ledger import Ledger, LedgerError
from xportcn_tools.upstream.clean import escaped
from xportcn_tools.wording import UiLanguage, reworded, worded

if TYPE_CHECKING:
    from xportcn_tools.results import OrderResult

T = TypeVar("T")


def say(text: str, *, err: bool = False) -> None:
    """A line or more for a person; what others wrote in it does not act on the terminal."""
    click.echo(escaped(text), err=err)


def padded(text: str, columns: int) -> str:
    """Filled up to a column of the terminal, where a Chinese character takes two."""
    return text + " " * (columns - sum(2 if east_asian_width(each) in "WF" else 1 for each in text))


def language() -> UiLanguage:
    """The owner's, whatever is wrong with other settings."""
    return read_settings(env_file=env_file()).settings.language


def tell(english: str, /, *, err: bool = False, **places: object) -> None:
    """Say a sentence of ours in the owner's language."""
    say(worded(language(), english, **places), err=err)


def difference_warning(order: "OrderResult", language: UiLanguage) -> str:
    """The warning that the upstream has an order otherwise than it was approved; empty where it has not."""
    found = order.differences()
    if not found:
        return ""
    return worded(
        language,
        "WARNING: order {number} is no longer as it was approved: {differences_}. "
        "Ask the seller before you pay.",
        number=order.out_order_id,
        differences_="; ".join(found),
    )


def stop(reason: object, code: int = 2) -> NoReturn:
    """End with one line on stderr. Code 2: it did not start; 1: it started and failed."""
    say(f"xportcn-mcp: {reworded(language(), str(reason))}", err=True)
    sys.exit(code)


@contextmanager
def progress_bar(label: str, length: int) -> Generator[Callable[[int], None]]:
    """A bar on stderr, where that is a terminal, which moves a hundred times at most."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    steps = length // 100
    with click.progressbar(
        length=length, label=worded(language(), label), file=sys.stderr, update_min_steps=steps
    ) as bar:
        yield bar.update


def _new(_context: click.Context, _option: click.Parameter, folder: Path | None) -> Path | None:
    if folder and folder.exists():
        raise click.BadParameter(f"{folder} is there already; name a folder that does not exist yet")
    return folder


record_option = click.option(
    "--record",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    callback=_new,
    help="Keep the answers in a new folder, scrubbed.",
)


def loaded_settings() -> Loaded:
    """The settings and where they come from, or the end: one line on stderr, exit 2, no traceback."""
    try:
        loaded = usable(read_settings(env_file=env_file()))
    except SettingsError as error:
        stop(error)
    if loaded.settings.ledger_url and find_spec("psycopg") is None:
        stop("XPORTCN_LEDGER is a postgresql:// URL: it needs pip install 'xportcn-mcp[postgres]'")
    return loaded


def current_settings() -> Settings:
    """The settings, or the end, as above."""
    return loaded_settings().settings


def env_file() -> str | None:
    """The path after `--env-file`, which is an option of the program, before the command."""
    return click.get_current_context().find_root().params.get("env_file")


def with_ledger(settings: Settings, work: Callable[[Ledger], Awaitable[T]]) -> T:
    """Run `work` on the opened ledger, or end: it cannot be read or written."""

    async def run() -> T:
        ledger = ledger_of(settings)
        try:
            await ledger.open()
            return await work(ledger)
        finally:
            await ledger.aclose()

    try:
        return anyio.run(run)
    except LedgerError as error:
        stop(f"the ledger cannot be read or written: {error}", 1)
