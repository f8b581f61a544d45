"""Replies as models write them, one example for each rule of reading."""

import json

import pytest

from vqa_tui.domain.reply import ReadReply, UnreadableReply, read_json_pairs, read_text
from vqa_tui.domain.sample import Pair
from vqa_tui.domain.tolerant_json import MAX_DEPTH, Outcome, find_values

ONE = (Pair("What is it?", "A knife.", "specific"),)
ENTRY = '{"question": "What is it?", "answer": "A knife.", "question_type": "specific"}'


@pytest.mark.parametrize(
    "text",
    [
        f"[{ENTRY}]",
        ENTRY,
        f"\ufeff[{ENTRY}]",
        f'{{"qa_pairs": [{ENTRY}]}}',
        f'{{"image": "x.jpg", "count": 1, "result": {{"pairs": [{ENTRY}]}}}}',
        f'{{"1": {ENTRY}}}',
        f"```json\n[{ENTRY}]\n```",
        f"```\n{ENTRY}\n```",
        f"```{ENTRY}```",
        f"```json\n[{ENTRY}]",
        f"Here you are (3 pairs, see [1] and {{below}}):\n\n```json\n[{ENTRY}]\n```\nDid that help? [yes / no]",
        f"Sure! The pairs: [{ENTRY}] I hope it's what you're after.",
        '{"question": "What is it?", "answer": "A knife.", "question_type": "specific",}',
        f"[{ENTRY},]",
        "[{'question': 'What is it?', 'answer': 'A knife.', 'question_type': 'specific'}]",
        '[{question: "What is it?", answer: "A knife.", question_type: "specific"}]',
        "[{“question”: “What is it?”, “answer”: “A knife.”, ‘question_type’: ‘specific’}]",
        '[{"Question": "What is it?", "ANSWER": "A knife.", "question_type": "specific"}]',
        "[{'question': 'What is it?', 'answer': 'A knife.', 'question_type': 'specific', 'sure': True, 'box': None}]",
        '[{"question": "What is it?", "answer": "A knife.", "question_type": "specific", "score": NaN, "n": -1.5e3}]',
        f'<think>Maybe [{{"question": "draft", "answer": "draft"}}]?</think>\n[{ENTRY}]',
        f'[{ENTRY}, {{"question": "Only a question"}}, {{"answer": "Only an answer"}}]',
        f'[{ENTRY}, {{"question": "", "answer": "x"}}, {{"question": "x", "answer": " "}}, {{"question": 1}}]',
        f'[{ENTRY}, {{"question": "Null?", "answer": null}}, "stray", 7]',
        f'["a note", {ENTRY}]',
    ],
)
def test_one_pair_is_read_whole(text: str) -> None:
    assert read_json_pairs(text) == ReadReply(ONE, cut=False)


@pytest.mark.parametrize("between", ["\n", " ", "\r\n\r\n", ", "])
def test_json_lines_and_lists_without_commas(between: str) -> None:
    assert read_json_pairs(f"{ENTRY}{between}{ENTRY}") == ReadReply(ONE * 2, cut=False)
    assert read_json_pairs(f"[{ENTRY}\n{ENTRY}]") == ReadReply(ONE * 2, cut=False)


def test_only_fenced_pairs_count_where_there_are_any() -> None:
    draft = '[{"question": "Draft?", "answer": "Draft."}]'
    assert read_json_pairs(f"I started with {draft}.\n```json\n[{ENTRY}]\n```").pairs == ONE
    assert read_json_pairs(f"```python\nprint()\n```\n[{ENTRY}]").pairs == ONE
    assert read_json_pairs(f"```json\n{ENTRY}\n```\nand\n```json\n{ENTRY}\n```").pairs == ONE * 2


def test_a_fence_inside_an_answer_is_text() -> None:
    reply = read_json_pairs('```json\n[{"question": "How?", "answer": "Write ```x``` [so]."},]\n```')
    assert reply.pairs == (Pair("How?", "Write ```x``` [so]."),)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"a \"b\" c"', 'a "b" c'),
        ('"The sign says "STOP", then "GO" below"', 'The sign says "STOP", then "GO" below'),
        ("'The dogs' bowl isn't full'", "The dogs' bowl isn't full"),
        (r"'isn\'t'", "isn't"),
        ('"two\nlines\tand a tab"', "two\nlines\tand a tab"),
        (r'"two\nlines"', "two\nlines"),
        (r'"\u00e9\u4f60"', "é你"),
        (r'"\ud83d\ude00"', "😀"),
        (r"'\ud83d\ude00'", "😀"),
        (r'"\ud83d alone"', "\ufffd alone"),
        (r"'\x41\q \alpha \u12'", r"A\q \alpha \u12"),
        ('"“quoted”, he said"', "“quoted”, he said"),
        ("“He said “yes” twice”", "He said “yes” twice"),
        ('"a } b ] c , d : e"', "a } b ] c , d : e"),
        ("3", "3"),
        ("0.10", "0.10"),
        ("1e400", "1e400"),
        ("NaN", "NaN"),
        ("true", "true"),
        ("False", "false"),
        ('{"items": [{"name": "Knife", "confidence": 0.90}], "total_count": 1, "ok": true, "x": null}',
         '{"items":[{"name":"Knife","confidence":0.90}],"total_count":1,"ok":true,"x":null}'),
        ("['Knife', 'Äxte',]", '["Knife","Äxte"]'),
        ('  "  padded  "  ', "padded"),
    ],
)  # fmt: skip
def test_answers(written: str, read: str) -> None:
    for extra in ("", ","):
        assert read_json_pairs(f'[{{"question": "Q?", "answer": {written}{extra}}}]').pairs == (Pair("Q?", read),)


@pytest.mark.parametrize(
    "text",
    [
        f'[{ENTRY}, {{"question": "How many?", "answer": "There are no',
        f'[{ENTRY}, {{"question": "How many?", "answer": "There are two."',
        f'[{ENTRY}, {{"question": "How many?", "answer": 1',
        f'[{ENTRY}, {{"question": "How many?", "answer": tru',
        f'[{ENTRY}, {{"question": "How many?", "answer": {{"items": [{{"question": "x", "answer": "y"}}',
        f'[{ENTRY}, {{"question": "How many?", "answer": "ends in a backslash \\',
        f"[{ENTRY},",
        f"[{ENTRY}",
        f'{{"pairs": [{ENTRY}]',
        f'```json\n[{ENTRY}, {{"quest',
        f'{ENTRY}\n{{"question": "How many?", "ans',
    ],
)
def test_whole_pairs_are_saved_from_a_cut_reply(text: str) -> None:
    assert read_json_pairs(text) == ReadReply(ONE, cut=True)


@pytest.mark.parametrize(
    "damaged",
    [
        '{"question": "No closing quote?", "answer": "abc, "question_type": "x"}',
        '{"question": "Inner JSON", "answer": "{"items": [{"name": "Battery", "confidence": 0.9}]}"}',
        '{"question": "No comma" "answer": "abc"}',
        '{"question": "Half", "answer": 50%}',
    ],
)
def test_a_damaged_entry_is_left_out_and_its_neighbours_stay(damaged: str) -> None:
    assert read_json_pairs(f"[{damaged}, {ENTRY}]") == ReadReply(ONE, cut=False)


def test_nested_pairs_belong_to_their_entry() -> None:
    inner = '{"question": "inner", "answer": "inner"}'
    text = f'[{{"question": "Outer?", "answer": [{inner}], "evidence": {inner}}}]'
    assert read_json_pairs(text).pairs == (Pair("Outer?", '[{"question":"inner","answer":"inner"}]'),)


def test_own_field_names() -> None:
    text = '[{"q": "What?", "a": "That.", "kind": "x", "question": "no", "answer": "no"}]'
    reply = read_json_pairs(text, question_field="q", answer_field="a", type_field="kind")
    assert reply.pairs == (Pair("What?", "That.", "x"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the reply is empty"),
        (" \n", "the reply is empty"),
        ("I cannot help with that.", "the reply holds no JSON"),
        ('"just a string"', "the reply holds no JSON"),
        ("[]", "the JSON of the reply is empty"),
        ('[{"a": 1}, {"b": 2}, {}]', "a list of 3 objects, none with `question` and `answer`"),
        ('[{"a": 1}]', "a list of 1 object, without `question` and `answer`"),
        ('["a", 2, {}]', "a list of 3 elements, of which 1 are objects, none with `question` and `answer`"),
        ('{"error": "no picture"}', "an object without `question` and `answer`"),
        ('[{"question": "What', "the reply was cut off before its first question-answer pair was whole"),
        ("[", "the reply was cut off before its first question-answer pair was whole"),
        ('[\n {"question": 50%}]', "the JSON of the reply is broken at line 2, column 15"),
    ],
)
def test_unreadable_replies_say_why(text: str, reason: str) -> None:
    with pytest.raises(UnreadableReply) as caught:
        read_json_pairs(text)
    assert caught.value.reason == reason == str(caught.value)


def test_deep_answers_are_kept_up_to_the_limit() -> None:
    deep = "[" * 90 + "]" * 90
    assert read_json_pairs(f'[{{"question": "Q?", "answer": {deep}}}]').pairs == (Pair("Q?", deep),)
    with pytest.raises(UnreadableReply):
        read_json_pairs(f'[{{"question": "Q?", "answer": {"[" * 500 + "]" * 500}}}]')


def test_nesting_is_limited_whoever_walks_the_values() -> None:
    first = next(find_values("[" * (MAX_DEPTH + 50)))
    assert (first.outcome, first.end) == (Outcome.DAMAGED, MAX_DEPTH)


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        '{"',
        '{"{"{"',
        "{'a':'",
        '["',
        '[{"question":"',
        '{"question":',
        "[-",
        "[ ",
        '["a",  ',
        "```",
        '"',
        "\\",
        "“",
    ],
)
@pytest.mark.parametrize("start", ["", '[{"question": "Q?", "answer": "'])
def test_a_hostile_megabyte_ends(start: str, piece: str) -> None:
    """A reader that went back at faults would need hours here, one that recursed would raise RecursionError."""
    with pytest.raises(UnreadableReply):
        read_json_pairs(start + piece * (1_000_000 // len(piece)))


def test_text_replies() -> None:
    assert read_text("  A red bus.\n", "Describe.") == ReadReply((Pair("Describe.", "A red bus."),), cut=False)
    assert read_text("```text\nA red bus.\n```", "Describe.").pairs[0].answer == "A red bus."
    assert read_text("Use ```x``` here", "Describe.").pairs[0].answer == "Use ```x``` here"
    assert read_text("<think>hm</think>A red bus.", "Describe.").pairs[0].answer == "A red bus."
    assert read_text("half \ud83d", "Describe.").pairs[0].answer == "half \ufffd"
    for empty in ("", " \n", "```\n```", "<think>hm</think> "):
        with pytest.raises(UnreadableReply, match="the reply is empty"):
            read_text(empty, "Describe.")


def test_reasoning_without_its_beginning_or_its_end_is_no_answer() -> None:
    """A chat template may open the block in the prompt, and max_tokens may end the reply within it."""
    assert read_text("It seems red.</think>\nA red bus.", "Describe.").pairs[0].answer == "A red bus."
    draft, final = (json.dumps([{"question": f"{word}?", "answer": "Yes."}]) for word in ("Draft", "Final"))
    assert [pair.question for pair in read_json_pairs(f"Perhaps {draft}\n</think>\n{final}").pairs] == ["Final?"]
    for cut in ("<think>It seems red.", f"<think>Perhaps {draft} or"):
        with pytest.raises(UnreadableReply):
            read_text(cut, "Describe.")
        with pytest.raises(UnreadableReply):
            read_json_pairs(cut)
    said = '[{"question": "What ends it?", "answer": "The tag </think>."}]'
    assert read_json_pairs(said).pairs[0].answer == "The tag </think>."


def test_the_strict_and_the_tolerant_way_agree() -> None:
    entry = {"question": "Ünï?", "answer": {"n": 1.50, "s": 'q"\\/\n', "l": [True, None]}, "question_type": "x"}
    text = json.dumps([entry, entry])
    assert read_json_pairs(text[:-1] + ",]") == read_json_pairs(text)
