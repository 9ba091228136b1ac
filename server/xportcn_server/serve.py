"""Starting: what is looked at before the server serves, then the transport."""

import logging
import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio

from xportcn_server.app import Seams, build_server, ledger_of
from xportcn_server.settings.settings import Settings
from xportcn_server.stdio.pipes import Wire
from xportcn_server.stdio.serving import run_stdio
from xportcn_tools.ledger.ledger import LedgerUnavailableError, NewerLedgerError

if TYPE_CHECKING:
    from xportcn_server.telemetry.telemetry import Telemetry

logger = logging.getLogger(__name__)


class StartError(Exception):
    """Why the server does not start, in one line."""


def serve_over_stdio(settings: Settings, wire: Wire) -> None:
    """Serve the local user until the client ends it.

    Raises:
        StartError: the ledger is a newer program's.
    """
    look_before(settings)
    run_stdio(build_server(settings, Seams(telemetry=telemetry_of(settings, os.environ))), wire)


def look_before(settings: Settings) -> None:
    """Name misspelt settings in the log, and those that the folder sets; refuse a ledger of a newer program.

    Raises:
        StartError: the ledger must not be touched by this program.
    """
    for name in settings.unknown_names:
        logger.warning("%s is not a setting of this program and has no effect: is it misspelt?", name)
    if settings.set_by_folder:
        # A client starts the server in the folder of a project, whose files may be anybody's.
        logger.warning(
            "the .env of the working directory sets %s: if that is not meant, set them beside the ledger or "
            "in the environment, which win",
            ", ".join(settings.set_by_folder),
        )
    try:
        anyio.run(_open_once, settings)
    except NewerLedgerError as error:
        raise StartError(f"the ledger cannot be used: {error}") from error


async def _open_once(settings: Settings) -> None:
    """Open the ledger once, so that one of a newer program stops the start."""
    ledger = ledger_of(settings)
    try:
        await ledger.open()
    except LedgerUnavailableError:
        return  # the lifespan logs it, and each call answers `ledger_unavailable` until it is back
    finally:
        await ledger.aclose()


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
