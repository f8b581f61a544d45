"""Trainings of the workspace and their logs, as the training mode needs them."""

from vqa_tui.domain.training import TrainingSummary
from vqa_tui.operations import trainings
from vqa_tui.tui.services.door import Door


class Trainings(Door):
    """Trainings as the screen lists them."""

    async def all(self) -> tuple[TrainingSummary, ...]:
        """Return all trainings, newest first."""
        return await trainings.list_trainings(self._workspace)

    async def log(self, training_id: int) -> str:
        """Return the end of a log; hostile text. Raises VqaError when it cannot be read."""
        return await trainings.training_log(self._workspace, training_id)
