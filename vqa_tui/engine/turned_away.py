"""Pictures that are always rate limited: put off for longer and longer, and given up where others do get through.

A rate limit is no fault of a picture, so it costs no attempt and nothing is ever failed while nobody gets through. But
some endpoints answer 429 for ever to a request that alone is larger than the quota: such a picture would keep its run
from ending, and every try would slow the others down.
"""

from dataclasses import dataclass

PATIENT = 3
"""Rate limits of one task that are asked again at once, as soon as a key is free."""
MOST = 20
"""Rate limits of one task after which it is given up, provided that as many others got through meanwhile."""
LONGEST_WAIT_S = 60.0


@dataclass(slots=True)
class _Counted:
    times: int
    answered: int
    """Requests answered when it was first turned away, and requests turned away by then."""
    turned_away: int


class TurnedAway:
    """Counts rate limits by task, and what becomes of the others meanwhile. Forgotten when the engine ends."""

    def __init__(self) -> None:
        self._answered = 0
        self._turned_away = 0
        self._tasks: dict[int, _Counted] = {}

    def answered(self, task_id: int) -> None:
        """Note that a request got through."""
        self._answered += 1
        self._tasks.pop(task_id, None)

    def rate_limited(self, task_id: int) -> tuple[float, str]:
        """Note a rate limit; return the seconds to put the task off, and why it is given up, or ''."""
        counted = self._tasks.setdefault(task_id, _Counted(0, self._answered, self._turned_away))
        counted.times += 1
        self._turned_away += 1
        others = self._answered - counted.answered
        others_turned_away = self._turned_away - counted.turned_away - counted.times
        if counted.times >= MOST and others >= max(MOST, others_turned_away):
            del self._tasks[task_id]
            return 0.0, (
                f"rate limited {counted.times} times in a row while {others} other requests got through: it probably "
                "takes more than the quota allows for one request"
            )
        return (min(2.0 ** (counted.times - PATIENT), LONGEST_WAIT_S) if counted.times > PATIENT else 0.0), ""
