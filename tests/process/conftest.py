"""A workspace with trainings whose trainer is a stand-in."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vqa_tui.config.freeze import freeze_training
from vqa_tui.config.training import Launch, TrainingConfig
from vqa_tui.domain.training import TrainingSummary, TrainingWish
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.process.process_group import group_lives
from vqa_tui.process.training_supervisor import MakeCommand, supervise
from vqa_tui.store import trainings

_STAND_IN = Path(__file__).with_name("stand_in.py")
PATIENCE_S = 30.0


def stand_in(how: str) -> MakeCommand:
    def command(config: Path, _launch: Launch, resume: bool, _device: str) -> list[str]:
        more = ["--resume"] if resume else []
        return [sys.executable, "-S", "-P", str(_STAND_IN), str(config.parent), how, *more]

    return command


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.01)


@dataclass
class Hall:
    """Trainings of one workspace, and who supervises them."""

    workspace: Workspace
    tasks: list[asyncio.Task[int]] = field(default_factory=list)

    async def make(
        self,
        name: str,
        *,
        device: str = "cpu",
        priority: int = 0,
        output: str = "",
        processes: int = 1,
    ) -> int:
        launch = Launch(program="torchrun" if processes > 1 else "python", processes=processes)
        config = TrainingConfig(name=name, model="tiny", output=output, launch=launch)
        number = await trainings.create_training(
            self.workspace.db, name=name, config=freeze_training(config), data="{}", device=device, priority=priority
        )
        folder = self.folder(number)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(freeze_training(config), "utf-8")
        return number

    def supervise(self, number: int, how: str = "learns", *, resume: bool = False) -> asyncio.Task[int]:
        work = supervise(self.workspace.paths, number, resume=resume, command=stand_in(how))
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    async def summary(self, number: int) -> TrainingSummary:
        return await trainings.training_summary(self.workspace.db, self.workspace.paths, number)

    async def reaches(self, number: int, what: Callable[[TrainingSummary], bool]) -> TrainingSummary:
        """Wait until a training is like that."""
        async with asyncio.timeout(PATIENCE_S):
            while not what(found := await self.summary(number)):  # noqa: ASYNC110 - other processes set no event
                await asyncio.sleep(0.02)
        return found

    async def wish(self, number: int, wish: TrainingWish) -> None:
        await trainings.wish_for(self.workspace.db, number, wish)

    def folder(self, number: int) -> Path:
        return self.workspace.paths.training_folder(number)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with open_workspace(tmp_path / "place") as workspace:
        made = Hall(workspace)
        yield made
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        for each in await trainings.training_summaries(workspace.db, workspace.paths):
            process = await trainings.process_of(workspace.db, each.id)
            if process is not None and group_lives(process[0]):
                os.killpg(process[0], signal.SIGKILL)
