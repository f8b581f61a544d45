"""The menu of a new training: what can be chosen, what is grey and why, and what is handed on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input, Select, Static

from tests.tui.made_trainings import make_training
from tests.tui.test_hostile_text import ESSENCE, HOSTILE, check, visits
from tests.tui.workshop import DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations import training_estimate, training_packages, training_start
from vqa_tui.operations.training_data import TrainingData
from vqa_tui.operations.training_start import StartedTraining
from vqa_tui.process.device_memory import DeviceMemory
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.new_training import NewTraining
from vqa_tui.tui.screens.training import TrainingScreen
from vqa_tui.tui.widgets.live_table import LiveTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What trainings are started with; none is, and every package seems to be there."""
    calls: list[dict[str, Any]] = []

    async def start(_workspace: Any, config: Any, **wishes: Any) -> StartedTraining:
        calls.append({"config": config, **wishes})
        if wishes["data"] == Path("/nowhere"):
            raise VqaError("there is no export /nowhere", hint="Name another.")
        return StartedTraining(1, TrainingData(42, 6, 0, ()), ("python",))

    monkeypatch.setattr(training_start, "start_training", start)
    monkeypatch.setattr(training_packages, "find_spec", lambda name: object())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return calls


async def in_menu(pilot: Any, until: Wait, app: VqaApp) -> NewTraining:
    await pilot.press("6")
    await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, NewTraining) and app.screen.query_one("#source", Select).value)
    menu = app.screen
    assert isinstance(menu, NewTraining)
    await until(pilot, lambda: menu.query_one("#source", Select).value != Select.NULL)
    return menu


async def choose(pilot: Any, until: Wait, menu: NewTraining, name: str) -> None:
    table = menu.query_one("#configs", LiveTable)
    table.cursor = [row.id for row in table.rows].index(name)
    await until(pilot, lambda: menu.choice is not None and menu.choice.name == name)
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_training_is_started_from_the_menu(
    workshop: Workshop, until: Wait, screen_text: Text, asked: list[dict[str, Any]], size: tuple[int, int]
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([DONE, DONE], name="bags-run")
    await make_training(workshop, 1, "x\n")
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        menu = await in_menu(pilot, until, app)
        await choose(pilot, until, menu, "train_tiny")
        await until(pilot, lambda: "run bags-run  2 pairs, none reviewed" in screen_text(app))
        words = ("✔ fits", "vqa_tui.training", "30 steps")
        await until(pilot, lambda: all(each in screen_text(app) for each in words))
        menu.query_one("#name").focus()
        await pilot.press(*"mine", "enter", *"-2", "enter", *"0.5", "enter", "enter")
        menu.query_one("#reviewed", Select).value = "accepted"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        await until(pilot, lambda: "Training 1: 42 rows, 6 held out." in screen_text(app))
        (call,) = asked
        assert (call["run_id"], call["data"], call["reviewed"]) == (run_id, None, "accepted")
        assert (call["name"], call["priority"]) == ("mine", -2)
        assert (call["config"].epochs, call["config"].max_steps) == (0.5, None)


async def test_what_cannot_start_here_says_why(
    workshop: Workshop, until: Wait, screen_text: Text, asked: list[dict[str, Any]]
) -> None:
    folder = workshop.folder / "trainings"
    folder.mkdir()
    (folder / "broken.yaml").write_text("name: broken\nmodel: tiny\nepoch: 2\n")
    (folder / "fast.yaml").write_text("name: fast\nmodel: x/y\nbackend: unsloth\n")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(200, 50)) as pilot:
        menu = await in_menu(pilot, until, app)
        for name, words in {
            "broken": "did you mean `epochs`",
            "fast": "The back end unsloth needs an NVIDIA GPU",
            "train_vqa_rad": "Weights in 4 bits need an NVIDIA GPU",
        }.items():
            await choose(pilot, until, menu, name)
            assert words in str(menu.query_one("#about", Static).content)
            assert menu.query_one("#start", Button).disabled
            await pilot.press("ctrl+s")
        await pilot.pause()
        assert asked == [] and app.screen is menu


async def test_a_setting_makes_one_possible_that_was_not(
    workshop: Workshop, until: Wait, asked: list[dict[str, Any]]
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        menu = await in_menu(pilot, until, app)
        await choose(pilot, until, menu, "train_vqa_rad")
        button, about = menu.query_one("#start", Button), menu.query_one("#about", Static)
        assert button.disabled
        menu.query_one("#settings", Input).value = "four_bit=false batch_size=3"
        await until(pilot, lambda: not button.disabled and "rows a step" in str(about.content))
        menu.query_one("#settings", Input).value = ""
        await until(pilot, lambda: button.disabled and "Weights in 4 bits" in str(about.content))
        menu.query_one("#settings", Input).value = "four_bit=false"
        menu.query_one("#source", Select).value = "own"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: asked)
        assert not asked[0]["config"].four_bit


async def test_where_there_are_gpus_one_can_be_named(
    workshop: Workshop, until: Wait, screen_text: Text, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        menu = await in_menu(pilot, until, app)
        assert not menu.query_one("#device-row").display
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
        monkeypatch.setattr(
            training_estimate, "device_memory", lambda place: DeviceMemory(f"that of {place}", True, 24 << 30)
        )
        menu = await in_menu(pilot, until, app)
        await choose(pilot, until, menu, "train_tiny")
        device, about = menu.query_one("#device", Input), menu.query_one("#about", Static)
        assert device.placeholder == "one that is free; or cpu, gpu 0, gpu 1; several: gpu 0,1"
        device.focus()
        await pilot.press(*"gpu", "space", "7")
        await until(pilot, lambda: "There is no device 'gpu 7'. There is `gpu 0`, `gpu 1`" in str(about.content))
        assert menu.query_one("#start", Button).disabled
        await pilot.press("backspace", "1")
        await until(
            pilot, lambda: not menu.query_one("#start", Button).disabled and ", that of gpu 1" in estimated(menu)
        )
        menu.query_one("#source", Select).value = "own"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: asked)
        assert asked[0]["device"] == "gpu 1"


async def test_what_is_wrong_is_said_in_the_menu(
    workshop: Workshop, until: Wait, screen_text: Text, asked: list[dict[str, Any]]
) -> None:
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        menu = await in_menu(pilot, until, app)
        await choose(pilot, until, menu, "train_tiny")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "no export is named" in screen_text(app))
        menu.query_one("#path-row PathInput").focus()
        await pilot.press(*"/nowhere", "ctrl+s")
        await until(pilot, lambda: "there is no export /nowhere" in screen_text(app))
        menu.query_one("#steps").focus()
        await pilot.press("x", "ctrl+s")
        await until(pilot, lambda: "no number of steps" in screen_text(app))
        assert len(asked) == 1
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrainingScreen))


def estimated(menu: NewTraining) -> str:
    return str(menu.query_one("#estimate", Static).content)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_memory_is_estimated_as_the_settings_change(
    workshop: Workshop,
    until: Wait,
    screen_text: Text,
    asked: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    folder = workshop.folder / "trainings"
    folder.mkdir()
    (folder / "large.yaml").write_text("name: large\nmodel: Qwen/Qwen2.5-VL-7B-Instruct\n")
    (folder / "own.yaml").write_text("name: own\nmodel: me/nobody-knows\n")
    monkeypatch.setattr(training_estimate, "_config_files", lambda _model: [])
    monkeypatch.setattr(training_estimate, "device_memory", lambda _place: DeviceMemory("Card X", True, 24 << 30))
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        menu = await in_menu(pilot, until, app)
        await choose(pilot, until, menu, "large")
        await until(pilot, lambda: "✖ does not fit" in estimated(menu) or "✔ fits" in estimated(menu))
        before = estimated(menu)
        assert "of 24.0 GiB, Card X" in before and "weights 15" in before and "activations" in before
        menu.query_one("#settings", Input).value = "lora.r=1024 batch_size=64"
        await until(pilot, lambda: "✖ does not fit" in estimated(menu) and estimated(menu) != before)
        menu.query_one("#settings", Input).value = "lora.rank=2"
        await until(pilot, lambda: "? memory unknown: --set lora.rank: unknown key" in estimated(menu))
        menu.query_one("#settings", Input).value = 'seed="'
        await until(pilot, lambda: "cannot be read: No closing quotation" in estimated(menu))
        menu.query_one("#settings", Input).value = ""
        await until(pilot, lambda: estimated(menu) == before)
        await choose(pilot, until, menu, "own")
        await until(pilot, lambda: "the size of me/nobody-knows is not known" in estimated(menu))
        monkeypatch.setattr(training_estimate, "device_memory", lambda _place: DeviceMemory("GPU", True, None))
        await choose(pilot, until, menu, "large")
        await until(pilot, lambda: "? GPU does not tell what memory it has" in estimated(menu))
        menu.query_one("#settings", Input).value = "seed=7 lora.r=8"
        menu.query_one("#source", Select).value = "own"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: asked)
        assert (asked[0]["config"].seed, asked[0]["config"].lora.r) == (7, 8)


@visits(NewTraining)
async def test_hostile_words_in_a_configuration_stay_text(
    workshop: Workshop, until: Wait, screen_text: Text, asked: list[dict[str, Any]]
) -> None:
    folder = workshop.folder / "trainings"
    folder.mkdir()
    words = json.dumps(HOSTILE[:160].replace("\ud800", ""))
    (folder / "a.yaml").write_text(f"name: a\nmodel: {words}\ndescription: {words}\n")
    (folder / "c.yaml").write_text(f"name: c\nmodel: tiny\ndescription: {words}\n")
    (folder / "b.yaml").write_bytes(b"name: " + HOSTILE.encode("utf-8", "replace"))
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        menu = await in_menu(pilot, until, app)
        for name in ("a", "b", "c"):
            await choose(pilot, until, menu, name)
            check(app, screen_text)
        await until(pilot, lambda: ESSENCE[:5] in screen_text(app))
