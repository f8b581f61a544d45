"""The gate before the terminal app in a browser: who may come in, and what a page from here may load."""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class Gate:
    """Lets requests through whose path begins with the token; all others get 403 and learn nothing.

    A page elsewhere could lead a browser here: by a name of its own that resolves to this computer (so the Host header
    must name it as one of `names`, or anything where `names` is None), or by opening the websocket from its own script
    (so that one's Origin must be the very address asked).
    """

    def __init__(self, token: str, names: frozenset[str] | None) -> None:
        self._token = token
        self._names = names

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse with 403, or answer with headers that keep the address secret."""
        if not self._knows_the_token(request) or not self._is_asked_by_name(request) or not _comes_from_here(request):
            return web.Response(status=403, text="403: this address is not complete, or not for this computer.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Frame-Options"] = "DENY"
            response.headers["Content-Security-Policy"] = _content_policy(request)
        return response

    def _knows_the_token(self, request: web.Request) -> bool:
        # A request may name no path at all: `OPTIONS *`, or an address as proxies are asked for.
        first = request.path.partition("/")[2].partition("/")[0]
        return hmac.compare_digest(first.encode("utf-8", "replace"), self._token.encode())

    def _is_asked_by_name(self, request: web.Request) -> bool:
        return self._names is None or host_of(request) in self._names


def is_loopback(host: str) -> bool:
    """Return whether only this computer can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_of(request: web.Request) -> str:
    """Return the name that a request calls this computer by, without its port; empty where it is none."""
    try:
        return URL(f"http://{request.host}").host or ""
    except ValueError:
        return ""


def _comes_from_here(request: web.Request) -> bool:
    """A browser names the page that opens a websocket; whatever else it sends without an Origin is no script."""
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"


def _content_policy(request: web.Request) -> str:
    """Return what the page may load: its own files and websocket, nothing from elsewhere (it names a web font)."""
    socket = f"{'wss' if request.scheme == 'https' else 'ws'}://{request.host}"
    return (
        "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {socket}; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
