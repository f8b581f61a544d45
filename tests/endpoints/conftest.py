"""A real HTTP server on loopback whose answers a test writes, and endpoints that point to it."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig, Timeouts
from vqa_tui.endpoints.client import Answer, AskFailed, VisionClient

PLANTED = "planted-key-9f8e7d6c5b4a"
KEY = SecretStr(PLANTED)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MakeEndpoint = Callable[..., Endpoint]
MakeCompletion = Callable[..., dict[str, Any]]
StartRaw = Callable[[Callable[[bytes], bytes]], Awaitable[str]]


async def ask(endpoint: Endpoint, base_url: str, body: bytes = b"{}", key: SecretStr = KEY) -> Answer:
    async with VisionClient(endpoint, base_url, 2) as client:
        return await client.ask(body, key)


async def failed(endpoint: Endpoint, base_url: str, key: SecretStr = KEY) -> AskFailed:
    """Ask, expect a failure, and make sure that nothing about it holds the key."""
    with pytest.raises(AskFailed) as caught:
        await ask(endpoint, base_url, key=key)
    error = caught.value
    assert error.__context__ is None and error.__cause__ is None
    everything = f"{error!s} {error!r} {vars(error)} {''.join(traceback.format_exception(error))}"
    assert key.get_secret_value() not in everything
    return error


@dataclass
class Seen:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: str = ""


@dataclass
class Server:
    """Answers every request by `handler` and remembers it."""

    base_url: str = ""
    handler: Handler | None = None
    seen: list[Seen] = field(default_factory=list)

    def answers(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Give the same answer from now on; anything but text or bytes is sent as JSON."""
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        raw = data.encode() if isinstance(data, str) else data

        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, body=raw, headers=headers)

        self.handler = handler

    async def handle(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        names = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(request.method, request.path, names, data, request.query_string))
        assert self.handler is not None
        return await self.handler(request)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    served = Server()
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_route("*", "/{path:.*}", served.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    served.base_url = f"http://127.0.0.1:{port}/v1"
    yield served
    await runner.cleanup()


@pytest.fixture
def make_endpoint() -> Callable[..., Endpoint]:
    def make(**changes: Any) -> Endpoint:
        fields: dict[str, Any] = {
            "name": "somewhere",
            "base_url": "http://127.0.0.1:1/v1",
            "model": "some-model",
            "keys": (KeyConfig(name="main", env="SOME_KEY"),),
            "timeouts": Timeouts(connect_s=5, first_byte_s=10, total_s=20),
        }
        return Endpoint.model_validate(fields | changes)

    return make


@pytest.fixture
def completion() -> Callable[..., dict[str, Any]]:
    """A chat completion; keyword arguments go into the choice and its message."""

    def make(content: Any = "Two knives.", *, finish_reason: str | None = "stop", **message: Any) -> dict[str, Any]:
        return {
            "id": "chat-7",
            "object": "chat.completion",
            "model": "some-model-001",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content, **message},
                    "finish_reason": finish_reason,
                }
            ],
            "usage": {"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930},
        }

    return make


@pytest.fixture
async def raw_server() -> AsyncIterator[Callable[[Callable[[bytes], bytes]], Awaitable[str]]]:
    """Start a server that is not bound to HTTP: it answers the bytes of a request with any bytes, then closes."""
    servers: list[asyncio.Server] = []

    async def start(reply: Callable[[bytes], bytes]) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(reply(await reader.read(65_536)))
            await writer.drain()
            writer.close()

        opened = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(opened)
        return f"127.0.0.1:{opened.sockets[0].getsockname()[1]}"

    yield start
    for opened in servers:
        opened.close()
