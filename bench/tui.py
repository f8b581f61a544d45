"""The terminal app at a million tasks: what it reads, what it draws, and how soon, at rest and with an engine at work.

    python bench/tui.py [--items 1000000] [--rounds 3] [--quick]

A thousand drawn pictures are imported the usual way and their rows multiplied inside SQLite; of the run over them a
fifth is answered and a twentieth has failed, as if an engine had been at work for three hours. Everything is measured
once with no engine and once while one asks the rest at full speed on the same machine. Of the rounds the one with the
lowest figure is reported, since whatever else the machine does only adds to it; `load` is the machine's then (the mean
of a minute, so it has the benchmark's own work in it).
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from _crowd import crowded_run
from _stage import Server, Stage, draw_pictures, memory_of, process_cpu_s
from _terminal import Terminal
from _timing import percentiles, timed_ms
from _watching import engine_at_work, open_items, press_to_paint_ms, share_of_core, walk

from vqa_tui.domain.review import Order, ReviewFilter
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import BY_ID, SortField, TaskFilter, TaskSort
from vqa_tui.operations import failures, reviewing
from vqa_tui.operations.runs import run_view
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.store.tasks import task_id_pieces, task_ids, task_rows

PAGE = 50
AHEAD = 24
"""Pairs that the review screen looks up at once."""
_FAILED = TaskFilter(statuses=(TaskStatus.FAILED,))
_LISTS = {
    "ids_plain": (TaskFilter(), BY_ID),
    "ids_failed": (_FAILED, BY_ID),
    "ids_by_cost": (TaskFilter(), TaskSort(SortField.COST, descending=True)),
    "ids_failed_by_cost": (_FAILED, TaskSort(SortField.COST, descending=True)),
}
_MODES = {
    "1": r"─ Runs",
    "2": r"Throughput",
    "3": r"─ Inspector",
    "4": r"─ What went wrong",
    "5": r"› review",
    "6": r"› training",
}
"""By key: words that a mode draws and no other."""
_WALKED, _SWITCHED = 60, 8
"""Presses of `j`, and rounds through the six modes, of one round."""

Figure = dict[str, float]


def with_load(figure: Figure) -> Figure:
    return {**figure, "load": round(os.getloadavg()[0], 1)}


def quietest(found: Sequence[Figure]) -> Figure:
    """Return the round whose last figure (before the load) is lowest."""
    return min(found, key=lambda figure: list(figure.values())[-2])


async def first_and_all(workspace: Workspace, run_id: int, chosen: TaskFilter, sort: TaskSort) -> Figure:
    """Return the ms until the first page of a list of ids is there, and until all are."""
    began = time.perf_counter()
    first = 0.0
    async for _piece in task_id_pieces(workspace.db, run_id, chosen, sort):
        first = first or time.perf_counter() - began
    return {"first_ms": round(first * 1000, 1), "all_ms": round((time.perf_counter() - began) * 1000, 1)}


async def reads(workspace: Workspace, run_id: int, times: int) -> dict[str, Callable[[], Awaitable[Figure]]]:
    """Return what the app reads of the file, by name; each call measures one round."""
    ids = await task_ids(workspace.db, run_id, TaskFilter())
    table = await failures.failure_table(workspace, run_id)
    largest = max(table.clusters, key=lambda cluster: cluster.pictures)

    def page() -> Awaitable[object]:
        start = random.randrange(len(ids) - PAGE)
        return task_rows(workspace.db, run_id, ids[start : start + PAGE])

    def queue() -> Awaitable[object]:
        return reviewing.next_ids(workspace, run_id, Order.STRATIFIED, ReviewFilter(), count=AHEAD)

    def failure_table() -> Awaitable[object]:
        return failures.failure_table(workspace, run_id)

    def cluster_detail() -> Awaitable[object]:
        return failures.cluster_detail(workspace, run_id, largest)

    measures: dict[str, Callable[[], Awaitable[Figure]]] = {
        "view": lambda: timed_ms(times, lambda: run_view(workspace, run_id)),
        "page_of_50": lambda: timed_ms(times, page),
        "failure_table": lambda: timed_ms(times, failure_table),
        "failure_detail": lambda: timed_ms(times // 10, cluster_detail),
        "review_queue": lambda: timed_ms(times // 10, queue),
        "review_status": lambda: timed_ms(times // 10, lambda: reviewing.review_status(workspace, run_id)),
    }
    for name, (chosen, sort) in _LISTS.items():
        measures[name] = partial(first_and_all, workspace, run_id, chosen, sort)
    return measures


async def read_all(stage: Stage, run_id: int, rounds: int, times: int) -> dict[str, Figure]:
    async with open_workspace(stage.folder) as workspace:
        return {
            name: quietest([with_load(await measure()) for _ in range(rounds)])
            for name, measure in (await reads(workspace, run_id, times)).items()
        }


async def place_pairs_s(stage: Stage, run_id: int) -> float:
    """Return the seconds that giving all pairs their place takes, which the first review of a run begins with."""
    began = time.perf_counter()
    async with open_workspace(stage.folder) as workspace:
        await reviewing.place_pairs(workspace, run_id)
    return time.perf_counter() - began


def first_paint(stage: Stage, run: str) -> Figure:
    """Return the seconds from the start of the app's process until the run is on screen."""
    with Terminal(["--workspace", str(stage.workspace)]) as terminal:
        return {"s": round(terminal.until_words(run) - terminal.born, 2)}


def look_around(stage: Stage, run: str, rounds: int, seconds: float) -> dict[str, Figure]:
    """Open the app, stay on each screen for a while, walk through the items, switch the modes."""
    found = {"app_first_paint": quietest([with_load(first_paint(stage, run)) for _ in range(rounds)])}

    def share() -> Figure:
        return quietest([with_load({"share": round(share_of_core(terminal, seconds), 3)}) for _ in range(rounds)])

    def opened(key: str, shown: Callable[[Terminal], bool]) -> Figure:
        shown(terminal)  # what came before is shown first: that takes an emulator a while
        terminal.press(key)
        pressed = time.perf_counter()
        return with_load({"s": round(terminal.until(shown) - pressed, 2)})

    def pressed(press: Callable[[], list[float]]) -> Figure:
        figures = []
        for _ in range(rounds):
            used = process_cpu_s(terminal.pid)
            times = press()
            cpu_ms = (process_cpu_s(terminal.pid) - used) * 1000 / len(times)
            figures.append(with_load({"cpu_ms": round(cpu_ms, 1), **percentiles(times, 1)}))
        return quietest(figures)

    with Terminal(["--workspace", str(stage.workspace)]) as terminal:
        terminal.until_words(run)
        found["share_runs"] = share()
        found["open_dashboard"] = opened("\r", lambda shown: "Keys" in shown.text)
        found["share_dashboard"] = share()
        found["open_items"] = with_load({"s": round(open_items(terminal), 2)})
        found["share_items"] = share()
        found["j_in_items"] = pressed(lambda: walk(terminal, _WALKED))
        found["open_items_failed"] = opened("F", lambda shown: "✔ done" not in shown.text)
        found["share_items_failed"] = share()
        opened("\x1b", lambda shown: "✔ done" in shown.text)
        found["open_failures"] = opened("4", lambda shown: "HTTP 503" in shown.text)
        found["share_failures"] = share()
        found["open_review"] = opened("5", lambda shown: "What is in part" in shown.text)
        found["share_review"] = share()
        found["mode_switch"] = pressed(lambda: switches(terminal))
        resident, peak = memory_of(terminal.pid)
        found["memory"] = {"mb": round(resident / 1e6), "peak_mb": round(peak / 1e6)}
    return found


def switches(terminal: Terminal) -> list[float]:
    """Go through the six modes again and again and return how long each took to be drawn, in ms."""
    return [press_to_paint_ms(terminal, key, drawn) for _ in range(_SWITCHED) for key, drawn in _MODES.items()]


def measure(folder: Path, items: int, rounds: int, times: int, seconds: float) -> dict[str, object]:
    drawn = folder / "pictures"
    draw_pictures(drawn, min(items, 1000), 100)
    stage = Stage(folder / "work")
    stage.load(drawn)
    result: dict[str, object] = {"items": items}

    def note(**figures: object) -> None:
        result.update(figures)
        print(f"  {figures}", file=sys.stderr, flush=True)

    with Server(200) as server:
        began = time.perf_counter()
        run_id, settled = crowded_run(stage, server.url, items, 256)
        note(made_s=round(time.perf_counter() - began, 1), done=settled.done, failed=settled.failed)
        note(workspace_mb=round((stage.workspace / "vqa.db").stat().st_size / 1e6))
        note(place_pairs=with_load({"s": round(asyncio.run(place_pairs_s(stage, run_id)), 1)}))
        note(reads_at_rest=asyncio.run(read_all(stage, run_id, rounds, times)))
        note(app_at_rest=look_around(stage, "noise", rounds, seconds))
        with engine_at_work(stage, run_id, server) as engine:
            note(engine_first_request_s=round(engine.first_request_s, 2))
            note(reads_at_work=asyncio.run(read_all(stage, run_id, rounds, times)))
            note(app_at_work=look_around(stage, "noise", rounds, seconds))
            note(engine_mb=round(memory_of(engine.pid)[0] / 1e6))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="of which the lowest figure is reported")
    parser.add_argument("--quick", action="store_true", help="one short round of 50,000")
    arguments = parser.parse_args()
    items, rounds, times, seconds = arguments.items, arguments.rounds, 200, 5.0
    if arguments.quick:
        items, rounds, times, seconds = 50_000, 1, 100, 3.0
    with tempfile.TemporaryDirectory(prefix="vqa-bench-") as name:
        print(json.dumps(measure(Path(name), items, rounds, times, seconds), indent=2))


if __name__ == "__main__":
    main()
