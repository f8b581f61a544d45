"""What vendors really answer when something is wrong, each against what a careful operator wants to happen.

Every file in `recorded/` names the public place where such a body or such headers were seen; names of accounts, keys
and requests are left out.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.conftest import MakeEndpoint, failed
from vqa_tui.domain.failure import POLICY, Failure, KeyEffect
from vqa_tui.endpoints.classify import classify_answer

FOLDER = Path(__file__).parent / "recorded"
FILES = sorted(FOLDER.glob("*.json"))
NOW = 1_790_000_000.0
VENDORS = {
    "openai": "auth rate_limited quota_exhausted rejected refused model_not_found server",
    "azure": "auth rate_limited quota_exhausted refused model_not_found",
    "gemini": "auth rate_limited quota_exhausted refused model_not_found server bad_reply",
    "anthropic": "auth rate_limited quota_exhausted rejected server",
    "vllm": "auth rejected model_not_found server",
    "litellm": "rate_limited quota_exhausted model_not_found timeout",
    "openrouter": "rate_limited quota_exhausted refused server",
}
WANTED = {
    "switch the key off": """401_authentication 401_wrong_key 403_resource_blocked 400_key_invalid 400_location
        403_key_blocked 403_service_disabled 401_invalid_api_key 403_country 401_unauthorized""",
    "park the key": """400_credit_balance 400_usage_limits 429_again_tomorrow 400_no_billing 429_credits_depleted
        429_day_paid 429_day_says_one_second 429_limit_zero 429_spending_cap 400_budget 400_budget_of_an_end_user
        400_wrapped_usage_limits 429_budget_of_a_deployment 429_budget_of_a_key 429_wrapped_gemini_day
        429_wrapped_insufficient_quota 500_wrapped_insufficient_quota 429_again_in_days 429_insufficient_quota
        429_insufficient_quota_without_code 429_requests_per_day 402_cannot_afford 402_credits 402_nested
        403_guardrail_budget 403_key_limit 429_free_day""",
    "fail the task": """400_picture_too_large 413_too_large 400_content_filter 200_safety 400_context_length
        429_one_request_too_large 400_picture_not_allowed 400_picture_not_allowed_without_code 403_moderation
        400_max_tokens 422_validation""",
    "pause the run": """404_deployment_not_found 404_model 400_unknown_model 404_model_not_found""",
}
"""What an operator wants to happen, by the names of the answers that no repeat can mend."""


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Return a recorded answer and its body as text."""
    recorded = json.loads(path.read_text("utf-8"))
    body = recorded["body"]
    return recorded, body if isinstance(body, str) else json.dumps(body)


def classified(path: Path) -> Failure:
    """Return what a recorded answer is taken for."""
    recorded, body = read(path)
    now = datetime.fromisoformat(recorded["now"]).timestamp() if "now" in recorded else NOW
    failure, _ = classify_answer(recorded["status"], recorded["headers"], body, now)
    assert failure is not None
    return failure


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_answer_is_taken_for_what_it_is(path: Path) -> None:
    recorded, _ = read(path)
    assert recorded["source"]
    failure, expected = classified(path), recorded["expect"]
    assert failure.kind == expected["kind"], failure
    assert expected["message_has"] in failure.message and "\n" not in failure.message
    assert failure.retry_after_s == pytest.approx(expected.get("retry_after_s"), abs=1e-6)
    assert failure.by_day is expected.get("by_day", False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_recorded_answer_comes_through_the_client_as_it_was_sent(
    path: Path, server: Any, make_endpoint: MakeEndpoint
) -> None:
    recorded, body = read(path)
    headers = {name: text for name, text in recorded["headers"].items() if name not in ("content-type", "server")}
    server.answers(recorded["status"], body, headers)
    error = await failed(make_endpoint(), server.base_url)
    assert error.failure.kind == recorded["expect"]["kind"] and error.raw_body == body
    assert error.http_status == recorded["status"] and len(server.seen) == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_is_here_with_what_it_is_known_to_refuse(vendor: str) -> None:
    paths = [path for path in FILES if path.stem.startswith(f"{vendor}_")]
    answers = {(read(path)[0]["status"], json.dumps(read(path)[0]["headers"]), read(path)[1]) for path in paths}
    assert len(answers) == len(paths), "an answer is here twice"
    assert all(path.stem.split("_")[1] == str(read(path)[0]["status"]) for path in paths)
    assert {classified(path).kind for path in paths} >= set(VENDORS[vendor].split())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_no_repeat_can_mend_is_never_asked_again_as_if_it_would_pass(path: Path) -> None:
    policy = POLICY[classified(path).kind]
    consequence = {
        KeyEffect.SWITCH_OFF: "switch the key off",
        KeyEffect.PARK: "park the key",
        KeyEffect.COOL_DOWN: "let the key rest",
        KeyEffect.NONE: "pause the run" if policy.pauses_run else "fail the task" if policy.final else "ask again",
    }[policy.key_effect]
    wanted = {want for want, names in WANTED.items() if path.stem.partition("_")[2] in names.split()}
    assert wanted == ({consequence} if consequence in WANTED else set())
    assert policy.spends_attempt is (consequence in ("fail the task", "ask again"))
