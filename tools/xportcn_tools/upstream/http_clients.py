"""The connections to one upstream: small pools for what may be asked again, a new one for each create.

They are httpx's transports, without its client: what that adds (cookies, redirects, credentials of its own)
has no place here, and costs each call half a millisecond. httpx is imported at the first call: it would slow
the start.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xportcn_tools.upstream.port import SettingUnusableError
from xportcn_tools.upstream.proxy import proxy_for

if TYPE_CHECKING:
    import ssl

    import httpx

logger = logging.getLogger(__name__)

USER_AGENT = "xportcn-mcp"
POOL_CALLS = 8
MOST_POOLS = 12
"""Several small pools instead of one large: at each request httpx asks each connection of its pool whether it
still stands.
"""

TransportFactory = Callable[[], "httpx.AsyncBaseTransport"]


@dataclass(eq=False)
class Pool:
    """Connections that are kept; entered for the time of a call. `calls`: under way."""

    http: "httpx.AsyncBaseTransport"
    calls: int = 0

    def __enter__(self) -> None:
        self.calls += 1

    def __exit__(self, *_: object) -> None:
        self.calls -= 1


class HttpClients:
    """`new_transport` puts another httpx transport below (the embedded sandbox)."""

    def __init__(self, base_url: str, new_transport: TransportFactory | None) -> None:
        self._base_url = base_url
        self._new_transport = new_transport
        self._pools: list[Pool] = []
        # Read once, as the proxy is: the certificates take some 20 ms of the event loop, and each create has
        # a connection of its own.
        self._tls: ssl.SSLContext | None = None
        self.proxy: str | None = None
        self._making = threading.Lock()  # a thread may prepare the first call

    def prepare(self) -> None:
        """Make the first pool. Raises: SettingUnusableError."""
        if not self._pools:
            self._pools.append(Pool(self.new()))

    def least_busy(self) -> Pool:
        """The first pool that takes one more call, or the one with the fewest."""
        free = next((pool for pool in self._pools if pool.calls < POOL_CALLS), None)
        if free is None and len(self._pools) < MOST_POOLS:
            free = Pool(self.new())
            self._pools.append(free)
        return free or min(self._pools, key=lambda pool: pool.calls)

    async def aclose(self) -> None:
        pools, self._pools = self._pools, []
        for pool in pools:
            await pool.http.aclose()

    def new(self) -> "httpx.AsyncBaseTransport":
        """With no connection yet.

        Raises:
            SettingUnusableError: the proxy's or the certificates' setting cannot be used.
        """
        if self._new_transport:
            return self._new_transport()
        import httpx  # noqa: PLC0415 - at the first call

        # The environment's certificates; but plain HTTP is for this machine alone.
        trust_env = not self._base_url.lower().startswith("http://")
        setting = "proxy"
        try:
            with self._making:
                if self._tls is None:
                    self.proxy = proxy_for(self._base_url)
                    setting = "TLS"
                    self._tls = httpx.create_ssl_context(trust_env=trust_env)
                    setting = "proxy"
                return httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, proxy=self.proxy)
        except Exception as error:
            # Its type alone: the text may repeat a part of the proxy's password.
            logger.warning("the %s setting cannot be used: %s", setting, type(error).__name__)
            raise SettingUnusableError(setting) from error
