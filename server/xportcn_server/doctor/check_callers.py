"""Who may call over HTTP, by the settings: `serve --http` would refuse to start on a fault here."""

from collections.abc import Iterator
from pathlib import Path

from xportcn_server.doctor.check import Check, fault, ok, warning
from xportcn_server.http.callers import Callers, CallersError
from xportcn_server.settings.loaded import Loaded
from xportcn_tools.desk.caps import Caps

_NAME = "callers"


def check_callers(loaded: Loaded) -> Iterator[Check]:
    """The callers' file and the OAuth settings; nothing is asked of an issuer."""
    settings = loaded.settings
    if {"callers", "oauth_issuer", "oauth_audience"} & loaded.broken:
        yield warning(_NAME, "not looked at", "correct the settings named above, then call doctor again")
        return
    if settings.oauth_issuer and not settings.oauth_audience:
        found = "XPORTCN_OAUTH_ISSUER is set and XPORTCN_OAUTH_AUDIENCE is not"
        yield fault(_NAME, found, "set XPORTCN_OAUTH_AUDIENCE to the URL of this server's /mcp")
    if settings.callers:
        yield _file(settings.callers)


def _file(path: Path) -> Check:
    # Caps stand in for those of the owner: what is looked at is whether the file can be used.
    callers = Callers(path, Caps(0, 0, 0))
    if not path.exists():
        return fault(_NAME, f"{path} does not exist", "make it with xportcn-mcp caller new NAME")
    try:
        callers.check()
    except CallersError as error:
        return fault(_NAME, f"{path}: {error}", "correct the file: until then all callers are refused")
    return ok(_NAME, f"{len(callers.names)} in {path}, each with caps of its own")
