"""The command line. Larger commands have a module of their own and are loaded when they are called."""

import io
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

import click

from xportcn_server.settings.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from xportcn_server.commands.client_config import Client


def _stop(reason: str) -> NoReturn:
    click.echo(f"xportcn-mcp: {reason}", err=True)
    sys.exit(2)


def read_settings() -> Settings:
    """The settings, or the end: one line on stderr, exit 2, no traceback."""
    try:
        settings = load_settings()
    except SettingsError as error:
        _stop(str(error))
    if settings.ledger_url and find_spec("psycopg") is None:
        _stop("XPORTCN_LEDGER is a postgresql:// URL: it needs pip install 'xportcn-mcp[postgres]'")
    return settings


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xportcn-mcp")
@click.pass_context
def main(context: click.Context) -> None:
    """MCP server to order from 1688 suppliers through Xportcn. Without a command: serve on stdio."""
    # A console that knows no Chinese shows escapes: a name must not cost the command.
    for stream in (sys.stdout, sys.stderr):  # noqa: TID251 - nothing is printed
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if context.invoked_subcommand is None:
        context.invoke(serve)


@main.command()
@click.option("--http", "over_http", is_flag=True, help="Streamable HTTP at /mcp instead of stdio.")
@click.option("--host", default="127.0.0.1", show_default=True, help="With --http.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="With --http.")
def serve(*, over_http: bool, host: str, port: int) -> None:
    """Serve MCP on stdio (what Claude Desktop starts), or over HTTP."""
    from xportcn_server.stdio.pipes import take_wire

    wire = None if over_http else take_wire()  # before anything that might print is imported
    settings = read_settings()
    from xportcn_server.logs import configure_logging

    configure_logging(settings.log_level, settings.log_format)
    from xportcn_server.serve import StartError, serve_over_stdio

    try:
        if wire:
            serve_over_stdio(settings, wire)
        else:
            from xportcn_server.http.start_http import serve_over_http

            serve_over_http(settings, host, port)
    except StartError as error:
        _stop(str(error))


@main.group()
def caller() -> None:
    """Callers of the HTTP server."""


@caller.command("new")
@click.argument("name")
@click.option("--digest-only", is_flag=True, help="Write no file: print the line for it, too.")
def caller_new(name: str, *, digest_only: bool) -> None:
    """Add a caller to the file XPORTCN_CALLERS; prints the bearer token, once.

    --digest-only is for a file that is kept elsewhere, and for a second token while one is rotated.
    """
    from xportcn_server.http.callers import CallersError, new_caller, new_token

    if digest_only:
        token, digest = new_token()
        click.echo(token)
        click.echo(f'For [callers.{name}] in the callers\' file: token_sha256 = "{digest}"', err=True)
        return
    path = read_settings().callers
    if path is None:
        _stop("XPORTCN_CALLERS names no file: set it to where the callers are to be kept")
    try:
        token = new_caller(path, name)
    except CallersError as error:
        _stop(str(error))
    click.echo(token)
    click.echo(
        f"This is the bearer token of {name}; it is shown this once. {path} holds its SHA-256.", err=True
    )


@main.command()
@click.option("--mode", type=click.Choice(["auto", "legacy"]), default="auto", help="Protocol era.")
def demo(mode: str) -> None:
    """Show the whole conversation on the sandbox: preview, approval, create, repeat, look-up."""
    from xportcn_server.commands.demo import run_demo

    sys.exit(run_demo(mode))


@main.command("client-config")
@click.argument(
    "client", required=False, type=click.Choice(["claude-desktop", "claude-code", "vscode", "cursor"])
)
def client_config(client: "Client | None") -> None:
    """Print the configuration with which a client starts this installation. Without a client: all."""
    from xportcn_server.commands.client_config import print_client_config

    print_client_config(read_settings(), client)


@main.command()
@click.option("--probe", is_flag=True, help="Find the signing rule that the account accepts.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(*, probe: bool, as_json: bool) -> None:
    """Check settings, ledger, clock and network; say what to do. Changes nothing."""
    from xportcn_server.doctor.report import run_doctor

    sys.exit(run_doctor(probe=probe, as_json=as_json))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=9900, show_default=True)
@click.option("--shape", type=click.Choice(["object", "list"]), default="object", show_default=True)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Fail like this; may be repeated.")
def sandbox(host: str, port: int, shape: str, faults: tuple[str, ...]) -> None:
    """Serve the sandbox upstream on its own, over HTTP."""
    from xportcn_server.commands.sandbox_command import run_sandbox

    run_sandbox(host, port, "list" if shape == "list" else "object", faults)


@main.group(invoke_without_command=True)
@click.pass_context
def orders(context: click.Context) -> None:
    """Look at the ledger. Without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(orders_list)


@orders.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def orders_list(limit: int) -> None:
    """List orders, newest first."""
    from xportcn_server.commands.orders import list_orders

    sys.exit(list_orders(read_settings(), limit))


@orders.command("show")
@click.argument("reference")
def orders_show(reference: str) -> None:
    """Show one order: by out_order_id or order id."""
    from xportcn_server.commands.orders import show_order

    sys.exit(show_order(read_settings(), reference))


@orders.command("resolve")
@click.argument("reference")
@click.argument("order_ids", nargs=-1, metavar="[ID]...")
@click.option("--placed", is_flag=True, help="The order exists; name its ids.")
@click.option("--absent", is_flag=True, help="No order exists.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def orders_resolve(
    reference: str, order_ids: tuple[str, ...], *, placed: bool, absent: bool, yes: bool
) -> None:
    """End an order of unknown outcome: REF --placed ID... or REF --absent."""
    from xportcn_server.commands.resolve import resolve_order

    if placed == absent:
        raise click.UsageError("say either --placed with the order ids, or --absent")
    if placed != bool(order_ids):
        raise click.UsageError("--placed needs the order ids, and --absent takes none")
    sys.exit(resolve_order(read_settings(), reference, order_ids, ask=not yes))


@main.command()
@click.argument("code", required=False)
@click.option("--list", "listing", is_flag=True, help="Show what waits for approval.")
def approve(code: str | None, *, listing: bool) -> None:
    """Approve a preview outside the conversation: shows it, asks, records the yes."""
    from xportcn_server.commands.approve import approve_preview, list_waiting

    if listing == bool(code):
        raise click.UsageError("say either a CODE or --list")
    settings = read_settings()
    sys.exit(approve_preview(settings, code) if code else list_waiting(settings))


@main.group()
def address() -> None:
    """Saved addresses, used by name so that they need not pass through the model."""


@address.command("add")
@click.argument("name")
@click.option("--full-name", prompt=True)
@click.option("--mobile", prompt=True)
@click.option("--province", prompt=True)
@click.option("--city", prompt=True)
@click.option("--address", "street", prompt=True, help="Street and number.")
@click.option("--area", default="")
@click.option("--town", default="")
@click.option("--post-code", default="")
@click.option("--phone", default="")
@click.option("--district-code", default="", help="GB/T 2260, six digits; wins over the texts upstream.")
def address_add(name: str, **fields: str) -> None:
    """Save an address under NAME; asks for what is not given."""
    from xportcn_server.commands.addresses import add_address

    fields["address"] = fields.pop("street")
    sys.exit(add_address(read_settings(), name, fields))


@address.command("list")
def address_list() -> None:
    """List the names, with recipient and city."""
    from xportcn_server.commands.addresses import list_addresses

    sys.exit(list_addresses(read_settings()))


@address.command("show")
@click.argument("name")
def address_show(name: str) -> None:
    """Show one whole address."""
    from xportcn_server.commands.addresses import show_address

    sys.exit(show_address(read_settings(), name))


@address.command("remove")
@click.argument("name")
def address_remove(name: str) -> None:
    """Forget an address. Orders keep theirs."""
    from xportcn_server.commands.addresses import remove_address

    sys.exit(remove_address(read_settings(), name))
