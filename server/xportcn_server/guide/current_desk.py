"""The desk for handlers to which the SDK passes no context: static resources and completions.

The SDK hands its context to tools, prompts and resource templates only. This middleware keeps the desk of
the lifespan available while a request is served. The variable is a module's, but its value belongs to the
context of the one request that set it: no other sees it.
"""

from contextvars import ContextVar
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from xportcn_tools.desk.desk import Desk

_DESK: ContextVar[Desk] = ContextVar("desk")


async def keep_desk(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: the desk is there for whatever serves this request."""
    before = _DESK.set(ctx.lifespan_context)
    try:
        return await call_next(ctx)
    finally:
        _DESK.reset(before)


def desk() -> Desk:
    """The desk of the request that is being served."""
    return _DESK.get()
