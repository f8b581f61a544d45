"""Evaluating a training by key, and what its evaluations found: the panel, and the worst rows with their pictures."""

import time
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content

from vqa_tui.domain.training import TrainingSummary
from vqa_tui.tui.present.evaluation_text import evaluation_text
from vqa_tui.tui.present.training_entries import JUDGED_COLUMNS, entries_of_judged, judged_rows
from vqa_tui.tui.present.training_words import why_not_evaluate
from vqa_tui.tui.screens.evaluate import EvaluateDialog
from vqa_tui.tui.screens.training_rows import TrainingRowsDialog
from vqa_tui.tui.screens.training_serving import TrainingServing
from vqa_tui.tui.services.trainings import Followed
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.widgets.zoomed_text import ZoomedText


class TrainingJudging(TrainingServing):
    """A screen with a ZoomedText `#evaluation` for the training under its cursor."""

    WRITES: ClassVar[frozenset[str]] = frozenset({"evaluate"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "t",
            "evaluate",
            "evaluate",
            id="training.evaluate",
            tooltip="Try what it learned: base against tuned model on the held-out rows",
        ),
    ]

    @property
    def found(self) -> Sequence[TrainingSummary]:
        """All trainings."""
        raise NotImplementedError

    def why_not(self, action: str) -> str | None:
        """Return why that cannot be done now."""
        if action == "evaluate":
            return self._why_not_evaluate()
        return super().why_not(action)

    def _why_not_evaluate(self) -> str | None:
        known = self.followed
        kept, lacks = (known.kept, known.lacks) if known is not None else (frozenset[int](), "")
        return why_not_evaluate(self.chosen, self.found, kept, lacks)

    @work(group="steer-training", exit_on_error=False)
    async def action_evaluate(self) -> None:
        """Ask for how many rows, and begin."""
        training, known = self.chosen, self.followed
        if training is None or self.busy_with(training):
            return
        rows = await self.ask(EvaluateDialog(training, again=known is not None and known.sight.found is not None))
        if rows is None:
            return
        tell(self, f"The evaluation of {training.name} is being started …")
        limit = rows if rows < training.held_out else None
        words = f"{training.name} is being evaluated. It goes on when you leave the app; X ends it."
        await self.done(self.services.trainings.evaluate(training.id, limit), words)

    def show_evaluation(self, known: Followed) -> None:
        """Draw the panel, and the keys that depend on what it shows."""
        sight, why_not = known.sight, self.reason("evaluate")

        def text(width: int, _height: int) -> Content:
            return evaluation_text(sight, why_not=why_not, now=time.time(), width=width)

        self.query_one("#evaluation", ZoomedText).show(text)
        self.refresh_bindings()

    @property
    def evaluation_focused(self) -> bool:
        return self.focused is not None and self.focused.id == "evaluation"

    async def open_worst(self) -> None:
        """Show the rows that the tuned model answers worst, beside their pictures."""
        known = self.followed
        if known is None or known.sight.found is None:
            return
        await self.ask(
            TrainingRowsDialog(
                self.services,
                "Answered worst by the tuned model",
                entries_of_judged(known.sight.found.worst),
                columns=JUDGED_COLUMNS,
                make_rows=judged_rows,
            )
        )
