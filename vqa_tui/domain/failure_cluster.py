"""Failures of a run gathered by what went wrong, and what is known of those of one cluster."""

from dataclasses import dataclass

from vqa_tui.domain.part import ONLY, Part, with_part

TREND_MINUTES = 15
OTHER_MESSAGES = "…"
"""The form of a cluster that holds what came after a run had as many clusters as it may have."""


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many failures of a cluster were of one kind."""

    kind: str
    pictures: int
    tries: int


@dataclass(frozen=True, slots=True)
class FailureCluster:
    """All failures of a run whose message has one normal form. Kind and form are hostile text."""

    ids: tuple[int, ...]
    """As it is stored: one for each kind. The first names the cluster."""
    form: str
    """The normal form of the message; empty where the failures say nothing."""
    kinds: tuple[KindCount, ...]
    """Most frequent first."""
    pictures: int
    """Pictures that have failed for good so, and were neither put back nor skipped since."""
    tries: int
    """Requests that ended so, those whose picture was asked again included."""
    first_at: float | None
    last_at: float | None
    pictures_by_minute: tuple[int, ...] = ()
    """Of the last TREND_MINUTES minutes, oldest first; the last one is the minute that is running."""
    tries_by_minute: tuple[int, ...] = ()
    unit: str = "picture"
    """What fails for good: a picture, or a request where a picture may be several."""

    @property
    def id(self) -> int:
        return self.ids[0]

    @property
    def kind(self) -> str:
        """The most frequent kind."""
        return self.kinds[0].kind


@dataclass(frozen=True, slots=True)
class FailureTable:
    """The clusters of a run, in no order."""

    clusters: tuple[FailureCluster, ...]
    ungathered: int = 0
    """Failures that an earlier version recorded and that are in no cluster yet."""
    unit: str = "picture"
    """As in FailureCluster."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, median and most of a number."""

    least: int
    median: int
    most: int


@dataclass(frozen=True, slots=True)
class PictureSizes:
    """How large pictures are: the longest side in pixels, and the file in bytes."""

    number: int
    side: Spread
    size_bytes: Spread


@dataclass(frozen=True, slots=True)
class Example:
    """A picture of a cluster. `path` is absolute, of a clip with its seconds behind it (domain.clip.address)."""

    task_id: int
    item_key: str
    path: str
    width: int
    height: int
    size_bytes: int
    part: Part = ONLY

    @property
    def name(self) -> str:
        return with_part(self.item_key, self.part)


@dataclass(frozen=True, slots=True)
class ClusterDetail:
    """What is known of the failures of one cluster; counts by key, status and model are those of the newest ones."""

    id: int
    message: str
    """The newest message as it came. Hostile text."""
    looked_at: int
    """How many of the newest failures the counts and sizes are taken from."""
    keys: tuple[tuple[str, int], ...] = ()
    """Name and count, most frequent first; so for the next two. Empty where no request was made."""
    statuses: tuple[tuple[int | None, int], ...] = ()
    """HTTP statuses; None is no answer at all."""
    models: tuple[tuple[str, int], ...] = ()
    sizes: PictureSizes | None = None
    answered_sizes: PictureSizes | None = None
    """Of the newest pictures of the run that were answered, to compare with."""
    examples: tuple[Example, ...] = ()
    """The first ones, at most three."""
