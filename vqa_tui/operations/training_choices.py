"""What a new training can be made of: configurations with why one cannot start here, and runs with their pairs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.gpus import visible_gpus
from vqa_tui.operations.training_configs import list_training_configs, training_config
from vqa_tui.operations.training_packages import obstacle
from vqa_tui.operations.workspace import Workspace
from vqa_tui.process.devices import CPU, GPU, default_device, device_named
from vqa_tui.process.training_command import trainer_command
from vqa_tui.store import reads, reviewing


@dataclass(frozen=True, slots=True)
class TrainingChoice:
    """One configuration of the menu."""

    name: str
    path: Path
    description: str
    config: TrainingConfig | None
    """None where the file is broken."""
    why_not: str
    """Why it cannot start here, in a sentence; empty where it can."""


@dataclass(frozen=True, slots=True)
class PairsOfRun:
    """One run that may be learned from."""

    run_id: int
    name: str
    pairs: int
    accepted: int
    rejected: int


def training_choices(workspace: Workspace) -> list[TrainingChoice]:
    """Return every configuration by name, broken ones too. Reads files; nothing of PyTorch is loaded."""
    found = []
    for file in list_training_configs(workspace.paths):
        config, why_not = None, file.problem
        if not why_not:
            try:
                config = training_config(workspace.paths, file.name)
                why_not = why_not_here(config)
            except VqaError as error:
                why_not = str(error)
        found.append(TrainingChoice(file.name, file.path, file.description, config, why_not))
    return found


def why_not_here(config: TrainingConfig, device: str | None = None) -> str:
    """Return what this machine lacks for `config` on a device as a person names it, in a sentence with what to do;
    empty where it lacks nothing."""
    try:
        error = obstacle(config, device_named(device, config.launch.processes))
    except VqaError as too_few:
        error = too_few
    if error is None:
        return ""
    return error.sentence[:1].upper() + error.sentence[1:]


def command_of(workspace: Workspace, config: TrainingConfig, device: str | None = None) -> tuple[str, ...]:
    """Return the arguments that a new training of `config` would be started with on a device as a person names it (the
    default where there is none such); its number stands as `NEW`."""
    path = workspace.paths.trainings / "NEW" / "config.json"
    try:
        named = device_named(device, config.launch.processes)
    except VqaError:
        named = default_device()
    return tuple(trainer_command(path, config.launch, False, named))


def device_choices() -> tuple[str, ...]:
    """Return the devices that can be named here, each alone; `cpu` alone where no GPU is seen."""
    return (CPU, *(f"{GPU} {each}" for each in visible_gpus(os.environ)))


def changed(workspace: Workspace, name: str, settings: Sequence[str]) -> TrainingConfig:
    """Return the configuration of that name with `KEY=VALUE` in place of what stands there. Raises VqaError."""
    return training_config(workspace.paths, name, settings)


async def runs_with_pairs(workspace: Workspace) -> list[PairsOfRun]:
    """Return the runs that have pairs, newest first."""
    found = []
    for summary, _ in await reads.run_summaries(workspace.db):
        pairs, accepted, rejected = await reviewing.pair_counts(workspace.db, summary.id)
        if pairs:
            found.append(PairsOfRun(summary.id, summary.name, pairs, accepted, rejected))
    return found
