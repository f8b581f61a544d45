"""Where the parts of a reply stand that were read from it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.reply_parts import PartKind, ReplyForm, reply_parts

FORM = ReplyForm()


def shown(text: str, form: ReplyForm = FORM) -> list[tuple[str, str]]:
    """Questions and answers as they stand in the reply."""
    return [(part.kind.value, text[part.start : part.end]) for part in reply_parts(text, form) if part.kind != "frame"]


@pytest.mark.parametrize(
    "text",
    [
        '[{"question": "Where?", "answer": "Here."}]',
        'Sure:\n```json\n[{"question": "Where?", "answer": "Here."}]\n```\nThat is all.',
        "<think>[{\"question\": \"No?\", \"answer\": \"No.\"}]</think>\n[{'question': 'Where?', 'answer': 'Here.'}]",
        '[{"question": "Where?", "answer": "Here."}, {"question": "Cu',
        '{"answer": "Here.", "question": "Where?"}',
        '{"QUESTION": "Where?", "answer": "Here.", "note": "Here."} and some prose',
    ],
)
def test_questions_and_answers_are_found_where_they_were_read(text: str) -> None:
    assert sorted(shown(text)) == [("answer", "Here."), ("question", "Where?")]
    outside = text
    for part in reversed(reply_parts(text, FORM)):
        outside = outside[: part.start] + outside[part.end :]
    assert "Where?" not in outside
    assert "prose" not in "".join(text[p.start : p.end] for p in reply_parts(text, FORM))


def test_escapes_keep_their_spelling() -> None:
    text = '[{"question": "Say \\"x\\"?", "answer": "\\u00e9t\\u00e9"}]'
    assert shown(text) == [("question", 'Say \\"x\\"?'), ("answer", "\\u00e9t\\u00e9")]


def test_an_answer_that_is_json_itself_stays_part_of_the_frame() -> None:
    text = '[{"question": "List?", "answer": {"items":  [1]}}]'
    assert shown(text) == [("question", "List?")]
    assert [part.kind for part in reply_parts(text, FORM)] == [PartKind.FRAME, PartKind.QUESTION, PartKind.FRAME]


@pytest.mark.parametrize("text", ["", "Sorry, I cannot.", '[{"a": 1}]', "x" * 200_000])
def test_where_nothing_was_read_nothing_stands_out(text: str) -> None:
    assert reply_parts(text, FORM) == ()


def test_a_text_reply_is_its_own_answer() -> None:
    form = ReplyForm("text")
    assert shown("<think>hm</think>\n```\nA bag.\n```", form) == [("answer", "A bag.")]
    assert shown("  A bag. ", form) == [("answer", "A bag.")]
    assert shown("   ", form) == []


def test_other_names_of_fields() -> None:
    text = '[{"frage": "Wo?", "antwort": "Da."}]'
    assert shown(text, ReplyForm("json_pairs", "frage", "antwort")) == [("question", "Wo?"), ("answer", "Da.")]


def test_texts_that_cannot_be_found_again_cost_no_more_than_a_few_searches() -> None:
    pair = '{"question": "\\u0041\\x42", "answer": "\\u0041\\x43"}'
    text = "[" + ",".join([pair] * 1_000) + "]"
    assert {part.kind for part in reply_parts(text, FORM)} == {PartKind.FRAME}


texts = st.text(max_size=20)


@given(st.lists(st.fixed_dictionaries({"question": texts, "answer": texts}), max_size=4), texts, texts)
def test_parts_follow_each_other_inside_the_text(pairs: list[dict[str, str]], before: str, after: str) -> None:
    text = before + json.dumps(pairs, ensure_ascii=False) + after
    at = 0
    for part in reply_parts(text, FORM):
        assert at <= part.start < part.end <= len(text)
        at = part.end


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    for form in (FORM, ReplyForm("text")):
        reply_parts(text, form)
