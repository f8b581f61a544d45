"""Finds keys that share one quota without being in one group: what remains of each falls with the other's requests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from vqa_tui.domain.allowance import Allowance, Unit
from vqa_tui.domain.quota import MINUTE_S

_ENOUGH = (24, 80)
"""Least and most requests of the other key that must go unexplained: four tenths of the limit in between. Requests that
overtake each other blur where a stretch begins and ends, not what lies in between."""
_TOO_LONG = 2.0
"""A stretch of so many times that, without a proof, is given up for a new one."""
_EXPLAINED = (0.6, 1.4)
"""Share of the other key's requests that the unexplained use must come to: below, it is chance or another program."""
_FRESH_S = 300.0
_MOST_GROUPS = 16
"""Each is compared with every other; with more it would be too much work for every reply."""


@dataclass(frozen=True, slots=True)
class _Word:
    """What a reply told of a group's requests, with what all groups had started by then."""

    at: float
    told_at: float
    used: int
    remaining: int
    limit: int
    refills: bool
    """Whether it looks like a bucket that refills all the time, the limit a minute."""
    by_start: tuple[int, ...]
    """Started when the request was sent: what it was counted after, where requests are counted as they arrive."""
    by_reply: tuple[int, ...]
    """Started when the reply came: what it was counted after, where the headers are made with the reply."""


@dataclass(slots=True)
class _Group:
    newest: _Word | None = None
    since: dict[int, _Word] = field(default_factory=dict)
    """Where the present stretch begins, by the other group with which it is compared."""
    proved_at: dict[int, float] = field(default_factory=dict)


class SharedQuotaWatch:
    """Compares what endpoints tell of the requests left to each group.

    Of a quota of its own, a group's words account for no more than its own requests. Where they account for those of
    another group as well, in both directions and at the same level of the same limit, the two draw on one quota. Only
    what is used without explanation counts: quotas refill in ways that are not told, which can hide evidence, but makes
    none.
    """

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        """`groups` are the names of the keys of each group."""
        self._names = groups
        self._groups = [_Group() for _ in groups]
        self._told: set[frozenset[int]] = set()
        self._watches = 2 <= len(groups) <= _MOST_GROUPS

    def note(
        self,
        group: int,
        words: Sequence[Allowance],
        *,
        at: float,
        told_at: float,
        by_start: tuple[int, ...],
        by_reply: tuple[int, ...],
    ) -> str:
        """Take note of a reply at `told_at`, of the group at this place, to a request sent at `at` (seconds).

        `by_start` and `by_reply` are the requests that each group had started by then, its own included. Returns a
        sentence worth an event, once for two groups, else ''.
        """
        if not self._watches:
            return ""
        told = next((each for each in words if each.unit is Unit.REQUESTS), None)
        if told is None or told.limit is None or told.remaining is None:
            return ""
        used = told.limit - told.remaining
        expected_s = MINUTE_S * used / told.limit
        refills = told.resets_in_s is not None and abs(told.resets_in_s - expected_s) <= 0.2 + 0.03 * expected_s
        # An empty bucket may have overflowed unseen, and a full one looks like a window that slides.
        in_between = max(5, told.limit // 50) <= used <= 0.9 * told.limit
        word = _Word(at, told_at, used, told.remaining, told.limit, refills and in_between, by_start, by_reply)
        mine = self._groups[group]
        if mine.newest is not None and at <= mine.newest.at:
            return ""
        mine.newest = word
        for other, theirs in enumerate(self._groups):
            if other != group and theirs.newest is not None and theirs.newest.limit == word.limit:
                self._compare(group, other, word, theirs.newest)
                proved = mine.proved_at.get(other), theirs.proved_at.get(group)
                if all(when is not None and at - when <= _FRESH_S for when in proved):
                    return self._say(group, other)
        return ""

    def _compare(self, group: int, other: int, word: _Word, theirs: _Word) -> None:
        mine = self._groups[group]
        start = mine.since.setdefault(other, word)
        seconds = max(min(word.at - start.at, word.told_at - start.told_at), 0.0)
        refill = seconds * word.limit / MINUTE_S if word.refills and start.refills else 0.0
        reset = word.used < start.used and not refill
        if word.limit != start.limit or reset or (word.refills and not start.refills):
            # What was used before says nothing any more, or the refill from there on cannot be told.
            mine.since[other] = word
            return
        of_others = word.by_start[other] - start.by_start[other]
        enough = min(max(word.limit * 4 // 10, _ENOUGH[0]), _ENOUGH[1])
        if of_others < enough:
            return
        unexplained = word.used - start.used + refill - max(_between(start, word, group))
        levels = abs(word.remaining - theirs.remaining) <= 2 + sum(
            abs(word.by_reply[each] - theirs.by_start[each]) for each in (group, other)
        )
        least, most = _EXPLAINED
        if levels and least * of_others <= unexplained <= most * max(_between(start, word, other)):
            mine.proved_at[other] = word.at
        elif of_others < _TOO_LONG * enough:
            return
        mine.since[other] = word

    def _say(self, one: int, two: int) -> str:
        pair = frozenset((one, two))
        if pair in self._told:
            return ""
        self._told.add(pair)
        names = [*self._names[min(pair)], *self._names[max(pair)]]
        lines = ", ".join(f"{{name: {name}, …, group: shared}}" for name in names)
        return (
            f"the keys {' and '.join(names)} seem to share one quota: what the endpoint says is left of each falls "
            f"with the requests of the other. Put them into one group in the endpoint's file: keys: [{lines}]"
        )


def _between(start: _Word, end: _Word, group: int) -> tuple[int, int]:
    """Return what a group started between two words, by either way of counting."""
    return end.by_start[group] - start.by_start[group], end.by_reply[group] - start.by_reply[group]
