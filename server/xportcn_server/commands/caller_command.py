"""`xportcn-mcp caller`: the callers of the HTTP server, and their bearer tokens."""

import click

from xportcn_server.commands.shared import current_settings, stop
from xportcn_server.http.callers import CallersError, new_caller, new_token


@click.group()
def caller() -> None:
    """Callers of the HTTP server."""


@caller.command("new")
@click.argument("name")
@click.option("--digest-only", is_flag=True, help="Print the token and its config line; write no file.")
def caller_new(name: str, *, digest_only: bool) -> None:
    """Add a caller to the file XPORTCN_CALLERS; prints the bearer token, once.

    --digest-only is for a file that is kept elsewhere, and for a second token while one is rotated.
    """
    if digest_only:
        token, digest = new_token()
        click.echo(token)
        click.echo(f'For [callers.{name}] in the callers\' file: token_sha256 = "{digest}"', err=True)
        return
    path = current_settings().callers
    if path is None:
        stop("XPORTCN_CALLERS names no file: set it to where the callers are to be kept")
    try:
        token = new_caller(path, name)
    except CallersError as error:
        stop(error)
    click.echo(token)
    click.echo(
        f"This is the bearer token of {name}; it is shown this once. {path} holds its SHA-256.", err=True
    )
