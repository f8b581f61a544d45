"""A request that is not sent on a connection where an answer is already waiting.

HTTP/1.1 tells answers apart by their order alone. A server that writes a second answer to one request, or a word on an
idle connection, would have it taken for the answer to the next request: for a reply about another picture.
"""

import aiohttp
from aiohttp.connector import Connection


class UnaskedReply(aiohttp.ClientConnectionError):
    """Something had come on the connection before anything was asked on it; nothing was sent, and it is closed."""


class CleanRequest(aiohttp.ClientRequest):
    """The `request_class` of a session whose replies must not be mixed up."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request. Raises UnaskedReply when the connection holds what belongs to no request."""
        if conn.protocol is not None and conn.protocol.should_close:
            raise UnaskedReply("the connection holds an answer that nobody asked for")
        return await super().send(conn)
