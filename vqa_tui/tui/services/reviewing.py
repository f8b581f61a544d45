"""The pairs of a run and a person's verdicts on them."""

from vqa_tui.tui.services.door import Door


class Reviewing(Door):
    """Review of pairs."""
