"""Mode 5: one picture, one pair, one verdict."""

import asyncio
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from vqa_tui.domain.review import Edit, Judgement, ReviewPair, Seen, Verdict
from vqa_tui.safe_text import clean
from vqa_tui.tui.messages import ModeWanted
from vqa_tui.tui.picture_steps import NEXT_PICTURE, PREVIOUS_PICTURE, stepped
from vqa_tui.tui.present import review as words
from vqa_tui.tui.review_desk import ReviewDesk
from vqa_tui.tui.screens.dialogs import ValueDialog
from vqa_tui.tui.screens.review_choice import ReviewChoiceDialog
from vqa_tui.tui.screens.review_view import ReviewView
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.verdict_writer import VerdictWriter, WriteTrouble
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.pair_editor import PairEditor

_OPEN_A_PAIR = frozenset({"first", "undo", "note", "choose"})
"""Groups of the workers that open another pair, or the same one anew."""
_OF_THE_SHOWN = frozenset({"accept", "reject", "unsure", "edit", "note"})
_NEED_A_PAIR = frozenset({"accept", "reject", "unsure", "edit", "skip", "open_picture", "yank", "note", "boxes"})


class ReviewScreen(ReviewView):
    """Review of the pairs of the run. No key here steers the run: p and x are this screen's own."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["review.tcss"]
    WRITES = frozenset({"accept", "reject", "unsure", "edit", "note", "undo"})
    KEYS_LAST: ClassVar[tuple[str, ...]] = ("boxes",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "accept", "accept", id="review.accept", tooltip="The pair is right"),
        Binding("x", "reject", "reject", id="review.reject", tooltip="The pair is wrong; exports leave it out"),
        Binding("e", "edit", "edit", id="review.edit", tooltip="Mend question or answer, and accept"),
        Binding("m", "unsure", "unsure", id="review.unsure", tooltip="Maybe: put the pair aside for a second look"),
        Binding(
            "u,ctrl+z,backspace",
            "undo",
            "undo",
            key_display="u",
            id="review.undo",
            tooltip="Take your last verdict back",
        ),
        Binding("right,l,space", "skip", "skip", key_display="→", id="review.skip", tooltip="Next, without a verdict"),
        Binding("left,h", "previous", "back", key_display="←", id="review.previous", tooltip="The pair before"),
        Binding("slash", "choose", "choose", id="review.choose", tooltip="Order, filter and exactness"),
        Binding("w", "note", "note", id="review.note", tooltip="Write a note about the pair"),
        Binding("b", "boxes", "boxes", id="review.boxes", tooltip="Draw the boxes of the ground truth, or leave them"),
        NEXT_PICTURE,
        PREVIOUS_PICTURE,
        Binding("o", "open_picture", "open", id="review.open", tooltip="Open the picture in the desktop's viewer"),
        Binding("y", "yank", "yank", id="review.yank", tooltip="Copy question and answer (OSC 52)"),
        Binding("j,down", "scroll(1)", "Down", id="review.down", tooltip="Scroll the text down", show=False),
        Binding("k,up", "scroll(-1)", "Up", id="review.up", tooltip="Scroll the text up", show=False),
        Binding("escape", "back", "Back", id="review.back", tooltip="Back to the run", show=False),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._writer: VerdictWriter | None = None
        self._undoing = asyncio.Lock()
        """Held while one judgement is taken back: the next press takes back the one before."""

    def on_mount(self) -> None:
        super().on_mount()
        self._writer = VerdictWriter(
            self.services.reviewing.judge, self.watch_over.wishes, written=self._written, trouble=self._not_written
        )

    @property
    def pending(self) -> int:
        return self._writer.pending if self._writer is not None else 0

    @property
    def editing(self) -> bool:
        return self.has_class("-editing")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a pair is edited the keys are letters: none of this screen's works, and none is shown."""
        if self.editing and action in _OWN_ACTIONS:
            return False
        if action == "other_picture":
            return self.shown is not None and len(self.shown.pictures) > 1
        return super().check_action(action, parameters)

    def why_not(self, action: str) -> str | None:
        desk = self.desk
        if action == "skip" and desk is not None and desk.current is None and desk.skipped:
            return None
        if action in _OF_THE_SHOWN and self._opens_a_pair:
            return "Another pair is being opened. Press the key again when it is shown."
        if action in _NEED_A_PAIR and (desk is None or desk.current is None):
            return "No pair is shown."
        if action == "previous" and (desk is None or not desk.can_go_back):
            return "This is the first pair of this session."
        return super().why_not(action)

    @property
    def _opens_a_pair(self) -> bool:
        """Whether a key has asked for another pair that is not shown yet: a verdict now would be on the wrong one."""
        return self.at_work(*_OPEN_A_PAIR)

    def action_accept(self) -> None:
        self._judge(Verdict.ACCEPTED)

    def action_reject(self) -> None:
        self._judge(Verdict.REJECTED)

    def action_unsure(self) -> None:
        self._judge(Verdict.UNSURE)

    def _judge(self, verdict: Verdict, edit: Edit | None = None) -> None:
        """Have the verdict on the pair that is shown written in the background, and show the next one at once."""
        if self.shown is not None and self._put(self.shown, verdict, edit) and self.desk is not None:
            self._go_on(self.desk)

    def _put(self, pair: ReviewPair, verdict: Verdict, edit: Edit | None) -> bool:
        """Have a verdict written; tell whether there is a desk that it belongs to."""
        desk = self.desk
        if desk is None or self._writer is None:
            return False
        sample_id = pair.sample.id
        seen = Seen.of(pair.sample)
        self._writer.put(desk.run_id, Judgement(sample_id, verdict, edit, picked=self.choice.picked, seen=seen))
        desk.judged(sample_id)
        self.last = f"pair {sample_id} {'edited and ' if edit else ''}{verdict} · u undoes"
        return True

    def _go_on(self, desk: ReviewDesk) -> None:
        if desk.step():
            self.show_pair()
            self.look_ahead()
        else:
            self.go_on_slowly(desk)

    def action_skip(self) -> None:
        if (desk := self.desk) is None:
            return
        if desk.current is None:
            desk.bring_back_skipped()
        else:
            desk.skip()
        self._go_on(desk)

    @work(group="first", exclusive=True, exit_on_error=False)
    async def action_previous(self) -> None:
        if (desk := self.desk) is not None and self._writer is not None:
            await self._writer.written_all()
            await desk.back()
            self.show_pair()

    @work(group="undo", exit_on_error=False)
    async def action_undo(self) -> None:
        """Take back the newest judgement, also of an earlier session, and open its pair; each press one."""
        async with self._undoing:
            await self._undo()

    async def _undo(self) -> None:
        desk = self.desk
        if desk is None or self._writer is None:
            return
        await self._writer.written_all()
        undone = await self.services.reviewing.undo(desk.run_id)
        if undone is None:
            tell(self, "You have judged nothing in this run that could be taken back.", severity="warning")
            return
        if undone.gone or not await desk.open(undone.sample_id):
            tell(self, f"The pair of {undone.item_key} was replaced meanwhile; its verdict stays in the log only.")
        else:
            self.last = f"pair {undone.sample_id}: taken back"
            self.show_pair()
        self.read_status()

    def action_edit(self) -> None:
        if self.shown is not None:
            self.add_class("-editing")
            self.query_one(PairEditor).take(self.shown)
            self.refresh_bindings()

    def show_pair(self) -> None:
        """Show the pair that lies open; while one is edited it stays on screen with its picture."""
        if not self.editing:
            super().show_pair()

    def begin(self, run_id: int) -> None:
        if self.editing:
            # Another run is followed: its pairs cannot stand beside the text of a pair of this one.
            pair = f"pair {self.shown.sample.id}" if self.shown is not None else "a pair"
            self._stop_editing()
            tell(self, f"The text typed for {pair} was not saved: another run is shown.", severity="warning")
        super().begin(run_id)

    def _stop_editing(self) -> None:
        self.remove_class("-editing")
        self.set_focus(None)
        self.refresh_bindings()

    @on(PairEditor.Saved)
    def _edited(self, event: PairEditor.Saved) -> None:
        """Accept the pair that was edited, whichever lies open by now."""
        self._stop_editing()
        desk = self.desk
        if not self._put(event.pair, Verdict.ACCEPTED, event.edit) or desk is None:
            tell(self, f"The text typed for pair {event.pair.sample.id} was not saved.", severity="error")
        elif desk.current is not None and desk.current.sample.id == event.pair.sample.id:
            self._go_on(desk)
        else:
            self.show_pair()

    @on(PairEditor.Left)
    def _left_editor(self) -> None:
        self._stop_editing()
        if self.desk is not None and self.desk.current is not self.shown:
            self.show_pair()

    @work(group="note", exit_on_error=False)
    async def action_note(self) -> None:
        desk, pair, writer = self.desk, self.shown, self._writer
        if desk is None or pair is None or writer is None:
            return
        dialog = ValueDialog(
            "Note",
            "What should be remembered about this pair?",
            value=clean(pair.sample.note, one_line=True),
            check=_any,
        )
        if (note := await self.ask(dialog)) is None:
            return
        seen = Seen.of(pair.sample)
        writer.put(desk.run_id, Judgement(pair.sample.id, note=note, picked=self.choice.picked, seen=seen))
        await writer.written_all()
        if self.shown is pair and await desk.open(pair.sample.id):
            self.show_pair()

    @work(group="choose", exit_on_error=False)
    async def action_choose(self) -> None:
        types = self.status.question_types if self.status is not None else ()
        choice = await self.ask(ReviewChoiceDialog(self.choice, types))
        if choice is None or self.desk is None or self._writer is None:
            return
        await self._writer.written_all()
        self.choice = choice
        self.begin(self.desk.run_id)

    @work(group="open", exit_on_error=False)
    async def action_open_picture(self) -> None:
        if (pair := self.shown) is not None:
            path = pair.pictures[self.picture_number]
            await self.services.open_externally(path)
            tell(self, f"Opened {path}")

    def action_yank(self) -> None:
        if self.shown is not None:
            copied = words.yank_pair(self.shown)
            self.app.copy_to_clipboard(copied)
            tell(self, f"Copied {len(copied)} characters.")

    def action_boxes(self) -> None:
        self.pictures.boxes = not self.pictures.boxes
        if (pair := self.shown) is not None:
            if not pair.truth.boxes:
                tell(self, "The ground truth of this picture has no boxes.")
            self.show_picture(pair)

    def action_other_picture(self, by: int) -> None:
        if (pair := self.shown) is not None:
            self.picture_number = stepped(self.picture_number, by, len(pair.pictures))
            self.show_picture(pair)

    def action_scroll(self, by: int) -> None:
        self.query_one("#review-text").scroll_relative(y=2 * by, animate=False)

    def action_back(self) -> None:
        self.post_message(ModeWanted("run"))

    def _written(self, judgement: Judgement) -> None:
        if self.desk is not None and judgement.verdict is not None:
            self.desk.written(judgement.sample_id)
        if self.is_attached and self._writer is not None and not self._writer.pending:
            self.read_status()

    def _not_written(self, trouble: WriteTrouble) -> None:
        if self.desk is not None and not trouble.kept:
            self.desk.written(trouble.judgement.sample_id)
            self.last = f"pair {trouble.judgement.sample_id}: not written"
        if not self.is_attached:
            return
        title = "Not written yet: it stays here and is tried again" if trouble.kept else "This verdict is void"
        tell(self, trouble.words, title=title, severity="error")
        self.show_lines()


_OWN_ACTIONS = frozenset(
    binding.action.partition("(")[0] for binding in ReviewScreen.BINDINGS if isinstance(binding, Binding)
)


def _any(_value: str) -> None:
    """Every note is good, an empty one too."""
