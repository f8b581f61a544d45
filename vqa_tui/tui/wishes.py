"""What a person asked for and is not written yet, so that nothing is asked twice, undone by haste, or forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

HASTE_S = 2.0
"""Seconds after a pause in which the pause key does not resume: the second press may have been meant to cancel."""


class Wishes:
    """The wishes on their way to the workspace file, over all screens of this app."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._under_way: dict[tuple[int, str], str] = {}
        self._paused_at: dict[int, float] = {}
        self._finish_first: list[Callable[[], Awaitable[None]]] = []

    def under_way(self, run_id: int, verb: str) -> bool:
        """Tell whether `verb` was asked for and is being carried out."""
        return (run_id, verb) in self._under_way

    @property
    def unwritten(self) -> tuple[str, ...]:
        """What would be lost if the app ended now, in words."""
        return tuple(self._under_way.values())

    @contextmanager
    def carry_out(self, run_id: int, verb: str, words: str) -> Iterator[None]:
        """Hold a wish, named by `words`, while the inner block carries it out."""
        self._under_way[run_id, verb] = words
        try:
            yield
        finally:
            self._under_way.pop((run_id, verb), None)

    def finish_first(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have `work` done before the app ends, as far as there is time."""
        self._finish_first.append(work)

    async def finish(self, within_s: float) -> None:
        """Do what is to be done before the app ends; what takes longer stays among `unwritten`."""
        try:
            async with asyncio.timeout(within_s):
                for work in self._finish_first:
                    await work()
        except TimeoutError:
            return

    def note_pause(self, run_id: int) -> None:
        self._paused_at[run_id] = self._clock()

    def too_hasty(self, run_id: int) -> bool:
        """Tell whether a pause was asked for a moment ago; asking once more, having been told, is no haste."""
        at = self._paused_at.pop(run_id, None)
        return at is not None and self._clock() - at < HASTE_S
