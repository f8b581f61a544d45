"""The recipes, opened from the palette: what each asks, and copying one to start one's own."""

from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from vqa_tui.operations.config_entries import RecipeEntry
from vqa_tui.tui.present.configs import RECIPE_COLUMNS, recipe_detail, recipe_row
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.screens.configs import ConfigsScreen


class RecipesScreen(ConfigsScreen[RecipeEntry]):
    """All recipes by name, one's own and the shipped ones."""

    WORD = "recipe"
    COLUMNS = RECIPE_COLUMNS
    WRITES = frozenset({"copy_entry", "edit"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy_entry", "copy", id="recipes.copy", tooltip="Copy the recipe to start your own from it"),
    ]

    async def read_entries(self) -> list[RecipeEntry]:
        return await self.services.library.recipes()

    def row_of(self, entry: RecipeEntry) -> Row:
        return recipe_row(entry)

    def detail_of(self, entry: RecipeEntry, file: str, width: int) -> Content:
        return recipe_detail(entry, file, width)

    async def copy(self, name: str, new: str) -> Path:
        return await self.services.library.copy_recipe(name, new)
