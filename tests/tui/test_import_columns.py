"""The columns of a table in the import dialog: asked for where the kind takes them."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from textual.widgets import Input, Select

from tests.tui.import_driver import NOTHING, Opened
from tests.tui.workshop import Workshop
from vqa_tui.operations.datasets import list_datasets
from vqa_tui.tui.app import VqaApp

Wait = Callable[..., Any]


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_table_is_imported_by_the_columns_that_are_typed(
    workshop: Workshop, until: Wait, size: tuple[int, int]
) -> None:
    folder = workshop.folder / "table"
    folder.mkdir()
    Image.new("RGB", (40, 30), "teal").save(folder / "a.png")
    (folder / "set.csv").write_text("wo ist es,frage,antwort\na.png,What is it?,A cat\n")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        row = opened.dialog.query_one("#columns-row")
        assert not row.display, "a folder has no columns"
        opened.dialog.query_one("#kind", Select).value = "csv"
        await until(pilot, lambda: row.display)
        opened.path.line.value = str(folder / "set.csv")
        columns = opened.dialog.query_one("#columns", Input)
        columns.value = "picture='wo ist es' question=fragen answer=antwort"
        await opened.press("ctrl+s")
        await until(pilot, lambda: "has no column `fragen`" in opened.problem)
        columns.value = "picture='wo ist es' question=frage answer=antwort"
        await opened.press("ctrl+s")
        await opened.over()
        assert "1 added" in opened.said
        await opened.press("enter")
        await until(pilot, lambda: opened.answer is not NOTHING)
    (view,) = await list_datasets(workshop.workspace)
    assert (view.kind, view.items) == ("csv", 1)
