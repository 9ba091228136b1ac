"""`python -m xportcn_server`: the command line where its script is not installed."""

from xportcn_server.commands.cli import main

main(prog_name="xportcn-mcp")
