"""Review of pairs: verdicts, the orders in which pairs are looked at, and what is counted of them."""

from dataclasses import dataclass
from enum import StrEnum

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth, ReferenceQuestion
from vqa_tui.domain.part import ONLY, Part, with_part
from vqa_tui.domain.sample import Sample


class Verdict(StrEnum):
    """What a person says of a pair. An edited pair is an accepted one with text of its own."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNSURE = "unsure"


class PairGone(VqaError):
    """The pair was replaced or deleted; it cannot be judged any more."""


class JudgedMeanwhile(VqaError):
    """Somebody has judged, edited or noted the pair since the reviewer saw it: the judgement was of something else."""


class Order(StrEnum):
    """In which order pairs come; all but `in-order` draw them by chance within their stratum."""

    STRATIFIED = "stratified"
    RANDOM = "random"
    FLAGGED_FIRST = "flagged-first"
    IN_ORDER = "in-order"


BY_HAND = "by-hand"
"""How a pair was picked that no order brought."""

DRAWN = frozenset({Order.STRATIFIED, Order.RANDOM, Order.FLAGGED_FIRST})
"""Orders whose verdicts say something about the pairs that nobody looked at; the schema's triggers name them too."""


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which pairs are looked at; all parts must hold, and an empty part restricts nothing.

    Without `verdict` these are the pairs that have none; with it, those that have this one, in the order of their ids.
    """

    flagged: bool = False
    question_type: str | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """The text of a pair as a person wants it."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How a pair stood when a person looked at it."""

    verdict: str | None
    edited_question: str | None
    edited_answer: str | None
    note: str
    question: str | None = None
    """As the model wrote it, and so is the next; None where the pair was not shown: any text will do."""
    answer: str | None = None

    @classmethod
    def of(cls, sample: Sample) -> "Seen":
        return cls(
            sample.verdict, sample.edited_question, sample.edited_answer, sample.note, sample.question, sample.answer
        )


NEVER_SHOWN = Seen(None, None, None, "")
"""What a pair is taken for that a person judges by its number alone: one that nobody has judged."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person wants to be so of one pair; None leaves a part as it is. `picked` is how the pair was come by."""

    sample_id: int
    verdict: Verdict | None = None
    edit: Edit | None = None
    note: str | None = None
    picked: str = BY_HAND
    seen: Seen | None = None
    """What the person judged by; None where the pair is named and judged however it stands."""


@dataclass(frozen=True, slots=True)
class Undone:
    """A judgement that was taken back. `gone` when its pair was replaced meanwhile, so that only the log knew it."""

    sample_id: int
    item_key: str
    ordinal: int
    gone: bool = False


@dataclass(frozen=True, slots=True)
class ReviewPair:
    """One pair with what is needed to judge it."""

    sample: Sample
    item_key: str
    picture: str
    """Absolute path of the picture; of a clip with its seconds behind it (domain.clip.address)."""
    size: tuple[int, int]
    """Width and height of the picture in pixels."""
    truth: GroundTruth
    part: Part = ONLY
    """Which of the requests about the picture it is from."""
    reference: ReferenceQuestion | None = None
    """The pair of the dataset that the request was about, where it was about one."""
    further_pictures: tuple[str, ...] = ()
    """Absolute paths of the pictures that are shown after the first."""

    @property
    def pictures(self) -> tuple[str, ...]:
        """Where all pictures of the item lie, in the order in which the model saw them."""
        return (self.picture, *self.further_pictures)

    @property
    def name(self) -> str:
        return with_part(self.item_key, self.part)


@dataclass(frozen=True, slots=True)
class Stratum:
    """Pairs of one question type, one category of ground truth, flagged or not, and the verdicts on them.

    Unsure ones are in none but `unsure`: they are looked at, and say nothing yet.
    """

    id: int
    question_type: str
    category: str
    flagged: bool
    size: int
    accepted: int = 0
    """Accepted as they were written."""
    edited: int = 0
    rejected: int = 0
    unsure: int = 0
    drawn_accepted: int = 0
    """The part of each that was drawn by chance."""
    drawn_edited: int = 0
    drawn_rejected: int = 0

    @property
    def reviewed(self) -> int:
        return self.accepted + self.edited + self.rejected + self.unsure
