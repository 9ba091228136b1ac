"""The command line. A command is one file, imported when it is called."""

import io
import sys
from importlib import import_module
from typing import cast

import click

COMMANDS = {
    "serve": "serve_command",
    "demo": "demo",
    "doctor": "doctor_command",
    "orders": "orders",
    "approve": "approve",
    "page": "page_command",
    "forget": "forget",
    "audit": "audit_command",
    "backup": "backup_command",
    "pause": "pause",
    "resume": "pause",
    "sandbox": "sandbox_command",
    "client-config": "client_config",
    "address": "addresses",
    "caller": "caller_command",
    "call": "call_command",
}
"""The module of each command; in it, the command has its own name (`-` as `_`)."""


class LazyGroup(click.Group):
    """Imports a command's module when the command is called, after click's own documented pattern."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"xportcn_server.commands.{COMMANDS[cmd_name]}")
        return cast("click.Command", getattr(module, cmd_name.replace("-", "_")))


@click.group(
    cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--env-file", metavar="PATH", help="A file of settings; the environment takes precedence.")
@click.version_option(package_name="xportcn-mcp")
@click.pass_context
def main(context: click.Context, env_file: str | None) -> None:
    """MCP server to order from 1688 suppliers through Xportcn. Without a command: serve on stdio."""
    del env_file  # `shared.env_file` reads it
    # A console that knows no Chinese shows escapes: a name must not cost the command.
    for stream in (sys.stdout, sys.stderr):  # noqa: TID251 - nothing is printed
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if context.invoked_subcommand is None:
        context.invoke(cast("click.Command", main.get_command(context, "serve")))
