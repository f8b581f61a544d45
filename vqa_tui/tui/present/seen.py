"""What the poller has seen: frozen views together with the moment at which they were read."""

from dataclasses import dataclass

from vqa_tui.domain.run import RunSummary, RunView


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the list; `view` only where an engine is at work, for its rate and what is left."""

    summary: RunSummary
    view: RunView | None = None


@dataclass(frozen=True, slots=True)
class SeenRuns:
    """All runs, newest first, as of Unix time `at`."""

    lines: tuple[RunLine, ...]
    at: float


@dataclass(frozen=True, slots=True)
class SeenRun:
    """One run as of Unix time `at`. Equal facts at another moment are another sight: ages go on."""

    view: RunView
    at: float
