"""The HTTP client of the hot path: one question about one picture in, one answer or one classified failure out."""

import time
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import aiohttp
from pydantic import SecretStr

from vqa_tui.domain.allowance import Allowance
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.endpoints.addressing import key_headers, with_query
from vqa_tui.endpoints.classify import classify_answer, classify_exception
from vqa_tui.endpoints.clean_request import CleanRequest, UnaskedReply
from vqa_tui.endpoints.completion import Completion
from vqa_tui.endpoints.large_body import LargeBody
from vqa_tui.endpoints.proxies import proxy_for, split_credentials
from vqa_tui.endpoints.rate_headers import read_allowances
from vqa_tui.endpoints.redaction import without_key
from vqa_tui.endpoints.sending import Connections
from vqa_tui.endpoints.settings import EndpointSettings

LARGEST_REPLY = 4 * 1024 * 1024
"""Bytes after decompression; no model writes a tenth of it, and hundreds may arrive at once."""
_LARGEST_ERROR = 256 * 1024
"""Bytes of an error answer that are read: what it says stands at its top, and its status counts in any case."""
_MOST_SPOILT = 8
"""New connections on which the endpoint speaks first, after which a request is given up."""
_KEPT_BODY_CHARS = 100_000
_IDLE_CONNECTION_S = 4.0
"""Below the five seconds after which uvicorn (vLLM) and Node close theirs: a request must not meet a closing socket."""
_LARGEST_SINGLE_WRITE = 1024 * 1024
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "apim-request-id")


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable reply. `text` is hostile, but storable: it holds no lone surrogates."""

    text: str
    finish_reason: str
    """`stop`, `length` (cut by max_tokens), or whatever the endpoint says."""
    usage: Usage
    """Zeros when it was not reported."""
    usage_reported: bool
    model: str
    request_id: str
    http_status: int
    latency_ms: float
    """From the call, a wait for a free connection included, to the last byte."""
    allowances: tuple[Allowance, ...] = ()
    """What the endpoint told about its quotas."""


class AskFailed(Exception):
    """A request that brought no usable reply. Neither it nor anything it holds contains the key."""

    def __init__(
        self,
        failure: Failure,
        *,
        latency_ms: float = 0.0,
        http_status: int | None = None,
        request_id: str = "",
        raw_body: str = "",
        usage: Usage | None = None,
        finish_reason: str = "",
        allowances: tuple[Allowance, ...] = (),
    ) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.latency_ms = latency_ms
        self.http_status = http_status
        self.request_id = request_id
        self.raw_body = raw_body
        """What the endpoint sent, as text, at most 100,000 characters."""
        self.usage = usage
        """What a refusal or an empty reply cost, if it was reported."""
        self.finish_reason = finish_reason
        self.allowances = allowances
        """What the endpoint told about its quotas."""


@dataclass(frozen=True, slots=True)
class _Received:
    """What came back; `failure` is set when that is not a complete answer."""

    status: int | None
    headers: dict[str, str]
    body: str
    failure: Failure | None = None
    is_cut: bool = False
    """Whether `body` is only the beginning of an answer whose status is no success."""


class VisionClient:
    """Asks one endpoint. Use it as an async context manager; one per run.

    Connections are kept alive, at most `connections` at once (0: as many as are asked for); a request beyond that waits
    for one. TLS certificates are verified. Nothing is retried here (and aiohttp
    repeats only idempotent methods, never a POST), no redirect is followed, no cookie is kept.
    Raises VqaError when the environment names a proxy that cannot be used.
    """

    def __init__(self, endpoint: EndpointSettings, base_url: str, connections: int) -> None:
        self._endpoint = endpoint
        self._url = f"{base_url.rstrip('/')}/chat/completions" + with_query(endpoint)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._sockets = Connections()
        self._proxy, self._proxy_headers = split_credentials(proxy_for(self._url))
        # aiohttp sends proxy headers with CONNECT alone; a plain request passes through the proxy itself.
        self._plain_proxy_headers = self._proxy_headers if self._url.startswith("http:") else {}

    async def __aenter__(self) -> Self:
        timeouts = self._endpoint.timeouts
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections, keepalive_timeout=_IDLE_CONNECTION_S, socket_factory=self._sockets.make
            ),
            # sock_connect, not connect: the latter would also count the wait for a free connection.
            timeout=aiohttp.ClientTimeout(
                total=timeouts.total_s, sock_connect=timeouts.connect_s, sock_read=timeouts.first_byte_s
            ),
            headers={"Content-Type": "application/json", "User-Agent": "vqa-tui", **self._endpoint.extra_headers},
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=CleanRequest,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def still_sending(self) -> int | None:
        """Return how many requests are still going out; None where the operating system does not tell."""
        return self._sockets.still_sending()

    async def ask(self, body: bytes, key_value: SecretStr) -> Answer:
        """Send one prepared `body` (JSON) with one key and return the reply. Raises AskFailed for everything else."""
        started = time.monotonic()
        received = await self._exchange(body, key_value)
        latency_ms = (time.monotonic() - started) * 1000
        completion = Completion()
        failure = received.failure
        if failure is None and received.status is not None:
            # Half of a sentence, or of a JSON text, may say what the whole does not: then status and headers tell.
            body_read = "" if received.is_cut else received.body
            failure, completion = classify_answer(received.status, received.headers, body_read, time.time())
        if failure is not None:
            words = f"{failure.message}; its answer was cut off" if received.is_cut else failure.message
            failure = replace(
                failure, message=without_key(words, key_value, self._endpoint), http_status=received.status
            )
        completion = self._redacted(completion, key_value)
        request_id = next(
            (value for name in _REQUEST_ID_HEADERS if (value := received.headers.get(name))), completion.id
        )
        allowances = read_allowances(received.headers, time.time())
        if failure is not None:
            raise AskFailed(
                failure,
                latency_ms=latency_ms,
                http_status=received.status,
                request_id=request_id,
                raw_body=received.body[:_KEPT_BODY_CHARS],
                usage=completion.usage,
                finish_reason=completion.finish_reason,
                allowances=allowances,
            )
        return Answer(
            text=completion.text,
            finish_reason=completion.finish_reason,
            usage=completion.usage or Usage(),
            usage_reported=completion.usage is not None,
            model=completion.model,
            request_id=request_id,
            http_status=received.status or 0,
            latency_ms=latency_ms,
            allowances=allowances,
        )

    def _redacted(self, completion: Completion, key: SecretStr) -> Completion:
        """Return `completion` without the key: what was whole only after parsing is in no text that was sent."""
        return replace(
            completion,
            text=without_key(completion.text, key, self._endpoint),
            finish_reason=without_key(completion.finish_reason, key, self._endpoint),
            model=without_key(completion.model, key, self._endpoint),
            id=without_key(completion.id, key, self._endpoint),
        )

    async def _exchange(self, body: bytes, key_value: SecretStr) -> _Received:
        """Return what came back. Exceptions end here: theirs hold the request with its Authorization header."""
        assert self._session is not None, "VisionClient is used outside `async with`"
        key = key_value.get_secret_value()
        if not (key.isascii() and key.isprintable()):
            problem = "the value of the key holds characters that no HTTP header can carry; nothing was sent"
            return _Received(None, {}, "", Failure(FailureKind.AUTH, problem, never_sent=True))
        spoilt = 0
        while spoilt < _MOST_SPOILT:
            try:
                return await self._sent(body, key, key_value)
            except UnaskedReply as error:
                # Nothing left this machine, and the spoilt connection is closed: the next one is another. Idle ones
                # do not count: there may be hundreds, all spoilt, each is met once, and behind them is a new one.
                spoilt += not error.was_idle
        problem = "the endpoint keeps answering before it is asked; nothing was sent"
        return _Received(None, {}, "", Failure(FailureKind.NETWORK, problem, never_sent=True))

    async def _sent(self, body: bytes, key: str, key_value: SecretStr) -> _Received:
        """Return what came back on one connection. Raises UnaskedReply, and then nothing was sent."""
        assert self._session is not None
        status, headers, pieces = None, dict[str, str](), list[bytes]()
        try:
            async with self._session.post(
                self._url,
                data=body if len(body) <= _LARGEST_SINGLE_WRITE else LargeBody(body),
                headers={**key_headers(self._endpoint, key), **self._plain_proxy_headers},
                allow_redirects=False,
                proxy=self._proxy,
                proxy_headers=self._proxy_headers,
            ) as response:
                status = response.status
                headers = {
                    name.lower(): without_key(text, key_value, self._endpoint)
                    for name, text in response.headers.items()
                }
                success = 200 <= status < 300
                whole = await _read_at_most(response, LARGEST_REPLY if success else _LARGEST_ERROR, pieces)
        except UnaskedReply:
            raise
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            if status is None or 200 <= status < 300:
                return _Received(status, headers, "", classify_exception(error))
            return _Received(status, headers, self._text(pieces, key_value), is_cut=True)
        if success and not whole:
            problem = f"the answer is longer than {LARGEST_REPLY // 1024**2} MiB and was not read to its end"
            return _Received(status, headers, "", Failure(FailureKind.BAD_REPLY, problem))
        return _Received(status, headers, self._text(pieces, key_value))

    def _text(self, pieces: list[bytes], key: SecretStr) -> str:
        return without_key(b"".join(pieces).decode("utf-8", "replace"), key, self._endpoint)


async def _read_at_most(response: aiohttp.ClientResponse, limit: int, pieces: list[bytes]) -> bool:
    """Add the body to `pieces` and return whether it is whole; of a longer one, little more than `limit` bytes.

    It is unpacked as it comes, some 100 KB at a time: a small body that would unpack to a huge one ends here as well.
    """
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        pieces.append(piece)
        if size > limit:
            response.close()
            return False
    return True
