"""Kinds of failure, and who pays for each: the task, the key or the run."""

from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """What went wrong with one attempt. The kind alone decides what happens next (see POLICY)."""

    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    AUTH = "auth"
    SERVER = "server"
    NETWORK = "network"
    TIMEOUT = "timeout"
    BAD_REPLY = "bad_reply"
    REFUSED = "refused"
    REJECTED = "rejected"
    MODEL_NOT_FOUND = "model_not_found"
    BAD_IMAGE = "bad_image"
    LOST = "lost"
    CANCELLED = "cancelled"


class KeyEffect(StrEnum):
    NONE = "none"
    COOL_DOWN = "cool_down"
    PARK = "park"
    SWITCH_OFF = "switch_off"


@dataclass(frozen=True, slots=True)
class FailurePolicy:
    """What one kind of failure costs."""

    spends_attempt: bool
    """Whether the attempt counts against the task's maximum."""
    final: bool
    """Whether the task fails at once, however many attempts are left."""
    key_effect: KeyEffect = KeyEffect.NONE
    counts_for_breaker: bool = False
    pauses_run: bool = False
    """Whether one single failure of this kind pauses the run at once."""
    may_be_billed: bool = False
    """Whether the provider may bill a request that ended like this although no usage came back."""
    in_words: str = ""


POLICY: dict[FailureKind, FailurePolicy] = {
    FailureKind.RATE_LIMITED: FailurePolicy(
        False, False, KeyEffect.COOL_DOWN, in_words="rate limited; asked again later, nothing is lost"
    ),
    FailureKind.QUOTA_EXHAUSTED: FailurePolicy(
        False, False, KeyEffect.PARK, in_words="the quota or the funds of the key are used up"
    ),
    FailureKind.AUTH: FailurePolicy(
        False, False, KeyEffect.SWITCH_OFF, in_words="the endpoint refused the key (401 or 403)"
    ),
    FailureKind.SERVER: FailurePolicy(
        True, False, counts_for_breaker=True, in_words="the endpoint had an internal error (5xx)"
    ),
    FailureKind.NETWORK: FailurePolicy(
        True, False, counts_for_breaker=True, may_be_billed=True, in_words="the connection failed or was cut"
    ),
    FailureKind.TIMEOUT: FailurePolicy(
        True, False, counts_for_breaker=True, may_be_billed=True, in_words="no reply in time"
    ),
    FailureKind.BAD_REPLY: FailurePolicy(True, False, counts_for_breaker=True, in_words="the reply could not be read"),
    FailureKind.REFUSED: FailurePolicy(True, True, in_words="the model or a content filter refused"),
    FailureKind.REJECTED: FailurePolicy(
        True, True, counts_for_breaker=True, in_words="the endpoint rejected the request (400, 413 or 422)"
    ),
    FailureKind.MODEL_NOT_FOUND: FailurePolicy(
        False, True, pauses_run=True, in_words="the model or the address does not exist (404)"
    ),
    FailureKind.BAD_IMAGE: FailurePolicy(
        False, True, in_words="the picture is missing, changed or cannot be prepared; no request was made"
    ),
    FailureKind.LOST: FailurePolicy(
        False, False, may_be_billed=True, in_words="the engine ended before the reply was stored"
    ),
    FailureKind.CANCELLED: FailurePolicy(
        False, False, may_be_billed=True, in_words="cancelled by a person while in flight"
    ),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt, classified. `message` is hostile text: clean it before showing it."""

    kind: FailureKind
    message: str
    http_status: int | None = None
    retry_after_s: float | None = None
    """Seconds to wait as told by the endpoint."""
    never_sent: bool = False
    """True when the request certainly did not reach the endpoint, so it cannot have been billed."""
    by_day: bool = False
    """Whether what is used up is a quota by the day, which comes back at midnight."""


class VqaError(Exception):
    """Bad input or a refused action: says what, where, and what to do. Faces show it as it stands and exit with 2."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    @property
    def sentence(self) -> str:
        """Both in one line."""
        return f"{self.message}. {self.hint}" if self.hint else self.message


class RunGone(VqaError):
    """There is no such run, or not any more: somebody deleted it."""


class NotInstalled(VqaError):
    """What was asked for is right, and needs a package that is not here."""


class WorkFailed(VqaError):
    """What was asked for was right, and could not be done: a network, a server or a disk stood in the way."""
