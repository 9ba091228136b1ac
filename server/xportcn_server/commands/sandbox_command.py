"""`xportcn-mcp sandbox`: the sandbox upstream on a port, with faults on demand."""

import anyio
import click

from xportcn_server.commands.shared import stop
from xportcn_server.sandbox.access import SANDBOX_CREDENTIALS
from xportcn_server.sandbox.faults import FAULTS
from xportcn_server.sandbox.service import build_sandbox
from xportcn_server.sandbox.serving_http import serve_sandbox


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=9900, show_default=True)
@click.option("--shape", type=click.Choice(["object", "list"]), default="object", show_default=True)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Fail like this; may be repeated.")
@click.argument("more", nargs=-1, metavar="[NAME]...")
def sandbox(host: str, port: int, shape: str, faults: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Serve the sandbox upstream on its own, over HTTP. NAMEs behind --fault are faults, too."""
    if more and not faults:
        raise click.UsageError(f"name a fault with --fault, as in --fault {more[0]}")
    upstream = build_sandbox("list" if shape == "list" else "object")
    for name in (*faults, *more):  # each lasts, for every endpoint that it applies to
        if name not in FAULTS or FAULTS[name].in_process_only:
            known = ", ".join(sorted(name for name, fault in FAULTS.items() if not fault.in_process_only))
            stop(f"there is no fault {name!r} on a port; there are: {known}")
        for endpoint in FAULTS[name].endpoints:
            upstream.faults.add(name, endpoint, times=None)

    def ready(base_url: str) -> None:
        click.echo(f"sandbox upstream at {base_url}; reach it with these settings:")
        click.echo(f"  XPORTCN_MODE=live\n  XPORTCN_BASE_URL={base_url}")
        click.echo(f"  XPORTCN_ACCESS_KEY={SANDBOX_CREDENTIALS.access_key}")
        click.echo(f"  XPORTCN_ACCESS_SECRET={SANDBOX_CREDENTIALS.access_secret}")
        click.echo(f"  XPORTCN_USER_ID={SANDBOX_CREDENTIALS.user_id}")
        if faults:
            click.echo(f"faults: {', '.join((*faults, *more))}")

    try:
        anyio.run(serve_sandbox, upstream, host, port, ready)
    except OSError as error:
        stop(f"the sandbox cannot listen on {host}:{port}: {error.strerror}", 1)
