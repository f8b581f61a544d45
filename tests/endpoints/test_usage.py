"""Token counts as providers and gateways write them; hostile ones break nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.cost import Usage
from vqa_tui.endpoints.completion import read_completion
from vqa_tui.endpoints.usage import read_usage

REPORTS: dict[str, tuple[dict[str, Any], Usage]] = {
    "openai, with a cached prefix": (
        {
            "prompt_tokens": 2006,
            "completion_tokens": 300,
            "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0},
        },
        Usage(2006, 300, 1920),
    ),
    "openai responses": (
        {
            "input_tokens": 328,
            "input_tokens_details": {"cached_tokens": 256},
            "output_tokens": 52,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 380,
        },
        Usage(328, 52, 256),
    ),
    "anthropic messages: the cache stands beside the input": (
        {
            "input_tokens": 50,
            "cache_creation_input_tokens": 248,
            "cache_read_input_tokens": 1000,
            "output_tokens": 503,
        },
        Usage(1298, 503, 1000, 0, 248),
    ),
    "anthropic messages without a cache": (
        {"input_tokens": 50, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 5},
        Usage(50, 5),
    ),
    "litellm before anthropic: already added up": (
        {
            "prompt_tokens": 1298,
            "completion_tokens": 503,
            "total_tokens": 1801,
            "prompt_tokens_details": {"cached_tokens": 1000},
            "cache_creation_input_tokens": 248,
            "cache_read_input_tokens": 1000,
        },
        Usage(1298, 503, 1000, 0, 248),
    ),
    "litellm before gemini: picture tokens told apart": (
        {
            "prompt_tokens": 1400,
            "completion_tokens": 20,
            "total_tokens": 1420,
            "prompt_tokens_details": {"cached_tokens": None, "text_tokens": 280, "image_tokens": 1120},
        },
        Usage(1400, 20, 0, 1120),
    ),
    "a gateway that counts the cache beside and says so nowhere": (
        {"prompt_tokens": 50, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1000}},
        Usage(1050, 5, 1000),
    ),
    "gemini: thinking stands in the total only": (
        {"prompt_tokens": 1384, "completion_tokens": 66, "total_tokens": 1650},
        Usage(1384, 266),
    ),
    "gemini's own list by modality": (
        {
            "prompt_tokens": 1384,
            "completion_tokens": 66,
            "total_tokens": 1450,
            "prompt_tokens_details": [
                {"modality": "TEXT", "token_count": 264},
                {"modality": "IMAGE", "token_count": 1120},
                {"modality": 7},
                "nonsense",
            ],
        },
        Usage(1384, 66, 0, 1120),
    ),
    "thinking beside the completion and no total": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "completion_tokens_details": {"reasoning_tokens": 200},
        },
        Usage(100, 220),
    ),
    "vllm": (
        {"prompt_tokens": 421, "total_tokens": 497, "completion_tokens": 76, "prompt_tokens_details": None},
        Usage(421, 76),
    ),
    "a cut reply without a completion count": ({"prompt_tokens": 421, "total_tokens": 421}, Usage(421, 0)),
    "deepseek": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "total_tokens": 105,
            "prompt_cache_hit_tokens": 64,
            "prompt_cache_miss_tokens": 36,
        },
        Usage(100, 5, 64),
    ),
    "whole numbers as floats": ({"prompt_tokens": 12.0, "completion_tokens": 3.0}, Usage(12, 3)),
}
NAMES = sorted({name for report, _ in REPORTS.values() for name in report} | {"cached_tokens", "image_tokens"})
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats()
    | st.text()
    | st.dictionaries(st.sampled_from(["cached_tokens", "image_tokens", "reasoning_tokens"]), st.integers() | st.text())
    | st.lists(st.dictionaries(st.sampled_from(["modality", "token_count"]), st.integers() | st.text(), max_size=2))
)


@pytest.mark.parametrize("name", REPORTS)
def test_reports_of_providers(name: str) -> None:
    report, usage = REPORTS[name]
    assert read_usage(report) == usage
    said = "yes" if usage.output_tokens else ""
    assert read_completion(reply_with(report, content=said)).usage == usage


def reply_with(report: dict[str, Any], **message: str) -> str:
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], "usage": report})


@pytest.mark.parametrize("message", [{"content": "a cat"}, {"content": " "}, {"content": "", "refusal": "I cannot"}])
def test_no_output_beside_a_reply_is_no_report(message: dict[str, str]) -> None:
    lost = {"prompt_tokens": 1500, "completion_tokens": 0, "total_tokens": 1500}
    assert read_completion(reply_with(lost, **message)).usage is None
    assert read_completion(reply_with(lost, content="")).usage == Usage(1500, 0)


@pytest.mark.parametrize(
    "report",
    [
        None,
        [],
        "usage",
        {},
        {"prompt_tokens": 5},
        {"completion_tokens": 5},
        {"prompt_tokens": -1, "completion_tokens": 5},
        {"prompt_tokens": True, "completion_tokens": 5},
        {"prompt_tokens": "12", "completion_tokens": 5},
        {"prompt_tokens": 10**12, "completion_tokens": 5},
        {"prompt_tokens": float("nan"), "completion_tokens": 5},
        {"prompt_tokens": 9, "total_tokens": 5},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
        {"prompt_tokens": 0, "completion_tokens": 150, "total_tokens": 150},
        {"prompt_tokens": 0.0, "completion_tokens": 0.0},
    ],
)
def test_what_is_no_report_or_says_that_nothing_was_read_is_none(report: Any) -> None:
    assert read_usage(report) is None


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_no_report_raises_and_no_part_is_larger_than_the_whole(report: dict[str, Any]) -> None:
    usage = read_usage(report)
    if usage is None:
        return
    whole = usage.input_tokens
    for part in (usage.cached_input_tokens, usage.image_tokens, usage.cache_write_tokens):
        assert 0 <= part <= whole
    # Sums of a run stay within the 64 bits of the store.
    assert 0 <= whole <= 10**10 and 0 <= usage.output_tokens <= 10**10
