"""Nothing that could act on a terminal passes clean()."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.safe_text import clean, in_a_line

HOSTILE = [
    ("\x1b]0;title\x07text", "text"),
    ("\x1b]52;c;aGVsbG8=\x1b\\text", "text"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x9b31mred", "red"),
    ("\x1bPq#0;2;0;0;0\x1b\\picture", "picture"),
    ("\x1b(0lqqk", "lqqk"),
    ("a\x08b\x7fc\x00d", "abcd"),
    ("user\u202egnp.exe", "usergnp.exe"),
    ("lone\ud800surrogate", "lone\ufffdsurrogate"),
    ("[/nope] [@click=app.quit]x[/]", "[/nope] [@click=app.quit]x[/]"),
    ("日本語 👩‍👩‍👧", "日本語 👩‍👩‍👧"),
    ("a\r\nb\rc\td", "a\nbc    d"),
]


@pytest.mark.parametrize(("given_text", "expected"), HOSTILE)
def test_known_tricks(given_text: str, expected: str) -> None:
    assert clean(given_text) == expected


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_no_control_no_bidi_no_surrogate_ever(text: str) -> None:
    result = clean(text)
    for character in result:
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cs")
        assert unicodedata.bidirectional(character) not in (
            "LRE",
            "RLE",
            "PDF",
            "LRO",
            "RLO",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )
    result.encode("utf-8")
    assert clean(result) == result


@given(st.text(max_size=300), st.integers(1, 50))
def test_one_line_and_limit(text: str, limit: int) -> None:
    result = clean(text, one_line=True, limit=limit)
    assert "\n" not in result
    assert len(result) <= limit


def test_a_cut_is_marked() -> None:
    assert clean("abcdef", limit=4) == "abc…"
    assert clean("abcd", limit=4) == "abcd"


def test_a_huge_text_with_a_limit_is_cheap_and_right() -> None:
    assert clean("x" * 10_000_000, limit=10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("there is no run 9\n1 goes to the list.", "there is no run 9. 1 goes to the list."),
        ("it ends so.\nDo that.", "it ends so. Do that."),
        ("what now?\n\n  Do  that", "what now? Do that"),
        ("one line", "one line"),
        ("", ""),
        ("\x1b]0;over\ntwo lines\x07shown\nDo that.", "shown. Do that."),
    ],
)
def test_an_error_and_what_to_do_are_two_sentences_of_a_line(words: str, line: str) -> None:
    assert in_a_line(words) == line


@given(st.text(max_size=300), st.integers(1, 50))
def test_a_line_of_sentences_is_one_line_of_safe_text(text: str, limit: int) -> None:
    result = in_a_line(text, limit=limit)
    assert "\n" not in result and len(result) <= limit and clean(result) == result
