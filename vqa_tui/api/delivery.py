"""Answers that take a while: streams to whoever still reads, and work that ends though nobody waits for its answer."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from aiohttp import web

from vqa_tui.api.refusals import GUARDED

_log = logging.getLogger(__name__)
T = TypeVar("T")


async def send(request: web.Request, content_type: str, pieces: AsyncIterator[str]) -> web.StreamResponse:
    """Send pieces of text as they come. What goes wrong on the way cuts the connection, so that no reader takes what it
    has for everything."""
    response = web.StreamResponse(headers={"Content-Type": content_type, **GUARDED})
    await response.prepare(request)
    try:
        async for piece in pieces:
            await response.write(piece.encode())
        await response.write_eof()
    except ConnectionError:
        pass  # the reader has gone, which is its right
    except Exception:
        _log.exception("a stream was cut")
        if request.transport is not None:
            request.transport.abort()
    return response


class Unhurried:
    """Work that goes to its end when the client leaves: half a start would be a training that nobody knows of."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[Any]] = set()

    async def end(self, work: Awaitable[T]) -> T:
        """Return what `work` returns, or raise what it raises."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for all work that is not at its end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited got it; that nobody did is no news
