"""What the wizard lets one choose: datasets, recipes with their prompts, endpoints with keys, checks and models."""

import asyncio
from types import ModuleType
from typing import Any

import pytest
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tests.tui.conftest import until
from tests.tui.wizard_driver import Driver, wizard_of
from tests.tui.workshop import Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.endpoint_trial import EndpointTrial, TrialStep
from vqa_tui.tui.present.wizard_lines import Step
from vqa_tui.tui.screens.configs import ConfigsScreen
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.model_choice import ModelDialog
from vqa_tui.tui.screens.wizard import NewRunWizard
from vqa_tui.tui.widgets.choice_list import ChoiceList, ChoiceTable


async def test_without_a_dataset_the_wizard_says_how_to_get_one(workshop: Workshop) -> None:
    async with wizard_of(workshop) as driver:
        await driver.see("There is no dataset yet", "dataset import folder PATH", "vqa-tui demo")
        await driver.press("ctrl+n")
        await driver.see("There is nothing to choose")
        assert driver.wizard.step is Step.DATASET


class StandIn(ModalScreen[str | None]):
    """In place of the dialog that imports: imports at once, and answers the name."""

    answer: str | None = "bags"
    workshop: Workshop

    def compose(self) -> ComposeResult:
        yield Static("importing")

    async def key_y(self) -> None:
        if self.answer is not None:
            await self.workshop.dataset(3, self.answer)
        self.dismiss(self.answer)


@pytest.mark.parametrize("answer", ["bags", None])
async def test_a_dataset_is_imported_from_within(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, answer: str | None
) -> None:
    await workshop.dataset(name="older")
    module: Any = ModuleType("vqa_tui.tui.screens.import_dataset")
    StandIn.workshop, StandIn.answer = workshop, answer
    module.ImportDialog = lambda services: StandIn()
    monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
    async with wizard_of(workshop) as driver:
        await driver.see("older")
        wizard = driver.wizard
        await driver.press("i")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, StandIn))
        await driver.press("y")
        wanted = answer or "older"
        await until(driver.pilot, lambda: driver.app.screen is wizard)
        await until(driver.pilot, lambda: wizard.query_one("#datasets", ChoiceList).cursor_id == wanted)
        await driver.press("enter")
        await driver.see(f"{wanted} → no recipe yet", "Describe this picture")


async def test_the_prompt_follows_recipe_and_picture(workshop: Workshop) -> None:
    await workshop.dataset(3)
    async with wizard_of(workshop, (200, 50)) as driver:
        await driver.take("bags")
        await driver.see("Describe this picture", "images/00000.png")
        choices = driver.wizard.query_one("#recipes", ChoiceList)
        choices.put_cursor("stcray")
        await driver.see("X-ray baggage scan", "- items: Battery; Knife")
        await driver.press("right_square_bracket")
        await driver.see("images/00001.png")
        await driver.press("left_square_bracket", "left_square_bracket")
        await driver.see("images/00002.png")
        choices.put_cursor("caption")
        await driver.see("Describe this picture", "images/00002.png")


async def test_a_recipe_by_path_is_previewed_and_taken(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    await workshop.dataset(3)
    monkeypatch.setenv("HOME", str(workshop.folder))
    recipe = 'name: mine\nprompt: {user: Say hello to the knife.}\nreply: {kind: text, question: "What"}\n'
    (workshop.folder / "own.yaml").write_text(recipe)
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.see("or a path")
        line = driver.wizard.query_one("#recipes .path", Input)
        line.focus()
        line.value = "~/nope.yaml"
        await driver.press("enter")
        await driver.see("That did not work", "nope.yaml")
        line.value = "~/own.yaml"
        await driver.press("ctrl+n")
        await driver.see("Say hello to the knife.")
        await until(driver.pilot, lambda: isinstance(driver.app.focused, ChoiceTable))
        await driver.press("enter")
        await driver.see("bags → ~/own.yaml @")
        await driver.take("embedded")
        await driver.press("ctrl+n")
        await driver.see("3 pictures")


async def test_another_row_may_be_taken_while_a_path_is_read(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(3)
    own = workshop.folder / "own.yaml"
    own.write_text('name: mine\nprompt: {user: Say hello.}\nreply: {kind: text, question: "What"}\n')
    library = workshop.services.library
    read, reading, go_on = library.recipe_files, asyncio.Event(), asyncio.Event()

    async def read_slowly() -> Any:
        reading.set()
        await go_on.wait()
        return await read()

    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.see("or a path", "stcray")
        monkeypatch.setattr(library, "recipe_files", read_slowly)
        wizard = driver.wizard
        wizard.query_one("#recipes .path", Input).focus()
        await driver.press(*str(own), "enter")
        await until(driver.pilot, reading.is_set)
        await driver.take("stcray")
        await driver.at(Step.ENDPOINT)
        go_on.set()
        groups = {"path", "recipes"}
        await until(driver.pilot, lambda: all(each.is_finished for each in driver.app.workers if each.group in groups))
        choices = wizard.query_one("#recipes", ChoiceList)
        assert str(own) in [row.id for row in choices.table.rows]
        assert "unexpected" not in driver.text and wizard.form.recipe == "stcray"
        assert wizard.query_one("#step-endpoint").has_focus_within


async def test_a_recipe_that_cannot_be_loaded_says_why_and_is_not_taken(workshop: Workshop) -> None:
    await workshop.dataset(3)
    (workshop.folder / "recipes").mkdir()
    (workshop.folder / "recipes" / "aaa.yaml").write_text("name: aaa\nprmpt: {user: x}\n")
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.see("✖ aaa", "did you mean")
        await driver.take("aaa")
        await driver.see("cannot be used")
        assert driver.wizard.step is Step.RECIPE and driver.wizard.form.recipe is None


async def test_a_list_is_narrowed_by_typing_and_escape_widens_it_before_it_goes_back(workshop: Workshop) -> None:
    for name in ("bags", "boxes", "cases"):
        await workshop.dataset(2, name)
    async with wizard_of(workshop) as driver:
        await driver.see("bags", "boxes", "cases")
        await driver.press("slash", *"ox")
        table = driver.wizard.query_one("#datasets ChoiceTable", ChoiceTable)
        await until(driver.pilot, lambda: [row.id for row in table.rows] == ["boxes"])
        await driver.press(*"zzz")
        await driver.see("nothing holds what is typed")
        await driver.press("escape")
        await until(driver.pilot, lambda: len(table.rows) == 3)
        assert isinstance(driver.app.screen, NewRunWizard)
        await driver.press("slash", *"ox", "enter", "enter")
        await driver.see("boxes → no recipe yet")


async def test_what_is_typed_finds_a_name_before_a_description(workshop: Workshop) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.take("caption")
        await driver.see("▸3 endpoint")
        table = driver.wizard.query_one("#endpoints ChoiceTable", ChoiceTable)

        def on_row(name: str) -> bool:
            return table.cursor_id == name

        await driver.press("slash", *"embed")
        await until(driver.pilot, lambda: on_row("embedded"))
        assert table.rows[0].id == "demo"  # of which the description speaks of it
        await driver.press("escape")
        await until(driver.pilot, lambda: len(table.rows) > 5)
        await driver.pilot.pause()
        assert on_row("embedded")
        await driver.press("slash", *"open rout")
        await until(driver.pilot, lambda: on_row("openrouter"))
        driver.wizard.query_one("#endpoints", ChoiceList).put_cursor("vllm")
        await until(driver.pilot, lambda: len(table.rows) > 5)
        await driver.pilot.pause()
        assert on_row("vllm")
        await driver.press("escape", "slash", *"embed")
        await until(driver.pilot, lambda: on_row("embedded"))
        await driver.press("enter", "enter")
        await driver.see("bags → caption @ embedded")


async def test_an_endpoint_shows_its_keys_and_never_a_value(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    monkeypatch.setenv("VQA_TEST_KEY", "sk-planted-secret-value-123")
    monkeypatch.delenv("VQA_TEST_OTHER", raising=False)
    (workshop.folder / "endpoints").mkdir()
    (workshop.folder / "endpoints" / "aaa.yaml").write_text(
        "name: aaa\nbase_url: https://models.example.com/v1\nmodel: some-model\n"
        "keys: [{name: one, env: VQA_TEST_KEY}, {name: two, env: VQA_TEST_OTHER}]\n"
    )
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.take("caption")
        await driver.see("▲ 1 of 2 keys without a value", "✔ one", "✖ two", "some-model", "unknown: a budget cannot")
        await driver.take("aaa")
        await driver.at(Step.SIZE)
        driver.wizard.query_one("#size-budget", Input).value = "5"
        await driver.see("✖ the price of this model is unknown")
        assert "planted" not in driver.text and "planted" not in driver.app.export_screenshot()


async def test_an_endpoint_is_checked_once_for_real(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    await workshop.dataset(2)
    asked: list[tuple[str, str | None]] = []
    may_answer = asyncio.Event()

    async def try_endpoint(name: str, model: str | None = None) -> EndpointTrial:
        asked.append((name, model))
        await may_answer.wait()
        steps = (
            TrialStep("address", True, "it answers", "", ""),
            TrialStep("authorised", False, "the key is refused", "Set another key.", "a"),
        )
        return EndpointTrial(False, "http://127.0.0.1:1/v1", "m", steps)

    monkeypatch.setattr(workshop.services.library, "try_endpoint", try_endpoint)
    async with wizard_of(workshop) as driver:
        await at_the_embedded_endpoint(driver)
        await driver.press("t", "t")
        await driver.see("asking about one tiny picture")
        await driver.see("The endpoint is being asked.")
        may_answer.set()
        await driver.see(
            "✖ it does not work", "✔ address: it answers", "authorised (a): the key is refused", "→ Set another"
        )
        driver.wizard.query_one("#endpoints", ChoiceList).put_cursor("gemini")
        await until(driver.pilot, lambda: "it does not work" not in driver.text)
        driver.wizard.query_one("#endpoints", ChoiceList).put_cursor("embedded")
        await driver.see("the key is refused")
        assert asked == [("embedded", None)]


async def at_the_embedded_endpoint(driver: Driver) -> None:
    await driver.take("bags")
    await driver.take("caption")
    await driver.see("address")
    driver.wizard.query_one("#endpoints", ChoiceList).put_cursor("embedded")
    await driver.see("built in, on this computer")


async def test_another_model_is_picked_from_the_endpoints_list(
    workshop: Workshop, engines: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)

    async def offered_models(name: str) -> list[str]:
        return ["vqa-embedded-1", "vqa-large", "vqa-small"]

    monkeypatch.setattr(workshop.services.library, "offered_models", offered_models)
    async with wizard_of(workshop, (120, 30)) as driver:
        await at_the_embedded_endpoint(driver)
        await driver.press("m")
        await driver.see("Model of embedded", "3 offered", "vqa-large")
        await driver.press(*"small", "enter")
        await driver.see("vqa-small  instead of vqa-embedded-1")
        await driver.press("enter", "ctrl+n")
        await driver.see("bags → caption @ embedded vqa-small", "longest side")
        await driver.start()
        await until(driver.pilot, lambda: engines == [1])
    assert (await workshop.services.run_view(1)).model == "vqa-small"


async def test_a_model_can_be_typed_where_no_list_is_given(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    await workshop.dataset(2)

    async def offered_models(name: str) -> list[str]:
        raise VqaError("no key has a value", hint="export one")

    monkeypatch.setattr(workshop.services.library, "offered_models", offered_models)
    async with wizard_of(workshop, (120, 30)) as driver:
        await at_the_embedded_endpoint(driver)
        for typed, shown in (("qx", "qx  instead of vqa-embedded-1"), ("", "qx  instead of vqa-embedded-1")):
            await driver.press("m")
            await driver.see("no key has a value")
            await driver.press(*(typed or ""), "enter" if typed else "escape")
            await driver.see(shown)
        await driver.press("m")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, ModelDialog))
        await driver.press(*"vqa-embedded-1", "enter")
        await until(driver.pilot, lambda: "instead of" not in driver.text)
        assert driver.wizard.models["embedded"] is None


@pytest.mark.parametrize(
    ("step", "taken", "list_id"), [(2, ["bags"], "recipes"), (3, ["bags", "caption"], "endpoints")]
)
async def test_what_is_copied_while_the_wizard_is_open_can_be_chosen(
    workshop: Workshop, step: int, taken: list[str], list_id: str
) -> None:
    await workshop.dataset(3)
    async with wizard_of(workshop) as driver:
        for name in taken:
            await driver.take(name)
        await driver.at(Step(step))
        wizard, choices = driver.wizard, driver.wizard.query_one(f"#{list_id}", ChoiceList)
        await until(driver.pilot, lambda: len(choices.table.rows) > 2)
        choices.table.cursor = 2
        under = choices.cursor_id
        driver.app.action_open(list_id)
        screen = driver.app.screen
        assert isinstance(screen, ConfigsScreen)
        await until(driver.pilot, lambda: screen.chosen is not None)
        await driver.press("c")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, ValueDialog))
        driver.app.screen.query_one(Input).value = "a-copy"
        await driver.press("enter")
        await until(driver.pilot, lambda: screen.table.cursor_id == "a-copy")
        await workshop.dataset(2, "later")
        await driver.press("escape")
        await until(driver.pilot, lambda: driver.app.screen is wizard)
        await until(driver.pilot, lambda: "a-copy" in [row.id for row in choices.table.rows])
        assert choices.cursor_id == under
        datasets = wizard.query_one("#datasets", ChoiceList)
        assert [row.id for row in datasets.table.rows if row.id == "later"] and datasets.cursor_id == "bags"
        await driver.take("a-copy")
        await driver.at(Step(step + 1))
