"""The recorded course of a run, as the dashboard needs it."""

from vqa_tui.tui.services.door import Door


class History(Door):
    """What a run did at any second of its life."""
