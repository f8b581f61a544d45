"""A large request body, handed to the connection slice by slice, so that the event loop serves others in between."""

import asyncio

from aiohttp import payload
from aiohttp.abc import AbstractStreamWriter

SLICE_BYTES = 256 * 1024


class LargeBody(payload.Payload):
    """The bytes of a body.

    Of aiohttp's own payloads, that for bytes hands over all in one write, which TLS encrypts at once, and that for
    `io.BytesIO` copies all of it first; with 20 MB either holds up the loop.
    """

    _autoclose = True

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._size = len(body)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text; aiohttp asks for it only in debugging."""
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write all of it."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the first `content_length` bytes, all when None."""
        view = memoryview(self._value)[:content_length]
        for start in range(0, len(view), SLICE_BYTES):
            await writer.write(view[start : start + SLICE_BYTES])
            # Writing waits for nothing while the socket takes it all, as a local one does.
            await asyncio.sleep(0)
