"""What can be done with a run now, and why the rest cannot; asked by keys, key bar, help and palette alike."""

from collections.abc import Callable
from enum import StrEnum

from vqa_tui.domain.run import LIVE_PHASES, EngineState, Intent, Phase, RunView

MOST_WORKERS = 1024
STOP_STANDS = "The run is to stop, and pausing would undo that. Press r if it is to go on."
AT_CAP = "The budget leaves nothing for one more request. Raise it with b on the dashboard, and the run goes on."


class PauseMeans(StrEnum):
    """What the pause key would do now."""

    PAUSE = "pause"
    CANCEL = "cancel"
    RESUME = "resume"


def pause_means(view: RunView) -> PauseMeans | None:
    """Return what the pause key does in this phase; None where it can do nothing. It never weakens a stop."""
    if view.engine.state is EngineState.LOST or view.intent is Intent.STOP:
        return None
    if view.phase in (Phase.PREFLIGHT, Phase.PILOT, Phase.RUNNING):
        return PauseMeans.CANCEL if view.intent is Intent.PAUSE else PauseMeans.PAUSE
    if view.phase is Phase.PAUSING:
        return PauseMeans.CANCEL
    return PauseMeans.RESUME if view.phase is Phase.PAUSED else None


def why_not(action: str, view: RunView | None) -> str | None:
    """Return why `action` cannot be done with this run now, or None when it can."""
    if action not in _REASONS:
        return None
    if view is None:
        return "The run has not been read yet."
    return _REASONS[action](view)


def _pause(view: RunView) -> str | None:
    if view.at_cap:
        return AT_CAP
    if pause_means(view) is not None:
        return None
    if view.engine.state is EngineState.LOST:
        return "The engine is lost, so nothing runs. Press r to resume."
    if view.intent is Intent.STOP and view.phase in LIVE_PHASES:
        return STOP_STANDS
    if view.phase is Phase.AWAITING_APPROVAL:
        return "The pilot is over and the run waits. Press a to approve or x to stop."
    return _at_rest(view)


def _resume(view: RunView) -> str | None:
    if view.at_cap:
        return AT_CAP
    if view.engine.state is EngineState.LOST or view.phase in (Phase.PAUSED, Phase.PAUSING, Phase.STOPPED):
        return None
    if view.phase in (Phase.PREFLIGHT, Phase.PILOT, Phase.RUNNING) and view.intent is not Intent.RUN:
        return None
    if view.engine.state is EngineState.HUNG and view.phase in LIVE_PHASES:
        return f"The engine does not answer. Wait, or end it with `kill -9 {view.engine.pid}`; then r starts it anew."
    if view.phase is Phase.AWAITING_APPROVAL:
        return "The run waits for approval. Press a to approve."
    if view.phase is Phase.DONE:
        return "The run is done. Press R to ask the failed ones again." if view.counts.failed else "The run is done."
    if view.phase in (Phase.FAILED, Phase.CREATED) and view.engine.state is EngineState.NONE:
        return None
    return f"The run is {view.phase.replace('_', ' ')}: there is nothing to resume."


def _stop(view: RunView) -> str | None:
    if view.phase is Phase.STOPPING and view.engine.state is not EngineState.LOST:
        return "The engine is already stopping."
    if view.intent is Intent.STOP and view.phase in LIVE_PHASES and view.engine.state is not EngineState.LOST:
        return "The stop is written already; the engine ends as soon as it has read it."
    return None if view.phase in LIVE_PHASES else _at_rest(view)


def _approve(view: RunView) -> str | None:
    if view.phase is Phase.AWAITING_APPROVAL:
        return None
    if view.phase in (Phase.PREFLIGHT, Phase.PILOT):
        return "The pilot is still measuring; it asks for approval when it is over."
    return "Nothing waits for approval."


def _retry_failed(view: RunView) -> str | None:
    return None if view.counts.failed else "No picture has failed."


def _workers(view: RunView) -> str | None:
    return "The run is done." if view.phase is Phase.DONE else None


def _budget(view: RunView) -> str | None:
    return None if view.cost.price_known else "The endpoint states no prices, so a budget cannot be held."


def _export(view: RunView) -> str | None:
    return None if view.samples or view.counts.done else "No picture is done yet: there is nothing to export."


def _at_rest(view: RunView) -> str:
    words = {
        Phase.DONE: "is done",
        Phase.FAILED: "ended with a failure",
        Phase.STOPPED: "is stopped",
        Phase.CREATED: "is not started",
    }
    return f"The run {words.get(view.phase, f'is {view.phase.value}')}: no engine is at work."


_REASONS: dict[str, Callable[[RunView], str | None]] = {
    "toggle_pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "stop_and_leave": _stop,
    "approve": _approve,
    "retry_failed": _retry_failed,
    "show_failed": _retry_failed,
    "workers": _workers,
    "budget": _budget,
    "export": _export,
}

ACTIONS = tuple(_REASONS)
"""Every action whose key can be grey."""


def retry_waits_for(view: RunView) -> str:
    """Return what a retry may wait for where the run had ended and goes on by it; '' where only the file is written."""
    return "Put back …: waiting for the engine to be at work." if view.phase in (Phase.DONE, Phase.FAILED) else ""
