"""A picture and what is known to be true of it."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from vqa_tui.domain.clip import Clip

MOST_PICTURES = 100
"""Pictures of one item: more than any trainer or endpoint takes in one conversation."""

PIXEL_LIMIT = 89_478_485
"""Pixels above which a picture is not decoded: 256 MiB as 24-bit RGB, where Pillow itself begins to warn."""

PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "JPEG2000", "PPM", "AVIF")
"""Pillow's decoders that may run (JPEG's also opens MPO). Others start programs (EPS) or hold no photographs."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What opening a picture file told us. Width and height are pixels of the upright picture (EXIF applied); of a
    clip they are those of its first frame, and size, hash and time those of the whole video."""

    format: str
    """Pillow's name: JPEG, PNG, WEBP …; of a clip `domain.clip.VIDEO`."""
    width: int
    height: int
    size_bytes: int
    sha256: str
    orientation: int
    """EXIF orientation, 1 to 8; 1 is upright."""
    modified_ns: int


class PictureFile(BaseModel):
    """One picture of an item: where it lies, as a POSIX path relative to the dataset root, and what it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    facts: PictureFacts


class Box(BaseModel):
    """One labelled rectangle in pixels of the upright picture: left, top, width, height."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    x: FiniteFloat
    y: FiniteFloat
    width: FiniteFloat
    height: FiniteFloat


class ReferenceQuestion(BaseModel):
    """A question that came with the dataset, with its reference answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    answer: str
    question_type: str = ""
    split: str | None = None
    """The split of the question itself, where the dataset splits by question: one picture may then be in several."""


class GroundTruth(BaseModel):
    """What the dataset itself says about a picture; without any of it nothing is known, not even that it is clean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    categories: tuple[str, ...] = ()
    states_none: bool = False
    """The dataset says that nothing of what it labels is in the picture."""
    boxes: tuple[Box, ...] = ()
    captions: tuple[str, ...] = ()
    questions: tuple[ReferenceQuestion, ...] = ()
    clip: Clip | None = None
    """The part of the video at the item's path that is meant; None: the item is a still picture."""
    further: tuple[PictureFile, ...] = ()
    """The pictures that belong to the item beside its own and are shown after it, in order. Boxes lie in its own."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the original record that exports give back unchanged (JSON values)."""

    def reference(self, index: int, question: str) -> ReferenceQuestion | None:
        """Return the pair at `index`, counted from 0, if it asks `question`; else the first that does, or None.

        Pairs move where a dataset is imported again with others.
        """
        wanted = _plain(question)
        at_place = self.questions[index : index + 1]
        return next((known for known in (*at_place, *self.questions) if _plain(known.question) == wanted), None)

    @property
    def annotated(self) -> bool:
        """Whether the dataset says what is in the picture, be it nothing."""
        return self.states_none or bool(self.categories or self.boxes)


def _plain(question: str) -> str:
    return " ".join(question.split()).casefold()


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One picture as a dataset format names it, before anybody has opened the file."""

    key: str
    """Stable identity inside the dataset; importing the same data again yields the same key."""
    path: str
    """POSIX path relative to the dataset root; it never leaves the root."""
    truth: GroundTruth
    split: str | None = None
    where: str = ""
    """Place in the source for messages, such as `annotations.json entry 17`."""
    further: tuple[str, ...] = ()
    """Paths of the pictures that belong to the item beside its own; the import opens them for `truth.further`."""


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One thing that could not be imported; the rest goes on."""

    key: str
    """Identity inside the dataset, as of SourceItem, or of the broken record."""
    where: str
    reason: str
    """What is wrong, in words."""


@dataclass(frozen=True, slots=True)
class Item:
    """One imported picture, perhaps with further ones that are asked about together with it."""

    id: int
    dataset_id: int
    key: str
    path: str
    facts: PictureFacts
    split: str | None
    truth: GroundTruth

    @property
    def pictures(self) -> tuple[PictureFile, ...]:
        """Its own picture and the further ones, in the order in which they are shown."""
        return (PictureFile(path=self.path, facts=self.facts), *self.truth.further)
