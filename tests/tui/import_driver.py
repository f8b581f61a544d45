"""Drives the import dialog of a test: draws folders of pictures, opens the dialog, and reads what it says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.workshop import Workshop
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.import_dataset import ImportDialog
from vqa_tui.tui.widgets.path_field import PathField, PathInput

Wait = Callable[..., Any]
NOTHING = object()


def draw(folder: Path, number: int, *, broken: int = 0) -> Path:
    folder.mkdir(parents=True)
    for each in range(number):
        Image.new("RGB", (40, 30), (each % 256, each // 256, 90)).save(folder / f"{each:05}.png")
    for each in range(broken):
        (folder / f"broken{each:03}.png").write_bytes(b"no picture")
    return folder


class Opened:
    """The dialog over the app, and what it answered."""

    def __init__(self, app: VqaApp, pilot: Pilot[None], until: Wait) -> None:
        self.app, self.pilot, self.until = app, pilot, until
        self.answer: object = NOTHING

    async def open(self, workshop: Workshop) -> "Opened":
        dialog = ImportDialog(workshop.services)
        self.app.push_screen(dialog, self._answered)
        await self.until(self.pilot, lambda: self.app.screen is dialog and isinstance(self.app.focused, PathInput))
        return self

    def _answered(self, answer: str | None) -> None:
        self.answer = answer

    @property
    def dialog(self) -> ImportDialog:
        dialog = next(screen for screen in self.app.screen_stack if isinstance(screen, ImportDialog))
        return dialog

    @property
    def path(self) -> PathField:
        return self.dialog.query_one("#path", PathField)

    @property
    def said(self) -> str:
        return str(self.dialog.query_one("#import-state", Static).render())

    @property
    def problem(self) -> str:
        shown = self.dialog.query_one("#problem", Static)
        return str(shown.render()) if shown.display else ""

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def over(self) -> None:
        await self.until(self.pilot, lambda: "closes" in str(self.dialog.query_one("#import").border_subtitle))
