"""A check box that reads on or off without colour: `[x]` or `[ ]`."""

from textual.content import Content
from textual.geometry import Size
from textual.widgets import Checkbox

_ON, _OFF = "[x]", "[ ]"


class TickBox(Checkbox):
    """Textual's own shows an X either way, and tells on from off by its colour alone."""

    def render(self) -> Content:
        """Return the mark and the label."""
        mark = (_ON if self.value else _OFF, self.get_visual_style("toggle--label"))
        return Content.assemble(mark, self.label.pad(1, 1).stylize_before(self.get_visual_style("toggle--label")))

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return len(_ON) + self.label.cell_length + 2
