"""The two faces of a watched run: a display that redraws itself in a terminal, and plain lines everywhere else."""

import sys
import time
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from vqa_tui.cli.output import cell
from vqa_tui.cli.run_lines import (
    FIRST_NUMBER,
    KEY_TITLES,
    cost_words,
    event_words,
    failure_words,
    headline,
    key_words,
    pace_words,
    plain_line,
    progress_words,
    throttle_words,
)
from vqa_tui.domain.run import EngineState, EventView, Phase, RunView
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import clock

_EVENTS_SHOWN = 4
_PLAIN_EVERY_S = 5.0


class WatchFace(Protocol):
    """Shows views of one run, one after the other."""

    def show(self, view: RunView) -> None: ...

    def remark(self, text: str) -> None:
        """Say something once, apart from the view."""
        ...

    def close(self) -> None:
        """Leave the terminal as it should stay."""
        ...


class LiveFace:
    """Redraws in place; what was drawn last stays on the screen."""

    def __init__(self) -> None:
        self._console = Console(stderr=False, markup=False, highlight=False, emoji=False)
        self._live: Live | None = None

    def show(self, view: RunView) -> None:
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        self._live.update(drawing(view), refresh=True)

    def remark(self, text: str) -> None:
        self._console.print(Text(clean(text), style="yellow"))

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class LineFace:
    """Prints events as they come, and the state when it changed or every few seconds; for logs and pipes."""

    def __init__(self, *, to_stderr: bool = False) -> None:
        self._stream = sys.stderr if to_stderr else sys.stdout
        self._phase: Phase | None = None
        self._last_line = ""
        self._last_at = float("-inf")
        self._seen: set[int] = set()

    def show(self, view: RunView) -> None:
        for event in self._fresh_events(view):
            self._print(event_words(event))
        line, now = plain_line(view), time.monotonic()
        is_due = now - self._last_at >= _PLAIN_EVERY_S
        if view.phase is not self._phase or (is_due and line != self._last_line):
            self._print(f"{clock(time.time())}  {line}")
            self._phase, self._last_line, self._last_at = view.phase, line, now

    def remark(self, text: str) -> None:
        self._print(text)

    def close(self) -> None:
        self._stream.flush()

    def _print(self, text: str) -> None:
        print(clean(text, one_line=True, limit=2_000), file=self._stream, flush=True)

    def _fresh_events(self, view: RunView) -> list[EventView]:
        """Return what happened since the last view, oldest first; of what was before the first, the last few."""
        fresh = [event for event in reversed(view.events) if event.id not in self._seen]
        first = not self._seen
        self._seen.update(event.id for event in fresh)
        return fresh[-_EVENTS_SHOWN:] if first else fresh


def drawing(view: RunView) -> RenderableType:
    """Return the display of one view."""
    style = "red" if view.engine.state is EngineState.LOST or view.phase is Phase.FAILED else "bold"
    bar = Table.grid(padding=(0, 2), expand=True)
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True)
    bar.add_row(
        ProgressBar(total=max(view.counts.total, 1), completed=view.counts.finished),
        Text(progress_words(view.counts)),
    )
    parts: list[RenderableType] = [Text(cell(headline(view)), style=style), bar]
    lines = (pace_words(view), throttle_words(view, time.time()), cost_words(view), failure_words(view))
    parts += [Text(cell(words)) for words in lines if words]
    if view.keys:
        parts.append(_keys_table(view))
    if view.why_idle:
        parts.append(Text(cell(f"why idle: {view.why_idle}"), style="yellow"))
    parts += [Text(cell(event_words(event)), style="dim") for event in reversed(view.events[:_EVENTS_SHOWN])]
    return Group(*parts)


def _keys_table(view: RunView) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for index, title in enumerate(KEY_TITLES):
        table.add_column(
            Text(title), justify="right" if index >= FIRST_NUMBER else "left", no_wrap=title not in ("state", "quotas")
        )
    now = time.time()
    for key in view.keys:
        style = "" if key.state in ("ok", "") else "red" if key.state == "off" else "yellow"
        table.add_row(*(Text(cell(words)) for words in key_words(key, now)), style=style)
    return table
