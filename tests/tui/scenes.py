"""The scenes of which pictures are kept: what each screen shows of one workspace, or of made-up runs."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.course_points import steady
from tests.tui.conftest import FakeServices, until
from tests.tui.fake_history import FakeHistory
from tests.tui.made_tasks import NOW
from tests.tui.made_trainings import ended, keep_evaluation, made_course, made_evaluation, make_training
from tests.tui.made_views import make_awaiting, make_lost, make_view
from tests.tui.stage import Stage
from tests.tui.wizard_driver import Driver
from tests.tui.workshop import BAD_REPLY, DONE, SERVER, Fate
from vqa_tui.domain.course import FailuresUntil, LogEntry, MomentFacts
from vqa_tui.domain.run import Counts, Phase
from vqa_tui.domain.sample import Pair, SampleFlag
from vqa_tui.tui.present.wizard_lines import Step
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.widgets.run_table import RunTable

Scene = Callable[[Stage], Awaitable[None]]
SMALL, LARGE = (80, 24), (200, 50)
BOTH = (SMALL, LARGE)
SCENES: dict[str, tuple[Scene, tuple[tuple[int, int], ...]]] = {}

WHERE = Pair(
    "Where in the suitcase is the battery?", "In the upper left, beside a folded pair of trousers.", "location"
)
COUNT = Pair("How many prohibited items are there?", "Two.", "count", (SampleFlag.SHORT_ANSWER,))
WHICH = Pair("Which items should an officer look at by hand?", "The battery and the knife at the right.", "reasoning")
WRITTEN = Fate(pairs=(WHERE, COUNT, WHICH), reply="Battery, upper left; knife, right.")
FOREIGN = Fate(
    pairs=(
        Pair("スーツケースの中に何がありますか。", "左上に電池、右側にナイフがあります。🔋🔪", "location"),
        Pair("ماذا يوجد في الحقيبة؟", "بطارية في أعلى اليسار وسكين على اليمين.", "location"),
        Pair("手荷物に禁止物品は何個ありますか。", "二個 👩‍👩‍👧 é", "count"),
    ),
    reply="电池 🔋 和刀 🔪 : \u202eevil",
)
FATES = (WRITTEN, BAD_REPLY, WRITTEN, SERVER, DONE, replace(SERVER, problem="503: upstream 4 overloaded"), WRITTEN)


def scene(*sizes: tuple[int, int]) -> Callable[[Scene], Scene]:
    """Keep pictures of a scene at these sizes."""

    def keep(function: Scene) -> Scene:
        SCENES[function.__name__] = (function, sizes)
        return function

    return keep


def _past() -> FakeServices:
    """A run in full flight, with five recorded minutes and what happened in them."""
    fake = FakeServices(make_view())
    start = int(NOW) - 300
    history = FakeHistory()
    fake.history = history
    history.points = steady(start, 300)
    history.log = tuple(
        LogEntry(number, start + 100.0 * number, level, words)
        for number, level, words in (
            (2, "warning", "key b cools down for 12 s: requests/min"),
            (1, "action", "someone: concurrency 12 -> 16"),
            (0, "info", "engine started, 3 keys, 16 slots"),
        )
    )
    history.facts = MomentFacts(history.log[1:], FailuresUntil({"server": 6}, {"bad_reply": 2}), Decimal("2.50"))
    return fake


async def _dataset(stage: Stage) -> None:
    """Import drawn pictures; how many bytes they take hangs on the version of zlib."""
    await stage.workshop.dataset(24)
    async with stage.workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE item SET size_bytes = 48213")


async def _workspace(stage: Stage, fates: tuple[Fate, ...] = FATES, phase: Phase = Phase.STOPPED) -> int:
    await _dataset(stage)
    return await stage.workshop.run(fates, name="bags-general", recipe="general-vqa", phase=phase)


@scene(*BOTH)
async def runs(stage: Stage) -> None:
    views: list[Any] = [
        make_view(id=4),
        make_awaiting(id=3, name="stcray-pilot", created_at=NOW - 9_000),
        make_lost(id=2, name="night-shift", created_at=NOW - 90_000),
        make_view(
            id=1, name="captions-of-march", phase=Phase.DONE, counts=Counts(done=30_040, failed=4), recipe="caption",
            created_at=NOW - 700_000, in_flight=(), why_idle="",
        ),
    ]  # fmt: skip
    await stage.open(FakeServices(*views))
    await stage.see("captions-of-march")


@scene(SMALL)
async def welcome(stage: Stage) -> None:
    stage.workshop.services.greets = True
    await stage.open(stage.workshop.services)
    await stage.see("Welcome to vqa-tui")


async def _wizard(stage: Stage) -> Driver:
    await _dataset(stage)
    await stage.open(stage.workshop.services)
    await stage.press("n")
    driver = Driver(stage.app, stage.pilot, stage.workshop)
    await driver.at(Step.DATASET)
    return driver


@scene(*BOTH)
async def wizard_recipe(stage: Stage) -> None:
    driver = await _wizard(stage)
    await driver.take("bags")
    await driver.at(Step.RECIPE)
    await stage.see("general-vqa")


@scene(*BOTH)
async def wizard_plan(stage: Stage) -> None:
    driver = await _wizard(stage)
    await driver.to_the_plan()


@scene(*BOTH)
async def dashboard(stage: Stage) -> None:
    await stage.open(FakeServices(make_view()), 1)
    await stage.see("engine started")


@scene(SMALL)
async def dashboard_light(stage: Stage) -> None:
    await stage.open(FakeServices(make_view()), 1, theme="textual-light")
    await stage.see("engine started")


@scene(SMALL)
async def approval(stage: Stage) -> None:
    await stage.open(FakeServices(make_awaiting()), 1)
    await stage.see("pilot")


@scene(LARGE)
async def zoomed_cost(stage: Stage) -> None:
    fake = _past()
    await stage.open(fake, 1)
    await stage.press("tab", "tab", "z")
    await stage.see("below the cap")


@scene(SMALL)
async def past(stage: Stage) -> None:
    await stage.open(_past(), 1)
    await stage.press("home")
    await stage.see("End for now")
    await stage.press("right_curly_bracket")
    await stage.see("concurrency 12")


async def _items(stage: Stage, fates: tuple[Fate, ...] = FATES) -> ItemsScreen:
    await stage.open(stage.workshop.services, await _workspace(stage, fates))
    await stage.press("3")
    await stage.see("images/00001.png")
    screen = stage.app.screen
    assert isinstance(screen, ItemsScreen)
    return screen


@scene(*BOTH)
async def items(stage: Stage) -> None:
    await _items(stage)


@scene(SMALL)
async def item(stage: Stage) -> None:
    await _items(stage)
    await stage.press("enter")
    await stage.see("1 of 24")


@scene(SMALL)
async def item_foreign(stage: Stage) -> None:
    await _items(stage, (FOREIGN,))
    await stage.press("enter")
    await stage.see("電池")


@scene(SMALL)
async def ask_again(stage: Stage) -> None:
    await _items(stage)
    await stage.press("j", "A")
    await stage.see("okens")


@scene(SMALL)
async def items_help(stage: Stage) -> None:
    await _items(stage)
    await stage.press("question_mark")
    await stage.see("narrow by key or word")


@scene(*BOTH)
async def failures(stage: Stage) -> None:
    await stage.open(stage.workshop.services, await _workspace(stage))
    await stage.press("4")
    await stage.see("no JSON list")


@scene(*BOTH)
async def review(stage: Stage) -> None:
    await stage.open(stage.workshop.services, await _workspace(stage))
    await stage.press("5")
    await stage.see("prohibited items")


@scene(*BOTH)
async def training(stage: Stage) -> None:
    await make_training(stage.workshop, 1, "loaded 9 pairs\n", phase="failed", reason="the disk is full", step=3)
    steps = "".join(f"step {n}  loss {2 / n:.3f}\n" for n in range(1, 60))
    told = [*made_course(40), ended(40, "stopped")]
    await make_training(stage.workshop, 2, steps, phase="stopped", reason="by a person", step=40, told=told)
    keep_evaluation(stage.workshop, 2, made_evaluation())
    await stage.open(stage.workshop.services)
    await stage.see("No run yet")
    await stage.press("6")
    await stage.see("step 40 of 60")


@scene(SMALL)
async def settings(stage: Stage) -> None:
    await stage.open(FakeServices(make_view()))
    stage.app.action_open("settings")
    await stage.see("theme")


@scene(LARGE)
async def datasets(stage: Stage) -> None:
    await _workspace(stage)
    await stage.open(stage.workshop.services)
    stage.app.action_open("datasets")
    await stage.see("Categories", "up to")


async def _past_the_welcome(stage: Stage) -> None:
    """Open an empty workspace and leave its greeting."""
    stage.workshop.services.greets = True
    await stage.open(stage.workshop.services)
    await stage.see("Welcome to vqa-tui")
    await stage.press("escape")


@scene(SMALL)
async def endpoints(stage: Stage) -> None:
    await _past_the_welcome(stage)
    stage.app.action_open("endpoints")
    await stage.see("cloudera")


@scene(SMALL)
async def recipes(stage: Stage) -> None:
    await _past_the_welcome(stage)
    stage.app.action_open("recipes")
    await stage.see("paligemma-answer")


@scene(LARGE)
async def compare(stage: Stage) -> None:
    await _workspace(stage)
    await stage.workshop.run((DONE, BAD_REPLY, WRITTEN, DONE, DONE), name="bags-second", recipe="general-vqa")
    await stage.open(stage.workshop.services)
    await stage.see("bags-second", "bags-general")
    await stage.press("space", "space")
    table = stage.app.screen.query_one(RunTable)
    await until(stage.pilot, lambda: len(table.marked) == 2)
    await stage.press("equals_sign")
    await stage.see("Agreement", "images/")
