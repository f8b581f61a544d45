"""Every error answer becomes one kind of failure, with a sentence that says what happened."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.endpoints.connection_errors import classify_exception
from vqa_tui.endpoints.error_body import ErrorBody, read_error_body
from vqa_tui.endpoints.gemini_errors import read_gemini_quota
from vqa_tui.endpoints.retry_after import wait_from_headers, wait_from_text

__all__ = ["classify_exception", "classify_response"]

_QUOTED_CHARS = 400
_SEARCHED_CHARS = 2000

_REFUSED_CODES = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "moderation_blocked",
        "flagged_input",
    }
)
_NO_FUNDS_CODES = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "billing_disabled",
        "insufficient_funds",
        "insufficient_balance",
        "insufficient_credits",
        "payment_required",
        "budget_exceeded",
    }
)
# Not "exceeded your current quota": Google says so of a limit by the minute, too.
_NO_FUNDS_WORDS = re.compile(
    r"insufficient (?:funds|balance|credits?|quota)|credit balance is too low|out of credits"
    r"|billing hard limit|budget has been exceeded",
    re.I,
)
_BAD_KEY_CODES = frozenset({"api_key_invalid", "invalid_api_key", "api_key_expired"})
_BAD_KEY_WORDS = re.compile(
    r"api key (?:is )?(?:not valid|not found|expired|invalid)|(?:invalid|incorrect) api key", re.I
)
_NO_MODEL_CODES = frozenset({"model_not_found", "unknown_model", "invalid_model", "deploymentnotfound"})
_NO_MODEL_WORDS = re.compile(
    r"invalid model name|unknown model|is not a valid model|\bmodel\b[^.\n]{0,120}(?:does not exist|not found)", re.I
)

_WHAT_HAPPENED = {
    FailureKind.RATE_LIMITED: "too many requests for now",
    FailureKind.QUOTA_EXHAUSTED: "the quota or the funds of the key are used up",
    FailureKind.AUTH: "the endpoint refused the key",
    FailureKind.SERVER: "the endpoint had an internal error",
    FailureKind.NETWORK: "a proxy on the way refused the request",
    FailureKind.TIMEOUT: "the endpoint gave up waiting",
    FailureKind.BAD_REPLY: "the endpoint answered without a reply",
    FailureKind.REFUSED: "a content filter refused the request",
    FailureKind.REJECTED: "the endpoint rejected the request",
    FailureKind.MODEL_NOT_FOUND: "the model or the address does not exist",
}


def classify_response(status: int, headers: Mapping[str, str], body: str, now: float) -> Failure:
    """Return the failure that an HTTP answer other than a success means. Never raises, whatever stands in it.

    `now` is the Unix time against which dates in headers are read. The message quotes the provider and is hostile text.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    if 300 <= status < 400:
        return _redirected(status, headers)
    said = read_error_body(body)
    kind = _kind(status, said)
    quota = read_gemini_quota(said.details)
    if kind is FailureKind.RATE_LIMITED and quota.exhausted:
        kind = FailureKind.QUOTA_EXHAUSTED
    wait = None
    if kind in {FailureKind.RATE_LIMITED, FailureKind.SERVER, FailureKind.TIMEOUT}:
        wait = wait_from_headers(headers, now) or quota.retry_delay_s
        if kind is FailureKind.RATE_LIMITED:
            wait = wait or wait_from_text(said.message) or quota.fallback_wait_s
    what = _WHAT_HAPPENED[kind]
    if kind is FailureKind.QUOTA_EXHAUSTED and quota.quota:
        what = f"{what} ({_shortened(quota.quota, 120)})"
    quoted = f": {_shortened(said.message, _QUOTED_CHARS)}" if said.message else ""
    # A proxy that wants a password (407) has not let the request through.
    return Failure(kind, f"{what} (HTTP {status}){quoted}", status, wait, never_sent=status == 407)


def _kind(status: int, said: ErrorBody) -> FailureKind:
    words = said.message[:_SEARCHED_CHARS]
    if status >= 500:
        return FailureKind.SERVER
    if status < 300:
        return FailureKind.BAD_REPLY
    if said.codes & _REFUSED_CODES:
        return FailureKind.REFUSED
    if status == 402 or (
        status in {400, 401, 403, 429} and (said.codes & _NO_FUNDS_CODES or _NO_FUNDS_WORDS.search(words))
    ):
        return FailureKind.QUOTA_EXHAUSTED
    match status:
        case 404:
            return FailureKind.MODEL_NOT_FOUND
        case 400 | 403 if said.codes & _NO_MODEL_CODES or (status == 400 and _NO_MODEL_WORDS.search(words)):
            return FailureKind.MODEL_NOT_FOUND
        case 401 | 403:
            return FailureKind.AUTH
        case 400 if said.codes & _BAD_KEY_CODES or _BAD_KEY_WORDS.search(words):
            return FailureKind.AUTH
        case 407:
            return FailureKind.NETWORK
        case 408:
            return FailureKind.TIMEOUT
        case 409 | 425:
            return FailureKind.SERVER
        case 429:
            return FailureKind.RATE_LIMITED
        case _:
            return FailureKind.REJECTED


def _redirected(status: int, headers: Mapping[str, str]) -> Failure:
    """A redirect is not followed: it would carry the key, and the picture, to a place that nobody configured."""
    try:
        host = urlsplit(headers.get("location", "")).hostname or ""
    except ValueError:
        host = ""
    where = f"to {_shortened(host, 100)}" if host else "to another address"
    return Failure(
        FailureKind.REJECTED,
        f"the endpoint redirects {where} (HTTP {status}), where the key is not sent; "
        "write the final address as base_url",
        status,
    )


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
