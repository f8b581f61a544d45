"""Trainings of the workspace and their logs."""

from vqa_tui.tui.services.door import Door


class Trainings(Door):
    """Trainings as the screen lists them."""
