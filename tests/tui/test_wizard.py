"""The wizard over a real workspace: from the list of runs through its five steps to the dashboard of a new run."""

from typing import Any

import pytest
from textual.widgets import Button, Input

from tests.tui.conftest import screen_text, until
from tests.tui.test_hostile_text import HOSTILE, check, visits
from tests.tui.wizard_driver import SIZES, wizard_of
from tests.tui.workshop import Workshop
from vqa_tui.config.load import ConfigFile
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.endpoint_facts import EndpointFacts, KeyFacts
from vqa_tui.operations.endpoint_trial import EndpointTrial, TrialStep
from vqa_tui.operations.plan import RunPlan
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.preview import PromptPreview
from vqa_tui.store import runs
from vqa_tui.tui.present.wizard_lines import Step
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.help import HelpScreen
from vqa_tui.tui.screens.model_choice import ModelDialog
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.wizard import NewRunWizard
from vqa_tui.tui.widgets.choice_list import ChoiceList


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_is_made_step_by_step_and_started(
    workshop: Workshop, engines: list[int], size: tuple[int, int]
) -> None:
    await workshop.dataset()
    async with wizard_of(workshop, size) as driver:
        await driver.see("▸1 dataset", "bags", "coco", "pictures in", "i import")
        await driver.press("enter")
        await driver.see("1 dataset ✔", "▸2 recipe", "images/00000.png", "▀▀▀", "Describe this picture", "] picture")
        await driver.take("caption")
        await driver.see("▸3 endpoint", "t check", "m model")
        await driver.take("embedded")
        await driver.see("▸4 size", "the run pauses there", "Hedge")
        await driver.press("5", "tab", "tab", *"0.50")
        await driver.see("cap $0.50")
        await driver.press("ctrl+n")
        await driver.see(
            "▸5 plan", "5 pictures", "longest side", "original", "Start (ctrl+s)", "bags → caption @ embedded"
        )
        await driver.start()
        await until(driver.pilot, lambda: isinstance(driver.app.screen, DashboardScreen))
        await until(driver.pilot, lambda: driver.app.watch_over.last_run is not None)
    assert engines == [1]
    view = await workshop.services.run_view(1)
    assert (view.dataset, view.recipe, view.endpoint, view.counts.total) == ("bags", "caption", "embedded", 5)


async def test_escape_goes_back_step_by_step_keeps_the_answers_and_leaves(workshop: Workshop) -> None:
    await workshop.dataset()
    async with wizard_of(workshop) as driver:
        await driver.to_the_plan()
        await driver.see("longest side")
        for step in (Step.SIZE, Step.ENDPOINT, Step.RECIPE, Step.DATASET):
            await driver.press("escape")
            await driver.at(step)
        assert driver.wizard.query_one("#recipes", ChoiceList).cursor_id == "caption"
        await driver.press("5")
        await driver.at(Step.PLAN)
        await driver.see("12 pictures")
        await driver.press("1", "escape")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, RunsScreen))
    assert await runs.run_names(workshop.workspace.db) == []


async def test_a_step_that_cannot_be_reached_yet_says_what_comes_first(workshop: Workshop) -> None:
    await workshop.dataset()
    async with wizard_of(workshop) as driver:
        await driver.see("bags")
        await driver.press("3")
        await driver.see("Choose a dataset first")
        await driver.press("ctrl+s")
        await driver.see("Look at the plan first")
        await driver.take("bags")
        await driver.press("5")
        await driver.see("Choose a recipe first")
        assert driver.wizard.step is Step.RECIPE


async def test_what_is_wrong_and_what_to_do_are_two_sentences_read_to_their_end(workshop: Workshop) -> None:
    await workshop.dataset()
    async with wizard_of(workshop) as driver:
        await driver.to_the_plan()
        await driver.press("4")
        await driver.at(Step.SIZE)
        driver.wizard.query_one("#size-concurrency", Input).value = "0"
        await driver.press("ctrl+n")
        await driver.see("not 0. Empty", "Mend this first", "endpoint's own.")


async def test_a_click_on_a_step_leads_there(workshop: Workshop) -> None:
    await workshop.dataset()
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.see("▸2 recipe")
        await driver.pilot.click("#wizard-steps", offset=(4, 0))
        await driver.at(Step.DATASET)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_every_step_shows_its_controls_in_a_small_terminal(workshop: Workshop, size: tuple[int, int]) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop, size) as driver:
        await driver.to_the_plan()
        await driver.see("Start (ctrl+s)", "1 024 px")
        for key, words in (
            ("1", ("bags", "Pictures")),
            ("2", ("caption", "or a path", "▀▀")),
            ("3", ("embedded", "or a path", "address")),
            ("4", ("Pictures", "Budget $", "Hedge")),
        ):
            await driver.press(key)
            await driver.see(*words)
            assert "esc back" in driver.text
            driver.wizard.set_focus(None)


async def test_help_lists_the_keys_of_the_step(workshop: Workshop) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.see("▸2 recipe")
        await driver.press("question_mark")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.see("The prompt for the next picture")
        assert "one tiny picture with each key" not in driver.text


async def test_a_screen_that_may_only_look_starts_and_asks_nothing(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop) as driver:
        await driver.to_the_plan()
        await driver.see("longest side")
        monkeypatch.setattr(workshop.services, "read_only", True)
        await driver.press("ctrl+s")
        await driver.see("may only look")
        driver.wizard.query_one("#start", Button).focus()
        await driver.press("enter", "3", "t")
        await driver.pilot.pause()
        assert not driver.wizard.is_starting and driver.wizard.step is Step.ENDPOINT
    assert await runs.run_names(workshop.workspace.db) == []


@pytest.mark.parametrize("size", SIZES)
@visits(ModelDialog, NewRunWizard)
async def test_hostile_text_everywhere(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, size: tuple[int, int]
) -> None:
    await workshop.dataset(2)
    starting, services = workshop.services.starting, workshop.services
    path = tmp_path / "x"
    file = ConfigFile(HOSTILE, HOSTILE, path)

    async def files() -> list[ConfigFile]:
        return [file, ConfigFile("broken", "", path, HOSTILE)]

    async def facts(*_asked: object) -> EndpointFacts:
        real = await type(starting).endpoint_facts(starting, "embedded")
        key = KeyFacts(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
        return EndpointFacts(
            HOSTILE, HOSTILE, HOSTILE, HOSTILE, "x", (key,), real.prices, True, real.quota, real.concurrency
        )

    async def preview(*_asked: object) -> PromptPreview:
        return PromptPreview(HOSTILE, HOSTILE, HOSTILE, "nowhere", 1, 1, HOSTILE, HOSTILE, True, True, 1)

    async def trial(*_asked: object) -> EndpointTrial:
        return EndpointTrial(False, HOSTILE, HOSTILE, (TrialStep(HOSTILE, False, HOSTILE, HOSTILE, HOSTILE),))

    async def names() -> dict[int, str]:
        return {1: HOSTILE}

    async def models(_name: str) -> list[str]:
        return [HOSTILE, "plain"]

    async def plan(_request: RunRequest) -> RunPlan:
        raise VqaError(HOSTILE, hint=HOSTILE)

    for name, stand_in in (
        ("recipe_files", files), ("endpoint_files", files), ("try_endpoint", trial), ("offered_models", models),
    ):  # fmt: skip
        monkeypatch.setattr(services.library, name, stand_in)
    for name, other in (("endpoint_facts", facts), ("preview", preview), ("run_names", names)):
        monkeypatch.setattr(starting, name, other)
    monkeypatch.setattr(services, "plan", plan)
    like = RunRequest("bags", HOSTILE, HOSTILE, model=HOSTILE, like=1)
    async with wizard_of(workshop, size, like) as driver:
        await driver.see("✖ [/nope]")
        check(driver.app, screen_text)
        await driver.press("2")
        await driver.see("System", "[/nope]")
        check(driver.app, screen_text)
        await driver.take("broken")
        check(driver.app, screen_text)
        await driver.press("3")
        await driver.see("address")
        check(driver.app, screen_text)
        await driver.press("t")
        await driver.see("it does not work")
        check(driver.app, screen_text)
        await driver.press("m")
        await driver.see("2 offered")
        check(driver.app, screen_text)
        await driver.press("escape", "4")
        await driver.see("Hedge")
        driver.wizard.query_one("#size-name", Input).value = HOSTILE
        await driver.pilot.pause()
        check(driver.app, screen_text)


async def test_q_leaves_the_wizard_alone_and_asks_where_answers_would_be_lost(workshop: Workshop) -> None:
    await workshop.dataset()
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.at(Step.RECIPE)
        await driver.press("q")
        await driver.see("Leave the wizard?")
        await driver.press("n")
        await driver.at(Step.RECIPE)
        assert driver.wizard.form.dataset == "bags"
        await driver.press("q")
        await driver.see("Leave the wizard?")
        await driver.press("y")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, RunsScreen))
        assert driver.app.is_running
        await driver.press("n")
        await driver.at(Step.DATASET)
        await driver.press("q")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, RunsScreen))
        assert driver.app.is_running
