"""Clips on the screens: the frame in the middle of each, in the browser, the inspector and the review; their import."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Label, Select, Static

from tests.ego4d import kitchen, uid
from tests.tui.conftest import screen_text
from tests.tui.import_driver import Opened
from tests.tui.test_datasets_screen import opened, unwrapped
from tests.tui.test_review_screen import opened as review_opened
from tests.tui.workshop import DONE, Workshop
from tests.videos import FPS, draw_video, number_of
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.datasets import dataset_detail, import_dataset
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.open_file import open_externally
from vqa_tui.tui.screens.dataset_items import DatasetItemsScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.thumbnails import decode_thumbnail
from vqa_tui.tui.widgets.clip_fields import ClipFields
from vqa_tui.tui.widgets.inspector import Inspector
from vqa_tui.tui.widgets.picture import Picture

pytest.importorskip("av", reason="the extra `video` is not installed")
Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]
MIDDLES = [round(middle * FPS) for middle in (3.5, 8.5, 4.5)]
"""Numbers of the frames in the middle of the three clips of the kitchen."""


async def clips(workshop: Workshop) -> str:
    await import_dataset(workshop.workspace, "ego4d-nlq", kitchen(workshop.folder / "k"), name="kitchen")
    return "kitchen"


def shown(app: VqaApp) -> int | None:
    """Return the number of the frame that is shown."""
    image = app.screen.query_one(Picture).image
    return None if image is None else number_of(image)


def near(number: int | None, wanted: int) -> bool:
    return number in (wanted, wanted - 1)


@pytest.mark.parametrize("size", SIZES)
async def test_the_browser_shows_the_middle_of_each_clip(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await clips(workshop)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot, until, "kitchen")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetItemsScreen) and near(shown(app), MIDDLES[0]))
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        text = app.screen.query_one("#pictures-text", Static)
        await until(pilot, lambda: "clip 2 to 5 s" in unwrapped(text) and "160×120 VIDEO" in unwrapped(text))
        await pilot.press("j")
        await until(pilot, lambda: near(shown(app), MIDDLES[1]))
        await until(pilot, lambda: "query Who came?" in unwrapped(text))
        await pilot.press("j")
        await until(pilot, lambda: near(shown(app), MIDDLES[2]))


@pytest.mark.parametrize("size", SIZES)
async def test_the_inspector_and_the_review_show_it_and_o_opens_the_video(
    workshop: Workshop, until: Wait, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await clips(workshop)
    run_id = await workshop.run([DONE] * 3, dataset="kitchen", recipe="ego4d-nlq")
    seen: list[str] = []
    monkeypatch.setattr("vqa_tui.tui.services.open_externally", seen.append)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.watch_over.last_run)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and app.screen.tasks.current is not None)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query(Inspector) and near(shown(app), MIDDLES[0]))
        await pilot.press("o")
        await until(pilot, lambda: seen)
        assert seen[0].endswith(f"{uid(1)}.mp4#t=2,5")
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        await review_opened(app, pilot, until)
        await until(pilot, lambda: any(near(shown(app), middle) for middle in MIDDLES))


def test_the_viewer_gets_the_path_of_the_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = tmp_path / "xdg-open"
    viewer.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/seen\n')
    viewer.chmod(0o755)
    monkeypatch.setattr("vqa_tui.tui.open_file.viewer", lambda: str(viewer))
    open_externally("/videos/a.mp4#t=2,5")
    assert (tmp_path / "seen").read_text() == "/videos/a.mp4"


def test_a_thumbnail_of_a_whole_file_and_of_what_is_none(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "v.mp4", seconds=4)
    assert near(number_of(decode_thumbnail(video)), 2 * FPS)
    assert max(decode_thumbnail(video, 80).size) == 80
    (tmp_path / "w.mp4").write_bytes(b"no video")
    with pytest.raises(VqaError, match="cannot be shown: it is no video"):
        decode_thumbnail(tmp_path / "w.mp4")
    with pytest.raises(VqaError, match="is not there any more"):
        decode_thumbnail(Path(f"{tmp_path}/gone.mp4#t=1,2"))


@pytest.mark.parametrize("size", SIZES)
async def test_the_dialog_imports_clips_and_can_keep_them(
    workshop: Workshop, until: Wait, size: tuple[int, int]
) -> None:
    folder, kept = kitchen(workshop.folder / "k"), workshop.folder / "kept"
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs)
        dialog = await Opened(app, pilot, until).open(workshop)
        fields = dialog.dialog.query_one(ClipFields)
        assert not fields.display
        dialog.dialog.query_one("#kind", Select).value = "ego4d-nlq"
        await until(pilot, lambda: fields.display)
        await until(pilot, lambda: all(word in screen_text(app) for word in ("Videos at", "Upload to", "Name")))
        assert "Seconds" not in screen_text(app)
        assert "Videos in" in str(dialog.dialog.query_one("#images-label", Label).render())
        dialog.path.set_path(str(folder))
        dialog.dialog.query_one("#clips", Input).value = str(kept)
        await dialog.press("ctrl+s")
        await until(pilot, lambda: "3 added" in dialog.said or "3 pictures" in dialog.said)
    detail = await dataset_detail(workshop.workspace, "k")
    assert detail.view.root == str(kept) and detail.view.items == 3
    assert len(list(kept.rglob("*.mp4"))) == 3


async def test_the_dialog_cuts_a_folder_of_videos(workshop: Workshop, until: Wait) -> None:
    draw_video(workshop.folder / "v/a.mp4", seconds=4)
    app = VqaApp(workshop.services)
    async with app.run_test(size=SIZES[0]) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs)
        dialog = await Opened(app, pilot, until).open(workshop)
        dialog.dialog.query_one("#kind", Select).value = "video"
        await until(pilot, lambda: "Seconds" in screen_text(app))
        dialog.path.set_path(str(workshop.folder / "v"))
        dialog.dialog.query_one("#seconds", Input).value = "half"
        await dialog.press("ctrl+s")
        await until(pilot, lambda: "half is no length of a clip" in screen_text(app))
        dialog.dialog.query_one("#seconds", Input).value = "2"
        await dialog.press("ctrl+s")
        await until(pilot, lambda: "2 added" in dialog.said or "2 pictures" in dialog.said)
    assert (await dataset_detail(workshop.workspace, "v")).view.items == 2
