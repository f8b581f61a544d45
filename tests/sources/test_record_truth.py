"""Ground truth from wild records: believed, dropped with a reason, or refused; never a crash."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.item import GroundTruth
from vqa_tui.sources.record_truth import BadRecord, as_object, stcray_truth, storable

WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["categories", "bboxes", "caption", "captions", "questions", "split", "image_id", "extra_field"]


@given(st.dictionaries(st.sampled_from(FIELDS), WILD))
def test_any_record_gives_storable_truth_or_a_reason(record: dict[str, Any]) -> None:
    try:
        truth, dropped = stcray_truth(as_object(record))
    except BadRecord as refused:
        assert refused.reason
        return
    again = GroundTruth.model_validate_json(truth.model_dump_json(exclude_defaults=True).encode("utf-8"))
    assert again == truth
    assert len(truth.boxes) + len(dropped) == len(record.get("bboxes") or [])
    for box in truth.boxes:
        assert box.width > 0 and box.height > 0 and box.label in truth.categories
        assert all(math.isfinite(side) for side in (box.x, box.y, box.width, box.height))


@given(WILD)
def test_storable_values_are_strict_json_and_stay_as_they_were_where_possible(value: Any) -> None:
    kept = storable(value)
    text = json.dumps(kept, allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")
    assert storable(kept) == kept


def test_a_record_nested_without_end_is_refused_and_not_a_crash() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BadRecord, match="levels deep"):
        storable({"a": deep})


def test_a_wide_record_is_not_a_deep_one() -> None:
    wide = {"rows": [[number] for number in range(500)]}
    assert storable(wide) == wide


def truth_of(categories: Any, boxes: Any) -> tuple[list[str], list[tuple[int, str]]]:
    truth, dropped = stcray_truth({"categories": categories, "bboxes": boxes})
    return [box.label for box in truth.boxes], [(box.number, box.reason) for box in dropped]


BOX = [1.0, 2.0, 3.0, 4.0]


def test_boxes_stand_beside_categories_and_either_may_be_longer() -> None:
    assert truth_of(["Knife", "Gun"], [BOX, BOX]) == (["Knife", "Gun"], [])
    assert truth_of(["Knife", "Gun"], [BOX]) == (["Knife"], [])
    assert truth_of(["Knife"], [BOX, BOX]) == (["Knife", "Knife"], [])
    assert truth_of(["Knife", "Gun"], [BOX, BOX, BOX]) == (["Knife", "Gun"], [(3, "has no category")])
    assert truth_of([], [BOX]) == ([], [(1, "has no category")])
    assert truth_of(None, None) == ([], [])


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ([1, 2, 3], "not four numbers"),
        ("1234", "not four numbers"),
        (None, "not four numbers"),
        ([1, 2, None, 4], "not a number"),
        ([1, 2, True, 4], "not a number"),
        ([1, 2, "3", 4], "not a number"),
        ([1, 2, math.nan, 4], "not a number"),
        ([1, 2, 10**400, 4], "not a number"),
        ([1, 2, 0, 4], "no area"),
        ([1, 2, 3, -4], "no area"),
        ([1, 2, 3e9, 4], "larger than any picture"),
    ],
)
def test_a_garbage_box_is_dropped_with_its_number_and_the_others_stay(box: Any, words: str) -> None:
    labels, dropped = truth_of(["Knife", "Gun"], [BOX, box])
    assert labels == ["Knife"]
    assert dropped[0][0] == 2 and words in dropped[0][1]


def test_fields_without_a_place_are_kept_unchanged() -> None:
    record = {"image_id": 3, "class_name": "Class 1_Knife", "caption": " a knife ", "nested": {"a": [1, None]}}
    truth, _ = stcray_truth(record)
    assert truth.extra == {"image_id": 3, "class_name": "Class 1_Knife", "nested": {"a": [1, None]}}
    assert truth.captions == ("a knife",)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"categories": [1]}, "`categories`"),
        ({"bboxes": {"a": 1}}, "`bboxes`"),
        ({"caption": 7}, "`caption`"),
        ({"questions": [{"question": "what?"}]}, "entry 1 needs"),
        ({"questions": ["what?"]}, "entry 1 is text"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(record: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRecord, match=words):
        stcray_truth(record)
