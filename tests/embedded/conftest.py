"""Pictures drawn on the spot, prompts with the lines that the shipped recipes write, and requests over loopback."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from PIL import Image, ImageDraw

Draw = Callable[..., bytes]
Body = Callable[..., dict[str, Any]]

PROMPT = """Look at this X-ray baggage scan and write questions about it.

Ground truth:
- items: Battery; Knife
- count: 2
- place: Battery | upper-left | 40,60,120,95
- place: Knife | lower-right | 440,330,100,60
- caption: A battery and a knife lie in a bag.

A place reads: item | part of the scan | left, top, width and height in pixels of a scan that is
640 pixels wide and 480 pixels high.

Write exactly 3 question-answer pairs.
Exactly 1 of them must be of type structured_list.
Allowed question types: general, specific, location, count, detailed, occlusion, structured_list.

Reply with a JSON array only, without a code block.
"""


@pytest.fixture
def prompt() -> str:
    """The prompt of a scan with a battery and a knife: 3 pairs, 1 of them structured."""
    return PROMPT


@pytest.fixture
def draw() -> Draw:
    """draw(size, format) -> file with a white ground, a red box at the upper left and a blue one at the lower right."""

    def drawn(size: tuple[int, int] = (640, 480), file_format: str = "PNG") -> bytes:
        picture = Image.new("RGB", size, "white")
        pen = ImageDraw.Draw(picture)
        width, height = size
        pen.rectangle((width // 16, height // 8, width * 4 // 16, height * 3 // 8), fill=(220, 20, 20))
        pen.rectangle((width * 11 // 16, height * 5 // 8, width * 15 // 16, height * 7 // 8), fill=(20, 20, 220))
        file = io.BytesIO()
        picture.save(file, file_format)
        return file.getvalue()

    return drawn


@pytest.fixture
def body() -> Body:
    """body(prompt, *pictures, **fields) -> the JSON body of a chat completion."""

    def made(text: str, *pictures: bytes, **fields: Any) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
        for picture in pictures:
            url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
            parts.append({"type": "image_url", "image_url": {"url": url}})
        return {"model": "vqa-embedded-1", "messages": [{"role": "user", "content": parts}], **fields}

    return made


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that gives up after ten seconds."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


@pytest.fixture
def until() -> Callable[[Callable[[], object]], Awaitable[None]]:
    """until(fact) returns once fact() holds, and fails after ten seconds."""

    async def waited(fact: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not fact():  # noqa: ASYNC110 - the fact is a number in the server's ledger, which tells nobody
                await asyncio.sleep(0)

    return waited
