"""Starting over HTTP: who may call, and then the transport."""

import os
from pathlib import Path

from xportcn_server.app import Gate, Seams, build_server, ledger_of, policy_of
from xportcn_server.http.application import Readiness, http_app, serve_http
from xportcn_server.http.auth import verifier_of
from xportcn_server.http.callers import Callers, CallersError
from xportcn_server.serve import StartError, look_before, telemetry_of
from xportcn_server.settings.settings import Settings
from xportcn_server.settings.values import is_loopback


def serve_over_http(settings: Settings, host: str, port: int) -> None:
    """Serve callers until a signal ends it.

    Raises:
        StartError: the ledger is a newer program's, the callers cannot be read, or strangers could order.
    """
    look_before(settings)
    gate = gate_of(settings)
    if gate.verifier is None and not is_loopback(host):
        raise StartError(
            f"--host {host} can be reached by others, and no callers are configured: "
            "set XPORTCN_CALLERS or XPORTCN_OAUTH_ISSUER"
        )
    ledger = ledger_of(settings)  # one for both: the server's lifespan opens and closes it
    server = build_server(settings, Seams(ledger=ledger, telemetry=telemetry_of(settings, os.environ)), gate)
    app = http_app(
        server,
        Readiness(ledger.open),
        host=host,
        stateless=bool(settings.state_keys),
        public_url=settings.oauth_audience,
    )
    serve_http(app, host, port, settings.log_level)


def gate_of(settings: Settings) -> Gate:
    """The callers' file and the OAuth issuer that the settings name.

    Raises:
        StartError: a source of callers cannot be used.
    """
    if settings.oauth_issuer and not settings.oauth_audience:
        raise StartError("XPORTCN_OAUTH_ISSUER needs XPORTCN_OAUTH_AUDIENCE, the URL of this server's /mcp")
    callers = Callers(Path(settings.callers), policy_of(settings).caps) if settings.callers else None
    try:
        if callers:
            callers.check()
    except CallersError as error:
        raise StartError(f"XPORTCN_CALLERS: {error}") from error
    found = verifier_of(settings, callers)
    return Gate(callers, *found) if found else Gate()
