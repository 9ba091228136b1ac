"""`xportcn-mcp serve`: the MCP server. What it needs is imported after stdout has been taken for MCP."""

import click


@click.command()
@click.option("--http", "over_http", is_flag=True, help="Streamable HTTP at /mcp instead of stdio.")
@click.option("--host", help="With --http; 127.0.0.1 unless named.")
@click.option("--port", type=click.IntRange(0, 65535), help="With --http; 8000 unless named.")
def serve(*, over_http: bool, host: str | None, port: int | None) -> None:
    """Serve MCP on stdio, or over HTTP. Stdio is what Claude Desktop starts."""
    if not over_http and (host or port is not None):
        raise click.UsageError("--host and --port are for --http")
    from xportcn_server.stdio.pipes import take_pipes

    pipes = None if over_http else take_pipes()  # before anything that might print is imported
    import gc
    import logging

    gc.disable()  # until all is loaded
    from xportcn_server.commands.shared import loaded_settings, stop
    from xportcn_server.logs import configure_logging

    loaded = loaded_settings()
    settings = loaded.settings
    configure_logging(settings.log_level, settings.log_format)
    for note in loaded.notes():
        logging.getLogger(__name__).warning(note)
    from xportcn_server.serve import StartError, serve_over_http, serve_over_stdio

    try:
        if pipes:
            serve_over_stdio(settings, pipes)
        else:
            serve_over_http(settings, host or "127.0.0.1", 8000 if port is None else port)
    except StartError as error:
        stop(error)
