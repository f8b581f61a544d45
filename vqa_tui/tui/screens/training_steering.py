"""Starting, stopping, cancelling, resuming, renaming and deleting trainings by key, and their place in line."""

from collections.abc import Awaitable
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from vqa_tui.domain.run_name import require_run_name
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.operations.training_queue import parse_priority
from vqa_tui.safe_text import clean
from vqa_tui.tui.present import training_words
from vqa_tui.tui.present.numbers import count, plural
from vqa_tui.tui.screens.dialogs import Question, ValueDialog
from vqa_tui.tui.screens.live import LiveScreen
from vqa_tui.tui.services.trainings import Followed
from vqa_tui.tui.toasts import tell

_LONG_NAME = 80


def _check_priority(typed: str) -> None:
    parse_priority(typed)


class TrainingSteering(LiveScreen):
    """A screen with one training under its cursor, out of all that there are."""

    WRITES: ClassVar[frozenset[str]] = frozenset(
        {"new_training", "stop", "cancel", "resume", "delete", "rename", "priority", "set_priority"}
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_training", "new training", id="training.new", tooltip="Start a training from a menu"),
        Binding("x", "stop", "stop", id="training.stop", tooltip="Finish the step, write a checkpoint and end"),
        Binding("X", "cancel", "cancel", id="training.cancel", tooltip="End it at once; unsaved steps are lost"),
        Binding("r", "resume", "resume", id="training.resume", tooltip="Go on from the newest whole checkpoint"),
        Binding(
            "plus,equals_sign",
            "priority(1)",
            "earlier",
            key_display="+",
            id="training.earlier",
            tooltip="Priority up by one: of those that wait for a device the highest goes first",
        ),
        Binding(
            "minus",
            "priority(-1)",
            "later",
            key_display="-",
            id="training.later",
            tooltip="Priority down by one: let others that wait go first",
        ),
        Binding(
            "P",
            "set_priority",
            "priority",
            id="training.priority",
            tooltip="Set the priority as a number",
            show=False,
        ),
        Binding("N", "rename", "rename", id="training.rename", tooltip="Give it another name", show=False),
        Binding(
            "D,delete",
            "delete",
            "delete",
            key_display="D",
            id="training.delete",
            tooltip="Delete it with checkpoints, adapter and log, after a question",
            show=False,
        ),
    ]

    @property
    def chosen(self) -> TrainingSummary | None:
        """The training under the cursor."""
        raise NotImplementedError

    @property
    def course(self) -> TrainingCourse:
        """What is known of its course."""
        raise NotImplementedError

    @property
    def followed(self) -> Followed | None:
        """What is read of the training under the cursor."""
        raise NotImplementedError

    def look_again(self, training_id: int | None = None) -> None:
        """Read the list anew, and go to that training."""
        raise NotImplementedError

    def why_not(self, action: str) -> str | None:
        """Return why that cannot be done with the training under the cursor."""
        if action in ("priority", "set_priority"):
            return training_words.why_no_priority(self.chosen, in_place=action == "priority")
        return training_words.why_not(action, self.chosen) or super().why_not(action)

    @work(group="new-training", exit_on_error=False)
    async def action_new_training(self) -> None:
        from vqa_tui.tui.screens.new_training import NewTraining  # only here: the mode is on screen sooner without it

        started = await self.ask(NewTraining(self.services))
        if started is None:
            return
        words = f"Training {started.id}: {plural(started.data.rows, 'row')}, {count(started.data.held_out)} held out."
        if started.data.left_out:
            words += f" {plural(started.data.left_out, 'record')} left out, the first: {started.data.problems[0]}"
        tell(self, words, severity="warning" if started.data.left_out else "information")
        self.look_again(started.id)

    @work(group="steer-training", exit_on_error=False)
    async def action_stop(self) -> None:
        training = self.chosen
        if training is None or self.busy_with(training):
            return
        words = clean(training_words.stop_words(training))
        waits = training.waits
        yes, no = ("Leave the queue", "Let it wait") if waits else ("Stop and save", "Let it work")
        if await self.ask(Question("Stop this training?", words, yes=yes, no=no)):
            said = "It leaves the queue." if waits else "It ends after this step, with a checkpoint."
            await self.done(self.services.trainings.stop(training.id), said)

    @work(group="steer-training", exit_on_error=False)
    async def action_cancel(self) -> None:
        training = self.chosen
        if training is None or self.busy_with(training):
            return
        words = clean(training_words.cancel_words(training, self.course))
        title = "End this evaluation?" if training.evaluated else "Cancel this training?"
        yes = "End it" if training.evaluated else "Cancel it"
        if await self.ask(Question(title, words, yes=yes, no="Let it work")):
            await self.done(self.services.trainings.cancel(training.id), "It is being ended.")

    @work(group="steer-training", exit_on_error=False)
    async def action_resume(self) -> None:
        if (training := self.chosen) is not None and not self.busy_with(training):
            await self.done(self.services.trainings.resume(training.id), f"{training.name} goes on.")

    @work(group="priority", exit_on_error=False)
    async def action_priority(self, by: int) -> None:
        """Let one that waits go earlier or later, at once."""
        if (training := self.chosen) is not None:
            await self._say_place(self.services.trainings.shift_priority(training.id, by))

    @work(group="steer-training", exit_on_error=False)
    async def action_set_priority(self) -> None:
        training = self.chosen
        if training is None or self.busy_with(training):
            return
        body = f"Of the trainings that wait for {training.device} the highest goes first, then the oldest."
        dialog = ValueDialog("Priority", body, value=str(training.priority), check=_check_priority)
        typed = await self.ask(dialog)
        if typed is not None:
            await self._say_place(self.services.trainings.set_priority(training.id, parse_priority(typed)))

    async def _say_place(self, work: Awaitable[str]) -> None:
        try:
            tell(self, await work)
        finally:
            if not self.is_left:
                self.look_again()

    @work(group="steer-training", exit_on_error=False)
    async def action_rename(self) -> None:
        training = self.chosen
        if training is None or self.busy_with(training):
            return
        body = "Letters, digits, dots, dashes and underscores. Its configuration keeps the name that it has."
        now = clean(training.name, one_line=True, limit=_LONG_NAME)
        dialog = ValueDialog(
            "Name of the training", body, value=now, check=lambda typed: require_run_name(typed, "training")
        )
        name = await self.ask(dialog)
        if name is not None:
            await self.done(self.services.trainings.rename(training.id, name), f"The training is called {name} now.")

    @work(group="steer-training", exit_on_error=False)
    async def action_delete(self) -> None:
        training = self.chosen
        if training is None or self.busy_with(training):
            return
        words = clean(training_words.delete_words(training, await self.services.trainings.size_on_disk(training.id)))
        question = Question("Delete this training?", words, yes="Delete it", no="Keep it", late=True)
        if await self.ask(question, about=f"delete {training.name}?"):
            await self.done(self.services.trainings.delete(training.id), f"{training.name} is deleted.")

    def busy_with(self, training: TrainingSummary) -> bool:
        """Say that another key is still being carried out, if so."""
        workers = [each for each in self.workers if each.node is self and each.group == "steer-training"]
        if under_way := sum(not each.is_finished for each in workers) > 1:
            tell(self, f"What was wanted of {training.name} before is still under way.", severity="warning")
        return under_way

    async def done(self, work: Awaitable[None], words: str) -> None:
        """Carry out what a key wants, and say that it is done."""
        try:
            await work
            tell(self, words)
        finally:
            if not self.is_left:
                self.look_again()
