"""Prompts rendered for pictures of a real dataset, one picture after the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.preview import preview_prompt
from vqa_tui.operations.workspace import Workspace, open_workspace

RECIPE = """\
name: mine
prompt:
  system: "You look at {{ key }}."
  user: "It is {{ width }} wide. Naïve question."
text_first: false
reply: {kind: text, question: "What?"}
"""


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    pictures = tmp_path / "scans"
    pictures.mkdir()
    for number in range(3):
        Image.new("RGB", (64 + number, 48)).save(pictures / f"{number}.png")
    (tmp_path / "mine.yaml").write_text(RECIPE)
    async with open_workspace(tmp_path) as opened:
        await import_dataset(opened, "folder", pictures, name="scans")
        yield opened


async def test_a_prompt_is_rendered_as_it_would_be_sent(workspace: Workspace, tmp_path: Path) -> None:
    made = await preview_prompt(workspace, "scans", str(tmp_path / "mine.yaml"), "1.png")
    assert (made.system, made.user) == ("You look at 1.png.", "It is 65 wide. Naïve question.")
    assert (made.recipe, made.item, made.width, made.height, made.text_first) == ("mine", "1.png", 65, 48, False)
    assert made.picture == str(tmp_path / "scans" / "1.png") and made.prompt_tokens > 0


async def test_pictures_follow_each_other_in_a_ring(workspace: Workspace) -> None:
    seen = []
    item = None
    for step in (0, 1, 1, 1, -1, -1):
        item = (await preview_prompt(workspace, "scans", "caption", item, step=step)).item
        seen.append(item)
    assert seen == ["0.png", "1.png", "2.png", "0.png", "2.png", "1.png"]


@pytest.mark.parametrize(
    ("dataset", "recipe", "item", "words"),
    [
        ("scanz", "caption", None, "Did you mean scans"),
        ("scans", "captoin", None, "did you mean caption"),
        ("scans", "caption", "nope.png", "no picture 'nope.png'"),
    ],
)
async def test_what_is_not_there_is_said(
    workspace: Workspace, dataset: str, recipe: str, item: str | None, words: str
) -> None:
    with pytest.raises(VqaError) as caught:
        await preview_prompt(workspace, dataset, recipe, item)
    assert words in str(caught.value)


async def test_the_recipe_of_a_run_counts_where_no_file_has_its_name(workspace: Workspace, tmp_path: Path) -> None:
    run_id = await create_run(workspace, RunRequest("scans", str(tmp_path / "mine.yaml"), "embedded"))
    with pytest.raises(VqaError):
        await preview_prompt(workspace, "scans", "mine")
    assert (await preview_prompt(workspace, "scans", "mine", like=run_id)).user.startswith("It is 64 wide")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "mine.yaml").write_text(RECIPE.replace("It is", "Now it is"))
    assert (await preview_prompt(workspace, "scans", "mine", like=run_id)).user.startswith("Now it is 64 wide")
