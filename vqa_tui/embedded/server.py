"""The embedded endpoint: an OpenAI-compatible HTTP server on loopback, with quotas, faults and a ledger."""

import asyncio
import errno
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from vqa_tui.config.endpoint import EmbeddedSettings, ImageTokenRule
from vqa_tui.config.faults import Fault
from vqa_tui.domain.failure import VqaError
from vqa_tui.embedded.chat import TOKENS_PER_SECOND, Answered, Answerer
from vqa_tui.embedded.delivery import cut, drip, flood, hang, send
from vqa_tui.embedded.errors import ApiError, server_error, unknown_model
from vqa_tui.embedded.faults import FaultDice
from vqa_tui.embedded.keys import KeyRing, key_name
from vqa_tui.embedded.ledger import ABANDONED, OK, Ledger
from vqa_tui.embedded.limits import Allowance, MinuteLimiter
from vqa_tui.embedded.reply import Reply, spoil
from vqa_tui.embedded.request import read_chat_request

DEFAULT_MODEL = "vqa-embedded-1"
DEFAULT_IMAGE_TOKENS = ImageTokenRule(rule="gemini_tiles")
MAX_BODY_BYTES = 64 * 1024 * 1024
_HOST = "127.0.0.1"
_READ_BUFFER_BYTES = 1024 * 1024
"""Requests carry whole pictures; a larger buffer means fewer turns of pausing and resuming the socket."""
_SHUTDOWN_S = 0.2
_UNFINISHED = frozenset({Fault.TIMEOUT, Fault.DRIP, Fault.HUGE, Fault.RESET})
"""Faults that send no whole reply; HUGE is whole only for a client that reads 50 MB."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is to happen to one request that was understood."""

    response: web.Response
    fault: Fault | None
    prompt_tokens: int = 0
    completion_tokens: int = 0


class EmbeddedEndpoint:
    """The server as an async context manager; listens on loopback only. `base_url` is known once it is entered."""

    def __init__(
        self,
        settings: EmbeddedSettings | None = None,
        *,
        model: str = DEFAULT_MODEL,
        key_names: Sequence[str] = (),
        image_tokens: ImageTokenRule = DEFAULT_IMAGE_TOKENS,
        video_tokens_per_second: float = TOKENS_PER_SECOND,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key_names` are the accepted keys (`embedded-<name>`), none accepts any; port 0 takes a free one.

        `image_tokens` is how pictures count in `usage`, `video_tokens_per_second` how videos do; `clock` gives seconds
        and drives the request limits.
        """
        self._settings = settings or EmbeddedSettings()
        self.model = model
        """The only model that it serves."""
        self.image_tokens = image_tokens
        self._port = port
        self._keys = KeyRing(key_names, self._settings.bad_keys)
        self._requests = MinuteLimiter(
            self._settings.requests_per_minute, self._settings.requests_per_minute_by_key, clock=clock
        )
        self._tokens = MinuteLimiter(
            self._settings.tokens_per_minute, self._settings.tokens_per_minute_by_key, unit="tokens", clock=clock
        )
        self._faults = FaultDice(self._settings.fail, self._settings.seed)
        self._latency = random.Random(f"latency {self._settings.seed}")
        self._answerer = Answerer(self._settings.seed, image_tokens, video_tokens_per_second)
        self._runner: web.AppRunner | None = None
        self.ledger = Ledger()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def base_url(self) -> str:
        return f"http://{_HOST}:{self._port}/v1"

    async def __aenter__(self) -> Self:
        """Start listening. Raises VqaError when the port is taken or not allowed."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_openai_errors])
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{model}", self._one_model)
        for path in ("/stats", "/v1/stats"):
            app.router.add_get(path, self._stats)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=True,
            read_bufsize=_READ_BUFFER_BYTES,
            shutdown_timeout=_SHUTDOWN_S,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, _HOST, self._port, backlog=1024).start()
        except OSError as error:
            await self.__aexit__(None, None, None)
            raise _cannot_listen(self._port, error) from error
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and cut what is still in flight."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._answerer.close()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        key = key_name(request.headers.get("Authorization"))
        ledger = self.ledger
        ledger.count_request(key)
        try:
            outcome = await self._decide(request)
        except ApiError as error:
            ledger.count_refusal(key, error.status)
            raise
        except web.HTTPRequestEntityTooLarge as error:
            ledger.count_refusal(key, error.status)
            raise
        except (asyncio.CancelledError, ConnectionError, web.RequestPayloadError):
            ledger.count(key, ABANDONED)
            raise
        fault = outcome.fault
        if fault in _UNFINISHED:
            ledger.count(key, fault)
            return await self._misbehave(request, fault, outcome.response)
        try:
            sent = await send(request, outcome.response)
        except ConnectionError:
            # The client has left, which is its right and no error of ours that a log should hold.
            ledger.count(key, ABANDONED)
            return outcome.response
        except asyncio.CancelledError:
            ledger.count(key, ABANDONED)
            raise
        if outcome.response.status == 200:
            ledger.count_answer(key, fault or OK, outcome.prompt_tokens, outcome.completion_tokens)
        elif fault is not None:
            ledger.count(key, fault)
        return sent

    async def _misbehave(self, request: web.Request, fault: Fault, response: web.Response) -> web.StreamResponse:
        match fault:
            case Fault.TIMEOUT:
                await hang()
            case Fault.DRIP:
                return await drip(request)
            case Fault.HUGE:
                return await flood(request)
        return await cut(request, response, halfway=self.ledger.total(Fault.RESET) % 2 == 0)

    async def _decide(self, request: web.Request) -> _Outcome:
        """Read the request and settle what happens to it, after the latency has passed. Raises ApiError."""
        began = asyncio.get_running_loop().time()
        body = await request.read()
        key = self._keys.admit(request.headers.get("Authorization"))
        requests = self._requests.take(key)
        self._pass(requests)
        asked = read_chat_request(body)
        if asked.model != self.model:
            raise unknown_model(asked.model, self.model)
        fault = self._faults.draw()
        headers = {"x-request-id": f"req_{secrets.token_hex(12)}", **self._told(requests)}
        if fault in (Fault.INTERNAL, Fault.UNAVAILABLE):
            outcome = _Outcome(server_error(int(fault), headers).to_response(), fault)
        elif fault in _UNFINISHED - {Fault.RESET}:
            return _Outcome(web.Response(), fault)
        else:
            answered = await self._answerer.answer(asked)
            tokens = self._tokens.take(key, answered.prompt_tokens + answered.reply.tokens)
            if tokens is not None and tokens.retry_after_s > 0:
                self._requests.give_back(key)
            self._pass(tokens)
            outcome = self._complete(answered, fault, {**headers, **self._told(tokens)})
        await self._wait(began)
        return outcome

    def _pass(self, allowance: Allowance | None) -> None:
        """Raise the 429 when the key has used up its limit."""
        if allowance is not None and allowance.retry_after_s > 0:
            raise allowance.to_error(self._settings.rate_limits_told)

    def _told(self, allowance: Allowance | None) -> dict[str, str]:
        return allowance.headers if allowance and self._settings.rate_limits_told == "openai" else {}

    def _complete(self, answered: Answered, fault: Fault | None, headers: dict[str, str]) -> _Outcome:
        reply = answered.reply if fault is None else spoil(answered.reply, fault)
        if reply == answered.reply and fault is not Fault.RESET:
            # A plain-text reply cannot be malformed: the fault had nothing to spoil and is not counted.
            fault = None
        body = web.json_response(self._completion(reply, answered.prompt_tokens), headers=headers)
        return _Outcome(body, fault, answered.prompt_tokens, reply.tokens)

    async def _wait(self, began: float) -> None:
        """Sleep for what is left of a drawn latency: the mean, give or take the spread."""
        spread = self._settings.latency_spread * self._latency.uniform(-1, 1)
        due = began + self._settings.latency_ms / 1000 * (1 + spread)
        await asyncio.sleep(max(due - asyncio.get_running_loop().time(), 0))

    def _completion(self, reply: Reply, prompt_tokens: int) -> dict[str, Any]:
        message = {"role": "assistant", "content": reply.content, "refusal": reply.refusal}
        return {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": reply.tokens,
                "total_tokens": prompt_tokens + reply.tokens,
            },
        }

    async def _models(self, request: web.Request) -> web.StreamResponse:
        self._keys.admit(request.headers.get("Authorization"))
        return web.json_response({"object": "list", "data": [self._model_card()]})

    async def _one_model(self, request: web.Request) -> web.StreamResponse:
        self._keys.admit(request.headers.get("Authorization"))
        if request.match_info["model"] != self.model:
            raise unknown_model(request.match_info["model"], self.model)
        return web.json_response(self._model_card())

    def _model_card(self) -> dict[str, Any]:
        return {"id": self.model, "object": "model", "created": 0, "owned_by": "vqa-tui"}

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.ledger.to_json())


@web.middleware
async def _openai_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Give every error the body that OpenAI clients read."""
    try:
        return await handler(request)
    except ApiError as error:
        return error.to_response()
    except web.HTTPRequestEntityTooLarge:
        said = f"The body is larger than {MAX_BODY_BYTES // 1024 // 1024} MB."
        return ApiError(413, said, code="request_too_large").to_response()
    except web.HTTPError as error:
        return ApiError(error.status, f"{request.method} {request.path}: {error.reason}.").to_response()


def _cannot_listen(port: int, error: OSError) -> VqaError:
    if error.errno == errno.EADDRINUSE:
        return VqaError(f"port {port} is in use", hint="Choose another one, or 0 for any free port.")
    return VqaError(f"cannot listen on port {port}: {error.strerror or error}", hint="Port 0 takes any free port.")
