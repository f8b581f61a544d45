"""The columns of a table in the import dialog: asked for where the kind takes them."""

import io
from collections.abc import Callable
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image
from textual.widgets import Button, Input, Select

from tests.hub_stand_in import Repo, hub_stand_in
from tests.tui.import_driver import NOTHING, Opened
from tests.tui.test_hostile_text import HOSTILE, check, visits
from tests.tui.workshop import Workshop
from vqa_tui.operations.datasets import list_datasets
from vqa_tui.operations.table_columns import TableColumns
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.choose_columns import ColumnsDialog

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


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_columns_are_chosen_from_those_of_the_table(
    workshop: Workshop, until: Wait, size: tuple[int, int]
) -> None:
    folder = workshop.folder / "table"
    folder.mkdir()
    Image.new("RGB", (40, 30), "teal").save(folder / "a.png")
    (folder / "set.csv").write_text("[b]foto,was ist,answer\na.png,What is it?,A cat\n")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        opened = await Opened(app, pilot, until).open(workshop)
        opened.dialog.query_one("#kind", Select).value = "csv"
        await opened.press("ctrl+o")
        await until(pilot, lambda: "the columns are those of a path" in opened.problem)
        opened.path.line.value = str(folder / "set.csv")
        await opened.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ColumnsDialog))
        form = app.screen
        assert [option for _, option in form.query_one("#part-question", Select)._options][1:] == [
            "[b]foto",
            "was ist",
            "answer",
        ]
        form.query_one("#part-answer", Select).value = "answer"
        await until(pilot, lambda: form.query_one("#take", Button).disabled)
        await opened.press("ctrl+s")
        assert app.screen is form, "half a question is not taken"
        form.query_one("#part-question", Select).value = "was ist"
        await until(pilot, lambda: not form.query_one("#take", Button).disabled)
        await opened.press("ctrl+s")
        await until(pilot, lambda: app.screen is opened.dialog)
        taken = opened.dialog.query_one("#columns", Input).value
        assert taken == "'picture=[b]foto' 'question=was ist' answer=answer"
        await opened.press("ctrl+s")
        await opened.over()
        assert "1 added" in opened.said


async def test_columns_of_a_dataset_at_the_hub_are_chosen_and_it_is_imported(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(picture, "PNG")
    row = {"foto": {"bytes": picture.getvalue(), "path": None}, "label": "cat"}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), stream)
    app = VqaApp(workshop.services)
    with hub_stand_in() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.repos["some/pets"] = Repo({"train.parquet": stream.getvalue()})
        async with app.run_test(size=(80, 24)) as pilot:
            opened = await Opened(app, pilot, until).open(workshop)
            opened.dialog.query_one("#kind", Select).value = "hf"
            opened.path.line.value = "some/pets"
            await opened.press("ctrl+o")
            await until(pilot, lambda: isinstance(app.screen, ColumnsDialog))
            app.screen.query_one("#part-categories", Select).value = "label"
            await opened.press("ctrl+s")
            await until(pilot, lambda: app.screen is opened.dialog)
            await opened.press("ctrl+s")
            await opened.over()
            assert "imported into pets" in opened.said and "1 added" in opened.said
    (view,) = await list_datasets(workshop.workspace)
    assert (view.kind, view.source) == ("hf", "hf://some/pets")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@visits(ColumnsDialog)
async def test_hostile_names_of_columns(
    workshop: Workshop, until: Wait, screen_text: Callable[[Any], str], size: tuple[int, int]
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        app.push_screen(ColumnsDialog(TableColumns((HOSTILE, "\x1b[2J", ""), {"picture": HOSTILE}), {}))
        await until(pilot, lambda: isinstance(app.screen, ColumnsDialog) and "[/nope]" in screen_text(app))
        check(app, screen_text)
        app.screen.query_one("#part-question", Select).expanded = True
        await pilot.pause()
        check(app, screen_text)
