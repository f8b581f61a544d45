"""The web server: textual-serve's, beneath a secret path, with addresses that follow the request's own host."""

import asyncio
import logging
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

from vqa_tui.domain.failure import VqaError
from vqa_tui.web.gate import LOOPBACK_NAMES, Gate, is_loopback

TOKEN_BYTES = 32
_FONT_SIZES = range(8, 41)


class _Pages(Server):
    """textual-serve without its greeting, and with addresses as the browser sees them: through a tunnel, say."""

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the command line has said it."""

    @aiohttp_jinja2.template("app_index.html")
    async def handle_index(self, request: web.Request) -> dict[str, Any]:
        """Return what the page needs."""
        size = request.query.get("fontsize", "")
        router = request.app.router
        socket = f"{'wss' if request.scheme == 'https' else 'ws'}://{request.host}{router['websocket'].url_for()}"
        return {
            "font_size": int(size) if size.isascii() and size.isdigit() and int(size[:3]) in _FONT_SIZES else 16,
            "app_websocket_url": socket,
            "config": {"static": {"url": str(router["static"].url_for(filename="")).rstrip("/") + "/"}},
            "application": {"name": self.title},
        }


@asynccontextmanager
async def web_server(command: str, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve the app that the shell line `command` starts, one process for each page; give the secret address.

    Port 0 takes a free one. Names other than those of loopback are answered only where `host` is not loopback. Raises
    VqaError when the address cannot be taken.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    pages = _Pages(command, host=host, port=port, title="vqa-tui")
    gate = Gate(token, LOOPBACK_NAMES | {host} if is_loopback(host) else None)
    app = web.Application(middlewares=[gate.middleware])
    app.add_subapp(f"/{token}", await pages._make_app())
    logging.getLogger("textual-serve").setLevel(logging.CRITICAL)  # it logs what people type and where
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise VqaError(
                f"cannot listen on {host}, port {port}: {error.strerror or error}",
                hint="Choose another port with --port, or none to take a free one.",
            ) from error
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{runner.addresses[0][1]}/{token}/"
    finally:
        await runner.cleanup()


async def serve_until_interrupted(command: str, *, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `tell` gets the address once it can be opened."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with web_server(command, host=host, port=port) as address:
        tell(address)
        await stopped.wait()
