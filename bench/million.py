"""A dataset of a million pictures: import, start, claim, views, pages and memory.

    python bench/million.py [--items 1000000]

The pictures are hard links to a thousand tiny files, in folders of a thousand, and the annotations are one COCO file
with a box for each; the import takes the usual path (`vqa-tui dataset import coco`), in a process of its own. Opening a
million files is a large part of a first import, so it is told apart: `open_s` is what opening and hashing all of them
takes on as many threads as the import uses (measured on a part and scaled), `rows_s` is the rest of the import. The
second import of the same files opens nothing.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from _stage import Server, Stage, draw_pictures, memory_of, sampling
from _timing import timed_ms
from _watching import engine_at_work, watch

from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import TaskFilter
from vqa_tui.domain.work import TaskOutcome
from vqa_tui.operations.runs import run_view
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.sources.probe import probe
from vqa_tui.store import runs
from vqa_tui.store.datasets import item_page
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.tasks import task_ids, task_rows

NAME = "million"
FILES = 1000
PAGE = 50
CLAIM = 256
_PROBED = 20_000


def write_dataset(folder: Path, items: int) -> Path:
    """Make the pictures and the annotation file; return the file."""
    draw_pictures(folder / "drawn", min(FILES, items), 1)
    drawn = sorted((folder / "drawn").iterdir())
    root = folder / "coco"
    root.mkdir()
    with (root / "instances_train.json").open("w") as file:
        file.write('{"categories": [{"id": 1, "name": "noise"}, {"id": 2, "name": "speck"}], "images": [\n')
        for number in range(items):
            name = f"{number // FILES:04}/{number:07}.jpg"
            if number % FILES == 0:
                (root / name).parent.mkdir()
            os.link(drawn[number % len(drawn)], root / name)
            record = {"id": number, "file_name": name, "width": 42, "height": 42}
            file.write(json.dumps(record) + (",\n" if number < items - 1 else "\n"))
        file.write('], "annotations": [\n')
        for number in range(items):
            box = [number % 20, number % 17, 12, 9]
            record = {"id": number, "image_id": number, "category_id": 1 + number % 2, "bbox": box}
            file.write(json.dumps(record) + (",\n" if number < items - 1 else "\n"))
        file.write("]}\n")
    return root / "instances_train.json"


@dataclass
class Imported:
    """What an import took."""

    seconds: float
    cpu_s: float
    early_mb: float
    """Resident at a quarter of the way."""
    peak_mb: float


def timed_import(stage: Stage, file: Path) -> Imported:
    """Import in a process of its own."""
    command = [
        sys.executable, "-P", "-m", "vqa_tui", "dataset", "import", "coco", str(file),
        "--name", NAME, "--workspace", str(stage.workspace),
    ]  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with sampling(process.pid) as samples:
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit("the import failed")
    seconds = time.perf_counter() - began
    early = samples[len(samples) // 4][1]
    peak = max(peak for _at, _now, peak in samples)
    return Imported(seconds, used.ru_utime + used.ru_stime, early / 1e6, peak / 1e6)


def opening_s(file: Path, items: int) -> float:
    """Return the seconds that opening and hashing every picture takes on the threads that an import uses."""
    paths = [
        path
        for folder in sorted(file.parent.iterdir())[: _PROBED // FILES]
        if folder.is_dir()
        for path in folder.iterdir()
    ]
    jobs = [paths[start : start + 16] for start in range(0, len(paths), 16)]
    with ThreadPoolExecutor(min(16, (os.cpu_count() or 1) + 2)) as threads:
        began = time.perf_counter()
        list(threads.map(lambda job: [probe(path) for path in job], jobs))
        return (time.perf_counter() - began) * items / len(paths)


async def claims(workspace: Workspace, run_id: int) -> dict[str, float]:
    """Return ms a picture for claiming, and for putting back, in groups of CLAIM."""
    session = await runs.begin_session(workspace.db, run_id, os.getpid())
    queue = TaskQueue(workspace.db, run_id, session)
    began = time.perf_counter()
    taken = [task for _ in range(20) for task in await queue.claim(CLAIM, now=time.time(), pilot_only=False)]
    claimed = time.perf_counter()
    await queue.settle([TaskOutcome(task.id, TaskStatus.PENDING) for task in taken])
    back = time.perf_counter()
    await runs.end_session(workspace.db, run_id, session, "benchmark")
    return {
        "claim_ms_per_picture": round((claimed - began) * 1000 / len(taken), 4),
        "put_back_ms_per_picture": round((back - claimed) * 1000 / len(taken), 4),
    }


async def reads(workspace: Workspace, run_id: int, dataset_id: int) -> dict[str, object]:
    """Return what the app reads: the view of the run, a page of rows anywhere in it, the list of ids."""
    began = time.perf_counter()
    ids = await task_ids(workspace.db, run_id, TaskFilter())
    listed_s = time.perf_counter() - began

    def page() -> Awaitable[object]:
        start = random.randrange(max(len(ids) - PAGE, 1))
        return task_rows(workspace.db, run_id, ids[start : start + PAGE])

    def dataset_page() -> Awaitable[object]:
        return item_page(
            workspace.db, dataset_id, after_key=f"train/{random.randrange(len(ids)) // FILES:04}", size=PAGE
        )

    return {
        "view": await timed_ms(200, lambda: run_view(workspace, run_id)),
        "page_of_tasks": await timed_ms(200, page),
        "page_of_items": await timed_ms(200, dataset_page),
        "list_of_ids_s": round(listed_s, 2),
        "list_of_ids_mb": round(len(ids) * ids.itemsize / 1e6, 1),
    }


def help_s() -> float:
    """Return the median seconds of `vqa-tui --help`."""
    taken = []
    for _ in range(7):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-P", "-m", "vqa_tui", "--help"], stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def at_work(stage: Stage, run_id: int, server: Server, seconds: float) -> dict[str, object]:
    """Return what an engine with all these pictures pending takes, alone and with the app on it."""
    with engine_at_work(stage, run_id, server) as engine:
        began = time.perf_counter()
        early = None
        while time.perf_counter() - began < seconds:
            time.sleep(0.25)
            if early is None and time.perf_counter() - began > seconds / 4:
                early = memory_of(engine.pid)[0]
        late, peak = memory_of(engine.pid)
        reading = asyncio.run(
            with_workspace(stage, lambda workspace: timed_ms(50, lambda: run_view(workspace, run_id)))
        )
        app = watch(stage, NAME, 10)
    return {
        "first_request_s": round(engine.first_request_s, 2),
        "engine_early_mb": round((early or 0) / 1e6),
        "engine_late_mb": round(late / 1e6),
        "engine_peak_mb": round(peak / 1e6),
        "view_while_running": reading,
        **app,
    }


async def with_workspace(stage: Stage, work: Callable[[Workspace], Awaitable[object]]) -> object:
    async with open_workspace(stage.folder) as workspace:
        return await work(workspace)


def measure(folder: Path, items: int, seconds: float) -> dict[str, object]:
    stage = Stage(folder / "work")
    file = write_dataset(folder, items)
    result: dict[str, object] = {"items": items, "help_s": round(help_s(), 3)}

    def note(**figures: object) -> None:
        result.update(figures)
        print(f"  {figures}", file=sys.stderr, flush=True)

    first = timed_import(stage, file)
    open_s = opening_s(file, items)
    note(import_s=round(first.seconds, 1), open_s=round(open_s, 1), rows_s=round(first.seconds - open_s, 1))
    note(import_cpu_s=round(first.cpu_s, 1), import_early_mb=round(first.early_mb), import_peak_mb=round(first.peak_mb))
    again = timed_import(stage, file)
    note(import_again_s=round(again.seconds, 1), import_again_cpu_s=round(again.cpu_s, 1))
    note(import_again_peak_mb=round(again.peak_mb))
    with Server(200) as server:
        began = time.perf_counter()
        run_id = stage.create(server.url, 256, dataset=NAME)
        note(create_run_s=round(time.perf_counter() - began, 1))

        async def look(workspace: Workspace) -> object:
            dataset_id = (await workspace.db.read("SELECT id FROM dataset"))[0][0]
            note(**await claims(workspace, run_id))
            note(**await reads(workspace, run_id, dataset_id))
            return None

        asyncio.run(with_workspace(stage, look))
        note(**at_work(stage, run_id, server, seconds))
    note(workspace_mb=round((stage.workspace / "vqa.db").stat().st_size / 1e6))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20, help="how long the engine's memory is watched")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vqa-bench-") as name:
        print(json.dumps(measure(Path(name), arguments.items, arguments.seconds), indent=2))


if __name__ == "__main__":
    main()
