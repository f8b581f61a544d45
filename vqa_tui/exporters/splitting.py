"""On which side of a split a picture stands: by its hash, or drawn by a seed in the same shares of every stratum."""

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.split_shares import SIDES, Side, ends_of_sides
from vqa_tui.exporters.conversation import item_labels


class Split(Protocol):
    """Says on which side a picture stands; equal pictures have equal hashes and stand together."""

    @property
    def sides(self) -> tuple[Side, ...]: ...

    def side(self, sha256: str) -> Side: ...


class SplitByHash:
    """Training pictures are those up to a hash, and so on: few change sides while a run grows."""

    def __init__(self, *last_hashes: str) -> None:
        """`last_hashes` are the greatest of each side but the last, in order."""
        self._last = last_hashes
        self.sides = SIDES[: len(last_hashes) + 1]

    def side(self, sha256: str) -> Side:
        return self.sides[bisect_left(self._last, sha256)]


class DrawnSplit:
    """A draw by a seed, which holds the pictures of all sides but the largest in 64 bits of their hash each."""

    def __init__(self, drawn: Mapping[Side, frozenset[int]], rest: Side) -> None:
        """`drawn` are the pictures of the other sides than `rest`."""
        self._drawn, self._rest = drawn, rest
        self.sides = SIDES[: len(drawn) + 1]

    def side(self, sha256: str) -> Side:
        short = _short(sha256)
        return next((side for side, drawn in self._drawn.items() if short in drawn), self._rest)


class Together:
    """Pictures that must stand on one side, because an item shows them together or they are clips of one video; found
    through any number of items. It holds 64 bits of their hash each, some 100 bytes."""

    def __init__(self) -> None:
        self._leads_to: dict[int, int] = {}

    def join(self, hashes: Sequence[str]) -> None:
        """Note the SHA-256 of pictures that belong together."""
        found = sorted({self._first_of(_short(each)) for each in hashes})
        for each in found:
            self._leads_to[each] = found[0]

    def of(self, sha256: str) -> str:
        """Return what stands for all pictures that stand together with this one: the first 16 digits of the hash of one
        of them; of its own where it is alone."""
        return f"{self._first_of(_short(sha256)):016x}"

    def _first_of(self, short: int) -> int:
        path = []
        while (leads_to := self._leads_to.get(short, short)) != short:
            path.append(short)
            short = leads_to
        for each in path:
            self._leads_to[each] = short
        return short

    def __bool__(self) -> bool:
        return bool(self._leads_to)


class SplitTogether:
    """Another split, made of what stands for pictures, with those that stand together on one side."""

    def __init__(self, split: Split, together: Together) -> None:
        self._split, self._together = split, together
        self.sides = split.sides

    def side(self, sha256: str) -> Side:
        return self._split.side(self._together.of(sha256))


class StandIns:
    """What stands for the pictures of an export, each once, in some 100 bytes."""

    def __init__(self) -> None:
        self._shorts: set[int] = set()

    def add(self, stand_in: str) -> None:
        """Note what `Together.of` returns for a picture."""
        self._shorts.add(_short(stand_in))

    def last_hashes(self, shares: Sequence[float]) -> tuple[str, ...]:
        """Return the greatest on each side but the last of a split by hash, as `ends_of_sides` counts; '' where there
        is none."""
        ordered = sorted(self._shorts)
        ends = ends_of_sides(len(ordered), shares)
        return tuple(f"{ordered[min(end, len(ordered)) - 1]:016x}" if ordered else "" for end in ends)


class SplitDraw:
    """Draws a split of distinct pictures. The same pictures, share and seed make the same split."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._strata: dict[str, int] = {}
        self._stratum_of: dict[int, int] = {}
        """Number of the stratum by picture: some 100 bytes for each."""

    def add(self, sha256: str, stratum: str) -> None:
        """Note a picture; of equal ones the first says in which stratum they are."""
        self._stratum_of.setdefault(_short(sha256), self._strata.setdefault(stratum, len(self._strata)))

    def split(self, shares: Sequence[float]) -> DrawnSplit:
        """Draw. Every stratum, ordered by a hash of seed and picture, gives its share.

        What a share leaves over in one goes to the next, so that the whole is met to the picture, and each stratum to
        one on the largest side and on both of two; on the smaller ones of three it is missed by less than two. At least
        one picture comes to each side where there are as many.
        """
        total = len(self._stratum_of)
        ends = (min(end, total) for end in ends_of_sides(total, shares))
        counts = {side: last - before for side, (before, last) in zip(SIDES, pairwise((0, *ends, total)), strict=False)}
        first, *others = sorted(counts, key=lambda side: (counts[side], -SIDES.index(side)))
        strata = self._strata_in_order()
        if len(others) == 1:
            return DrawnSplit({first: _all_of(_taken(strata, counts[first]))}, others[0])
        second, largest = others
        both = _taken(strata, counts[first] + counts[second])
        return DrawnSplit({first: _all_of(_taken(both, counts[first])), second: _all_of(both)}, largest)

    def _strata_in_order(self) -> list[list[int]]:
        members: list[list[int]] = [[] for _ in self._strata]
        for picture, number in self._stratum_of.items():
            members[number].append(picture)
        return [sorted(members[number], key=self._rank) for _, number in sorted(self._strata.items())]

    def _rank(self, picture: int) -> bytes:
        return hashlib.blake2b(f"{self._seed} {picture:016x}".encode(), digest_size=16).digest()


def _taken(strata: list[list[int]], wanted: int) -> list[list[int]]:
    """Take `wanted` pictures out of `strata`, from the front of each, and return them by stratum."""
    total = sum(map(len, strata))
    taken: list[list[int]] = []
    passed = before = 0
    for members in strata:
        passed += len(members)
        # Whole numbers: the last stratum ends exactly at `wanted`.
        due = (passed * wanted * 2 + total) // (total * 2) if total else 0
        taken.append(members[: due - before])
        del members[: due - before]
        before = due
    return taken


def _all_of(strata: list[list[int]]) -> frozenset[int]:
    return frozenset(picture for members in strata for picture in members)


def stratum_of(truth: GroundTruth) -> str:
    """Return what pictures of one kind have in common: their labels, in order; '' where there are none."""
    return "\n".join(sorted(item_labels(truth)))


def _short(sha256: str) -> int:
    return int(sha256[:16], 16)
