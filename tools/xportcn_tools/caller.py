"""Who is calling: previews and orders belong to their caller."""

from mcp.server.auth.middleware.auth_context import get_access_token

from xportcn_tools.desk.desk import LOCAL_CALLER


def caller_of() -> str:
    """The principal of the request's bearer token; without one (stdio, loopback) the local user.

    The verifier has put the principal's name into the token's subject; names of different sources cannot
    meet, for each begins with its source.
    """
    token = get_access_token()
    return (token.subject or token.client_id) if token else LOCAL_CALLER
