"""Completing a path as a shell does; names that no terminal must see are typed as escapes and still found."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.test_hostile_text import RAW
from vqa_tui.tui.path_completion import MOST_SHOWN, Completion, PathCompleter, complete_path, real_path, typeable


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("data/train", "data/trial", "data/test", "data/.hidden", "home/pics"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("data/annotations.json", "data/lines.JSONL", "data/note.txt", "data/train/a.jpg", "data/.secret.json"):
        (tmp_path / file).write_text("{}")
    return tmp_path


def complete(tree: Path, typed: str, wants: str = "any") -> Completion:
    return complete_path(typed, wants, home=tree / "home", here=tree)


def names(found: Completion) -> list[str]:
    return [candidate.name for candidate in found.candidates]


def test_folders_and_annotations_are_offered_and_nothing_else(tree: Path) -> None:
    found = complete(tree, "data/")
    assert names(found) == ["annotations.json", "lines.JSONL", "test/", "train/", "trial/"]
    assert (found.common, found.total) == ("data/", 5)
    assert names(complete(tree, "data/", "folder")) == ["test/", "train/", "trial/"]


def test_it_goes_on_as_far_as_all_agree(tree: Path) -> None:
    assert complete(tree, "data/t", "folder").common == "data/t"
    found = complete(tree, "data/tr")
    assert found.common == "data/tr" and [each.typed for each in found.candidates] == ["data/train/", "data/trial/"]
    assert complete(tree, "data/tra").common == "data/train/"
    assert complete(tree, "da").common == "data/"


def test_home_absolute_and_relative_paths(tree: Path) -> None:
    assert complete(tree, "~").common == "~/"
    assert complete(tree, "~/p").common == "~/pics/"
    assert complete(tree, f"{tree}/data/te").common == f"{tree}/data/test/"
    assert complete(tree, "./data/../da").common == "./data/../data/"
    assert names(complete(tree, "")) == ["data/", "home/"]


def test_hidden_names_come_only_after_a_dot(tree: Path) -> None:
    assert not any(name.startswith(".") for name in names(complete(tree, "data/")))
    assert names(complete(tree, "data/.")) == [".hidden/", ".secret.json"]


@pytest.mark.parametrize("typed", ["nowhere/x", "data/note.txt/x", "data/zzz", "\0", "x" * 5000, "~nobody/x"])
def test_what_is_not_there_has_no_candidates(tree: Path, typed: str) -> None:
    found = complete(tree, typed)
    assert (found.candidates, found.total, found.common) == ((), 0, typed)


def test_a_crowded_folder_is_counted_and_not_named_in_full(tree: Path) -> None:
    crowd = tree / "crowd"
    for number in range(MOST_SHOWN + 5):
        (crowd / f"d{number}").mkdir(parents=True)
    found = complete(tree, "crowd/")
    assert (len(found.candidates), found.total, found.common) == (MOST_SHOWN, MOST_SHOWN + 5, "crowd/d")


@pytest.mark.parametrize(
    "name",
    [b"\x1b]0;owned\x07", b"two\nlines", b"\xff\xfe bytes", "\u202eevil".encode(), b"back\\slash\\x1b", b"[b]x[\\x]"],
)
def test_a_hostile_name_is_shown_harmless_and_used_as_it_is(tree: Path, name: bytes) -> None:
    real = os.fsencode(tree / "data") + b"/" + name
    os.mkdir(real)
    start = typeable(os.fsdecode(name))[:2]
    found = complete(tree, f"data/{start}") if start[0] != "\\" else complete(tree, "data/")
    (candidate,) = [each for each in found.candidates if real_path(each.name) == os.fsdecode(name) + "/"]
    assert RAW.search(candidate.typed) is None
    assert (tree / real_path(candidate.typed)).is_dir()
    inside = complete(tree, candidate.typed)
    assert inside.candidates == ()


@given(st.text(st.characters(codec=None), max_size=40))
def test_a_typeable_path_means_the_same_path(path: str) -> None:
    shown = typeable(path)
    assert real_path(shown) == path
    assert RAW.search(shown) is None


@given(st.text(st.sampled_from(list("\\xuU01aFfz/ \x1b")), max_size=30))
def test_whatever_is_typed_means_some_path(typed: str) -> None:
    assert real_path(typeable(real_path(typed))) == real_path(typed)


def test_a_folder_is_read_once_until_something_in_it_changes(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    scandir = os.scandir

    def counted(folder: Path) -> Any:
        reads.append(str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", counted)
    (tree / "many").mkdir()
    (tree / "many" / "one").mkdir()
    completer = PathCompleter(here=tree)
    for typed in ("many/", "many/o", "many/on", "many/x"):
        assert completer.complete(typed, "folder") is not None
    assert len(reads) == 1
    (tree / "many" / "x1").mkdir()
    os.utime(tree / "many", ns=(1, 1))
    found = completer.complete("many/x", "folder")
    assert found is not None and [each.name for each in found.candidates] == ["x1/"]
    assert len(reads) == 2


def test_reading_a_folder_stops_when_a_path_in_another_one_is_typed(tree: Path) -> None:
    (tree / "left").mkdir()
    (tree / "left" / "one").mkdir()
    completer = PathCompleter(here=tree)
    completer.turn_to("right/x")
    assert completer.complete("left/", "folder") is None
    completer.turn_to("left/o")
    assert completer.complete("left/", "folder") is not None
