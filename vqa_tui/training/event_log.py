"""Writing what happens to `metrics.jsonl`, a line at a time, so that a crash costs no more than the last one."""

import sys
from pathlib import Path

from vqa_tui.domain.training_events import Event, event_line


class EventLog:
    """Appends events; of several processes only the first one writes."""

    def __init__(self, path: Path, *, writes: bool) -> None:
        self._file = open(path, "a+", encoding="utf-8") if writes else None  # noqa: SIM115 - open until the end
        if self._file is not None and self._file.tell() and not _ends_whole(path):
            self._file.write("\n")

    def write(self, event: Event) -> None:
        """Write one event. Raises OSError, on a full disk say."""
        if self._file is not None:
            self._file.write(event_line(event) + "\n")
            self._file.flush()

    def say(self, words: str) -> None:
        """Print one line to the log that people read."""
        if self._file is not None:
            print(words, flush=True, file=sys.stdout)


def _ends_whole(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
