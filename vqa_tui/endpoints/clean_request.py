"""A request that is not sent on a connection where an answer is already waiting.

HTTP/1.1 tells answers apart by their order alone. A server that writes a second answer to one request, or a word on an
idle connection, would have it taken for the answer to the next request: for a reply about another picture.
"""

from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

_ASKED_ON: WeakSet[ResponseHandler] = WeakSet()
"""Connections that have carried a request."""


class UnaskedReply(aiohttp.ClientConnectionError):
    """Something had come on the connection before anything was asked on it; nothing was sent, and it is closed."""

    def __init__(self, *, was_idle: bool) -> None:
        super().__init__("the connection holds an answer that nobody asked for")
        self.was_idle = was_idle
        """Whether the connection had carried a request before; false for a new one."""


class CleanRequest(aiohttp.ClientRequest):
    """The `request_class` of a session whose replies must not be mixed up."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request. Raises UnaskedReply when the connection holds what belongs to no request."""
        if conn.protocol is not None:
            if conn.protocol.should_close:
                raise UnaskedReply(was_idle=conn.protocol in _ASKED_ON)
            _ASKED_ON.add(conn.protocol)
        return await super().send(conn)
