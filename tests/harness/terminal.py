"""A person's commands beside the server of a house, in this process."""

import anyio
import anyio.to_thread
from click.testing import CliRunner, Result

from harness.house import House
from harness.settings import environ_of
from xportcn_server.commands.cli import main


async def command(
    house: House, *words: str, answer: str = "", mode: str = "sandbox", **changes: str
) -> Result:
    """One command on the house's ledger; `answer` is what the person types."""
    settings = {"LEDGER": str(house.ledger), "MODE": mode} | changes
    if mode != "sandbox":
        settings |= dict.fromkeys(("ACCESS_KEY", "ACCESS_SECRET", "USER_ID"), "x")
    environ = environ_of(**settings)
    return await anyio.to_thread.run_sync(
        lambda: CliRunner().invoke(main, list(words), input=answer, env=environ, catch_exceptions=False)
    )
