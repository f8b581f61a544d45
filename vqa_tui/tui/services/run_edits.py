"""Renaming, archiving, deleting and comparing runs, as the list of runs needs it."""

from vqa_tui.tui.services.door import Door


class RunEdits(Door):
    """What can be done with a whole run."""
