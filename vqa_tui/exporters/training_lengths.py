"""How long the rows of a training file are in tokens, and which a trainer would cut or lose."""

import base64
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image

from vqa_tui.domain.item import PICTURE_FORMATS
from vqa_tui.domain.qwen_grid import MARKS_OF_A_PICTURE, MARKS_OF_A_TURN, QwenFamily, grid_tokens
from vqa_tui.exporters.checked_record import CheckedRecord
from vqa_tui.exporters.file_shapes import file_shape
from vqa_tui.exporters.picture_checks import INLINE, located
from vqa_tui.exporters.record_checks import check_record
from vqa_tui.exporters.record_reading import read_records

CountText = Callable[[str], int]

MOST_PLACES = 20
_BINS = 10
_PICTURES_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class LengthRules:
    """What the rows are measured by. Pixels bound what a picture is resized to; `cutoff` is in tokens."""

    family: QwenFamily
    min_pixels: int
    max_pixels: int
    cutoff: int | None
    count_text: CountText


@dataclass(frozen=True, slots=True)
class HistogramBin:
    """Rows of `first` to `last` tokens."""

    first: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class LengthReport:
    """Lengths of all rows, and what becomes of those that are too long."""

    rows: int
    median: int
    p95: int
    longest: int
    image_tokens: int
    """Of all rows together, marks included."""
    text_tokens: int
    cutoff: int | None
    cut: int
    """Rows that lose the end of their last answers."""
    lost: int
    """Rows of which no answer is left, and perhaps not even the whole picture: nothing can be learned from them."""
    unmeasured: int
    """Rows with a picture that cannot be opened or that the trainer refuses, with a clip, or without a pair."""
    histogram: tuple[HistogramBin, ...]
    places: tuple[str, ...]
    """The first MOST_PLACES rows that are cut, lost or not measured: where they are and why."""

    @property
    def ok(self) -> bool:
        """Whether every row was measured and fits."""
        return not (self.cut or self.lost or self.unmeasured)


def measure_lengths(files: Sequence[Path], rules: LengthRules, *, expected: str = "") -> LengthReport:
    """Measure every record of the files, which have the format `expected` where a manifest says so.

    A row is what the chat template makes of a record: the system message of the family, then for each turn its text
    and MARKS_OF_A_TURN, and each picture with its marks and a line feed. Only headers of pictures are read.
    Holds a number for each row. Raises OSError when a file cannot be read.
    """
    measuring = _Measuring(rules)
    for file in files:
        shape = file_shape(file)
        for entry in read_records(file):
            if entry.record is not None:
                place = f"{file.name}, {'line' if shape.has_lines else 'entry'} {entry.number}"
                measuring.add(check_record(entry.record, shape, expected=expected), file.parent, place)
    return measuring.report()


class _Measuring:
    def __init__(self, rules: LengthRules) -> None:
        self._rules = rules
        self._lengths = array("I")
        self._images = self._texts = 0
        self._cut = self._lost = self._unmeasured = 0
        self._places: list[str] = []
        self._tokens_of = lru_cache(_PICTURES_KEPT)(self._tokens_of_file)

    def add(self, checked: CheckedRecord, folder: Path, place: str) -> None:
        try:
            images = sum(self._picture(named, folder) for named in checked.images)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            self._note_unmeasured(place, f"a picture cannot be measured: {getattr(error, 'strerror', None) or error}")
            return
        if checked.videos or checked.elsewhere:
            self._note_unmeasured(place, "a clip, or a picture that is not at hand, is not measured")
            return
        if not checked.pairs:
            self._note_unmeasured(place, "no question and answer")
            return
        texts = [self._rules.count_text(text) + MARKS_OF_A_TURN for pair in checked.pairs for text in pair]
        before = self._rules.family.system_tokens + images
        total = before + sum(texts)
        self._images += images
        self._texts += total - images
        self._lengths.append(total)
        cutoff = self._rules.cutoff
        if cutoff is None or total <= cutoff:
            return
        if before + texts[0] >= cutoff:
            self._lost += 1
            self._note(place, f"{total:,} tokens, of which {images:,} are pictures: no answer is left")
        else:
            self._cut += 1
            self._note(place, f"{total:,} tokens: the last {total - cutoff:,} are cut off")

    def report(self) -> LengthReport:
        ordered = sorted(self._lengths)
        rows = len(ordered)
        return LengthReport(
            rows=rows,
            median=ordered[rows // 2] if rows else 0,
            p95=ordered[min(rows * 95 // 100, rows - 1)] if rows else 0,
            longest=ordered[-1] if rows else 0,
            image_tokens=self._images,
            text_tokens=self._texts,
            cutoff=self._rules.cutoff,
            cut=self._cut,
            lost=self._lost,
            unmeasured=self._unmeasured,
            histogram=tuple(_bins(ordered)),
            places=tuple(self._places),
        )

    def _picture(self, named: str, folder: Path) -> int:
        if named.startswith(INLINE):
            data = base64.b64decode(named.partition(",")[2], validate=True)
            with Image.open(BytesIO(data), formats=PICTURE_FORMATS) as picture:
                return self._tokens(*picture.size)
        return self._tokens_of(located(named, folder))

    def _tokens_of_file(self, path: str) -> int:
        with Image.open(path, formats=PICTURE_FORMATS) as picture:
            return self._tokens(*picture.size)

    def _tokens(self, width: int, height: int) -> int:
        rules = self._rules
        tokens = grid_tokens(
            width, height, factor=rules.family.factor, min_pixels=rules.min_pixels, max_pixels=rules.max_pixels
        )
        return tokens + MARKS_OF_A_PICTURE + rules.count_text("\n")

    def _note_unmeasured(self, place: str, why: str) -> None:
        self._unmeasured += 1
        self._note(place, why)

    def _note(self, place: str, why: str) -> None:
        if len(self._places) < MOST_PLACES:
            self._places.append(f"{place}: {why}")


def _bins(ordered: Sequence[int]) -> Iterator[HistogramBin]:
    """Yield bins of one width, a multiple of 8, from the one of the shortest row to that of the longest."""
    if not ordered:
        return
    width = max(-(-(ordered[-1] - ordered[0] + 1) // (_BINS * 8)) * 8, 8)
    first, at = ordered[0] // width * width, 0
    while at < len(ordered):
        start = at
        while at < len(ordered) and ordered[at] < first + width:
            at += 1
        yield HistogramBin(first, first + width - 1, at - start)
        first += width
