"""Videos in a request to the embedded endpoint: seen where they come along, counted in any case, told when broken."""

import base64
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.embedded.test_embedded_server import AT_ONCE, ask
from tests.videos import draw_video
from vqa_tui.domain.reply_blocks import read_blocks
from vqa_tui.embedded.server import EmbeddedEndpoint

BLOCKS = (
    "Ask one question for each category.\nCategories: object recognition; world knowledge; spatial reasoning\n"
    "Reply with blocks of three lines, Category, Question and Short answer."
)


def message(*parts: dict[str, Any]) -> dict[str, Any]:
    content = [*parts, {"type": "text", "text": BLOCKS}]
    return {"model": "vqa-embedded-1", "messages": [{"role": "user", "content": content}]}


def video_part(data: bytes, kind: str = "video_url") -> dict[str, Any]:
    return {"type": kind, kind: {"url": f"data:video/mp4;base64,{base64.b64encode(data).decode()}"}}


@pytest.mark.parametrize("kind", ["video_url", "image_url"])
async def test_a_video_is_looked_at_and_counts_by_the_second(
    http: aiohttp.ClientSession, tmp_path: Path, kind: str
) -> None:
    video = draw_video(tmp_path / "v.mp4", seconds=4).read_bytes()
    async with EmbeddedEndpoint(AT_ONCE, video_tokens_per_second=100) as endpoint:
        status, reply, _ = await ask(http, endpoint, message(video_part(video, kind)))
    assert status == 200
    assert reply["usage"]["prompt_tokens"] == -(-len(BLOCKS) // 4) + 400
    pairs = read_blocks(reply["choices"][0]["message"]["content"]).pairs
    assert [pair.question_type for pair in pairs] == ["object recognition", "world knowledge", "spatial reasoning"]
    assert len({pair.question for pair in pairs}) == 3


@pytest.mark.parametrize("part", ["video_url", "image_url"])
async def test_a_video_at_an_address_is_counted_and_said_not_to_be_seen(http: aiohttp.ClientSession, part: str) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        status, reply, _ = await ask(http, endpoint, message({"type": part, part: {"url": "gs://bucket/clip.mp4"}}))
    assert status == 200 and reply["usage"]["prompt_tokens"] == -(-len(BLOCKS) // 4) + 3000
    pairs = read_blocks(reply["choices"][0]["message"]["content"]).pairs
    assert len(pairs) == 3 and all(
        "video" in pair.answer or "not seen" in pair.answer or "Nobody" in pair.answer for pair in pairs
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("data:video/mp4;base64,%%%", "not valid base64"),
        ("data:video/mp4,abc", "must be data URLs"),
        ("file:///etc/passwd", "must be data URLs"),
        (f"data:video/mp4;base64,{base64.b64encode(b'no video').decode()}", "Video 1 cannot be read: it is no video"),
    ],
)
async def test_what_is_no_video_is_a_bad_request(http: aiohttp.ClientSession, url: str, words: str) -> None:
    pytest.importorskip("av", reason="the extra `video` is not installed")
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        status, reply, _ = await ask(http, endpoint, message({"type": "video_url", "video_url": {"url": url}}))
    assert status == 400 and words in reply["error"]["message"]


async def test_frames_are_pictures_that_each_count(http: aiohttp.ClientSession, draw: Any) -> None:
    frames = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(draw()).decode()}"}}
        for _ in range(3)
    ]
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        _, one, _ = await ask(http, endpoint, message(*frames[:1]))
        _, three, _ = await ask(http, endpoint, message(*frames))
    text = -(-len(BLOCKS) // 4)
    assert three["usage"]["prompt_tokens"] - text == 3 * (one["usage"]["prompt_tokens"] - text)
