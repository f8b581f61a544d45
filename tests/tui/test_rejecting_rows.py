"""Rejecting the pairs behind rows of a training one upon the other: none is lost, and none is rejected twice."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tui.made_trainings import made_row
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.training_entries import entry_of_row
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.screens.training_rows import TrainingRowsDialog

Wait = Callable[..., Any]


class SlowTrainings:
    """Takes rejections, and writes them once it may."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.written: list[int] = []
        self.may_write = asyncio.Event()

    async def pairs_of_row(self, row: TrainingRow) -> tuple[int, ...]:
        return row.pairs

    async def reject(self, pairs: Sequence[int]) -> int:
        self.begun.extend(pairs)
        await self.may_write.wait()
        self.written.extend(pairs)
        return len(pairs)


@pytest.mark.parametrize("leaves", [False, True])
async def test_each_row_is_rejected_once_though_others_wait_or_the_dialog_is_left(
    fake: Any, make_view: Any, until: Wait, leaves: bool
) -> None:
    services, trainings = fake(make_view()), SlowTrainings()
    services.trainings = SimpleNamespace(pairs_of_row=trainings.pairs_of_row, reject=trainings.reject)
    entries = [entry_of_row(made_row(number, pairs=(100 + number,))) for number in range(3)]
    app = VqaApp(services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        dialog = TrainingRowsDialog(services, "Rows of step 17", entries)
        await app.push_screen(dialog)
        await until(pilot, lambda: dialog.entry is entries[0])
        await pilot.press("x")
        await until(pilot, lambda: trainings.begun == [100])
        await pilot.press("x", "j", "x")
        await until(pilot, lambda: trainings.begun[-1] == 101)
        assert "just being" in (dialog.reason("reject") or "")
        if leaves:
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen) and not dialog.is_running)
        trainings.may_write.set()
        await until(pilot, lambda: len(trainings.written) == 2)
        await until(pilot, lambda: any("1 pair rejected" in toast.message for toast in app._notifications))
        assert trainings.written == trainings.begun == [100, 101]
        if not leaves:
            await until(pilot, lambda: "already" in (dialog.reason("reject") or ""))
