"""Starting the server: over stdio for the local user, or over HTTP for callers."""

import gc
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from xportcn_server.app import build_server
from xportcn_server.parts import Seams, caps_of, data_folder, ledger_of, policy_of
from xportcn_server.settings.settings import Settings
from xportcn_server.stdio.pipes import Pipes
from xportcn_server.stdio.serving import run_stdio
from xportcn_tools.ledger.ledger import LedgerUnavailableError, NewerLedgerError

if TYPE_CHECKING:
    from xportcn_server.http.gate import Gate
    from xportcn_server.telemetry.telemetry import Telemetry

logger = logging.getLogger(__name__)


class StartError(Exception):
    """Why the server does not start, in one line."""


def serve_over_stdio(settings: Settings, pipes: Pipes) -> None:
    """Serve the local user until the client ends it.

    Raises:
        StartError: the ledger is a newer program's.
    """
    server = build_server(settings, Seams(telemetry=telemetry_of(settings, os.environ)))
    freeze_what_is_loaded()
    try:
        run_stdio(server, pipes)
    except NewerLedgerError as error:
        raise _newer(error) from error


def serve_over_http(settings: Settings, host: str, port: int) -> None:
    """Serve callers until a signal ends it.

    Raises:
        StartError: the ledger is a newer program's, the callers cannot be read, or anybody could order.
    """
    from xportcn_server.http.application import (  # noqa: PLC0415 - stdio starts without uvicorn
        Readiness,
        http_app,
        is_loopback,
        serve_http,
    )
    from xportcn_server.http.messages_endpoint import WithMessages  # noqa: PLC0415
    from xportcn_server.page.opening import Doorway  # noqa: PLC0415
    from xportcn_server.page.site import Site  # noqa: PLC0415
    from xportcn_tools.desk.hints import Hints  # noqa: PLC0415

    settings = settings.over_http()
    gate = gate_of(settings)
    if gate.verifier is None and not is_loopback(host):
        raise StartError(
            f"--host {host} can be reached from other machines, and no callers are configured: "
            "set XPORTCN_CALLERS or XPORTCN_OAUTH_ISSUER"
        )
    ledger = ledger_of(settings)  # one for all: the server's lifespan finds it open, and closes it
    site = Site(ledger, policy_of(settings), settings, profile_of=gate.profile_of, marks_of=gate.marks_of)
    # Who reaches this server on loopback without being a caller is the owner.
    doorway = (
        Doorway(site, data_folder(settings)) if gate.verifier is None and settings.page != "off" else None
    )
    hints = Hints() if settings.messages_secret else None
    seams = Seams(
        ledger=ledger,
        telemetry=telemetry_of(settings, os.environ),
        open_page=doorway.open_once if doorway else None,
        hints=hints,
    )
    server = build_server(settings, seams, gate)
    app = http_app(
        server,
        Readiness(ledger.open),
        host=host,
        stateless=bool(settings.state_keys),
        public_url=settings.oauth_audience,
        page=site.application if settings.page != "off" else None,
    )

    if hints and settings.messages_secret:
        app = WithMessages(app, settings.messages_secret.get_secret_value(), hints)
        if settings.order_lookup == "off":
            logger.warning(
                "the vendor's messages are kept, but nothing is read while XPORTCN_ORDER_LOOKUP is off"
            )

    async def listening(url: str) -> None:
        if doorway:
            doorway.base_url = url
            if settings.page == "on":
                await doorway.open_once()

    async def serve() -> None:
        # Before the lifespan: uvicorn reports no error of a lifespan to its caller.
        with suppress(LedgerUnavailableError):  # the lifespan logs it, and /readyz says so
            await ledger.open()
        try:
            await serve_http(app, host, port, settings.log_level, listening)
        finally:
            if doorway:
                doorway.close()

    freeze_what_is_loaded()
    try:
        anyio.run(serve)
    except NewerLedgerError as error:
        raise _newer(error) from error


def freeze_what_is_loaded() -> None:
    """No collection looks through modules again; the command switched collections off to load them."""
    gc.freeze()
    gc.enable()


def _newer(error: NewerLedgerError) -> StartError:
    return StartError(f"the ledger cannot be used: {error}")


def gate_of(settings: Settings) -> "Gate":
    """The callers' file and the OAuth issuer that the settings name.

    Raises:
        StartError: a source of callers cannot be used.
    """
    from xportcn_server.http.auth import verifier_of  # noqa: PLC0415 - stdio starts without PyJWT
    from xportcn_server.http.callers import Callers, CallersError  # noqa: PLC0415
    from xportcn_server.http.gate import Gate  # noqa: PLC0415

    if settings.oauth_issuer and not settings.oauth_audience:
        raise StartError("XPORTCN_OAUTH_ISSUER needs XPORTCN_OAUTH_AUDIENCE, the URL of this server's /mcp")
    callers = Callers(Path(settings.callers), caps_of(settings)) if settings.callers else None
    try:
        if callers:
            callers.check()
    except CallersError as error:
        raise StartError(f"XPORTCN_CALLERS: {error}") from error
    found = verifier_of(settings, callers)
    return Gate(callers, *found) if found else Gate()


def telemetry_of(settings: Settings, environ: Mapping[str, str]) -> "Telemetry | None":
    """Telemetry, where OpenTelemetry's own variables switch it on; else nothing of it is imported.

    It never stops the start: where it cannot be had, the log says why.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    signals = frozenset(signal for signal in ("traces", "metrics") if _exported(signal, environ))
    if not signals:
        return None
    try:
        if find_spec("opentelemetry.sdk") and find_spec("opentelemetry.exporter.otlp.proto.http"):
            from xportcn_server.telemetry.otlp import telemetry_from  # noqa: PLC0415 - the extra `otel`

            return telemetry_from(environ, signals, settings.mode)
    except ModuleNotFoundError:  # a parent of what was looked for
        pass
    except Exception as error:  # noqa: BLE001 - a variable that the exporter cannot use
        logger.warning("telemetry is off: OpenTelemetry cannot be set up (%s)", type(error).__name__)
        return None
    logger.warning('telemetry is off: it needs pip install "xportcn-mcp[otel]"')
    return None


def _exported(signal: str, environ: Mapping[str, str]) -> bool:
    """Whether a signal is to leave: over OTLP if so named, or unnamed with an endpoint for it."""
    name = f"OTEL_{signal.upper()}_EXPORTER"
    exporters = {word.strip().lower() for word in environ.get(name, "").split(",")} - {""}
    if exporters - {"otlp", "none"}:
        logger.warning("%s: only otlp and none have an effect in this program", name)
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    return "otlp" in exporters or (not exporters and any(environ.get(each, "").strip() for each in endpoints))
