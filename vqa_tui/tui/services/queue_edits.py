"""Retrying, skipping and requeueing pictures, and taking that back."""

from vqa_tui.tui.services.door import Door


class QueueEdits(Door):
    """Edits of the queue."""
