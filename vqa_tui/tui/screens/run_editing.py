"""What the list of runs does with the whole run under its cursor: rename, archive, delete, and one more of the same."""

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EngineState
from vqa_tui.domain.run_contents import DeletedRuns
from vqa_tui.domain.run_name import require_run_name
from vqa_tui.safe_text import clean
from vqa_tui.tui import verbs
from vqa_tui.tui.messages import LookWanted, RunPicked
from vqa_tui.tui.present.consequences import contents_words, delete_consequence, paid_words
from vqa_tui.tui.present.numbers import count, plural
from vqa_tui.tui.present.seen import RunLine, SeenRuns
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.live import PATIENCE_S
from vqa_tui.tui.screens.steering import SteeringScreen
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch

if TYPE_CHECKING:
    from vqa_tui.operations.run_request import RunRequest

_STEERING = ("toggle_pause", "resume", "approve", "stop", "stop_and_leave", "retry_failed")
_MARKED = (0, 0, "")
"""How far a deletion is that has only begun."""
_AT_WORK = "An engine is at work on this run. Press x to stop it first."


class RunEditingScreen(SteeringScreen):
    """A screen with one run under its cursor, out of all that there are."""

    WRITES: ClassVar[frozenset[str]] = frozenset({*_STEERING, "new_run", "rename", "archive", "delete", "clone"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_run", "new run", id="runs.new", tooltip="Start a new run: dataset, recipe, endpoint, budget"),
        Binding("p", "toggle_pause", "pause", id="run.pause", tooltip="Pause or resume the run under the cursor"),
        Binding("r", "resume", "resume", id="run.resume", tooltip="Let the run go on; starts a lost engine anew"),
        Binding("x", "stop", "stop", id="run.stop", tooltip="End the engine; the run can be resumed"),
        Binding("a", "approve", "approve", id="run.approve", tooltip="Approve the pilot: ask all the rest"),
        Binding("R", "retry_failed", "retry", id="run.retry", tooltip="Put all that failed back into the queue"),
        Binding("c", "clone", "same but…", id="runs.clone", tooltip="A new run like this one, with something changed"),
        Binding("N", "rename", "rename", id="runs.rename", tooltip="Give the run another name", show=False),
        Binding(
            "h", "archive", "archive", id="runs.archive", tooltip="Put the run out of sight, or back; nothing goes"
        ),
        Binding(
            "D,delete",
            "delete",
            "delete",
            key_display="D",
            id="runs.delete",
            tooltip="Delete the run with its pairs and log, after a question that says what goes",
            show=False,
        ),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._seen = SeenRuns((), 0.0)
        self._deleted = DeletedRuns()
        self._deleting: dict[str, tuple[int, int, str]] = {}
        """Runs whose deletion is under way, by name: tasks deleted, of so many, and what they are called."""

    @property
    def chosen(self) -> RunLine | None:
        """The run under the cursor."""
        raise NotImplementedError

    def show_totals(self) -> None:
        """Show what deletions are under way, and what deleted runs had cost."""
        raise NotImplementedError

    def why_not(self, action: str) -> str | None:
        """Return why that cannot be done with the run under the cursor."""
        if action not in (*_STEERING, "rename", "archive", "delete", "clone"):
            return None
        line = self.chosen
        if line is None:
            return "There is no run under the cursor."
        if action in _STEERING:
            return verbs.why_not(action, line.steerable)
        if action in ("archive", "delete") and line.engine is EngineState.ALIVE:
            return _AT_WORK
        if action in ("archive", "delete") and line.engine is EngineState.HUNG:
            pid = line.steerable.engine.pid
            return f"The engine does not answer but is still there; `kill -9 {pid}` ends it."
        if action == "archive" and line.engine is EngineState.LOST:
            return "The engine is lost and the run waits for you. Press r to resume or x to stop it first."
        return None

    def key_words(self, action: str) -> str | None:
        if action == "archive" and self.chosen is not None and self.chosen.archived:
            return "unarchive"
        return super().key_words(action)

    @work(group="new-run", exit_on_error=False)
    async def action_new_run(self) -> None:
        await self._ask_for_a_run(None)

    @work(group="new-run", exit_on_error=False)
    async def action_clone(self) -> None:
        """Open the wizard with all that this run was made of."""
        line = self.chosen
        if line is None:
            return
        await self._ask_for_a_run(await self.services.starting.request_like(line.summary.id))

    async def _ask_for_a_run(self, like: "RunRequest | None") -> None:
        from vqa_tui.tui.screens.wizard import NewRunWizard  # only here: the list is on screen sooner without it

        run_id = await self.ask(NewRunWizard(self.services, like))
        if run_id is not None:
            self.post_message(LookWanted())
            self.post_message(RunPicked(run_id))

    @work(group="edit-run", exit_on_error=False)
    async def action_rename(self) -> None:
        line = self.chosen
        if line is None:
            return
        taken = {each.summary.name for each in self._seen.lines if each.summary.id != line.summary.id}

        def check(name: str) -> None:
            require_run_name(name)
            if name in taken:
                raise VqaError(f"there is already a run named {name}", hint="Choose another name.")

        body = "Letters, digits, dots, dashes and underscores. Exports that were made keep the name that they have."
        now = clean(line.summary.name, one_line=True, limit=80)
        dialog = ValueDialog("Name of the run", body, value=now, check=check)
        name = await self.ask(dialog)
        if name is not None:
            await self.written(line.steerable, "new name", self.services.run_edits.rename(line.summary.id, name))
            tell(self, f"The run is called {name} now.")

    @work(group="edit-run", exit_on_error=False)
    async def action_archive(self) -> None:
        line = self.chosen
        if line is None:
            return
        back = line.archived
        await self.written(line.steerable, "archive", self.services.run_edits.archive(line.summary.id, undo=back))
        words = "is back in the list." if back else "is archived: H shows it, h brings it back."
        tell(self, f"{line.summary.name} {words}")

    @work(group="edit-run", exit_on_error=False)
    async def action_delete(self) -> None:
        """Ask, saying what goes; what was paid for goes only when its name is typed."""
        line = self.chosen
        if line is None or line.summary.name in self._deleting:
            return
        name, run_id = line.summary.name, line.summary.id
        notice = asyncio.get_running_loop().call_later(PATIENCE_S, tell, self, "Counting what would go …")
        try:
            contents = await self.services.run_edits.contents(run_id)
        finally:
            notice.cancel()
        words, about = delete_consequence(contents), f"delete {name}?"
        if paid := paid_words(contents):

            def check(typed: str) -> None:
                if typed != name:
                    raise VqaError(f"that is not {name}", hint="Type the name as it stands, or press Esc.")

            body = f"{words}\n\n{paid} Type its name to delete it:  {name}"
            dialog = ValueDialog("Delete this run?", body, value="", check=check, verb="deletes")
            sure = await self.ask(dialog, about=about) == name
        else:
            question = Question("Delete this run?", f"{name}\n\n{words}", yes="Delete it", no="Keep it", late=True)
            sure = await self.ask(question, about=about) is True
        if sure:
            await self._delete(run_id, name, contents_words(contents), contents.unit)

    async def _delete(self, run_id: int, name: str, words: str, unit: str) -> None:
        def progress(done: int, of: int) -> None:
            if self._deleting[name] == _MARKED:
                self.post_message(LookWanted())
            self._deleting[name] = (done, of, unit)
            self.show_totals()

        self._deleting[name] = _MARKED
        try:
            with self.watch_over.wishes.carry_out(
                run_id, "deletion", f"deletion of {name} (goes on when the list is open again)"
            ):
                await self.services.run_edits.delete(run_id, words=words, progress=progress)
        finally:
            self._deleting.pop(name, None)
            if not self.is_left:
                self.post_message(LookWanted())
                self.read_deleted()
        self.watch_over.forget_run(run_id)
        tell(self, f"{name} is deleted.")

    def deleting_words(self) -> str:
        """Return how far the deletions are that are under way; '' where there is none."""
        return ", ".join(
            f"deleting {name}: {count(done)} of {plural(of, unit)}" if of else f"deleting {name} …"
            for name, (done, of, unit) in self._deleting.items()
        )

    @work(group="deleted", exclusive=True, exit_on_error=False)
    async def read_deleted(self) -> None:
        """Read what deleted runs had cost."""
        self._deleted = await self.services.run_edits.deleted()
        self.show_totals()

    @work(group="finish-deletions", exit_on_error=False)
    async def finish_deletions(self) -> None:
        """Go on with deletions that were broken off when the app was left."""
        if not self.services.read_only and await self.services.run_edits.finish_deletions():
            self.read_deleted()
