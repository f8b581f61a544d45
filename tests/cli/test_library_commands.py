"""`dataset items`, `problems`, `rename`, `delete`, `recipe copy` and `endpoint copy`."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.cli.conftest import CTRL_C, PICTURES, Place, Terminal


def document(place: Place, *arguments: str) -> Any:
    return json.loads(place.ok(*arguments, "--json"))


def test_items_of_a_dataset_by_key(place: Place) -> None:
    lines = place.ok("dataset", "items", "scans").splitlines()
    assert len(lines) == PICTURES + 1
    assert lines[1].endswith("images/000000.jpg") and "JPEG" in lines[1]
    items = document(place, "dataset", "items", "scans")
    assert [item["key"] for item in items] == sorted(item["key"] for item in items)
    assert items[0]["truth"]["categories"] is not None and items[0]["facts"]["width"] > 0
    (only,) = document(place, "dataset", "items", "scans", "--search", "000003")
    assert only["key"] == "images/000003.jpg"
    assert place.ok("dataset", "items", "scans", "--search", "none such") == "No picture.\n"
    assert document(place, "dataset", "items", "scans", "--search", "none such") == []
    assert place.call("dataset", "items", "nothing", "--json").stdout == "", "no part of a list before an error"


def test_problems_of_a_dataset(place: Place) -> None:
    assert place.ok("dataset", "problems", "scans") == "Everything could be imported.\n"
    assert document(place, "dataset", "problems", "scans") == []
    mixed = place.folder / "mixed"
    mixed.mkdir()
    Image.new("RGB", (20, 20)).save(mixed / "good.png")
    (mixed / "a.jpg").write_bytes(b"no picture")
    (mixed / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    place.ok("dataset", "import", "folder", str(mixed))
    problems = document(place, "dataset", "problems", "mixed")
    assert [each["where"] for each in problems] == ["a.jpg", "b.png"]
    assert place.ok("dataset", "problems", "mixed").splitlines()[0].startswith("a.jpg: ")


def test_a_dataset_is_renamed(place: Place) -> None:
    assert place.ok("dataset", "rename", "scans", "bags") == "scans is called bags now.\n"
    assert [each["name"] for each in document(place, "dataset", "list")] == ["bags"]
    assert "no dataset named scans" in place.refused("dataset", "rename", "scans", "x")
    assert "cannot be the name" in place.refused("dataset", "rename", "bags", "a b")


def test_a_dataset_is_deleted_only_when_that_is_confirmed(place: Place) -> None:
    assert "--yes" in place.refused("dataset", "delete", "scans")
    assert len(document(place, "dataset", "list")) == 1
    assert f"records of {PICTURES} pictures" in place.ok("dataset", "delete", "scans", "--yes")
    assert document(place, "dataset", "list") == []
    assert "no dataset named scans" in place.refused("dataset", "delete", "scans", "--yes")


def test_a_dataset_that_a_run_uses_is_kept(finished: Place) -> None:
    assert "first uses it" in finished.refused("dataset", "delete", "scans", "--yes")
    (dataset,) = document(finished, "dataset", "list")
    assert dataset["runs"] == ["first"]
    shown = document(finished, "dataset", "show", "scans")
    assert sum(band["pictures"] for band in shown["sizes"]) == PICTURES
    assert "up to 1 024 px: " in finished.ok("dataset", "show", "scans")


@pytest.mark.parametrize(("word", "name"), [("recipe", "caption"), ("endpoint", "embedded")])
def test_a_recipe_and_an_endpoint_are_copied(place: Place, word: str, name: str) -> None:
    printed = place.ok(word, "copy", name, "mine")
    assert printed.strip().endswith(f"{word}s/mine.yaml")
    assert (place.folder / f"{word}s" / "mine.yaml").is_file()
    assert "mine" in place.ok(word, "list")
    assert "named mine already" in place.refused(word, "copy", name, "mine")
    assert "cannot be the name" in place.refused(word, "copy", name, "No Name")


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [("n\n", 0, "Nothing was deleted."), ("y\n", 0, "scans is deleted"), (CTRL_C, 130, "Nothing was deleted.")],
)
def test_deleting_asks_on_a_terminal(
    place: Place, in_terminal: Callable[..., Terminal], typed: str, code: int, words: str
) -> None:
    terminal = in_terminal("dataset", "delete", "scans", "--workspace", str(place.folder))
    terminal.wait_for("Delete it?")
    assert f"The records of {PICTURES} pictures in scans go." in terminal.shown
    if typed == CTRL_C:
        terminal.interrupt(words)
    else:
        terminal.press(typed)
        terminal.wait_for(words)
    assert terminal.exit_code() == code
    assert len(document(place, "dataset", "list")) == (0 if typed == "y\n" else 1)


def test_a_picture_outside_the_folder_is_imported_only_with_allow_outside(place: Place) -> None:
    picture = place.folder / "elsewhere.jpg"
    Image.new("RGB", (40, 30), "teal").save(picture)
    linked = place.folder / "linked"
    linked.mkdir()
    (linked / "a.jpg").symlink_to(picture)
    refused = place.call("dataset", "import", "folder", str(linked))
    assert refused.exit_code == 1 and "--allow-outside" in refused.stderr
    assert "1 added" in place.ok("dataset", "import", "folder", str(linked), "--allow-outside")


def test_a_dataset_whose_import_did_not_reach_its_end_says_so(place: Place) -> None:
    source = document(place, "dataset", "show", "scans")["source"]
    with sqlite3.connect(place.folder / ".vqa" / "vqa.db") as connection:
        connection.execute("INSERT INTO unfinished_import VALUES (1, ?, 0)", (source,))
    connection.close()
    assert "scans (not finished)" in place.ok("dataset", "list")
    assert "import not finished" in place.ok("dataset", "show", "scans")
    assert document(place, "dataset", "list")[0]["unfinished"] == source
    planned = place.call("plan", "scans", "--recipe", "caption", "--endpoint", "embedded")
    assert planned.exit_code == 0 and "scans may lack pictures" in planned.stderr
    place.ok("dataset", "import", "stcray", source, "--name", "scans")
    assert "not finished" not in place.ok("dataset", "list") + place.ok("dataset", "show", "scans")
