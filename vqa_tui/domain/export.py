"""What an export is made of: the run it comes from, and its pictures with their pairs."""

from dataclasses import dataclass

from vqa_tui.domain.item import GroundTruth


@dataclass(frozen=True, slots=True)
class ExportPair:
    """One stored pair that was not rejected. Ordinals count from 0 within the picture."""

    ordinal: int
    question: str
    answer: str
    question_type: str


@dataclass(frozen=True, slots=True)
class ExportPicture:
    """One finished picture with at least one pair."""

    key: str
    path: str
    """POSIX path relative to the dataset root."""
    sha256: str
    truth: GroundTruth
    pairs: tuple[ExportPair, ...]


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
    rejected_pairs: int
    last_sample_id: int
    """Samples above this were stored after the export began and do not belong to it."""
