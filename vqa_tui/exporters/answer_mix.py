"""In which shares answers of each type stand in an export: what is wanted, and which pairs make it so."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from vqa_tui.domain.export import ExportPair
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.vqa_v2 import answer_type

ANSWER_TYPES = ("yes/no", "number", "other")
"""As VQA v2 sorts answers."""

_HINT = "For example yes/no=0.5,number=0.2: types are yes/no, number and other, shares are above 0 and at most 1."


def parse_answer_mix(typed: str) -> dict[str, Fraction] | None:
    """Return the share of each type in `yes/no=0.5,number=0.2`, None for an empty text. Raises VqaError."""
    if not typed.strip():
        return None
    shares: dict[str, Fraction] = {}
    for part in typed.split(","):
        name, equals, share = (piece.strip() for piece in part.partition("="))
        if not equals or name not in ANSWER_TYPES:
            raise VqaError(f"answer types: {part.strip()!r} is no share of a type of answers", hint=_HINT)
        if name in shares:
            raise VqaError(f"answer types: {name} is named twice", hint=_HINT)
        shares[name] = _share(name, share)
    if sum(shares.values()) > 1:
        raise VqaError(f"answer types: the shares {typed.strip()} are more than 1 together", hint=_HINT)
    if len(shares) == len(ANSWER_TYPES) and sum(shares.values()) != 1:
        raise VqaError(f"answer types: the shares {typed.strip()} do not make 1", hint=_HINT)
    return shares


_SHARE = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.|[0-9]+/[0-9]+")
_LONGEST_SHARE = 20


def _share(name: str, typed: str) -> Fraction:
    share = Fraction(0)
    # A few characters can be a number of very many digits (`1e9999999`), which takes hours only to be made.
    if len(typed) <= _LONGEST_SHARE and _SHARE.fullmatch(typed):
        with suppress(ZeroDivisionError):
            share = Fraction(typed)
    if not 0 < share <= 1:
        raise VqaError(f"answer types: {typed[:40]!r} is no share for {name}", hint=_HINT)
    return share


@dataclass(frozen=True, slots=True)
class _Group:
    """Answer types that have one share together: one that was named, or all that were not."""

    wanted: int
    there: int


class AnswerMix:
    """Chooses pairs so that their answers come in the wanted shares; none is ever written twice.

    As many pairs stay as the scarcest type allows. Types that are not named have what the others leave, as they come;
    where nothing is left they are out. Of each type the pairs that stay are spread evenly over the run, so that the
    same pairs give the same choice.
    """

    def __init__(self, shares: Mapping[str, Fraction], counts: Mapping[str, int]) -> None:
        """`counts` are the pairs there are of each type. Raises VqaError where a type has none to give."""
        rest = 1 - sum(shares.values())
        there: Counter[str] = Counter()
        for name in ANSWER_TYPES:
            there[self._group(name, shares)] += counts.get(name, 0)
        wanted = {**shares, **({_REST: rest} if rest else {})}
        if missing := [name or "that is left" for name in wanted if not there[name]]:
            found = ", ".join(f"{counts.get(name, 0):,} {name}" for name in ANSWER_TYPES)
            raise VqaError(
                f"no answer is of the type {missing[0]}, of which a share is wanted: there are {found}",
                hint="Name other types or shares.",
            )
        most = min(there[name] / share for name, share in wanted.items())
        self._shares = shares
        self._groups = {name: _Group(int(most * share), there[name]) for name, share in wanted.items()}
        self.left_out = tuple(name for name, group in self._groups.items() if not group.wanted)
        """Types of which a share is wanted, and of so few pairs not one; '' is what is left by those that are named."""
        self._seen: Counter[str] = Counter()

    def chosen(self, pairs: Iterable[ExportPair]) -> tuple[ExportPair, ...]:
        """Return those of the next pairs of the run that stay."""
        return tuple(pair for pair in pairs if self._stays(pair))

    def _stays(self, pair: ExportPair) -> bool:
        name = self._group(answer_type(pair.answer), self._shares)
        group = self._groups.get(name)
        if group is None:
            return False
        self._seen[name] += 1
        number = self._seen[name]
        return number * group.wanted // group.there > (number - 1) * group.wanted // group.there

    @staticmethod
    def _group(name: str, shares: Mapping[str, Fraction]) -> str:
        return name if name in shares else _REST


_REST = ""
"""Stands for all types that are not named."""


def type_counts(pairs: Iterable[ExportPair]) -> Counter[str]:
    """Return how many pairs have an answer of each type."""
    return Counter(answer_type(pair.answer) for pair in pairs)
