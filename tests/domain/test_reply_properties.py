"""What holds for every reply: pairs come back equal in any messy style, and nothing is ever invented."""

import json
import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from vqa_tui.domain.reply import UnreadableReply, read_json_pairs
from vqa_tui.domain.sample import Pair

_ANY_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
TEXTS = st.one_of(_ANY_TEXT, st.text("aé \"'\\\n{}[],:`“”’/u0", min_size=1, max_size=25)).map(str.strip).filter(bool)
PAIRS = st.lists(st.builds(Pair, TEXTS, TEXTS, st.sampled_from(["", "general", "a type"])), min_size=1, max_size=5)

Style = Callable[[list[Pair]], str]


def _entries(pairs: list[Pair]) -> list[dict[str, str]]:
    return [{"question": p.question, "answer": p.answer, "question_type": p.question_type} for p in pairs]


def _plain(pairs: list[Pair]) -> str:
    return json.dumps(_entries(pairs), ensure_ascii=False)


def _escaped(pairs: list[Pair]) -> str:
    return json.dumps(_entries(pairs), indent=2)


def _python_literals(pairs: list[Pair]) -> str:
    return repr([{**entry, "checked": True, "note": None} for entry in _entries(pairs)])


def _quoted(quotes: str, escape_line_breaks: bool) -> Callable[[str], str]:
    def write(text: str) -> str:
        text = text.replace("\\", "\\\\")
        for quote in set(quotes):
            text = text.replace(quote, f"\\u{ord(quote):04x}")
        return quotes[0] + (text.replace("\n", "\\n") if escape_line_breaks else text) + quotes[-1]

    return write


def _loose(quotes: str, *, comma: str = "", escape_line_breaks: bool = False) -> Style:
    write = _quoted(quotes, escape_line_breaks)

    def style(pairs: list[Pair]) -> str:
        entries = (
            "{" + ", ".join(f"{write(key)}: {write(value)}" for key, value in entry.items()) + comma + "}"
            for entry in _entries(pairs)
        )
        return "[" + ",\n ".join(entries) + comma + "]"

    return style


def _lines(pairs: list[Pair]) -> str:
    return "\n".join(json.dumps(entry) for entry in _entries(pairs))


def _wrapped(before: str, style: Style, after: str) -> Style:
    return lambda pairs: before + style(pairs) + after


LIST_STYLES: list[Style] = [
    _plain,
    _escaped,
    _python_literals,
    _loose("'"),
    _loose('"', comma=","),
    _loose('"', comma=" , ", escape_line_breaks=True),
    _loose("“”", comma=","),
    _loose("‘’"),
    _wrapped('{"qa_pairs": ', _plain, "}"),
    _wrapped('{"n": 1, "data": {"pairs": ', _loose("'", comma=","), "}}"),
    _wrapped("```json\n", _escaped, "\n```"),
    _wrapped("```json\n", _loose('"', comma=","), "\n```\nAnything else?"),
    _wrapped('Here are {3} pairs [see below], it\'s "done":\n', _plain, "\nLet me know if you'd like more!"),
]
LINE_STYLES: list[Style] = [_lines, _wrapped("```", _lines, "")]
STYLES = st.sampled_from(LIST_STYLES + LINE_STYLES)


@settings(max_examples=400)
@given(PAIRS, STYLES)
def test_every_style_reads_back_equal(pairs: list[Pair], style: Style) -> None:
    reply = read_json_pairs(style(pairs))
    assert list(reply.pairs) == pairs
    assert not reply.cut


@settings(max_examples=400)
@given(PAIRS, STYLES, st.data())
def test_any_prefix_yields_a_prefix_of_whole_pairs(pairs: list[Pair], style: Style, data: st.DataObject) -> None:
    whole = style(pairs)
    prefix = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        reply = read_json_pairs(prefix)
    except UnreadableReply:
        return
    assert list(reply.pairs) == pairs[: len(reply.pairs)]
    if len(reply.pairs) < len(pairs) and style in LIST_STYLES:
        assert reply.cut


@settings(max_examples=200)
@given(PAIRS, st.data())
def test_whole_pairs_before_the_cut_are_all_saved(pairs: list[Pair], data: st.DataObject) -> None:
    ends = [len(_plain(pairs[: n + 1])) - 1 for n in range(len(pairs))]
    kept = data.draw(st.integers(1, len(pairs)))
    following = ends[kept] - 1 if kept < len(pairs) else ends[-1]
    cut_at = data.draw(st.integers(ends[kept - 1], following))
    reply = read_json_pairs(_plain(pairs)[:cut_at])
    assert list(reply.pairs) == pairs[:kept]
    assert reply.cut


_MESS = st.lists(
    st.sampled_from(
        [
            '{"question":',
            '"answer":',
            '"',
            "'",
            "“",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "```",
            "q",
            " ",
            "\n",
            "é",
            "1",
            "true",
        ]
    ),
    max_size=60,
).map("".join)
_LEAF = re.compile(r'"((?:[^"\\]|\\.)*)"')


@settings(max_examples=1500)
@given(st.one_of(st.text(), _MESS, _MESS.map(lambda mess: '[{"question": "q", "answer": "a"}, ' + mess)))
def test_arbitrary_text_is_unreadable_or_taken_literally(text: str) -> None:
    try:
        reply = read_json_pairs(text)
    except UnreadableReply as error:
        assert error.reason
        return
    assert reply.pairs
    for pair in reply.pairs:
        assert pair.question in text
        if pair.answer in text or pair.answer.capitalize() in text:  # Python's True is read as true
            continue
        for leaf in _LEAF.findall(pair.answer):
            assert json.loads(f'"{leaf}"') in text


@settings(max_examples=300)
@given(
    st.text(st.characters(codec=None), max_size=60),
    st.sampled_from(["[", '{"question": "', '[{"question": "a", "answer": "']),
)
def test_surrogates_and_controls_never_escape(text: str, start: str) -> None:
    try:
        reply = read_json_pairs(start + text + '"}]')
    except UnreadableReply:
        return
    for pair in reply.pairs:
        (pair.question + pair.answer + pair.question_type).encode("utf-8")


@given(PAIRS)
def test_both_ways_of_reading_agree(pairs: list[Pair]) -> None:
    strict = json.dumps(_entries(pairs), ensure_ascii=False)
    assert read_json_pairs(strict) == read_json_pairs(strict[:-1] + ",]")
