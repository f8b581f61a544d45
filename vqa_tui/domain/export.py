"""What an export is made of: the run it comes from, and its pictures with their pairs."""

from dataclasses import dataclass
from enum import StrEnum

from vqa_tui.domain.item import GroundTruth


class Reviewed(StrEnum):
    """Which pairs an export takes, by what review has said of them."""

    NOT_REJECTED = "not-rejected"
    """Accepted, unsure and not reviewed ones."""
    ACCEPTED = "accepted"
    ANY = "any"
    """Rejected ones too."""


@dataclass(frozen=True, slots=True)
class ExportSource:
    """A run that asked pictures of the exported run elsewhere."""

    id: int
    name: str
    endpoint_name: str
    model: str
    config_sha256: str


@dataclass(frozen=True, slots=True)
class ExportPair:
    """One stored pair as it is exported, with a reviewer's edit. Ordinals count from 0 within the picture."""

    ordinal: int
    question: str
    answer: str
    question_type: str
    verdict: str = "not reviewed"
    """accepted, edited (accepted with another text), unsure, rejected or `not reviewed`."""
    part: int = 0
    """Which of the requests about the picture it is from, counted from 0."""
    source: ExportSource | None = None
    """The follow-up run that it is from; None is the exported run itself."""
    id: int = 0
    """Of the pair in the workspace; 0 where it is not from one."""
    flags: tuple[str, ...] = ()
    """What a person should know about it, as of SampleFlag."""


@dataclass(frozen=True, slots=True)
class ExportPicture:
    """One picture with at least one pair: those of all requests about it, in their order."""

    key: str
    path: str
    """POSIX path relative to the dataset root."""
    sha256: str
    truth: GroundTruth
    pairs: tuple[ExportPair, ...]
    statuses: tuple[str, ...] = ("done",)
    """Of its tasks in the exported run whose pairs these are; one may have failed there or is being asked again."""
    split: str | None = None
    """That the dataset itself gives the picture."""


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Pictures of an export in the order of their tasks, and how many pairs, of these and of others, it leaves out."""

    pictures: tuple[ExportPicture, ...]
    rejected_pairs: int = 0
    unaccepted_pairs: int = 0
    """Rejected ones not among them: those that nobody accepted, where only accepted ones are wanted."""


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """The run as the manifest names it, and how far the export may read."""

    id: int
    name: str
    phase: str
    dataset: str
    root: str
    """Absolute path of the folder that picture paths are relative to."""
    recipe_name: str
    recipe: str
    """The frozen recipe: canonical JSON."""
    endpoint_name: str
    model: str
    config_sha256: str
    tasks: dict[str, int]
    """Tasks by status at the moment of the export."""
    last_sample_id: int
    """Samples above this were stored after the export began, and belong to it only in the place of earlier ones."""
    last_attempt_id: int = 0
    """A picture that was answered by an attempt up to this one had pairs when the export began."""
    reviewed: Reviewed = Reviewed.NOT_REJECTED
    first_task_id: int = 0
    last_task_id: int = 0
    parts: int = 1
    """Requests for each picture; 0 is one for each of its reference pairs."""
    follow_ups: tuple[ExportSource, ...] = ()
    """Runs that follow it, and those that follow these, the newest first."""
