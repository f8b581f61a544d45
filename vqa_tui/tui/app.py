"""The app: modes, keys that work everywhere, the poller, and what is said when a run changes its state."""

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.worker import Worker

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EngineState, Phase, RunView
from vqa_tui.safe_text import clean
from vqa_tui.tui.commands import CommandingApp, key_helps
from vqa_tui.tui.crash import note_crash
from vqa_tui.tui.kept_styles import KeptStylesheet
from vqa_tui.tui.layout_wishes import count_every_layout_wish
from vqa_tui.tui.messages import DemoWanted, ImportWanted, ItemsWanted, LookWanted, ModeWanted, RunPicked
from vqa_tui.tui.news_app import NewsApp
from vqa_tui.tui.present.farewell import farewell, leave_question, short_farewell
from vqa_tui.tui.present.phases import phase_label
from vqa_tui.tui.present.seen import SeenRun
from vqa_tui.tui.screen_classes import MODES, screen_class
from vqa_tui.tui.screens.base import RunScreen
from vqa_tui.tui.screens.dialogs import LeaveQuestion
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell, tell_worker_failure
from vqa_tui.tui.watch import Watch

_TOLD_PHASES = {Phase.PAUSED, Phase.DONE, Phase.STOPPED, Phase.FAILED, Phase.AWAITING_APPROVAL}
_LEAVE_WITHIN_S = 1.0
_NEWS_EVERY_S = 2.0
_FINISH_WITHIN_S = 3.0
"""Seconds that leaving waits for what was asked for and is not written."""
_UNDRAWN_S = 1 / 120
"""Seconds that a mode shown before has to take in what changed meanwhile, before it is drawn: one drawing."""
_MODES_OF_NO_RUN = ("runs", "training")
_LIBRARY = {
    "datasets": ("Datasets", "Pictures that were imported, and importing more"),
    "recipes": ("Recipes", "What is asked, and how a reply is read"),
    "endpoints": ("Endpoints", "Where it is asked: addresses, keys, quotas, prices"),
    "settings": ("Settings", "Theme, pictures, keys and notifications"),
}
"""Screens that the palette opens: title and words."""


class VqaApp(CommandingApp, NewsApp):
    """The terminal app over one workspace. Closing it never stops a run."""

    TITLE = "vqa-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "mode('runs')", "Runs", id="app.runs", tooltip="All runs", show=False),
        Binding("2", "mode('run')", "Run", id="app.run", tooltip="The dashboard of the run", show=False),
        Binding("3", "mode('items')", "Items", id="app.items", tooltip="The items of the run", show=False),
        Binding("4", "mode('failures')", "Failures", id="app.failures", tooltip="What went wrong", show=False),
        Binding("5", "mode('review')", "Review", id="app.review", tooltip="Judge the pairs of the run", show=False),
        Binding("6", "mode('training')", "Training", id="app.training", tooltip="Trainings and logs", show=False),
        Binding("question_mark", "help", "help", key_display="?", id="app.help", tooltip="All keys of this screen"),
        Binding("f1", "help", "help", key_display="f1", id="app.help-always", tooltip="Keys, also from a text field"),
        Binding(
            "colon", "command_palette", "command", key_display=":", id="app.palette", tooltip="Every action by its name"
        ),
        Binding(
            "ctrl+p", "command_palette", "Commands", False, id="app.palette-always", tooltip="Palette", priority=True
        ),
        Binding("q", "detach", "detach", id="app.detach", tooltip="Leave; the work goes on without this screen"),
        Binding(
            "ctrl+q",
            "detach",
            "Detach",
            id="app.detach-always",
            tooltip="Leave, from everywhere",
            show=False,
            priority=True,
        ),
        Binding("ctrl+c", "explain_interrupt", "Interrupt", id="app.interrupt", show=False, system=True),
    ]

    def __init__(
        self,
        services: Services,
        *,
        open_run: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        count_every_layout_wish()
        super().__init__(services)
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())
        self._open_run = open_run
        self.watch_over = Watch(self, services, now=now, monotonic=clock)
        self._last: tuple[int, Phase, EngineState] | None = None
        self._undrawn_s: float | None = None

    def on_mount(self) -> None:
        for mode in MODES:
            self.add_mode(mode, partial(self._screen, mode))
        self.watch_over.run_seen.subscribe(self, self._run_seen)
        self.watch_over.trouble.subscribe(self, self._trouble)
        self.watch_over.run_gone.subscribe(self, self._run_gone)
        if self._open_run is None:
            self.show_mode("runs")
        else:
            self.watch_over.follow_run(self._open_run)
            self.show_mode("run")
        self.run_worker(self.watch_over.keep_looking(), group="watch", exit_on_error=False)
        self._apply_preferences()
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self.set_interval(_NEWS_EVERY_S, self._look_for_news)
        self._welcome()

    def _screen(self, name: str) -> LiveScreen:
        return screen_class(name)(self._services, self.watch_over)

    def show_mode(self, mode: str) -> None:
        """Switch to a mode and let the watch read what it shows.

        One that was shown before is drawn as it was left; what is new is read after that, and drawn where it differs.
        """
        if mode not in self._modes:
            return  # the app is being left, and its modes are gone already
        at_once = mode == self.current_mode or mode not in self._screen_stacks
        if mode in _MODES_OF_NO_RUN:
            self.watch_over.follow_runs(at_once=at_once)
        elif self.watch_over.run_id is not None:
            self.watch_over.follow_run(self.watch_over.run_id, unasked=self.watch_over.unasked, at_once=at_once)
        if self.current_mode != mode:
            self._undrawn_s = None if at_once else _UNDRAWN_S
            self.switch_mode(mode)
            self._undrawn_s = None
        if not at_once:
            self.set_timer(_UNDRAWN_S, self._look_after_drawing)

    def _look_after_drawing(self) -> None:
        self.screen.call_after_refresh(self.watch_over.look_now)

    def delay_update(self, delay: float = 0.05) -> None:
        """Draw nothing for `delay` seconds, in which a screen gets its widgets; a mode shown before has them."""
        super().delay_update(delay if self._undrawn_s is None else self._undrawn_s)

    def action_mode(self, mode: str) -> None:
        """Go to a mode; those about a run take the newest one when none was picked."""
        if mode in _MODES_OF_NO_RUN or self.watch_over.run_id is not None:
            self.show_mode(mode)
        else:
            self._show_mode_of_newest(mode)

    @work(group="mode", exclusive=True, exit_on_error=False)
    async def _show_mode_of_newest(self, mode: str) -> None:
        before = self._place
        found = await self._services.summaries()
        if self._place != before:
            return  # a person was quicker
        if not found:
            tell(self, "There is no run yet. Press n to start one.", severity="warning")
            return
        newest = next((run for run in found if run.archived_at is None), found[0])
        self._show_run(newest.id, mode, unasked=True)

    def _show_run(self, run_id: int, mode: str = "run", *, unasked: bool = False) -> None:
        self.watch_over.follow_run(run_id, unasked=unasked)
        self.show_mode(mode)
        self._uncover_mode()

    @property
    def _place(self) -> tuple[object, ...]:
        """What a person looks at: mode, run, and what lies over the mode; what ends late takes none of it away."""
        return self.current_mode, self.watch_over.run_id, tuple(self.screen_stack)

    def _uncover_mode(self) -> None:
        """Take away what lies over the mode on screen: it was opened for something else."""
        while len(self.screen_stack) > 1:
            self.screen.dismiss(None)

    @on(RunPicked)
    def _run_picked(self, event: RunPicked) -> None:
        self._show_run(event.run_id)

    @on(ModeWanted)
    def _mode_wanted(self, event: ModeWanted) -> None:
        self.action_mode(event.mode)

    @on(ItemsWanted)
    def _items_wanted(self, event: ItemsWanted) -> None:
        from vqa_tui.tui.screens.items import ItemsScreen

        if event.run_id not in (None, self.watch_over.run_id):
            return  # those of a run that was left meanwhile
        self.show_mode("items")
        self._uncover_mode()
        items = self.screen
        assert isinstance(items, ItemsScreen)
        # By message: it has to come after the one that lets the screen know of another run.
        if event.ids is not None:
            items.call_later(items.show_only, event.ids, event.named)
        elif event.filter_text is not None:
            items.call_later(items.show_filtered, event.filter_text)

    @on(LookWanted)
    def _look_wanted(self) -> None:
        self.watch_over.look_now()

    def _run_seen(self, seen: SeenRun) -> None:
        """Say it when a run comes to rest or needs a person while it is followed; the dashboard's banner says it."""
        view = seen.view
        now = (view.id, view.phase, view.engine.state)
        last, self._last = self._last, now
        if last is None or last == now or last[0] != view.id or self._told_by_screen("tells_phases"):
            return
        if view.engine.state is EngineState.LOST:
            tell(self, f"The engine of {view.name} is lost. Press r to resume.", severity="error")
        elif last[1] != view.phase and view.phase in _TOLD_PHASES:
            self._tell_phase(view)

    def _tell_phase(self, view: RunView) -> None:
        severity = {Phase.FAILED: "error", Phase.DONE: "information"}.get(view.phase, "warning")
        words = phase_label(view.phase, view.engine.state).word
        tell(self, view.phase_reason or words, title=clean(f"{view.name}: {words}", one_line=True), severity=severity)

    def _told_by_screen(self, what: str) -> bool:
        """Return whether the screen itself shows what would be told; it says so by an attribute of that name."""
        return bool(getattr(self.screen, what, False))

    def _trouble(self, words: str) -> None:
        if words and not self._told_by_screen("tells_trouble"):
            tell(self, words, title="Cannot read the workspace", severity="error")

    def _run_gone(self, name: str) -> None:
        """Nothing is left to be shown of a run that was deleted; what is no part of it stays on screen."""
        from vqa_tui.tui.screens.review import ReviewScreen

        if self.current_mode in _MODES_OF_NO_RUN:
            return
        tell(self, f"The run {name} was deleted.", severity="warning")
        if all(isinstance(each, RunScreen | ReviewScreen | ModalScreen) for each in self.screen_stack):
            self._uncover_mode()
            self.show_mode("runs")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        tell_worker_failure(self, event)

    @work(group="welcome", exit_on_error=False)
    async def _welcome(self) -> None:
        """Where nothing has been imported yet, say what can be done first."""
        if self._services.read_only or self._open_run is not None or not await self._services.is_new():
            return
        if self.current_mode != "runs" or len(self.screen_stack) > 1:
            return  # a person was quicker
        from vqa_tui.tui.screens.welcome import First, WelcomeScreen

        chosen = await self.push_screen_wait(WelcomeScreen(self._services.command))
        if chosen is First.DEMO:
            self.post_message(DemoWanted())
        elif chosen is First.IMPORT:
            self.post_message(ImportWanted())

    @on(ImportWanted)
    @work(group="import", exit_on_error=False)
    async def _import_pictures(self) -> None:
        if not isinstance(self.screen, screen_class("datasets")):
            await self.push_screen(self._screen("datasets"))
        await self.screen.run_action("import_new")

    @on(DemoWanted)
    def _demo_wanted(self) -> None:
        if self._at_work("demo"):
            tell(self, "The demo is being made already.", severity="warning")
        else:
            tell(self, "Drawing sixty scans and importing them …")
            self._make_demo()

    @work(group="demo", exit_on_error=False)
    async def _make_demo(self) -> None:
        """Draw the demo's pictures, import them, and show its run; tell of it where a person went elsewhere."""
        before = self._place
        run_id = await self._services.start_demo()
        if self._place == before and len(self.screen_stack) == 1:
            self._show_run(run_id)
        else:
            tell(self, "The demo is ready: 1 goes to the runs, of which it is the newest.")

    def action_help(self) -> None:
        from vqa_tui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(key_helps(self, self.screen)))

    def action_explain_interrupt(self) -> None:
        """Ctrl+C never kills a run."""
        tell(
            self,
            "Ctrl+C stops nothing here. p pauses the run, x stops it, q leaves and lets it work.",
            severity="warning",
        )

    def action_help_quit(self) -> None:
        self.action_explain_interrupt()

    async def action_quit(self) -> None:
        self.action_detach()

    @work(group="detach", exit_on_error=False)
    async def action_detach(self) -> None:
        """Leave, after a question where that breaks something off; say what goes on and how to come back."""
        command, wishes = self._services.command, self.watch_over.wishes
        if not await self._may_leave():
            return
        await wishes.finish(_FINISH_WITHIN_S)
        unwritten = (*wishes.unwritten, *self._services.at_work)
        try:
            async with asyncio.timeout(_LEAVE_WITHIN_S):
                trainings = await self._services.trainings_at_work()
                words = farewell(await self._services.runs(), command, unwritten, trainings=trainings)
        except (TimeoutError, VqaError):
            words = short_farewell(command, unwritten)
        self.exit(message=Text(words))

    async def _may_leave(self) -> bool:
        at_work = self._services.at_work
        if not at_work:
            return True
        if isinstance(self.screen, LeaveQuestion):
            return False  # pressed once more while it asks
        question = LeaveQuestion("Break it off?", leave_question(at_work), yes="Leave", no="Let it work")
        return await self.push_screen_wait(question)

    def _fatal_error(self) -> None:
        """End after an error that nobody expected: in a sentence, with its details in a file and no values shown."""
        self.bell()
        error = self._exception or RuntimeError("unknown")
        said = f"vqa-tui: the screen ended by an unexpected {type(error).__name__}; engines at work go on."
        try:
            said += f"\nWhere it happened is written in {note_crash(self._services.crash_folder, error)}"
        except OSError as refusal:
            said += f"\nWhere it happened could not be written: {refusal.strerror}"
        self._exit_renderables.append(Text(clean(said)))
        self._close_messages_no_wait()

    def get_system_commands(self, screen: "Screen[object]") -> Iterable[SystemCommand]:
        """Only what the bindings do not offer already."""
        for name, (title, words) in _LIBRARY.items():
            yield SystemCommand(title, words, partial(self.action_open, name))
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        if not self._services.read_only:
            words = "Bring in pictures of your own: a folder, annotations, a table"
            yield SystemCommand("Import pictures", words, lambda: self.post_message(ImportWanted()))
            yield SystemCommand(
                "Demo", "Draw sixty scans and ask about them; no key, no cost", lambda: self.post_message(DemoWanted())
            )

    def action_open(self, name: str) -> None:
        """Open the screen of the datasets, recipes, endpoints or settings over what is shown."""
        screen = screen_class(name)
        if isinstance(self.screen, screen):
            return
        if name == "settings":
            with self._told():
                self._services.preferences.reread()
                self._apply_preferences()
        self.push_screen(self._screen(name))
