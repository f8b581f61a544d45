"""Serving by key what a training learned, and ending the server."""

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from vqa_tui.safe_text import clean
from vqa_tui.tui.present import training_words
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.training_steering import TrainingSteering
from vqa_tui.tui.toasts import tell


class TrainingServing(TrainingSteering):
    """A screen whose chosen training may be served."""

    WRITES: ClassVar[frozenset[str]] = frozenset({"serve"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "V",
            "serve",
            "serve",
            id="training.serve",
            tooltip="Serve what it learned as an endpoint that labels the next dataset, or end that server",
        ),
    ]

    @property
    def is_served(self) -> bool:
        """Whether the chosen training has a server, also one that has yet to answer."""
        known = self.followed
        return known is not None and known.serving.served is not None

    def why_not(self, action: str) -> str | None:
        """Return why that cannot be done now."""
        if action == "serve" and not self.is_served:
            known = self.followed
            return training_words.why_not_serve(self.chosen, known.serving_lacks if known is not None else "")
        return super().why_not(action)

    def key_words(self, action: str) -> str | None:
        return "end server" if action == "serve" and self.is_served else super().key_words(action)

    @work(group="steer-training", exit_on_error=False)
    async def action_serve(self) -> None:
        """Ask, and start the server or end it."""
        training, known = self.chosen, self.followed
        if training is None or known is None or self.busy_with(training):
            return
        trainings = self.services.trainings
        if (served := known.serving.served) is not None:
            words = clean(training_words.end_serving_words(training, served.endpoint))
            if await self.ask(Question("End this server?", words, yes="End it", no="Let it serve")):
                tell(self, "The server is being ended …")
                await self.done(
                    trainings.stop_serving(training.id), "The server is gone; the file of its endpoint stays."
                )
            return
        words = clean(training_words.serve_words(training, trainings.usual_endpoint(training.name)))
        if await self.ask(Question("Serve what it learned?", words, yes="Serve it")):
            tell(self, "The server is being started …")
            await self.done(trainings.serve(training.id), "It is on its way; the facts say when it answers, and where.")
