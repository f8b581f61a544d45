"""`vqa-tui recipe …`: which recipes there are, and what is in one."""

from pathlib import Path
from typing import Annotated

import typer

from vqa_tui.cli.config_list import print_configs
from vqa_tui.cli.options import JsonOption, WorkspaceOption
from vqa_tui.cli.output import say

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
