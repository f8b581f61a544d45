"""The embedded endpoint's process is started again when it has ended; where that fails it is said, and not for ever."""

import asyncio
from collections.abc import Callable

import pytest

from tests.engine.conftest import until
from vqa_tui.domain.failure import VqaError
from vqa_tui.engine import child_watch
from vqa_tui.engine.child_watch import MOST_TRIES, keep_running
from vqa_tui.engine.halt import Halt


class Dead:
    """A child that has ended and whose starts a test decides about."""

    def __init__(self, start: Callable[[], None]) -> None:
        self.has_ended = True
        self.tries = 0
        self._start = start

    def start_again(self) -> None:
        self.tries += 1
        self._start()
        self.has_ended = False


class Watched:
    """A child that is kept running, with what is told and the halts."""

    def __init__(self, start: Callable[[], None]) -> None:
        self.child, self.told, self.halts = Dead(start), list[str](), list[Halt]()
        self.task = asyncio.create_task(
            keep_running(self.child, tell=lambda level, message: self.told.append(message), halt=self.halts.append)
        )

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_watch, "LOOK_S", 0.0005)
    monkeypatch.setattr(child_watch, "LONGEST_WAIT_S", 0.002)


async def test_a_child_that_comes_back_is_told_once_it_is_back() -> None:
    watched = Watched(lambda: None)
    await until(lambda: watched.child.tries == 1 and bool(watched.told))
    await watched.end()
    assert watched.told == ["the process of the embedded endpoint ended; it has been started again"]


@pytest.mark.parametrize("problem", [VqaError("the port is taken"), OSError(24, "Too many open files")])
async def test_a_child_that_cannot_come_back_is_told_with_its_reason_and_halts_the_run_at_last(
    problem: Exception,
) -> None:
    def fail() -> None:
        raise problem

    watched = Watched(fail)
    await until(lambda: watched.child.tries >= MOST_TRIES + 3)
    await watched.end()
    assert len(watched.told) == MOST_TRIES and not any("has been started" in told for told in watched.told)
    assert all("cannot be started again: " in told for told in watched.told)
    assert watched.halts[0].reason.startswith(f"the embedded endpoint could not be started again in {MOST_TRIES} tries")


async def test_a_fault_of_the_program_is_raised() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    watched = Watched(broken)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(watched.task, 20)
