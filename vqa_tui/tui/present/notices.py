"""What a person is told of when they may look elsewhere: a run paused, ended, lost its engine, or waits for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vqa_tui.domain.run import EngineState, Phase, RunSummary
from vqa_tui.safe_text import clean, in_a_line
from vqa_tui.tui.present.numbers import count, money_words

LOST = "lost"
Standing = tuple[Phase, EngineState]
_LONGEST = 200
_WORDS = {
    Phase.AWAITING_APPROVAL: "the pilot is over and waits for approval",
    Phase.PAUSED: "paused",
    Phase.DONE: "done",
    Phase.STOPPED: "stopped",
    Phase.FAILED: "ended with a failure",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person is told of one run."""

    run_id: int
    standing: str
    """The phase in which the run is at rest, or LOST."""
    words: str
    """Clean, in one line."""


def standings(runs: Sequence[RunSummary]) -> dict[int, Standing]:
    """Return how each run stands, by its id."""
    return {run.id: (run.phase, run.engine) for run in runs}


def notices(before: Mapping[int, Standing], runs: Sequence[RunSummary]) -> list[Notice]:
    """Return a notice of each run that came to rest or needs a person since `before`; new runs are no news."""
    found = []
    for run in runs:
        phase, engine = before.get(run.id, (run.phase, run.engine))
        name = clean(run.name, one_line=True, limit=60)
        if run.engine is EngineState.LOST and engine is not EngineState.LOST:
            found.append(Notice(run.id, LOST, f"{name}: the engine is lost; resume it"))
        elif run.phase is not phase and (words := _WORDS.get(run.phase)):
            line = in_a_line(f"{name}: {words}{_more(run)}", limit=_LONGEST)
            found.append(Notice(run.id, run.phase, line))
    return found


def _more(run: RunSummary) -> str:
    if run.phase is Phase.DONE:
        spent = money_words(run.spent, price_known=run.price_known)
        return f", {count(run.counts.done)} done, {count(run.counts.failed)} failed, {spent}"
    return f": {run.phase_reason}" if run.phase_reason and run.phase in (Phase.PAUSED, Phase.FAILED) else ""
