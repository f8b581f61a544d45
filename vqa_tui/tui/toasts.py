"""Toasts in words: the one place that turns an error into something a person sees."""

from textual.dom import DOMNode
from textual.worker import Worker, WorkerState

from vqa_tui.domain.failure import VqaError
from vqa_tui.safe_text import clean

_LIMIT = 600


def tell(node: DOMNode, message: str, *, title: str = "", severity: str = "information") -> None:
    """Show `message` as literal text."""
    if severity not in ("information", "warning", "error"):
        raise ValueError(f"unknown severity {severity!r}")
    node.app.notify(
        clean(message, limit=_LIMIT),
        title=title,
        severity="error" if severity == "error" else "warning" if severity == "warning" else "information",
        markup=False,
    )


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
