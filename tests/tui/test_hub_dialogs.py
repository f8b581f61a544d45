"""A download from the Hub with its import, and an upload to it, by keys: progress, stopping, trouble, and no token."""

import asyncio
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Select, Static

from tests.hub_stand_in import HubStandIn, Repo, hub_stand_in
from tests.tui.test_hostile_text import HOSTILE, check, visits
from tests.tui.workshop import DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.hub.upload import UploadFile
from vqa_tui.operations.datasets import list_datasets
from vqa_tui.operations.exports import export_run
from vqa_tui.operations.hub_download import DownloadProgress, DownloadReport
from vqa_tui.operations.hub_upload import UploadPlan, UploadReport
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.datasets import DatasetsScreen
from vqa_tui.tui.screens.dialogs import LeaveQuestion, Question
from vqa_tui.tui.screens.download import DownloadDialog
from vqa_tui.tui.screens.export import ExportDialog
from vqa_tui.tui.screens.import_dataset import ImportDialog
from vqa_tui.tui.screens.upload import UploadDialog
from vqa_tui.tui.widgets.path_field import PathField

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]
TOKEN = "hf_planted_token_1a2b3c4d5e6f"
RAD = "flaviagiammarino/vqa-rad"
PARQUET = "data/train-00000-of-00001.parquet"
MIB = 1 << 20
REPORT = DownloadReport("vqa-rad", RAD, "c" * 40, Path("rad"), "vqa-rad", ("a",), 5, 5, ())
PLAN = UploadPlan("me/scans", "cc0-1.0", (UploadFile("a.jsonl", Path("a.jsonl"), 5),), 0, "card", "words")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    """A Hub that the app asks, with a token that may do everything there."""
    for name in ("HF_HUB_OFFLINE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with hub_stand_in() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


def rad_file() -> bytes:
    picture, table = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (40, 30), "gray").save(picture, "PNG")
    row = {"image": {"bytes": picture.getvalue(), "path": None}, "question": "is this a test?", "answer": "yes"}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), table)
    return table.getvalue()


def said(dialog: Screen[Any], part: str) -> str:
    shown = dialog.query_one(part, Static)
    return " ".join(str(shown.render()).split()) if shown.display else ""


async def downloading(app: VqaApp, pilot: Pilot[None], until: Wait, folder: Path) -> DownloadDialog:
    """Open the dialog by its key from the datasets, and fill it in."""
    app.action_open("datasets")
    await until(pilot, lambda: isinstance(app.screen, DatasetsScreen) and app.screen._version is not None)
    await pilot.press("w")
    await until(pilot, lambda: isinstance(app.screen, DownloadDialog))
    dialog = app.screen
    assert isinstance(dialog, DownloadDialog)
    dialog.query_one("#dataset", Select).value = "vqa-rad"
    dialog.query_one("#folder", PathField).set_path(str(folder))
    return dialog


async def uploading(app: VqaApp, pilot: Pilot[None], until: Wait, export: Path | str = "") -> UploadDialog:
    """Open the dialog by its key from the export dialog of a run, and fill it in."""
    await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.last_run is not None)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(app.screen, ExportDialog))
    await pilot.press("ctrl+t")
    await until(pilot, lambda: isinstance(app.screen, UploadDialog))
    dialog = app.screen
    assert isinstance(dialog, UploadDialog)
    if export:
        dialog.query_one("#path", PathField).set_path(str(export))
    dialog.query_one("#repo", Input).value = "me/scans"
    dialog.query_one("#license", Input).value = "CC0-1.0"
    return dialog


@pytest.mark.parametrize("size", SIZES)
async def test_a_dataset_is_downloaded_and_then_imported(
    workshop: Workshop, hub: HubStandIn, until: Wait, screen_text: Text, tmp_path: Path, size: tuple[int, int]
) -> None:
    hub.repos[RAD] = Repo({PARQUET: rad_file()}, token=TOKEN)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        dialog = await downloading(app, pilot, until, tmp_path / "rad")
        token, button = "HF_TOKEN is set (its value is never shown)", "Download (ctrl+s)"
        await until(pilot, lambda: token in screen_text(app) and button in screen_text(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: f"vqa-rad: 1 file of {RAD}" in said(dialog, "#download-state"))
        assert "every hash is right" in said(dialog, "#download-state")
        assert TOKEN not in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ImportDialog))
        assert app.screen.query_one("#kind", Select).value == "vqa-rad"
        assert app.screen.query_one("#path", PathField).path == str(tmp_path / "rad")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "imported into rad" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen) and app.screen.table.cursor_id == "rad")
    assert [view.items for view in await list_datasets(workshop.workspace)] == [1]
    assert TOKEN.encode() not in workshop.workspace.paths.database.read_bytes()


async def test_a_download_is_stopped_after_a_question_and_goes_on_from_there(
    workshop: Workshop, hub: HubStandIn, until: Wait, screen_text: Text, tmp_path: Path
) -> None:
    content = random.Random(7).randbytes(25 * MIB)
    hub.repos[RAD] = Repo({PARQUET: content}, token=TOKEN)
    hub.stops_after = 12 * MIB
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        dialog = await downloading(app, pilot, until, tmp_path / "rad")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "10 MB of 26 MB" in said(dialog, "#download-state"))
        assert f"downloading {PARQUET}" in said(dialog, "#download-state")
        await pilot.press("ctrl+s")  # once more does nothing
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Question) and "What has come stays" in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is dialog)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "stopping" in said(dialog, "#download-state"))
        hub.goes_on.set()
        await until(pilot, lambda: "■ stopped" in said(dialog, "#download-state"))
        assert not (tmp_path / "rad" / PARQUET).exists()
        hub.stops_after = None
        asked = len(hub.asked)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "of it were there before" in said(dialog, "#download-state"))
        assert [each.span for each in hub.asked[asked:] if each.span] == [f"bytes={10 * MIB}-"]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DatasetsScreen))
    assert (tmp_path / "rad" / PARQUET).read_bytes() == content


async def test_what_is_wrong_with_a_download_is_said_in_the_form(
    workshop: Workshop, hub: HubStandIn, until: Wait, screen_text: Text, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        dialog = await downloading(app, pilot, until, tmp_path / "rad")
        await until(pilot, lambda: "HF_TOKEN is not set; what everybody may see needs none" in screen_text(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: f"the Hub knows no dataset {RAD}" in said(dialog, "#problem"))
        hub.repos[RAD] = Repo(gated=True)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "is gated" in said(dialog, "#problem"))
        hub.status = 503
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "the Hub has an error of its own (503)" in said(dialog, "#problem"))


async def test_leaving_the_app_asks_before_a_download_is_cut(
    workshop: Workshop, hub: HubStandIn, until: Wait, tmp_path: Path
) -> None:
    hub.repos[RAD] = Repo({PARQUET: bytes(25 * MIB)}, token=TOKEN)
    hub.stops_after = 12 * MIB
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await downloading(app, pilot, until, tmp_path / "rad")
        await pilot.press("ctrl+s")
        await until(pilot, hub.stopped.is_set)
        app.action_detach()
        await until(pilot, lambda: isinstance(app.screen, LeaveQuestion))
        assert "The download of vqa-rad is at work in this screen and ends with it" in said(app.screen, ".dialog-text")
        await pilot.press("y")
        await until(pilot, lambda: not app.is_running)
    assert workshop.services.at_work == ()
    hub.goes_on.set()


@pytest.mark.parametrize("size", SIZES)
async def test_an_export_is_written_and_uploaded(
    workshop: Workshop, hub: HubStandIn, until: Wait, screen_text: Text, size: tuple[int, int], tmp_path: Path
) -> None:
    await workshop.dataset(3)
    run = await workshop.run([DONE] * 3)
    out = tmp_path / "set" / "train.jsonl"
    app = VqaApp(workshop.services, open_run=run)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen) and app.watch_over.last_run is not None)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        app.screen.query_one("#path", Input).value = str(out)
        app.screen.query_one("#pictures", Select).value = "copy"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "✔ valid" in screen_text(app))
        await until(pilot, lambda: "Upload … (ctrl+t)" in screen_text(app))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(app.screen, UploadDialog))
        dialog = app.screen
        assert isinstance(dialog, UploadDialog)
        assert dialog.query_one("#path", PathField).path == f"{out}.manifest.json"
        await until(pilot, lambda: "HF_TOKEN is set (its value is never shown)" in screen_text(app))
        await pilot.press(*"me/scans", "enter", *"cc-by-4.0", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Question))
        question = " ".join(str(app.screen.query_one(".dialog-text", Static).render()).split())
        assert "5 files" in question and "3 pictures among them, go to me/scans" in question and "private" in question
        assert not hub.repos
        await pilot.press("y")
        await until(pilot, lambda: f"{hub.url}/datasets/me/scans (private)" in said(dialog, "#upload-state"))
        assert TOKEN not in screen_text(app)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
    repo = hub.repos["me/scans"]
    assert repo.private is True and 'license: "cc-by-4.0"' in repo.files["README.md"].decode()
    assert repo.files["train.jsonl"] == out.read_bytes()


async def test_what_keeps_an_upload_back_is_said_in_the_form_and_nothing_goes(
    workshop: Workshop, hub: HubStandIn, until: Wait, screen_text: Text, tmp_path: Path, monkeypatch: Any
) -> None:
    await workshop.dataset(2)
    run = await workshop.run([DONE] * 2)
    out = tmp_path / "set" / "train.jsonl"
    out.parent.mkdir()
    await export_run(workshop.workspace, run, "qwen", out, pictures="copy")
    app = VqaApp(workshop.services, open_run=run)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        dialog = await uploading(app, pilot, until)

        async def refused(words: str) -> None:
            await pilot.press("ctrl+s")
            await until(pilot, lambda: words in said(dialog, "#problem"))

        await refused("the upload needs an export")
        dialog.query_one("#path", PathField).set_path(str(tmp_path))
        await refused("it has no manifest beside it")
        dialog.query_one("#path", PathField).set_path(str(out))
        dialog.query_one("#license", Input).value = " "
        await refused("the dataset card needs a licence")
        dialog.query_one("#license", Input).value = "cc by!"
        await refused("does not name a licence")
        dialog.query_one("#license", Input).value = "other"
        dialog.query_one("#repo", Input).value = "scans"
        await refused("does not say whose dataset it is")
        dialog.query_one("#repo", Input).value = "me/scans"
        monkeypatch.delenv("HF_TOKEN")
        await refused("HF_TOKEN is not set")
        assert TOKEN not in screen_text(app)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is dialog and not said(dialog, "#upload-state"))
        assert not hub.asked
        hub.status = 403
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "may not do that with me/scans (403)" in said(dialog, "#problem"))
        assert TOKEN not in screen_text(app) and TOKEN not in said(dialog, "#problem")
    assert not hub.repos


async def test_an_upload_that_is_left_goes_on_and_a_second_one_waits(
    workshop: Workshop, hub: HubStandIn, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(1)
    run = await workshop.run([DONE])
    may_end = asyncio.Event()
    wishes: list[bool] = []

    async def planned(*_: Any, **_named: Any) -> UploadPlan:
        return PLAN

    async def slow(plan: UploadPlan, *, private: bool, progress: Callable[[int], None]) -> UploadReport:
        wishes.append(private)
        progress(1)
        await may_end.wait()
        return UploadReport("https://hub.example/datasets/me/scans", plan.repo_id, private, 1, 5, False)

    monkeypatch.setattr(workshop.services.hub, "plan_upload", planned)
    monkeypatch.setattr(workshop.services.hub, "upload", slow)
    app = VqaApp(workshop.services, open_run=run)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        dialog = await uploading(app, pilot, until, "a.jsonl")
        dialog.query_one("#seen", Select).value = "public"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Question) and "Everybody will see it" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: "1 of 1 file, 5 B, are at the Hub" in said(dialog, "#upload-state"))
        await pilot.press("ctrl+s", "escape", "escape")
        second = await uploading(app, pilot, until, "a.jsonl")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "another upload is still at work" in said(second, "#problem"))
        may_end.set()
        await until(pilot, lambda: "hub.example/datasets/me/scans" in screen_text(app))
    assert wishes == [False]


@pytest.mark.parametrize("size", SIZES)
@visits(DownloadDialog)
async def test_hostile_words_of_a_download(
    workshop: Workshop,
    until: Wait,
    screen_text: Text,
    size: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_end = asyncio.Event()
    refusal: VqaError | None = VqaError(HOSTILE, hint=HOSTILE)

    async def download(*_: Any, progress: Callable[[DownloadProgress], None], **_named: Any) -> DownloadReport:
        if refusal is not None:
            raise refusal
        progress(DownloadProgress("downloading", HOSTILE, 5, 10))
        await may_end.wait()
        return replace(REPORT, dataset=HOSTILE, repo_id=HOSTILE, folder=Path(HOSTILE.replace("\0", "")),
                       kind=HOSTILE, unpacked=(HOSTILE,))  # fmt: skip

    monkeypatch.setattr(workshop.services.hub, "download", download)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        dialog = await downloading(app, pilot, until, tmp_path / "rad")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "[/nope]" in said(dialog, "#problem"))
        check(app, screen_text)
        refusal = None
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "[/nope]" in said(dialog, "#download-state"))
        check(app, screen_text)
        may_end.set()
        await until(pilot, lambda: "unpacked into [/nope]" in said(dialog, "#download-state"))
        check(app, screen_text)


@pytest.mark.parametrize("size", SIZES)
@visits(UploadDialog)
async def test_hostile_words_of_an_upload(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(1)
    run = await workshop.run([DONE])
    refusal: VqaError | None = VqaError(HOSTILE, hint=HOSTILE)

    async def planned(*_: Any, **_named: Any) -> UploadPlan:
        if refusal is not None:
            raise refusal
        return replace(PLAN, repo_id=HOSTILE, license=HOSTILE)

    async def upload(plan: UploadPlan, *, private: bool, progress: Callable[[int], None]) -> UploadReport:
        return UploadReport(HOSTILE, HOSTILE, private, 1, 5, True)

    monkeypatch.setattr(workshop.services.hub, "plan_upload", planned)
    monkeypatch.setattr(workshop.services.hub, "upload", upload)
    app = VqaApp(workshop.services, open_run=run)
    async with app.run_test(size=size, notifications=True) as pilot:
        dialog = await uploading(app, pilot, until, "a.jsonl")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "[/nope]" in said(dialog, "#problem"))
        check(app, screen_text)
        refusal = None
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Question) and "[/nope]" in screen_text(app))
        check(app, screen_text)
        await pilot.press("y")
        await until(pilot, lambda: "README.md was written by a person" in said(dialog, "#upload-state"))
        check(app, screen_text)
