"""Question-answer pairs: as read from a reply, and as stored."""

from dataclasses import dataclass
from enum import StrEnum


class SampleFlag(StrEnum):
    """Something a person should know about a pair; a flagged pair is still stored."""

    CUT_REPLY = "cut_reply"
    """The reply was truncated; this pair stood whole before the cut."""
    SHORT_ANSWER = "short_answer"
    RISK_WORDS = "risk_words"
    UNKNOWN_TYPE = "unknown_type"
    NOT_IN_TRUTH = "not_in_truth"
    BAD_STRUCTURE = "bad_structure"
    DUPLICATE_QUESTION = "duplicate_question"
    FEWER_PAIRS = "fewer_pairs"
    """The reply held fewer pairs than were asked for."""
    MISSING_CATEGORY = "missing_category"
    """The reply lacks a category that was asked for; stands on each of its pairs."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question-answer pair as read from a reply."""

    question: str
    answer: str
    question_type: str = ""
    flags: tuple[SampleFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One stored pair of a finished task."""

    id: int
    ordinal: int
    question: str
    answer: str
    question_type: str
    flags: tuple[str, ...]
    verdict: str | None
    edited_question: str | None = None
    """The question as a reviewer wants it; None where it is as it was written. `question` is never changed."""
    edited_answer: str | None = None
    note: str = ""
    """What a reviewer wrote about the pair."""
    reviewer: str | None = None
    reviewed_at: float | None = None
    picked: str | None = None
    """The order that brought the pair to its first verdict, or `by-hand`."""

    @property
    def edited(self) -> bool:
        return self.edited_question is not None or self.edited_answer is not None

    @property
    def final_question(self) -> str:
        """The question that exports use."""
        return self.question if self.edited_question is None else self.edited_question

    @property
    def final_answer(self) -> str:
        return self.answer if self.edited_answer is None else self.edited_answer
