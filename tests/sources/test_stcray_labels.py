"""The label spellings of STCray and the categories that they mean."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vqa_tui.domain.item import SourceItem
from vqa_tui.sources.record_truth import stcray_truth
from vqa_tui.sources.registry import open_source
from vqa_tui.sources.stcray_labels import CATEGORIES, category_of, says_clean, says_several
from vqa_tui.store.scratch import SqliteScratch

MET = [
    "Explosive", "Gun", "3D Gun", "3D printed gun", "Knife", "Cutter", "Blade", "Shaving Razor", "Lighter",
    "Injection", "Syringe", "Battery", "Nail Cutter", "Other Sharp Item", "Powerbank", "Scissors", "Hammer", "Pliers",
    "Wrench", "Screwdriver", "Handcuffs", "Bullet", "Multilabel Threat", "Non Threat",
]  # fmt: skip
"""The 24 label strings in the folders and files of the dataset."""


def test_the_spellings_met_are_twenty_threats_and_none() -> None:
    assert len(MET) == 24 and len(CATEGORIES) == 20
    threats = [label for label in MET if not says_clean(label) and not says_several(label)]
    assert {category_of(label) for label in threats} == set(CATEGORIES)
    assert all(category_of(name) == name for name in CATEGORIES)


@pytest.mark.parametrize(
    ("label", "category"),
    [("3D_printed_gun", "3D Printed Gun"), (" injection ", "Syringe"), ("NAIL-CUTTER", "Nail Cutter"), ("Pen", "Pen")],
)
def test_case_and_joints_do_not_matter_and_other_labels_stay(label: str, category: str) -> None:
    assert category_of(label) == category


def test_an_annotation_keeps_the_spelling_that_it_had() -> None:
    record = {"categories": ["3D Gun", "Knife"], "bboxes": [[1, 1, 5, 5], [9, 9, 5, 5]]}
    truth, dropped = stcray_truth(record)
    assert truth.categories == ("3D Printed Gun", "Knife") and dropped == ()
    assert [box.label for box in truth.boxes] == ["3D Printed Gun", "Knife"]
    assert truth.extra == {"raw_categories": ["3D Gun", "Knife"]}
    assert stcray_truth({"categories": ["Knife"]})[0].extra == {}


def test_non_threat_states_that_there_is_nothing_and_multilabel_states_nothing() -> None:
    clean, _ = stcray_truth({"categories": ["Non Threat"]})
    assert (clean.categories, clean.states_none) == ((), True)
    several, _ = stcray_truth({"categories": ["Multilabel Threat"]})
    assert (several.categories, several.states_none) == ((), False)
    assert several.extra == {"raw_categories": ["Multilabel Threat"]}


def test_the_tree_reads_folders_and_files_of_any_spelling(
    tmp_path: Path, make_picture: Callable[..., Path], scratch: SqliteScratch
) -> None:
    for folder in ("Class 3_3D Gun", "Class 9_Injection", "Class 22_Multilabel Threat", "Class 21_Non Threat"):
        make_picture(f"STCray_TrainSet/Images/{folder}/a.jpg")
    boxes = tmp_path / "STCray_TrainSet" / "Json_BB" / "Class 3_3D Gun" / "a.json"
    boxes.parent.mkdir(parents=True)
    boxes.write_text(json.dumps({"shapes": [{"label": "3D printed gun", "points": [[1, 1], [5, 5]]}]}))
    found = list(open_source("stcray-tree", tmp_path).records(scratch))
    by_folder = {item.key.split("/")[2]: item.truth for item in found if isinstance(item, SourceItem)}
    assert by_folder["Class 3_3D Gun"].categories == ("3D Printed Gun",)
    assert by_folder["Class 3_3D Gun"].extra["raw_categories"] == ["3D printed gun"]
    assert by_folder["Class 9_Injection"].categories == ("Syringe",)
    assert by_folder["Class 9_Injection"].extra == {"class_name": "Class 9_Injection"}
    assert not by_folder["Class 22_Multilabel Threat"].annotated
    assert by_folder["Class 21_Non Threat"].states_none
