"""What the API does with trainings: the operations of the command line, in one place where a test can stand in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vqa_tui.api.job_request import Job, JobRequest
from vqa_tui.operations import training_start
from vqa_tui.operations.runs import find_run
from vqa_tui.operations.training_start import StartedTraining
from vqa_tui.operations.workspace import Workspace

Steer = Callable[[Workspace, int], Awaitable[object]]


async def start_job(workspace: Workspace, request: JobRequest, job: Job) -> StartedTraining:
    """Start the training that a request asks for. Raises VqaError as start_training() and find_run() do."""
    return await training_start.start_training(
        workspace,
        job.config,
        data=job.data,
        run_id=None if job.run is None else await find_run(workspace, job.run),
        reviewed="accepted" if request.accepted else "not-rejected",
        name=request.name,
        device=request.device,
        priority=request.priority,
    )


@dataclass(frozen=True, slots=True)
class Actions:
    """How trainings are started and steered."""

    start: Callable[[Workspace, JobRequest, Job], Awaitable[StartedTraining]] = start_job
    stop: Steer = training_start.stop_training
    cancel: Steer = training_start.cancel_training
    resume: Steer = training_start.resume_training
    delete: Steer = training_start.delete_training
