"""The wizard as a person meets it: keys go in, what stands on the screen comes out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.tui.conftest import screen_text, until
from tests.tui.workshop import Workshop
from vqa_tui.operations.planning import RunRequest
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.wizard_lines import Step
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.wizard import NewRunWizard
from vqa_tui.tui.widgets.choice_list import ChoiceList

SIZES = [(80, 24), (200, 50)]


class Driver:
    """The wizard as a person meets it: keys go in, what stands on the screen comes out."""

    def __init__(self, app: VqaApp, pilot: "Pilot[None]", workshop: Workshop) -> None:
        self.app, self.pilot, self.workshop = app, pilot, workshop

    @property
    def wizard(self) -> NewRunWizard:
        assert isinstance(self.app.screen, NewRunWizard)
        return self.app.screen

    @property
    def text(self) -> str:
        return screen_text(self.app)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def see(self, *words: str) -> None:
        await until(self.pilot, lambda: all(word in self.text for word in words))

    async def at(self, step: Step) -> None:
        await until(self.pilot, lambda: isinstance(self.app.screen, NewRunWizard) and self.app.screen.step is step)

    async def focus_on(self, name: str) -> None:
        await until(self.pilot, lambda: self.app.focused is not None and self.app.focused.id == name)

    async def take(self, name: str) -> None:
        """Take a row of the list that is shown."""
        choices = self.wizard.query_one(f"#step-{self.wizard.step.word}").query_one(ChoiceList)
        await until(self.pilot, lambda: name in [row.id for row in choices.table.rows])
        choices.put_cursor(name)
        choices.focus_rows()
        await self.press("enter")

    async def start(self) -> None:
        """Press the key that starts the run, once the plan is there."""
        await until(self.pilot, lambda: self.wizard.reason("start") is None)
        await self.press("ctrl+s")

    async def to_the_plan(self) -> None:
        await self.take("bags")
        await self.at(Step.RECIPE)
        await self.take("caption")
        await self.at(Step.ENDPOINT)
        await self.take("embedded")
        await self.at(Step.SIZE)
        await self.press("ctrl+n")
        await self.at(Step.PLAN)


@asynccontextmanager
async def wizard_of(
    workshop: Workshop, size: tuple[int, int] = (80, 24), like: RunRequest | None = None
) -> AsyncIterator[Driver]:
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        driver = Driver(app, pilot, workshop)
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        if like is None:
            await pilot.press("n")
        else:
            app.push_screen(NewRunWizard(workshop.services, like))
        await until(pilot, lambda: isinstance(app.screen, NewRunWizard))
        yield driver
