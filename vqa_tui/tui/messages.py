"""What screens tell the app: something was picked, or something is wanted."""

from array import array
from dataclasses import dataclass

from textual.message import Message


@dataclass
class RunPicked(Message):
    """A run was chosen: show its dashboard."""

    run_id: int


@dataclass
class ModeWanted(Message):
    """Another mode is wanted: runs, run, items or failures."""

    mode: str


@dataclass
class ItemsWanted(Message):
    """The items of the run on screen are wanted: exactly `ids`, those that a filter as typed takes, or as before."""

    filter_text: str | None = None
    ids: "array[int] | None" = None
    """In ascending order."""
    named: str = ""
    """What the items of `ids` are called where they are shown."""
    run_id: int | None = None
    """The run that `ids` belong to; None stands for the one on screen."""


@dataclass
class LookWanted(Message):
    """Something was changed by this process: read the views again now."""


@dataclass
class SettingWanted(Message):
    """A setting of the app is to be what was typed."""

    name: str
    value: str


@dataclass
class KeysWanted(Message):
    """Other keys are to do what has this id; None: those that did it before."""

    key_id: str
    keys: str | None


@dataclass
class DemoWanted(Message):
    """The demo is wanted: drawn pictures, imported, and a run over them."""


@dataclass
class ImportWanted(Message):
    """Pictures are to be imported, over the list of the datasets."""
