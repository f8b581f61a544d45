"""`dataset import` of tables and question sets, as a person types it."""

import json
from pathlib import Path

from PIL import Image

from tests.cli.conftest import Place


def table(folder: Path) -> Path:
    folder.mkdir()
    Image.new("RGB", (40, 30), "teal").save(folder / "a.png")
    path = folder / "set.csv"
    path.write_text("wo,frage,antwort\na.png,What is it?,A cat\na.png,Where?,There\ngone.png,What?,Nothing\n")
    return path


def test_a_table_is_imported_by_its_columns_and_again_without_change(place: Place) -> None:
    path = table(place.folder / "table")
    command: tuple[str, ...] = ("dataset", "import", "csv", str(path), "--map", "picture=wo", "--map", "question=frage")
    assert "names no column for answer" in place.refused(*command)
    command = (*command, "--map", "answer=antwort")
    assert place.ok(*command).startswith("table: 1 added, 0 unchanged, 0 updated, 1 with problems")
    assert place.ok(*command).startswith("table: 0 added, 1 unchanged, 0 updated, 1 with problems")
    (item,) = json.loads(place.ok("dataset", "items", "table", "--json"))
    assert [asked["answer"] for asked in item["truth"]["questions"]] == ["A cat", "There"]
    (problem,) = json.loads(place.ok("dataset", "problems", "table", "--json"))
    assert problem["where"] == "set.csv line 4" and "no such picture" in problem["reason"]


def test_a_mapping_that_cannot_be_is_refused_before_anything_is_read(place: Place) -> None:
    path = table(place.folder / "table")
    said = place.refused("dataset", "import", "csv", str(path), "--map", "pictures=wo")
    assert "there is no part `pictures`" in said and "Did you mean `picture`?" in said
    assert "has no column `wer`" in place.refused("dataset", "import", "csv", str(path), "--map", "picture=wer")
    assert "--map does not go with" in place.refused(
        "dataset", "import", "folder", str(path.parent), "--map", "picture=wo"
    )


def test_questions_of_vqa_rad_are_imported_with_their_splits(place: Place) -> None:
    folder = place.folder / "rad"
    (folder / "pictures").mkdir(parents=True)
    Image.new("RGB", (40, 30), "gray").save(folder / "pictures" / "synpic1.jpg")
    rows = [
        {"qid": number, "phrase_type": kind, "image_name": "synpic1.jpg", "question": "How many?", "answer": 4}
        for number, kind in enumerate(("freeform", "test_para"))
    ]
    (folder / "rad.json").write_text(json.dumps(rows))
    said = place.ok("dataset", "import", "vqa-rad", str(folder / "rad.json"), "--images", str(folder / "pictures"))
    assert said.startswith("rad: 1 added")
    (item,) = json.loads(place.ok("dataset", "items", "rad", "--json"))
    assert [(each["answer"], each["split"]) for each in item["truth"]["questions"]] == [("4", "train"), ("4", "test")]
