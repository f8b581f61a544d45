"""The proxy that the environment names for an address.

aiohttp's own `trust_env` is not used: it looks the proxy up again for every request in two threads, which costs three
times the request itself, and it refuses an Authorization header when ~/.netrc knows the host.
"""

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from vqa_tui.domain.failure import VqaError


def proxy_for(url: str) -> str | None:
    """Return the proxy for `url` by HTTP_PROXY, HTTPS_PROXY and NO_PROXY (or the system's settings), else None.

    This computer itself is never asked for through a proxy, which could not reach it. Raises VqaError for a proxy that
    is not HTTP.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = getproxies().get(parts.scheme)
    if not proxy or _is_this_computer(host) or proxy_bypass(f"{host}:{parts.port}" if parts.port else host):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    scheme = urlsplit(proxy).scheme
    if scheme not in {"http", "https"}:
        raise VqaError(
            f"the environment names a {scheme} proxy for {parts.scheme} addresses; only HTTP proxies are supported",
            hint=f"Set {parts.scheme.upper()}_PROXY to an http:// proxy, or add {host} to NO_PROXY.",
        )
    return proxy


def split_credentials(proxy: str | None) -> tuple[URL | None, dict[str, str]]:
    """Return the address of `proxy` and, apart from it, the headers that carry its user and password."""
    if proxy is None:
        return None, {}
    url = URL(proxy)
    if url.user is None:
        return url, {}
    return url.with_user(None), {"Proxy-Authorization": aiohttp.encode_basic_auth(url.user, url.password or "")}


def _is_this_computer(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
