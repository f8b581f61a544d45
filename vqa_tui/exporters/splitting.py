"""Which pictures of an export are for validation: by picture, drawn by a seed, in the same shares of every stratum."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

from vqa_tui.domain.item import GroundTruth
from vqa_tui.exporters.conversation import item_labels

Side = str
"""`train` or `val`."""


class Split(Protocol):
    """Says on which side a picture stands; equal pictures have equal hashes and stand together."""

    def side(self, sha256: str) -> Side: ...


class SplitByHash:
    """Training pictures are those up to a hash: few change sides while a run grows."""

    def __init__(self, last_training_hash: str) -> None:
        self._last = last_training_hash

    def side(self, sha256: str) -> Side:
        return "train" if sha256 <= self._last else "val"


class DrawnSplit:
    """A draw by a seed, which holds the pictures of the smaller side in 64 bits of their hash each."""

    def __init__(self, drawn: frozenset[int], side_of_drawn: Side) -> None:
        self._drawn, self._side = drawn, side_of_drawn
        self._other = "val" if side_of_drawn == "train" else "train"

    def side(self, sha256: str) -> Side:
        return self._side if _short(sha256) in self._drawn else self._other


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

    def side(self, sha256: str) -> Side:
        return self._split.side(self._together.of(sha256))


class StandIns:
    """What stands for the pictures of an export, each once, in some 100 bytes."""

    def __init__(self) -> None:
        self._shorts: set[int] = set()

    def add(self, stand_in: str) -> None:
        """Note what `Together.of` returns for a picture."""
        self._shorts.add(_short(stand_in))

    def last_of_training(self, training_share: float) -> str:
        """Return the greatest on the training side of a split by hash; at least one is on each side where there are
        two. '' where there is none."""
        total = len(self._shorts)
        if not total:
            return ""
        training = min(max(round(total * training_share), 1), max(total - 1, 1))
        return f"{sorted(self._shorts)[training - 1]:016x}"


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

    def split(self, training_share: float) -> DrawnSplit:
        """Draw. Every stratum, ordered by a hash of seed and picture, gives its share.

        What a share leaves over in one goes to the next, so that the whole is met to the picture and each stratum to
        one. At least one picture comes to each side where there are two.
        """
        total = len(self._stratum_of)
        training = min(max(round(total * training_share), 1), max(total - 1, 1))
        validation = total - training
        side, wanted = ("val", validation) if validation <= training else ("train", training)
        members: list[list[int]] = [[] for _ in self._strata]
        for picture, number in self._stratum_of.items():
            members[number].append(picture)
        drawn: set[int] = set()
        passed = 0
        for _, number in sorted(self._strata.items()):
            passed += len(members[number])
            # Whole numbers: the last stratum ends exactly at `wanted`.
            due = (passed * wanted * 2 + total) // (total * 2) - len(drawn)
            drawn.update(sorted(members[number], key=self._rank)[:due])
        return DrawnSplit(frozenset(drawn), side)

    def _rank(self, picture: int) -> bytes:
        return hashlib.blake2b(f"{self._seed} {picture:016x}".encode(), digest_size=16).digest()


def stratum_of(truth: GroundTruth) -> str:
    """Return what pictures of one kind have in common: their labels, in order; '' where there are none."""
    return "\n".join(sorted(item_labels(truth)))


def _short(sha256: str) -> int:
    return int(sha256[:16], 16)
