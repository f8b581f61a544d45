"""Failures of a run, gathered by what went wrong."""

from vqa_tui.tui.services.door import Door


class Failures(Door):
    """Clusters of failures."""
