"""What vendors really answer when something is wrong, each against what a careful operator wants to happen.

Every file in `recorded/` names the public place where such a body or such headers were seen; names of accounts, keys
and requests are left out.
"""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.conftest import MakeEndpoint, failed
from vqa_tui.domain.failure import POLICY, FailureKind, KeyEffect
from vqa_tui.endpoints.classify import classify_answer

FOLDER = Path(__file__).parent / "recorded"
FILES = sorted(FOLDER.glob("*.json"))
NOW = 1_790_000_000.0
VENDORS = {"openai": 15, "azure": 8, "gemini": 18, "anthropic": 8, "vllm": 6, "litellm": 14, "openrouter": 13}


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Return a recorded answer and its body as text."""
    recorded = json.loads(path.read_text("utf-8"))
    body = recorded["body"]
    return recorded, body if isinstance(body, str) else json.dumps(body)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_answer_is_taken_for_what_it_is(path: Path) -> None:
    recorded, body = read(path)
    assert recorded["source"]
    now = datetime.fromisoformat(recorded["now"]).timestamp() if "now" in recorded else NOW
    failure, _ = classify_answer(recorded["status"], recorded["headers"], body, now)
    expected = recorded["expect"]
    assert failure is not None and failure.kind == expected["kind"], failure
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


def test_every_vendor_is_here() -> None:
    for vendor, least in VENDORS.items():
        assert sum(path.stem.startswith(f"{vendor}_") for path in FILES) >= least, vendor


def test_what_no_repeat_can_mend_is_never_asked_again_as_if_it_would_pass() -> None:
    for path in FILES:
        recorded, _ = read(path)
        policy = POLICY[FailureKind(recorded["expect"]["kind"])]
        if recorded["expect"]["kind"] in (FailureKind.QUOTA_EXHAUSTED, FailureKind.AUTH):
            assert policy.key_effect in (KeyEffect.PARK, KeyEffect.SWITCH_OFF) and not policy.spends_attempt
        if recorded["expect"]["kind"] in (FailureKind.REJECTED, FailureKind.REFUSED):
            assert replace(policy, final=True) == policy
