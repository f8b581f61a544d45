"""Listing models and checking an endpoint: what a person is told, in every case that goes wrong."""

import errno
import json
import socket
import ssl
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from tests.endpoints.conftest import KEY, PLANTED, MakeCompletion, MakeEndpoint
from vqa_tui.domain.failure import FailureKind
from vqa_tui.endpoints.advice import advice_for
from vqa_tui.endpoints.check import CheckReport, check, tiny_picture
from vqa_tui.endpoints.client import AskFailed
from vqa_tui.endpoints.connection_errors import classify_connection_error
from vqa_tui.endpoints.models import list_models


def models(*names: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


def routes(server: Any, chat: tuple[int, Any], listed: tuple[int, Any]) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        status, body = listed if request.path.endswith("/models") else chat
        return web.Response(status=status, text=json.dumps(body))

    server.handler = handler


def told(report: CheckReport) -> list[tuple[str, bool]]:
    return [(step.name, step.ok) for step in report.steps]


async def test_models_are_listed_with_one_plain_request(
    server: Any, make_endpoint: MakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "my-organisation")
    server.answers(200, models("b", "a\ud800", "b"))
    assert await list_models(make_endpoint(extra_headers={"X-Project": "p"}), server.base_url, KEY) == ["a\ufffd", "b"]
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("GET", "/v1/models")
    assert seen.headers["authorization"] == f"Bearer {PLANTED}" and seen.headers["x-project"] == "p"
    assert "my-organisation" not in str(seen.headers)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": f"bad key {PLANTED}"}}, FailureKind.AUTH),
        (404, {}, FailureKind.MODEL_NOT_FOUND),
        (429, [{"error": {"message": "slow"}}], FailureKind.RATE_LIMITED),
        (500, f"oops {PLANTED}", FailureKind.SERVER),
        (302, "", FailureKind.MODEL_NOT_FOUND),
        (200, "not json", FailureKind.BAD_REPLY),
        (200, [1], FailureKind.BAD_REPLY),
        (200, {"data": [3, {"id": 4}]}, FailureKind.BAD_REPLY),
    ],
)
async def test_a_list_that_fails_is_classified_once_and_holds_no_key(
    server: Any, make_endpoint: MakeEndpoint, status: int, body: Any, kind: FailureKind
) -> None:
    server.answers(status, body, {"Location": "http://elsewhere.example/"})
    with pytest.raises(AskFailed) as caught:
        await list_models(make_endpoint(), server.base_url, KEY)
    error = caught.value
    assert error.failure.kind is kind
    assert error.__context__ is None and PLANTED not in f"{error!r} {vars(error)}"
    assert len(server.seen) == 1


async def test_no_list_where_nobody_listens(make_endpoint: MakeEndpoint) -> None:
    with pytest.raises(AskFailed) as caught:
        await list_models(make_endpoint(), free_address(), KEY)
    failure = caught.value.failure
    assert failure.kind is FailureKind.NETWORK and failure.never_sent
    assert "nothing listens there" in failure.message
    assert "A server of your own must be running there" in advice_for(failure)


async def test_a_key_that_stands_in_the_list_of_models_is_hidden(server: Any, make_endpoint: MakeEndpoint) -> None:
    server.answers(200, models(f"my-{PLANTED}-model", "other"))
    assert await list_models(make_endpoint(), server.base_url, KEY) == ["my-[redacted]-model", "other"]


def chained(*errors: BaseException) -> BaseException:
    for outer, inner in pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


@pytest.mark.parametrize(
    ("cause", "words", "never_sent"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the name far.example cannot be resolved", True),
        (ssl.SSLCertVerificationError(1, "self-signed"), "the certificate of far.example is not trusted", True),
        (ssl.SSLError(1, "wrong version"), "no secure connection to far.example", True),
        (OSError(errno.EHOSTUNREACH, "No route"), "no connection to far.example:443: there is no way", True),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "the connection failed (OSError)", False),
    ],
)
def test_the_root_of_a_failed_connection_is_told_in_the_same_words(
    cause: BaseException, words: str, never_sent: bool
) -> None:
    error = chained(RuntimeError("Connection error."), OSError("all attempts failed"), cause)
    failure = classify_connection_error(error, "https://far.example/v1")
    assert failure.kind is FailureKind.NETWORK and failure.never_sent is never_sent
    assert failure.message.startswith(words)


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


async def test_everything_works(server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion) -> None:
    server.answers(200, completion("A red\ncircle."))
    report = await check(make_endpoint(), server.base_url, {"a": KEY, "b": KEY})
    assert report.ok and report.model == "some-model"
    names = ["address", *["key", "authorised", "model", "usage"] * 2]
    assert told(report) == [(name, True) for name in names]
    assert [step.key for step in report.steps] == ["", *["a"] * 4, *["b"] * 4]
    model, usage = report.steps[3], report.steps[4]
    assert "some-model answered as some-model-001 in" in model.detail and model.detail.endswith("A red circle.")
    assert usage.detail == "900 tokens in, 30 out"
    sent = json.loads(server.seen[0].body)["messages"][0]["content"]
    assert sent[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize(("reply", "shown"), [("word " * 40, "…"), ("a red disc", "a red disc")])
async def test_a_long_sample_reply_is_marked_as_cut(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion, reply: str, shown: str
) -> None:
    server.answers(200, completion(reply))
    report = await check(make_endpoint(), server.base_url, {"a": KEY})
    (said,) = [step.detail for step in report.steps if step.name == "model"]
    assert said.endswith(shown) and len(said) < 200


async def test_one_bad_key_among_good_ones_is_named(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"].endswith("wrong-key-value"):
            return web.json_response({"error": {"message": "Incorrect API key: wrong-key-value"}}, status=401)
        return web.json_response(completion())

    server.handler = handler
    keys: dict[str, SecretStr | str] = {"a": KEY, "b": SecretStr("wrong-key-value"), "c": "the variable C is not set"}
    report = await check(make_endpoint(), server.base_url, keys)
    assert not report.ok
    wrong = [(step.key, step.name, step.advice) for step in report.steps if not step.ok]
    assert [(key, name) for key, name, _ in wrong] == [("b", "authorised"), ("c", "key")]
    assert "holds the whole key" in wrong[0][2] and "Export the key's value" in wrong[1][2]
    assert "wrong-key-value" not in repr(report) and PLANTED not in repr(report)


@pytest.mark.parametrize(
    ("status", "body", "steps", "advice"),
    [
        (401, {}, [("address", True), ("key", True), ("authorised", False)], "holds the whole key"),
        (403, {}, [("address", True), ("key", True), ("authorised", False)], "may use this model"),
        (402, {}, [("address", True), ("key", True), ("authorised", True), ("model", False)], "billing and limits"),
        (429, {}, [("address", True), ("key", True), ("authorised", True), ("model", False)], "wait a minute"),
        (400, {}, [("address", True), ("key", True), ("authorised", True), ("model", False)], "max_tokens_field"),
        (500, {}, [("address", True), ("key", True), ("model", False)], "check again later"),
        (200, {}, [("address", True), ("key", True), ("authorised", True), ("model", False)], "no usable text"),
        (307, {}, [("address", False), ("key", True)], "Check base_url"),
    ],
)
async def test_each_failure_says_what_to_do(
    server: Any, make_endpoint: MakeEndpoint, status: int, body: Any, steps: list[tuple[str, bool]], advice: str
) -> None:
    server.answers(status, body, {"Location": "http://elsewhere.example/"})
    report = await check(make_endpoint(), server.base_url, {"main": KEY})
    assert told(report) == steps and not report.ok
    assert advice in next(step.advice for step in report.steps if not step.ok)


async def test_a_filter_that_refuses_a_red_disc(
    server: Any, make_endpoint: MakeEndpoint, completion: MakeCompletion
) -> None:
    server.answers(200, completion(None, finish_reason="content_filter"))
    report = await check(make_endpoint(), server.base_url, {"main": KEY})
    assert told(report)[-1] == ("model", False) and "safety settings" in report.steps[-1].advice


@pytest.mark.parametrize(
    ("listed", "steps", "advice"),
    [
        ((200, models("models/some-model-2", "other")), [("authorised", True), ("model", False)], "some-model-2"),
        ((200, models("x", "y")), [("authorised", True), ("model", False)], "for instance: x, y."),
        ((200, models("some-model")), [("authorised", True), ("model", False)], "but not for chat completions"),
        ((200, models()), [("authorised", True), ("model", False)], "no models"),
        ((500, {}), [("model", False)], "endpoint models"),
        ((404, {}), [], "usually in /v1"),
    ],
)
async def test_a_404_is_told_apart_by_the_list_of_models(
    server: Any,
    make_endpoint: MakeEndpoint,
    listed: tuple[int, Any],
    steps: list[tuple[str, bool]],
    advice: str,
) -> None:
    routes(server, (404, {"error": {"message": "not found"}}), listed)
    report = await check(make_endpoint(), server.base_url, {"main": KEY})
    assert told(report) == [("address", listed[0] != 404), ("key", True), *steps]
    assert advice in next(step.advice for step in report.steps if not step.ok)


async def test_an_address_where_nobody_listens_is_tried_once(make_endpoint: MakeEndpoint) -> None:
    report = await check(make_endpoint(), free_address(), {"a": KEY, "b": KEY})
    assert told(report) == [("address", False), ("key", True)]
    assert "connection refused" in report.steps[0].detail and "Start the server" in report.steps[0].advice


async def test_no_key_at_all_is_no_success(make_endpoint: MakeEndpoint) -> None:
    report = await check(make_endpoint(), free_address(), {"a": "the variable A is not set"})
    assert told(report) == [("key", False)] and not report.ok


def test_the_tiny_picture_is_always_the_same() -> None:
    assert tiny_picture() == tiny_picture()
    assert tiny_picture().data.startswith(b"\xff\xd8")
