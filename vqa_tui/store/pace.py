"""The pace of a long edit: how much one transaction of it changes, and how long it leaves the file to others after."""

import asyncio

_BRIEF_S, _LONG_S = 0.04, 0.1
"""A transaction that took less is followed by one twice as large; one that took more, by half of it."""
LEAST_REST_S = 0.005
MOST_TASKS_AT_ONCE = 8_000
"""Tasks that one transaction stores or moves at most: the engine waits for it, and must not wait long."""
_LEAST_TASKS, _FIRST_TASKS = 250, 1_000


class Pace:
    """How many rows the next transaction changes (`size`), between `least` and `most`."""

    def __init__(self, *, least: int, most: int, first: int) -> None:
        self._least = least
        self._most = most
        self.size = first

    async def rest(self, took_s: float) -> None:
        """Pause after a transaction that held the file for so many seconds, and set the size of the next one by it.

        The pause is as long as the transaction was: SQLite lets whoever asks next write first, and not whoever has
        waited longest.
        """
        if took_s < _BRIEF_S:
            self.size = min(self.size * 2, self._most)
        elif took_s > _LONG_S:
            self.size = max(self.size // 2, self._least)
        await asyncio.sleep(max(took_s, LEAST_REST_S))


def pace_of_tasks(most: int = MOST_TASKS_AT_ONCE) -> Pace:
    """Return the pace at which tasks are stored or moved, at most so many at once."""
    return Pace(least=min(_LEAST_TASKS, most), most=most, first=min(_FIRST_TASKS, most))
