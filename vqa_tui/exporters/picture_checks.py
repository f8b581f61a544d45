"""Opening the pictures that training files name: every distinct file once, wholly decoded, in threads."""

import base64
import hashlib
import os
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType

from PIL import Image, UnidentifiedImageError

from vqa_tui.domain.item import PICTURE_FORMATS, PIXEL_LIMIT
from vqa_tui.exporters.video_checks import examine_video

INLINE = "data:"
"""What a picture begins with that stands in the training file itself."""
_AHEAD = 64


@dataclass(slots=True)
class SeenPicture:
    """One picture file. `file` and `line` are where it is named first; `sides` are the files that name it."""

    path: str
    """As it was named, or `the picture in it` for a data URI."""
    file: str
    line: int
    is_entry: bool
    sides: set[str]
    uses: int = 0
    sha256: str = ""
    fault: str = ""
    medium: str = "image"


class PictureChecks:
    """Looks at pictures as they are named; a context, because it keeps threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(min(8, os.cpu_count() or 2), thread_name_prefix="validate")
        self._seen: dict[str, SeenPicture] = {}
        self._under_way: deque[tuple[SeenPicture, Future[tuple[str, str]]]] = deque()

    def __enter__(self) -> "PictureChecks":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __len__(self) -> int:
        return len(self._seen)

    def add(
        self,
        named: str,
        folder: Path,
        file: str,
        line: int,
        *,
        is_entry: bool,
        decode: bool = True,
        modes: Collection[str] = (),
    ) -> str:
        """Note that `line` of `file` in `folder` names a picture; return the path under which it is known.

        Without `decode` a picture that was not named before is only hashed. `modes` are the kinds of pixels, as Pillow
        calls them, that its reader takes; empty: any.

        A relative path counts from the folder of the file, else, where nothing is there, from the current folder.
        """
        is_inline = named.startswith(INLINE)
        path = _inline_name(named) if is_inline else located(named, folder)
        seen = self._seen.get(path)
        if seen is None:
            shown = "in the record" if is_inline else named
            seen = self._seen[path] = SeenPicture(shown, file, line, is_entry, set())
            look, at = (examine_inline, named) if is_inline else (examine, path)
            self._look(seen, lambda: look(at, decode, modes))
        seen.sides.add(file)
        seen.uses += 1
        return path

    def add_video(
        self, named: str, folder: Path, file: str, line: int, *, is_entry: bool, stated_s: float | None = None
    ) -> str:
        """Note the same of a video, which is opened too; `stated_s` is its length in seconds as it is stated."""
        path = located(named, folder)
        seen = self._seen.get(path)
        if seen is None:
            seen = self._seen[path] = SeenPicture(named, file, line, is_entry, set(), medium="video")
            self._look(seen, lambda: examine_video(path, stated_s))
        seen.sides.add(file)
        seen.uses += 1
        return path

    def results(self) -> Iterator[SeenPicture]:
        """Yield every picture once it has been looked at, in the order of its first naming."""
        while self._under_way:
            self._take_one()
        yield from self._seen.values()

    def _look(self, seen: SeenPicture, look: Callable[[], tuple[str, str]]) -> None:
        self._under_way.append((seen, self._pool.submit(look)))
        if len(self._under_way) > _AHEAD:
            self._take_one()

    def _take_one(self) -> None:
        seen, future = self._under_way.popleft()
        seen.sha256, seen.fault = future.result()


def examine_inline(uri: str, decode: bool, modes: Collection[str]) -> tuple[str, str]:
    """Return the SHA-256 of the picture in a data URI, and in words what is wrong with it ('' for nothing)."""
    head, _, text = uri.partition(",")
    if not head.endswith(";base64"):
        return "", "is not in base64"
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        return "", f"is no base64: {error}"
    return _examined(data, decode, modes)


def examine(path: str, decode: bool, modes: Collection[str]) -> tuple[str, str]:
    """Return the SHA-256 of a picture file, and in words what is wrong with it ('' for nothing)."""
    try:
        if not os.path.isfile(path):
            return "", "does not exist" if not os.path.lexists(path) else "is not a file"
        with open(path, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        return "", f"cannot be read: {getattr(error, 'strerror', None) or error}"
    return _examined(data, decode, modes)


def _examined(data: bytes, decode: bool, modes: Collection[str]) -> tuple[str, str]:
    digest = hashlib.sha256(data).hexdigest()
    if not decode:
        return digest, ""
    try:
        with Image.open(BytesIO(data), formats=PICTURE_FORMATS) as picture:
            if picture.width * picture.height > PIXEL_LIMIT:
                size = f"{picture.width}×{picture.height} pixels"
                return digest, f"has {size}, more than the limit of {PIXEL_LIMIT:,} pixels; it was not decoded"
            picture.load()
            if modes and picture.mode not in modes:
                return digest, f"has pixels of the kind {picture.mode}; its reader takes {' and '.join(sorted(modes))}"
    except UnidentifiedImageError:
        return digest, "cannot be opened: it is no picture in a format that is read here"
    except Exception as error:  # Pillow's readers raise whatever a broken file leads them to; each means: broken.
        return digest, f"cannot be opened: {' '.join(str(error).split())[:200] or type(error).__name__}"
    return digest, ""


def _inline_name(uri: str) -> str:
    return INLINE + hashlib.sha256(uri.encode("utf-8", "surrogatepass")).hexdigest()


def located(named: str, folder: Path) -> str:
    """Return where a named picture lies: from `folder`, else, where nothing is there, from the current folder."""
    beside = os.path.normpath(folder / named)
    if os.path.isabs(named) or os.path.lexists(beside):
        return beside
    here = os.path.abspath(named)
    return here if os.path.lexists(here) else beside
