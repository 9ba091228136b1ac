"""The sandbox on a port, for clients that start the server themselves."""

from collections.abc import Iterator

import pytest

from clients.scripted_agent import Upstream
from harness.processes import Process, free_port, spawned, xportcn_mcp


@pytest.fixture(scope="session")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    port = free_port()
    process = spawned(
        xportcn_mcp("sandbox", "--port", str(port)), {}, tmp_path_factory.mktemp("sandbox"), port
    )
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture
def upstream(_sandbox: Process) -> Iterator[Upstream]:
    """At its usual prices, before and after."""
    upstream = Upstream(_sandbox.url)
    upstream.wait()
    yield upstream
    upstream.calm()
