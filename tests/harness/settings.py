"""Settings of the program under test, by their names without `XPORTCN_`."""

from collections.abc import Mapping
from pathlib import Path

from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS
from xportcn_server.settings.loaded import read_settings, usable
from xportcn_server.settings.settings import Settings

SANDBOX_ACCOUNT = {
    "ACCESS_KEY": SANDBOX_CREDENTIALS.access_key,
    "ACCESS_SECRET": SANDBOX_CREDENTIALS.access_secret,
    "USER_ID": SANDBOX_CREDENTIALS.user_id,
}
"""The account that every sandbox knows."""


def live(base_url: str = SANDBOX_BASE_URL, **changes: str) -> dict[str, str]:
    """For the sandbox at this URL as if it were the real upstream."""
    return {"MODE": "live", "BASE_URL": base_url} | SANDBOX_ACCOUNT | changes


def environ_of(**settings: str) -> dict[str, str]:
    """As the environment names them."""
    return {f"XPORTCN_{name}": value for name, value in settings.items()}


def load_settings(environ: Mapping[str, str], working_directory: Path | None = None) -> Settings:
    return usable(read_settings(environ, working_directory)).settings


def settings_for(ledger: Path, **changes: str) -> Settings:
    """In sandbox mode, with a ledger of the test's own and no page, but for `changes`."""
    named = {"MODE": "sandbox", "LEDGER": str(ledger), "PAGE": "off"} | changes
    return load_settings(environ_of(**named), ledger.parent)
