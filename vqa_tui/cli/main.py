"""The command line `vqa-tui`: all commands under one root; without a command it opens the terminal app."""

from typing import Annotated

import typer

from vqa_tui import __version__
from vqa_tui.cli import dataset, endpoint, item, recipe, review, run, settings, train
from vqa_tui.cli.api import api
from vqa_tui.cli.demo import demo
from vqa_tui.cli.doctor import doctor
from vqa_tui.cli.engine import engine
from vqa_tui.cli.errors import CommandGroup
from vqa_tui.cli.export import export, validate
from vqa_tui.cli.options import WorkspaceOption
from vqa_tui.cli.plan import plan
from vqa_tui.cli.simulate import simulate
from vqa_tui.cli.trainer import evaluator, server, trainer
from vqa_tui.cli.upload import upload
from vqa_tui.cli.web import web
from vqa_tui.domain.failure import VqaError

app = typer.Typer(cls=CommandGroup, rich_markup_mode=None, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vqa-tui {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    workspace: WorkspaceOption = None,
    readonly: Annotated[
        bool, typer.Option("--readonly", help="Open the terminal app only to look: nothing can be changed with it.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """One terminal from a folder of pictures to a fine-tuned vision-language model.

    Without a command this opens the terminal app. The commands do the same things for scripts.
    """
    if context.invoked_subcommand is None:
        from vqa_tui.cli.ui import open_ui

        open_ui(workspace, read_only=readonly)
    elif readonly:
        raise VqaError(
            "--readonly is for the terminal app, which a command does not open",
            hint="Leave it out; for a page in the browser it stands after the command: `vqa-tui web --readonly`.",
        )


app.command("demo")(demo)
app.add_typer(dataset.app, name="dataset")
app.add_typer(recipe.app, name="recipe")
app.add_typer(endpoint.app, name="endpoint")
app.command("plan")(plan)
app.add_typer(run.app, name="run")
app.add_typer(item.app, name="item")
app.add_typer(review.app, name="review")
app.command("export")(export)
app.command("validate")(validate)
app.command("upload")(upload)
app.command("simulate")(simulate)
app.command("web")(web)
app.add_typer(train.app, name="train")
app.command("api")(api)
app.add_typer(settings.app, name="settings")
app.command("doctor")(doctor)
app.command("engine", hidden=True)(engine)
app.command("trainer", hidden=True)(trainer)
app.command("evaluator", hidden=True)(evaluator)
app.command("server", hidden=True)(server)
