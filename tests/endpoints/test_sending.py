"""What is still going out is seen by asking the system: a reader that stops reading keeps requests on their way."""

import asyncio
import sys

import pytest
from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.endpoints.client import VisionClient

LARGE = b"x" * 16_000_000
"""More than the buffers of a connection hold."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is not received yet")
async def test_requests_are_going_out_until_the_endpoint_has_read_them() -> None:
    may_read, read = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_read.wait()
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-le")
        )
        await reader.readexactly(length)
        read.set()
        await asyncio.Event().wait()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    endpoint = Endpoint(name="e", base_url=url, model="m", keys=(KeyConfig(name="a"),))
    async with VisionClient(endpoint, url, connections=0) as client:
        assert client.still_sending() == 0
        asking = [asyncio.create_task(client.ask(LARGE, SecretStr("k"))) for _ in range(2)]
        while client.still_sending() != 2:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0)
        may_read.set()
        await read.wait()
        while client.still_sending() != 0:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    assert client.still_sending() == 0
    server.close()
