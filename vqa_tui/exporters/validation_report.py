"""What validation found: problems by place, numbers, and the verdict in words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_PROBLEMS = 1000
"""Problems that are kept one by one; further ones are only counted."""


class ProblemKind(StrEnum):
    UNREADABLE = "unreadable"
    """A line or entry that is no record at all."""
    PICTURE = "picture"
    """A picture that is missing, broken or not named."""
    CONVERSATION = "conversation"
    """Roles, turns or media tags that a trainer would refuse."""
    ANSWER = "answer"
    """An answer or a question that is empty or too short."""
    DUPLICATE = "duplicate"
    """The same question about the same picture."""
    RISK_WORDS = "risk_words"
    SPLIT = "split"
    """A picture on both sides of a split."""
    MANIFEST = "manifest"
    """A file that is not as its manifest says."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `message` may quote the file: it is hostile text."""

    kind: ProblemKind
    file: str
    line: int
    """Line in a JSON Lines file, entry (from 1) in a JSON list, 0 for the file as a whole."""
    message: str
    is_entry: bool = False
    """Whether `line` counts entries."""

    @property
    def place(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}, {'entry' if self.is_entry else 'line'} {self.line}"


@dataclass(frozen=True, slots=True)
class ValidationStats:
    """What the files hold."""

    files: int = 0
    records: int = 0
    pairs: int = 0
    pictures: int = 0
    """Distinct picture files."""
    mean_answer_chars: float = 0.0
    formats: tuple[str, ...] = ()
    question_types: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verdict."""

    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'✓' if self.ok else '✗'} {self.text}"


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """The verdict. `problems` are in the order of files and lines, at most MAX_PROBLEMS; `counts` counts all."""

    ok: bool
    checks: tuple[Check, ...]
    problems: tuple[Problem, ...]
    counts: Mapping[ProblemKind, int]
    stats: ValidationStats

    @property
    def verdict(self) -> tuple[str, ...]:
        """The lines of the verdict, each led by ✓ or ✗."""
        return tuple(str(check) for check in self.checks)

    @property
    def problem_count(self) -> int:
        return sum(self.counts.values())


class ProblemLog:
    """Collects problems while files are read."""

    def __init__(self) -> None:
        self.counts: Counter[ProblemKind] = Counter()
        self._kept: list[Problem] = []

    def add(self, kind: ProblemKind, file: str, line: int, message: str, *, is_entry: bool = False) -> None:
        self.counts[kind] += 1
        if self.counts.total() <= MAX_PROBLEMS:
            self._kept.append(Problem(kind, file, line, message, is_entry))

    def in_order(self) -> tuple[Problem, ...]:
        return tuple(sorted(self._kept, key=lambda problem: (problem.file, problem.line)))


def judge_findings(
    log: ProblemLog, stats: ValidationStats, *, checks_risk: bool, is_split: bool, has_manifest: bool
) -> ValidationReport:
    """Return the report; every check that was made has a line in the verdict."""
    counts = log.counts
    lines = [
        (ProblemKind.UNREADABLE, f"Validated {stats.pairs:,} VQA pairs", "{n} lines or entries cannot be read"),
        (ProblemKind.PICTURE, "All images exist", "{n} images are missing, broken or not named"),
        (ProblemKind.CONVERSATION, "All conversations have valid format", "{n} faults in the form of conversations"),
        (ProblemKind.ANSWER, "No question or answer is empty or too short", "{n} questions or answers are too short"),
        (ProblemKind.DUPLICATE, "No question is asked twice about an image", "{n} questions are asked twice"),
    ]
    if checks_risk:
        lines.append((ProblemKind.RISK_WORDS, "No risk words", "{n} pairs hold risk words"))
    if is_split:
        lines.append((ProblemKind.SPLIT, "No image is on both sides of the split", "{n} images are on both sides"))
    if has_manifest or counts[ProblemKind.MANIFEST]:
        lines.append((ProblemKind.MANIFEST, "Files are as the manifest lists them", "{n} differences to the manifest"))
    checks = [
        Check(False, bad.format(n=f"{counts[kind]:,}")) if counts[kind] else Check(True, good)
        for kind, good, bad in lines
    ]
    total = counts.total()
    checks.append(
        Check(True, "Dataset ready for training")
        if not total
        else Check(False, f"Dataset not ready for training: {total:,} problem{'s' if total > 1 else ''}")
    )
    return ValidationReport(not total, tuple(checks), log.in_order(), dict(counts), stats)
