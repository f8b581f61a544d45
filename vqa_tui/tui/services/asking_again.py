"""Asking pictures again with something changed."""

from vqa_tui.tui.services.door import Door


class AskingAgain(Door):
    """Another endpoint, a longer reply or another picture size for chosen pictures."""
