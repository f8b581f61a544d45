"""The bench: what all workers of a run share."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.domain.part import Part
from vqa_tui.domain.run import Limits
from vqa_tui.endpoints.at_hand import PicturesAtHand
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.client import VisionClient
from vqa_tui.endpoints.picture_cache import PictureCache
from vqa_tui.engine.admission import Gatekeeper
from vqa_tui.engine.board import Board
from vqa_tui.engine.breaker import Breaker
from vqa_tui.engine.estimate import Estimator
from vqa_tui.engine.halt import Halt
from vqa_tui.engine.outage import Outage
from vqa_tui.engine.standstill import Standstill
from vqa_tui.engine.writer import Writer
from vqa_tui.store.inflight import FlightJournal


@dataclass(frozen=True, slots=True)
class Bench:
    """The parts and the facts that a worker needs."""

    recipe: Recipe
    endpoint: Endpoint
    dataset_root: Path
    template: PromptTemplate
    estimator: Estimator
    bodies: Sequence[RequestBody]
    """One for each of the recipe's prompts."""
    client: VisionClient
    gatekeeper: Gatekeeper
    breaker: Breaker
    outage: Outage
    standstill: Standstill
    board: Board
    journal: FlightJournal
    writer: Writer
    threads: Executor
    limits: Callable[[], Limits]
    may_hedge: Callable[[], bool]
    """Whether a straggler may be asked a second time now."""
    halt: Callable[[Halt], None]
    tell: Callable[[str, str], None]
    """Record an event: level and message."""
    pictures: PictureCache | None = None
    """Where changed pictures are kept; None: nowhere."""
    at_hand: PicturesAtHand = field(default_factory=PicturesAtHand)

    def body_of(self, part: Part) -> RequestBody:
        """Return what builds the requests of this part."""
        return self.bodies[part.index if len(self.bodies) > 1 else 0]

    def note_failure(self, kind: str) -> None:
        """Count a failure that says something about the endpoint or this machine; too many pause the run."""
        self.breaker.note(kind)
        if verdict := self.breaker.verdict():
            self.halt(Halt(verdict))
