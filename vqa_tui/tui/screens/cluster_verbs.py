"""Retry, skip, asking again and undo of whole clusters of failures: each asks with its counts."""

from array import array
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding

from vqa_tui.domain.failure_advice import Verb
from vqa_tui.domain.failure_cluster import FailureCluster
from vqa_tui.tui.messages import LookWanted
from vqa_tui.tui.present import failure_verbs
from vqa_tui.tui.present.numbers import plural
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.undoing import UNDO_TOOLTIP, UndoingScreen
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.verbs import retry_waits_for

CLUSTER_KEYS = (
    Binding("R", "retry", "retry", id="failures.retry", tooltip="Ask again what is in this cluster"),
    Binding("d", "skip", "skip", id="failures.skip", tooltip="Take out of the run what is in this cluster"),
    Binding("S", "smaller", "smaller", id="failures.smaller", tooltip="Ask again with a smaller picture"),
    Binding("E", "elsewhere", "elsewhere", id="failures.elsewhere", tooltip="Ask another endpoint"),
)
UNDO = Binding("u", "undo", "undo", id="failures.undo", tooltip=UNDO_TOOLTIP)
_VERBS = {"retry": Verb.RETRY, "skip": Verb.SKIP, "smaller": Verb.SMALLER, "elsewhere": Verb.ELSEWHERE}
_MANY = 20_000
"""Pictures that take long enough to count for a word."""


def ids_of(chosen: Sequence[FailureCluster]) -> list[int]:
    """Return the ids of the clusters that the store keeps apart and `chosen` shows as one each."""
    return [each for cluster in chosen for each in cluster.ids]


class ClusterVerbsScreen(UndoingScreen):
    """A screen on which whole clusters are moved in the queue."""

    WRITES: ClassVar[frozenset[str]] = UndoingScreen.WRITES | frozenset(_VERBS)

    @property
    def chosen(self) -> list[FailureCluster]:
        """The clusters that a verb is about."""
        raise NotImplementedError

    def drop_marks(self) -> None:
        """Forget which clusters were meant: their pictures were moved."""
        raise NotImplementedError

    def why_not(self, action: str) -> str | None:
        if action in _VERBS:
            return failure_verbs.why_not(_VERBS[action], self.chosen)
        return super().why_not(action)

    def action_retry(self) -> None:
        if not self.busy("verb", "undo"):
            self._move(Verb.RETRY, "put back into the queue")

    def action_skip(self) -> None:
        if not self.busy("verb", "undo"):
            self._move(Verb.SKIP, "taken out of the run")

    @work(group="verb", exit_on_error=False)
    async def _move(self, verb: Verb, done: str) -> None:
        """Ask, then retry or skip every picture of the chosen clusters."""
        chosen, view = self.chosen, self.steered
        if view is None or not chosen or self._still(view, *Verb):
            return
        if sum(each.pictures for each in chosen) > _MANY:
            tell(self, f"Counting the {view.unit}s …")
        ids = await self.services.failures.task_ids(ids_of(chosen), tries=False)
        if self._none_left(ids):
            return
        asked = failure_verbs.question(verb, len(ids), sum(each.pictures > 0 for each in chosen), view)
        question = Question(asked.title, asked.body, yes=asked.yes, no="Leave them", late=True)
        if not await self.ask(question, about=question.about):
            return
        move = self.services.failures.retry if verb is Verb.RETRY else self.services.failures.skip
        waits_for = retry_waits_for(view) if verb is Verb.RETRY else ""
        moved = await self.written(view, verb, move(view.id, ids), waits_for=waits_for)
        words = f"{plural(moved, view.unit)} {done}."
        tell(self, f"{words} u takes it back." if moved else words, severity="information" if moved else "warning")
        self.drop_marks()
        self.reread_items()

    def _none_left(self, ids: "array[int]") -> bool:
        """Say so where somebody else was faster."""
        if not ids:
            tell(self, "They have been put back or skipped meanwhile.", severity="warning")
            self.reread_items()
        return not ids

    def action_smaller(self) -> None:
        if not self.busy("verb", "undo"):
            self._ask_again()

    def action_elsewhere(self) -> None:
        self.action_smaller()

    @work(group="verb", exit_on_error=False)
    async def _ask_again(self) -> None:
        """Let a person choose how the pictures of the chosen clusters are asked again."""
        chosen, view = self.chosen, self.steered
        if view is None or not chosen:
            return
        ids = await self.services.failures.task_ids(ids_of(chosen), tries=False)
        if self._none_left(ids):
            return
        from vqa_tui.tui.screens.ask_again import AskAgainDialog  # only here: it brings along what plans a run

        dialog = AskAgainDialog(self.services, view, ids)
        done = await self.ask(dialog, about=f"Ask {plural(len(ids), view.unit)} again?")
        if done is not None:
            tell(self, done.sentence if done.run_id is not None else f"{done.sentence} u takes it back.")
            self.drop_marks()
            self.post_message(LookWanted())
            self.reread_items()
