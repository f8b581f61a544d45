"""Large JSON comes piece by piece, and an error is named with its exact place."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqa_tui.domain.failure import VqaError
from vqa_tui.sources.json_stream import first_byte, stream_items

SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(width=32) | st.text(max_size=12)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner))


def without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [without_nan(entry) for entry in value]
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    return value


@settings(deadline=None, max_examples=150)
@given(values=st.lists(VALUES, max_size=5), words=st.sampled_from(["", "NaN", 'Infinity "', "\\", '\\"NaN']))
def test_values_come_back_as_they_were_and_bare_words_as_null(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], words: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "values.json"
    path.write_text(json.dumps([*values, words]), "utf-8")
    assert list(stream_items(path, "item")) == without_nan([*values, words])


def test_numbers_of_any_size_are_read(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_text('[1.5, {"id": 18446744073709551615, "deep": [1e999, {"x": 2.5}]}, 0.25, NaN]')
    assert list(stream_items(path, "item")) == [
        1.5,
        {"id": 2**64 - 1, "deep": [math.inf, {"x": 2.5}]},
        0.25,
        None,
    ]
    path.write_text(f"[1, {2**64}, {'9' * 5000}]")
    values = stream_items(path, "item")
    assert [next(values), next(values)] == [1, 2**64]
    with pytest.raises(VqaError, match="not valid JSON after value 2") as refused:
        next(values)
    assert len(str(refused.value)) < 500 + len(str(path))


@pytest.mark.parametrize("padding", range(65_520, 65_545))
def test_a_bare_word_across_the_border_of_a_chunk_is_still_one(tmp_path: Path, padding: int) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'["{"x" * padding}", -Infinity, "NaN", NaN, "\\"NaN"]')
    assert list(stream_items(path, "item")) == ["x" * padding, None, "NaN", None, '"NaN']


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf [1]")
    assert list(stream_items(tmp_path / "a.json", "item")) == [1]
    assert first_byte(tmp_path / "a.json") == b"["


@pytest.mark.parametrize(
    ("text", "line", "column", "byte"),
    [
        ('[\n {"a": 1},\n {"a": oops}\n]', 3, 8, 20),
        ('[{"a": 1}, {"a": 2]', 1, 19, 18),
        ("[\n1,\n2", 3, 2, 6),
        ("[1] x", 1, 5, 4),
        ("[1, " + " " * 70_000 + "\n\n  x]", 3, 3, 70_008),
        ("[NaN,\n -Infinity, oops]", 2, 13, 18),
        ("\ufeff[1,\n oops]", 2, 2, 8),
    ],
)
def test_malformed_json_is_named_by_file_line_column_and_byte(
    tmp_path: Path, text: str, line: int, column: int, byte: int
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text, "utf-8")
    with pytest.raises(VqaError) as refused:
        list(stream_items(path, "item"))
    assert f"{path} is not valid JSON: line {line}, column {column} (byte {byte})" in refused.value.message


def test_bytes_that_are_not_utf8_are_malformed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'["\xff"]')
    with pytest.raises(VqaError, match="line 1"):
        list(stream_items(tmp_path / "a.json", "item"))


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(VqaError, match=r"none\.json"):
        list(stream_items(tmp_path / "none.json", "item"))


@pytest.mark.parametrize("padding", [0, *range(65_515, 65_545)])
@pytest.mark.parametrize(
    ("escape", "read"),
    [
        ("\\ud83d\\ude00", "\U0001f600"),
        ("\\ud83d", "\ufffd"),
        ("\\uDE00\\n", "\ufffd\n"),
        ("\\ud83d\\ud83d\\ude00", "\ufffd\U0001f600"),
        ("\\\\ud83d", "\\ud83d"),
    ],
)
def test_half_a_surrogate_pair_becomes_the_replacement_character(
    tmp_path: Path, padding: int, escape: str, read: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'["{"x" * padding}{escape}y", 1]')
    assert list(stream_items(path, "item")) == [f"{'x' * padding}{read}y", 1]


def test_bytes_of_a_surrogate_are_malformed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'["a", "\xed\xa0\x80"]')
    with pytest.raises(VqaError, match="line 1"):
        list(stream_items(tmp_path / "a.json", "item"))


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}"), ('{"]}":[', "]}")])
def test_a_file_that_is_nested_without_end_is_refused_before_its_paths_fill_the_memory(
    tmp_path: Path, opening: str, closing: str
) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[1," + opening * 100_000 + "1" + closing * 100_000 + "]")
    with pytest.raises(VqaError, match=r"deep\.json is nested more than 1,000 levels deep"):
        list(stream_items(path, "item"))


@pytest.mark.parametrize("padding", range(65_530, 65_540))
def test_brackets_inside_texts_are_no_nesting(tmp_path: Path, padding: int) -> None:
    path = tmp_path / "texts.json"
    values = ["x" * padding + '\\"[[[' * 300, {"[": "]" * 2_000}, ["[{" * 2_000 + "\\"], *([[]] * 2_000)]
    path.write_text(json.dumps(values))
    assert list(stream_items(path, "item")) == values
    path.write_text(json.dumps([*values, "["])[:-1] + ", " + "[" * 1_100 + "]" * 1_101)
    with pytest.raises(VqaError, match="levels deep"):
        list(stream_items(path, "item"))
