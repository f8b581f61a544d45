"""Mode 6 over a real workspace: what a training tells, read as it is written, and followed as a terminal shows it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.tui.made_trainings import ended, made_course, made_row, make_training, metrics_of
from tests.tui.test_hostile_text import ESSENCE, HOSTILE, check, spoil, visits
from tests.tui.workshop import Workshop
from vqa_tui.domain.training_events import event_line
from vqa_tui.operations import trainings
from vqa_tui.process.lock import ProcessLock
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.training_panels import PANELS
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.training import TrainingScreen
from vqa_tui.tui.screens.training_rows import TrainingRowsDialog
from vqa_tui.tui.widgets.course_panel import CoursePanel
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.log_pane import LogPane

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]


async def in_training(pilot: Any, until: Wait, app: VqaApp, *names: str) -> TrainingScreen:
    """Go to the mode, and to the panel with that name where one is given."""
    await pilot.press("6")
    await until(pilot, lambda: isinstance(app.screen, TrainingScreen) and app.screen.chosen is not None)
    screen = app.screen
    assert isinstance(screen, TrainingScreen)
    for name in names:
        while screen.focused is None or screen.focused.id != name:
            await pilot.press("tab")
    return screen


@pytest.mark.parametrize("size", SIZES)
async def test_a_log_is_followed_until_one_scrolls_away(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    log = await make_training(workshop, 3, "".join(f"step {number}\n" for number in range(300)), phase="training")
    await make_training(workshop, 1, "older\n")
    async with ProcessLock(workshop.workspace.paths.training_lock(3)):
        app = VqaApp(workshop.services, open_run=None)
        async with app.run_test(size=size) as pilot:
            screen = await in_training(pilot, until, app, "log")
            await until(pilot, lambda: "step 299" in screen_text(app))
            text = screen_text(app)
            assert "● training" in text and "✔ done" in text and "Log of training 3" in text
            with log.open("a") as stream:
                stream.write("step 300\n")
            await until(pilot, lambda: "step 300" in screen_text(app))
            await pilot.press("g")
            with log.open("a") as stream:
                stream.write("step 301\n")
            pane = screen.query_one(LogPane)
            await until(pilot, lambda: pane.row_count() == 302)
            await until(pilot, lambda: "step 0 " in screen_text(app) and "step 301" not in screen_text(app))
            await pilot.press("f")
            await until(pilot, lambda: "step 301" in screen_text(app))
            screen.query_one("#trainings", LiveTable).focus()
            await pilot.press("j")
            await until(pilot, lambda: "older" in screen_text(app) and "Log of training 1" in screen_text(app))


@pytest.mark.parametrize("size", SIZES)
async def test_every_panel_is_reached_with_tab_and_zoomed(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await make_training(workshop, 1, "the log\n", told=[*made_course(60), ended(60)], step=60)
    seen = {
        "course": "step 60 of 60",
        "facts": "14.8 %",
        "samples": "A bag with a knife.",
        "checkpoints": "removed since",
        "evaluation": "Not evaluated yet",
        "log": "the log",
        "spikes": "6.0000",
    }
    assert {"trainings", *seen} == set(PANELS)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        screen = await in_training(pilot, until, app)
        for name in PANELS[1:]:
            await pilot.press("tab")
            assert screen.focused is not None and screen.focused.id == name
            await until(pilot, lambda words=seen[name]: words in screen_text(app))
            await pilot.press("z")
            await until(pilot, lambda: "z or esc: all panels" in screen_text(app))
            assert [each for each in PANELS if screen.query_one(f"#{each}").display] == [name]
            await until(pilot, lambda name=name: seen[name] in screen_text(app) and "No  Name" not in screen_text(app))
            await pilot.press("escape")
            await until(pilot, lambda: "No  Name" in screen_text(app))
        await pilot.press("tab")
        assert screen.focused is not None and screen.focused.id == "trainings"


async def test_large_screens_show_everything_at_once(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 1, "the log\n", told=made_course(40), step=40, phase="stopped", reason="by a person")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(200, 50)) as pilot:
        await in_training(pilot, until, app)
        words = (
            "step 40 of 60",
            "by a person",
            "★ lowest loss",
            "the log",
            "6.0000",
            "00005.png",
            "LoRA r 16",
            "Gradient",
        )
        await until(pilot, lambda: all(each in screen_text(app) for each in words))


async def test_what_is_told_while_one_looks_is_shown_and_nothing_is_read_twice(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = made_course(40)
    await make_training(workshop, 1, "x\n", told=told[:20], phase="training", step=18)
    read: list[int] = []
    real = trainings._events_after

    def noted(path: Any, after: int, limit: int | None) -> Any:
        read.append(after)
        return real(path, after, limit)

    monkeypatch.setattr(trainings, "_events_after", noted)
    async with ProcessLock(workshop.workspace.paths.training_lock(1)):
        app = VqaApp(workshop.services)
        async with app.run_test(size=(80, 24)) as pilot:
            await in_training(pilot, until, app)
            await until(pilot, lambda: "of 60   loss" in screen_text(app))
            with metrics_of(workshop, 1).open("a") as stream:
                stream.write("".join(event_line(event) + "\n" for event in told[20:]))
                stream.write('{"event":"step","at":1.0,"st')
            await until(pilot, lambda: "step 40 of 60" in screen_text(app))
            assert read == sorted(set(read)), "each read begins where the one before ended"


async def test_where_nothing_moves_nothing_is_read(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(40), step=40)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await in_training(pilot, until, app)
        await until(pilot, lambda: "step 40 of 60" in screen_text(app) and not screen.at_work("trainings"))
        touched: list[str] = []
        for name in ("list_trainings", "training_events", "log_part", "training_parts"):
            monkeypatch.setattr(trainings, name, lambda *_, name=name, **__: touched.append(name))
        looks = 0
        for _ in range(3):
            screen._look_if_shown()
            await until(pilot, lambda: not screen.at_work("trainings"))
            looks += 1
        assert looks == 3 and touched == []


async def test_a_killed_app_and_the_next_one_show_the_same(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(40), step=40, phase="training")
    async with ProcessLock(workshop.workspace.paths.training_lock(1)):
        first = await _shown(workshop, until, screen_text)
        second = await _shown(workshop, until, screen_text)
    assert first == second


async def _shown(workshop: Workshop, until: Wait, screen_text: Text) -> tuple[str, list[str]]:
    """Return the curves and the spikes as a new app shows them; it ends without a word."""
    app = VqaApp(workshop.services)
    async with app.run_test(size=(200, 50)) as pilot:
        await in_training(pilot, until, app)
        await until(pilot, lambda: "step 40 of 60" in screen_text(app) and "6.0000" in screen_text(app))
        spikes = app.screen.query_one("#spikes", LiveTable)
        return app.screen.query_one(CoursePanel).render().plain, [str(row.cells) for row in spikes.rows]


async def test_a_training_whose_process_died_is_lost_at_the_next_look(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(40), step=40, phase="training")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        async with ProcessLock(workshop.workspace.paths.training_lock(1)):
            screen = await in_training(pilot, until, app)
            await until(pilot, lambda: "● training" in screen_text(app))
            assert screen.reason("resume") == "It is at work."
        await until(pilot, lambda: "✖ lost" in screen_text(app))
        assert screen.reason("resume") is None and screen.reason("stop") is not None


async def test_curves_are_looked_at_otherwise_and_a_step_is_pointed_at(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(40), step=40)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await in_training(pilot, until, app, "course")
        await until(pilot, lambda: "━ smoothed" in screen_text(app))
        await pilot.press("S")
        await until(pilot, lambda: "━ training" in screen_text(app))
        await pilot.press("L")
        await until(pilot, lambda: "Loss, logarithmic" in screen_text(app))
        assert screen.reason("rows") is not None
        await pilot.press("left", "left", "shift+left")
        await until(pilot, lambda: "▲ step 29, 2 rows (o)" in screen_text(app))
        assert screen.reason("rows") is None
        await pilot.press("home")
        await until(pilot, lambda: "▲ step 1," in screen_text(app))
        await pilot.press("end")
        await until(pilot, lambda: "step 40 of 60" in screen_text(app))


async def test_words_are_searched_in_the_log(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    log = "".join(f"line {n} {'Needle' if n in (10, 90) else 'hay'}\n" for n in range(200))
    await make_training(workshop, 1, log)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await in_training(pilot, until, app)
        pane = screen.query_one(LogPane)
        await until(pilot, lambda: pane.row_count() == 200)
        await pilot.press("slash", *"needle", "enter")
        await until(pilot, lambda: pane.cursor == 90 and pane.has_focus)
        await pilot.press("n")
        assert pane.cursor == 10
        await pilot.press("N")
        assert pane.cursor == 90
        await pilot.press("slash")
        await until(pilot, lambda: screen.query_one("#log-search").has_focus)
        await pilot.press("escape")
        await until(pilot, lambda: pane.has_focus and not pane.searched)
        await pilot.press("slash", *"nowhere", "enter")
        await until(pilot, lambda: "No line of the log holds 'nowhere'" in screen_text(app))


@pytest.mark.parametrize("size", SIZES)
async def test_a_spike_opens_the_rows_behind_it(
    workshop: Workshop, until: Wait, screen_text: Text, picture: str, size: tuple[int, int]
) -> None:
    rows = [made_row(number, picture) for number in range(9)]
    await make_training(workshop, 1, "x\n", told=made_course(40, picture=picture), rows=rows, step=40)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await in_training(pilot, until, app, "spikes")
        await until(pilot, lambda: "6.0000" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TrainingRowsDialog))
        await until(pilot, lambda: "picture 8?" in screen_text(app) and "8 knives" in screen_text(app))
        await until(pilot, lambda: "Rows of step 17" in screen_text(app))
        dialog = app.screen
        assert isinstance(dialog, TrainingRowsDialog)
        await pilot.press("x")
        await until(pilot, lambda: "does not name the pair" in screen_text(app))
        await until(pilot, lambda: "▀▀▀▀" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))


async def test_the_pair_behind_a_row_is_rejected(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    from tests.tui.workshop import DONE

    await workshop.dataset(4)
    run_id = await workshop.run([DONE])
    (pair,) = [row["id"] for row in await workshop.workspace.db.read("SELECT id FROM sample")]
    rows = [made_row(8, pairs=(pair,)), *(made_row(number) for number in range(8))]
    await make_training(workshop, 1, "x\n", told=made_course(40), rows=rows, step=40, data={"run": run_id})
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await in_training(pilot, until, app, "spikes")
        await until(pilot, lambda: "6.0000" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TrainingRowsDialog))
        await pilot.press("G", "x")
        await until(pilot, lambda: "1 pair rejected" in screen_text(app))
        found = await workshop.services.reviewing.pair_now(run_id, pair)
        assert found is not None and found.sample.verdict == "rejected"
        dialog = app.screen
        assert isinstance(dialog, TrainingRowsDialog) and "already" in (dialog.reason("reject") or "")


async def test_answers_of_a_row_are_read_look_by_look(
    workshop: Workshop, until: Wait, screen_text: Text, picture: str
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(40, picture=picture), step=40)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_training(pilot, until, app, "samples")
        await until(pilot, lambda: "bag bag bag" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TrainingRowsDialog))
        await until(pilot, lambda: "Reference" in screen_text(app) and "step 30" in screen_text(app))
        await until(pilot, lambda: "Held-out row 7" in screen_text(app))


async def test_without_a_training_it_says_what_to_do(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "No training yet" in screen_text(app))
        await until(pilot, lambda: "train start train_tiny" in screen_text(app))
        await pilot.press("1")
        await until(pilot, lambda: not isinstance(app.screen, TrainingScreen))


@pytest.mark.parametrize("size", SIZES)
@visits(TrainingScreen, TrainingRowsDialog)
async def test_hostile_words_of_a_training_stay_text(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    told = [spoil(event) for event in made_course(40)]
    rows = [spoil(made_row(number)) for number in range(9)]
    lines = [event_line(event).encode("utf-8", "replace") for event in told]
    await make_training(
        workshop,
        1,
        f"{HOSTILE}\n{HOSTILE}",
        rows=rows,
        phase="failed",
        step=40,
        reason=HOSTILE.encode("utf-8", "replace").decode(),
        name=HOSTILE[:60].replace("\ud800", ""),
        data={"data": HOSTILE},
    )
    metrics_of(workshop, 1).write_bytes(b"\n".join(lines) + b"\n")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        for name in PANELS[1:]:
            await in_training(pilot, until, app, name)
            await until(pilot, lambda: "step 40" in screen_text(app) or ESSENCE[:7] in screen_text(app))
            check(app, screen_text)
        await in_training(pilot, until, app, "samples")
        await until(pilot, lambda: app.screen.query_one("#samples", LiveTable).rows)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TrainingRowsDialog) and ESSENCE[:7] in screen_text(app))
        check(app, screen_text)


@pytest.mark.parametrize("size", SIZES)
async def test_a_line_that_is_too_long_for_the_pane_is_read_with_enter(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await make_training(workshop, 1, "first\n" + "word " * 60 + "the-very-end\n")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await in_training(pilot, until, app, "log")
        await until(pilot, lambda: "word word" in screen_text(app))
        assert "the-very-end" not in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullText) and "the-very-end" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))


async def test_a_line_of_metrics_of_another_version_is_passed_over(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await make_training(workshop, 1, "x\n", told=made_course(10), step=10)
    with metrics_of(workshop, 1).open("a") as stream:
        stream.write(json.dumps({"event": "of-tomorrow", "at": 1}) + "\nnot json\n")
        stream.write("".join(event_line(event) + "\n" for event in made_course(12)[-2:]))
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_training(pilot, until, app)
        await until(pilot, lambda: "step 12 of 60" in screen_text(app))
