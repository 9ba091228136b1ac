"""Who is calling: previews and orders belong to their caller."""

from typing import Any

from mcp.server.mcpserver import Context

from xportcn_tools.desk.desk import LOCAL_CALLER


def caller_of(ctx: Context[Any]) -> str:
    """The local user: on stdio the process is the user's own, and it is the only transport so far."""
    del ctx
    return LOCAL_CALLER
