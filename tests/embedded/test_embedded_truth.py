"""Answers claim no more than annotations tell: nothing is the only thing, or clear of what is not annotated."""

import io
import json
import random
import re
from collections.abc import Callable

import pytest

from vqa_tui.demo.baggage import draw_scan
from vqa_tui.demo.prohibited import ITEMS
from vqa_tui.embedded.answers import WrittenPair, write_pairs
from vqa_tui.embedded.measure import ColourShare, measure_picture
from vqa_tui.embedded.measured_topics import measured_sentences
from vqa_tui.embedded.prompt_reader import Place, read_prompt
from vqa_tui.embedded.scene import Scene, relation
from vqa_tui.embedded.wording import share_of

TYPES = "general, specific, location, count, detailed, occlusion"
TOO_MUCH = re.compile(
    r"\bonly\b|stands out|no other (?:one|kind of item in)|nothing to overlap|in plain view|fully visible|"
    r"\b(?:two|three|four) \w+ items\b(?<!prohibited items)(?<!marked items)",
    re.IGNORECASE,
)


def asked(block: str, *, pairs: int = 40, types: str = TYPES, scan: bool = True) -> Scene:
    text = (
        f"{'An X-ray scan of baggage' if scan else 'A picture'}.\nGround truth:\n{block}\n"
        f"It is 640 pixels wide and 480 pixels high.\nWrite exactly {pairs} question-answer pairs.\n"
        f"Allowed question types: {types}.\nReply with JSON"
    )
    return Scene(read_prompt(text), None)


def written(scene: Scene) -> list[WrittenPair]:
    return [pair for seed in range(5) for pair in write_pairs(scene, random.Random(seed))]


@pytest.mark.parametrize("seed", range(6))
def test_of_a_drawn_bag_nothing_is_said_that_its_caption_belies(seed: int) -> None:
    dice = random.Random(seed)
    labels = dice.sample(sorted(ITEMS), seed % 4)
    scan = draw_scan(dice, labels)
    file = io.BytesIO()
    scan.picture.save(file, "JPEG")
    places = "".join(
        f"- place: {box.label} | center | {box.x},{box.y},{box.width},{box.height}\n" for box in scan.boxes
    )
    block = f"- items: {'; '.join(labels) or 'none'}\n- count: {len(labels)}\n{places}- caption: {scan.caption}"
    scene = Scene(asked(block, types=f"{TYPES}, structured_list").asked, measure_picture(file.getvalue()))
    overlaps = " overlaps " in scan.caption
    for pair in written(scene):
        assert not TOO_MUCH.search(pair.answer), pair
        if pair.question_type == "structured_list":
            assert json.loads(pair.answer)["has_concealed_items"] is (overlaps or bool(scene.overlaps))
        elif labels and overlaps and re.search("overlap|cover", pair.question) and "the " not in pair.question:
            assert " overlaps " in pair.answer, pair


def test_an_item_alone_is_not_called_the_only_thing() -> None:
    pairs = written(asked("- items: toilet\n- count: 1\n- caption: A couple of buckets.", scan=False))
    assert not any(TOO_MUCH.search(pair.answer) for pair in pairs)
    assert any("No other kind of item is marked in the picture." in pair.answer for pair in pairs)


def test_a_detailed_answer_about_an_item_is_about_that_item() -> None:
    block = "- items: Battery; Knife\n- count: 2\n- place: Battery | upper-left | 40,60,120,48\n"
    about = [
        pair.answer
        for pair in written(asked(f"{block}- place: Knife | center | 300,200,50,50"))
        if re.search("Describe the Battery in|said about the Battery", pair.question)
    ]
    assert about
    for answer in about:
        assert re.search(r"The Battery (is located|lies|can be found) in the upper-left part of the scan\.", answer)
        assert "wider than tall" in answer and "about 2% of the scan" in answer


@pytest.mark.parametrize(
    ("second", "said", "unsaid"),
    [
        ("100,80,100,60", "The boxes around the Gun and the Knife overlap|Yes, as far as their boxes", "No, no two"),
        ("400,80,100,60", "No, no two of the (boxes around the )?prohibited items", "Yes|certainty"),
        ("158,80,100,60", "certainty", "Yes|No, "),
        (None, "certainty", "Yes|No, "),
    ],
    ids=["overlapping", "apart", "touching", "unknown"],
)
def test_overlap_is_told_and_denied_only_of_boxes(second: str | None, said: str, unsaid: str) -> None:
    place = f"- place: Knife | center | {second}" if second else ""
    block = f"- items: Gun; Knife\n- count: 2\n- place: Gun | upper-left | 40,60,120,95\n{place}"
    answers = [
        pair.answer for pair in written(asked(block)) if "prohibited items in this scan overlap" in pair.question
    ]
    assert answers
    for answer in answers:
        assert re.match(f"(?:.*)(?:{said})", answer) and not re.match(unsaid, answer), answer


def test_of_very_many_boxes_no_overlap_is_denied() -> None:
    places = "\n".join(f"- place: cup | center | {10 * number},0,5,5" for number in range(41))
    scene = asked(f"- items: cup\n- count: 41\n{places}", scan=False)
    assert not scene.is_clear() and not scene.overlaps
    assert asked(f"- items: cup\n- count: 40\n{places.rsplit(chr(10), 1)[0]}", scan=False).is_clear()


def test_numbers_of_a_kind_are_told_only_when_they_are_known() -> None:
    known = written(asked("- items: Cup; Gun\n- count: 2"))
    unknown = written(asked("- items: Cup; Gun\n- count: 5"))
    assert any("Cups" in pair.question for pair in known)
    assert not any("Cups" in pair.question for pair in unknown)


def test_sides_are_told_only_of_boxes_that_lie_apart() -> None:
    person, tie = Place("person", "center", (100, 100, 200, 300)), Place("tie", "center", (180, 150, 30, 80))
    assert relation(tie, person) is None and relation(person, tie) is None
    assert relation(tie, Place("cup", "center", (300, 160, 20, 20))) == "to the left of"
    assert relation(tie, Place("cup", "center", (180, 10, 20, 20))) == "below"


def test_shares_and_areas_are_worded_as_they_are(draw: Callable[..., bytes]) -> None:
    assert [share_of(share) for share in (1, 0.993, 0.5, 0.004)] == [
        "almost all of",
        "almost all of",
        "about 50% of",
        "less than 1% of",
    ]
    seen = measure_picture(draw())
    object.__setattr__(seen, "regions", 1)
    object.__setattr__(seen, "colours", (ColourShare("white", 1.0),))
    said = measured_sentences(seen, "scan")
    assert said["regions"] == ("The scan does not divide into separate areas of colour.",)
    assert "White covers almost all of the scan." in said["colours"]
