"""Rows of training data, read from their file one at a time; only where each begins is held in memory."""

from array import array
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.training.trouble import TrainingTrouble

MOST_PICTURE_PIXELS = 400_000_000
Image.MAX_IMAGE_PIXELS = None  # it is looked at here, with words of our own


class RowFile:
    """The rows of one file, by number from 0; safe to read from several processes."""

    def __init__(self, path: Path) -> None:
        """Raises TrainingTrouble when the file cannot be read."""
        self._path = path
        self._starts = array("Q")
        try:
            with open(path, "rb") as file:
                start = 0
                for line in file:
                    if line.strip():
                        self._starts.append(start)
                    start += len(line)
        except OSError as error:
            raise TrainingTrouble(f"the rows {path} cannot be read: {error.strerror}") from error

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> TrainingRow:
        """Return one row. Raises TrainingTrouble for a line that is none."""
        if not 0 <= number < len(self._starts):
            raise IndexError(number)
        with open(self._path, "rb") as file:
            file.seek(self._starts[number])
            line = file.readline()
        try:
            return TrainingRow.of_json(line.decode("utf-8"))
        except ValueError as error:
            raise TrainingTrouble(f"{self._path}: row {number}: {error}") from error


def spread(count: int, most: int | None) -> list[int]:
    """Return the numbers of at most `most` of `count` rows, evenly spread; of all where it is None."""
    taken = min(most or count, count)
    return [number * count // taken for number in range(taken)]


def open_picture(path: str, *, min_pixels: int | None, max_pixels: int | None) -> Any:
    """Return the picture upright, in RGB, made smaller or larger (sides in proportion) to have as many pixels as
    allowed. Raises OSError or ValueError when it cannot be read."""
    with Image.open(path) as opened:
        if opened.width * opened.height > MOST_PICTURE_PIXELS:
            raise ValueError(f"has {opened.width} × {opened.height} pixels, more than a picture for training may have")
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    pixels = picture.width * picture.height
    wanted = min(pixels, max_pixels) if max_pixels else pixels
    wanted = max(wanted, min_pixels) if min_pixels else wanted
    if wanted != pixels:
        scale = (wanted / pixels) ** 0.5
        size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return picture
