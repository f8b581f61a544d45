"""Pictures of a run as options choose them: by status, by kind of failure, by their key, by a filter as it is typed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vqa_tui.domain.failure import FailureKind, VqaError

if TYPE_CHECKING:
    from vqa_tui.domain.task import TaskFilter


def task_filter(statuses: Sequence[str], kinds: Sequence[str], search: str = "", typed: str = "") -> "TaskFilter":
    """Return what the options mean together; all must hold.

    Raises VqaError, with the nearest known word, for a status or kind that is not known, and for what cannot be read.
    """
    from vqa_tui.domain.filter_grammar import parse_filter
    from vqa_tui.domain.run import TaskStatus

    known_statuses = [known_word("status", each, [str(status) for status in TaskStatus]) for each in statuses]
    known_kinds = [known_word("kind", each, [str(kind) for kind in FailureKind]) for each in kinds]
    terms = [f"status:{','.join(known_statuses)}"] if known_statuses else []
    terms += [f"kind:{','.join(known_kinds)}"] if known_kinds else []
    found = parse_filter(" ".join([*terms, typed]))
    return replace(found, search=f"{found.search} {search}".strip()) if search else found


def known_word(what: str, given: str, known: Sequence[str]) -> str:
    """Return `given`. Raises VqaError, naming the option `what` and the nearest known word, where it is not known."""
    from difflib import get_close_matches

    if given not in known:
        close = get_close_matches(given, known, 1)
        raise VqaError(
            f"--{what}: {given!r} is not a {what}",
            hint=f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}.",
        )
    return given
