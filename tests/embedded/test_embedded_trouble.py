"""Every fault over real HTTP, and books that balance when they all come together."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from vqa_tui.config.endpoint import EmbeddedSettings
from vqa_tui.embedded.server import EmbeddedEndpoint

Body = Callable[..., dict[str, Any]]
Draw = Callable[..., bytes]
Until = Callable[[Callable[[], object]], Awaitable[None]]


def only(fault: str, seed: int = 0) -> EmbeddedSettings:
    return EmbeddedSettings(latency_ms=0, fail={fault: 1.0}, seed=seed)


async def post(
    http: aiohttp.ClientSession, endpoint: EmbeddedEndpoint, body: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    async with http.post(f"{endpoint.base_url}/chat/completions", json=body) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("fault", ["500", "503"])
async def test_server_errors(http: aiohttp.ClientSession, prompt: str, body: Body, fault: str) -> None:
    async with EmbeddedEndpoint(only(fault)) as endpoint:
        status, reply = await post(http, endpoint, body(prompt))
        stats = endpoint.ledger.to_json()
    assert status == int(fault) and reply["error"]["type"] == "server_error"
    assert stats["faults"] == {fault: 1} and stats["answered"] == 0


async def test_resets_cut_the_connection_before_and_inside_the_reply(
    http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw
) -> None:
    async with EmbeddedEndpoint(only("reset")) as endpoint:
        with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
            await post(http, endpoint, body(prompt, draw()))
        with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ClientOSError)):
            await post(http, endpoint, body(prompt, draw()))
        stats = endpoint.ledger.to_json()
    assert stats["faults"] == {"reset": 2}
    assert (stats["answered"], stats["abandoned"]) == (0, 0)


async def test_a_reset_is_a_tcp_reset(prompt: str, body: Body) -> None:
    payload = json.dumps(body(prompt)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(payload)}\r\n\r\n".encode()
    async with EmbeddedEndpoint(only("reset")) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(head + payload)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_truncation_cuts_inside_the_last_pair(
    http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw
) -> None:
    async with EmbeddedEndpoint(EmbeddedSettings(latency_ms=0)) as endpoint:
        _, whole = await post(http, endpoint, body(prompt, draw()))
    async with EmbeddedEndpoint(only("truncated")) as endpoint:
        status, cut = await post(http, endpoint, body(prompt, draw()))
        assert endpoint.ledger.to_json()["faults"] == {"truncated": 1}
        assert endpoint.ledger.answered == 1
    content, full = cut["choices"][0]["message"]["content"], whole["choices"][0]["message"]["content"]
    assert status == 200 and cut["choices"][0]["finish_reason"] == "length"
    assert full.startswith(content)
    assert len(json.loads(content[: content.rindex("},") + 1] + "]")) == 2
    assert cut["usage"]["completion_tokens"] < whole["usage"]["completion_tokens"]


async def test_bad_json_holds_no_whole_pair_and_comes_in_both_ways(
    http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw
) -> None:
    contents = []
    for seed in range(8):
        async with EmbeddedEndpoint(only("bad_json", seed)) as endpoint:
            _, reply = await post(http, endpoint, body(prompt, draw()))
            contents.append(reply["choices"][0]["message"]["content"])
            assert reply["choices"][0]["finish_reason"] == "stop"
    for content in contents:
        with pytest.raises(json.JSONDecodeError):
            json.loads(content)
        assert "}" not in content
    assert {content.startswith("[") for content in contents} == {True, False}


async def test_plain_text_cannot_be_bad_json(http: aiohttp.ClientSession, body: Body, draw: Draw) -> None:
    async with EmbeddedEndpoint(only("bad_json")) as endpoint:
        _, reply = await post(http, endpoint, body("Reply with plain text only.", draw()))
        assert endpoint.ledger.to_json()["faults"] == {}
    assert "white" in reply["choices"][0]["message"]["content"]


async def test_refusals_and_empty_replies(http: aiohttp.ClientSession, prompt: str, body: Body) -> None:
    async with EmbeddedEndpoint(only("refused")) as endpoint:
        _, refused = await post(http, endpoint, body(prompt))
    async with EmbeddedEndpoint(only("empty")) as endpoint:
        _, empty = await post(http, endpoint, body(prompt))
    choice = refused["choices"][0]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["content"] is None and choice["message"]["refusal"]
    assert refused["usage"]["prompt_tokens"] > 0
    assert empty["choices"][0]["message"]["content"] == "" and empty["usage"]["completion_tokens"] == 0


async def test_a_timeout_hangs_until_the_client_leaves(prompt: str, body: Body) -> None:
    async with EmbeddedEndpoint(only("timeout")) as endpoint:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.8)) as impatient:
            with pytest.raises(TimeoutError):
                await post(impatient, endpoint, body(prompt))
        stats = endpoint.ledger.to_json()
    assert stats["faults"] == {"timeout": 1}
    assert (stats["requests"], stats["answered"], stats["abandoned"]) == (1, 0, 0)


async def test_a_dripping_reply_goes_on_until_the_client_leaves(prompt: str, body: Body, until: Until) -> None:
    async with EmbeddedEndpoint(only("drip")) as endpoint:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1.5)) as impatient:
            with pytest.raises(TimeoutError):
                await post(impatient, endpoint, body(prompt))
        stats = endpoint.ledger.to_json()
    assert stats["kinds_by_key"] == {"nobody": {"drip": 1}} and stats["abandoned"] == 0


async def test_a_huge_reply_is_fifty_million_blanks(http: aiohttp.ClientSession, prompt: str, body: Body) -> None:
    async with EmbeddedEndpoint(only("huge")) as endpoint:
        async with http.post(f"{endpoint.base_url}/chat/completions", json=body(prompt)) as response:
            size, blanks = 0, True
            async for piece in response.content.iter_any():
                size, blanks = size + len(piece), blanks and not piece.strip()
        stats = endpoint.ledger.to_json()
    assert blanks and size == pytest.approx(50_000_000, abs=65_536)
    assert stats["faults"] == {"huge": 1} and stats["answered"] == 0


async def test_tokens_a_minute_are_refused_and_leave_the_requests_alone(
    http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw
) -> None:
    request = body(prompt, draw())
    async with EmbeddedEndpoint(EmbeddedSettings(latency_ms=0)) as endpoint:
        usage = (await post(http, endpoint, request))[1]["usage"]
    one = usage["total_tokens"]
    settings = EmbeddedSettings(latency_ms=0, requests_per_minute=50, tokens_per_minute=one * 2 + 1)
    async with EmbeddedEndpoint(settings) as endpoint:
        told = []
        for _ in range(4):
            async with http.post(f"{endpoint.base_url}/chat/completions", json=request) as response:
                await response.read()
                told.append((response.status, response.headers["x-ratelimit-remaining-tokens"]))
        after = endpoint.ledger.to_json()
        async with http.post(f"{endpoint.base_url}/chat/completions", json=request) as response:
            assert "x-ratelimit-remaining-requests" not in response.headers and response.status == 429
    assert told == [(200, str(one + 1)), (200, "1"), (429, "1"), (429, "1")]
    assert after["kinds_by_key"] == {"nobody": {"ok": 2, "rate_limited": 2}}
    assert after["tokens_by_key"]["nobody"] == {
        "prompt": usage["prompt_tokens"] * 2, "completion": usage["completion_tokens"] * 2
    }  # fmt: skip


async def test_stopping_does_not_wait_for_what_hangs(prompt: str, body: Body, until: Until) -> None:
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        async with EmbeddedEndpoint(only("timeout")) as endpoint:
            asking = asyncio.create_task(post(session, endpoint, body(prompt)))
            await until(lambda: endpoint.ledger.faults)
            began = loop.time()
        assert loop.time() - began < 5
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_the_books_balance_over_a_mixed_run(
    http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    settings = EmbeddedSettings(
        latency_ms=2,
        requests_per_minute_by_key={"c": 40},
        bad_keys=("b",),
        fail={"500": 0.1, "503": 0.05, "reset": 0.1, "truncated": 0.1, "bad_json": 0.1, "refused": 0.05, "empty": 0.05},
        seed=7,
    )
    seen: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    request = body(prompt, draw((160, 120)))

    async def one(key: str, endpoint: EmbeddedEndpoint) -> None:
        try:
            async with http.post(
                f"{endpoint.base_url}/chat/completions",
                json=request,
                headers={"Authorization": f"Bearer embedded-{key}"},
            ) as response:
                reply = await response.json()
                seen[str(response.status)] += 1
                for name, value in reply.get("usage", {}).items():
                    tokens[name] += value
        except aiohttp.ClientError:
            seen["cut"] += 1

    async with EmbeddedEndpoint(settings, key_names=("a", "b", "c")) as endpoint:
        await asyncio.gather(*(one("abc"[number % 3], endpoint) for number in range(360)))
        stats = endpoint.ledger.to_json()
    assert not caplog.records
    faults = stats["faults"]
    assert stats["requests"] == 360 and stats["by_key"] == {"a": 120, "b": 120, "c": 120}
    assert (stats["unauthorized"], stats["rate_limited"]) == (seen["401"], seen["429"]) == (120, 80)
    assert (faults["500"], faults["503"], faults["reset"]) == (seen["500"], seen["503"], seen["cut"])
    assert stats["answered"] == seen["200"]
    assert stats["abandoned"] == stats["rejected"] == 0
    assert stats["answered"] + 120 + 80 + faults["500"] + faults["503"] + faults["reset"] == 360
    assert stats["tokens"] == {"prompt": tokens["prompt_tokens"], "completion": tokens["completion_tokens"]}
    assert set(faults) == {"500", "503", "reset", "truncated", "bad_json", "refused", "empty"}
    for key, count in stats["by_key"].items():
        assert sum(stats["kinds_by_key"][key].values()) == count
    assert stats["kinds_by_key"]["b"] == {"unauthorized": 120} and stats["kinds_by_key"]["c"]["rate_limited"] == 80
