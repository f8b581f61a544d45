"""Evaluating from mode 6: begun, watched and ended by key, seen where another program began it, and what it found."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Static

from tests.tui.made_trainings import keep_evaluation, made_course, made_evaluation, make_training
from tests.tui.test_hostile_text import ESSENCE, HOSTILE, check, spoil, visits
from tests.tui.test_training_screen import SIZES, in_training
from tests.tui.workshop import DONE, Workshop
from vqa_tui.domain.training import TrainingPhase
from vqa_tui.operations import training_packages
from vqa_tui.operations.trainings import training_summary
from vqa_tui.process import spawn
from vqa_tui.process.evaluator import run_evaluator
from vqa_tui.process.lock import ProcessLock
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.evaluate import EvaluateDialog
from vqa_tui.tui.screens.training import TrainingScreen
from vqa_tui.tui.screens.training_rows import TrainingRowsDialog
from vqa_tui.tui.services import Services
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.picture import Picture

Wait = Callable[..., Any]
Text = Callable[[Any], str]
_JUDGE = """
import os, sys, time
for line in ("loading libraries", "base: row 1 of 4", "tuned: row 2 of 4"):
    print(line, flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
os.rename("made", "evaluation.json")
"""


@dataclass
class Judges:
    """Evaluations with a stand-in for the program that loads PyTorch: it waits until it may go on."""

    workshop: Workshop
    asked: list[list[str]] = field(default_factory=list)
    tasks: list[asyncio.Task[tuple[int, str]]] = field(default_factory=list)

    def spawn(self, arguments: list[str], *, log: Path, environment: dict[str, str]) -> Any:
        self.asked.append(arguments)
        self.begin(int(arguments[1]))
        return self

    def poll(self) -> int | None:
        return 0 if self.tasks[-1].done() else None

    def begin(self, number: int) -> None:
        paths = self.workshop.workspace.paths
        (paths.training_folder(number) / "made").write_text(made_evaluation().as_json(), "utf-8")
        command = [sys.executable, "-S", "-c", _JUDGE]
        work = run_evaluator(paths, number, "cpu", command, lambda _: None)
        self.tasks.append(asyncio.create_task(work))

    def let_go_on(self, number: int) -> None:
        (self.workshop.workspace.paths.training_folder(number) / "go").touch()

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def judges(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Judges(workshop)
    monkeypatch.setattr(spawn, "spawn_detached", made.spawn)
    yield made
    await made.end()


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Names of packages that seem to be missing."""
    lacking: set[str] = set()
    monkeypatch.setattr(training_packages, "find_spec", lambda name: None if name in lacking else object())
    yield lacking


def judged(screen: TrainingScreen) -> str:
    """Return what the panel says."""
    return str(screen.query_one("#evaluation Static", Static).content)


@pytest.mark.parametrize("size", SIZES)
async def test_one_is_begun_watched_and_found(
    workshop: Workshop, until: Wait, screen_text: Text, judges: Judges, size: tuple[int, int]
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60, held_out=4)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await in_training(pilot, until, app, "evaluation")
        await until(pilot, lambda: "Not evaluated yet" in screen_text(app) and screen.reason("evaluate") is None)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, EvaluateDialog))
        assert "goes on when you leave the app" in str(app.screen.query_one(".dialog-text", Static).content)
        await pilot.press("enter")
        await until(pilot, lambda: "● evaluating" in screen_text(app) and "6 of 8 answers" in screen_text(app))
        assert judges.asked == [["evaluator", "1", "--workspace", str(workshop.workspace.paths.root)]]
        await until(pilot, lambda: "being evaluated already" in (screen.reason("evaluate") or ""))
        judges.let_go_on(1)
        await until(pilot, lambda: "✔ better" in screen_text(app) and "● evaluating" not in screen_text(app))
        found = await training_summary(workshop.workspace, 1)
        assert found.phase is TrainingPhase.DONE and not found.at_work


async def test_fewer_rows_are_asked_for(workshop: Workshop, until: Wait, screen_text: Text, judges: Judges) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60, held_out=40)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await in_training(pilot, until, app, "evaluation")
        await until(pilot, lambda: screen.reason("evaluate") is None)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, EvaluateDialog))
        await pilot.press("x", "enter")
        await until(pilot, lambda: "no number of rows" in screen_text(app))
        app.screen.query_one(Input).value = "12"
        await pilot.press("enter")
        await until(pilot, lambda: judges.asked)
        assert judges.asked[0][-2:] == ["--limit", "12"]


async def test_one_that_another_program_began_is_seen_and_ended(
    workshop: Workshop, until: Wait, screen_text: Text, judges: Judges
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(60), phase="cancelled", step=60)
    keep_evaluation(workshop, 1, made_evaluation())
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await in_training(pilot, until, app, "evaluation")
        await until(pilot, lambda: "✔ better" in screen_text(app) and "■ cancelled" in screen_text(app))
        judges.begin(1)
        await until(pilot, lambda: screen_text(app).count("● evaluating") >= 2)
        for action in ("stop", "resume", "delete", "evaluate"):
            assert "It is being evaluated" in (screen.reason(action) or "")
        await pilot.press("X")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await until(pilot, lambda: "End this evaluation?" in screen_text(app))
        await pilot.press("y")
        await until(pilot, lambda: "● evaluating" not in screen_text(app) and "■ cancelled" in screen_text(app))
        await until(pilot, lambda: "it was ended before it was done" in judged(screen))
        await until(pilot, lambda: "✔ better" in screen_text(app))
        assert (await training_summary(workshop.workspace, 1)).phase is TrainingPhase.CANCELLED


async def test_the_app_may_be_left_while_one_is_at_work(
    workshop: Workshop, until: Wait, judges: Judges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqa_tui.tui.app._LEAVE_WITHIN_S", 60.0)
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await in_training(pilot, until, app, "evaluation")
        await until(pilot, lambda: screen.reason("evaluate") is None)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, EvaluateDialog))
        await pilot.press("enter")
        await until(pilot, lambda: screen.chosen is not None and screen.chosen.evaluated)
        await pilot.press("q")
        await until(pilot, lambda: app._exit)
        said = str(app._exit_renderables[0])
    assert "1 training goes on: tiny-1 (being evaluated)" in said and "train list    shows it" in said
    assert (await training_summary(workshop.workspace, 1)).evaluated
    judges.let_go_on(1)
    assert await judges.tasks[0] == (0, "tuned: row 2 of 4")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("at work", "It is at work. Evaluate it when it has ended"),
        ("no rows", "No rows are held out to judge by"),
        ("nothing learned", "Nothing was learned yet"),
        ("packages", "It needs sacrebleu: `pip install 'vqa-tui[train]'`"),
        ("device", "other is at work on cpu"),
        ("readonly", "--readonly"),
    ],
)
async def test_why_one_cannot_be_begun(
    workshop: Workshop, until: Wait, screen_text: Text, packages: set[str], case: str, words: str
) -> None:
    phase = {"at work": "training", "nothing learned": "stopped"}.get(case, "done")
    told = made_course(60) if case != "nothing learned" else made_course(5)
    await make_training(workshop, 2, "x\n", told=told, phase=phase, held_out=0 if case == "no rows" else 3)
    await make_training(workshop, 1, "x\n", phase="training" if case == "device" else "done", name="other")
    packages |= {"sacrebleu"} if case == "packages" else set()
    looking = Services(workshop.workspace, workshop.workspace, read_only=True)
    app = VqaApp(looking if case == "readonly" else workshop.services)
    held = {"at work": 2, "device": 1}.get(case)
    lock = ProcessLock(workshop.workspace.paths.training_lock(held or 99))
    async with lock, app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await in_training(pilot, until, app, "evaluation")
        await until(pilot, lambda: words in (screen.reason("evaluate") or ""))
        await pilot.press("t")
        await until(pilot, lambda: words[:20] in " ".join(screen_text(app).split()))
        assert app.screen is screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_worst_rows_are_read_with_their_pictures_and_rejected(
    workshop: Workshop, until: Wait, screen_text: Text, picture: str, size: tuple[int, int]
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE])
    (pair,) = [row["id"] for row in await workshop.workspace.db.read("SELECT id FROM sample")]
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60)
    keep_evaluation(workshop, 1, made_evaluation(picture, pairs=(pair,)))
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await in_training(pilot, until, app, "evaluation")
        await until(pilot, lambda: "✔ better" in screen_text(app) and screen.reason("rows") is None)
        assert screen.key_words("rows") == "worst rows"
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, TrainingRowsDialog) and "▀▀▀▀" in screen_text(app))
        await until(
            pilot,
            lambda: all(
                words in screen_text(app)
                for words in ("How many knives", "two knives", "a a a", "three knives", "Base", "Tuned")
            ),
        )
        await pilot.press("x")
        await until(pilot, lambda: "1 pair rejected" in screen_text(app))
        found = await workshop.services.reviewing.pair_now(run_id, pair)
        assert found is not None and found.sample.verdict == "rejected"


async def test_without_an_evaluation_there_are_no_worst_rows(workshop: Workshop, until: Wait) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await in_training(pilot, until, app, "evaluation")
        assert "Press t for one" in (screen.reason("rows") or "")


async def test_one_that_failed_says_why_also_to_the_next_app(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60)
    keep_evaluation(workshop, 1, made_evaluation())
    folder = workshop.workspace.paths.training_folder(1)
    (folder / "evaluation.log").write_text("base: row 1 of 4\nerror: out of memory. Lower max_pixels.\n")
    os.utime(folder / "evaluation.json", (1, 1))
    app = VqaApp(workshop.services)
    async with app.run_test(size=(200, 50)) as pilot:
        screen = await in_training(pilot, until, app)
        await until(pilot, lambda: "found nothing: out of memory." in judged(screen))
        await until(pilot, lambda: "✔ better" in screen_text(app))


async def test_a_document_that_is_broken_is_said(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60)
    (workshop.workspace.paths.training_folder(1) / "evaluation.json").write_text('{"at": 1}')
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_training(pilot, until, app, "evaluation")
        await until(pilot, lambda: "cannot be read" in screen_text(app))


@pytest.mark.parametrize("size", SIZES)
@visits(TrainingScreen, TrainingRowsDialog, EvaluateDialog)
async def test_hostile_words_of_an_evaluation_stay_text(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    name = HOSTILE[:60].replace("\ud800", "")
    await make_training(workshop, 1, "x\n", told=made_course(60), step=60, name=name, held_out=3)
    text = _as_json(spoil(made_evaluation()))
    folder = workshop.workspace.paths.training_folder(1)
    (folder / "evaluation.json").write_bytes(text.encode("utf-8", "replace"))
    (folder / "evaluation.log").write_bytes(
        HOSTILE.encode("utf-8", "replace") + b"\nerror: " + HOSTILE[:90].encode("utf-8", "replace")
    )
    os.utime(folder / "evaluation.json", (1, 1))
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        screen = await in_training(pilot, until, app, "evaluation")
        await until(pilot, lambda: "found nothing" in screen_text(app) and screen.reason("rows") is None)
        check(app, screen_text)
        await pilot.press("z")
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, TrainingRowsDialog) and ESSENCE[:7] in screen_text(app))
        check(app, screen_text)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, EvaluateDialog))
        check(app, screen_text)


def _as_json(found: Any) -> str:
    """The document with lone surrogates replaced, as a program that wrote it would have had to."""
    return json.dumps(asdict(found)).replace("\\ud800", "\\ufffd")


@pytest.mark.parametrize(("size", "shown"), [((200, 50), True), ((80, 24), False)])
async def test_the_picture_of_an_answer_stands_beside_it_where_there_is_room(
    workshop: Workshop, until: Wait, screen_text: Text, picture: str, size: tuple[int, int], shown: bool
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(40, picture=picture), step=40)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        screen = await in_training(pilot, until, app, "samples")
        await until(pilot, lambda: screen.query_one("#samples", LiveTable).rows)
        if shown:
            await until(pilot, lambda: "Row 7" in screen_text(app) and "▀▀▀▀" in screen_text(app))
            await pilot.press("z")
            await until(pilot, lambda: "Reference A bag with a knife." in screen_text(app))
        else:
            await pilot.pause()
            assert not screen.query_one("#answer-box").display and "▀▀▀▀" not in screen_text(app)


async def test_an_answer_without_a_picture_says_so(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(40, picture="/nowhere.png"), step=40)
    await make_training(workshop, 2, "x\n", told=made_course(40), step=40)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(200, 50)) as pilot:
        screen = await in_training(pilot, until, app)
        await until(pilot, lambda: "this row has no picture" in screen_text(app))
        await pilot.press("j")
        await until(pilot, lambda: "the picture is not there" in screen.query_one(Picture)._remark.plain)
