"""The panels of the training mode: their order and their titles."""

from textual.content import Content

from vqa_tui.domain.training import TrainingSummary
from vqa_tui.tui.present.phases import QUIET

_TITLES = {
    "trainings": "Trainings",
    "course": "Curves",
    "facts": "Facts",
    "samples": "Answers",
    "checkpoints": "Checkpoints",
    "evaluation": "Evaluation",
    "log": "Log",
    "spikes": "Spikes",
}
PANELS = tuple(_TITLES)
"""Ids of the list and of the panels, in the order in which Tab goes through them."""
_FOCUSED = "▸ "


def panel_title(name: str, *, focused: bool, of: TrainingSummary | None) -> str:
    """Return the title of a panel; words of ours alone."""
    number = f" of training {of.id}" if of is not None and name == "log" else ""
    return f"{_FOCUSED if focused else ''}{_TITLES[name]}{number}"


def panel_line(shown: str) -> Content:
    """Return the names of all panels, where only one is shown at a time: that one stands out by a mark."""
    parts = [
        Content.styled(f"{_FOCUSED}{title}", "bold") if name == shown else Content.styled(title, QUIET)
        for name, title in _TITLES.items()
        if name != "trainings"
    ]
    return Content("  ").join(parts)
