"""Rows about the same picture, or the same pictures, joined on disk into one item, so that memory stays constant."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic_core import from_json, to_json

from vqa_tui.domain.item import Box, GroundTruth, ImportProblem, ReferenceQuestion, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.record_truth import BadRecord

_CHUNK = 500
"""Rows in memory at a time while they are read."""
_LONGEST_KEY = 200
"""Characters of the names of several pictures that are their item's key; longer ones are told by their hash."""
_JOINED = 50
"""Most pictures whose rows are in memory at a time."""
_JOINED_ROWS = 5_000
"""Rows that these should not be more than together, going by the pictures before them."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one row of a file says about one picture, or about several that are asked about together."""

    picture: str
    """The key of the picture: rows with the same pictures make one item."""
    place: str
    questions: tuple[ReferenceQuestion, ...] = ()
    captions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    split: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields of the row that are kept as they are (storable JSON values)."""
    states_none: bool = False
    """Whether the row states that there is nothing in the picture, which counts where no row of it names anything."""
    further: tuple[str, ...] = ()
    """The keys of the further pictures that the row is about."""

    @property
    def item(self) -> str:
        """The key of the item that the row belongs to: that of its picture, or those of all of its pictures."""
        return self.picture if not self.further else _joined_key((self.picture, *self.further))


def joined_items(
    rows: Iterable[Row | ImportProblem], scratch: Scratch, find: Callable[[str], str]
) -> Iterator[SourceItem | ImportProblem]:
    """Yield the problems among `rows`, then one item per picture in the order of their first rows.

    `find` returns the path of a picture by its key or raises BadRecord; it is asked once per item. Rows about several
    pictures make an item of all of them, apart from that of any one of them. Questions,
    captions and boxes stand in the order of the rows; further fields of each row are the list `rows` in `extra`.
    The split is the one that all rows name; an item whose rows name several has none, and its questions
    have those of their rows.
    """
    waiting = iter(rows)
    chunks = 0
    while chunk := list(islice(waiting, _CHUNK)):
        good = [row for row in chunk if isinstance(row, Row)]
        names = list(dict.fromkeys(row.item for row in good))
        known = scratch.get_many("known", names)
        new = [name for name in names if name not in known]
        scratch.put_many("known", [(name, "") for name in new])
        scratch.put_many("order", [(str(chunks), name) for name in new])
        scratch.put_many("rows", [(row.item, _packed(row)) for row in good])
        chunks += 1
        yield from (row for row in chunk if isinstance(row, ImportProblem))
    together = 1
    for number in range(chunks):
        names = scratch.get("order", str(number))
        start = 0
        while some := names[start : start + together]:
            start += together
            found = scratch.get_many("rows", some)
            most = max(map(len, found.values()))
            # At most twice as many as before: what comes next is not known yet.
            together = min(max(_JOINED_ROWS // most, 1), 2 * together, _JOINED)
            for name in some:
                yield _item(name, [from_json(text, cache_strings="keys") for text in found.pop(name)], find)


def _joined_key(pictures: Sequence[str]) -> str:
    whole = " + ".join(pictures)
    if len(whole) <= _LONGEST_KEY:
        return whole
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{pictures[0]} + {len(pictures) - 1} more ({digest})"


def _packed(row: Row) -> str:
    kept: dict[str, Any] = {"place": row.place}
    if row.further:
        kept["pictures"] = (row.picture, *row.further)
    for name in ("captions", "categories", "split", "extra", "states_none"):
        if value := getattr(row, name):
            kept[name] = value
    for name in ("questions", "boxes"):
        if value := getattr(row, name):
            kept[name] = [entry.model_dump(exclude_defaults=True) for entry in value]
    return to_json(kept).decode()


def _item(key: str, parts: list[dict[str, Any]], find: Callable[[str], str]) -> SourceItem | ImportProblem:
    place = parts[0]["place"]
    try:
        path, *further = map(find, parts[0].get("pictures", (key,)))
    except BadRecord as error:
        more = f" ({len(parts)} rows name it)" if len(parts) > 1 else ""
        return ImportProblem(key, place, f"{error.reason}{more}")
    splits = {part["split"] for part in parts if "split" in part}
    extras = [part["extra"] for part in parts if "extra" in part]
    categories = tuple(dict.fromkeys(name for part in parts for name in part.get("categories", ())))
    boxes = tuple(Box(**box) for part in parts for box in part.get("boxes", ()))
    truth = GroundTruth(
        categories=categories,
        states_none=any("states_none" in part for part in parts) and not categories and not boxes,
        boxes=boxes,
        captions=tuple(dict.fromkeys(text for part in parts for text in part.get("captions", ()))),
        questions=tuple(
            # Where the rows name several splits, the item has none, and each question keeps that of its row.
            ReferenceQuestion(**({"split": part.get("split")} if len(splits) > 1 else {}) | entry)
            for part in parts
            for entry in part.get("questions", ())
        ),
        extra={"rows": extras} if extras else {},
    )
    return SourceItem(key, path, truth, splits.pop() if len(splits) == 1 else None, place, tuple(further))
