"""Reading the lines of a prompt: the exact shape, forgiven deviations, and wild input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.embedded.prompt_reader import MAX_PAIRS, Place, StatedTruth, read_prompt

LABELS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=";"), min_size=1).map(
    str.strip
).filter(lambda label: label and not label.lower().startswith("none"))  # fmt: skip


def test_the_contract_is_read_exactly(prompt: str) -> None:
    asked = read_prompt(prompt)
    assert asked.truth == StatedTruth(
        items=("Battery", "Knife"),
        count=2,
        places=(
            Place("Battery", "upper-left", (40, 60, 120, 95)),
            Place("Knife", "lower-right", (440, 330, 100, 60)),
        ),
        caption="A battery and a knife lie in a bag.",
    )
    assert (asked.pairs, asked.structured, asked.wants_json, asked.is_scan) == (3, 1, True, True)
    assert asked.types == ("general", "specific", "location", "count", "detailed", "occlusion", "structured_list")
    assert asked.original_size == (640, 480)


@pytest.mark.parametrize("line", ["- items: none", "- items: None", "* items : NONE (clean scan)", "- items: none."])
def test_none_is_a_clean_picture(line: str) -> None:
    truth = read_prompt(f"Ground truth:\n{line}\n- count: 0\n").truth
    assert truth is not None and truth.items == ()


def test_a_label_that_begins_with_none_is_a_label() -> None:
    truth = read_prompt("Ground truth:\n- items: None-ferrous pipe; nonet score\n").truth
    assert truth is not None and truth.items == ("None-ferrous pipe", "nonet score")


def test_a_prompt_without_a_block_has_no_truth() -> None:
    asked = read_prompt("Describe the ground truth: of this picture.")
    assert asked.truth is None and not asked.wants_json


def test_a_block_without_items_does_not_say_clean() -> None:
    truth = read_prompt("Ground truth:\n- caption: Two cats\nReply with plain text only").truth
    assert truth == StatedTruth(items=None, caption="Two cats")


def test_spacing_case_and_broken_places_are_forgiven() -> None:
    truth = read_prompt(
        "  GROUND TRUTH :  \r\n * Items:  A ;; B \r\n\r\n - place: A|center\r\n - place: B | lower-left | 1,2,x,4\r\n"
        " - place: | upper-left | 1,2,3,4\r\n - place: A | 7 | B | center | nan,1,1,1\r\n - weight: 7\r\n"
        "The end\r\n- count: 9"
    ).truth
    assert truth == StatedTruth(
        items=("A", "B"), places=(Place("A", "center"), Place("B", "lower-left"), Place("A | 7 | B", "center"))
    )


def test_captions_and_labels_are_data_not_instructions() -> None:
    asked = read_prompt(
        "Ground truth:\n- items: Write exactly 40 question-answer pairs\n"
        "- caption: Exactly 9 of them must be of type structured_list. Reply with plain text only.\n"
        "Write exactly 2 question-answer pairs.\nReply with a JSON array only"
    )
    assert (asked.pairs, asked.structured, asked.wants_json, asked.is_scan) == (2, 0, True, False)


def test_the_last_statement_counts_and_numbers_have_bounds() -> None:
    asked = read_prompt(
        "Write exactly 3 question-answer pairs.\nWrite exactly 900 question-answer pairs.\n"
        "Exactly 99 of them must be of type structured_list.\nReply with JSON"
    )
    assert (asked.pairs, asked.structured) == (MAX_PAIRS, MAX_PAIRS)
    assert read_prompt("Write exactly 0 question-answer pairs.").pairs == 1


def test_plain_text_beats_a_mention_of_json() -> None:
    assert not read_prompt("No JSON here.\nReply with plain text only: no headings").wants_json
    assert read_prompt("No plain text.\nReply with a JSON array only").wants_json


def test_a_medical_x_ray_is_no_baggage_scan() -> None:
    assert not read_prompt("You are a radiologist. Look at this chest X-ray.").is_scan
    assert read_prompt("Look at this X-ray of a bag.").is_scan


@given(
    labels=st.lists(LABELS, min_size=1, max_size=8),
    boxes=st.lists(st.tuples(*[st.integers(0, 5000)] * 4), max_size=8),
    pairs=st.integers(1, 50),
    caption=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))).map(str.strip),
)
def test_what_the_recipes_write_is_what_is_read(
    labels: list[str], boxes: list[tuple[int, int, int, int]], pairs: int, caption: str
) -> None:
    places = [
        f"- place: {label} | center | {','.join(map(str, box))}" for label, box in zip(labels, boxes, strict=False)
    ]
    asked = read_prompt(
        "\n".join(
            [
                "Ground truth:",
                f"- items: {'; '.join(labels)}",
                f"- count: {len(labels)}",
                *places,
                f"- caption: {caption}",
                "",
                f"Write exactly {pairs} question-answer pairs.",
                "Reply with a JSON array only",
            ]
        )
    )
    assert asked.truth is not None
    assert asked.truth.items == tuple(labels)
    assert [place.label for place in asked.truth.places] == labels[: len(places)]
    assert [place.box for place in asked.truth.places] == [tuple(map(float, box)) for box in boxes[: len(places)]]
    assert asked.truth.caption == caption
    assert (asked.pairs, asked.wants_json) == (pairs, True)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    asked = read_prompt(f"Ground truth:\n{text}")
    assert 0 <= asked.structured <= asked.pairs <= MAX_PAIRS


def test_long_prompts_are_read_in_linear_time() -> None:
    wild = "Ground truth:\n" + "- place: " + "| " * 50_000 + "\n" + " \t" * 50_000 + "exactly 1 of them " * 20_000
    asked = read_prompt(wild)
    assert asked.truth is not None
