"""What an action would do, for the question that is asked before it."""

from vqa_tui.domain.part import PICTURE
from vqa_tui.domain.run import EngineState, RunView
from vqa_tui.domain.run_contents import DeletedRuns, RunContents
from vqa_tui.tui.present.numbers import money, plural


def stop_consequence(view: RunView) -> str:
    """Return what stopping means for what is in flight and for the queue."""
    queue = f"{plural(view.counts.pending, view.unit)} stay in the queue; r resumes the run at any time."
    if view.engine.state is EngineState.LOST:
        return (
            f"The engine is lost: {plural(view.counts.leased, view.unit)} will be put back and the run stops. {queue}"
        )
    if view.engine.state is EngineState.HUNG:
        return f"The engine does not answer; it ends when it wakes up and reads this. {queue}"
    in_flight = plural(len(view.in_flight), "request")
    return f"{in_flight} in flight will end first, then the engine of {view.name} ends. {queue}"


def contents_words(contents: RunContents) -> str:
    """Return what goes with a run, as the log of actions keeps it: pictures, requests and money, pairs, verdicts."""
    paid = f" with {money(contents.spent)} of paid replies" if contents.spent else ""
    if contents.attempts and not contents.price_known:
        paid = " of unknown price"
    uncertain = f" and {money(contents.uncertain)} that may have been billed" if contents.uncertain else ""
    parts = [
        f"{'the tasks of ' if contents.unit == PICTURE else ''}{plural(contents.pictures, contents.unit)}",
        f"{plural(contents.attempts, 'attempt')}{paid}{uncertain}",
        plural(contents.pairs, "pair"),
        plural(contents.verdicts, "verdict"),
    ]
    return ", ".join(parts)


def paid_words(contents: RunContents) -> str:
    """Return why the name of a run is to be typed before it is deleted; '' where it need not be."""
    if not contents.paid:
        return ""
    return "Its replies were paid for." if contents.price_known else "Its replies may have been paid for."


def delete_consequence(contents: RunContents) -> str:
    """Return what deleting a run means, in full sentences."""
    return (
        f"This deletes {contents_words(contents)}, and the log of the run. It cannot be taken back.\n\n"
        "Exports and the pictures stay on disk, and what was paid stays in the total. Archiving (h) hides a run and "
        "keeps all of it."
    )


def deleted_words(deleted: DeletedRuns) -> str:
    """Return what deleted runs had cost: $4.20, and $0.02 uncertain, by 2 deleted runs, 1 of unknown price."""
    by = f"by {plural(deleted.runs, 'deleted run')}"
    if deleted.unpriced and not deleted.spent and not deleted.uncertain:
        return f"price unknown, {by}"
    uncertain = f", and {money(deleted.uncertain)} uncertain," if deleted.uncertain else ""
    unpriced = f", {deleted.unpriced} of unknown price" if deleted.unpriced else ""
    return f"{money(deleted.spent)}{uncertain} {by}{unpriced}"
