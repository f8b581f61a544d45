"""What all commands share: the options --workspace and --json, and running a coroutine in an open workspace."""

import shlex
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.operations.workspace import Workspace

_CHOSEN = "vqa_tui.workspace"
T = TypeVar("T")


def given_path(text: str) -> Path:
    """Return the path that was typed. Raises VqaError for '', which a shell makes of a variable that is not set and
    which would name the current folder."""
    if not text:
        raise VqaError("a path is empty", hint="Is a variable in the command not set? Name the current folder as `.`.")
    return Path(text)


def _chosen_workspace(context: typer.Context, given: Path | None) -> Path | None:
    """Return the folder given here, else the one given before the command."""
    if given is not None:
        context.meta[_CHOSEN] = given
    chosen: Path | None = context.meta.get(_CHOSEN)
    return chosen


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        callback=_chosen_workspace,
        parser=given_path,
        help="Folder that holds `.vqa`; default: $VQA_WORKSPACE, else the nearest `.vqa` upward from here.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of words for people.")]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="M", help="Ask this model instead of the one that the endpoint's file names."),
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name or number of the run.", show_default=False)]


def in_workspace(
    explicit: Path | None,
    work: Callable[["Workspace"], Awaitable[T]],
    *,
    create: bool = False,
    read_only: bool = False,
) -> T:
    """Open the workspace, run `work` in it and return its result; with `read_only` nothing can be written to it.

    A workspace that is not there is made only with `create`: a mistyped --workspace must not leave folders behind.
    """
    import asyncio

    from vqa_tui.operations.workspace import open_workspace

    async def opened() -> T:
        async with open_workspace(explicit, create=create, read_only=read_only) as workspace:
            return await work(workspace)

    return asyncio.run(opened())


def each_once(typed: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what was typed as KEY=VALUE by its key. Raises VqaError where one came twice: either is a mistake."""
    wanted: dict[str, str] = {}
    for key, value in typed:
        if key in wanted:
            raise VqaError(f"{key} is set twice: to {wanted[key]} and to {value}", hint="Give it once.")
        wanted[key] = value
    return wanted


def command_line(words: str, explicit: Path | None) -> str:
    """Return a command that a person can type to act on the same workspace."""
    place = f"--workspace {shlex.quote(str(explicit))}" if explicit else ""
    return " ".join(part for part in (_program(), words, place) if part)


def _program() -> str:
    """Return how this program is called from the current folder; in a fresh clone `.venv/bin` is on nobody's path."""
    if shutil.which("vqa-tui"):
        return "vqa-tui"
    script = Path(sys.executable).with_name("vqa-tui")
    if not script.is_file():
        return f"{shlex.quote(sys.executable)} -m vqa_tui"
    here = Path.cwd()
    return shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))
