"""A model before and after a training, judged on the held-out rows; kept as `evaluation.json` beside the training.

- *loss*: mean negative log-likelihood of the answers' tokens, natural logarithm, over all tokens of all rows.
- *exact match* and *token F1*: as the SQuAD evaluation computes them (see `domain.agreement`), from 0 to 1.
- *VQA accuracy*: as the VQA evaluation computes it (Antol et al. 2015, https://arxiv.org/abs/1505.00468), min(equal
  references ÷ 3, 1) of several references; a row has one, so an answer counts 1 where it equals that and else 0. Texts
  are compared in the same form as above, with the words `none` and `zero` to `ten` as digits.
- *ROUGE-L*: F-measure of the package rouge-score, without stemming, on the words of that form, from 0 to 1.
- *BLEU*: of the package sacrebleu over all answers together, from 0 to 100, with `effective_order`: only of n-grams as
  long as the answers are, since usual BLEU is 0 where all answers are shorter than four words.

Exact match and VQA accuracy are for short answers: rows whose reference has at most MOST_SHORT_WORDS words.
"""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from vqa_tui.domain.agreement import normalised

EVALUATION = "evaluation.json"
JUDGED_ROWS = "evaluation_rows.jsonl"
"""All rows that were judged, one JUDGED row a line; `evaluation.json` holds the worst."""
MOST_SHORT_WORDS = 3
NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
"""Words for which the VQA evaluation puts figures, in their order from 0."""
_NUMBERS = {word: str(number) for number, word in enumerate(NUMBER_WORDS)} | {"none": "0"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one model made of some rows; None where no row has such a figure."""

    rows: int
    short_rows: int
    """Rows with a short reference: those that `exact_match` and `vqa_accuracy` are of."""
    loss: float | None
    exact_match: float | None
    vqa_accuracy: float | None
    token_f1: float | None
    rouge_l: float | None
    bleu: float | None


@dataclass(frozen=True, slots=True)
class BeforeAndAfter:
    """The figures of both models for the same rows: all, or those of one question type or category."""

    name: str
    """The question type or category; empty where the data tells none."""
    base: Figures
    tuned: Figures


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """What one model answered to one row; hostile text."""

    answer: str
    loss: float | None
    """Of the reference, whatever was answered; None where it is not a finite number."""
    exact: bool
    token_f1: float
    rouge_l: float


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A held-out row with the answers of both models."""

    row: int
    """Its id in `held_out.jsonl`."""
    key: str
    picture: str
    """Absolute path of its first picture; empty where it has none."""
    question: str
    reference: str
    kind: str
    categories: tuple[str, ...]
    pairs: tuple[int, ...]
    """Ids of the pairs in the workspace it was made of, as in TrainingRow."""
    base: JudgedAnswer
    tuned: JudgedAnswer


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Base against tuned on held-out rows."""

    at: float
    """Unix seconds, when it ended."""
    model: str
    weights: str
    """What was tuned: `adapter`, or the checkpoint of a training that has not ended; relative to its folder."""
    device: str
    precision: str
    held_out: int
    """Rows there are."""
    left_out: int
    """Of those looked at, rows that cannot be shown to the model, such as ones with a broken picture."""
    most_tokens: int
    """An answer is cut after so many."""
    bleu_signature: str
    """How sacrebleu computed, so that others can do the same."""
    all: BeforeAndAfter
    by_kind: tuple[BeforeAndAfter, ...]
    by_category: tuple[BeforeAndAfter, ...]
    """A row counts in each category of its picture."""
    worst: tuple[JudgedRow, ...]
    """Rows that the tuned model answers worst: lowest token F1 first, then highest loss."""

    def as_json(self) -> str:
        """Return the document."""
        return _EVALUATION.dump_json(self, indent=2).decode()

    @classmethod
    def of_json(cls, text: str) -> "Evaluation":
        """Return what `as_json` wrote. Raises ValueError for anything else."""
        try:
            return _EVALUATION.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg']}") from error


@dataclass(frozen=True, slots=True)
class EvaluationSight:
    """What there is to see of the evaluations of one training."""

    found: Evaluation | None = None
    """What the last one found that came to its end."""
    problem: str = ""
    """Why that cannot be read, or why the newest one found nothing; hostile text."""
    said: tuple[str, ...] = ()
    """The newest lines of one that is at work, oldest first; hostile text."""


def is_short(reference: str) -> bool:
    """Whether an answer is to be met word for word."""
    return 0 < len(normalised(reference).split()) <= MOST_SHORT_WORDS


def vqa_form(text: str) -> str:
    """Return a text as the VQA evaluation compares it."""
    return " ".join(_NUMBERS.get(word, word) for word in normalised(text).split())


def vqa_accuracy(answer: str, references: tuple[str, ...]) -> float:
    """Return min(equal references ÷ 3, 1), or with fewer than three references the share of them that are equal."""
    equal = sum(vqa_form(answer) == vqa_form(each) for each in references)
    return min(equal / min(3, len(references)), 1.0) if references else 0.0


_EVALUATION = TypeAdapter(Evaluation)
