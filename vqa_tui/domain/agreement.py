"""How far two answers to one picture agree.

Texts are compared as the SQuAD evaluation does it (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250, official
`evaluate-v1.1.py`): in lower case, without punctuation, without the articles a, an and the, with single spaces. Two
answers are *equal* when these forms are. The *token F1* of two texts is the harmonic mean of precision and recall of
their bags of tokens: 2 · common ÷ (tokens of one + tokens of the other), and 1 where both are empty.

Of a picture, pairs that ask the same (normalised) question are compared by their answers. What is left on both sides is
matched one to one, best token F1 of question and answer together first, and counts with that F1; a pair that finds no
partner counts as 0. The picture's *agreement* is the mean over all of these, from 0 to 1. It is the same in whichever
order the two are given.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

MOST_PAIRS = 40
"""Pairs of one picture that are compared; further ones are left out, since each is compared with each."""
_LONGEST = 20_000
"""Characters of a text that are compared."""
_ARTICLES = frozenset({"a", "an", "the"})
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_SPACES = re.compile(r"\s+")

QuestionAnswer = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PictureAgreement:
    """How far two runs agree on one picture."""

    score: float
    """Mean token F1, from 0 to 1."""
    same_questions: int
    """Pairs of both that ask the same."""
    equal_answers: int
    """Those of them whose answers are equal."""


def normalised(text: str) -> str:
    """Return `text` as answers are compared: lower case, no punctuation, no articles, single spaces."""
    words = _SPACES.split(text[:_LONGEST].lower().translate(_PUNCTUATION).strip())
    return " ".join(word for word in words if word not in _ARTICLES)


def token_f1(one: str, other: str) -> float:
    """Return the token F1 of two normalised texts, from 0 to 1."""
    return _f1(Counter(one.split()), Counter(other.split()))


def _f1(mine: Counter[str], theirs: Counter[str]) -> float:
    total = mine.total() + theirs.total()
    return 2 * (mine & theirs).total() / total if total else 1.0


def agreement(first: Sequence[QuestionAnswer], second: Sequence[QuestionAnswer]) -> PictureAgreement | None:
    """Return how far two lists of (question, answer) about one picture agree; None where both are empty."""
    mine = [(normalised(question), normalised(answer)) for question, answer in first[:MOST_PAIRS]]
    theirs = [(normalised(question), normalised(answer)) for question, answer in second[:MOST_PAIRS]]
    partners = max(len(mine), len(theirs))
    if not partners:
        return None
    same, mine, theirs = _by_question(mine, theirs)
    scores = [1.0 if ours == other else token_f1(ours, other) for ours, other in same]
    scores += _best_matches(mine, theirs)
    equal = sum(ours == other for ours, other in same)
    return PictureAgreement(sum(scores) / partners, len(same), equal)


def _by_question(
    mine: list[QuestionAnswer], theirs: list[QuestionAnswer]
) -> tuple[list[tuple[str, str]], list[QuestionAnswer], list[QuestionAnswer]]:
    """Return the answers of both to each question that both ask, and the pairs that are left of each.

    Where a question is asked several times, equal answers find each other first; the rest meets in alphabetical order,
    which is the same from either side.
    """
    by_mine, by_theirs = _answers(mine), _answers(theirs)
    same: list[tuple[str, str]] = []
    left_mine: list[QuestionAnswer] = []
    left_theirs: list[QuestionAnswer] = []
    for question in dict.fromkeys((*by_mine, *by_theirs)):
        ours, others = by_mine.get(question, Counter()), by_theirs.get(question, Counter())
        equal = ours & others
        same += [(answer, answer) for answer in equal.elements()]
        rest, other_rest = sorted((ours - equal).elements()), sorted((others - equal).elements())
        met = min(len(rest), len(other_rest))
        same += zip(rest[:met], other_rest[:met], strict=True)
        left_mine += [(question, answer) for answer in rest[met:]]
        left_theirs += [(question, answer) for answer in other_rest[met:]]
    return same, left_mine, left_theirs


def _answers(pairs: list[QuestionAnswer]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for question, answer in pairs:
        found.setdefault(question, Counter())[answer] += 1
    return found


def _best_matches(mine: list[QuestionAnswer], theirs: list[QuestionAnswer]) -> list[float]:
    """Return the F1 of pairs matched one to one, best first. Ties go by the texts, so that both orders agree."""
    if not mine or not theirs:
        return []
    ours = [(f"{question} {answer}", Counter(f"{question} {answer}".split())) for question, answer in mine]
    others = [(f"{question} {answer}", Counter(f"{question} {answer}".split())) for question, answer in theirs]
    candidates: list[tuple[float, str, str, int, int]] = []
    for row, (text, bag) in enumerate(ours):
        for column, (other, other_bag) in enumerate(others):
            candidates.append((-_f1(bag, other_bag), min(text, other), max(text, other), row, column))
    rows: set[int] = set()
    columns: set[int] = set()
    scores = []
    for negative, _low, _high, row, column in sorted(candidates):
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            scores.append(-negative)
    return scores
