"""Keeping the embedded endpoint alive: its process is started again when it alone has ended, within reason."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from vqa_tui.domain.failure import VqaError
from vqa_tui.engine.halt import Halt

LOOK_S = 1.0
MOST_TRIES = 5
"""Starts in vain after which the run is paused; it is tried on, at the longest wait, in case a person helps."""
LONGEST_WAIT_S = 30.0

log = logging.getLogger(__name__)


class Child(Protocol):
    """A process that can be started again: embedded.process.RunningEmbedded."""

    @property
    def has_ended(self) -> bool: ...

    def start_again(self) -> None: ...


async def keep_running(child: Child, *, tell: Callable[[str, str], None], halt: Callable[[Halt], None]) -> None:
    """Start `child` again whenever it has ended, until cancelled.

    Each failure is told once with its reason, and the next try waits twice as long; after MOST_TRIES the run is halted
    and the tries go on unheard. Anything but VqaError and OSError is a fault of the program and is raised.
    """
    failures = 0
    while True:
        await asyncio.sleep(min(LOOK_S * 2**failures, LONGEST_WAIT_S))
        if not child.has_ended:
            continue
        log.warning("the process of the embedded endpoint ended")
        try:
            await asyncio.to_thread(child.start_again)
        except (VqaError, OSError) as problem:
            failures += 1
            reason = problem.message if isinstance(problem, VqaError) else str(problem)
            log.error("the embedded endpoint cannot be started again: %s", problem)
            if failures <= MOST_TRIES:
                tell("warning", f"the process of the embedded endpoint ended and cannot be started again: {reason}")
            if failures >= MOST_TRIES:
                halt(Halt(f"the embedded endpoint could not be started again in {failures} tries: {reason}"))
        else:
            failures = 0
            tell("warning", "the process of the embedded endpoint ended; it has been started again")
