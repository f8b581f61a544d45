"""A text that changes just after a layout, before its widget was idle, is seen whole."""

from textual.app import App, ComposeResult
from textual.widgets import Static

from vqa_tui.tui.layout_wishes import count_every_layout_wish


class _OneText(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("", id="words")


async def test_a_text_that_changes_between_a_layout_and_the_idle_moment_is_seen_whole() -> None:
    count_every_layout_wish()
    app = _OneText()
    async with app.run_test(size=(40, 10)) as pilot:
        words = app.query_one("#words", Static)
        words.update("one line")
        app.screen._refresh_layout()
        assert words.size.height == 1
        words.update("three\nlines\nnow")
        await pilot.pause()
        assert words.size.height == 3
