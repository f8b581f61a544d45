"""Every error answer and exception becomes the right kind, whatever a server sends."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.failure import FailureKind
from vqa_tui.endpoints.classify import classify_exception, classify_response
from vqa_tui.endpoints.durations import LONGEST_WAIT_S

NOW = 1_790_000_000.0


def openai_error(message: str, code: str | None = None, kind: str = "invalid_request_error") -> str:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})


def google_error(code: int, message: str, status: str, *details: dict[str, Any], as_list: bool = True) -> str:
    error: dict[str, Any] = {"error": {"code": code, "message": message, "status": status}}
    if details:
        error["error"]["details"] = list(details)
    return json.dumps([error] if as_list else error)


def quota_failure(*quota_ids: str) -> dict[str, Any]:
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    violations = [{"quotaMetric": metric, "quotaId": quota, "quotaValue": "15"} for quota in quota_ids]
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}


def retry_info(delay: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


HELP = {"@type": "type.googleapis.com/google.rpc.Help", "links": []}
BAD_GOOGLE_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, openai_error("Incorrect API key provided: sk-...abcd.", "invalid_api_key"), FailureKind.AUTH),
        (403, openai_error("You are not allowed to sample from this model."), FailureKind.AUTH),
        (403, google_error(403, "The caller does not have permission", "PERMISSION_DENIED"), FailureKind.AUTH),
        (403, openai_error("Insufficient balance on this account."), FailureKind.QUOTA_EXHAUSTED),
        (403, openai_error("No.", "billing_not_active"), FailureKind.QUOTA_EXHAUSTED),
        (403, openai_error("No access to model `x`.", "model_not_found"), FailureKind.MODEL_NOT_FOUND),
        (403, '{"error": {"code": 403, "metadata": {"flagged_input": "…"}}}', FailureKind.REFUSED),
        (402, "", FailureKind.QUOTA_EXHAUSTED),
        (429, openai_error("You exceeded your current quota.", "insufficient_quota"), FailureKind.QUOTA_EXHAUSTED),
        (429, openai_error("Hard limit.", "billing_hard_limit_reached"), FailureKind.QUOTA_EXHAUSTED),
        (429, openai_error("Rate limit reached for requests", "rate_limit_exceeded"), FailureKind.RATE_LIMITED),
        (429, google_error(429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED"), FailureKind.RATE_LIMITED),
        (429, "", FailureKind.RATE_LIMITED),
        (400, openai_error("Your credit balance is too low to access the API."), FailureKind.QUOTA_EXHAUSTED),
        (400, google_error(400, "API key not valid.", "INVALID_ARGUMENT", BAD_GOOGLE_KEY), FailureKind.AUTH),
        (400, google_error(400, "API key not valid. Please pass a valid API key.", "X"), FailureKind.AUTH),
        (400, google_error(400, "x", "X", BAD_GOOGLE_KEY, as_list=False), FailureKind.AUTH),
        (400, openai_error("Invalid model name passed in model=gemini-x"), FailureKind.MODEL_NOT_FOUND),
        (400, openai_error("The model `x` does not exist"), FailureKind.MODEL_NOT_FOUND),
        (400, openai_error('model "llava" not found, try pulling it first'), FailureKind.MODEL_NOT_FOUND),
        (400, openai_error("Model not found: x"), FailureKind.MODEL_NOT_FOUND),
        (400, openai_error("model=gemini-9 was not found"), FailureKind.MODEL_NOT_FOUND),
        (400, openai_error("models/gemini-9-vision is not found for API version v1"), FailureKind.MODEL_NOT_FOUND),
        (400, openai_error("Unknown model: x"), FailureKind.MODEL_NOT_FOUND),
        # What is not found is not the model: this would pause the run for the sake of one picture.
        (400, openai_error("The model could not process: image url not found"), FailureKind.REJECTED),
        (400, openai_error("The model `x` cannot open the image: file not found"), FailureKind.REJECTED),
        (400, openai_error("The model was given image 3, which does not exist"), FailureKind.REJECTED),
        (400, openai_error("Unknown model error while reading the picture"), FailureKind.REJECTED),
        (400, openai_error("This model does not support image inputs"), FailureKind.REJECTED),
        (400, openai_error("Blocked.", "content_filter"), FailureKind.REFUSED),
        (400, openai_error("Blocked.", "content_policy_violation"), FailureKind.REFUSED),
        (400, '{"error": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}}', FailureKind.REFUSED),
        (400, "not json", FailureKind.REJECTED),
        (404, '{"object": "error", "message": "The model `x` does not exist."}', FailureKind.MODEL_NOT_FOUND),
        (404, "<html><title>404 Not Found</title></html>", FailureKind.MODEL_NOT_FOUND),
        (405, "", FailureKind.REJECTED),
        (407, "", FailureKind.NETWORK),
        (408, "", FailureKind.TIMEOUT),
        (409, "", FailureKind.SERVER),
        (413, "<html><h1>413 Request Entity Too Large</h1></html>", FailureKind.REJECTED),
        (422, '{"detail": [{"loc": ["body", "x"], "msg": "field required"}]}', FailureKind.REJECTED),
        (425, "", FailureKind.SERVER),
        (499, google_error(499, "The operation was cancelled.", "CANCELLED"), FailureKind.SERVER),
        (500, openai_error("The server had an error", "content_filter"), FailureKind.SERVER),
        (502, "<html><body>Bad gateway</body></html>", FailureKind.SERVER),
        (503, google_error(503, "The model is overloaded.", "UNAVAILABLE"), FailureKind.SERVER),
        (500, openai_error("out of luck", "insufficient_quota"), FailureKind.QUOTA_EXHAUSTED),
        (502, openai_error("Upstream said: budget_exceeded."), FailureKind.QUOTA_EXHAUSTED),
        # Words about money of a server that is broken are about anything.
        (500, openai_error("cannot allocate more credits to semaphore"), FailureKind.SERVER),
        (500, openai_error("thinking budget: over budget for tokens"), FailureKind.SERVER),
        (503, openai_error("requires more credits"), FailureKind.SERVER),
        (500, openai_error("limit: 0"), FailureKind.SERVER),
        (400, openai_error("max_tokens is over budget: exceeded budget of thinking tokens"), FailureKind.REJECTED),
        (400, openai_error("flow control granted no more credits to the upload"), FailureKind.REJECTED),
        (400, openai_error("This request requires more credits"), FailureKind.QUOTA_EXHAUSTED),
        (529, '{"type": "error", "error": {"type": "overloaded_error"}}', FailureKind.SERVER),
        (302, "", FailureKind.MODEL_NOT_FOUND),
        (204, "", FailureKind.BAD_REPLY),
    ],
)
def test_kinds(status: int, body: str, kind: FailureKind) -> None:
    failure = classify_response(status, {}, body, NOW)
    assert failure.kind is kind
    assert failure.http_status == status and f"HTTP {status}" in failure.message
    assert failure.never_sent is (status == 407)


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        (openai_error("Too\n\n  long."), "Too long."),
        ('{"error": "plain words"}', "plain words"),
        ('{"detail": "Not Found"}', "Not Found"),
        ('{"detail": [{"loc": ["body"], "msg": "field required"}]}', "field required"),
        ('{"message": "of vLLM", "object": "error"}', "of vLLM"),
        (openai_error(google_error(400, "from inside", "INVALID_ARGUMENT")), "from inside"),
        ("<html><head><title>502 Bad&nbsp;Gateway</title></head><body>x</body></html>", "502 Bad Gateway"),
        ("<div>no title <b>here</b></div>", "no title here"),
        ("upstream connect error", "upstream connect error"),
        ('{"error": {"message": "a\\ud800b"}}', "a\ufffdb"),
    ],
)
def test_the_provider_is_quoted_on_one_line(body: str, quoted: str) -> None:
    message = classify_response(418, {}, body, NOW).message
    assert message == f"the endpoint rejected the request (HTTP 418): {quoted}"


def test_a_long_message_is_cut() -> None:
    assert len(classify_response(400, {}, openai_error("word " * 10_000), NOW).message) < 500


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After-Ms": "1500", "Retry-After": "9"}, 1.5),
        ({"retry-after": "9"}, 9.0),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"Retry-After": "Mon, 21 Sep 2026 14:14:20 GMT"}, 60.0),
        ({"Retry-After": "Mon, 21 Sep 2026 14:12:20 GMT", "x-ratelimit-remaining-requests": "0"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "999999999"}, LONGEST_WAIT_S),
        ({"retry-after-ms": "-1", "retry-after": "4"}, 4.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "12ms"}, 0.012),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1h2m3.5s"}, 3723.5),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "7s",
            },
            7.0,
        ),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "6m0s"}, None),
    ],
)
def test_waiting_as_headers_say(headers: dict[str, str], wait: float | None) -> None:
    assert classify_response(429, headers, "", NOW).retry_after_s == wait


@pytest.mark.parametrize("status", [408, 409, 500, 503, 529])
@pytest.mark.parametrize(
    "used_up",
    [
        {"x-ratelimit-remaining": "0", "x-ratelimit-limit": "50", "x-ratelimit-reset": "86400"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "24h0m0s"},
    ],
)
def test_a_broken_server_is_asked_again_when_it_says_and_not_when_a_quota_comes_back(
    status: int, used_up: dict[str, str]
) -> None:
    assert classify_response(status, used_up, "", NOW).retry_after_s is None
    assert classify_response(status, used_up | {"retry-after": "9"}, "", NOW).retry_after_s == 9.0
    assert classify_response(status, used_up | {"retry-after-ms": "1500"}, "", NOW).retry_after_s == 1.5
    inside = json.dumps({"error": {"message": "x", "metadata": {"headers": used_up}}})
    assert classify_response(status, {}, inside, NOW).retry_after_s is None
    assert classify_response(429, used_up, "", NOW).retry_after_s == 86_400.0


@pytest.mark.parametrize(
    ("body", "kind", "wait"),
    [
        (openai_error("Insufficient credits"), FailureKind.QUOTA_EXHAUSTED, None),
        (openai_error("No.", "insufficient_balance"), FailureKind.QUOTA_EXHAUSTED, None),
        (openai_error("This request requires more credits, or fewer max_tokens."), FailureKind.QUOTA_EXHAUSTED, None),
        (openai_error("Your requests in flight would exceed your spending budget."), FailureKind.RATE_LIMITED, 60.0),
        ("", FailureKind.RATE_LIMITED, 60.0),
    ],
)
def test_funds_that_are_gone_do_not_come_back_by_waiting(body: str, kind: FailureKind, wait: float | None) -> None:
    failure = classify_response(402, {"retry-after": "60"}, body, NOW)
    assert (failure.kind, failure.retry_after_s) == (kind, wait)


def test_the_first_header_that_says_something_wins() -> None:
    headers = {
        "retry-after": "3",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "6m0s",
    }
    body = google_error(429, "Please retry in 20s.", "RESOURCE_EXHAUSTED", retry_info("37s"))
    assert classify_response(429, headers, body, NOW).retry_after_s == 3
    del headers["retry-after"]
    assert classify_response(429, headers, body, NOW).retry_after_s == 360
    assert classify_response(429, {}, body, NOW).retry_after_s == 37


@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize(
    ("details", "message", "kind", "wait"),
    [
        ([quota_failure(PER_MINUTE), HELP, retry_info("37s")], "x", FailureKind.RATE_LIMITED, 37.0),
        ([quota_failure(PER_MINUTE), retry_info("34.07s")], "x", FailureKind.RATE_LIMITED, 34.07),
        ([retry_info("900ms")], "x", FailureKind.RATE_LIMITED, 0.9),
        ([quota_failure(PER_DAY), retry_info("1s")], "x", FailureKind.QUOTA_EXHAUSTED, None),
        ([quota_failure(PER_MINUTE, PER_DAY), retry_info("1s")], "x", FailureKind.QUOTA_EXHAUSTED, None),
        ([quota_failure(PER_MINUTE), retry_info("3600s")], "x", FailureKind.QUOTA_EXHAUSTED, 3600.0),
        ([quota_failure(PER_MINUTE)], "Please retry in 37.6s.", FailureKind.RATE_LIMITED, 37.6),
        ([], "Please retry in 900ms.", FailureKind.RATE_LIMITED, 0.9),
        ([], "Please try again in 1m30.5s. Visit …", FailureKind.RATE_LIMITED, 90.5),
        ([], "Please retry after 20 seconds.", FailureKind.RATE_LIMITED, 20.0),
        ([quota_failure(PER_MINUTE)], "x", FailureKind.RATE_LIMITED, 60.0),
        ([], "x", FailureKind.RATE_LIMITED, None),
        ([{"@type": "google.rpc.RetryInfo"}, {"violations": 3}], "x", FailureKind.RATE_LIMITED, None),
        ([{"@type": "google.rpc.QuotaFailure", "violations": [7, {}]}], "x", FailureKind.RATE_LIMITED, None),
    ],
)
def test_google_429(
    details: list[dict[str, Any]], message: str, kind: FailureKind, wait: float | None, as_list: bool
) -> None:
    body = google_error(429, message, "RESOURCE_EXHAUSTED", *details, as_list=as_list)
    failure = classify_response(429, {}, body, NOW)
    assert (failure.kind, failure.retry_after_s) == (kind, wait)


def test_the_used_up_quota_is_named() -> None:
    body = google_error(429, "x", "RESOURCE_EXHAUSTED", quota_failure(PER_DAY))
    assert f"used up ({PER_DAY})" in classify_response(429, {}, body, NOW).message


def test_a_redirect_names_the_host_only() -> None:
    headers = {"Location": "https://user:secret@login.example/x?key=secret"}
    message = classify_response(307, headers, "", NOW).message
    assert "redirects to login.example" in message and "secret" not in message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
error_fields = st.sampled_from(
    [
        "error",
        "message",
        "code",
        "type",
        "details",
        "@type",
        "violations",
        "quotaId",
        "retryDelay",
        "metadata",
        "reason",
    ]
)
error_like = st.recursive(
    json_values | st.sampled_from(["type.googleapis.com/google.rpc.RetryInfo", PER_DAY, "9e9s", "[{", '{"error": 1}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(error_fields, inner, max_size=5),
    max_leaves=12,
)
header_names = st.sampled_from(
    ["Retry-After", "retry-after-ms", "location", "X-RateLimit-Remaining-Requests", "x-ratelimit-reset-requests"]
)
header_values = st.text(max_size=30) | st.integers().map(str) | st.floats().map(str) | st.just("Mon, 99 Foo 99999 GMT")


@given(
    st.integers(100, 999),
    st.dictionaries(header_names | st.text(max_size=10), header_values, max_size=5),
    st.text(max_size=300) | error_like.map(json.dumps),
)
def test_nothing_that_a_server_sends_raises(status: int, headers: dict[str, str], body: str) -> None:
    failure = classify_response(status, headers, body, NOW)
    assert failure.retry_after_s is None or 0 < failure.retry_after_s <= LONGEST_WAIT_S
    assert "\n" not in failure.message and 0 < len(failure.message) < 800
    failure.message.encode("utf-8")


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"error":' * 50_000, "9" * 100_000, "<" * 300_000, "{" + "<a" * 99_999]
)
def test_bodies_made_to_break_a_parser_are_read_in_no_time(body: str) -> None:
    assert classify_response(500, {}, body, NOW).kind is FailureKind.SERVER


@pytest.mark.parametrize(
    ("error", "kind", "never_sent"),
    [
        (aiohttp.ConnectionTimeoutError("x"), FailureKind.TIMEOUT, True),
        (aiohttp.SocketTimeoutError("x"), FailureKind.TIMEOUT, False),
        (TimeoutError(), FailureKind.TIMEOUT, False),
        (aiohttp.ServerDisconnectedError(), FailureKind.NETWORK, False),
        (aiohttp.ClientConnectionResetError("x"), FailureKind.NETWORK, False),
        (ConnectionResetError(104, "x"), FailureKind.NETWORK, False),
        (aiohttp.ClientOSError(32, "x"), FailureKind.NETWORK, False),
        (aiohttp.ClientPayloadError("x"), FailureKind.NETWORK, False),
        (OSError(24, "x"), FailureKind.NETWORK, False),
        (aiohttp.InvalidURL("x"), FailureKind.REJECTED, True),
        (asyncio.CancelledError(), FailureKind.CANCELLED, False),
        (RuntimeError("planted"), FailureKind.NETWORK, False),
    ],
)
def test_exceptions(error: BaseException, kind: FailureKind, never_sent: bool) -> None:
    failure = classify_exception(error)
    assert (failure.kind, failure.never_sent) == (kind, never_sent)
    assert "planted" not in failure.message


async def test_a_name_that_does_not_resolve_was_never_sent() -> None:
    class NoNames(aiohttp.abc.AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[aiohttp.abc.ResolveResult]:
            raise OSError(-2, "Name or service not known")

        async def close(self) -> None: ...

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=NoNames())) as session:
        with pytest.raises(aiohttp.ClientConnectorDNSError) as caught:
            await session.get("http://no.such.example/")
    failure = classify_exception(caught.value)
    assert (failure.kind, failure.never_sent) == (FailureKind.NETWORK, True)
    assert failure.message == "the name no.such.example cannot be resolved"
