"""Fixtures of the TUI tests: services without a workspace, fed with hand-made views."""

import asyncio
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from textual.pilot import Pilot

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Box, GroundTruth, Item, PictureFacts, ReferenceQuestion
from vqa_tui.domain.run import (
    CostView,
    Counts,
    EngineState,
    EngineView,
    EventView,
    Intent,
    KeyView,
    LatencyView,
    Limits,
    Phase,
    PilotView,
    RateView,
    RunSummary,
    RunView,
    SlotView,
    TaskStatus,
    TokensView,
)
from vqa_tui.domain.sample import Sample
from vqa_tui.domain.task import Attempt, TaskDetail, TaskFilter, TaskRow
from vqa_tui.operations.planning import RunPlan, RunRequest
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.export_result import ExportResult
from vqa_tui.tui.present.seen import RunLine
from vqa_tui.tui.services import Choice, Choices, FormatChoice, Services

NOW = 1_790_000_000.0
_WAIT_S = 20.0


def make_view(**changes: Any) -> RunView:
    """A run in full flight."""
    now = time.time()
    history = tuple(4.0 + (i * 7 % 13) / 10 + (1.5 if i % 40 > 30 else 0) for i in range(120))
    view = RunView(
        id=1,
        name="stcray-train",
        dataset="stcray",
        recipe="stcray",
        endpoint="gemini",
        model="gemini-2.5-flash",
        phase=Phase.RUNNING,
        phase_reason="",
        intent=Intent.RUN,
        created_at=now - 4_000,
        started_at=now - 3_900,
        ended_at=None,
        limits=Limits(budget_usd=Decimal("10"), concurrency=16),
        counts=Counts(pending=16_541, leased=14, done=13_474, failed=13, skipped=2),
        samples=40_422,
        cost=CostView(
            spent=Decimal("1.8412"), reserved=Decimal("0.0021"), uncertain=Decimal("0.0004"),
            projected=Decimal("4.1131"), cap=Decimal("10"),
        ),
        tokens=TokensView(input=24_100_000, output=3_900_000),
        rate=RateView(per_second=4.98, history=history),
        latency=LatencyView(p50_ms=812, p95_ms=1_930),
        keys=(
            KeyView("a", "project-1", "ok", requests=7_411, errors=2, rate_limited=12, spent=Decimal("1.0231"),
                    in_flight=8, used_this_minute=58, requests_per_minute=60, mean_latency_ms=790),
            KeyView("b", "project-2", "cooling", reason="requests/min", until=now + 12, requests=6_082, errors=0,
                    rate_limited=29, spent=Decimal("0.8181"), in_flight=6, used_this_minute=60,
                    requests_per_minute=60, mean_latency_ms=840),
            KeyView("old", "project-3", "off", reason="401 key not valid", requests=3, errors=3, rate_limited=0,
                    in_flight=0, used_this_minute=0, requests_per_minute=60),
        ),
        failures={"bad_reply": 9, "bad_image": 4},
        attempt_failures={"rate_limited": 41, "bad_reply": 27, "server": 12, "bad_image": 4},
        eta_s=3_312.0,
        why_idle="2 of 16 slots wait for key b (requests/min) until 14:02:17",
        engine=EngineView(EngineState.ALIVE, pid=4_711, heartbeat_age_s=0.3, session_started_at=now - 2_723),
        in_flight=tuple(
            SlotView(20_000 + i, f"BOP{i:03}_Battery/scan_{i}.jpg", "ab"[i % 2], 0.2 + i * 0.31) for i in range(14)
        ),
        events=(
            EventView(9, now - 4, "warning", "key b cools down for 12 s: requests/min"),
            EventView(8, now - 61, "info", "rate limit of key a lifted"),
            EventView(3, now - 300, "action", "someone: concurrency 12 -> 16"),
            EventView(7, now - 1_200, "error", "key old is off: 401 key not valid"),
            EventView(6, now - 2_723, "info", "engine started, 3 keys, 16 slots"),
        ),
    )  # fmt: skip
    return replace(view, **changes)


def make_awaiting(**changes: Any) -> RunView:
    """A run whose pilot is over."""
    pilot = PilotView(10, 10, Decimal("0.000137"), Decimal("4.1131"), 6_100.0)
    view = make_view(
        phase=Phase.AWAITING_APPROVAL, phase_reason="pilot done: 10 of 10", pilot=pilot, in_flight=(), why_idle="",
        counts=Counts(pending=30_034, done=9, failed=1), failures={"bad_reply": 1}, attempt_failures={"bad_reply": 4},
        samples=27,
    )  # fmt: skip
    return replace(view, **changes)


def make_lost(**changes: Any) -> RunView:
    """A run whose engine was killed."""
    engine = EngineView(EngineState.LOST, heartbeat_age_s=35.0)
    return replace(make_view(engine=engine, in_flight=(), why_idle="", rate=RateView(), eta_s=None), **changes)


def summary_of(view: RunView) -> RunSummary:
    return RunSummary(
        view.id, view.name, view.dataset, view.recipe, view.endpoint, view.phase, view.phase_reason, view.counts,
        view.cost.spent, view.cost.cap, view.engine.state, view.created_at,
    )  # fmt: skip


def make_row(task_id: int, status: TaskStatus | None = None) -> TaskRow:
    """A row whose fate follows from its id, so that filters have something to find."""
    fates = (TaskStatus.DONE, TaskStatus.DONE, TaskStatus.PENDING, TaskStatus.FAILED, TaskStatus.LEASED)
    status = status or fates[task_id % 5]
    failed, done = status is TaskStatus.FAILED, status is TaskStatus.DONE
    return TaskRow(
        task_id, f"BOP{task_id:05}_Battery/scan_{task_id}.jpg", status, "bad_reply" if failed else None,
        4 if failed else 1 if done else 0, Decimal("0.000137") if done else Decimal(0), 3 if done else 0,
        NOW - task_id if failed or done else None,
    )  # fmt: skip


def make_detail(row: TaskRow, picture: str, **changes: Any) -> TaskDetail:
    """A task with everything that the inspector can show."""
    truth = GroundTruth(
        categories=("Battery", "Knife"),
        boxes=(
            Box(label="Battery", x=118, y=55, width=112, height=95),
            Box(label="Knife", x=20, y=180, width=60, height=30),
        ),
        captions=("A suitcase with a battery beside clothes.",),
        questions=(ReferenceQuestion(question="How many items?", answer="2"),),
    )
    item = Item(
        row.id, 1, row.item_key, row.item_key, PictureFacts("JPEG", 640, 480, 48_213, "ab" * 32, 1, 1), "train", truth
    )
    failed = row.status is TaskStatus.FAILED
    attempts = [
        Attempt(1, 1, "a", NOW - 90, 840.0, 200, "bad_reply", "no JSON list in the reply", 1_580, 40,
                Decimal("0.000137"), Decimal(0), "stop", "gemini-2.5-flash", "req-1", "Sorry: it is a battery."),
        Attempt(2, 1, "b", NOW - 60, 912.0, 200 if not failed else 503, "ok" if not failed else "server",
                "" if not failed else "overloaded", 1_580, 190, Decimal("0.000152"), Decimal(0), "stop",
                "gemini-2.5-flash", "req-2",
                '[{"question": "Where is the battery?", "answer": "In the upper left.", "question_type": "location"}]'),
    ]  # fmt: skip
    samples = (
        Sample(1, 0, "Where is the battery?", "In the upper left of the suitcase.", "location", (), None),
        Sample(2, 1, "How many threat items are there?", "Two.", "count", ("short_answer",), "accepted"),
    )
    prompt = "You look at X-ray scans of baggage.\n\nGround truth:\n- items: Battery; Knife\nWrite exactly 3 pairs."
    detail = TaskDetail(row, item, picture, prompt, tuple(attempts), () if failed else samples)
    return replace(detail, **changes)


class FakeServices(Services):
    """The services without a workspace: answers from what a test put in, and remembers what was wanted."""

    def __init__(self, *views: RunView, picture: str = "", tasks: int = 500) -> None:
        self.views = {view.id: view for view in views}
        self.picture = picture
        self.total = tasks
        self.version = 1
        self.wanted: list[tuple[Any, ...]] = []
        self.refusal: VqaError | None = None
        self.rows_read = 0
        self.gone: VqaError | None = None
        self.crashes = Path("crashes")
        self.remade_row: Callable[[int], TaskRow] = make_row
        self.remade_detail: Callable[[TaskRow, str], TaskDetail] = make_detail
        self.offered = Choices(
            (Choice("stcray", "30044 pictures"),),
            (Choice("caption"), Choice("stcray", "X-ray baggage")),
            (Choice("embedded"), Choice("gemini")),
        )
        self.plan_answer = RunPlan(30_044, 420.0, 258.0, 300.0, Decimal("0.000137"), Decimal("4.116"), 30_044.0, ())

    def change(self, run_id: int = 1, **changes: Any) -> None:
        """Let the run be another; the version moves as if an engine had written."""
        self.views[run_id] = replace(self.views[run_id], **changes)
        self.version += 1

    def _note(self, *what: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.wanted.append(what)

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

    async def data_version(self) -> int:
        return self.version

    async def runs(self) -> tuple[RunLine, ...]:
        alive = EngineState.ALIVE
        return tuple(RunLine(summary_of(v), v if v.engine.state is alive else None) for v in self.views.values())

    async def run_view(self, run_id: int) -> RunView:
        if run_id not in self.views:
            raise VqaError(f"there is no run {run_id}")
        return self.views[run_id]

    async def choices(self) -> Choices:
        return self.offered

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
        return self.views[run_id].limits

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

    async def retry_tasks(self, run_id: int, ids: Sequence[int]) -> int:
        self._note("retry_tasks", list(ids))
        return len(ids)

    async def export(
        self, run_id: int, form: str, out: Path, split: tuple[float, float] | None, grouped: bool
    ) -> ExportResult:
        self._note("export", form, str(out), split, grouped)
        checks = ((True, "every picture opens"), (False, "answers are long enough"))
        return ExportResult(9, 27, (str(out),), f"{out}.manifest.json", ("4 of 30 are not in the file: failed",), False,
                            checks, (f"{out.name}, line 3: answer is empty",), 12)  # fmt: skip

    def export_formats(self) -> tuple[FormatChoice, ...]:
        return (
            FormatChoice("qwen", "JSON Lines of conversations", ".jsonl"),
            FormatChoice("flat", "one pair a line", ".json", False),
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
    """Wait for a fact, with a deadline; show the screen when it does not come."""
    deadline = time.monotonic() + _WAIT_S
    while not fact():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain; the screen shows:\n" + screen_text(pilot.app))
        await pilot.pause()
        await asyncio.sleep(0.01)


def screen_text(app: Any) -> str:
    """The characters on the screen, line by line."""
    width, height = app.size
    compositor = app.screen._compositor
    strips = compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).ljust(width) for strip in strips[:height])


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
