"""The panels of the training mode: all of them, the list and one, or one alone; and which has the focus."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from vqa_tui.tui.present.training_panels import PANELS, panel_line, panel_title
from vqa_tui.tui.screens.training_judging import TrainingJudging
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.titles import show_title

_ALL_FROM = (150, 36)
"""Columns and rows from which all panels are shown at once; below, the list and one of them."""


class TrainingLayout(TrainingJudging):
    """A screen with a widget for each of PANELS."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "panel(1)", "next panel", id="training.next-pane", tooltip="To the next panel"),
        Binding("shift+tab", "panel(-1)", "Panel before", id="training.panel-before", tooltip="One back", show=False),
        Binding(
            "z,enter",
            "zoom",
            "zoom",
            key_display="z",
            id="training.zoom",
            tooltip="Let this panel fill the screen, or show all again",
        ),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._panel = "course"
        self.zoomed = False
        """Whether one panel fills the screen."""

    def on_resize(self) -> None:
        self.lay_out()

    @property
    def _shows_all(self) -> bool:
        return self.size.width >= _ALL_FROM[0] and self.size.height >= _ALL_FROM[1]

    def lay_out(self) -> None:
        """Show all panels, the list and one of them, or one alone."""
        all_shown = self._shows_all and not self.zoomed
        self.set_class(all_shown, "-all")
        self.set_class(self.zoomed, "-zoomed")
        for name in PANELS:
            alone = name == self._panel and (self.zoomed or not all_shown)
            widget = self.query_one(f"#{name}")
            widget.display = all_shown or alone or (name == "trainings" and not self.zoomed)
            widget.set_class(alone, "-alone")
        self.query_one("#training-panels").display = not all_shown and self.chosen is not None
        self.mark_titles()

    def mark_titles(self) -> None:
        """Say by a mark, not by colour alone, which panel has the focus."""
        for name in PANELS:
            widget = self.query_one(f"#{name}")
            show_title(widget, panel_title(name, focused=widget.has_focus, of=self.chosen))
            if name != "trainings":
                hint = "z or esc: all panels" if self.zoomed else "z zooms" if widget.has_focus else ""
                show_title(widget, hint, below=True)
        self._show_line("training-panels", panel_line(self._panel))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        name = event.widget.id or ""
        if name in PANELS and name not in ("trainings", self._panel):
            self._panel = name
            self.lay_out()
        self.mark_titles()
        self.refresh_bindings()

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        self.mark_titles()

    def focus_panel(self, name: str) -> None:
        if name != "trainings" or self.zoomed:
            self._panel = name
        self.lay_out()
        self.set_focus(self.query_one(f"#{name}"))

    def action_panel(self, by: int) -> None:
        names = PANELS[1:] if self.zoomed else PANELS
        focused = self.focused.id if self.focused is not None else None
        if self.zoomed or focused not in names:
            focused = self._panel
        self.focus_panel(names[(names.index(focused) + by) % len(names)])

    def action_zoom(self) -> None:
        focused = self.focused.id if self.focused is not None else None
        self.zoomed = not self.zoomed
        self.focus_panel(focused if focused in PANELS[1:] else self._panel)

    def key_words(self, action: str) -> str | None:
        return "all panels" if action == "zoom" and self.zoomed else super().key_words(action)

    def why_not(self, action: str) -> str | None:
        """Return why that cannot be done now."""
        if action in ("zoom", "panel") and self.chosen is None:
            return "There is no training yet."
        return super().why_not(action)
