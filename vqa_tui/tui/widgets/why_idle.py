"""The line that names the binding limit; more lines where its sentence does not fit into one."""

from textwrap import wrap

from textual import events
from textual.content import Content

from vqa_tui.domain.run import RunView
from vqa_tui.tui.present import past
from vqa_tui.tui.present.run_lines import why_idle
from vqa_tui.tui.widgets.panel import Panel

_MOST_LINES = 3


def _sentence(view: RunView, _at: float, _width: int, _height: int) -> Content:
    return why_idle(view)


class WhyIdle(Panel):
    """Grows with its sentence, and stays so at that width: panels that move with every other one cannot be read."""

    def __init__(self, *, id: str) -> None:
        super().__init__(_sentence, past=past.why_idle, id=id)
        self._fitted_width = 0
        self._lines = 1

    def watch_seen(self) -> None:
        self._fit()
        super().watch_seen()

    def on_resize(self, _event: events.Resize) -> None:
        if self.content_size.width != self._fitted_width:
            self._fitted_width = self.content_size.width
            self._lines = 1
        self._fit()

    def _fit(self) -> None:
        if self.seen is not None and (width := self.content_size.width) > 0:
            lines = len(wrap(why_idle(self.seen.view).plain, width))
            self._lines = min(max(lines, self._lines), _MOST_LINES)
            self.styles.height = self._lines
