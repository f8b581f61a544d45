"""Judging the pairs of one picture: what a person should know about each before it is trained on."""

import re
from collections.abc import Sequence
from dataclasses import replace

from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.risk_words import risk_pattern
from vqa_tui.domain.sample import Pair, SampleFlag
from vqa_tui.domain.structured import structured_names


def judge(
    pairs: Sequence[Pair],
    truth: GroundTruth,
    *,
    cut: bool,
    expected_pairs: int,
    min_answer_chars: int = 0,
    risk_words: Sequence[str] = (),
    known_question_types: Sequence[str] = (),
    structured_types: Sequence[str] = (),
) -> tuple[Pair, ...]:
    """Return the pairs of one reply in order, with flags added; nothing is dropped and no text is changed.

    `cut` says that the reply was truncated. Risk words are whole words or phrases, in question or answer, in any case.
    An answer of a structured type must be a JSON list of objects, or an object that holds one under `items`, each
    with a `name`; a name that no category or box label of `truth` accounts for is NOT_IN_TRUTH, unless `truth` does not
    say what is in the picture. CUT_REPLY and FEWER_PAIRS are properties of the reply and stand on each of its pairs.
    """
    reply_flags = [SampleFlag.CUT_REPLY] if cut else []
    if len(pairs) < expected_pairs:
        reply_flags.append(SampleFlag.FEWER_PAIRS)
    risk = risk_pattern(tuple(risk_words))
    labels = [_words(label) for label in (*truth.categories, *(box.label for box in truth.boxes))]
    asked: set[str] = set()
    judged = []
    for pair in pairs:
        flags = list(reply_flags)
        if len(pair.answer.strip()) < min_answer_chars:
            flags.append(SampleFlag.SHORT_ANSWER)
        if risk is not None and (risk.search(pair.question) or risk.search(pair.answer)):
            flags.append(SampleFlag.RISK_WORDS)
        if known_question_types and pair.question_type not in known_question_types:
            flags.append(SampleFlag.UNKNOWN_TYPE)
        if pair.question_type in structured_types:
            names = structured_names(pair.answer)
            if names is None:
                flags.append(SampleFlag.BAD_STRUCTURE)
            elif truth.annotated and any(not _accounted_for(name, labels) for name in names):
                flags.append(SampleFlag.NOT_IN_TRUTH)
        question = " ".join(_words(pair.question)) or pair.question.strip()
        if question in asked:
            flags.append(SampleFlag.DUPLICATE_QUESTION)
        asked.add(question)
        judged.append(replace(pair, flags=tuple(dict.fromkeys((*pair.flags, *flags)))))
    return tuple(judged)


_WORD = re.compile(r"\w+")


def _words(text: str) -> list[str]:
    """Return the words of `text` without case and punctuation."""
    return _WORD.findall(text.casefold())


def _accounted_for(name: str, labels: Sequence[list[str]]) -> bool:
    """Whether all words of some label stand in the name: `Knife` accounts for `a kitchen knife`."""
    words = set(_words(name))
    return any(label and words.issuperset(label) for label in labels)
