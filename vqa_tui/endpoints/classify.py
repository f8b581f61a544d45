"""Every error answer becomes one kind of failure, with a sentence that says what happened."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.endpoints.completion import Completion, read_completion
from vqa_tui.endpoints.connection_errors import classify_exception
from vqa_tui.endpoints.error_body import ErrorBody, read_error_body
from vqa_tui.endpoints.gemini_errors import GeminiQuota, read_gemini_quota
from vqa_tui.endpoints.retry_after import asked_wait, wait_from_headers, wait_from_text

__all__ = ["classify_answer", "classify_exception", "classify_response"]

_LONGEST_RATE_LIMIT_S = 3600.0
"""Whoever must wait longer has used up a quota: Azure's smallest tier says 86,400 s, OpenAI has said 114 hours."""
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
        "openrouter_guardrail_budget",
        "openrouter_workspace_budget",
        "openrouter_key_limit",
    }
)
# Gateways quote a provider's code inside a sentence.
_NO_FUNDS_CODES_IN_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(_NO_FUNDS_CODES))})\b", re.I)
# Not "exceeded your current quota": Google says so of a limit by the minute, too. Not any budget: models think in one.
_NO_FUNDS_WORDS = re.compile(
    r"insufficient[ _](?:funds|balance|credits?|quota)|credit balance is too low|out of credits"
    r"|credits are (?:depleted|exhausted)|requires? more credits|more credits are required|billing hard limit"
    r"|enable billing|budget has been exceeded|(?:exceeded|crossed) budget for (?:deployment|model|provider|tag)\b"
    r"|over budget\. spend|spending (?:cap|limit)|key limit exceeded|specified api usage limits|\blimit: 0\b",
    re.I,
)
# A day's quota: a minute's rest does not bring it back.
_DAY_WORDS = re.compile(
    r"\b(?:requests|tokens) per day \(|-per-day\b|\d / day\b|\bdaily (?:rate )?(?:limit|quota)\b|PerDay", re.I
)
# The one day's quota whose stated waits mean nothing (google-gemini/gemini-cli, googleQuotaErrors.ts).
_GOOGLE_DAY_WORDS = re.compile("PerDay", re.I)
# One request that is larger than a whole minute's tokens: it can never pass, however long it waits.
_TOO_LARGE_FOR_QUOTA_WORDS = re.compile(r"request too large for|tokens must be reduced", re.I)
_NOT_HERE_WORDS = re.compile(r"location is not supported|country, region, or territory not supported", re.I)
_REFUSED_WORDS = re.compile(r"not allowed by our safety system|content management policy", re.I)
_BAD_KEY_CODES = frozenset({"api_key_invalid", "invalid_api_key", "api_key_expired"})
_BAD_KEY_WORDS = re.compile(
    r"api key (?:is )?(?:not valid|not found|expired|invalid)|(?:invalid|incorrect) api key", re.I
)
_NO_MODEL_CODES = frozenset({"model_not_found", "unknown_model", "invalid_model", "deploymentnotfound"})
# Only a model's name may stand in between: "the model could not process: image not found" is about the picture.
_NO_MODEL_WORDS = re.compile(
    r"invalid model name|unknown model\b(?! (?:error|exception|failure))|is not a valid model"
    r"|\bmodels?\b[ :=/]{0,3}(?:(?:named?|id)[ :=]{1,3})?"
    r"(?:[`'\"][^`'\"\n]{1,120}[`'\"] |(?=[a-z]*[-0-9./:@])[\w./:@+-]{1,120} )?"
    r"(?:(?:is|was|could|can) ?)?(?:does not exist|not (?:be )?found|cannot be found)",
    re.I,
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
    kind = _kind(status, headers, said)
    quota = read_gemini_quota(said.details)
    if kind is FailureKind.RATE_LIMITED and quota.exhausted:
        kind = FailureKind.QUOTA_EXHAUSTED
    wait = None
    if kind in {FailureKind.SERVER, FailureKind.TIMEOUT}:
        wait = asked_wait(headers, now) or asked_wait(said.headers, now) or quota.retry_delay_s
    elif kind is FailureKind.RATE_LIMITED:
        wait = _stated_wait(headers, said, quota, now) or quota.fallback_wait_s
        if wait is not None and wait > _LONGEST_RATE_LIMIT_S:
            kind = FailureKind.QUOTA_EXHAUSTED
    by_day = False
    if kind is FailureKind.QUOTA_EXHAUSTED:
        words = said.message[:_SEARCHED_CHARS]
        if quota.by_day or _GOOGLE_DAY_WORDS.search(words):
            by_day, wait = True, None
        elif _DAY_WORDS.search(words):
            # Others' days roll on, and a place in some minutes is one: the refusal states when.
            wait = _stated_wait(headers, said, quota, now)
            by_day = wait is None
        elif quota.exhausted:
            wait = quota.retry_delay_s
    what = _WHAT_HAPPENED[kind]
    if kind is FailureKind.QUOTA_EXHAUSTED and quota.quota:
        what = f"{what} ({_shortened(quota.quota, 120)})"
    quoted = f": {_shortened(said.message, _QUOTED_CHARS)}" if said.message else ""
    # A proxy that wants a password (407) has not let the request through.
    return Failure(kind, f"{what} (HTTP {status}){quoted}", status, wait, never_sent=status == 407, by_day=by_day)


def _stated_wait(headers: Mapping[str, str], said: ErrorBody, quota: GeminiQuota, now: float) -> float | None:
    """Return the seconds that a refusal for want of quota says, in its headers first, or None."""
    return (
        wait_from_headers(headers, now)
        or wait_from_headers(said.headers, now)
        or quota.retry_delay_s
        or wait_from_text(said.message)
    )


def _kind(status: int, headers: Mapping[str, str], said: ErrorBody) -> FailureKind:
    words = said.message[:_SEARCHED_CHARS]
    if status < 300:
        return FailureKind.BAD_REPLY
    if status >= 500:
        # Gateways turn a provider's 429 into a 500 of their own; the funds are gone all the same. Other words of a
        # broken server are about anything.
        no_funds = said.codes & _NO_FUNDS_CODES or _NO_FUNDS_CODES_IN_WORDS.search(words)
        return FailureKind.QUOTA_EXHAUSTED if no_funds else FailureKind.SERVER
    if said.codes & _REFUSED_CODES or (status == 400 and _REFUSED_WORDS.search(words)):
        return FailureKind.REFUSED
    if status in {400, 401, 402, 403, 429} and (said.codes & _NO_FUNDS_CODES or _NO_FUNDS_WORDS.search(words)):
        return FailureKind.QUOTA_EXHAUSTED
    if status == 402:
        # OpenRouter: what is in flight would use up the balance, and will not once it has been settled.
        return FailureKind.RATE_LIMITED if "retry-after" in headers else FailureKind.QUOTA_EXHAUSTED
    match status:
        case 404:
            return FailureKind.MODEL_NOT_FOUND
        case 400 | 403 if said.codes & _NO_MODEL_CODES or (status == 400 and _NO_MODEL_WORDS.search(words)):
            return FailureKind.MODEL_NOT_FOUND
        case 401 | 403:
            return FailureKind.AUTH
        case 400 if said.codes & _BAD_KEY_CODES or _BAD_KEY_WORDS.search(words) or _NOT_HERE_WORDS.search(words):
            return FailureKind.AUTH
        case 407:
            return FailureKind.NETWORK
        case 408:
            return FailureKind.TIMEOUT
        case 409 | 425 | 499:
            # Google tells with 499 that it has cancelled the request itself.
            return FailureKind.SERVER
        case 429:
            return _kind_of_429(headers, words)
        case _:
            # The endpoint knows better than its status whether the same request can pass (OpenAI, Anthropic).
            return FailureKind.SERVER if headers.get("x-should-retry") == "true" else FailureKind.REJECTED


def _kind_of_429(headers: Mapping[str, str], words: str) -> FailureKind:
    if _TOO_LARGE_FOR_QUOTA_WORDS.search(words):
        return FailureKind.REJECTED
    never_again = headers.get("x-should-retry") == "false" and "retry-after" not in headers
    if never_again or _DAY_WORDS.search(words):
        return FailureKind.QUOTA_EXHAUSTED
    return FailureKind.RATE_LIMITED


def classify_answer(
    status: int, headers: Mapping[str, str], body: str, now: float
) -> tuple[Failure | None, Completion]:
    """Return the failure that a whole HTTP answer means, or None and the completion in it. Never raises.

    Some gateways answer 200 and write the provider's real status, such as a rate limit, into the body.
    """
    if not 200 <= status < 300:
        return classify_response(status, headers, body, now), Completion()
    completion = read_completion(body)
    if completion.error_status is not None:
        return classify_response(completion.error_status, headers, body, now), completion
    return completion.failure, completion


def _redirected(status: int, headers: Mapping[str, str]) -> Failure:
    """A redirect is not followed: it would carry the key, and the picture, to a place that nobody configured.

    It is the address that is wrong, so the run has to pause and not to fail picture after picture.
    """
    try:
        host = urlsplit(headers.get("location", "")).hostname or ""
    except ValueError:
        host = ""
    where = f"to {_shortened(host, 100)}" if host else "to another address"
    return Failure(
        FailureKind.MODEL_NOT_FOUND,
        f"the endpoint redirects {where} (HTTP {status}), where the key is not sent; "
        "write the final address as base_url",
        status,
    )


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
