"""`vqa-tui recipe …`: which recipes there are, and what is in one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import Column, print_table, say

if TYPE_CHECKING:
    from vqa_tui.config.recipe import Recipe
    from vqa_tui.operations.catalog import RecipeEntry
    from vqa_tui.operations.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Recipes: what is asked, and how replies are read.", rich_markup_mode=None)


@app.command("list")
def list_recipes(json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the recipes that can be named: those beside the workspace, and the shipped ones."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations import catalog

    async def work(opened: "Workspace") -> "list[RecipeEntry]":
        return catalog.recipes(opened)

    entries = in_workspace(workspace, work)
    if json:
        print_json(entries)
        return
    columns = [Column("name"), Column("description"), Column("file")]
    print_table(
        columns,
        ((each.name, each.problem or each.description, str(each.path)) for each in entries),
        empty="No recipes were found.",
    )


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a recipe, or path of its YAML file.")],
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show one recipe: its file as it stands, or with --json every value, defaults included."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations import catalog

    async def work(opened: "Workspace") -> "tuple[Recipe, list[RecipeEntry]]":
        return catalog.recipe(opened, name), catalog.recipes(opened)

    recipe, entries = in_workspace(workspace, work)
    if json:
        print_json(recipe)
    else:
        path = next((entry.path for entry in entries if entry.name == name), Path(name).expanduser())
        say(f"# {path}")
        say(path.read_text("utf-8").rstrip())
