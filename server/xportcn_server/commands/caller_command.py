"""`xportcn-mcp caller`: the callers of the HTTP server, and their bearer tokens."""

from pathlib import Path

import click

from xportcn_server.commands.shared import current_settings, say, stop, tell, with_ledger
from xportcn_server.http.callers import (
    OAUTH_PREFIX,
    PREFIX,
    CallersError,
    entries_of,
    new_caller,
    new_token,
    remove_caller,
)
from xportcn_server.page.sessions import Sessions
from xportcn_tools.clock import utc_now
from xportcn_tools.ledger.approvals import Visitor
from xportcn_tools.money import yuan


@click.group()
def caller() -> None:
    """Callers of the HTTP server."""


@caller.command("new")
@click.argument("name")
@click.option("--digest-only", is_flag=True, help="Print the token and its config line; write no file.")
def caller_new(name: str, *, digest_only: bool) -> None:
    """Add a caller to the file XPORTCN_CALLERS. Prints the bearer token, once.

    --digest-only is for a file that is kept elsewhere, and for a second token while one is rotated.
    """
    if digest_only:
        token, digest = new_token()
        say(token)
        tell(
            'For [callers.{name}] in the callers\' file: token_sha256 = "{digest}"',
            err=True,
            name=name,
            digest=digest,
        )
        return
    path = _file()
    try:
        token = new_caller(path, name)
    except CallersError as error:
        stop(error)
    say(token)
    tell(
        "This is the bearer token of {name}; it is shown this once. {path} holds its SHA-256.",
        err=True,
        name=name,
        path=path,
    )


@caller.command("list")
def caller_list() -> None:
    """Print a line for each caller: the name, and what its entry sets."""
    path = _file()
    try:
        entries = entries_of(path) if path.exists() else {}
    except CallersError as error:
        stop(error)
    for name, entry in entries.items():
        own = entry.model_dump(exclude={"token_sha256"}, exclude_none=True)
        shown = [f"{key} {yuan(value) if key.endswith('_cny') else value}" for key, value in own.items()]
        say("  ".join([name, *shown]))


@caller.command("remove")
@click.argument("name")
def caller_remove(name: str) -> None:
    """Take a caller out of the file XPORTCN_CALLERS. Its token is refused from its next request on."""
    path = _file()
    try:
        remove_caller(path, name)
        left = entries_of(path)
    except CallersError as error:
        stop(error)
    tell("{name} is no longer in {path}. Its orders stay in the ledger.", err=True, name=name, path=path)
    if not left:
        tell(
            "It was the last one: everybody is refused, and no server starts with this file, "
            "until `xportcn-mcp caller new NAME`.",
            err=True,
        )


@caller.command("page")
@click.argument("name", required=False)
@click.option("--oauth", metavar="ISS|SUB", help="A caller of the OAuth issuer, instead of NAME.")
def caller_page(name: str | None, oauth: str | None) -> None:
    """Print a code with which a caller signs in at the page. It works once, within ten minutes.

    The page shows this caller's previews and orders, and takes the yes for them.
    """
    if bool(name) == bool(oauth) or (oauth and "|" not in oauth):
        raise click.UsageError(
            "name either a caller of the file, or one of the issuer with --oauth 'ISS|SUB'"
        )
    try:
        known = entries_of(_file()) if name else ()
    except CallersError as error:
        stop(error, 1)
    if name and name not in known:
        stop(f"there is no caller {name}", 1)
    visitor = Visitor(f"{PREFIX}{name}" if name else f"{OAUTH_PREFIX}{oauth}")
    say(with_ledger(current_settings(), lambda ledger: Sessions(ledger, utc_now).new_code(visitor)))
    tell("Enter it at the server's address, at /, within ten minutes; it works once.", err=True)


def _file() -> Path:
    path = current_settings().callers
    if path is None:
        stop("XPORTCN_CALLERS names no file: set it to where the callers are to be kept")
    return path
