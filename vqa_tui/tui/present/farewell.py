"""What is said when a person leaves: what goes on without the screen, and how to come back."""

from collections.abc import Sequence

from vqa_tui.domain.run import EngineState
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import plural
from vqa_tui.tui.present.seen import RunLine


def farewell(lines: Sequence[RunLine]) -> str:
    """Return plain text for the terminal after the app has ended."""
    at_work = [line.summary for line in lines if line.summary.engine in (EngineState.ALIVE, EngineState.HUNG)]
    if not at_work:
        return "vqa-tui: detached. No engine is at work."
    names = [clean(run.name, one_line=True, limit=60) for run in at_work]
    return (
        f"vqa-tui: detached. {plural(len(names), 'run')} {'goes' if len(names) == 1 else 'go'} on: {', '.join(names)}\n"
        f"  vqa-tui                    shows {'it' if len(names) == 1 else 'them'} again\n"
        f"  vqa-tui run pause {names[0]}"
    )
