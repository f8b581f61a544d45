"""Keyrings for tests: any quotas, clocks that only move when told, and throttles that get out of the way."""

import math

from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, KeyConfig, Quota
from vqa_tui.domain.run import Limits
from vqa_tui.engine.keyring import Keyring
from vqa_tui.engine.throttle import Throttle, ThrottleState


class Unthrottled(Throttle):
    """Lets everything pass at once, and remembers what it was told."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most
        self.slots = math.inf
        self.heard: list[str] = []

    def set_most(self, most: int) -> None:
        self.most = most

    def wait_s(self, now: float, in_flight: int) -> float:
        return 0.0 if in_flight < self.slots else math.inf

    def started(self, now: float) -> None: ...

    def cancelled(self, started_at: float) -> None:
        self.heard.append("cancelled")

    def succeeded(self, now: float, started_at: float, *, saturated: bool) -> None:
        self.heard.append("succeeded, saturated" if saturated else "succeeded")

    def rate_limited(self, now: float, started_at: float) -> None:
        self.heard.append("rate limited")

    def failed(self, now: float, started_at: float) -> None:
        self.heard.append("failed")

    def restart_gently(self, now: float) -> None:
        self.heard.append("restarted")

    def state(self, now: float) -> ThrottleState:
        return ThrottleState(self.most, None, "holding", None, 0)


class Clocks:
    """Monotonic seconds and Unix time, moved together."""

    def __init__(self, wall: float = 1_795_262_400.0) -> None:
        self.now = 1000.0
        self.time = wall

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.time += seconds

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.time


class Ring(Keyring):
    """A keyring without throttles, what it told, and the clocks by which it goes, if not the real ones."""

    def __init__(self, used: Endpoint, limits: Limits | None = None, *, clocks: Clocks | None = None) -> None:
        self.told: list[str] = []
        self.throttled: list[Unthrottled] = []
        values = {key.name: SecretStr("x") for key in used.keys}
        tell, throttle = lambda level, message: self.told.append(f"{level}: {message}"), self._throttle
        if clocks is None:
            super().__init__(used, values, limits or Limits(), {}, tell=tell, throttle=throttle)
        else:
            super().__init__(
                used,
                values,
                limits or Limits(),
                {},
                tell=tell,
                throttle=throttle,
                clock=clocks.monotonic,
                wall=clocks.wall,
            )

    def _throttle(self, most: int) -> Throttle:
        self.throttled.append(Unthrottled(most))
        return self.throttled[-1]

    def look_again(self) -> None:
        """Do what a timer does when it fires."""
        self._pump()


def endpoint(
    *keys: KeyConfig,
    quota: Quota | None = None,
    groups: dict[str, Quota] | None = None,
    day_resets: str = "UTC",
) -> Endpoint:
    return Endpoint(
        name="e",
        base_url="http://127.0.0.1:1/v1",
        model="m",
        keys=keys,
        quota=quota or Quota(),
        groups=groups or {},
        day_resets=day_resets,
    )
