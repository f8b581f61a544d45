"""How long the event loop of an engine is ever held up: by pictures that go as they are, and by large ones re-encoded.

    python bench/loop.py [--pictures 1500] [--large 60] [--in-flight 64] [--latency-ms 200]

An engine works in a child process beside a monitor that wakes every 2 ms and notes how late it was. A loop is late
for two reasons: something held it, or the computer gave its thread (or one that held the interpreter) no core. The
second is told by the kernel (`/proc/…/schedstat`) and left out of what is attributable to the engine. Linux only.
Prints one line of JSON for each kind of picture. Replies that come at the same moment are read in one turn of the loop,
so bursts of them count too.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _stage import Server, Stage, draw_pictures
from PIL import Image

from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.paths import WorkspacePaths
from vqa_tui.wiring import run_engine

MOST_MS = 20.0
EVERY_S = 0.002
SHARES = (0.5, 0.99, 0.999)


@dataclass
class Monitor:
    """Wakes every EVERY_S and notes how late it is."""

    late: list[tuple[float, float, float]] = field(default_factory=list)
    """Unix time, milliseconds late, and how many of them are attributable to what ran in this process."""

    async def watch(self) -> None:
        loop_thread = threading.get_native_id()
        before = _waits_for_a_core()
        while True:
            began = time.monotonic()
            await asyncio.sleep(EVERY_S)
            late = time.monotonic() - began - EVERY_S
            now = _waits_for_a_core()
            waited = {thread: at - before.get(thread, 0) for thread, at in now.items()}
            mine = waited.pop(loop_thread, 0)
            stolen = (mine + max(waited.values(), default=0)) / 1e9
            before = now
            self.late.append((time.time(), late * 1000, max(late - stolen, 0.0) * 1000))


def _waits_for_a_core() -> dict[int, int]:
    """Return the nanoseconds that each thread of this process has stood in the queue for a core."""
    waits: dict[int, int] = {}
    for thread in os.listdir("/proc/self/task"):
        try:
            waits[int(thread)] = int(Path(f"/proc/self/task/{thread}/schedstat").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return waits


async def watched_engine(root: Path, run_id: int) -> dict[str, Any]:
    """Be the engine of a run and return how late its loop was between its first request and its end."""
    monitor = Monitor()
    watching = asyncio.create_task(monitor.watch())
    status = await run_engine(WorkspacePaths(root), run_id)
    ended = time.time()
    watching.cancel()
    if status != 0:
        raise SystemExit("the engine failed")
    async with open_workspace(root.parent) as workspace:
        (row,) = await workspace.db.read(
            "SELECT min(started_at) AS began, count(*) AS n FROM attempt WHERE run_id = ? AND kind = 'ok'", (run_id,)
        )
    kept = [(late, ours) for at, late, ours in monitor.late if row["began"] <= at <= ended]
    late, ours = sorted(each[0] for each in kept), sorted(each[1] for each in kept)
    return {
        "answered": row["n"],
        "looks": len(kept),
        "late_ms": {f"p{share * 100:g}": round(late[int(share * len(late))], 2) for share in SHARES},
        "longest_ms": round(late[-1], 1),
        "longest_attributable_ms": round(ours[-1], 1),
        "attributable_over_20_ms": sum(each > MOST_MS for each in ours),
    }


def draw_large(folder: Path, count: int) -> None:
    """Draw `count` different JPEGs of 3000 x 2000."""
    folder.mkdir(parents=True)
    for number in range(count):
        rough = Image.effect_noise((375, 250), 60 + number % 40)
        rough.resize((3000, 2000)).convert("RGB").save(folder / f"{number:06}.jpg", quality=85)


def measure(stage: Stage, server: Server, dataset: str, max_side: int | None, in_flight: int) -> dict[str, Any]:
    """Let a watched engine work off a dataset in a process of its own."""
    endpoint = stage.folder / "loop.yaml"
    endpoint.write_text(f"name: loop\nbase_url: {server.url}\nmodel: bench\nkeys: [{{name: main}}]\n")
    request = RunRequest(
        dataset, stage.recipe, str(endpoint), pilot=0, concurrency=in_flight, max_side=max_side or "original"
    )

    async def create() -> int:
        async with open_workspace(stage.folder) as workspace:
            return await create_run(workspace, request)

    command = [sys.executable, __file__, "--engine", str(stage.workspace), str(asyncio.run(create()))]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        raise SystemExit(ended.stderr)
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1500, help="of 100 kB, sent as they are")
    parser.add_argument("--large", type=int, default=60, help="of 3000 x 2000, sent with 768 pixels")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--engine", nargs=2, metavar=("WORKSPACE", "RUN"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        print(json.dumps(asyncio.run(watched_engine(Path(arguments.engine[0]), int(arguments.engine[1])))))
        return
    with tempfile.TemporaryDirectory() as name, Server(arguments.latency_ms) as server:
        folder = Path(name)
        draw_pictures(folder / "small", arguments.pictures, 100)
        draw_large(folder / "large", arguments.large)
        stage = Stage(folder / "stage")
        for dataset, max_side in (("small", None), ("large", 768)):
            stage.load(folder / dataset, dataset)
            report = measure(stage, server, dataset, max_side, arguments.in_flight)
            print(json.dumps({"pictures": dataset, "load": os.getloadavg()[0]} | report), flush=True)


if __name__ == "__main__":
    main()
