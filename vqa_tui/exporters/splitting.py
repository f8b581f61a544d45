"""Which pictures of an export are for validation: by picture, drawn by a seed, in the same shares of every stratum."""

import hashlib
from collections.abc import Collection, Sequence
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
    """Pictures that must stand on one side, because an item shows them together; found through any number of items."""

    def __init__(self) -> None:
        self._leads_to: dict[str, str] = {}

    def join(self, hashes: Sequence[str]) -> None:
        """Note the SHA-256 of pictures that are shown together."""
        found = sorted({self.of(each) for each in hashes})
        for each in found:
            self._leads_to[each] = found[0]

    def of(self, sha256: str) -> str:
        """Return the hash that stands for all pictures that stand together with this one; its own where it is alone."""
        path = []
        while (leads_to := self._leads_to.get(sha256, sha256)) != sha256:
            path.append(sha256)
            sha256 = leads_to
        for each in path:
            self._leads_to[each] = sha256
        return sha256

    def __bool__(self) -> bool:
        return bool(self._leads_to)


class SplitTogether:
    """Another split, with pictures that are shown together on the side of the one that stands for them."""

    def __init__(self, split: Split, together: Together) -> None:
        self._split, self._together = split, together

    def side(self, sha256: str) -> Side:
        return self._split.side(self._together.of(sha256))


def last_of_training(hashes: Collection[str], training_share: float) -> str:
    """Return the greatest of distinct hashes on the training side of a split by hash; at least one is on each side
    where there are two. '' where there is none."""
    total = len(hashes)
    if not total:
        return ""
    return sorted(hashes)[min(max(round(total * training_share), 1), max(total - 1, 1)) - 1]


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
