"""The new-run dialog: what is asked, of which endpoint, how much, with the plan beside it as one types."""

import asyncio
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Checkbox, Input, Label, Select, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.plans import plan_text
from vqa_tui.tui.run_form import NotChosen, RunForm
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.services import Choice, Services
from vqa_tui.tui.toasts import error_words, tell_error
from vqa_tui.tui.widgets.tick_box import TickBox

_NUMBERS = (
    ("limit", "Pictures", "", "all", "At most this many, evenly spread over the dataset"),
    ("pilot", "Pilot", "10", "none", "Pictures asked before the run waits for approval"),
    ("budget", "Budget $", "", "no cap", "The most that the run may spend"),
    ("concurrency", "In flight", "", "endpoint's", "Most requests at the same time"),
)


_TYPING_S = 0.2
"""From the last key until a plan is made; the next key within it starts anew."""
_KEYS = "ctrl+s starts · f1 keys · esc leaves"


class NewRunDialog(Dialog[int]):
    """Answers the id of the run that was started, or None."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "new_run.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+s", "start", "Start", id="new-run.start", tooltip="Create the run and start its engine", priority=True
        ),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._starting = False
        self._no_dataset = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="new-run") as box:
            box.border_title = "New run"
            box.border_subtitle = _KEYS
            for field, label in (("dataset", "Dataset"), ("recipe", "Recipe"), ("endpoint", "Endpoint")):
                with Horizontal(classes="form-row"):
                    yield Label(label)
                    yield Select[str]([], id=field, compact=True, prompt="reading …")
            with Horizontal(classes="form-row"):
                yield Label("Name")
                yield Input(id="name", compact=True, placeholder="made from dataset and recipe")
            for pair in (_NUMBERS[:2], _NUMBERS[2:]):
                with Horizontal(classes="form-row"):
                    for column, (field, label, value, placeholder, tooltip) in enumerate(pair):
                        yield Label(label, classes="-second" if column else "")
                        yield Input(value, id=field, compact=True, placeholder=placeholder, tooltip=tooltip)
            with Horizontal(classes="form-row"):
                yield Label("Longest px")
                yield Input(
                    id="max_side",
                    compact=True,
                    placeholder="recipe's",
                    tooltip="Longest side of the pictures sent, or `original`; the table below says what each costs",
                )
                yield Label("Hedge", classes="-second")
                yield TickBox(
                    "stragglers",
                    id="hedge",
                    compact=True,
                    tooltip="A request that takes unusually long is sent a second time; both are paid",
                )
            yield Static("", id="problem", classes="problem")
            with Vertical(id="plan-box") as plan_box:
                plan_box.border_title = "Plan"
                yield Static(Content.styled("reading what there is …", "$foreground 60%"), id="plan")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel (esc)", id="cancel", compact=True)
                yield Button("Start (ctrl+s)", id="start", compact=True, variant="primary")

    def on_mount(self) -> None:
        self.query_one("#problem").display = False
        self.read_choices()

    @work(group="choices", exit_on_error=False)
    async def read_choices(self) -> None:
        """Fill the lists; one that has a single entry is chosen already."""
        try:
            choices = await self._services.choices()
        except VqaError as error:
            self._show_problem(error)
            return
        self._no_dataset = not choices.datasets
        self._fill("dataset", choices.datasets, "none imported yet")
        self._fill("recipe", choices.recipes, "no recipe was found")
        self._fill("endpoint", choices.endpoints, "no endpoint was found")
        self.query_one("#dataset").focus()
        self._plan_soon()

    def _fill(self, field: str, choices: tuple[Choice, ...], none: str) -> None:
        select = self.query_one(f"#{field}", Select)
        select.prompt = "choose" if choices else none
        select.set_options([(_choice(choice), choice.name) for choice in choices])
        if len(choices) == 1 or (field == "dataset" and choices):
            select.value = choices[0].name

    @property
    def form(self) -> RunForm:
        """The fields as they stand."""

        def chosen(field: str) -> str | None:
            value = self.query_one(f"#{field}", Select).value
            return value if isinstance(value, str) else None

        def typed(field: str) -> str:
            return self.query_one(f"#{field}", Input).value

        return RunForm(
            chosen("dataset"),
            chosen("recipe"),
            chosen("endpoint"),
            typed("name"),
            typed("limit"),
            typed("pilot"),
            typed("budget"),
            typed("concurrency"),
            typed("max_side"),
            self.query_one("#hedge", Checkbox).value,
        )

    @on(Select.Changed)
    @on(Input.Changed)
    @on(Checkbox.Changed)
    def _plan_soon(self) -> None:
        self.plan()

    @work(group="plan", exclusive=True, exit_on_error=False)
    async def plan(self) -> None:
        """Show what the run would take, or what is still missing or wrong."""
        # A number comes digit by digit, and each would read a large dataset once.
        await _pause(_TYPING_S)
        if self._no_dataset:
            self._show_words(self._import_first(), quiet=True)
            return
        try:
            request = self.form.request()
            plan = await self._services.plan(request)
        except VqaError as error:
            self._show_problem(error)
            return
        self.query_one("#problem").display = False
        self.query_one("#plan-box").display = True
        self.query_one("#plan", Static).update(plan_text(plan))

    def _import_first(self) -> str:
        command = self._services.command
        own, drawn = command("dataset import folder PATH"), command("demo")
        return f"There is no dataset yet. Bring your pictures in with\n  {own}\nor have some drawn with\n  {drawn}"

    def _show_problem(self, error: VqaError) -> None:
        self._show_words(error_words(error), quiet=isinstance(error, NotChosen))

    def _show_words(self, words: str, *, quiet: bool) -> None:
        """Show in the place of the plan what keeps the run from starting."""
        self.query_one("#plan-box").display = False
        problem = self.query_one("#problem", Static)
        problem.update(Content(clean(words, limit=800)))
        problem.set_class(quiet, "-quiet")
        problem.display = True
        self.call_after_refresh(problem.scroll_visible, animate=False)

    @on(Input.Submitted)
    def _next_field(self) -> None:
        """Enter goes on to the next field, and from the last one to the button; it never spends money by itself."""
        if self.focused is self.query_one("#max_side"):
            self.query_one("#start").focus()
        else:
            self.focus_next()

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Start the run, once: while one is being started the key does nothing more."""
        if not self._starting:
            self._set_starting(True)
            self.start()

    def _set_starting(self, starting: bool) -> None:
        self._starting = starting
        for button in self.query(Button):
            button.disabled = starting
        self.query_one("#new-run").border_subtitle = "starting the engine …" if starting else _KEYS

    def action_leave(self) -> None:
        """Leave, unless a run is being started: nobody would see what became of it."""
        if not self._starting:
            super().action_leave()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.action_leave()

    @work(group="start", exit_on_error=False)
    async def start(self) -> None:
        """Create the run, start its engine, and answer its id; what is wrong is said here."""
        run_id = None
        try:
            run_id = await self._services.create(self.form.request())
        except VqaError as error:
            self._show_problem(error)
        finally:
            if run_id is None:
                self._set_starting(False)
        if run_id is None:
            return
        try:
            await self._services.start_engine(run_id)
        except Exception as error:  # The run exists whatever failed: its dashboard offers r to start it again.
            tell_error(self, error)
        self.dismiss(run_id)


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


def _choice(choice: Choice) -> Content:
    """Return a name with its remark, both literal."""
    name = clean(choice.name, one_line=True, limit=40)
    remark = clean(choice.remark, one_line=True, limit=60)
    return Content.assemble(name, (f"  {remark}" if remark else "", "$foreground 60%"))
