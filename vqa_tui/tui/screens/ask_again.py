"""The dialog that asks chosen pictures again with something changed, and says what that will take."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, Static

from vqa_tui.config.load import ConfigFile
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import RunView
from vqa_tui.operations.asking_again import Chosen
from vqa_tui.safe_text import clean, in_a_line
from vqa_tui.tui.again_form import AgainForm, suggested_side
from vqa_tui.tui.present.again import chosen_text, plan_text
from vqa_tui.tui.present.again_words import asked_words, follow_up_words
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import error_words, tell_error
from vqa_tui.tui.widgets.tick_box import TickBox

_TYPING_S = 0.2
"""From the last key until a plan is made; the next key within it starts anew."""
_KEYS = "ctrl+s asks · f1 keys · esc leaves"
_OWN = ""
"""Value of the list of endpoints for the run's own."""


@dataclass(frozen=True, slots=True)
class AskedAgainChoice:
    """What was done: a sentence for a toast, and the run that was made where another endpoint is asked."""

    sentence: str
    run_id: int | None = None


class AskAgainDialog(Dialog[AskedAgainChoice]):
    """Asks tasks of a run again, and answers what was done, or None."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "ask_again.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "ask", "Ask", id="ask-again.ask", tooltip="Put them back to be asked so", priority=True),
    ]

    def __init__(self, services: Services, run: RunView, ids: Sequence[int]) -> None:
        super().__init__()
        self._services, self._run, self._ids = services, run, tuple(ids)
        self._chosen: Chosen | None = None
        self._asking = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="ask-again") as box:
            box.border_title = "Ask again with …"
            box.border_subtitle = _KEYS
            yield Static(Content.styled("reading …", QUIET), id="again-chosen")
            with Horizontal(classes="form-row"):
                yield Label("Max tokens")
                yield Input(id="max_tokens", compact=True, tooltip="Room for the reply; the recipe's stands there")
                yield Label("Longest px", classes="-second")
                yield Input(id="max_side", compact=True, tooltip="Longest side of the pictures sent, or `original`")
            with Horizontal(classes="form-row"):
                yield Label("Endpoint")
                own = Content(
                    clean(f"the run's own: {self._run.endpoint} ({self._run.model})", one_line=True, limit=90)
                )
                yield Select[str]([(own, _OWN)], id="endpoint", compact=True, allow_blank=False)
            with Horizontal(classes="form-row -elsewhere"):
                yield Label("Model")
                yield Input(id="model", compact=True, placeholder="endpoint's")
                yield Label("Budget $", classes="-second")
                yield Input(
                    id="budget",
                    compact=True,
                    placeholder="no cap",
                    tooltip="Hard cap of the new run, or `none`; one must stand there where this run has a budget",
                )
            with Horizontal(classes="form-row -elsewhere"):
                yield Label("Name")
                yield Input(id="name", compact=True, placeholder="made from the run and the endpoint")
            with Horizontal(classes="form-row -elsewhere"):
                yield Label("Anyway")
                yield TickBox(
                    "also those asked there already",
                    id="anyway",
                    compact=True,
                    tooltip="Pictures that another run which follows this one asks, or has asked, there: paid twice",
                )
            yield Static("", id="again-plan")
            yield Static("", id="problem", classes="problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel (esc)", id="cancel", compact=True)
                yield Button("Ask (ctrl+s)", id="ask", compact=True, variant="primary")

    def on_mount(self) -> None:
        self.query_one("#problem").display = False
        self._show_fields_of_elsewhere(False)
        self.query_one("#max_tokens").focus()
        self._read()

    @work(group="read", exit_on_error=False)
    async def _read(self) -> None:
        """Fill in how the pictures stand and what they were asked with."""
        try:
            self._chosen = chosen = await self._services.asking_again.chosen(self._run.id, self._ids)
            endpoints = await self._services.library.endpoint_files()
        except VqaError as error:
            self._show_problem(error)
            return
        self.query_one("#again-chosen", Static).update(chosen_text(chosen))
        self.query_one("#max_tokens", Input).value = str(chosen.max_tokens)
        self.query_one("#max_side", Input).value = suggested_side(chosen)
        select = self.query_one("#endpoint", Select)
        own = Content(clean(f"the run's own: {chosen.endpoint} ({chosen.model})", one_line=True, limit=90))
        select.set_options([(own, _OWN), *((_choice(each), each.name) for each in endpoints)])
        select.value = _OWN
        self._plan_soon()

    @property
    def form(self) -> AgainForm:
        """The fields as they stand."""

        def typed(field: str) -> str:
            return self.query_one(f"#{field}", Input).value

        endpoint = self.query_one("#endpoint", Select).value
        return AgainForm(
            typed("max_tokens"),
            typed("max_side"),
            endpoint if isinstance(endpoint, str) else _OWN,
            typed("model"),
            typed("name"),
            typed("budget"),
            self.query_one("#anyway", TickBox).value,
        )

    @on(Select.Changed)
    def _endpoint_changed(self) -> None:
        self._show_fields_of_elsewhere(bool(self.form.endpoint))
        self._plan_soon()

    def _show_fields_of_elsewhere(self, shown: bool) -> None:
        for row in self.query(".-elsewhere"):
            row.display = shown

    @on(Input.Changed)
    @on(TickBox.Changed)
    def _plan_soon(self) -> None:
        if self._chosen is not None:
            self._plan(self._chosen)

    @work(group="plan", exclusive=True, exit_on_error=False)
    async def _plan(self, chosen: Chosen) -> None:
        """Show what it would take, or what is wrong."""
        await asyncio.sleep(_TYPING_S)
        try:
            elsewhere = self.form.elsewhere()
            changes = self.form.changes(chosen)
            plan = await self._services.asking_again.plan(self._run.id, self._ids, changes, elsewhere)
        except VqaError as error:
            self._show_problem(error)
            return
        self.query_one("#problem").display = False
        shown = self.query_one("#again-plan", Static)
        shown.display = True
        shown.update(plan_text(plan, chosen, elsewhere=elsewhere is not None))

    def _show_problem(self, error: VqaError) -> None:
        """Show in the place of the cost what keeps it from being asked."""
        self.query_one("#again-plan").display = False
        problem = self.query_one("#problem", Static)
        problem.update(Content(clean(error_words(error), limit=800)))
        problem.display = True
        self.call_after_refresh(problem.scroll_visible, animate=False)

    @on(Input.Submitted)
    def _next_field(self) -> None:
        """Enter goes on to the next field; it never spends money by itself."""
        self.focus_next()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.action_leave()

    def action_leave(self) -> None:
        """Leave, unless the pictures are just being put back: nobody would see what became of it."""
        if not self._asking:
            super().action_leave()

    @on(Button.Pressed, "#ask")
    def action_ask(self) -> None:
        """Ask, once: while it is being done the key does nothing more."""
        if self._chosen is not None and not self._asking:
            self._set_asking(True)
            self._ask(self._chosen)

    def _set_asking(self, asking: bool) -> None:
        self._asking = asking
        for button in self.query(Button):
            button.disabled = asking
        self.query_one("#ask-again").border_subtitle = "putting them back …" if asking else _KEYS

    @work(group="ask", exit_on_error=False)
    async def _ask(self, chosen: Chosen) -> None:
        """Do it, and answer what was done; what is wrong is said here."""
        done: AskedAgainChoice | None = None
        try:
            elsewhere, changes = self.form.elsewhere(), self.form.changes(chosen)
            if elsewhere is None:
                asked = await self._services.asking_again.ask(self._run.id, self._ids, changes)
                done = AskedAgainChoice(asked_words(asked, self._run.name))
            else:
                made = await self._services.asking_again.follow_up(self._run.id, self._ids, elsewhere, changes)
                started = await self._started(made.run_id)
                done = AskedAgainChoice(follow_up_words(made, elsewhere.endpoint, started=started), made.run_id)
        except VqaError as error:
            self._show_problem(error)
        finally:
            if done is None:
                self._set_asking(False)
        if done is not None:
            self.dismiss(done)

    async def _started(self, run_id: int) -> bool:
        """Start the engine of the run that was made; where that fails say why, for the run is there all the same."""
        try:
            await self._services.start_engine(run_id)
        except VqaError as error:
            tell_error(self, error)
            return False
        return True


def _choice(choice: ConfigFile) -> Content:
    """Return a name with its remark, both literal."""
    name = clean(choice.name, one_line=True, limit=40)
    remark = in_a_line(choice.problem or choice.description, limit=60)
    return Content.assemble(name, (f"  {remark}" if remark else "", QUIET))
