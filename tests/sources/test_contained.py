"""No name in an annotation file may reach outside the dataset's folder."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqa_tui.sources.contained import ContainedRoot, PathRefused


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("contained")
    (base / "secret.jpg").write_bytes(b"secret")
    (base / "root-other").mkdir()
    (base / "root-other" / "a.jpg").write_bytes(b"secret")
    root = base / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.jpg").write_bytes(b"fine")
    (root / "inner.jpg").symlink_to(root / "sub" / "a.jpg")
    (root / "outer.jpg").symlink_to(base / "secret.jpg")
    (root / "sibling").symlink_to(base / "root-other")
    (root / "up").symlink_to(base)
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    (root / "broken.jpg").symlink_to(root / "nowhere.jpg")
    os.mkfifo(root / "pipe.jpg")
    return root


def test_files_inside_are_found_under_a_plain_relative_name(tree: Path) -> None:
    contained = ContainedRoot(tree)
    assert contained.find("sub/a.jpg") == "sub/a.jpg"
    assert contained.find("./sub//./a.jpg") == "sub/a.jpg"
    assert contained.find("inner.jpg") == "inner.jpg"


@pytest.mark.parametrize("name", ["none.jpg", "sub/none.jpg", "none/a.jpg", "sub/a.jpg/b.jpg", "broken.jpg"])
def test_what_is_not_there_is_none(tree: Path, name: str) -> None:
    assert ContainedRoot(tree).find(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/passwd", "absolute"),
        ("../secret.jpg", "`..`"),
        ("sub/../../secret.jpg", "`..`"),
        ("sub/../sub/a.jpg", "`..`"),
        ("outer.jpg", "leads out"),
        ("up/secret.jpg", "leads out"),
        ("sibling/a.jpg", "leads out"),
        ("sub/a\0.jpg", "NUL"),
        ("", "empty"),
        (".", "empty"),
        ("sub", "not a regular file"),
        ("pipe.jpg", "not a regular file"),
        ("\ud800.jpg", "Unicode"),
        ("x" * 5000, "looked up"),
        ("loop.jpg", "looked up"),
    ],
)
def test_names_that_lead_out_or_cannot_be_are_refused_in_words(tree: Path, name: str, reason: str) -> None:
    with pytest.raises(PathRefused) as refused:
        ContainedRoot(tree).find(name)
    assert reason in refused.value.reason


def test_absolute_names_are_only_taken_from_inside(tree: Path) -> None:
    contained = ContainedRoot(tree)
    assert contained.inside(str(tree / "sub" / "a.jpg")) == "sub/a.jpg"
    assert contained.inside(str(tree.parent / "root-other" / "a.jpg")) is None
    assert contained.inside(str(tree)) is None
    assert contained.inside("") is None
    with pytest.raises(PathRefused):
        contained.find(contained.inside(f"{tree}/../secret.jpg") or "")


def test_a_root_reached_through_a_link_knows_both_its_names(tree: Path, tmp_path: Path) -> None:
    alias = tmp_path / "alias"
    alias.symlink_to(tree)
    contained = ContainedRoot(alias)
    assert contained.path == tree.resolve()
    assert contained.inside(f"{alias}/sub/a.jpg") == contained.inside(f"{tree}/sub/a.jpg") == "sub/a.jpg"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("../secret.jpg", "../secret.jpg"),
        ("sub/../../secret.jpg", "../secret.jpg"),
        ("sub/../sub/a.jpg", "sub/a.jpg"),
        ("up/../root/sub/a.jpg", None),
        ("outer.jpg", "outer.jpg"),
        ("up/secret.jpg", "up/secret.jpg"),
        ("sibling/a.jpg", "sibling/a.jpg"),
        ("sibling/../secret.jpg", "../secret.jpg"),
        ("../none.jpg", None),
        ("broken.jpg", None),
    ],
)
def test_where_it_is_allowed_names_and_links_lead_out(tree: Path, name: str, found: str | None) -> None:
    assert ContainedRoot(tree, allow_outside=True).find(name) == found
    if found is not None:
        assert (tree.resolve() / found).is_file()


def test_where_it_is_allowed_absolute_names_become_relative_to_the_root(tree: Path) -> None:
    contained = ContainedRoot(tree, allow_outside=True)
    assert contained.find(str(tree.parent / "secret.jpg")) == "../secret.jpg"
    assert contained.find(str(tree / "sub" / "a.jpg")) == "sub/a.jpg"
    assert contained.inside(str(tree.parent / "secret.jpg")) == str(tree.parent / "secret.jpg")
    assert contained.inside(str(tree / "sub" / "a.jpg")) == "sub/a.jpg"
    assert contained.inside("") is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("..", "empty"),
        ("/", "empty"),
        ("../root-other", "not a regular file"),
        ("../root/pipe.jpg", "not a regular file"),
        ("/dev/null", "not a regular file"),
        ("../a\0.jpg", "NUL"),
        ("../\ud800.jpg", "Unicode"),
        ("/" + "x" * 5000, "looked up"),
    ],
)
def test_what_is_no_file_is_refused_outside_too(tree: Path, name: str, reason: str) -> None:
    with pytest.raises(PathRefused) as refused:
        ContainedRoot(tree, allow_outside=True).find(name)
    assert reason in refused.value.reason


_STEPS = st.sampled_from(["..", ".", "", "sub", "a.jpg", "up", "outer.jpg", "sibling", "secret.jpg", "root", "/", "\0"])


@settings(deadline=None)
@given(st.lists(_STEPS, max_size=8).map("/".join) | st.text(max_size=30))
def test_whatever_is_found_lies_inside(tree: Path, name: str) -> None:
    try:
        found = ContainedRoot(tree).find(name)
    except PathRefused:
        return
    if found is not None:
        assert not found.startswith("/") and ".." not in found.split("/")
        assert (tree / found).resolve().is_relative_to(tree.resolve())
        assert (tree / found).read_bytes() == b"fine"


@given(
    st.lists(
        st.sampled_from(["sub", "a.jpg", "inner.jpg", "up", "sibling", "", ".", "..", "ä", "\0", "\ufffd", "\ud800"])
    )
)
def test_the_short_way_for_plain_names_finds_and_refuses_what_the_long_one_does(tree: Path, steps: list[str]) -> None:
    name, short, long = "/".join(steps), ContainedRoot(tree), ContainedRoot(tree)
    long._is_plain_folder = lambda folder: False  # type: ignore[assignment]  # every name goes the long way

    def outcome(contained: ContainedRoot) -> str | None:
        try:
            return contained.find(name)
        except PathRefused as refused:
            return f"refused: {refused.reason}"

    assert outcome(short) == outcome(long)
