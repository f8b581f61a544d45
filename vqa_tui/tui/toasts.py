"""Toasts in words: the one place that turns an error into something a person sees."""

import textwrap
import time
from typing import Any
from weakref import WeakKeyDictionary

from textual.app import App
from textual.dom import DOMNode
from textual.worker import Worker, WorkerState

from vqa_tui.domain.failure import VqaError
from vqa_tui.safe_text import clean, in_a_line

_LIMIT = 600
_SHOWN_S = 5.0
_LINES = 3
"""Lines of a toast that is no error, as `app.tcss` has it; what does not fit ends in an ellipsis."""
_FRAME = 3
"""Cells of a toast beside its text."""
_SCROLL_BAR = 2
"""Cells of the scroll bar that toasts stand beside, whether it is needed or not."""
_SHARE = 0.9
"""Of the width beside that bar that a toast takes at the most."""
_last: WeakKeyDictionary[App[Any], tuple[float, dict[str, Any]]] = WeakKeyDictionary()
"""The newest toast of each app: it stays when another comes, and everything older goes."""


def tell(node: DOMNode, message: str, *, title: str = "", severity: str = "information") -> None:
    """Show `message` as literal text; at most two toasts stand at once, and only errors take more than three lines."""
    if severity not in ("information", "warning", "error"):
        raise ValueError(f"unknown severity {severity!r}")
    if severity == "error":
        words = clean(message, limit=_LIMIT)
    else:
        words, title = in_a_line(f"{title}: {message}" if title else message, limit=_LIMIT), ""
        # Broken here: a toast as wide as its text reckons its height before it is made narrower.
        width = max(int((node.app.size.width - _SCROLL_BAR) * _SHARE) - _FRAME, 20)
        words = "\n".join(textwrap.wrap(words, width, max_lines=_LINES, placeholder=" …"))
    toast: dict[str, Any] = {"message": words, "title": title, "severity": severity, "markup": False}
    now = time.monotonic()
    until, before = _last.get(node.app, (0.0, {}))
    node.app.call_later(node.app.clear_notifications)  # toasts come by message: this keeps its place among them
    if until > now and before["message"] != words:
        node.app.notify(**before, timeout=until - now)
    node.app.notify(**toast, timeout=_SHOWN_S)
    _last[node.app] = (now + _SHOWN_S, toast)


def error_words(error: BaseException) -> str:
    """Return an error as a person reads it: ours as it stands, a foreign one with its type and no traceback."""
    if isinstance(error, VqaError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error}"


def tell_error(node: DOMNode, error: BaseException) -> None:
    tell(node, error_words(error), title="That did not work", severity="error")


def tell_worker_failure(node: DOMNode, event: Worker.StateChanged) -> None:
    """Show what made a worker of `node` fail; every other change of state is of no interest."""
    if event.state is WorkerState.ERROR and event.worker.error is not None:
        tell_error(node, event.worker.error)
