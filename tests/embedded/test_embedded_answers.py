"""Answers say what the prompt states and what was measured, and nothing else."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vqa_tui.embedded.answers import NOTHING_TO_DESCRIBE, WrittenPair, write_caption, write_pairs
from vqa_tui.embedded.measure import GRID_WORDS, measure_picture
from vqa_tui.embedded.prompt_reader import read_prompt
from vqa_tui.embedded.scene import Scene
from vqa_tui.embedded.structured import STRUCTURED_QUESTIONS

FIXED_QUESTION = "List all items detected in this X-ray scan in JSON format."
ALL_TYPES = "general, specific, location, count, detailed, occlusion"
JUDGEMENT = re.compile(r"\b(risk|threat|danger|recommend|inspect|should|alert)", re.IGNORECASE)


def pairs_of(text: str, picture: bytes | None, seed: int = 0) -> list[WrittenPair]:
    scene = Scene(read_prompt(text), measure_picture(picture) if picture else None)
    return write_pairs(scene, random.Random(seed))


def sentences(text: str) -> int:
    return len(re.findall(r"[.!?](?:\s|$)", text))


def test_number_types_and_structured_share_are_as_asked(prompt: str, draw: Callable[..., bytes]) -> None:
    for seed in range(40):
        pairs = pairs_of(prompt, draw(), seed)
        assert len(pairs) == 3
        assert Counter(pair.question_type for pair in pairs)["structured_list"] == 1
        assert len({pair.question for pair in pairs}) == 3
        for pair in pairs:
            if pair.question_type == "structured_list":
                assert pair.question == FIXED_QUESTION
            else:
                assert 2 <= sentences(pair.answer) <= 4
                assert re.search("battery|knife|two|item", pair.answer, re.IGNORECASE)


def test_the_structured_answer_is_the_stated_truth(prompt: str, draw: Callable[..., bytes]) -> None:
    (pair,) = (pair for pair in pairs_of(prompt, draw()) if pair.question_type == "structured_list")
    answer = json.loads(pair.answer)
    assert list(answer) == ["items", "total_count", "has_concealed_items"]
    assert [(item["name"], item["location"]) for item in answer["items"]] == [
        ("Battery", "upper-left"),
        ("Knife", "lower-right"),
    ]
    assert all(0 <= item["confidence"] <= 1 for item in answer["items"])
    assert answer["total_count"] == 2
    assert answer["has_concealed_items"] is False


def test_locations_are_the_stated_ones(prompt: str, draw: Callable[..., bytes]) -> None:
    text = prompt.replace("Exactly 1 of them must be of type structured_list.\n", "").replace("exactly 3", "exactly 6")
    text = re.sub("Allowed question types: .*", "Allowed question types: location.", text)
    for seed in range(20):
        for pair in pairs_of(text, draw(), seed):
            assert pair.question_type == "location"
            for sentence in pair.answer.split(". "):
                if re.search(r"Battery (is located|lies in|can be found)", sentence):
                    assert "upper-left" in sentence and "lower-right" not in sentence
                if re.search(r"Knife (is located|lies in|can be found)", sentence):
                    assert "lower-right" in sentence and "upper-left" not in sentence
                assert "Knife lies to the left" not in sentence and "Battery lies to the right" not in sentence


def test_counts_are_the_stated_ones(prompt: str, draw: Callable[..., bytes]) -> None:
    text = prompt.replace("- items: Battery; Knife", "- items: Battery; Knife; Knife").replace(
        "- count: 2", "- count: 3"
    )
    text = text.replace("Exactly 1 of them must be of type structured_list.\n", "").replace("exactly 3", "exactly 9")
    text = re.sub("Allowed question types: .*", "Allowed question types: count.", text)
    answers = {pair.question: pair.answer for pair in pairs_of(text, draw())}
    assert len(answers) == 9
    for question, answer in answers.items():
        if "Knives" in question:
            assert answer.startswith(("There are two Knives in", "The number of Knives in this scan is two"))
        elif "Batter" in question:
            assert answer.startswith(("There is one Battery in", "The number of Batteries in this scan is one"))
        elif "kind" not in question:
            assert "three prohibited items" in answer


def test_overlap_is_told_exactly_when_boxes_overlap(prompt: str, draw: Callable[..., bytes]) -> None:
    text = re.sub("Allowed question types: .*", "Allowed question types: occlusion.", prompt)
    text = text.replace("Exactly 1 of them must be of type structured_list.\n", "")
    over = text.replace("440,330,100,60", "100,80,100,60").replace("lower-right", "upper-left")
    apart = pairs_of(text, draw())
    together = pairs_of(over, draw())
    assert all(pair.answer.startswith(("No", "Yes, no other", "Yes, the")) for pair in apart)
    assert not any(" overlaps with " in pair.answer or "run into" in pair.answer for pair in apart)
    assert all("overlap" in pair.answer or "run into" in pair.answer or "same area" in pair.answer for pair in together)


@pytest.mark.parametrize(
    ("caption", "concealed"),
    [
        ("A knife is concealed under clothes.", True),
        ("The battery is partly covered by a book", True),
        ("There are no concealed items in the bag.", False),
        ("The knife is not hidden.", False),
        ("A knife beside a battery.", False),
    ],
)
def test_concealment_comes_from_the_caption(
    prompt: str, draw: Callable[..., bytes], caption: str, concealed: bool
) -> None:
    text = prompt.replace("A battery and a knife lie in a bag.", caption)
    (pair,) = (pair for pair in pairs_of(text, draw()) if pair.question_type == "structured_list")
    assert json.loads(pair.answer)["has_concealed_items"] is concealed


def test_a_clean_scan_says_so_in_every_answer(draw: Callable[..., bytes]) -> None:
    text = (
        "Look at this X-ray baggage scan.\nGround truth:\n- items: none\n- count: 0\n\n"
        "Write exactly 8 question-answer pairs.\n"
        "Exactly 1 of them must be of type structured_list.\n"
        f"Allowed question types: {ALL_TYPES}, structured_list.\nReply with a JSON array only"
    )
    for pair in pairs_of(text, draw()):
        if pair.question_type == "structured_list":
            assert json.loads(pair.answer) == {"items": [], "total_count": 0, "has_concealed_items": False}
        else:
            assert pair.answer.startswith("No prohibited items detected")
            assert 2 <= sentences(pair.answer) <= 4


def test_no_items_in_any_other_picture_is_not_called_clean(draw: Callable[..., bytes]) -> None:
    text = "Look at this picture.\nGround truth:\n- items: none\nReply with a JSON array only"
    assert not any("prohibited" in pair.question + pair.answer for pair in pairs_of(text, draw()))


def test_without_truth_only_the_measurement_speaks(draw: Callable[..., bytes]) -> None:
    text = (
        f"Write exactly 18 question-answer pairs.\nAllowed question types: {ALL_TYPES}.\nReply with a JSON array only"
    )
    pairs = pairs_of(text, draw())
    seen = measure_picture(draw())
    assert Counter(pair.question_type for pair in pairs) == dict.fromkeys(ALL_TYPES.split(", "), 3)
    said = " ".join(pair.answer for pair in pairs)
    colours = {word for word in re.findall(r"\b(red|blue|green|white|black|gray|yellow|orange)\b", said)}
    assert colours <= {colour.name for colour in seen.colours}
    places = set(
        re.findall("|".join(sorted(GRID_WORDS, key=len, reverse=True)), said.replace("center part", "center-"))
    )
    assert "landscape" in said and "three" in said
    assert places <= {*(word for word in (seen.busiest, seen.emptiest, seen.brightest, seen.darkest) if word)}


def test_no_judgement_passes_from_the_caption(prompt: str, draw: Callable[..., bytes]) -> None:
    text = prompt.replace("a bag.", "a bag. This is a severe threat. The bag should be inspected! The knife is sharp.")
    said = ""
    for seed in range(30):
        pairs = pairs_of(text, draw(), seed)
        said += " ".join(pair.question + pair.answer for pair in pairs)
        said += write_caption(Scene(read_prompt(text), None), random.Random(seed))
    assert not JUDGEMENT.search(said)
    assert "The knife is sharp." in said


def test_wording_varies_with_the_seed_and_not_without(prompt: str, draw: Callable[..., bytes]) -> None:
    picture = draw()
    assert pairs_of(prompt, picture, 5) == pairs_of(prompt, picture, 5)
    answers = {pair.answer for seed in range(60) for pair in pairs_of(prompt, picture, seed)}
    questions = {pair.question for seed in range(60) for pair in pairs_of(prompt, picture, seed)}
    assert len(answers) > 80
    assert len(questions) > 20


@pytest.mark.parametrize("types", [*ALL_TYPES.split(", "), "structured_list", "scene_mood", ALL_TYPES])
@pytest.mark.parametrize("truth", ["", "Ground truth:\n- items: none\n", "Ground truth:\n- items: Cup\n- count: 1\n"])
def test_fifty_questions_are_fifty_different_ones(types: str, truth: str, draw: Callable[..., bytes]) -> None:
    asked = f"Write exactly 50 question-answer pairs.\nAllowed question types: {types}.\nReply with JSON"
    text = f"An X-ray of a bag.\n{truth}{asked}"
    pairs = pairs_of(text, draw())
    assert len({pair.question for pair in pairs}) == 50
    assert {pair.question_type for pair in pairs} == set(types.split(", "))


def test_a_second_structured_question_is_worded_differently(prompt: str, draw: Callable[..., bytes]) -> None:
    text = prompt.replace("Exactly 1 of them", "Exactly 2 of them")
    asked = [pair for pair in pairs_of(text, draw()) if pair.question_type == "structured_list"]
    assert sorted(pair.question for pair in asked) == sorted(STRUCTURED_QUESTIONS[:2])
    assert asked[0].answer == asked[1].answer


def test_one_label_with_a_higher_count_stands_for_all(draw: Callable[..., bytes]) -> None:
    text = (
        "X-ray of a bag.\nGround truth:\n- items: Cup\n- count: 3\nWrite exactly 1 question-answer pairs.\n"
        "Allowed question types: structured_list.\nReply with JSON"
    )
    answer = json.loads(pairs_of(text, draw())[0].answer)
    assert [item["name"] for item in answer["items"]] == ["Cup"] * 3
    assert answer["total_count"] == 3
    assert {item["location"] for item in answer["items"]} == {"unknown"}


def test_a_caption_holds_the_truth_and_the_look(prompt: str, draw: Callable[..., bytes]) -> None:
    scene = Scene(read_prompt(prompt), measure_picture(draw()))
    caption = write_caption(scene, random.Random(0))
    assert caption.startswith("A battery and a knife lie in a bag. A Battery and a Knife can be seen")
    assert "white" in caption.lower()
    assert 2 <= sentences(caption) <= 4
    unnamed = write_caption(Scene(read_prompt("Describe this."), measure_picture(draw())), random.Random(0))
    assert 2 <= sentences(unnamed) <= 4


def test_with_nothing_to_go_by_it_says_so() -> None:
    scene = Scene(read_prompt("Hello. Reply with JSON"), None)
    assert write_pairs(scene, random.Random(0)) == []
    assert write_caption(scene, random.Random(0)) == NOTHING_TO_DESCRIBE


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    labels=st.lists(st.sampled_from(["Cup", "Gun; x", "Axe", "Übergröße", "[/x]", "A|B"]), max_size=30),
    boxes=st.lists(st.tuples(*[st.integers(0, 700)] * 4), max_size=30),
    count=st.integers(0, 99),
    seed=st.integers(0, 99),
)
def test_any_truth_gives_the_asked_number_of_grounded_pairs(
    prompt: str,
    labels: list[str],
    boxes: list[tuple[int, int, int, int]],
    count: int,
    seed: int,
) -> None:
    places = "".join(
        f"- place: {label} | center | {','.join(map(str, box))}\n" for label, box in zip(labels, boxes, strict=False)
    )
    head, tail = prompt.split("- items")[0], prompt[prompt.index("A place reads") :]
    text = f"{head}- items: {'; '.join(labels) or 'none'}\n- count: {count}\n{places}\n{tail}"
    pairs = pairs_of(text, None, seed)
    assert len(pairs) == 3 and len({pair.question for pair in pairs}) == 3
    stated = {name for label in labels for name in (label, *label.split("; "))}
    (listed,) = (json.loads(pair.answer) for pair in pairs if pair.question_type == "structured_list")
    assert {item["name"] for item in listed["items"]} <= stated
    assert listed["total_count"] >= len(listed["items"])
