"""A new recipe: commented, valid, and never over another one."""

from pathlib import Path

import pytest

from vqa_tui.config.load import load_recipe
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth, Item, PictureFacts
from vqa_tui.domain.prompt import PROMPT_VALUE_NAMES
from vqa_tui.operations.catalog import Places
from vqa_tui.operations.new_recipe import new_recipe
from vqa_tui.paths import find_workspace


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return find_workspace(tmp_path / ".vqa")


def test_it_works_as_written_and_names_every_value(places: Places) -> None:
    path = new_recipe(places, "mine")
    text = path.read_text("utf-8")
    assert path.name == "mine.yaml" and path.parent == places.recipe_folders[0]
    assert all(f" {value}" in text for value in PROMPT_VALUE_NAMES) and max(map(len, text.splitlines())) <= 120
    recipe = load_recipe("mine", folders=places.recipe_folders)
    facts = PictureFacts("PNG", 9, 9, 1, "0" * 64, 1, 0)
    prompt = PromptTemplate(recipe).render(Item(1, 1, "a", "a.png", facts, None, GroundTruth()))
    assert "Write exactly 3 question-answer pairs." in prompt.user


@pytest.mark.parametrize(("name", "why"), [("stcray", "there is a recipe named stcray already"), ("A b", "cannot be")])
def test_a_name_that_cannot_be(places: Places, name: str, why: str) -> None:
    with pytest.raises(VqaError, match=why):
        new_recipe(places, name)
    assert not places.recipe_folders[0].exists()
