"""Phases and states as glyph and word, so that nothing is told by colour alone."""

from dataclasses import dataclass

from textual.content import Content

from vqa_tui.domain.run import LIVE_PHASES, EngineState, EngineView, Intent, Phase, RunView, TaskStatus
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import duration


@dataclass(frozen=True, slots=True)
class Label:
    """A state: its glyph, its word and the theme style of both."""

    glyph: str
    word: str
    style: str

    def content(self) -> Content:
        return Content.styled(f"{self.glyph} {self.word}", self.style)


GOOD, WARN, BAD, QUIET, BUSY = "$text-success", "$text-warning", "$text-error", "$foreground 60%", "$text-primary"

SILENT_AFTER_S = 5.0
"""A heartbeat comes every second; one this old is worth a word."""

_PHASES = {
    Phase.CREATED: Label("○", "created", QUIET),
    Phase.PREFLIGHT: Label("◌", "checking", BUSY),
    Phase.PILOT: Label("◐", "pilot", BUSY),
    Phase.AWAITING_APPROVAL: Label("◆", "needs approval", WARN),
    Phase.RUNNING: Label("●", "running", GOOD),
    Phase.PAUSING: Label("◑", "pausing", WARN),
    Phase.PAUSED: Label("‖", "paused", WARN),
    Phase.STOPPING: Label("◒", "stopping", WARN),
    Phase.STOPPED: Label("■", "stopped", QUIET),
    Phase.DONE: Label("✔", "done", GOOD),
    Phase.FAILED: Label("✖", "failed", BAD),
}
_LOST = Label("✖", "engine lost", BAD)
_HUNG = Label("◔", "not answering", WARN)

_STATUSES = {
    TaskStatus.PENDING: Label("·", "pending", QUIET),
    TaskStatus.LEASED: Label("▹", "taken", BUSY),
    TaskStatus.DONE: Label("✔", "done", GOOD),
    TaskStatus.FAILED: Label("✖", "failed", BAD),
    TaskStatus.SKIPPED: Label("↷", "skipped", QUIET),
}

_ASKED = Label("▸", "in flight", BUSY)

_KEY_STATES = {
    "": Label("–", "at rest", QUIET),
    "ok": Label("●", "ok", GOOD),
    "cooling": Label("◔", "cooling", WARN),
    "parked": Label("‖", "parked", WARN),
    "off": Label("✖", "off", BAD),
}

_LEVELS = {
    "info": Label("·", "info", QUIET),
    "warning": Label("▲", "warning", WARN),
    "error": Label("✖", "error", BAD),
    "action": Label("»", "action", BUSY),
}


def phase_label(phase: Phase, engine: EngineState) -> Label:
    """Return what a run is doing; an engine that is lost or hung says so in place of the phase it left behind."""
    if engine is EngineState.LOST:
        return _LOST
    if engine is EngineState.HUNG and phase in LIVE_PHASES:
        return _HUNG
    return _PHASES[phase]


_WANTED = {
    Intent.STOP: ("stop wanted", LIVE_PHASES - {Phase.STOPPING}),
    Intent.PAUSE: ("pause wanted", frozenset({Phase.PREFLIGHT, Phase.PILOT, Phase.RUNNING})),
}


def state_content(view: RunView) -> Content:
    """Return what a run is doing, and what a person wants of it that it does not do yet: `● running · stop wanted`."""
    state = phase_label(view.phase, view.engine.state).content()
    words, phases = _WANTED.get(view.intent, ("", frozenset[Phase]()))
    if view.phase not in phases or view.engine.state is EngineState.LOST:
        return state
    return Content.assemble(state, (f" · {words}", WARN))


def status_label(status: TaskStatus, *, asked: bool = False) -> Label:
    """Return the label of a task. An engine takes more tasks than it asks at once; `asked` is one being asked now."""
    return _ASKED if asked and status is TaskStatus.LEASED else _STATUSES[status]


def key_state_label(state: str) -> Label:
    """Return the label of a key's state; a state that this version does not know is shown as it stands."""
    return _KEY_STATES.get(state) or Label("?", clean(state, one_line=True, limit=12), WARN)


def level_label(level: str) -> Label:
    return _LEVELS.get(level) or Label("·", clean(level, one_line=True, limit=12), QUIET)


def engine_words(engine: EngineView, now: float) -> str:
    """Return the engine's state and age: `engine 45m 23s`, `engine lost`, `no engine`."""
    if engine.state is EngineState.ALIVE:
        if engine.heartbeat_age_s is not None and engine.heartbeat_age_s >= SILENT_AFTER_S:
            return f"last word {duration(engine.heartbeat_age_s)} ago"
        age = None if engine.session_started_at is None else now - engine.session_started_at
        return "engine starting" if age is None else f"engine {duration(age)}"
    if engine.state is EngineState.HUNG:
        return f"engine silent for {duration(engine.heartbeat_age_s)}"
    return "engine lost" if engine.state is EngineState.LOST else "no engine"


def kind_words(kind: str) -> str:
    """Return a failure kind as words: bad_reply -> bad reply."""
    return clean(kind, one_line=True, limit=32).replace("_", " ")
