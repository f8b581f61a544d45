"""Ways in which a response reaches the client, or on purpose does not."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import NoReturn

from aiohttp import web

_DRIP_S = 0.25
_BLANKS = b" " * 65536
_FLOOD_BYTES = 50_000_000
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with zero seconds: closing sends RST in place of FIN."""


async def send(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Write `response` completely. Raises ConnectionError when the client has left."""
    await response.prepare(request)
    await response.write_eof()
    return response


async def hang() -> NoReturn:
    """Send nothing, ever: ends when the client leaves, which cancels the handler."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody resolves this future")


async def drip(request: web.Request) -> web.StreamResponse:
    """Send the head of a reply, then a blank every now and then, for ever: ends when the client leaves."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    with suppress(ConnectionError):
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(_DRIP_S)
    return response


async def flood(request: web.Request) -> web.StreamResponse:
    """Send 50 MB of blanks, or as many as the client takes before it leaves."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    with suppress(ConnectionError):
        await response.prepare(request)
        for _ in range(_FLOOD_BYTES // len(_BLANKS)):
            await response.write(_BLANKS)
        await response.write_eof()
    return response


async def cut(request: web.Request, response: web.Response, *, halfway: bool) -> web.StreamResponse:
    """Reset the TCP connection, before the first byte or `halfway` through the body of `response`."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the client left before its connection could be reset")
    cut_response: web.StreamResponse = response
    if halfway:
        body = response.body if isinstance(response.body, bytes) else b""
        cut_response = web.StreamResponse(headers={"Content-Type": "application/json"})
        cut_response.content_length = len(body)
        await cut_response.prepare(request)
        await cut_response.write(body[: len(body) // 2])
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
    return cut_response
