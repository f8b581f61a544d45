"""Who is let in by the gate: a request that names no path is none of them."""

import asyncio

import pytest

from vqa_tui.web.server import web_server


@pytest.mark.parametrize("target", ["OPTIONS *", "CONNECT 127.0.0.1:80", "GET /", "GET http://127.0.0.1/"])
async def test_a_request_without_the_token_gets_403(target: str) -> None:
    async with web_server("false", host="127.0.0.1", port=0) as address:
        host = address.split("/")[2]
        name, _, port = host.rpartition(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        writer.write(f"{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert b" 403 " in answer
