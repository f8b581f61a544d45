"""The words of the log of a run, for screens and for the command line; not cleaned yet."""

from vqa_tui.domain.course import LogEntry


def entry_words(entry: LogEntry) -> str:
    """Return what happened, with the old and the new value where there are any."""
    if not entry.old_value and not entry.new_value:
        return entry.message
    return f"{entry.message} {entry.old_value} → {entry.new_value}".replace("  →", " →")
