"""The surgery on the SDK's tool: written against one minor version, and looked at again with each other."""

from importlib.metadata import version
from pathlib import Path

import pytest

from harness.house import House
from xportcn_tools import sdk_tool

pytestmark = pytest.mark.anyio


def test_the_sdk_is_of_the_version_that_the_surgery_was_written_for() -> None:
    """On an upgrade: read sdk_tool.py against the new `Tool.run` and `func_metadata`, then move both numbers."""
    assert version("mcp").startswith("2.3.")
    assert "mcp 2.3" in (sdk_tool.__doc__ or "")


async def test_a_crash_says_nothing_of_its_text_to_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xportcn_tools.desk.history import OrderHistory

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret 42")

    monkeypatch.setattr(OrderHistory, "listed", broken)
    async with House(tmp_path).client() as client:
        result = await client.call_tool("get_orders", {})
    assert result.is_error
    assert "42" not in result.model_dump_json()
