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
    DUPLICATE_ID = "duplicate_id"
    """The same id on two records of a file."""
    RISK_WORDS = "risk_words"
    STRUCTURE = "structure"
    """A structured answer that is not JSON of the form asked for."""
    GROUND_TRUTH = "ground_truth"
    """A record whose ground truth contradicts itself."""
    SPLIT = "split"
    """A picture on two sides of a split."""
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
    """False when it was made and failed."""
    text: str
    made: bool = True
    """False for a check that could not be made; `text` says why."""

    def __str__(self) -> str:
        return f"{('✓' if self.ok else '✗') if self.made else '–'} {self.text}"


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
        """The lines of the verdict, each led by ✓ or ✗, or – for what was not checked."""
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


@dataclass(frozen=True, slots=True)
class ChecksMade:
    """Which of the checks that depend on the files were made."""

    risk_words: bool = False
    ids: bool = False
    structure: bool = False
    ground_truth: bool = False
    split: bool = False
    manifest: bool = False
    recipe: bool = True
    """Whether the limits of a recipe were known for every record."""


_LINES: tuple[tuple[ProblemKind, str, str, str], ...] = (
    (
        ProblemKind.UNREADABLE,
        "Validated {pairs} VQA pairs",
        "1 line or entry is not plain JSON",
        "{n} lines or entries are not plain JSON",
    ),
    (
        ProblemKind.PICTURE,
        "All images exist",
        "1 image is missing, broken or not named",
        "{n} images are missing, broken or not named",
    ),
    (
        ProblemKind.CONVERSATION,
        "All conversations have valid format",
        "1 fault in the form of conversations",
        "{n} faults in the form of conversations",
    ),
    (
        ProblemKind.ANSWER,
        "No question or answer is empty or too short",
        "1 question or answer is empty or too short",
        "{n} questions or answers are empty or too short",
    ),
    (
        ProblemKind.DUPLICATE,
        "No question is asked twice about an image",
        "1 question is asked twice about an image",
        "{n} questions are asked twice about an image",
    ),
    (ProblemKind.DUPLICATE_ID, "No id stands twice", "1 id stands twice", "{n} ids stand twice"),
    (ProblemKind.RISK_WORDS, "No risk words", "1 pair holds risk words", "{n} pairs hold risk words"),
    (
        ProblemKind.STRUCTURE,
        "All structured answers are JSON of the form asked for",
        "1 structured answer is not JSON of the form asked for",
        "{n} structured answers are not JSON of the form asked for",
    ),
    (
        ProblemKind.GROUND_TRUTH,
        "No ground truth contradicts itself",
        "1 ground truth contradicts itself",
        "{n} ground truths contradict themselves",
    ),
    (
        ProblemKind.SPLIT,
        "No image is on two sides of the split",
        "1 image is on two sides of the split",
        "{n} images are on two sides of the split",
    ),
    (
        ProblemKind.MANIFEST,
        "Files are as the manifest lists them",
        "1 difference to the manifest",
        "{n} differences to the manifest",
    ),
)
_NOT_CHECKED = "Not checked: risk words and answer length, as no manifest names the recipe; name it with --recipe"


def judge_findings(log: ProblemLog, stats: ValidationStats, made: ChecksMade) -> ValidationReport:
    """Return the report; every check that was made has a line in the verdict, and so has what a recipe would add."""
    counts = log.counts
    depends = {
        ProblemKind.DUPLICATE_ID: made.ids,
        ProblemKind.RISK_WORDS: made.risk_words,
        ProblemKind.STRUCTURE: made.structure,
        ProblemKind.GROUND_TRUTH: made.ground_truth,
        ProblemKind.SPLIT: made.split,
        ProblemKind.MANIFEST: made.manifest,
    }
    checks = []
    for kind, good, one, many in _LINES:
        if number := counts[kind]:
            checks.append(Check(False, one if number == 1 else many.format(n=f"{number:,}")))
        elif depends.get(kind, True):
            checks.append(Check(True, good.format(pairs=f"{stats.pairs:,}")))
    if not made.recipe:
        checks.append(Check(True, _NOT_CHECKED, made=False))
    total = counts.total()
    checks.append(
        Check(True, "Dataset ready for training")
        if not total
        else Check(False, f"Dataset not ready for training: {total:,} problem{'s' if total > 1 else ''}")
    )
    return ValidationReport(not total, tuple(checks), log.in_order(), dict(counts), stats)
