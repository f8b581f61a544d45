"""A computer that goes to sleep: the engine is stopped for a while with requests under way, and goes on by itself.

    python bench/suspend.py [--seconds 90] [--pictures 400]

SIGSTOP stands for the sleep. Requests may take 30 s, so those under way are dead when the engine wakes; none of them
may cost its picture an attempt. Prints JSON; exit status 1 when anything is lost, failed or there twice.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from soak import Endpoint, draw, write_endpoint

from vqa_tui.domain.run import EngineState
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.runs import run_view, start_engine
from vqa_tui.operations.workspace import open_workspace

LOOK_S = 0.1


async def suspend(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the report."""
    draw(folder / "pictures", arguments.pictures)
    with Endpoint(0, keys=("quick",), limits=(), fail="", latency_ms=1000) as endpoint:
        path = write_endpoint(folder, endpoint.base_url, keys=("quick",), total_s=30)
        async with open_workspace(folder) as workspace:
            await import_dataset(workspace, "folder", folder / "pictures", name="dots")
            run_id = await create_run(workspace, RunRequest("dots", "caption", str(path), pilot=0, concurrency=32))
            await start_engine(workspace, run_id)
            view = await run_view(workspace, run_id)
            while len(view.in_flight) < 8:
                await asyncio.sleep(LOOK_S)
                view = await run_view(workspace, run_id)
            assert view.engine.pid is not None
            under_way = len(view.in_flight)
            os.kill(view.engine.pid, signal.SIGSTOP)
            await asyncio.sleep(arguments.seconds)
            while_stopped = (await run_view(workspace, run_id)).engine.state
            os.kill(view.engine.pid, signal.SIGCONT)
            woke = time.monotonic()
            while view.engine.state is not EngineState.NONE:
                await asyncio.sleep(LOOK_S)
                view = await run_view(workspace, run_id)
            spent = await workspace.db.read("SELECT max(attempts_spent) FROM task")
            twice = await workspace.db.read(
                "SELECT 1 FROM attempt WHERE kind = 'ok' GROUP BY task_id HAVING count(*) > 1"
            )
            told = [event.message for event in view.events if "stood still" in event.message]
    return {
        "seconds": arguments.seconds, "under_way": under_way, "shown_meanwhile": while_stopped, "phase": view.phase,
        "done": view.counts.done, "failed": view.counts.failed, "attempts": dict(view.attempt_failures),
        "most_attempts_spent": spent[0][0], "answered_twice": len(twice), "told": told,
        "seconds_from_waking_to_the_end": round(time.monotonic() - woke, 1),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--pictures", type=int, default=400)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="suspend-") as name:
        report = asyncio.run(suspend(arguments, Path(name)))
    print(json.dumps(report, indent=2))
    well = (report["done"], report["failed"], report["most_attempts_spent"], report["answered_twice"])
    return 0 if well == (arguments.pictures, 0, 1, 0) and report["told"] else 1


if __name__ == "__main__":
    sys.exit(main())
