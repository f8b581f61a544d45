"""Fixtures of the TUI tests: services without a workspace, fed with hand-made views."""

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from textual._context import visible_screen_stack
from textual._styles_cache import StylesCache
from textual.app import ScreenStackError
from textual.pilot import Pilot

from tests.tui.fake_history import FakeHistory
from tests.tui.made_tasks import make_detail, make_row
from tests.tui.made_views import make_awaiting, make_lost, make_view, summary_of
from tests.tui.workshop import Workshop, opened_workshop
from vqa_tui.domain.failure import RunGone, VqaError
from vqa_tui.domain.run import EngineState, Limits, RunSummary, RunView
from vqa_tui.domain.run_contents import DeletedRuns
from vqa_tui.domain.task import FilterValues, TaskDetail, TaskFilter, TaskRow, TaskSort
from vqa_tui.operations.items import TaskIds
from vqa_tui.operations.limits import LimitInForce
from vqa_tui.operations.planning import RunPlan, RunRequest
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.export_result import ExportResult
from vqa_tui.tui.present.notices import Notice
from vqa_tui.tui.present.seen import RunLine
from vqa_tui.tui.services import FormatChoice, Services
from vqa_tui.tui.services.run_edits import RunEdits

_WAIT_S = 20.0


class FakeRunEdits(RunEdits):
    """No run was ever deleted."""

    def __init__(self) -> None:
        pass

    async def deleted(self) -> DeletedRuns:
        return DeletedRuns()

    async def finish_deletions(self) -> int:
        return 0


class FakeServices(Services):
    """The services without a workspace: answers from what a test put in, and remembers what was wanted."""

    def __init__(self, *views: RunView, picture: str = "", tasks: int = 500) -> None:
        self.run_edits = FakeRunEdits()
        self.views = {view.id: view for view in views}
        self.picture = picture
        self.total = tasks
        self.version = 1
        self.wanted: list[tuple[Any, ...]] = []
        self.refusal: VqaError | None = None
        self.rows_read = 0
        self.new = False
        self.gone: VqaError | None = None
        self.crashes = Path("/nonexistent/crashes")
        self.remade_row: Callable[[int], TaskRow] = make_row
        self.remade_detail: Callable[[TaskRow, str], TaskDetail] = make_detail
        self.in_force: tuple[LimitInForce, ...] = (
            LimitInForce("budget", Decimal(10), None, True, "dollars that the run may spend", "an amount, or none"),
            LimitInForce("concurrency", 16, 16, False, "requests in flight at once", "a whole number"),
            LimitInForce("hedge", False, False, False, "whether a straggler is asked twice", "on or off"),
            LimitInForce("rpm.a", 60, 60, False, "requests/min of key a", "a whole number, or none"),
            LimitInForce("tpm.a", None, None, False, "tokens/min of key a", "a whole number, or none"),
        )
        self.history = FakeHistory()
        self.plan_answer = RunPlan(30_044, 420.0, 258.0, 300.0, Decimal("0.000137"), Decimal("4.116"), 30_044.0, ())

    async def claim_news(self, notice: Notice) -> bool:
        return True

    def change(self, run_id: int = 1, **changes: Any) -> None:
        """Let the run be another; the version moves as if an engine had written."""
        self.views[run_id] = replace(self.views[run_id], **changes)
        self.version += 1

    def _note(self, *what: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.wanted.append(what)

    async def trainings_at_work(self) -> list[str]:
        return []

    @property
    def place(self) -> str:
        return "/data/project/.vqa"

    def command(self, words: str) -> str:
        return f"vqa-tui {words}".strip()

    @property
    def crash_folder(self) -> Path:
        return self.crashes

    def require_workspace(self) -> None:
        if self.gone is not None:
            raise self.gone

    @property
    def at_work(self) -> tuple[str, ...]:
        return ()

    async def data_version(self) -> int:
        return self.version

    async def runs(self) -> tuple[RunLine, ...]:
        alive = EngineState.ALIVE
        return tuple(RunLine(summary_of(v), v if v.engine.state is alive else None) for v in self.views.values())

    async def run_view(self, run_id: int) -> RunView:
        if run_id not in self.views:
            raise RunGone(f"there is no run {run_id}")
        return self.views[run_id]

    async def summaries(self) -> list[RunSummary]:
        return [summary_of(view) for view in self.views.values()]

    async def is_new(self) -> bool:
        return self.new

    async def start_demo(self) -> int:
        self._note("start_demo")
        return next(iter(self.views))

    async def plan(self, request: RunRequest) -> RunPlan:
        if self.refusal is not None:
            raise self.refusal
        return self.plan_answer

    async def create(self, request: RunRequest) -> int:
        self._note("create", request)
        self.views[7] = make_view(id=7, name="new-run")
        return 7

    async def start_engine(self, run_id: int) -> None:
        self._note("start_engine", run_id)

    async def pause(self, run_id: int, *, cancel_in_flight: bool = False) -> None:
        self._note("pause", run_id, cancel_in_flight)

    async def resume(self, run_id: int) -> None:
        self._note("resume", run_id)

    async def stop(self, run_id: int) -> None:
        self._note("stop", run_id)

    async def approve(self, run_id: int) -> None:
        self._note("approve", run_id)

    async def retry_failed(self, run_id: int) -> int:
        self._note("retry_failed", run_id)
        return self.views[run_id].counts.failed

    async def set_limits(self, run_id: int, changes: Mapping[str, str]) -> Limits:
        self._note("set_limits", run_id, dict(changes))
        if "concurrency" in changes:
            self.change(
                run_id, limits=self.views[run_id].limits.model_copy(update={"concurrency": int(changes["concurrency"])})
            )
        for name, value in changes.items():
            self.in_force = tuple(
                replace(each, value=value, overridden=True) if each.name == name else each for each in self.in_force
            )
        return self.views[run_id].limits

    async def limits(self, run_id: int) -> tuple[LimitInForce, ...]:
        return self.in_force

    async def task_ids(self, run_id: int, chosen: TaskFilter) -> "array[int]":
        self._note("task_ids", chosen)
        every = range(1, self.total + 1)
        if chosen == TaskFilter():
            return array("q", every)
        return array("q", (i for i in every if _matches(self.remade_row(i), chosen)))

    async def task_rows(self, run_id: int, ids: Sequence[int]) -> dict[int, TaskRow]:
        self.rows_read += len(ids)
        return {task_id: self.remade_row(task_id) for task_id in ids}

    async def task_detail(self, run_id: int, task_id: int) -> TaskDetail:
        return self.remade_detail(self.remade_row(task_id), self.picture)

    async def task_ids_by_steps(self, run_id: int, chosen: TaskFilter, sort: TaskSort) -> AsyncIterator[TaskIds]:
        ids = await self.task_ids(run_id, chosen)
        if sort.descending:
            ids.reverse()
        yield TaskIds(ids, True)

    async def filter_values(self, run_id: int) -> FilterValues:
        return FilterValues(("a", "b"), ("train",), ("Battery", "Hair Dryer"))

    async def export(
        self,
        run_id: int,
        form: str,
        out: Path,
        split: Sequence[float] | None,
        grouped: bool,
        reviewed: str = "not-rejected",
        pictures: str = "in-place",
        most_pairs: int | None = None,
        stratified: bool = False,
        shard_size: int | None = None,
        seed: int | None = None,
        answer_types: str = "",
    ) -> ExportResult:
        self._note("export", form, str(out), split, grouped, reviewed)
        self.export_wishes = (pictures, most_pairs, stratified, shard_size, seed, answer_types)
        checks = ((True, "every picture opens"), (False, "answers are long enough"))
        return ExportResult(9, 27, (str(out),), f"{out}.manifest.json", ("4 of 30 are not in the file: failed",), False,
                            checks, (f"{out.name}, line 3: answer is empty",), 12)  # fmt: skip

    def export_formats(self) -> tuple[FormatChoice, ...]:
        return (
            FormatChoice("qwen", "JSON Lines of conversations", ".jsonl"),
            FormatChoice("flat", "one pair a line", ".json", False),
            FormatChoice("inline", "with the pictures in it", ".jsonl", True, True),
        )

    async def open_externally(self, path: str) -> None:
        self._note("open", path)


def _matches(row: TaskRow, chosen: TaskFilter) -> bool:
    return (
        (not chosen.statuses or row.status in chosen.statuses)
        and (not chosen.kinds or row.kind in chosen.kinds)
        and chosen.search in row.item_key
        and row.kind not in chosen.not_kinds
        and not any(words in row.item_key for words in chosen.not_search)
    )


async def until(pilot: "Pilot[None]", fact: Callable[[], object]) -> None:
    """Wait for a fact, with a deadline, and until a screen that came with it is composed; show the screen when it does
    not come."""
    deadline = time.monotonic() + _WAIT_S
    while not (fact() and _is_composed(pilot.app)):
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain; the screen shows:\n" + screen_text(pilot.app))
        await pilot.pause()
        await asyncio.sleep(0.01)


def _is_composed(app: Any) -> bool:
    """Whether the screen on top has its widgets; an app that has ended has no screen."""
    try:
        return bool(app.screen.is_mounted)
    except ScreenStackError:
        return True


def screen_text(app: Any) -> str:
    """The characters on the screen, line by line."""
    width, height = app.size
    # A dialog that is drawn without knowing what lies beneath keeps a blank ground from then on.
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).ljust(width) for strip in strips[:height])


@pytest.fixture(autouse=True)
def _answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests read a question before they press y: no time has to pass for that."""
    monkeypatch.setattr("vqa_tui.tui.screens.dialogs.READ_S", 0.0)


@pytest.fixture(autouse=True)
def closed_apps_forgotten() -> Iterator[None]:
    """Let go of what the widgets of closed apps had drawn: Textual keeps 1,024 of them for the process.

    Each search for garbage would go through all that they hold.
    """
    yield
    StylesCache.get_inner_outer.cache_clear()


@pytest.fixture(name="make_view")
def _make_view() -> Callable[..., RunView]:
    return make_view


@pytest.fixture
def picture(tmp_path: Path) -> str:
    """A small picture file."""
    image = Image.new("RGB", (640, 480), (24, 40, 72))
    draw = ImageDraw.Draw(image)
    draw.rectangle((118, 55, 230, 150), fill=(220, 140, 40))
    draw.ellipse((300, 180, 560, 420), fill=(60, 160, 120))
    path = tmp_path / "scan.jpg"
    image.save(path)
    return str(path)


@pytest.fixture
def running(picture: str) -> FakeServices:
    return FakeServices(make_view(), picture=picture)


@pytest.fixture
def app(running: FakeServices) -> VqaApp:
    """The app on the dashboard of a run in full flight."""
    return VqaApp(running, open_run=1)


@pytest.fixture(name="until")
def _until() -> Callable[..., Any]:
    return until


@pytest.fixture(name="screen_text")
def _screen_text() -> Callable[[Any], str]:
    return screen_text


@pytest.fixture(name="fake")
def _fake() -> type[FakeServices]:
    return FakeServices


@pytest.fixture(name="make_lost")
def _make_lost() -> Callable[..., RunView]:
    return make_lost


@pytest.fixture(name="make_awaiting")
def _make_awaiting() -> Callable[..., RunView]:
    return make_awaiting


@pytest.fixture(name="make_row")
def _make_row() -> Callable[..., TaskRow]:
    return make_row


@pytest.fixture(name="make_detail")
def _make_detail() -> Callable[..., TaskDetail]:
    return make_detail


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """A real workspace, with the services over it as the terminal app has them."""
    async with opened_workshop(tmp_path) as made:
        yield made


@pytest.fixture
def engines(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs whose engine was started; none really is."""
    started: list[int] = []

    async def start_engine(run_id: int) -> None:
        started.append(run_id)

    monkeypatch.setattr(workshop.services, "start_engine", start_engine)
    return started
