"""Retry, skip, requeue, asking again and undo of items, from the list and from one item: each asks with its counts."""

from collections.abc import Sequence

from textual import on, work
from textual.binding import Binding

from vqa_tui.domain.queue_edit import MOVABLE, EditVerb
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.task import TaskRow
from vqa_tui.tui.lasting import lasting
from vqa_tui.tui.messages import LookWanted
from vqa_tui.tui.present.edit_words import (
    edit_answer,
    edit_consequence,
    edit_title,
    edited,
    nothing_to_edit,
)
from vqa_tui.tui.present.failure_verbs import cost_words
from vqa_tui.tui.present.numbers import plural
from vqa_tui.tui.present.phases import status_label
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.undoing import UNDO_TOOLTIP, UndoingScreen
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.widgets.id_list import IdList

RETRY = Binding("R", "retry", "retry", id="items.retry", tooltip="Ask failed items again: the marked, or this one")
SKIP = Binding("d", "skip", "skip", id="items.skip", tooltip="Take items that wait or failed out of the queue")
REQUEUE = Binding(
    "B", "requeue", "requeue", id="items.requeue", tooltip="Ask items again that are done, failed or skipped"
)
AGAIN = Binding(
    "A",
    "ask_again",
    "again",
    id="items.again",
    tooltip="Ask the marked, or this one, with a longer reply, another size, or elsewhere",
)
UNDO = Binding("u", "undo", "undo", id="items.undo", tooltip=UNDO_TOOLTIP)
EDIT_KEYS = (RETRY, SKIP, REQUEUE, AGAIN, UNDO)
EDITS = frozenset({"retry", "skip", "requeue", "ask_again", "undo"})

_MANY = 20_000
"""Items whose edit takes long enough for a word."""
_WHY = {
    EditVerb.RETRY: "only failed ones can be asked again with R; B asks done ones too",
    EditVerb.SKIP: "only those that wait or failed can be skipped",
    EditVerb.REQUEUE: "it waits already, or is being asked",
}


def why_not_edit(action: str, row: TaskRow | None) -> str | None:
    """Return why one item cannot be moved so, or None when it can or is not known yet."""
    if row is None or action not in EDITS - {"undo"}:
        return None
    if action == "ask_again":
        waits = row.status in (TaskStatus.PENDING, TaskStatus.LEASED)
        return f"This item is {status_label(row.status).word}: it is asked anyway." if waits else None
    verb = EditVerb(action)
    if row.status in MOVABLE[verb]:
        return None
    return f"This item is {status_label(row.status).word}; {_WHY[verb]}."


class EditingScreen(UndoingScreen):
    """A screen on which items of the queue are edited."""

    WRITES = UndoingScreen.WRITES | EDITS

    def edited_ids(self) -> Sequence[int]:
        """Return the items that an edit is about."""
        raise NotImplementedError

    def drop_marks(self) -> None:
        """Forget which items were meant: they were moved."""

    def action_retry(self) -> None:
        self.edit(EditVerb.RETRY)

    def action_skip(self) -> None:
        self.edit(EditVerb.SKIP)

    def action_requeue(self) -> None:
        self.edit(EditVerb.REQUEUE)

    def edit(self, verb: EditVerb) -> None:
        """Move the items that are meant, after a question where there are several of them or pairs are at stake."""
        if not self.busy("edit", "undo") and (ids := self.edited_ids()):
            if len(ids) > _MANY:
                tell(self, f"Counting {plural(len(ids), 'item')} …")
            self._edit(self.run_id, verb, ids)

    @on(IdList.MarksDropped)
    def _marks_dropped(self, event: IdList.MarksDropped) -> None:
        event.stop()
        tell(self, f"{plural(event.number, 'mark')} dropped: the filter does not show their items.", severity="warning")

    @lasting(group="edit")
    async def _edit(self, run_id: int, verb: EditVerb, ids: Sequence[int]) -> None:
        stock = await self.services.queue_edits.stock(run_id, ids)
        if not stock.movable(verb):
            tell(self, nothing_to_edit(verb, stock), severity="warning")
            return
        if len(ids) > 1 or (verb is EditVerb.REQUEUE and stock.pairs) or stock.paid_twice(verb):
            cost = cost_words(stock.movable(verb), self.seen.view) if self.seen is not None else ""
            question = Question(
                edit_title(verb),
                edit_consequence(verb, stock, cost=cost),
                yes=edit_answer(verb, stock),
                no="Leave them",
                late=True,
            )
            if not await self.ask(question, about=question.about):
                return
        # So many are moved piece by piece, which takes its time also where nobody else holds the file.
        waits_for = f"Moving {plural(stock.movable(verb), 'item')} …" if len(ids) > _MANY else ""
        wish, work = f"{verb} of {plural(len(ids), 'item')}", self.services.queue_edits.edit(run_id, verb, ids)
        moved = await self.carried_out(run_id, verb, wish, work, waits_for=waits_for)
        named = await self.services.task_rows(run_id, ids) if len(ids) == 1 else {}
        done = edited(verb, moved, next((row.name for row in named.values()), None))
        words = f"{done} u takes it back." if moved else done
        tell(self, words, severity="information" if moved else "warning")
        if not self.is_left:
            self.drop_marks()
            self.reread_items()

    @work(group="again", exit_on_error=False)
    async def action_ask_again(self) -> None:
        """Ask the items that are meant again with something changed."""
        from vqa_tui.tui.screens.ask_again import AskAgainDialog  # only here: recipes and endpoints are heavy to load

        ids, seen = self.edited_ids(), self.seen
        if not ids or seen is None:
            return
        done = await self.ask(AskAgainDialog(self.services, seen.view, ids))
        if done is not None:
            tell(self, done.sentence if done.run_id is not None else f"{done.sentence} u takes it back.")
            self.post_message(LookWanted())
            self.drop_marks()
            self.reread_items()
