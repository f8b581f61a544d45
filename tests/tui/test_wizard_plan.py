"""The end of the wizard: fields, the plan and its sizes, starting once, and runs like other runs."""

import asyncio
from decimal import Decimal

import pytest
from textual.widgets import Button, Checkbox, Input

from tests.tui.conftest import until
from tests.tui.wizard_driver import SIZES, wizard_of
from tests.tui.workshop import Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.plan import RunPlan
from vqa_tui.operations.planning import RunRequest
from vqa_tui.store import runs
from vqa_tui.tui.present.wizard_lines import Step
from vqa_tui.tui.screens.dashboard import DashboardScreen


async def test_fields_are_checked_as_they_are_typed_and_enter_goes_through_them(workshop: Workshop) -> None:
    await workshop.dataset(2)
    await workshop.run(name="taken")
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.take("stcray")
        await driver.take("embedded")
        await driver.at(Step.SIZE)
        await driver.focus_on("size-limit")
        await driver.press(*"few")
        await driver.see("✖ pictures: 'few' is not a whole number")
        await driver.press("ctrl+n")
        await driver.see("Mend this first: pictures")
        assert driver.wizard.step is Step.SIZE
        driver.wizard.query_one("#size-limit", Input).value = ""
        driver.wizard.query_one("#size-name", Input).value = "taken"
        await driver.see("✖ there is already a run named")
        driver.wizard.query_one("#size-name", Input).value = ""
        driver.wizard.query_one("#size-limit", Input).focus()
        for field in ("pilot", "budget", "concurrency", "max_side", "hedge"):
            await driver.press("enter")
            await driver.focus_on(f"size-{field}")
        await driver.press("space")
        assert driver.wizard.query_one("#size-hedge", Checkbox).value and "[x] stragglers" in driver.text
        await driver.press("tab", *"5x")
        await driver.see("✖ pairs: '5x' is not a whole number")
        await driver.press("backspace", "enter", *"0.3", "enter", "7")
        await driver.see("all pictures are asked: none is drawn")
        await driver.press("backspace", "enter")
        await driver.focus_on("size-name")
        await driver.press("enter")
        await driver.at(Step.PLAN)
        request = driver.wizard.form.request()
        assert (request.hedge, request.pairs, request.structured_ratio) == (True, 5, 0.3)
    assert [name for _id, name in await runs.run_names(workshop.workspace.db)] == ["taken"]


async def test_what_was_typed_last_counts_though_the_next_key_leaves_at_once(workshop: Workshop) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop) as driver:
        await driver.take("bags")
        await driver.take("caption")
        await driver.take("embedded")
        await driver.at(Step.SIZE)
        driver.wizard.query_one("#size-budget", Input).value = "7"
        driver.wizard.action_next()
        assert driver.wizard.step is Step.PLAN and driver.wizard.form.budget == "7"


async def test_a_size_is_taken_from_the_table_and_planned_anew(workshop: Workshop) -> None:
    await workshop.dataset(2)
    async with wizard_of(workshop) as driver:
        await driver.to_the_plan()
        await driver.see("longest side", "384 px")
        await driver.press("g", "enter")
        await until(
            driver.pilot, lambda: driver.wizard.made_plan is not None and driver.wizard.made_plan.max_side == 384
        )
        assert driver.wizard.form.max_side == "384"
        await driver.press("4")
        await driver.see("▸4 size")
        assert driver.wizard.query_one("#size-max_side", Input).value == "384"


async def test_a_long_plan_can_be_left_and_is_not_waited_for(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    cancelled: list[bool] = []

    async def plan(request: RunRequest) -> RunPlan:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        raise AssertionError

    monkeypatch.setattr(workshop.services, "plan", plan)
    async with wizard_of(workshop) as driver:
        await driver.to_the_plan()
        await driver.see("counting the pictures")
        await driver.press("ctrl+s")
        await driver.see("There is no plan yet")
        await driver.press("escape")
        await driver.at(Step.SIZE)
        await until(driver.pilot, lambda: cancelled == [True])


async def test_a_second_press_starts_no_second_run(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    await workshop.dataset(2)
    services = workshop.services
    may_go_on, created, create = asyncio.Event(), list[int](), services.create

    async def slow(request: RunRequest) -> int:
        created.append(run_id := await create(request))
        await may_go_on.wait()
        return run_id

    async def start_engine(run_id: int) -> None:
        raise VqaError("the engine did not start (exit 2)", hint="no key in GEMINI_API_KEY")

    monkeypatch.setattr(services, "create", slow)
    monkeypatch.setattr(services, "start_engine", start_engine)
    async with wizard_of(workshop) as driver:
        await driver.to_the_plan()
        await driver.start()
        await driver.press("ctrl+s", "ctrl+s", "escape", "1")
        await driver.see("starting the engine")
        assert driver.wizard.step is Step.PLAN and driver.wizard.query_one("#start", Button).disabled
        may_go_on.set()
        await until(driver.pilot, lambda: isinstance(driver.app.screen, DashboardScreen))
        await driver.see("no key in GEMINI_API_KEY")
        assert created == [1]


async def test_after_a_refusal_the_run_can_be_started(
    workshop: Workshop, engines: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    create = workshop.services.create

    async def refuse(request: RunRequest) -> int:
        raise VqaError("the disk is [/] full")

    async with wizard_of(workshop) as driver:
        await driver.to_the_plan()
        monkeypatch.setattr(workshop.services, "create", refuse)
        await driver.start()
        await driver.see("✖ the disk is [/] full")
        monkeypatch.setattr(workshop.services, "create", create)
        driver.wizard.query_one("#start", Button).focus()
        await driver.press("enter")
        await until(driver.pilot, lambda: isinstance(driver.app.screen, DashboardScreen))
        assert engines == [1]


async def test_what_keeps_a_run_from_being_planned_stands_in_the_plan(workshop: Workshop) -> None:
    like = RunRequest("gone", "caption", "embedded")
    async with wizard_of(workshop, like=like) as driver:
        await driver.see("▸5 plan", "✖ there is no dataset named gone")
        await driver.press("ctrl+s")
        await driver.see("There is no plan yet")


async def test_the_cap_can_be_read_where_the_answers_are_cut_off(workshop: Workshop) -> None:
    await workshop.dataset(2, "a-dataset-with-a-name-that-is-long")
    like = RunRequest("a-dataset-with-a-name-that-is-long", "general-vqa", "embedded", budget_usd=Decimal("0.25"))
    async with wizard_of(workshop, like=like) as driver:
        await driver.see("longest side", "─ cap $0.25 ─")
        await driver.press("4")
        await driver.at(Step.SIZE)
        driver.wizard.query_one("#size-budget", Input).value = ""
        await driver.press("ctrl+n")
        await driver.see("longest side", "─ no cap ─")


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_like_another_opens_on_its_plan_with_every_step_reachable(
    workshop: Workshop, engines: list[int], size: tuple[int, int]
) -> None:
    await workshop.dataset()
    first = await workshop.run()
    await workshop.services.set_limits(first, {"budget": "3"})
    like = await workshop.services.starting.request_like(first)
    async with wizard_of(workshop, size, like) as driver:
        await driver.see("▸5 plan", "like first", "12 pictures", "cap $3")
        for key, step in (("1", Step.DATASET), ("4", Step.SIZE)):
            await driver.press(key)
            await driver.at(step)
        assert driver.wizard.query_one("#size-budget", Input).value == "3"
        await driver.press("ctrl+n")
        await driver.see("▸5 plan", "longest side")
        await driver.start()
        await until(driver.pilot, lambda: engines == [2])
    assert (await workshop.services.run_view(2)).limits.budget_usd == Decimal(3)
