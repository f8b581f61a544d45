"""What screens tell the app: something was picked, or something is wanted."""

from dataclasses import dataclass

from textual.message import Message


@dataclass
class RunPicked(Message):
    """A run was chosen: show its dashboard."""

    run_id: int


@dataclass
class ModeWanted(Message):
    """Another mode is wanted: runs, run or items."""

    mode: str


@dataclass
class ItemsWanted(Message):
    """The items of the run on screen are wanted, narrowed by a filter as it would be typed."""

    filter_text: str


@dataclass
class LookWanted(Message):
    """Something was changed by this process: read the views again now."""
