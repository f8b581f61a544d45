"""A log as a terminal would show it, taken in piece by piece: safe text with its colours, progress bars drawn over."""

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

from textual.content import Content, Span

from vqa_tui.safe_text import clean

MOST_LINES = 100_000
"""Lines that are kept, the newest; a tenth more before the oldest are let go at once."""
LONGEST = 2_000
"""Characters of a line that are shown."""
_MARKS = re.compile(r"(\x1b\[[0-9;:]*m|\x9b[0-9;:]*m|\x1b\[[0-2]?K)")
_WHOLE = re.compile(r"\x1b(\[[0-9;:?]*[@-~]|[^\[\]]|[^\n]*\n)")
_COLOURS = ("", "$text-error", "$text-success", "$text-warning", "$text-primary", "$text-secondary", "$text-accent", "")
"""Theme styles for the eight colours of a terminal: the red of a log is the red of the theme."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, safe to show, with the styles of its parts: (start, end, theme style)."""

    text: str
    styles: tuple[tuple[int, int, str], ...] = ()

    def content(self) -> Content:
        if not self.styles:
            return Content(self.text)
        return Content(self.text, [Span(*style) for style in self.styles])


class LogText:
    """The newest lines of a log, and the one that is being written."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        """All of them; the last may not be whole yet."""
        self.dropped = 0
        """Lines that were let go, from the start of what was read."""
        self.version = 0
        """Moves with every change."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._open = False
        """Whether the last of `lines` is not whole yet."""
        self._after_return = False
        self._rest = ""
        """The beginning of an escape sequence that is not whole yet."""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes of the log."""
        text = self._rest + self._decoder.decode(data)
        if not text:
            return
        begun = text.rfind("\x1b")
        # What the line ends in never gets whole.
        if begun >= 0 and len(text) - begun < 32 and not _WHOLE.match(text, begun):
            text, self._rest = text[:begun], text[begun:]
        else:
            self._rest = ""
        *whole, last = text.split("\n")
        for part in whole:
            self._take(part)
            self._open = self._after_return = False
        if last:
            self._take(last)
            self._open = True
        if len(self.lines) > MOST_LINES * 1.1:
            away = len(self.lines) - MOST_LINES
            del self.lines[:away]
            self.dropped += away
        self.version += 1

    def find(self, words: str, start: int, step: int) -> int | None:
        """Return the index of the next line from `start`, going by `step` (1 or -1) and round the end, that holds
        `words`, letters of either case alike; None where none does."""
        wanted, count = words.casefold(), len(self.lines)
        for offset in range(count):
            index = (start + step * offset) % count
            if wanted in self.lines[index].text.casefold():
                return index
        return None

    def _take(self, part: str) -> None:
        """Take in the text of one line, or the next piece of the one that is being written."""
        if not self._open and part.isprintable() and len(part) <= LONGEST:
            self.lines.append(LogLine(part))
            return
        line = self.lines.pop() if self._open else LogLine("")
        for number, state in enumerate(part.split("\r")):
            if number:
                self._after_return = True
            if not state:
                continue
            line = _over(line, _read(state)) if self._after_return else _joined(line, _read(state))
            self._after_return = False
        self.lines.append(line)


def _read(text: str) -> tuple[LogLine, bool]:
    """Return text with the styles that its escape sequences name, and whether it erases what stood there before."""
    if text.isprintable() and len(text) <= LONGEST:
        return LogLine(text), False
    if "\x1b" not in text and "\x9b" not in text:
        return LogLine(_safe(text)), False
    words, styles, style, size, erases = [], [], "", 0, False
    for number, piece in enumerate(_MARKS.split(text[: LONGEST * 8])):
        if number % 2 and piece.endswith("K"):
            erases = True
        elif number % 2:
            style = _style(style, piece)
        elif shown := _safe(piece, LONGEST - size):
            words.append(shown)
            if style:
                styles.append((size, size + len(shown), style))
            size += len(shown)
    return LogLine("".join(words), tuple(styles)), erases


def _safe(text: str, limit: int = LONGEST) -> str:
    if len(text) <= limit and text.isprintable():
        return text
    return clean(text, limit=max(limit, 0)).replace("\n", " ") if limit > 0 else ""


def _joined(line: LogLine, more: tuple[LogLine, bool]) -> LogLine:
    added, _ = more
    if not line.text:
        return added
    room = LONGEST - len(line.text)
    if room <= 0:
        return line
    return LogLine(line.text + added.text[:room], (*line.styles, *_moved(added.styles, len(line.text), LONGEST)))


def _over(line: LogLine, more: tuple[LogLine, bool]) -> LogLine:
    """Write text over the start of a line: what is longer stays behind it, as on a terminal, unless it is erased."""
    written, erases = more
    size = len(written.text)
    if erases or size >= len(line.text):
        return written
    rest = tuple((max(start, size), end, style) for start, end, style in line.styles if end > size)
    return LogLine(written.text + line.text[size:], (*written.styles, *rest))


def _moved(styles: tuple[tuple[int, int, str], ...], by: int, end: int) -> list[tuple[int, int, str]]:
    return [(a + by, min(b + by, end), style) for a, b, style in styles if a + by < end]


@lru_cache(256)
def _style(before: str, mark: str) -> str:
    """Return the style after a mark; what is known of it is bold, dim and the colour of the text."""
    colour = next((part for part in before.split() if part.startswith("$")), "")
    bold = "bold" in before.split()
    dim = "dim" in before.split()
    codes = re.split("[;:]", mark.strip("\x1b\x9b[m"))
    position = 0
    while position < len(codes):
        code = int(codes[position] or 0) if len(codes[position]) < 4 else -1
        position += 1
        if code == 0:
            colour, bold, dim = "", False, False
        elif code in (1, 2):
            bold, dim = bold or code == 1, dim or code == 2
        elif code == 22:
            bold = dim = False
        elif 30 <= code <= 37:
            colour = _COLOURS[code - 30]
        elif 90 <= code <= 97:
            colour = _COLOURS[code - 90] or ("$foreground 60%" if code == 90 else "")
        elif code == 39:
            colour = ""
        elif code in (38, 48):
            # A colour of its own follows; a theme has none for it.
            position += 2 if codes[position : position + 1] == ["5"] else 4
            colour = "" if code == 38 else colour
    return " ".join([*(["bold"] * bold), *(["dim"] * dim), *([colour] * bool(colour))])
