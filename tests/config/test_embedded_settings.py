"""The `embedded:` block of an endpoint file: what cannot be rehearsed is refused when the file is read."""

from pathlib import Path

import pytest

from vqa_tui.config.load import load_endpoint
from vqa_tui.domain.failure import VqaError


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{fail: {rest: 0.1}}", "unknown fault 'rest'. Did you mean reset?"),
        ("{fail: {'500': 0.6, '503': 0.6}}", "the shares add up to 1.200"),
        ("{fail: {'500': 1.5}}", "embedded.fail.500"),
        ("{bad_keys: [zz]}", "no key of this endpoint is named 'zz'; its keys are a, b"),
        ("{requests_per_minute_by_key: {nokey: 5}}", "no key of this endpoint is named 'nokey'"),
        ("{tokens_per_minute_by_key: {nokey: 5}}", "no key of this endpoint is named 'nokey'"),
        ("{rate_limits_told: loudly}", "embedded.rate_limits_told"),
        ("{requests_per_minute_by_key: {a: -3}}", "embedded.requests_per_minute_by_key.a"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_with_file_and_line(tmp_path: Path, settings: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: mine\nkind: embedded\nmodel: m\nkeys: [{{name: a}}, {{name: b}}]\nembedded: {settings}\n")
    with pytest.raises(VqaError) as refused:
        load_endpoint(str(path), folders=[])
    assert said in refused.value.message
    assert "mine.yaml:5: embedded" in refused.value.message


def test_settings_that_speak_of_the_keys_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\nkind: embedded\nmodel: m\nkeys: [{name: a}, {name: b}]\n"
        "embedded: {bad_keys: [b], requests_per_minute_by_key: {a: 5}, fail: {'500': 0.5, empty: 0.5}}\n"
    )
    assert load_endpoint(str(path), folders=[]).embedded.named_keys == ("b", "a")
