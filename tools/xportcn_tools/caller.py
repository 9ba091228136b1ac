"""Who is calling, and what their client can do: previews and orders belong to their caller."""

from typing import Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import Context

from xportcn_tools.desk.policy import LOCAL_CALLER


def caller_of() -> str:
    """The principal of the request's bearer token; without one (stdio, loopback) the local user.

    The verifier has put the principal's name into the token's subject; names of different sources cannot
    meet, for each begins with its source.
    """
    token = get_access_token()
    return (token.subject or token.client_id) if token else LOCAL_CALLER


def can_ask(ctx: Context[Any]) -> bool:
    """Whether the client declared that it can show a form (a bare `elicitation: {}` counts, url-only not)."""
    capabilities = ctx.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)
