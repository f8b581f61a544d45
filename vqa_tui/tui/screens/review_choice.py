"""The dialog of what is reviewed: order, filter, and how exact the defect rate must be."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import Order, ReviewFilter, Verdict
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.review import choice_note
from vqa_tui.tui.present.review_words import ORDER_WORDS
from vqa_tui.tui.review_desk import ReviewChoice
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.widgets.tick_box import TickBox

_ANY_TYPE = -1
_FRESH = "fresh"
_VERDICTS = (
    (Content("those without a verdict"), _FRESH),
    (Content("unsure ones once more"), Verdict.UNSURE.value),
    (Content("rejected ones once more"), Verdict.REJECTED.value),
    (Content("accepted ones once more"), Verdict.ACCEPTED.value),
)


class ReviewChoiceDialog(Dialog[ReviewChoice]):
    """Answers the choice, or None when it stays as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "apply", "Apply", id="review-choice.apply", tooltip="Review like that", priority=True),
    ]

    def __init__(self, choice: ReviewChoice, question_types: Sequence[str]) -> None:
        super().__init__()
        self._choice, self._types = choice, question_types

    def compose(self) -> ComposeResult:
        chosen = self._choice.chosen
        types = [(Content("all"), _ANY_TYPE)]
        types += [(Content(clean(name, one_line=True, limit=60) or "(none)"), n) for n, name in enumerate(self._types)]
        picked = self._types.index(chosen.question_type) if chosen.question_type in self._types else _ANY_TYPE
        with Vertical(classes="dialog", id="review-choice") as box:
            box.border_title = "What is reviewed"
            box.border_subtitle = "ctrl+s applies · f1 keys · esc leaves"
            with Horizontal(classes="form-row"):
                yield Label("Order")
                orders = [(Content(ORDER_WORDS[order]), order.value) for order in Order]
                yield Select(orders, value=self._choice.order.value, allow_blank=False, id="order", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("Pairs")
                value = chosen.verdict.value if chosen.verdict else _FRESH
                yield Select(_VERDICTS, value=value, allow_blank=False, id="verdict", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("Type")
                yield Select(types, value=picked, allow_blank=False, id="type", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("")
                yield TickBox("only flagged ones", chosen.flagged, id="flagged", compact=True)
            with Horizontal(classes="form-row"):
                yield Label("Exact to ± %")
                yield Input(
                    f"{100 * self._choice.target:g}",
                    id="target",
                    compact=True,
                    tooltip="Half the width of the 95 % interval of the defect rate at which enough is reviewed",
                )
            yield Static("", classes="form-gap")
            yield Static("", id="note", classes="dialog-text")
            yield Static("", id="problem", classes="problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel (esc)", id="cancel", compact=True)
                yield Button("Apply (ctrl+s)", id="apply", compact=True, variant="primary")

    def on_mount(self) -> None:
        self.query_one("#problem").display = False
        self._say()

    @on(Select.Changed)
    def _say(self) -> None:
        """Say whether such verdicts count; an order means nothing to pairs that are looked at again."""
        self.query_one("#order").disabled = self._filter().verdict is not None
        self.query_one("#note", Static).update(choice_note(self._order(), self._filter()))

    def _order(self) -> Order:
        return Order(str(self.query_one("#order", Select).value))

    def _filter(self) -> ReviewFilter:
        verdict, number = self.query_one("#verdict", Select).value, self.query_one("#type", Select).value
        return ReviewFilter(
            self.query_one("#flagged", TickBox).value,
            self._types[number] if isinstance(number, int) and number >= 0 else None,
            None if verdict == _FRESH else Verdict(str(verdict)),
        )

    @on(Input.Submitted)
    @on(Button.Pressed, "#apply")
    def action_apply(self) -> None:
        try:
            target = parse_target(self.query_one("#target", Input).value)
        except VqaError as error:
            self.refuse(str(error))
            return
        self.dismiss(ReviewChoice(self._order(), self._filter(), target))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)


def parse_target(typed: str) -> float:
    """Return the share that `typed` percent are. Raises VqaError unless they are between 0.1 and 50."""
    try:
        percent = float(typed.strip().removesuffix("%").strip().replace(",", "."))
    except ValueError:
        percent = float("nan")
    if not 0.1 <= percent <= 50:
        raise VqaError(f"{typed.strip()!r} is no exactness in percent", hint="For example 2, at least 0.1, at most 50.")
    return percent / 100
