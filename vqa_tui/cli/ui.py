"""Opening the terminal app; the only module of the command line that knows Textual."""

import asyncio
import gc
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vqa_tui.domain.failure import VqaError
from vqa_tui.paths import WORKSPACE_FOLDER, WorkspacePaths, find_workspace

if TYPE_CHECKING:
    from vqa_tui.operations.workspace import Workspace


_DRIVER, _BROWSER = "TEXTUAL_DRIVER", "textual.drivers.web_driver:WebDriver"
"""How textual-serve tells an app that it is shown in a browser."""
_FRAMES_PER_S = "120"
"""Textual draws in slots of this length, 60 if not told, and misses up to two after one that took long."""

_FIRST_SCREEN_S = 1.0
"""Seconds after which the first screen has been drawn, give or take."""


def in_browser() -> bool:
    """Return whether a browser shows the app, and not a terminal."""
    return os.environ.get(_DRIVER) == _BROWSER


def require_terminal() -> None:
    """Raise VqaError when standard input or output is not a terminal, nor a browser at the other end."""
    if in_browser():
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise VqaError("the terminal app needs a terminal", hint="`vqa-tui --help` lists what can be done without one.")


def open_ui(explicit: Path | None, *, read_only: bool = False) -> None:
    """Show the terminal app on a workspace until the person leaves it; with `read_only` it can change nothing.

    Raises typer.Exit with a code that is not 0 when the app ended by an error.
    """
    from vqa_tui.cli.options import in_workspace

    require_terminal()
    in_workspace(explicit, partial(show_ui, read_only=read_only), create=not read_only, read_only=read_only)


async def show_ui(workspace: "Workspace", open_run: int | None = None, *, read_only: bool = False) -> None:
    """Show the terminal app in an open workspace, on the run `open_run` if given, until the person leaves it."""
    os.environ.setdefault("TEXTUAL_FPS", _FRAMES_PER_S)  # read once, when Textual is imported
    from vqa_tui.cli.options import command_line
    from vqa_tui.operations.workspace import patient_connection
    from vqa_tui.tui.app import VqaApp
    from vqa_tui.tui.picture_mode import choose_mode, make_ready
    from vqa_tui.tui.preferences import Preferences
    from vqa_tui.tui.services import Services

    preferences = Preferences.load(read_only=read_only, in_browser=in_browser())
    # Before the app runs: a library asks the terminal.
    make_ready(choose_mode(preferences.settings.pictures, os.environ))
    _collect_less_often()
    explicit = _unfound(workspace.paths)
    async with patient_connection(workspace, read_only=read_only) as writing:
        services = Services(
            workspace,
            writing,
            command=lambda words: command_line(words, explicit),
            preferences=preferences,
            read_only=read_only,
        )
        app = VqaApp(services, open_run=open_run)
        importing = asyncio.create_task(_import_the_rest())
        await app.run_async()
        importing.cancel()
    if app.return_code:
        raise typer.Exit(app.return_code)


def themes() -> list[str]:
    """Return the names of the themes that the app has."""
    from textual.theme import BUILTIN_THEMES

    return list(BUILTIN_THEMES)


def keys_by_id() -> list[dict[str, str]]:
    """Return every key of the app: its `id`, the `keys` in force, the `usual` ones, and what it `does`.

    Raises VqaError when the person's own files cannot be read.
    """
    from vqa_tui.tui.keymap import key_ids
    from vqa_tui.tui.preferences import Preferences

    own = Preferences.load().keys
    return [
        {"id": each.id, "keys": own.get(each.id, each.keys), "usual": each.keys, "does": each.tooltip}
        for each in key_ids().values()
    ]


async def _import_the_rest() -> None:
    """Import the screens of the other modes once the first one is drawn, and leave them out of collections too."""
    from vqa_tui.tui.screen_classes import import_modes

    await asyncio.sleep(_FIRST_SCREEN_S)
    await asyncio.to_thread(import_modes)
    gc.freeze()


def _collect_less_often() -> None:
    """Leave what the imports made out of every garbage collection, and look for cycles among the rest less often.

    A full collection goes through every object of the libraries, for which each key waits; a screen that is drawn makes
    many short-lived objects and hardly a cycle. The thresholds are low enough for the first two generations to be gone
    through within milliseconds.
    """
    gc.freeze()
    gc.set_threshold(5_000, 5, 20)


def _unfound(paths: WorkspacePaths) -> Path | None:
    """Return the folder to name in commands, or None where the workspace is found from the current folder."""
    if find_workspace().root == paths.root:
        return None
    return paths.root.parent if paths.root.name == WORKSPACE_FOLDER else paths.root
