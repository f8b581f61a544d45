"""Starting, steering and ending trainings: the same calls for the terminal app, the command line and the jobs API."""

import asyncio
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.config.freeze import freeze_training
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run_name import LONGEST_NAME, require_run_name
from vqa_tui.domain.training import TrainingPhase, TrainingSummary, TrainingWish
from vqa_tui.domain.training_files import STOP_FILE
from vqa_tui.operations.exports import export_run
from vqa_tui.operations.named_path import expanded
from vqa_tui.operations.training_data import TrainingData, prepare_rows
from vqa_tui.operations.training_output import with_free_output
from vqa_tui.operations.training_packages import obstacle
from vqa_tui.operations.training_queue import require_priority
from vqa_tui.operations.training_trace import trace_rows
from vqa_tui.operations.workspace import Workspace
from vqa_tui.process.devices import device_named
from vqa_tui.process.known_process import KnownProcess, noted_process
from vqa_tui.process.lock import AlreadyAtWork, ProcessLock, is_let_go, is_locked
from vqa_tui.process.process_group import end_group
from vqa_tui.process.spawn import spawn_detached
from vqa_tui.process.training_command import keeper_environment, trainer_command
from vqa_tui.store import trainings
from vqa_tui.tail import tail

RUN_FORMAT = "stcray-flat"
"""What a run is exported as for its own training: one pair a record, with its question type."""
_START_PATIENCE_S = 30.0
_PROBED_S = 0.1
"""Another face that looks whether a supervisor lives holds its lock for an instant."""


@dataclass(frozen=True, slots=True)
class StartedTraining:
    """A training that has its folder and its process."""

    id: int
    data: TrainingData
    command: tuple[str, ...]


async def start_training(
    workspace: Workspace,
    config: TrainingConfig,
    *,
    data: Path | None = None,
    run_id: int | None = None,
    reviewed: str = "not-rejected",
    name: str | None = None,
    device: str | None = None,
    priority: int = 0,
) -> StartedTraining:
    """Make a training of `config` and start its process, which waits where others use `device`: `auto` (so is None),
    `cpu`, `gpu` for one that is free, or `gpu 0,1` for one of these, or as many as there are processes.

    The rows come from the export `data`, else from the pairs of the run `run_id`, else from the configuration's own
    `data`. Raises VqaError when `name`, or the configuration's where there is none, cannot be the name of a training,
    there is no such data or device, nothing to learn from, or the process does not start; the training is then not
    there.
    """
    require_run_name(config.name if name is None else name, "training")
    device = device_named(device, config.launch.processes)
    _refuse_impossible(config, device)
    require_priority(priority)
    if data is not None:
        # The rows name pictures by where the data lies, and the trainer works in another folder.
        data = expanded(str(data), "data")
    config = _with_whole_paths(config)
    config = with_free_output(config)
    wanted = await _free_name(workspace, config.name) if name is None else name
    source = {"run": run_id} if run_id is not None else {"data": str(data or config.data)}
    training_id = await trainings.create_training(
        workspace.db,
        name=wanted,
        config=freeze_training(config),
        data=json.dumps(source),
        device=device,
        priority=priority,
    )
    folder = workspace.paths.training_folder(training_id)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if run_id is not None:
            data = await _exported(workspace, run_id, folder, config, reviewed)
        prepared = await asyncio.to_thread(
            prepare_rows,
            _named(data, config),
            folder,
            held_out_share=config.validation,
            seed=config.seed,
        )
        if run_id is not None:
            await trace_rows(workspace, run_id, folder, reviewed)
        (folder / "config.json").write_text(freeze_training(config) + "\n", "utf-8")
        command = trainer_command(folder / "config.json", config.launch, False, device)
        await trainings.complete_training(
            workspace.db, training_id, command=json.dumps(command), rows=prepared.rows, held_out=prepared.held_out
        )
        await _spawn(workspace, training_id, resume=False)
    except BaseException:
        await trainings.delete_training(workspace.db, training_id)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return StartedTraining(training_id, prepared, tuple(command))


async def resume_training(workspace: Workspace, training_id: int) -> None:
    """Let a training go on from its newest whole checkpoint, or from its beginning where there is none.

    Raises VqaError when it is at work or done.
    """
    found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
    _refuse_at_work(found, f"Watch it: `vqa-tui train watch {training_id}`.")
    if found.phase is TrainingPhase.DONE:
        raise VqaError(f"the training {found.name} is done", hint="Start another with more steps or epochs.")
    await trainings.wish_for(workspace.db, training_id, TrainingWish.RUN)
    await _spawn(workspace, training_id, resume=True)


async def stop_training(workspace: Workspace, training_id: int) -> TrainingSummary:
    """Let a training finish its step, write a checkpoint and end, and return how it stood. Raises VqaError when it is
    not at work."""
    found = await _require_at_work(workspace, training_id)
    if found.evaluated:
        raise VqaError(
            f"the training {found.name} is being evaluated: there is no checkpoint to write",
            hint="`vqa-tui train cancel` ends the evaluation.",
        )
    await trainings.wish_for(workspace.db, training_id, TrainingWish.STOP)
    # The trainer looks for the file itself: it hears it even when its supervisor is gone.
    (workspace.paths.training_folder(training_id) / STOP_FILE).touch()
    return found


async def cancel_training(workspace: Workspace, training_id: int) -> TrainingSummary:
    """End a training at once, and return how it stood; what came after its last checkpoint is lost.

    The supervisor ends the trainer's processes; where it is gone they are ended here, and the training is cancelled
    when this returns. Of a training that is being evaluated the evaluation is ended, and its phase stays. Raises
    VqaError when nothing is at work on it.
    """
    found = await _require_at_work(workspace, training_id)
    if not found.evaluated:
        await trainings.wish_for(workspace.db, training_id, TrainingWish.CANCEL)
    supervising = ProcessLock(workspace.paths.training_supervisor_lock(training_id))
    try:
        await supervising.acquire(patience_s=_PROBED_S)
    except AlreadyAtWork:
        return found
    try:
        await _end_orphan(workspace, training_id)
    finally:
        supervising.release()
    return found


async def _end_orphan(workspace: Workspace, training_id: int) -> None:
    """In the supervisor's place: end a trainer that works on without it, or an evaluator. Raises VqaError when
    something of it lives on."""
    lock = workspace.paths.training_lock(training_id)
    evaluator = noted_process(workspace.paths.training_evaluator(training_id))
    trainer = await trainings.process_of(workspace.db, training_id)
    process = evaluator or (KnownProcess(*trainer) if trainer else None)
    if process is not None and process.is_certain:
        await end_group(process.pid)
    if not await is_let_go(lock):
        raise VqaError(
            f"a process of the training {training_id} does not end",
            hint=process.how_to_end(lock) if process is not None else f"`fuser {lock}` names it.",
        )
    found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
    if evaluator is None and found.phase.is_live:
        step = trainings.step_told(workspace.paths, training_id)
        await trainings.report_steps(workspace.db, training_id, found.step if step is None else step, found.total_steps)
        await trainings.report_phase(workspace.db, training_id, TrainingPhase.CANCELLED)


async def delete_training(workspace: Workspace, training_id: int) -> None:
    """Delete a training with its checkpoints, adapter and log. Raises VqaError when it is at work or
    its model is being served."""
    found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
    _refuse_at_work(found, "Stop or cancel it first.")
    if is_locked(workspace.paths.training_serving(training_id) / "lock"):
        raise VqaError(
            f"the training {found.name} is being served", hint=f"`vqa-tui train serve {training_id} --stop` ends that."
        )
    await trainings.delete_training(workspace.db, training_id)
    await asyncio.to_thread(shutil.rmtree, workspace.paths.training_folder(training_id), ignore_errors=True)


def _refuse_at_work(found: TrainingSummary, hint: str) -> None:
    if found.evaluated:
        raise VqaError(
            f"the training {found.name} is being evaluated",
            hint=f"Wait for the end of that, or end it: `vqa-tui train cancel {found.id}`.",
        )
    if found.at_work:
        raise VqaError(f"the training {found.name} is at work", hint=hint)


async def _require_at_work(workspace: Workspace, training_id: int) -> TrainingSummary:
    found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
    if not found.at_work:
        raise VqaError(
            f"the training {found.name} is not at work: it is {'lost' if found.is_lost else found.phase}",
            hint="`vqa-tui train resume` lets it go on." if found.phase is not TrainingPhase.DONE else "",
        )
    return found


async def _spawn(workspace: Workspace, training_id: int, *, resume: bool) -> None:
    """Start the supervisor and wait until it holds the training."""
    log = workspace.paths.training_log(training_id)
    arguments = ["trainer", str(training_id), "--workspace", str(workspace.paths.root)]
    child: subprocess.Popen[bytes] = spawn_detached(
        arguments + (["--resume"] if resume else []), log=log, environment=keeper_environment(os.environ)
    )
    deadline = time.monotonic() + _START_PATIENCE_S
    while time.monotonic() < deadline:
        status = child.poll()
        found = await trainings.training_summary(workspace.db, workspace.paths, training_id)
        if status is not None:
            if found.phase.is_live and not found.at_work:
                raise VqaError(
                    f"the training did not start (exit {status})", hint=tail(log, lines=6) or f"Its log: {log}"
                )
            return
        # Of one that is resumed the phase is that of its end until its supervisor has told another.
        if found.at_work and found.phase.is_live:
            return
        await asyncio.sleep(0.02)
    if found.at_work:
        return
    raise VqaError(f"the training did not come up within {_START_PATIENCE_S:.0f} s", hint=f"Its log: {log}")


async def _exported(workspace: Workspace, run_id: int, folder: Path, config: TrainingConfig, reviewed: str) -> Path:
    out = folder / "export.jsonl"
    share = config.validation
    await export_run(
        workspace,
        run_id,
        RUN_FORMAT,
        out,
        split=(1 - share, share) if share else None,
        seed=config.seed if share else None,
        reviewed=reviewed,
    )
    return out


def _named(data: Path | None, config: TrainingConfig) -> Path:
    if data is not None:
        return data
    if not config.data:
        raise VqaError(
            "there is nothing to learn from: no data is named",
            hint="Give `--data FILE` (an export) or `--run RUN`, or write `data:` into the configuration.",
        )
    return expanded(config.data, "data")


async def _free_name(workspace: Workspace, name: str) -> str:
    taken = {each.name for each in await trainings.training_summaries(workspace.db, workspace.paths)}
    if name not in taken:
        return name
    ends = (f"-{number}" for number in range(2, len(taken) + 3))
    return next(free for end in ends if (free := name[: LONGEST_NAME - len(end)] + end) not in taken)


def _with_whole_paths(config: TrainingConfig) -> TrainingConfig:
    """Return the configuration with the files it names where they lie, since the trainer works in another folder.

    Raises VqaError for a file that is not there.
    """
    whole: dict[str, str] = {}
    for key in ("accelerate_config", "deepspeed"):
        if named := getattr(config.launch, key):
            path = expanded(named, f"launch.{key}")
            if not path.is_file():
                raise VqaError(f"launch.{key}: there is no file {path}")
            whole[key] = str(path)
    model = expanded(config.model, "model")
    changed = {"launch": config.launch.model_copy(update=whole)} if whole else {}
    return config.model_copy(update={**changed, **({"model": str(model)} if model.is_dir() else {})})


def _refuse_impossible(config: TrainingConfig, device: str) -> None:
    """Say before anything is made what this machine lacks."""
    if (error := obstacle(config, device)) is not None:
        raise error
