"""A sandbox on a loopback port, served by the test's own event loop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.serving_http import SandboxServer


@asynccontextmanager
async def running_sandbox(
    sandbox: Sandbox | None = None, host: str = "127.0.0.1"
) -> AsyncGenerator[tuple[Sandbox, str]]:
    """A sandbox and its base URL, for as long as the block lasts. Requests open at the end are reset."""
    sandbox = sandbox or build_sandbox()
    server = SandboxServer(sandbox, host, port=0)
    serving = asyncio.create_task(server.run_until_ended())
    try:
        yield sandbox, server.base_url
    finally:
        server.should_exit = True
        with anyio.CancelScope(shield=True):
            await serving
