"""The line: whether requests in flight mostly wait for their own picture to go out.

That is seen, not guessed: the operating system tells how many connections still hold bytes that the other side has not
received. Bytes a second alone cannot tell a full line from a slow endpoint.
"""

from collections import deque

_LOOKS = 40
"""Ten seconds of looks, four a second."""
_LEAST_LOOKS = 20
_MOSTLY = 0.5
"""Share of the requests in flight that are still going out, from which on the line is what they wait for."""
_MEGABYTE = 1_000_000


class LineLoad:
    """Looked at with every beat of the engine."""

    def __init__(self) -> None:
        self._looks: deque[tuple[int, int, float, int]] = deque(maxlen=_LOOKS)

    def look(self, *, sending: int | None, asking: int, at: float, sent_bytes: int) -> None:
        """Note how many of the requests in flight are still going out (None: this system does not tell).

        `at` is of time.monotonic; `sent_bytes` is the total of this engine.
        """
        if sending is None:
            return
        if asking == 0:
            self._looks.clear()
            return
        self._looks.append((min(sending, asking), asking, at, sent_bytes))

    @property
    def is_the_limit(self) -> bool:
        """Whether requests have mostly been going out, over the last ten seconds."""
        if len(self._looks) < _LEAST_LOOKS:
            return False
        sending = sum(look[0] for look in self._looks)
        return sending >= _MOSTLY * sum(look[1] for look in self._looks)

    @property
    def sentence(self) -> str:
        """What is the matter and what would help."""
        sending, asking, at, sent = self._looks[-1]
        _sending, _asking, since, before = self._looks[0]
        pace = (sent - before) / _MEGABYTE / max(at - since, 0.001)
        return (
            f"the line is the limit: {sending} of {asking} requests are still going out, {pace:.1f} MB/s; "
            "smaller pictures (max_side) would help, more workers would not"
        )
