"""The menu of a new training: a configuration, what it learns from, a few values, and the command that is run."""

import asyncio
import shlex
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run_name import require_run_name
from vqa_tui.operations.training_queue import parse_priority
from vqa_tui.tui.present.new_training import (
    CONFIG_COLUMNS,
    choice_row,
    choice_text,
    command_text,
    device_words,
    estimate_text,
    no_estimate_text,
    run_words,
)
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.screens.export import parse_count
from vqa_tui.tui.services import Services
from vqa_tui.tui.setting_completion import SettingCompletion
from vqa_tui.tui.toasts import error_words, tell
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.path_field import PathField

if TYPE_CHECKING:
    from vqa_tui.config.training import TrainingConfig
    from vqa_tui.operations.training_choices import TrainingChoice
    from vqa_tui.operations.training_start import StartedTraining

_OWN, _EXPORT = "own", "export"
"""Sources beside the runs: what the configuration names, and an export at a path."""
_REVIEWED = (
    (Content("not rejected: accepted, unsure and unreviewed"), "not-rejected"),
    (Content("accepted only"), "accepted"),
)
_KEYS = "ctrl+s starts · f1 keys · esc leaves"
_STARTING = "start-training"
_TYPING_REST_S = 0.2


class NewTraining(Dialog["StartedTraining"]):
    """Answers the training that was started, or None."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "new_training.tcss"]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-usual")]  # noqa: RUF012 - Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start", id="new-training.start", tooltip="Start the training", priority=True),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._choices: dict[str, TrainingChoice] = {}
        self._newest: str | None = None
        """The first of the sources, once they were read: the newest run."""
        self._offered: str | None = None
        """What is learned from until a person chooses something else."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="new-training") as box:
            box.border_title = "New training"
            box.border_subtitle = _KEYS
            yield LiveTable(CONFIG_COLUMNS, id="configs", empty=Content("reading the configurations …"))
            yield Static("", id="about")
            with Horizontal(classes="form-row"):
                yield Label("Learns from")
                yield Select[str]([], id="source", compact=True, prompt="reading the runs …")
            with Horizontal(classes="form-row", id="reviewed-row"):
                yield Label("Pairs")
                yield Select(_REVIEWED, allow_blank=False, id="reviewed", compact=True)
            with Horizontal(classes="form-row -tall", id="path-row"):
                yield Label("Export")
                yield PathField(id="path", placeholder="any file of an export, its name, or its manifest")
            with Horizontal(classes="form-row"):
                yield Label("Name")
                yield Input("", id="name", compact=True, placeholder="that of the configuration")
                yield Label("Priority", classes="second-label")
                yield Input("", id="priority", compact=True, placeholder="0; the highest goes first")
            with Horizontal(classes="form-row"):
                yield Label("Epochs")
                yield Input("", id="epochs", compact=True, placeholder="as the configuration")
                yield Label("Steps", classes="second-label")
                yield Input("", id="steps", compact=True, placeholder="whatever the epochs say")
            devices = self._services.trainings.devices()
            with Horizontal(classes="form-row", id="device-row") as row:
                row.display = len(devices) > 1
                yield Label("Device")
                yield Input("", id="device", compact=True, placeholder=device_words(devices))
            with Horizontal(classes="form-row"):
                yield Label("Settings")
                yield Input(
                    "",
                    id="settings",
                    compact=True,
                    placeholder="KEY=VALUE …, such as lora.r=8 model=Qwen/…; → completes",
                    suggester=SettingCompletion(*self._services.trainings.setting_words()),
                )
            yield Static("", id="problem", classes="problem")
            yield Static("", id="estimate")
            yield Static("", id="command")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel (esc)", id="leave", compact=True)
                yield Button("Start (ctrl+s)", id="start", compact=True, variant="primary")

    def on_mount(self) -> None:
        self.query_one("#configs").focus()
        self._show_source()
        self._read()

    @work(group="read-choices", exit_on_error=False)
    async def _read(self) -> None:
        choices = await self._services.trainings.choices()
        self._choices = {each.name: each for each in choices}
        table = self.query_one("#configs", LiveTable)
        table.set_empty(Content.styled("There is no configuration.", QUIET))
        table.set_rows([choice_row(each) for each in choices])
        table.cursor = next((index for index, each in enumerate(choices) if not each.why_not), 0)
        self._show_choice()
        runs = await self._services.trainings.runs()
        options = [(run_words(each), str(each.run_id)) for each in runs]
        options.append((Content("an export, at the path below"), _EXPORT))
        options.append((Content("what the configuration names as its data"), _OWN))
        source = self.query_one("#source", Select)
        source.set_options(options)
        self._newest = options[0][1]
        self._offer_source()
        self._show_source()

    @property
    def choice(self) -> "TrainingChoice | None":
        """The configuration under the cursor."""
        return self._choices.get(str(self.query_one("#configs", LiveTable).cursor_id))

    @on(LiveTable.CursorMoved)
    def _moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        self._show_choice()

    def _show_choice(self) -> None:
        choice = self.choice
        self.query_one("#about", Static).update(choice_text(choice))
        self.forgive()
        config = choice.config if choice is not None else None
        command = self._services.trainings.command_of(config, self._device) if config is not None else ()
        self.query_one("#command", Static).update(command_text(command) if command else Content(""))
        self.query_one("#name", Input).placeholder = config.name if config else ""
        self.query_one("#epochs", Input).placeholder = f"{config.epochs:g}" if config else ""
        steps = self.query_one("#steps", Input)
        steps.placeholder = str(config.max_steps) if config and config.max_steps else "whatever the epochs say"
        self.query_one("#start", Button).disabled = choice is None or bool(choice.why_not)
        self._offer_source()
        self._estimate()

    def _offer_source(self) -> None:
        """Offer the data that the configuration names, else the newest run, as long as nobody chose otherwise."""
        source: Select[str] = self.query_one("#source", Select)
        if self._newest is None or source.value not in (Select.NULL, self._offered):
            return
        config = self.choice.config if self.choice is not None else None
        self._offered = _OWN if config is not None and config.data else self._newest
        source.value = self._offered

    @on(Input.Changed, "#settings, #device")
    def _settings_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._estimate()

    @work(group="estimate", exclusive=True, exit_on_error=False)
    async def _estimate(self) -> None:
        """Say what the training would be, the memory it would take, and its command, once what is typed has come to
        rest."""
        line, choice = self.query_one("#estimate", Static), self.choice
        if choice is None or choice.config is None:
            line.update("")
            return
        await asyncio.sleep(_TYPING_REST_S)
        trainings = self._services.trainings
        try:
            config = trainings.changed(choice.name, self._settings)
            why_not = trainings.why_not(config, self._device)
            self.query_one("#about", Static).update(choice_text(replace(choice, config=config, why_not=why_not)))
            self.query_one("#start", Button).disabled = bool(why_not)
            self.query_one("#command", Static).update(command_text(trainings.command_of(config, self._device)))
            line.update(estimate_text(await trainings.estimate(config, self._device)))
        except VqaError as error:
            line.update(no_estimate_text(str(error)))

    @property
    def _device(self) -> str | None:
        """What was typed of a device; None leaves it to the machine."""
        return self.query_one("#device", Input).value.strip() or None

    @property
    def _settings(self) -> list[str]:
        """What was typed of the configuration's keys. Raises VqaError."""
        try:
            return shlex.split(self.query_one("#settings", Input).value)
        except ValueError as error:
            raise VqaError(f"the settings cannot be read: {error}", hint="Close each quotation mark.") from error

    @on(Select.Changed, "#source")
    def _show_source(self) -> None:
        source = self.query_one("#source", Select).value
        self.query_one("#path-row").display = source == _EXPORT
        self.query_one("#reviewed-row").display = source not in (_EXPORT, _OWN)

    @on(PathField.CompletionWanted)
    def _completion_wanted(self, event: PathField.CompletionWanted) -> None:
        event.stop()
        self._complete(event.field, event.typed)

    @work(group="complete", exclusive=True, exit_on_error=False)
    async def _complete(self, field: PathField, typed: str) -> None:
        found = await self._services.library.complete_path(typed, "file")
        if found is not None:
            field.take(found)

    @on(PathField.Left)
    @on(Input.Submitted)
    def _next_field(self) -> None:
        """Enter goes on to the next field."""
        self.focus_next()

    @on(Button.Pressed, "#leave")
    def action_leave(self) -> None:
        if self._starts:
            tell(self, "The training is being started; a moment.", severity="warning")
            return
        self.dismiss(None)

    @property
    def _starts(self) -> bool:
        return any(worker.group == _STARTING and not worker.is_finished for worker in self.workers)

    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Start, once: the pairs of a run are written first, which can take a while."""
        if not self._starts:
            self._start()

    @work(group=_STARTING, exit_on_error=False)
    async def _start(self) -> None:
        box = self.query_one("#new-training")
        self.forgive()
        try:
            config = self._config()
            source = self.query_one("#source", Select).value
            typed = self.query_one("#path", PathField).path
            if source == _EXPORT and not typed:
                raise VqaError("no export is named", hint="Give the path of one of its files, or learn from a run.")
            if source == Select.NULL:
                raise VqaError("the runs are still being read", hint="Press ctrl+s again in a moment.")
            name = self.query_one("#name", Input).value.strip()
            if name:
                require_run_name(name, "training")
            box.border_subtitle = "writing the rows and starting …"
            started: StartedTraining = await self._services.trainings.start(
                config,
                run_id=int(str(source)) if source not in (_EXPORT, _OWN) else None,
                data=Path(typed) if source == _EXPORT else None,
                accepted=self.query_one("#reviewed", Select).value == "accepted",
                name=name or None,
                device=self._device,
                priority=parse_priority(self.query_one("#priority", Input).value),
            )
        except VqaError as error:
            self.refuse(error_words(error))
            return
        finally:
            box.border_subtitle = _KEYS
        self.dismiss(started)

    def _config(self) -> "TrainingConfig":
        """Return the configuration with what was typed. Raises VqaError."""
        choice = self.choice
        if choice is None or choice.config is None:
            raise VqaError(choice.why_not if choice else "no configuration is chosen")
        settings = self._settings
        steps = parse_count(self.query_one("#steps", Input).value, "steps")
        epochs = self.query_one("#epochs", Input).value.strip()
        if epochs:
            settings.append(f"epochs={_epochs(epochs):g}")
            if steps is None:
                settings.append("max_steps=null")  # what a person typed counts, not the steps of the file
        if steps is not None:
            settings.append(f"max_steps={steps}")
        config = self._services.trainings.changed(choice.name, settings)
        if why_not := self._services.trainings.why_not(config, self._device):
            raise VqaError(why_not.rstrip("."))
        return config


def _epochs(typed: str) -> float:
    try:
        value = float(typed)
    except ValueError:
        value = 0.0
    if not 0 < value <= 10_000:
        raise VqaError(f"{typed!r} is no number of epochs", hint="A number above 0, such as 1 or 0.5.")
    return value
