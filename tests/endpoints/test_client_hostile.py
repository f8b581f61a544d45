"""The client against servers that misbehave on purpose or by mistake: every end is a clear, classified failure."""

import asyncio
import gzip
import json
import socket
import struct
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import web

from tests.endpoints.conftest import KEY, PLANTED, MakeEndpoint, ask, failed
from vqa_tui.config.endpoint import Timeouts
from vqa_tui.domain.failure import FailureKind
from vqa_tui.endpoints.client import LARGEST_REPLY, AskFailed, VisionClient

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SOON = Timeouts(connect_s=5, first_byte_s=5, total_s=0.4)


def reply(text: str = "A knife.") -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return json.dumps({"id": "1", "choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}).encode()


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {size}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def request_of(reader: asyncio.StreamReader) -> bytes:
    """Read one whole request and return its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    return await reader.readexactly(lengths[0])


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A server that says what `talk` writes, on every connection; the base URL of an endpoint there."""
    busy: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        busy.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()
        busy.discard(task)

    opened = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{opened.sockets[0].getsockname()[1]}/v1"
    finally:
        opened.close()
        for task in busy:
            task.cancel()


def says(*pieces: bytes) -> Talk:
    """Answer the first request with these bytes, then close."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return talk


def for_ever(start: bytes, again: bytes, pause_s: float = 0.0) -> Talk:
    """Answer with `start`, then with `again` until the client leaves."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(start)
        while not writer.is_closing():
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return talk


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(answer(reply(), length=len(reply()) + 40), "in the middle of the reply", id="shorter than told"),
        pytest.param(answer(reply() + b"and more", length=len(reply())), "not HTTP", id="longer than told"),
        pytest.param(answer(reply(), "Content-Length: 5"), "not HTTP", id="two lengths"),
        pytest.param(answer(reply(), length=-5), "not HTTP", id="a negative length"),
        pytest.param(answer(reply(), "Transfer-Encoding: chunked"), "not HTTP", id="a length and chunks"),
        pytest.param(CHUNKED + b"5\r\nhello\r\nZZZ\r\nnope\r\n", "not HTTP", id="chunked garbage"),
        pytest.param(CHUNKED + b"5\r\nhello\r\n", "in the middle of the reply", id="chunks without an end"),
        pytest.param(CHUNKED + b"FFFFFFFFFFFFFFFF\r\nhello", "in the middle of the reply", id="an impossible chunk"),
        pytest.param(answer(b"\x0b\x02\x80ab\x03", "Content-Encoding: br"), "cannot be unpacked", id="brotli unasked"),
        pytest.param(answer(b"no gzip at all", "Content-Encoding: gzip"), "cannot be unpacked", id="no gzip at all"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n", "not HTTP", id="a flood of headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5_000_000 + b"\r\n\r\n", "not HTTP", id="a huge header"),
    ],
)
async def test_an_answer_that_breaks_the_rules_of_http(make_endpoint: MakeEndpoint, said: bytes, words: str) -> None:
    async with talking(says(said)) as base_url:
        error = await failed(make_endpoint(), base_url)
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, False)
    assert words in error.failure.message


@pytest.mark.parametrize(
    ("start", "again", "pause_s"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.05, id="headers that drip"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.05, id="a header that drips"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b" ", 0.05, id="a body that drips"),
        pytest.param(CHUNKED, b"1\r\n \r\n", 0.05, id="chunks that drip"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.0, id="100 for ever"),
    ],
)
async def test_an_answer_that_never_ends_is_ended_by_the_total(
    make_endpoint: MakeEndpoint, start: bytes, again: bytes, pause_s: float
) -> None:
    async with talking(for_ever(start, again, pause_s)) as base_url:
        error = await failed(make_endpoint(timeouts=SOON), base_url)
    assert (error.failure.kind, error.failure.message) == (
        FailureKind.TIMEOUT,
        "no complete reply in the time allowed",
    )


async def test_a_server_that_reads_nothing_of_a_large_picture_times_out(make_endpoint: MakeEndpoint) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with talking(deaf) as base_url:
        endpoint = make_endpoint(timeouts=SOON)
        async with VisionClient(endpoint, base_url, 1) as client:
            with pytest.raises(AskFailed, match="no complete reply in the time allowed"):
                await client.ask(b"x" * 20_000_000, KEY)


async def test_words_before_the_answer_and_old_http_are_understood(make_endpoint: MakeEndpoint) -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\n" * 2 + b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    async with talking(says(early + answer(reply()))) as base_url:
        assert (await ask(make_endpoint(), base_url)).text == "A knife."
    old = talking(says(b"HTTP/1.0 200 OK\r\n\r\n" + reply()))
    async with old as base_url, VisionClient(make_endpoint(), base_url, 1) as client:
        assert [(await client.ask(b"{}", KEY)).text for _ in range(3)] == ["A knife."] * 3


@pytest.mark.parametrize(
    ("sent", "words"), [(b"", "cut before the reply"), (answer(reply())[:-9], "cut in the middle of the reply")]
)
async def test_a_reset_connection(make_endpoint: MakeEndpoint, sent: bytes, words: str) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(sent)
        await writer.drain()
        for _ in range(5):
            # What is sent over loopback has arrived, and the client, on this same loop, reads it in its next turn.
            # A reset that comes before would throw it away.
            await asyncio.sleep(0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with talking(reset) as base_url:
        error = await failed(make_endpoint(), base_url)
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, False)
    assert error.failure.message == f"the connection was {words}"


async def test_a_connection_closed_between_two_requests_costs_neither_of_them(make_endpoint: MakeEndpoint) -> None:
    seen: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await request_of(reader))
        writer.write(answer(reply()))
        await writer.drain()

    async with talking(once) as base_url, VisionClient(make_endpoint(), base_url, 1) as client:
        for number in range(4):
            assert (await client.ask(b"%d" % number, KEY)).text == "A knife."
            # The time between two requests, in which the end of the connection arrives.
            await asyncio.sleep(0.05)
    assert seen == [b"0", b"1", b"2", b"3"]


async def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one(make_endpoint: MakeEndpoint) -> None:
    """Otherwise the reply about one picture would be stored for another."""
    seen: list[bytes] = []

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            body = await request_of(reader)
            seen.append(body)
            writer.write(answer(reply(body.decode())))
            await writer.drain()
            # Later than the answer, so that the connection is back in the pool by then.
            await asyncio.sleep(0.05)
            writer.write(answer(reply("of another picture")))
            await writer.drain()

    async with talking(twice) as base_url, VisionClient(make_endpoint(), base_url, 1) as client:
        for number in range(3):
            assert (await client.ask(b"%d" % number, KEY)).text == str(number)
            await asyncio.sleep(0.1)
    assert seen == [b"0", b"1", b"2"]


async def test_idle_connections_that_are_all_spoilt_cost_no_request(make_endpoint: MakeEndpoint) -> None:
    """More of them than a request would try new ones."""
    many = 64
    seen: list[bytes] = []
    spoilt = 0
    all_asked, all_spoilt, poison = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal spoilt
        while True:
            seen.append(await request_of(reader))
            if len(seen) <= many:
                if len(seen) == many:
                    all_asked.set()
                # So that each of the first requests has a connection of its own.
                await all_asked.wait()
            writer.write(answer(reply()))
            await writer.drain()
            if len(seen) <= many:
                await poison.wait()
                writer.write(answer(reply("of another picture")))
                await writer.drain()
                spoilt += 1
                if spoilt == many:
                    all_spoilt.set()

    async with talking(server) as base_url, VisionClient(make_endpoint(), base_url, 0) as client:
        await asyncio.gather(*(client.ask(b"first", KEY) for _ in range(many)))
        poison.set()
        await all_spoilt.wait()
        for _ in range(5):
            # One turn of the loop for the client to read what has arrived.
            await asyncio.sleep(0)
        assert (await client.ask(b"alone", KEY)).text == "A knife."
        answers = await asyncio.gather(*(client.ask(b"after", KEY) for _ in range(many)))
    assert {each.text for each in answers} == {"A knife."}
    assert seen == [b"first"] * many + [b"alone"] + [b"after"] * many


@pytest.mark.parametrize(
    ("status", "kind", "wait"),
    [
        ("401 Unauthorized", FailureKind.AUTH, None),
        ("402 Payment Required", FailureKind.RATE_LIMITED, 7.0),
        ("404 Not Found", FailureKind.MODEL_NOT_FOUND, None),
        ("429 Too Many Requests", FailureKind.RATE_LIMITED, 7.0),
        ("503 Service Unavailable", FailureKind.SERVER, 7.0),
        ("302 Found", FailureKind.MODEL_NOT_FOUND, None),
        ("200 OK", FailureKind.NETWORK, None),
    ],
)
async def test_an_error_that_is_cut_off_counts_by_its_status_and_headers(
    make_endpoint: MakeEndpoint, status: str, kind: FailureKind, wait: float | None
) -> None:
    begun = b'{"error": {"message": "the model x does not exist; insufficient_quota; ' + PLANTED.encode()
    said = answer(begun, "Retry-After: 7", "X-Request-Id: r1", status=status, length=5000)
    async with talking(says(said)) as base_url:
        error = await failed(make_endpoint(), base_url)
    assert (error.failure.kind, error.failure.retry_after_s) == (kind, wait)
    assert error.failure.http_status == error.http_status == int(status[:3]) and error.request_id == "r1"
    assert "does not exist;" not in error.failure.message and not error.failure.never_sent
    if kind is not FailureKind.NETWORK:
        assert "cut off" in error.failure.message
        assert error.raw_body == begun.decode().replace(PLANTED, "[redacted]")


async def test_an_error_whose_end_does_not_come_in_time_counts_by_its_status(make_endpoint: MakeEndpoint) -> None:
    async with talking(for_ever(answer(b"", status="401 No", length=9000), b" ", 0.05)) as base_url:
        error = await failed(make_endpoint(timeouts=SOON), base_url)
    assert (error.failure.kind, error.failure.http_status) == (FailureKind.AUTH, 401)


async def test_a_server_that_always_speaks_first_is_sent_nothing(make_endpoint: MakeEndpoint) -> None:
    received: list[bytes] = []

    async def eager(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b'{"error": "too many connections"}', status="503 No"))
        await writer.drain()
        received.append(await reader.read())

    async with talking(eager) as base_url:
        # Whether the words come before the request is up to the network: a longer way gives them time.
        error = await failed(make_endpoint(), base_url)
    assert error.failure.kind in (FailureKind.NETWORK, FailureKind.SERVER)
    if error.failure.kind is FailureKind.NETWORK:
        assert error.failure.never_sent and not any(PLANTED.encode() in data for data in received)


BLANKS = 200_000_000


@pytest.mark.parametrize(
    ("compress", "coding"), [(gzip.compress, "gzip"), (zlib.compress, "deflate")], ids=["gzip", "deflate"]
)
async def test_a_bomb_is_refused_while_it_unpacks(
    make_endpoint: MakeEndpoint, compress: Callable[[bytes], bytes], coding: str
) -> None:
    body = compress(bytes(BLANKS))
    async with talking(says(answer(body, f"Content-Encoding: {coding}"))) as base_url:
        tracemalloc.start()
        error = await failed(make_endpoint(), base_url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert error.failure.kind is FailureKind.BAD_REPLY and "longer than 4 MiB" in error.failure.message
    assert len(body) < 250_000 and peak < 3 * LARGEST_REPLY


async def test_a_bomb_in_a_bomb_is_not_unpacked_at_all(make_endpoint: MakeEndpoint) -> None:
    body = gzip.compress(gzip.compress(bytes(BLANKS), 9))
    async with talking(says(answer(body, "Content-Encoding: gzip, gzip"))) as base_url:
        error = await failed(make_endpoint(), base_url)
    assert (error.failure.kind, error.failure.message) == (
        FailureKind.BAD_REPLY,
        "the endpoint's answer is not JSON",
    )


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ("200 OK", FailureKind.BAD_REPLY, "longer than 4 MiB and was not read to its end"),
        ("429 Slow", FailureKind.RATE_LIMITED, "too many requests for now (HTTP 429)"),
        ("500 Oops", FailureKind.SERVER, "internal error (HTTP 500)"),
    ],
)
async def test_50_mb_are_refused_as_they_come_and_an_error_keeps_its_status(
    make_endpoint: MakeEndpoint, status: str, kind: FailureKind, words: str
) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await request_of(reader)
        writer.write(answer(b"", status=status, length=50_000_000))
        while sent < 50_000_000:
            writer.write(b" " * 65536)
            await writer.drain()
            sent += 65536

    async with talking(flood) as base_url:
        tracemalloc.start()
        error = await failed(make_endpoint(), base_url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert error.failure.kind is kind and words in error.failure.message
    assert peak < 3 * LARGEST_REPLY and sent < 40_000_000 and len(error.raw_body) <= 100_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_host_is_not_followed_and_that_host_gets_nothing(
    server: Any, make_endpoint: MakeEndpoint, status: int
) -> None:
    received: list[bytes] = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read())

    async with talking(other) as elsewhere:

        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": f"{elsewhere}/chat/completions"})

        server.handler = handler
        error = await failed(make_endpoint(), server.base_url)
    assert error.failure.kind is FailureKind.MODEL_NOT_FOUND and "where the key is not sent" in error.failure.message
    assert len(server.seen) == 1 and received == []


async def test_a_name_that_cannot_be_resolved(make_endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_more: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await failed(make_endpoint(), "http://no.such.example/v1")
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, True)
    assert error.failure.message == "the name no.such.example cannot be resolved"


async def test_a_name_that_is_no_name(make_endpoint: MakeEndpoint) -> None:
    error = await failed(make_endpoint(), f"http://{'a' * 64}.example/v1")
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, True)
