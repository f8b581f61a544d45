"""`vqa-tui recipe …`: which recipes there are, and what is in one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.config_list import print_configs
from vqa_tui.cli.options import JsonOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import note, print_facts, say

if TYPE_CHECKING:
    from vqa_tui.operations.preview import PromptPreview
    from vqa_tui.operations.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Recipes: what is asked, and how replies are read.", rich_markup_mode=None)


@app.command("list")
def list_recipes(json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the recipes that can be named: those beside the workspace, and the shipped ones."""
    from vqa_tui.operations import catalog
    from vqa_tui.paths import find_workspace

    print_configs(catalog.recipes(find_workspace(workspace)), json=json, empty="No recipes were found.")


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a recipe, or path of its YAML file.")],
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show one recipe: its file as it stands, or with --json every value, defaults included."""
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations import catalog
    from vqa_tui.paths import find_workspace

    places = find_workspace(workspace)
    recipe = catalog.recipe(places, name)
    if json:
        print_json(recipe)
    else:
        named = (entry.path for entry in catalog.recipes(places) if entry.name == name)
        path = next(named, Path(name).expanduser())
        say(f"# {path}")
        say(path.read_text("utf-8").rstrip())


@app.command()
def preview(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a recipe, or path of its YAML file.")],
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Name of an imported dataset.")],
    item: Annotated[
        str | None, typer.Option("--item", metavar="KEY", help="Key of a picture; default: the first one.")
    ] = None,
    part: Annotated[
        int, typer.Option("--part", metavar="N", help="Which of several requests about the picture, from 1.")
    ] = 1,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show the prompt of RECIPE for one picture of DATASET as it would be sent. Nothing is asked.

    The prompt stands on stdout; facts about it on stderr.
    """
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.operations.preview import preview_prompt

    async def work(opened: "Workspace") -> "PromptPreview":
        return await preview_prompt(opened, dataset, recipe, item, part=part)

    made = in_workspace(workspace, work)
    if json:
        print_json(made)
        return
    print_facts(
        [
            ("picture", made.name),
            ("file", made.picture),
            ("pixels", f"{made.width} × {made.height}"),
            ("tokens", f"about {made.prompt_tokens}, without the picture"),
            ("order", _order(made)),
        ],
        out=note,
    )
    if made.system:
        say("--- system ---")
        say(made.system)
        say("--- user ---")
    say(made.user)


@app.command("new")
def new_recipe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the recipe is called.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Write a commented recipe into `recipes/` beside the workspace, to make your own from it."""
    from vqa_tui.operations.new_recipe import new_recipe as written
    from vqa_tui.paths import find_workspace

    say(f"Written to {written(find_workspace(workspace), name)}")


def _order(made: "PromptPreview") -> str:
    if not made.with_picture:
        return "the text alone: no picture is sent"
    return "the text before the picture" if made.text_first else "the picture before the text"


@app.command()
def copy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a recipe, or path of its YAML file.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What the copy is called.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Copy a recipe into `recipes/` beside the workspace under a new name, to start your own from it."""
    from vqa_tui.operations.config_copies import copy_recipe
    from vqa_tui.paths import find_workspace

    say(f"Copied to {copy_recipe(find_workspace(workspace), name, new)}")
