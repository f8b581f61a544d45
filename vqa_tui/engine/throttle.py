"""The throttle of one quota group: how many requests may be in flight, and how fast they may follow each other."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThrottleState:
    """What the throttle has learned, for faces."""

    slots: int
    per_second: float | None
    state: str
    cut_at: float | None
    cuts: int


class Throttle:
    """Pure: every method is told the time (seconds of a clock that does not run backwards)."""

    def __init__(self, most: int) -> None:
        self._most = most

    def set_most(self, most: int) -> None:
        """Change the most requests in flight that a person allows."""
        self._most = most

    def wait_s(self, now: float, in_flight: int) -> float:
        """Return the seconds until one more request may start beside `in_flight` others: 0 now, infinite: until one of
        them ends."""
        return 0.0 if in_flight < self._most else float("inf")

    def started(self, now: float) -> None:
        """Note that a request starts."""

    def cancelled(self, started_at: float) -> None:
        """Undo the start at `started_at`: nothing was sent."""

    def succeeded(self, now: float, started_at: float, *, saturated: bool) -> None:
        """Note a reply; `saturated` tells whether requests waited for this group meanwhile."""

    def rate_limited(self, now: float, started_at: float) -> None:
        """Note a 429 without regard to how long the endpoint asks to wait, which is the keyring's matter."""

    def failed(self, now: float, started_at: float) -> None:
        """Note any other failure: growth stops for a while, nothing shrinks."""

    def restart_gently(self, now: float) -> None:
        """Begin anew with few requests: the computer slept, or the endpoint was gone."""

    def state(self, now: float) -> ThrottleState:
        return ThrottleState(self._most, None, "holding", None, 0)
