"""Why no answer came: the HTTP library's error, sorted by the step at which the call failed."""

import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from xportcn_server.doctor.check import Check, fault

STEPS = ("dns", "tcp", "tls", "http")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def sort_error(error: Exception, reached: Sequence[str], base_url: str) -> Check:
    """The fault of the step where the call failed, which those before it went through; or of the proxy.

    Sorted by the error that the operating system or TLS gave, and by the library's own `trace` events.
    """
    causes = list(_causes(error))
    host = urlsplit(base_url).hostname
    if not reached:
        return _before_connecting(error)
    # CONNECT is the one request before TLS.
    asked_the_way = base_url.startswith("https:") and any("send_request" in event for event in reached)
    if (
        any(type(cause).__name__ == "ProxyError" for cause in causes)
        or _last(reached, "setup_socks5_connection")
        or (asked_the_way and not any("start_tls" in event for event in reached))
    ):
        return fault(
            "proxy",
            "the proxy does not let the call through",
            f"let the proxy pass {host}, correct HTTPS_PROXY, or add {host} to NO_PROXY",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return fault(
            "dns",
            f"{host} (or the proxy's name) is not found",
            "check XPORTCN_BASE_URL for a slip, HTTPS_PROXY, and this machine's network and DNS",
        )
    certificate = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if certificate:
        return fault(
            "tls",
            f"the certificate is not trusted: {certificate.verify_message}",
            "check this machine's clock; behind a proxy that inspects TLS, set SSL_CERT_FILE to its"
            " certificate. Never switch the check off",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or _last(reached, "start_tls"):
        return fault(
            "tls",
            f"what answers at {host} does not speak TLS correctly",
            "check scheme and port of XPORTCN_BASE_URL, and for a proxy or firewall in between",
        )
    if _last(reached, "connect_tcp"):
        refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
        return fault(
            "tcp",
            "the connection is refused" if refused else f"no connection ({type(error).__name__})",
            "check host and port of XPORTCN_BASE_URL, the firewall, and whether a proxy is needed here"
            " (HTTPS_PROXY)",
        )
    return fault(
        "http",
        f"connected, and no whole answer came ({type(error).__name__})",
        "try again; if it persists, raise XPORTCN_TIMEOUT_SECONDS, and check for a proxy or firewall in"
        " between",
    )


def _before_connecting(error: Exception) -> Check:
    """Nothing was tried: the library cannot use the proxy or certificate settings of the environment."""
    missing = [name for name in _CERTIFICATES if os.environ.get(name) and not Path(os.environ[name]).exists()]
    if missing:
        return fault(
            "tls",
            f"{' and '.join(missing)}: there is no such file",
            f"correct or unset {' and '.join(missing)}",
        )
    if isinstance(error, OSError) and error.filename and error.filename == os.environ.get("SSLKEYLOGFILE"):
        return fault(
            "tls", "SSLKEYLOGFILE: the file cannot be written", "unset SSLKEYLOGFILE, or name a writable file"
        )
    if any(isinstance(cause, ssl.SSLError) for cause in _causes(error)):
        names = " and ".join(_CERTIFICATES)
        return fault("tls", "the certificates of the environment cannot be read", f"correct or unset {names}")
    return fault(
        "proxy",
        f"no connection can be set up ({type(error).__name__})",
        "correct or unset HTTPS_PROXY, ALL_PROXY and NO_PROXY; proxies have the form http://HOST:PORT"
        " or socks5://HOST:PORT",
    )


def _last(reached: Sequence[str], step: str) -> bool:
    """Whether the call ended in this step: it began, and did not complete."""
    return bool(reached) and f".{step}." in reached[-1] and not reached[-1].endswith(".complete")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
