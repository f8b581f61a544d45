"""The words of the log of a run, for screens and for the command line; not cleaned yet."""

from vqa_tui.domain.course import LogEntry
from vqa_tui.domain.run import Intent

_WISHES = {Intent.RUN.value: "resumed", Intent.PAUSE.value: "paused", Intent.STOP.value: "stopped"}
"""What a person did, by what the run shall do since."""


def entry_words(entry: LogEntry) -> str:
    """Return what happened, with the old and the new value where there are any."""
    if not entry.old_value and not entry.new_value:
        return entry.message
    wish, comma, rest = entry.message.partition(",")
    if wish == entry.new_value and wish in _WISHES:
        return f"{_WISHES[wish]}{comma}{rest}"  # what was wanted before says nothing: a paused run may be wanted to run
    return f"{entry.message} {entry.old_value} → {entry.new_value}".replace("  →", " →")
