"""The endpoint over real HTTP on loopback: replies, usage, keys, limits, errors, the ledger."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from vqa_tui.config.endpoint import EmbeddedSettings, ImageTokenRule
from vqa_tui.domain.failure import VqaError
from vqa_tui.embedded.server import MAX_BODY_BYTES, EmbeddedEndpoint

Body = Callable[..., dict[str, Any]]
Draw = Callable[..., bytes]
Until = Callable[[Callable[[], object]], Awaitable[None]]
AT_ONCE = EmbeddedSettings(latency_ms=0)


async def ask(
    http: aiohttp.ClientSession, endpoint: EmbeddedEndpoint, body: dict[str, Any], key: str = "embedded-a"
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return status, JSON body and lower-case headers."""
    async with http.post(
        f"{endpoint.base_url}/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"}
    ) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status, await response.json(), headers


async def test_a_reply_is_a_chat_completion(http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        status, reply, headers = await ask(http, endpoint, body(prompt, draw()))
        assert endpoint.base_url == f"http://127.0.0.1:{endpoint.port}/v1"
    assert status == 200
    assert reply["object"] == "chat.completion" and reply["model"] == "vqa-embedded-1"
    (choice,) = reply["choices"]
    assert choice["finish_reason"] == "stop" and choice["message"]["role"] == "assistant"
    pairs = json.loads(choice["message"]["content"])
    assert len(pairs) == 3 and all(set(pair) == {"question", "answer", "question_type"} for pair in pairs)
    assert headers["x-request-id"].startswith("req_")
    assert not any(name.startswith("x-ratelimit") for name in headers)


async def test_usage_counts_characters_and_pictures(
    http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw
) -> None:
    rule = ImageTokenRule(rule="pixels", pixels_per_token=1000)
    async with EmbeddedEndpoint(AT_ONCE, image_tokens=rule) as endpoint:
        _, one, _ = await ask(http, endpoint, body(prompt, draw()))
        _, two, _ = await ask(http, endpoint, body(prompt, draw(), draw((100, 100))))
    usage = one["usage"]
    assert usage["prompt_tokens"] == -(-len(prompt) // 4) + 308
    assert usage["completion_tokens"] == -(-len(one["choices"][0]["message"]["content"]) // 4)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert two["usage"]["prompt_tokens"] == usage["prompt_tokens"] + 10


async def test_seed_picture_and_prompt_decide_the_reply(
    http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw
) -> None:
    contents: list[str] = []
    for seed, picture in [(1, draw()), (1, draw()), (2, draw()), (1, draw((320, 200)))]:
        async with EmbeddedEndpoint(EmbeddedSettings(latency_ms=0, seed=seed)) as endpoint:
            for _ in range(2):
                _, reply, _ = await ask(http, endpoint, body(prompt, picture))
                contents.append(reply["choices"][0]["message"]["content"])
    assert contents[0] == contents[1] == contents[2] == contents[3]
    assert len(set(contents)) == 3


async def test_plain_text_objects_stop_and_max_tokens(
    http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw
) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:

        async def content(text: str, **fields: Any) -> tuple[str, str]:
            _, reply, _ = await ask(http, endpoint, body(text, draw(), **fields))
            return reply["choices"][0]["message"]["content"], reply["choices"][0]["finish_reason"]

        text, _ = await content("Describe this picture.\nReply with plain text only: no headings.")
        assert "white" in text and not text.startswith(("[", "{"))
        whole, _ = await content(prompt, response_format={"type": "json_object"})
        assert len(json.loads(whole)["pairs"]) == 3
        cut, finish = await content(prompt, max_tokens=10)
        assert (len(cut), finish) == (40, "length")
        stopped, finish = await content(prompt, stop=["question_type"])
        assert "question_type" not in stopped and stopped and finish == "stop"


async def test_it_needs_no_picture(http: aiohttp.ClientSession, prompt: str, body: Body) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        _, grounded, _ = await ask(http, endpoint, body(prompt))
        _, empty, _ = await ask(http, endpoint, body("Say OK."))
    assert "Battery" in grounded["choices"][0]["message"]["content"]
    assert "no picture" in empty["choices"][0]["message"]["content"]


async def test_lone_surrogates_come_back_as_sent(http: aiohttp.ClientSession, body: Body) -> None:
    text = "X-ray of a bag.\nGround truth:\n- items: \ud800x\nAllowed question types: structured_list.\nReply with JSON"
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        status, reply, _ = await ask(http, endpoint, body(text))
    assert status == 200 and "\ud800x" in reply["choices"][0]["message"]["content"]


async def test_keys_are_checked(http: aiohttp.ClientSession, prompt: str, body: Body) -> None:
    settings = EmbeddedSettings(latency_ms=0, bad_keys=("b",))
    async with EmbeddedEndpoint(settings, key_names=("a", "b")) as endpoint:
        statuses = {}
        for key in ("embedded-a", "embedded-b", "embedded-c", "sk-secret", "a"):
            statuses[key], reply, _ = await ask(http, endpoint, body(prompt), key)
            if statuses[key] == 401:
                assert reply["error"]["code"] == "invalid_api_key"
                assert "secret" not in json.dumps(reply)
        async with http.post(f"{endpoint.base_url}/chat/completions", json=body(prompt)) as response:
            assert response.status == 401
        async with http.get(f"{endpoint.base_url}/models") as response:
            assert response.status == 401
        stats = endpoint.ledger.to_json()
    assert statuses == {"embedded-a": 200, "embedded-b": 401, "embedded-c": 401, "sk-secret": 401, "a": 401}
    assert (stats["requests"], stats["answered"], stats["unauthorized"]) == (6, 1, 5)
    assert stats["by_key"]["a"] == stats["by_key"]["b"] == stats["by_key"]["nobody"] == 1
    assert "sk-secret" not in json.dumps(stats)


async def test_without_key_names_any_key_passes_but_a_bad_one(
    http: aiohttp.ClientSession, prompt: str, body: Body
) -> None:
    async with EmbeddedEndpoint(EmbeddedSettings(latency_ms=0, bad_keys=("b",))) as endpoint:
        assert (await ask(http, endpoint, body(prompt), "EMPTY"))[0] == 200
        assert (await ask(http, endpoint, body(prompt), "embedded-b"))[0] == 401


async def test_a_full_window_answers_429_until_the_clock_moves(
    http: aiohttp.ClientSession, prompt: str, body: Body
) -> None:
    now = [0.0]
    settings = EmbeddedSettings(latency_ms=0, requests_per_minute=2, requests_per_minute_by_key={"c": 1})
    async with EmbeddedEndpoint(settings, clock=lambda: now[0]) as endpoint:
        remaining = [(await ask(http, endpoint, body(prompt)))[2]["x-ratelimit-remaining-requests"] for _ in range(2)]
        now[0] = 15.5
        status, reply, headers = await ask(http, endpoint, body(prompt))
        assert remaining == ["1", "0"]
        assert status == 429
        assert reply["error"]["code"] == "rate_limit_exceeded" and reply["error"]["type"] == "requests"
        assert "44.5s" in reply["error"]["message"]
        assert (headers["retry-after"], headers["retry-after-ms"]) == ("45", "44500")
        assert headers["x-ratelimit-limit-requests"] == "2"
        assert headers["x-ratelimit-reset-requests"] == "44.5s"
        by_key = [(await ask(http, endpoint, body(prompt), f"embedded-{key}"))[0] for key in ("b", "c", "c")]
        assert by_key == [200, 200, 429]
        now[0] = 60.0
        assert (await ask(http, endpoint, body(prompt)))[0] == 200
        stats = endpoint.ledger.to_json()
    assert (stats["requests"], stats["answered"], stats["rate_limited"]) == (7, 5, 2)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0]"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"stop": [7]}, "stop"),
        ({"stream": True}, "stream"),
        ({"n": 2}, "n"),
        ({"model": None}, "model"),
    ],
)
async def test_a_wrong_request_names_the_field(
    http: aiohttp.ClientSession, body: Body, change: dict[str, Any], param: str
) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        status, reply, _ = await ask(http, endpoint, {**body("x"), **change})
        assert endpoint.ledger.rejected == 1
    assert status == 400
    assert set(reply["error"]) == {"message", "type", "param", "code"}
    assert (reply["error"]["type"], reply["error"]["param"]) == ("invalid_request_error", param)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://example.org/x.png", "invalid_image_url"),
        ("data:text/plain;base64,AAAA", "invalid_image_url"),
        ("data:image/png,AAAA", "invalid_image_url"),
        ("data:image/png;base64,A*A=", "invalid_base64"),
        ("data:image/png;base64,QUFBQQ==", "invalid_image"),
        ("data:image/png;base64,", "invalid_image"),
    ],
)
async def test_a_wrong_picture_is_refused(http: aiohttp.ClientSession, body: Body, url: str, code: str) -> None:
    asked = body("x")
    asked["messages"][0]["content"].append({"type": "image_url", "image_url": {"url": url}})
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        status, reply, _ = await ask(http, endpoint, asked)
    assert (status, reply["error"]["code"]) == (400, code)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 200_000, b'{"model": ' + b"9" * 5000 + b"}"])
async def test_a_body_that_is_no_json_object_is_refused(http: aiohttp.ClientSession, raw: bytes) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint, http.post(f"{endpoint.base_url}/chat/completions", data=raw) as r:
        assert r.status == 400
        assert (await r.json())["error"]["type"] == "invalid_request_error"


async def test_unknown_models_and_paths_get_openai_errors(http: aiohttp.ClientSession, body: Body) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        status, reply, _ = await ask(http, endpoint, {**body("x"), "model": "gpt-9"})
        assert (status, reply["error"]["code"]) == (404, "model_not_found")
        async with http.get(f"{endpoint.base_url}/engines") as response:
            assert response.status == 404 and "/v1/engines" in (await response.json())["error"]["message"]
        async with http.get(f"{endpoint.base_url}/chat/completions") as response:
            assert response.status == 405 and (await response.json())["error"]["message"]


async def test_too_large_a_body_is_refused(http: aiohttp.ClientSession) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        async with http.post(f"{endpoint.base_url}/chat/completions", data=b" " * (MAX_BODY_BYTES + 1)) as response:
            assert response.status == 413
            assert (await response.json())["error"]["code"] == "request_too_large"
        assert endpoint.ledger.rejected == 1


async def test_latency_is_what_a_request_takes_at_least(http: aiohttp.ClientSession, prompt: str, body: Body) -> None:
    loop = asyncio.get_running_loop()
    async with EmbeddedEndpoint(EmbeddedSettings(latency_ms=150, latency_spread=0.2)) as endpoint:
        began = loop.time()
        await asyncio.gather(*(ask(http, endpoint, body(prompt)) for _ in range(5)))
        assert loop.time() - began >= 0.12


async def test_a_client_that_leaves_is_counted_as_abandoned(
    http: aiohttp.ClientSession, prompt: str, body: Body, until: Until
) -> None:
    async with EmbeddedEndpoint(EmbeddedSettings(latency_ms=60_000)) as endpoint:
        asking = asyncio.create_task(ask(http, endpoint, body(prompt)))
        await until(lambda: endpoint.ledger.by_key)
        asking.cancel()
        await until(lambda: endpoint.ledger.abandoned)
        assert endpoint.ledger.answered == 0


async def test_the_ledger_is_served(http: aiohttp.ClientSession, prompt: str, body: Body, draw: Draw) -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        _, reply, _ = await ask(http, endpoint, body(prompt, draw()))
        async with http.get(f"http://127.0.0.1:{endpoint.port}/stats") as response:
            stats = await response.json()
    assert stats["requests"] == stats["answered"] == stats["by_key"]["a"] == 1
    assert stats["tokens"] == {
        "prompt": reply["usage"]["prompt_tokens"],
        "completion": reply["usage"]["completion_tokens"],
    }


async def test_a_port_in_use_is_told_in_words() -> None:
    async with EmbeddedEndpoint(AT_ONCE) as endpoint:
        with pytest.raises(VqaError, match=f"port {endpoint.port} is in use"):
            async with EmbeddedEndpoint(AT_ONCE, port=endpoint.port):
                pass


async def test_the_openai_client_works_with_it(prompt: str, body: Body, draw: Draw) -> None:
    import openai  # a second of work, which every process that only collects this file would do too

    settings = EmbeddedSettings(latency_ms=0, requests_per_minute=1)
    async with EmbeddedEndpoint(settings, key_names=("a",)) as endpoint:
        client = openai.AsyncOpenAI(base_url=endpoint.base_url, api_key="embedded-a", max_retries=0)
        async with client:
            models = [model.id async for model in await client.models.list()]
            assert (await client.models.retrieve(models[0])).id == models[0]
            with pytest.raises(openai.NotFoundError):
                await client.models.retrieve("other")
            messages = body(prompt, draw())["messages"]
            completion = await client.chat.completions.create(model=models[0], messages=messages)
            with pytest.raises(openai.RateLimitError) as limited:
                await client.chat.completions.create(model=models[0], messages=messages)
            with pytest.raises(openai.AuthenticationError):
                await client.with_options(api_key="embedded-z").models.list()
    assert models == ["vqa-embedded-1"]
    assert completion.usage is not None and completion.usage.total_tokens > 0
    assert completion.choices[0].message.refusal is None
    assert len(json.loads(completion.choices[0].message.content or "")) == 3
    assert limited.value.response.headers["retry-after"] in ("59", "60")
