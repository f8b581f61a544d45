"""A provider of a test's own: one chat completions address on loopback, and the reply that most of them give."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from ssl import SSLContext

import yaml
from aiohttp import web

DOLLAR_A_MILLION = {"input_per_million": "1", "output_per_million": "1"}
"""Prices of an endpoint, in dollars."""
CAPTION = "A picture of one plain colour, and nothing else in it."


def own_endpoint(folder: Path, base_url: str, **fields: object) -> str:
    """Write the endpoint `own` at this address, with one key unless `fields` name others; return its path."""
    path = folder / "own.yaml"
    path.write_text(
        yaml.safe_dump({"name": "own", "base_url": base_url, "model": "m", "keys": [{"name": "main"}], **fields})
    )
    return str(path)


@asynccontextmanager
async def listening(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    *,
    port: int = 0,
    ssl_context: SSLContext | None = None,
) -> AsyncIterator[int]:
    """Answer chat completions with `answer` meanwhile; give the port, a free one for 0."""
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True, ssl_context=ssl_context).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def caption_reply(prompt_tokens: int = 900, completion_tokens: int = 30) -> web.Response:
    """A complete reply with CAPTION as its text and this usage."""
    return completion(CAPTION, {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens})


def completion(text: str, usage: Mapping[str, int] | None, *, finish_reason: str = "stop") -> web.Response:
    """A chat completion with one choice; without `usage` it reports none."""
    choices = [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}]
    reported = {"usage": dict(usage)} if usage else {}
    return web.json_response({"model": "m", "choices": choices, **reported})
