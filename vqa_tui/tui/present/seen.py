"""What the poller has seen: frozen views together with the moment at which they were read."""

from dataclasses import dataclass

from vqa_tui.domain.run import LIVE_PHASES, EngineState, EngineView, Intent, Limits, RunSummary, RunView


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the list; `view` only where an engine is or should be, for its rate and what is left."""

    summary: RunSummary
    view: RunView | None = None
    course: tuple[float, ...] = ()
    """Finished pictures a second, oldest first: of the last minutes at work, else of the whole life."""

    @property
    def engine(self) -> EngineState:
        """Whether the engine is there; only the view knows of one that does not answer."""
        return self.view.engine.state if self.view is not None else self.summary.engine

    @property
    def at_work(self) -> bool:
        """Whether rate and what is left are those of now."""
        return self.view is not None and self.engine is EngineState.ALIVE and self.summary.phase in LIVE_PHASES

    @property
    def archived(self) -> bool:
        """Whether it is out of sight: one with an engine never is."""
        return self.summary.archived_at is not None and self.engine is EngineState.NONE

    @property
    def steerable(self) -> RunView:
        """The run as the keys that steer see it: its view, else as much of one as the list knows."""
        run = self.summary
        return self.view or RunView(
            id=run.id,
            name=run.name,
            dataset=run.dataset,
            recipe=run.recipe,
            endpoint=run.endpoint,
            model="",
            phase=run.phase,
            phase_reason=run.phase_reason,
            intent=Intent.RUN,
            created_at=run.created_at,
            started_at=None,
            ended_at=None,
            limits=Limits(),
            counts=run.counts,
            engine=EngineView(run.engine),
        )


@dataclass(frozen=True, slots=True)
class SeenRuns:
    """All runs, newest first, as of Unix time `at`."""

    lines: tuple[RunLine, ...]
    at: float


@dataclass(frozen=True, slots=True)
class SeenRun:
    """One run as of Unix time `at`. Equal facts at another moment are another sight: ages go on."""

    view: RunView
    at: float
