"""What a recipe would ask about one picture: its prompt, rendered, before any request is paid."""

import asyncio
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vqa_tui.config.load import load_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate, RenderedPrompt
from vqa_tui.domain.clip import address
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Item
from vqa_tui.domain.part import ONLY, Part, with_part
from vqa_tui.engine.estimate import bytes_of, prompt_tokens
from vqa_tui.operations.run_parts import earlier_recipe
from vqa_tui.operations.workspace import Workspace
from vqa_tui.store.datasets import DatasetRow, dataset_named, dataset_names
from vqa_tui.store.item_walk import item_after, item_before, item_named


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """One prompt as it would be sent. All texts are hostile."""

    dataset: str
    recipe: str
    item: str
    """The key of the picture."""
    picture: str
    """Absolute path; of a clip with its seconds behind it (domain.clip.address)."""
    width: int
    height: int
    system: str
    user: str
    text_first: bool
    """Whether the text of the user stands before the picture."""
    with_picture: bool
    """Whether the picture is sent at all."""
    prompt_tokens: int
    """Estimated; without the picture."""
    part: Part = ONLY
    """Which of the requests about the picture it is."""
    pictures: int = 1
    """How many the request shows; `picture` and its size are of the first."""

    @property
    def name(self) -> str:
        return with_part(self.item, self.part)


async def preview_prompt(
    workspace: Workspace,
    dataset: str,
    recipe: str,
    item: str | None = None,
    *,
    step: Literal[-1, 0, 1] = 0,
    like: int | None = None,
    part: int = 1,
) -> PromptPreview:
    """Return the prompt of `recipe` for the picture with the key `item`, or for the first one.

    `part` counts from 1 the requests about a picture that is several.

    `step` takes what comes after it (1) or before it (-1) instead: another request about the picture, or another
    picture; the last one and the first are neighbours. `like` is a run whose own recipe counts where no file has that
    name any more. Raises VqaError when the dataset, the recipe, the picture or the request is not there, or the prompt
    cannot be rendered.
    """
    row = await _dataset(workspace, dataset)
    earlier = None if like is None else await earlier_recipe(workspace, like, recipe)

    def compiled() -> tuple[Recipe, PromptTemplate]:
        found = earlier or load_recipe(recipe, folders=workspace.recipe_folders)
        return found, PromptTemplate(found)

    shown, template = await asyncio.to_thread(compiled)
    here = await item_named(workspace.db, row.id, item) if step and item is not None else None
    if here is not None and 1 <= part + step <= len(template.parts_of(here)):
        part, step = part + step, 0
    chosen = await _picture(workspace, row, item, step, shown.parts)
    parts = template.parts_of(chosen)
    if step:
        part = 1 if step > 0 else len(parts)
    which = _part(chosen, parts, part, shown)

    def render() -> RenderedPrompt:
        template.reply_texts(chosen, which)
        return template.render(chosen, which)

    prompt = await asyncio.to_thread(render)
    return PromptPreview(
        dataset=row.name,
        recipe=shown.name,
        item=chosen.key,
        picture=address(str(Path(row.root) / chosen.path), chosen.truth.clip),
        width=chosen.facts.width,
        height=chosen.facts.height,
        system=prompt.system,
        user=prompt.user,
        text_first=shown.text_first,
        with_picture=shown.modality == "image",
        prompt_tokens=prompt_tokens(bytes_of(prompt)),
        part=which,
        pictures=len(chosen.pictures),
    )


async def _dataset(workspace: Workspace, name: str) -> DatasetRow:
    row = await dataset_named(workspace.db, name)
    if row is None:
        close = difflib.get_close_matches(name, await dataset_names(workspace.db), 1)
        hint = f"Did you mean {close[0]}?" if close else "`vqa-tui dataset list` shows the datasets."
        raise VqaError(f"there is no dataset named {name}", hint=hint)
    return row


def _part(item: Item, parts: Sequence[Part], number: int, recipe: Recipe) -> Part:
    if not parts:
        raise VqaError(
            f"the picture {item.key} has no question-answer pair of its own, and the recipe {recipe.name} makes one "
            "request for each",
            hint="A run leaves such pictures out. Look at another one.",
        )
    if not 1 <= number <= len(parts):
        there = "is one request" if len(parts) == 1 else f"are {len(parts)} requests"
        raise VqaError(f"there is no request {number} about the picture {item.key}: there {there} about it")
    return parts[number - 1]


async def _picture(workspace: Workspace, dataset: DatasetRow, key: str | None, step: int, parts: int) -> Item:
    if key is None:
        found = await item_after(workspace.db, dataset.id, "", parts=parts)
        found = found or await item_after(workspace.db, dataset.id, "")
    elif step:
        found = await (item_after if step > 0 else item_before)(workspace.db, dataset.id, key, parts=parts)
    else:
        found = await item_named(workspace.db, dataset.id, key)
    if found is not None:
        return found
    if not dataset.items:
        raise VqaError(
            f"the dataset {dataset.name} holds no usable picture",
            hint=f"`vqa-tui dataset show {dataset.name}` lists what was wrong with each.",
        )
    raise VqaError(
        f"the dataset {dataset.name} has no picture {key!r}",
        hint="Its key is its path below the folder of the dataset; without --item the first picture is taken.",
    )
