"""Figures of answers against references, by the libraries that others use (see domain.evaluation)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU

from vqa_tui.domain.agreement import normalised, token_f1
from vqa_tui.domain.evaluation import Figures, JudgedAnswer, is_short, vqa_accuracy


@dataclass(frozen=True, slots=True)
class Said:
    """One model's answer to a row, and its loss on the reference."""

    answer: str
    loss_sum: float
    """Over the tokens of the reference; NaN or infinite where the numbers ran over."""
    tokens: int


class Scorer:
    """Judges answers."""

    def __init__(self) -> None:
        self._rouge: Any = RougeScorer(["rougeL"], tokenizer=_Words())
        self._bleu: Any = BLEU(effective_order=True)

    def judged(self, said: Said, reference: str) -> JudgedAnswer:
        """Return the figures of one answer."""
        return JudgedAnswer(
            answer=said.answer,
            loss=_mean([said.loss_sum / said.tokens]) if said.tokens else None,
            exact=normalised(said.answer) == normalised(reference),
            token_f1=token_f1(normalised(said.answer), normalised(reference)),
            rouge_l=float(self._rouge.score(reference, said.answer)["rougeL"].fmeasure),
        )

    def figures(self, said: Sequence[Said], judged: Sequence[JudgedAnswer], references: Sequence[str]) -> Figures:
        """Return the figures of one model for some rows; the three sequences are of the same rows."""
        short = [number for number, reference in enumerate(references) if is_short(reference)]
        tokens = sum(each.tokens for each in said)
        bleu = self._bleu.corpus_score([each.answer for each in said], [list(references)]).score if said else None
        return Figures(
            rows=len(said),
            short_rows=len(short),
            loss=_mean([sum(each.loss_sum for each in said) / tokens]) if tokens else None,
            exact_match=_mean([judged[number].exact for number in short]),
            vqa_accuracy=_mean([vqa_accuracy(said[number].answer, (references[number],)) for number in short]),
            token_f1=_mean([each.token_f1 for each in judged]),
            rouge_l=_mean([each.rouge_l for each in judged]),
            bleu=None if bleu is None else round(float(bleu), 4),
        )

    @property
    def bleu_signature(self) -> str:
        """How BLEU was computed; known once it was."""
        return str(self._bleu.get_signature())


class _Words:
    """Words of any language: the tokenizer of rouge-score itself knows Latin letters without accents alone."""

    def tokenize(self, text: str) -> list[str]:
        return normalised(text).split()


def _mean(values: Sequence[float]) -> float | None:
    if not values:
        return None
    mean = sum(values) / len(values)
    return round(mean, 6) if mean == mean and abs(mean) != float("inf") else None
