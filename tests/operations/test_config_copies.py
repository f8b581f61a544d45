"""Copies of recipes and endpoints, and what the lists of both tell."""

from pathlib import Path

import pytest

from vqa_tui.config.load import load_endpoint, load_recipe
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations import config_copies, config_entries
from vqa_tui.paths import WorkspacePaths, find_workspace

ENDPOINT = """\
# Mine, since 2026.
"name": 'own'   # the name
model: name
base_url: https://user.example/v1
keys: [{name: own, env: OWN_KEY}, {name: other, env: OTHER_KEY, group: own}]
"""


@pytest.fixture
def places(tmp_path: Path) -> WorkspacePaths:
    return find_workspace(tmp_path)


def test_every_shipped_file_can_be_copied_and_used(places: WorkspacePaths) -> None:
    for recipe in config_entries.recipe_entries(places):
        path = config_copies.copy_recipe(places, recipe.name, f"my-{recipe.name}")
        assert path == places.root.parent / "recipes" / f"my-{recipe.name}.yaml"
        copied = load_recipe(f"my-{recipe.name}", folders=places.recipe_folders)
        assert copied.model_copy(update={"name": recipe.name}) == recipe.recipe
    for endpoint in config_entries.endpoint_entries(places):
        config_copies.copy_endpoint(places, endpoint.name, f"my_{endpoint.name}")
        assert load_endpoint(f"my_{endpoint.name}", folders=places.endpoint_folders).name == f"my_{endpoint.name}"
    own = {entry.name: entry.shipped for entry in config_entries.recipe_entries(places)}
    assert own["my-stcray"] is False and own["stcray"] is True


def test_only_the_name_changes(places: WorkspacePaths) -> None:
    folder = places.root.parent / "endpoints"
    folder.mkdir()
    (folder / "own.yaml").write_text(ENDPOINT)
    path = config_copies.copy_endpoint(places, "own", "new")
    assert path.read_text() == ENDPOINT.replace("\"name\": 'own'", '"name": new')


@pytest.mark.parametrize("name", ["Upper", "a b", "", "../x", "x.yaml", "-x", "ü"])
def test_a_malformed_name_is_refused(places: WorkspacePaths, name: str) -> None:
    with pytest.raises(VqaError, match="cannot be the name of a recipe"):
        config_copies.copy_recipe(places, "caption", name)
    assert not (places.root.parent / "recipes").exists()


def test_nothing_is_overwritten(places: WorkspacePaths) -> None:
    with pytest.raises(VqaError, match="a recipe named stcray already"):
        config_copies.copy_recipe(places, "caption", "stcray")
    folder = places.root.parent / "recipes"
    folder.mkdir()
    (folder / "mine.yml").write_text("name: mine")
    with pytest.raises(VqaError, match="named mine already"):
        config_copies.copy_recipe(places, "caption", "mine")
    assert (folder / "mine.yml").read_text() == "name: mine"


def test_what_cannot_be_used_or_found_is_not_copied(places: WorkspacePaths) -> None:
    folder = places.root.parent / "recipes"
    folder.mkdir()
    (folder / "broken.yaml").write_text("name: broken\n")
    with pytest.raises(VqaError, match=r"broken.yaml:1: prompt"):
        config_copies.copy_recipe(places, "broken", "new")
    with pytest.raises(VqaError, match="did you mean caption"):
        config_copies.copy_recipe(places, "captoin", "new")
    assert [path.name for path in folder.iterdir()] == ["broken.yaml"]


def test_a_name_on_another_line_is_said(places: WorkspacePaths) -> None:
    folder = places.root.parent / "recipes"
    folder.mkdir()
    text = "name:\n  folded\nprompt: {user: hello}\nreply: {kind: text, question: q}\n"
    (folder / "folded.yaml").write_text(text)
    with pytest.raises(VqaError, match=r"folded.yaml:1: the name does not stand on the line"):
        config_copies.copy_recipe(places, "folded", "new")
    assert not (folder / "new.yaml").exists()


def test_a_folder_that_cannot_be_written_is_said(places: WorkspacePaths) -> None:
    (places.root.parent / "recipes").write_text("a file, not a folder")
    with pytest.raises(VqaError, match=r"recipes/new.yaml cannot be written"):
        config_copies.copy_recipe(places, "caption", "new")


def test_entries_tell_problems_hosts_prices_and_keys_without_their_values(places: WorkspacePaths) -> None:
    folder = places.root.parent / "endpoints"
    folder.mkdir()
    (folder / "own.yaml").write_text(ENDPOINT)
    (folder / "broken.yaml").write_text("name: broken\nmodel: [1]\n")
    environ = {"OWN_KEY": "sk-planted", "OTHER_KEY": "  "}
    entries = {entry.name: entry for entry in config_entries.endpoint_entries(places, environ=environ)}
    own = entries["own"]
    assert (own.host, own.shipped) == ("user.example", False)
    assert own.missing is not None and list(own.missing) == ["other"]
    assert "OTHER_KEY is set but empty" in own.missing["other"]
    assert "sk-planted" not in repr(entries)
    assert entries["embedded"].missing == {} and entries["embedded"].host == ""
    assert entries["broken"].endpoint is None and "broken.yaml:2" in entries["broken"].problem
    assert entries["openai"].missing is not None and "main" in entries["openai"].missing


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(VqaError, match="cannot be read"):
        config_entries.file_text(tmp_path / "none.yaml")
    (tmp_path / "raw.yaml").write_bytes(b"\xff\x1b[31m")
    assert config_entries.file_text(tmp_path / "raw.yaml") == "\ufffd\x1b[31m"
