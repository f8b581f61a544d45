"""What an action would do, for the question that is asked before it."""

from vqa_tui.domain.run import EngineState, RunView
from vqa_tui.tui.present.numbers import plural


def stop_consequence(view: RunView) -> str:
    """Return what stopping means for what is in flight and for the queue."""
    queue = f"{plural(view.counts.pending, 'picture')} stay in the queue; r resumes the run at any time."
    if view.engine.state is EngineState.LOST:
        return f"The engine is lost: {plural(view.counts.leased, 'task')} will be put back and the run stops. {queue}"
    if view.engine.state is EngineState.HUNG:
        return f"The engine does not answer; it ends when it wakes up and reads this. {queue}"
    in_flight = plural(len(view.in_flight), "request")
    return f"{in_flight} in flight will end first, then the engine of {view.name} ends. {queue}"
