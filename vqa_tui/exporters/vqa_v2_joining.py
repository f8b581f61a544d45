"""Joining the annotations of VQA v2 to its questions while both files are read."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.exporters.record_entry import Entry


class AnnotationsByQuestion:
    """Finds annotations by question id. Files in one order are joined without holding more than one of them."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self._passed: dict[Any, dict[str, Any]] = {}
        """Annotations whose question has not come yet."""

    def of(self, question_id: Any) -> tuple[dict[str, Any] | None, Entry | None]:
        """Return the annotation of a question, and the entry on the way that is none (None for nothing)."""
        if not isinstance(question_id, int):
            return None, None
        if question_id in self._passed:
            return self._passed.pop(question_id), None
        for entry in self._entries:
            if entry.record is None:
                return None, entry
            found = entry.record.get("question_id")
            if found == question_id:
                return entry.record, None
            if isinstance(found, int):
                self._passed[found] = entry.record
        return None, None
