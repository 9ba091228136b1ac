"""The proxy on the way to the upstream, by the platform's own rules: the environment's, else the system's."""

import logging
import urllib.request
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

logging.getLogger("httpcore.socks").setLevel(logging.INFO)  # at DEBUG it logs the proxy's password


def proxy_for(base_url: str) -> str | None:
    """The proxy's URL, which may hold a password; None where calls go straight.

    Plain HTTP is for this machine alone and takes none. The standard library reads NO_PROXY as names and
    whole addresses; networks such as `10.0.0.0/8`, and IPv6 in any spelling, are read here.
    """
    address = urlsplit(base_url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if address.scheme != "https" or not proxy:
        return None
    host = address.netloc.rpartition("@")[2]
    if urllib.request.proxy_bypass(host) or _is_excepted(address.hostname or "", proxies.get("no", "")):
        return None
    if "://" not in proxy:
        return f"http://{proxy}"
    scheme, _, rest = proxy.partition("://")
    return f"socks5://{rest}" if scheme.lower() == "socks" else proxy  # as GNOME writes it


def _is_excepted(host: str, no_proxy: str) -> bool:
    excepted = [entry.strip().replace("[", "").replace("]", "") for entry in no_proxy.split(",")]
    return "*" in excepted or any(_is_within(host, entry) for entry in excepted)


def _is_within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:  # one of them is a name
        return False
