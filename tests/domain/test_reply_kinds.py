"""Replies that are no JSON list: blocks, one object, location tokens, explained answers; read, refused and marked."""

import json
import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.reply_blocks import category_name, read_blocks
from vqa_tui.domain.reply_detect import read_detections
from vqa_tui.domain.reply_explained import read_explained
from vqa_tui.domain.reply_object import ObjectKey, object_schema, read_object
from vqa_tui.domain.reply_parts import PartKind, ReplyForm, reply_parts
from vqa_tui.domain.reply_text import ReadReply, UnreadableReply, read_question
from vqa_tui.domain.sample import Pair, SampleFlag

BLOCKS = """Category: Object Recognition
Question: What stands beside the Bosch kettle?
Short answer: An IKEA mug.

**Category:** object localization
**Question:** Where is McDonald's sign?
**Short answer:** Above the door.
"""


def test_blocks_keep_names_and_normalise_the_category() -> None:
    read = read_blocks(BLOCKS)
    assert read.pairs == (
        Pair("What stands beside the Bosch kettle?", "An IKEA mug.", "object recognition"),
        Pair("Where is McDonald's sign?", "Above the door.", "object localisation"),
    )
    assert not read.cut
    assert category_name("  **Spatial  Reasoning**. ") == "spatial reasoning"


def test_a_missing_category_is_flagged_and_the_order_is_that_of_the_recipe() -> None:
    read = read_blocks(BLOCKS, categories=("object localisation", "object recognition", "world knowledge"))
    assert [pair.question_type for pair in read.pairs] == ["object localisation", "object recognition"]
    assert {pair.flags for pair in read.pairs} == {(SampleFlag.MISSING_CATEGORY,)}
    assert read_blocks(BLOCKS, categories=("object recognition",)).pairs[0].flags == ()


@pytest.mark.parametrize(
    "spoilt",
    [
        "Category: x\nQuestion: Why?\n",
        "Category: x\nShort answer: No.\n",
        "Category: x\nQuestion:\nShort answer: No.\n",
        "Category: x\nQuestion: a?\nQuestion: b?\nShort answer: No.\n",
    ],
)
def test_one_malformed_block_costs_that_block(spoilt: str) -> None:
    assert len(read_blocks(f"{spoilt}\n{BLOCKS}").pairs) == 2
    assert len(read_blocks(f"{BLOCKS}\n{spoilt}").pairs) == 2
    with pytest.raises(UnreadableReply, match="no block of the reply has all of its lines"):
        read_blocks(spoilt)


def test_the_last_block_of_a_cut_reply_counts_only_where_a_line_follows() -> None:
    assert len(read_blocks(BLOCKS.rstrip()[:-6], cut=True).pairs) == 1
    assert len(read_blocks(BLOCKS, cut=True).pairs) == 2


@pytest.mark.parametrize(("text", "why"), [("", "the reply is empty"), ("I cannot.", "the reply holds no block")])
def test_replies_without_blocks(text: str, why: str) -> None:
    with pytest.raises(UnreadableReply, match=why):
        read_blocks(text)


KEYS = {"novelty": ObjectKey("integer", 0, 100), "narration": ObjectKey("string", optional=True)}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"novelty": 40, "narration": "A dog barks."}', '{"novelty":40,"narration":"A dog barks."}'),
        ('```json\n{"narration": "A dog.", "novelty": 7}\n```', '{"novelty":7,"narration":"A dog."}'),
        ('Here: {"novelty": 0} Done.', '{"novelty":0}'),
        ('{"novelty": 3, "narration": null}', '{"novelty":3}'),
    ],
)
def test_an_object_becomes_compact_json(text: str, answer: str) -> None:
    assert read_object(text, "New?", KEYS).pairs == (Pair("New?", answer),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the reply is empty"),
        ("It is calm.", "no JSON object"),
        ("[1, 2]", "no JSON object"),
        ('{"novelty": 3, "mood": "calm"}', "a key that was not asked for; allowed are `novelty`, `narration`"),
        ('{"narration": "A dog."}', "lacks the key `novelty`"),
        ('{"novelty": 101}', "the value of `novelty` is more than 100"),
        ('{"novelty": -1}', "the value of `novelty` is less than 0"),
        ('{"novelty": 1.5}', "is not a whole number"),
        ('{"novelty": "5"}', "is not a whole number"),
        ('{"novelty": true}', "is not a whole number"),
        ('{"novelty": NaN}', "is not a whole number"),
        ('{"novelty": 5, "narration": 6}', "`narration` is not a text"),
        ('{"novelty": 5, "narration": "A do', "was cut off"),
    ],
)
def test_objects_that_are_refused(text: str, why: str) -> None:
    with pytest.raises(UnreadableReply, match=why):
        read_object(text, "New?", KEYS)


def test_the_schema_says_the_same() -> None:
    assert object_schema(KEYS) == {
        "type": "object",
        "properties": {"novelty": {"type": "integer", "minimum": 0, "maximum": 100}, "narration": {"type": "string"}},
        "required": ["novelty"],
        "additionalProperties": False,
    }


def test_location_tokens_become_pixels() -> None:
    text = "<loc0256><loc0128><loc0512><loc1023> battery ; <loc0000><loc0000><loc1024><loc0512>red knife"
    read = read_detections(text, "?", width=640, height=480)
    assert json.loads(read.pairs[0].answer) == [
        {"bbox_2d": [80, 120, 639, 240], "label": "battery"},
        {"bbox_2d": [0, 0, 320, 480], "label": "red knife"},
    ]


def test_a_cut_detection_loses_what_was_named_last() -> None:
    text = "<loc0000><loc0000><loc0512><loc0512> gun ; <loc0000><loc0000><loc0512><loc0512> kni"
    read = read_detections(text, "?", width=10, height=10, cut=True)
    assert [box["label"] for box in json.loads(read.pairs[0].answer)] == ["gun"] and read.cut
    masked = read_detections("<loc0000><loc0000><loc0512><loc0512><seg001><seg002> cat", "?", width=10, height=10)
    assert json.loads(masked.pairs[0].answer)[0]["label"] == "cat"


@pytest.mark.parametrize(
    "text", ["a battery", "<loc0001><loc0002><loc0003> cat", "<loc0500><loc0500><loc0100><loc0100> cat", "<loc1><loc2>"]
)
def test_detections_without_a_box(text: str) -> None:
    with pytest.raises(UnreadableReply, match="holds no box"):
        read_detections(text, "?", width=100, height=100)


def test_explained_answers() -> None:
    assert read_explained("Yes. Explanation: The heart is wide.", "Q?", reference="yes").pairs == (
        Pair("Q?", "Yes. Explanation: The heart is wide."),
    )
    assert read_explained("**Left lung**\n**Explanation:** Opaque there.", "Q?").pairs[0].answer == (
        "Left lung. Explanation: Opaque there."
    )
    other = read_explained("No. Explanation: Nothing there.", "Q?", reference="yes").pairs[0]
    assert other.flags == (SampleFlag.NOT_IN_TRUTH,)


@pytest.mark.parametrize(
    "text",
    [
        "Error after 5 retries: 429 quota",
        "Error generating answer: timeout",
        "Explanation: none",
        "Yes.",
        "Yes. Explanation: ",
    ],
)
def test_errors_never_become_answers(text: str) -> None:
    with pytest.raises(UnreadableReply):
        read_explained(text, "Q?")


def test_the_reply_can_be_the_question() -> None:
    assert read_question("what colour is it?", "red").pairs == (Pair("what colour is it?", "red"),)


@pytest.mark.parametrize(
    ("form", "text", "marked"),
    [
        (
            ReplyForm("blocks"),
            BLOCKS,
            [
                (PartKind.QUESTION, "What stands beside the Bosch kettle?"),
                (PartKind.ANSWER, "An IKEA mug."),
                (PartKind.QUESTION, "Where is McDonald's sign?"),
                (PartKind.ANSWER, "Above the door."),
            ],
        ),
        (
            ReplyForm("json_object", keys=("novelty",)),
            'So: {"novelty": 4}.',
            [(PartKind.ANSWER, '{"novelty": 4}')],
        ),
        (
            ReplyForm("detect"),
            "<loc0000><loc0000><loc0512><loc0512> gun",
            [(PartKind.ANSWER, "<loc0000><loc0000><loc0512><loc0512> gun")],
        ),
        (ReplyForm("explained"), " Yes. Explanation: so. ", [(PartKind.ANSWER, "Yes. Explanation: so.")]),
        (ReplyForm("explained"), "Error", []),
        (ReplyForm("text", is_question=True), "why?", [(PartKind.QUESTION, "why?")]),
    ],
)
def test_what_was_read_is_marked(form: ReplyForm, text: str, marked: list[tuple[PartKind, str]]) -> None:
    parts = [(part.kind, text[part.start : part.end]) for part in reply_parts(text, form)]
    assert [part for part in parts if part[0] is not PartKind.FRAME] == marked


def _readers(text: str) -> list[Callable[[], ReadReply]]:
    return [
        partial(read_blocks, text, categories=("x",)),
        partial(read_object, text, "?", KEYS),
        partial(read_detections, text, "?", width=9, height=9),
        partial(read_explained, text, "?"),
    ]


_PIECES = st.sampled_from(
    [
        *("Category:", "Question: a", "Short answer: b", "Explanation:", "<loc0001>", '"novelty"', "```"),
        *("\n", "*", " ", "1.", "{", ":", "}", "3", "\ud800"),
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_any_text_is_read_or_refused_and_its_parts_never_overlap(text: str) -> None:
    for read in _readers(text):
        try:
            for pair in read().pairs:
                assert pair.answer and f"{pair.question}{pair.answer}{pair.question_type}".encode()
        except UnreadableReply as problem:
            assert problem.reason
    for kind in ("blocks", "json_object", "detect", "explained", "text"):
        end = 0
        for part in reply_parts(text, ReplyForm(kind, keys=("novelty",))):
            assert end <= part.start < part.end <= len(text)
            end = part.end


@pytest.mark.parametrize("piece", ["*", "Category: ", "<loc0001>", " ", "explanation", "Category:\n", "1.", "\n", "{"])
def test_long_hostile_replies_are_read_in_linear_time(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    start = time.process_time()
    for read in _readers(text):
        with pytest.raises(UnreadableReply):
            read()
    assert time.process_time() - start < 10
