"""Pictures that are always rate limited: put off for longer and longer, and given up where others do get through.

A rate limit is no fault of a picture, so it costs no attempt and nothing is ever failed while nobody gets through. But
some endpoints answer 429 for ever to a request that alone is larger than the quota: such a picture would keep its run
from ending, and every try would slow the others down.
"""

from dataclasses import dataclass

from vqa_tui.domain.part import PICTURE

PATIENT = 3
"""Rate limits of one task that are asked again at once, as soon as a key is free."""
MOST = 20
"""Rate limits of one task after which it is given up, provided that as many others got through meanwhile."""
LONGEST_WAIT_S = 60.0
_DOUBLINGS = 6


@dataclass(slots=True)
class _Counted:
    answered: int
    """Requests answered when it was first turned away, and requests turned away by then."""
    turned_away: int
    tries: int = 0
    times: int = 0
    """Of its rate limits those between which somebody else got through: an hour in which nobody does counts once."""
    answered_at_last: int = -1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from one more rate limit of a task."""

    wait_s: float
    """Seconds to put it off."""
    given_up: str = ""
    """Why it is asked no more, or ''."""
    notice: str = ""
    """A sentence worth an event, or ''."""


class TurnedAway:
    """Counts rate limits by task, and what becomes of the others meanwhile. Forgotten when the engine ends."""

    def __init__(self, word: str = PICTURE) -> None:
        """Take what a task is called."""
        self._word = word
        self._answered = 0
        self._turned_away = 0
        self._told = False
        self._tasks: dict[int, _Counted] = {}

    def answered(self, task_id: int) -> None:
        """Note that a request got through."""
        self._told = False
        self._answered += 1
        self._tasks.pop(task_id, None)

    def rate_limited(self, task_id: int) -> Verdict:
        """Note a rate limit and return what follows from it."""
        counted = self._tasks.setdefault(task_id, _Counted(self._answered, self._turned_away))
        counted.tries += 1
        counted.times += self._answered != counted.answered_at_last
        counted.answered_at_last = self._answered
        self._turned_away += 1
        others = self._answered - counted.answered
        others_turned_away = self._turned_away - counted.turned_away - counted.tries
        if counted.times >= MOST and others >= max(MOST, others_turned_away):
            del self._tasks[task_id]
            reason = (
                f"rate limited {counted.tries} times in a row while {others} other requests got through: it probably "
                "takes more than the quota allows for one request"
            )
            return Verdict(0.0, given_up=reason)
        doublings = min(counted.tries - PATIENT, _DOUBLINGS)
        wait_s = min(2.0**doublings, LONGEST_WAIT_S) if doublings > 0 else 0.0
        told = counted.tries == MOST
        notice = f"a {self._word} has been rate limited {MOST} times in a row; it is asked again until it gets through"
        return Verdict(wait_s, notice=notice if told and not self._has_told() else "")

    def _has_told(self) -> bool:
        """Whether a person knows already that pictures are turned away again and again."""
        before, self._told = self._told, True
        return before
