"""Bodies of many megabytes: encoded piece by piece, sent slice by slice, and whole when they arrive."""

import asyncio
import base64
import json
import os
import threading
import tracemalloc
from typing import Any

import pytest
from aiohttp.abc import AbstractStreamWriter
from hypothesis import given
from hypothesis import strategies as st

from tests.endpoints.conftest import MakeCompletion, MakeEndpoint, Server, ask
from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.config.recipe import PromptTemplates, Recipe, ReplyFormat
from vqa_tui.endpoints import body as body_module
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.large_body import SLICE_BYTES, LargeBody
from vqa_tui.endpoints.pictures import PreparedPicture


class Collecting(AbstractStreamWriter):
    """Takes everything at once, as a socket with a large buffer does."""

    def __init__(self) -> None:
        self.slices: list[bytes] = []

    async def write(self, chunk: bytes | bytearray | memoryview, *_: Any, **__: Any) -> None:
        self.slices.append(bytes(chunk))

    async def write_eof(self, chunk: bytes = b"") -> None:
        raise AssertionError("not the payload's to say")

    async def drain(self) -> None: ...

    def enable_compression(self, *_: Any, **__: Any) -> None: ...

    def enable_chunking(self) -> None: ...

    async def write_headers(self, *_: Any, **__: Any) -> None: ...


def request_body() -> RequestBody:
    recipe = Recipe(name="r", prompt=PromptTemplates(user="x"), reply=ReplyFormat(kind="json_pairs"))
    return RequestBody(recipe, Endpoint(name="e", base_url="http://h/v1", model="m", keys=(KeyConfig(name="k"),)))


def sent_picture(body: bytes) -> bytes:
    content = json.loads(body)["messages"][-1]["content"]
    (url,) = (part["image_url"]["url"] for part in content if part["type"] == "image_url")
    return base64.b64decode(url.split(",", 1)[1], validate=True)


@given(st.integers(0, 60))
def test_a_picture_in_pieces_is_the_same_base64_as_in_one(size: int) -> None:
    data = os.urandom(size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body_module, "_PIECE", 6)
        assert sent_picture(request_body().build("s", "u", PreparedPicture(data, "image/png", 1, 1))) == data


def test_threads_that_build_bodies_with_different_system_prompts_do_not_mix_them_up() -> None:
    body, picture, wrong = request_body(), PreparedPicture(b"x", "image/png", 1, 1), list[str]()

    def build(system: str) -> None:
        for _ in range(300):
            said = json.loads(body.build(system, "u", picture))["messages"][0]["content"]
            if said != system:
                wrong.append(said)

    threads = [threading.Thread(target=build, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


async def test_others_get_their_turn_between_two_slices() -> None:
    turns, ended = 0, False

    async def another() -> None:
        nonlocal turns
        while not ended:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(another())
    data = os.urandom(5 * SLICE_BYTES + 7)
    writer = Collecting()
    await LargeBody(data).write(writer)
    ended = True
    await other
    assert b"".join(writer.slices) == data and max(map(len, writer.slices)) == SLICE_BYTES
    assert turns >= len(writer.slices) == 6


async def test_a_length_that_is_asked_for_is_kept_to() -> None:
    writer = Collecting()
    await LargeBody(b"abc" * SLICE_BYTES).write_with_length(writer, SLICE_BYTES + 1)
    assert [len(each) for each in writer.slices] == [SLICE_BYTES, 1]


async def test_a_large_body_arrives_whole_as_json_of_known_length_and_is_not_copied_on_the_way(
    server: Server, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    server.answers(200, completion())
    picture = PreparedPicture(os.urandom(9_000_000), "image/png", 1, 1)
    body = request_body().build("", "u", picture)
    assert (await ask(make_endpoint(), server.base_url, body)).text == "Two knives."
    (seen,) = server.seen
    assert seen.body == body and sent_picture(seen.body) == picture.data
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["content-length"] == str(len(body)) and "transfer-encoding" not in seen.headers

    tracemalloc.start()
    try:
        LargeBody(body)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
