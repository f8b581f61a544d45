"""The client against real servers: what comes back, what goes wrong, and that the key is never seen again."""

import asyncio
import gzip
import json
import logging
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from tests.endpoints.conftest import KEY, PLANTED, MakeCompletion, MakeEndpoint, StartRaw, ask, failed
from vqa_tui.config.endpoint import Timeouts
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import FailureKind
from vqa_tui.endpoints.client import LARGEST_REPLY, AskFailed, VisionClient


async def test_an_answer(server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion) -> None:
    server.answers(200, completion(), {"X-Request-Id": "req-1", "X-RateLimit-Remaining-Requests": "5"})
    endpoint = make_endpoint(extra_headers={"X-Project": "p"})
    answer = await ask(endpoint, server.base_url + "/", b'{"model":"some-model"}')
    assert (answer.text, answer.finish_reason, answer.model) == ("Two knives.", "stop", "some-model-001")
    assert (answer.usage, answer.usage_reported, answer.http_status) == (Usage(900, 30), True, 200)
    assert answer.request_id == "req-1"
    assert answer.latency_ms > 0
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/v1/chat/completions", b'{"model":"some-model"}')
    assert seen.headers["authorization"] == f"Bearer {PLANTED}" and seen.headers["x-project"] == "p"
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, Usage(5, 7)),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 112}, Usage(5, 107)),
        ({"prompt_tokens": 5}, None),
        ({"prompt_tokens": -5, "completion_tokens": 7}, None),
        ({"prompt_tokens": True, "completion_tokens": 7}, None),
        ({"prompt_tokens": 5, "completion_tokens": 10**30}, None),
        ("many", None),
        (None, None),
    ],
)
async def test_usage_is_taken_as_reported_and_never_understated(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion, usage: Any, expected: Usage | None
) -> None:
    server.answers(200, completion() | {"usage": usage})
    answer = await ask(make_endpoint(), server.base_url)
    assert (answer.usage, answer.usage_reported) == (expected or Usage(), expected is not None)


async def test_a_reply_cut_by_max_tokens_is_an_answer(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    server.answers(200, completion('[{"question": "Wh', finish_reason="length"))
    answer = await ask(make_endpoint(), server.base_url)
    assert (answer.text, answer.finish_reason) == ('[{"question": "Wh', "length")


async def test_text_can_come_in_parts_and_can_always_be_stored(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    parts = [{"type": "text", "text": "a \ud800 "}, {"type": "audio"}, {"type": "text", "text": "\U0001f600 \x1b[31m"}]
    server.answers(200, completion(parts) | {"model": "m\udfff"})
    answer = await ask(make_endpoint(), server.base_url)
    assert (answer.text, answer.model) == ("a \ufffd \U0001f600 \x1b[31m", "m\ufffd")
    answer.text.encode("utf-8")


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"content": None, "finish_reason": "content_filter"}, FailureKind.REFUSED, "a content filter stopped"),
        ({"content": "x", "finish_reason": "content_filter: SAFETY"}, FailureKind.REFUSED, "(content_filter: SAFETY)"),
        ({"content": None, "refusal": "I cannot\nhelp."}, FailureKind.REFUSED, "the model refused: I cannot help."),
        ({"content": " \n"}, FailureKind.BAD_REPLY, "the reply is empty"),
        ({"content": None, "finish_reason": "length"}, FailureKind.BAD_REPLY, "max_tokens ran out before any text"),
        ({"content": {"a": 1}}, FailureKind.BAD_REPLY, "the reply is empty"),
    ],
)
async def test_a_success_without_a_usable_reply_keeps_its_usage(
    server: Any,
    make_endpoint: MakeEndpoint,
    completion: MakeCompletion,
    change: dict[str, Any],
    kind: FailureKind,
    words: str,
) -> None:
    server.answers(200, completion(**change))
    error = await failed(make_endpoint(), server.base_url)
    assert error.failure.kind is kind and words in error.failure.message
    assert (error.usage, error.http_status, error.failure.http_status) == (Usage(900, 30), 200, 200)
    assert json.loads(error.raw_body)["id"] == error.request_id == "chat-7"


@pytest.mark.parametrize(
    "body",
    [
        "", "null", "[]", "{", "<html>hello</html>", b"\xff\xfe\x00", '{"choices": []}', '{"choices": [7]}',
        "[" * 100_000, '{"choices": [{"message": 3}]}', '{"choices": {"0": 1}}', "9" * 10_000,
    ],
)  # fmt: skip
async def test_a_success_that_is_no_completion_is_a_bad_reply(
    server: Any, make_endpoint: MakeEndpoint, body: str | bytes
) -> None:
    server.answers(200, body)
    error = await failed(make_endpoint(), server.base_url)
    assert error.failure.kind is FailureKind.BAD_REPLY
    assert error.raw_body == (body.decode("utf-8", "replace") if isinstance(body, bytes) else body)


async def test_an_error_inside_a_success_counts_as_what_it_is(server: Any, make_endpoint: MakeEndpoint) -> None:
    server.answers(200, {"error": {"code": 429, "message": "Slow down, retry in 3s"}})
    error = await failed(make_endpoint(), server.base_url)
    assert (error.failure.kind, error.failure.retry_after_s) == (FailureKind.RATE_LIMITED, 3.0)
    server.answers(200, {"error": {"message": "upstream is gone"}})
    assert "no choices: upstream is gone" in (await failed(make_endpoint(), server.base_url)).failure.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
async def test_a_key_that_the_server_repeats_is_redacted(server: Any, make_endpoint: MakeEndpoint, status: int) -> None:
    echo = {"error": {"message": f"Incorrect API key provided: {PLANTED}", "code": "x"}}
    server.answers(status, echo, {"X-Echo": f"Bearer {PLANTED}", "X-Request-Id": PLANTED})
    error = await failed(make_endpoint(), server.base_url)
    assert "[redacted]" in error.raw_body and "[redacted]" in error.failure.message
    assert (error.request_id, error.http_status) == ("[redacted]", status)


async def test_a_key_repeated_in_a_reply_is_redacted_but_a_placeholder_is_not(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    server.answers(200, completion(f"the key {PLANTED}, EMPTY"), {"X-Echo": PLANTED})
    answer = await ask(make_endpoint(), server.base_url)
    assert answer.text == "the key [redacted], EMPTY" and PLANTED not in repr(answer)
    assert (await ask(make_endpoint(), server.base_url, key=SecretStr("EMPTY"))).text.endswith("EMPTY")


async def test_a_key_that_no_header_can_carry_is_not_sent(server: Any, make_endpoint: MakeEndpoint) -> None:
    error = await failed(make_endpoint(), server.base_url, SecretStr("planted\r\nX-Injected: 1"))
    assert (error.failure.kind, error.failure.never_sent, server.seen) == (FailureKind.AUTH, True, [])


async def test_no_log_line_holds_the_key(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers(200, completion())
    await ask(make_endpoint(), server.base_url)
    server.answers(500, f"oops {PLANTED}")
    await failed(make_endpoint(), server.base_url)
    assert PLANTED not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(server: Any, make_endpoint: MakeEndpoint, status: int) -> None:
    server.answers(status, "", {"Location": f"http://elsewhere.example/v1?key={PLANTED}"})
    error = await failed(make_endpoint(), server.base_url)
    assert error.failure.kind is FailureKind.MODEL_NOT_FOUND
    assert "redirects to elsewhere.example" in error.failure.message
    assert len(server.seen) == 1


async def test_slow_headers_time_out(server: Any, make_endpoint: MakeEndpoint) -> None:
    released = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    server.handler = handler
    timeouts = Timeouts(connect_s=5, first_byte_s=0.1, total_s=20)
    error = await failed(make_endpoint(timeouts=timeouts), server.base_url)
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.TIMEOUT, False)
    assert "sent nothing for the time allowed" in error.failure.message
    released.set()


async def test_a_body_that_drips_runs_into_the_total(server: Any, make_endpoint: MakeEndpoint) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Request-Id": "req-drip"})
        await response.prepare(request)
        while request.transport is not None:
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    server.handler = handler
    error = await failed(make_endpoint(timeouts=Timeouts(connect_s=5, first_byte_s=5, total_s=1)), server.base_url)
    assert (error.failure.kind, error.http_status, error.request_id) == (FailureKind.TIMEOUT, 200, "req-drip")
    assert error.latency_ms >= 900


async def test_a_reply_cut_in_the_middle(raw_server: StartRaw, make_endpoint: MakeEndpoint) -> None:
    address = await raw_server(lambda _: b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"choices": [')
    error = await failed(make_endpoint(), f"http://{address}/v1")
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, False)
    assert "in the middle of the reply" in error.failure.message and error.http_status == 200


@pytest.mark.parametrize(
    ("reply", "words"),
    [(b"", "cut before the reply"), (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not HTTP"), (b"\x00\xff\r\n\r\n", "not HTTP")],
)
async def test_what_answers_is_no_web_server(
    raw_server: StartRaw, make_endpoint: MakeEndpoint, reply: bytes, words: str
) -> None:
    error = await failed(make_endpoint(), f"http://{await raw_server(lambda _: reply)}/v1")
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, False)
    assert words in error.failure.message


async def test_a_post_is_never_repeated_on_a_connection_that_died(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    server.answers(200, completion())

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with VisionClient(make_endpoint(), server.base_url, 1) as client:
        await client.ask(b"{}", KEY)
        server.handler = cut
        with pytest.raises(AskFailed) as caught:
            await client.ask(b"{}", KEY)
    assert caught.value.failure.kind is FailureKind.NETWORK
    assert len(server.seen) == 2


async def test_connections_are_kept_and_limited(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    ports: set[int] = set()
    at_once, most = 0, 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal at_once, most
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.005)
        at_once -= 1
        return web.json_response(completion(), headers={"Set-Cookie": "session=1"})

    server.handler = handler
    by_name = server.base_url.replace("127.0.0.1", "localhost")  # cookies of bare addresses are dropped by any client
    async with VisionClient(make_endpoint(), by_name, 3) as client:
        await asyncio.gather(*(client.ask(b"{}", KEY) for _ in range(30)))
        await client.ask(b"{}", KEY)
    assert most == len(ports) == 3
    assert not any("cookie" in seen.headers for seen in server.seen)


async def test_waiting_for_a_free_connection_is_no_timeout(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.15)
        return web.json_response(completion())

    server.handler = handler
    timeouts = Timeouts(connect_s=0.1, first_byte_s=5, total_s=20)
    async with VisionClient(make_endpoint(timeouts=timeouts), server.base_url, 1) as client:
        answers = await asyncio.gather(*(client.ask(b"{}", KEY) for _ in range(3)))
    assert len(answers) == 3


@pytest.mark.parametrize("packed", [False, True])
async def test_a_huge_reply_is_not_read_to_its_end(server: Any, make_endpoint: MakeEndpoint, packed: bool) -> None:
    whole = b" " * (LARGEST_REPLY + 1)
    body, headers = (gzip.compress(whole), {"Content-Encoding": "gzip"}) if packed else (whole, None)
    server.answers(200, body, headers)
    error = await failed(make_endpoint(), server.base_url)
    assert error.failure.kind is FailureKind.BAD_REPLY and "longer than 4 MiB" in error.failure.message


async def test_a_large_picture_goes_out_whole(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion, recwarn: pytest.WarningsRecorder
) -> None:
    server.answers(200, completion())
    body = b"x" * 5_000_000
    await ask(make_endpoint(), server.base_url, body)
    assert server.seen[0].body == body and server.seen[0].headers["content-length"] == "5000000"
    assert [warning for warning in recwarn if issubclass(warning.category, ResourceWarning)] == []


async def test_nobody_listens(make_endpoint: MakeEndpoint) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = await failed(make_endpoint(), f"http://127.0.0.1:{port}/v1")
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, True)
    assert error.failure.message == f"no connection to 127.0.0.1:{port}: nothing listens there (connection refused)"


async def test_tls_towards_a_plain_server(server: Any, make_endpoint: MakeEndpoint) -> None:
    error = await failed(make_endpoint(), server.base_url.replace("http:", "https:"))
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, True)
    assert "TLS failed" in error.failure.message and server.seen == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
async def test_an_untrusted_certificate_is_refused_before_anything_is_sent(
    make_endpoint: MakeEndpoint, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "k.pem", tmp_path / "c.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout {key} -out {certificate}"
    await asyncio.to_thread(subprocess.run, command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read())
        writer.close()

    opened = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with opened:
        port = opened.sockets[0].getsockname()[1]
        error = await failed(make_endpoint(), f"https://localhost:{port}/v1")
    assert (error.failure.kind, error.failure.never_sent) == (FailureKind.NETWORK, True)
    assert "the certificate of localhost is not trusted (self-signed certificate)" in error.failure.message
    assert not any(received)


async def test_cancelling_is_passed_on(server: Any, make_endpoint: MakeEndpoint) -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await gone.wait()
        return web.Response()

    server.handler = handler
    async with VisionClient(make_endpoint(), server.base_url, 1) as client:
        task = asyncio.create_task(client.ask(b"{}", KEY))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gone.set()
