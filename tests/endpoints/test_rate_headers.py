"""Quotas are read out of headers as vendors write them, and nothing that a server writes raises."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.allowance import Allowance, Unit
from vqa_tui.endpoints.classify import classify_response
from vqa_tui.endpoints.durations import LONGEST_WAIT_S, duration_s
from vqa_tui.endpoints.rate_headers import read_allowances

NOW = 1_790_000_000.0


def openai(what: str, limit: str, remaining: str, reset: str) -> dict[str, str]:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"x-ratelimit-{part}-{what}": value for part, value in values.items()}


def anthropic(what: str, limit: str, remaining: str, reset: str) -> dict[str, str]:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"anthropic-ratelimit-{what}-{part}": value for part, value in values.items()}


def rfc3339(seconds: float) -> str:
    return (datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, ()),
        (
            {**openai("requests", "5000", "4999", "12ms"), **openai("tokens", "160000", "159976", "6m0s")},
            (Allowance(Unit.REQUESTS, 5000, 4999, 0.012), Allowance(Unit.TOKENS, 160_000, 159_976, 360.0)),
        ),
        # Groq: requests by the day.
        (openai("requests", "14400", "14370", "2m59.56s"), (Allowance(Unit.REQUESTS, 14_400, 14_370, 179.56),)),
        # LiteLLM: Unix times.
        (openai("tokens", "1000", "0", str(int(NOW) + 30)), (Allowance(Unit.TOKENS, 1000, 0, 30.0),)),
        # Azure: what it does not know.
        (openai("requests", "-1", "-1", "-1"), ()),
        (openai("requests", "0", "0", "0"), ()),
        (openai("requests", "-1", "0", "0s"), ()),
        ({"x-ratelimit-remaining-requests": "9"}, (Allowance(Unit.REQUESTS, None, 9, None),)),
        ({"x-ratelimit-remaining-requests": "0"}, ()),
        (openai("requests", "10", "11", "1s"), ()),
        (openai("requests", "many", "few", "soon"), ()),
        (openai("requests", " 10 ", "3.0", "nan"), (Allowance(Unit.REQUESTS, 10, 3, None),)),
        (anthropic("requests", "50", "0", rfc3339(42)), (Allowance(Unit.REQUESTS, 50, 0, 42.0),)),
        (
            {
                **anthropic("requests", "4000", "3999", rfc3339(0)),
                **anthropic("tokens", "480000", "400000", rfc3339(10)),
                **anthropic("input-tokens", "400000", "399000", rfc3339(0.15)),
                **anthropic("output-tokens", "80000", "1000", rfc3339(59.25)),
            },
            (
                Allowance(Unit.REQUESTS, 4000, 3999, None),
                Allowance(Unit.INPUT_TOKENS, 400_000, 399_000, 0.15),
                Allowance(Unit.OUTPUT_TOKENS, 80_000, 1000, 59.25),
            ),
        ),
        (anthropic("requests", "50", "1", "2026-13-45T99:99:99Z"), (Allowance(Unit.REQUESTS, 50, 1, None),)),
        (
            {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "3", "x-ratelimit-reset": f"{int(NOW) + 7}000"},
            (Allowance(Unit.REQUESTS, 20, 3, 7.0),),
        ),
        (
            {"ratelimit-limit": "100", "ratelimit-remaining": "0", "ratelimit-reset": "36000"},
            (Allowance(Unit.REQUESTS, 100, 0, 36_000.0),),
        ),
        (
            {**openai("requests", "9", "8", "1s"), "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0"},
            (Allowance(Unit.REQUESTS, 9, 8, 1.0),),
        ),
    ],
)
def test_what_vendors_tell(headers: dict[str, str], told: tuple[Allowance, ...]) -> None:
    found = read_allowances(headers, NOW)
    assert [(each.unit, each.limit, each.remaining) for each in found] == [
        (each.unit, each.limit, each.remaining) for each in told
    ]
    for each, expected in zip(found, told, strict=True):
        assert each.resets_in_s == (None if expected.resets_in_s is None else pytest.approx(expected.resets_in_s))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("12ms", 0.012),
        ("1h2m3.5s", 3723.5),
        ("1d", 86_400.0),
        ("250us", 0.00025),
        ("7.66s", 7.66),
        ("20", 20.0),
        ("0s", None),
        ("-5s", None),
        ("5 s", None),
        ("s", None),
        ("999999999h", LONGEST_WAIT_S),
        ("1e9", None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_s(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (anthropic("input-tokens", "400000", "0", rfc3339(37)), 37.0),
        ({**anthropic("requests", "50", "0", rfc3339(5)), **anthropic("output-tokens", "80", "0", rfc3339(50))}, 50.0),
        ({**anthropic("requests", "50", "0", rfc3339(37)), "retry-after": "12"}, 12.0),
        (anthropic("requests", "50", "1", rfc3339(37)), None),
        ({"ratelimit-limit": "100", "ratelimit-remaining": "0", "ratelimit-reset": "36"}, 36.0),
        ({"retry-after-ms": "0", "retry-after": "3"}, 3.0),
    ],
)
def test_a_refusal_without_a_time_waits_for_the_reset_of_what_is_used_up(
    headers: dict[str, str], wait: float | None
) -> None:
    assert classify_response(429, headers, "", NOW).retry_after_s == (None if wait is None else pytest.approx(wait))


names = st.sampled_from(
    [
        *openai("requests", "", "", ""),
        *openai("tokens", "", "", ""),
        *anthropic("requests", "", "", ""),
        *anthropic("input-tokens", "", "", ""),
        *anthropic("output-tokens", "", "", ""),
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
    ]
)
wild = (
    st.text(max_size=40)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.datetimes().map(lambda at: at.isoformat())
    | st.sampled_from(["٣", "²", "0x10", "1_000", "inf", "9" * 400, "9" * 30 + "s"])
    | st.sampled_from(["0001-01-01", "9999-12-31T23:59:59Z", "-1", "0", "1e5"])
)


@given(st.dictionaries(names, wild, max_size=12))
def test_nothing_that_a_server_writes_raises_or_makes_no_sense(headers: dict[str, str]) -> None:
    for told in read_allowances(headers, NOW):
        assert told.limit is None or told.limit > 0
        assert told.remaining is None or told.remaining >= 0
        assert told.resets_in_s is None or 0 < told.resets_in_s <= LONGEST_WAIT_S
