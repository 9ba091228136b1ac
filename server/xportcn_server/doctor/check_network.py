"""The way to the upstream: one request that is not signed, and what became of it at each step.

It is made as the client makes its own (httpx, its proxy and its certificates), goes to the path of the
product search, carries no key and no words, and so can neither create nor cost anything.
"""

import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio

from xportcn_server.doctor.check import Check, fault, ok, warning
from xportcn_server.doctor.unreached import STEPS, sort_error
from xportcn_server.settings.loaded import Loaded
from xportcn_server.settings.values import masked, masked_url
from xportcn_tools.upstream.clean import clean
from xportcn_tools.upstream.client import ANSWER_LIMIT_BYTES, Trace
from xportcn_tools.upstream.envelope import UnreadableAnswerError, read_envelope
from xportcn_tools.upstream.http_clients import USER_AGENT
from xportcn_tools.upstream.proxy import proxy_for
from xportcn_tools.upstream.requests import SEARCH_PATH

if TYPE_CHECKING:
    import httpx

CLOCK_FAULT_SECONDS = 600  # documented: beyond it the upstream refuses
CLOCK_WARNING_SECONDS = 120
NAMES = ("proxy", *STEPS, "clock")


@dataclass(frozen=True)
class _Answered:
    """What came back, and how far this machine's clock is ahead of the server's; None: no usable Date."""

    status: int
    body: bytes
    location: str
    ahead: timedelta | None


def check_network(loaded: Loaded) -> list[Check]:
    """Proxy, DNS, TCP, TLS, HTTP and clock, in the order in which a call needs them."""
    if loaded.settings.mode == "sandbox" and "mode" not in loaded.broken:
        return [ok(name, "not needed in sandbox mode") for name in NAMES]
    for field in ("mode", "base_url"):
        if field in loaded.broken:
            step = f"correct XPORTCN_{field.upper()}, then call doctor again"
            return [warning(name, "not looked at", step) for name in NAMES]
    base_url = loaded.settings.base_url
    proxy = proxy_for(base_url)
    checks = [_proxy(base_url, proxy)]
    reached: list[str] = []
    outcome = _asked(base_url, proxy, loaded.settings.timeout_seconds, reached)
    if isinstance(outcome, _Answered):
        checks += [_passed(step, base_url, proxy) for step in STEPS[:-1]]
        return [*checks, _http(outcome), _clock(outcome.ahead)]
    if outcome.name == "proxy":
        checks.clear()
    failed = NAMES.index(outcome.name)
    checks += [_passed(step, base_url, proxy) for step in NAMES[1:failed]]
    return [*checks, outcome, *(_not_reached(name, outcome.name) for name in NAMES[failed + 1 :])]


def _not_reached(name: str, failed: str) -> Check:
    return warning(name, f"not checked, since {failed} failed", f"see {failed}")


def _passed(step: str, base_url: str, proxy: str | None) -> Check:
    address = urlsplit(base_url)
    port = address.port or (443 if address.scheme == "https" else 80)
    if step == "tls" and address.scheme == "http":
        return ok(step, "not used: plain HTTP, to this machine only")
    if proxy and step in ("dns", "tcp"):
        return ok(step, "left to the proxy")
    if step == "dns":
        return ok(step, f"{address.hostname} is found")
    return ok(step, f"connected to {address.hostname}, port {port}" if step == "tcp" else "trusted")


def _proxy(base_url: str, proxy: str | None) -> Check:
    if proxy:
        return ok(
            "proxy", f"calls go through {masked_url(proxy)} (from HTTPS_PROXY, ALL_PROXY or the system)"
        )
    if urlsplit(base_url).scheme == "http":
        return ok("proxy", "none: this machine is reached without")
    excepted = urllib.request.getproxies().get("https")
    return ok("proxy", "none for this address (NO_PROXY)" if excepted else "none")


def _asked(base_url: str, proxy: str | None, timeout_seconds: float, reached: list[str]) -> _Answered | Check:
    try:
        return anyio.run(_ask, base_url, proxy, timeout_seconds, reached)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is the matter
        return sort_error(error, reached, base_url)


async def _ask(base_url: str, proxy: str | None, timeout_seconds: float, reached: list[str]) -> _Answered:
    import httpx  # noqa: PLC0415 - not needed in sandbox mode

    closing = Trace()

    async def trace(event: str, info: dict[str, Any]) -> None:
        reached.append(event)
        await closing(event, info)

    async with httpx.AsyncClient(
        timeout=None,  # noqa: S113 - one deadline for all, since the library has none for a SOCKS handshake
        follow_redirects=False,
        trust_env=False,
        proxy=proxy,
        verify=httpx.create_ssl_context(trust_env=not base_url.lower().startswith("http://")),
        headers={"user-agent": USER_AGENT, "accept": "application/json", "accept-encoding": "identity"},
    ) as client:
        request = client.build_request("POST", base_url + SEARCH_PATH, json={}, extensions={"trace": trace})
        with anyio.fail_after(timeout_seconds):
            return await _read(client, request)


async def _read(client: "httpx.AsyncClient", request: "httpx.Request") -> _Answered:
    before = datetime.now(UTC)
    response = await client.send(request, stream=True)
    try:
        middle = before + (datetime.now(UTC) - before) / 2
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_LIMIT_BYTES:
                break
    finally:
        await response.aclose()
    return _Answered(
        response.status_code,
        bytes(body),
        response.headers.get("location", ""),
        _ahead(response.headers.get("date", ""), middle),
    )


def _ahead(date: str, now: datetime) -> timedelta | None:
    try:
        server = parsedate_to_datetime(date)
    except ValueError:
        return None
    # A header of HTTP is in GMT, also where it says so as `-0000`.
    return now - (server if server.tzinfo else server.replace(tzinfo=UTC))


def _http(answer: _Answered) -> Check:
    """Whether what answers is the API. The request was not signed: that it is refused is as it should be."""
    try:
        envelope = read_envelope(answer.body)
    except UnreadableAnswerError:
        envelope = None
    said = f"HTTP {answer.status}"
    if answer.status >= 500 or answer.status == 429:
        return warning("http", said, "wait and try again; if it persists, ask the vendor")
    if 300 <= answer.status < 400:
        found = f"{said}, a redirect to {clean(masked(answer.location)) or 'nowhere'}; orders follow none"
        return fault("http", found, "set XPORTCN_BASE_URL to the address where the API itself is")
    if envelope:
        return ok("http", f"{said}, code {envelope.code}: {envelope.message or 'no message'}")
    if answer.status in (401, 403):
        return warning("http", f"{said} without an envelope", "see whether `doctor --probe` is accepted")
    return fault(
        "http",
        f"{said}, and no answer of the API",
        "correct XPORTCN_BASE_URL (by default https://www.xportcn.com/api), or check what is in between:"
        " a proxy, a log-in page of the network",
    )


def _clock(ahead: timedelta | None) -> Check:
    if ahead is None:
        step = "compare this machine's clock with another: the upstream allows 600 s"
        return warning("clock", "the server sends no date to compare with", step)
    seconds = round(ahead.total_seconds())
    found = f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} the server's"
    step = "set this machine's clock by network time (NTP); the upstream refuses what is off by 600 s"
    if abs(seconds) >= CLOCK_FAULT_SECONDS:
        return fault("clock", found, step)
    if abs(seconds) >= CLOCK_WARNING_SECONDS:
        return warning("clock", found, step)
    return ok("clock", f"within {max(1, abs(seconds))} s of the server's")
