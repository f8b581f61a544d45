"""Trainings for the API that start no process: rows in the store, a folder, a log and metrics as a trainer writes them.

As a program it serves the API of a workspace with a token, both named by its arguments, until SIGTERM.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

from vqa_tui.api.actions import Actions
from vqa_tui.api.job_request import Job, JobRequest
from vqa_tui.api.server import api_server
from vqa_tui.config.freeze import freeze_training
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase
from vqa_tui.domain.training_events import Ended, Event, Looked, Started, Stepped, event_line
from vqa_tui.operations import training_start
from vqa_tui.operations.training_data import TrainingData
from vqa_tui.operations.training_start import StartedTraining
from vqa_tui.operations.trainings import training_summary
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.store import trainings

EVENTS: tuple[Event, ...] = (
    Started(1.0, 0, 2, 1.0, 9, 1, "CPU", "fp32", 200, 20),
    Stepped(2.0, 1, 0.5, 3.5, 0.01, 1.0, 0.5, 40, (0, 1)),
    Stepped(3.0, 2, 1.0, 2.5, 0.01, None, 0.5, 44, (2, 3)),
    Looked(4.0, 2, 2.75, 0.1),
    Ended(5.0, "done", "", 2),
)
LOG = b"step 1\r\n10%\r20%\r\n\x1b]0;title\x07step 2 \xff\nno end"


async def start(workspace: Workspace, request: JobRequest, job: Job) -> StartedTraining:
    """Store a training that is done already."""
    config = job.config.model_copy(update={"name": request.name or job.config.name})
    training_id = await trainings.create_training(
        workspace.db,
        name=await training_start._free_name(workspace, config.name),
        config=freeze_training(config),
        data=json.dumps({"data": str(job.data), "run": job.run, "accepted": request.accepted}),
        device=request.device or "cpu",
        priority=request.priority,
    )
    await trainings.complete_training(workspace.db, training_id, command="[]", rows=9, held_out=1)
    await trainings.report_steps(workspace.db, training_id, 2, 2)
    await trainings.report_phase(workspace.db, training_id, TrainingPhase.DONE)
    folder = workspace.paths.training_folder(training_id)
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    (folder / "log").write_bytes(LOG)
    (folder / "metrics.jsonl").write_text("".join(f"{event_line(event)}\n" for event in EVENTS))
    return StartedTraining(training_id, TrainingData(9, 1, 0, ()), ("python", "-m", "vqa_tui.training"))


async def resume(workspace: Workspace, training_id: int) -> None:
    """Refuse, as for one that is done."""
    found = await training_summary(workspace, training_id)
    raise VqaError(f"the training {found.name} is done")


ACTIONS = Actions(start=start, resume=resume)


async def _serve(folder: Path, token: str) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with (
        open_workspace(folder) as workspace,
        api_server(workspace, token, host="127.0.0.1", port=0, actions=ACTIONS) as address,
    ):
        print(address, flush=True)
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
