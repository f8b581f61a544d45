"""Every screen under other themes and without colours: nothing is told by colour alone."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.theme import BUILTIN_THEMES

from vqa_tui.config.app_settings import AppSettings
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.few_colours import drawn_theme
from vqa_tui.tui.preferences import Preferences

Wait = Callable[..., Any]
Text = Callable[[Any], str]


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark", "ansi-light", "nord", "solarized-light"])
async def test_every_screen_in_other_themes(app: VqaApp, until: Wait, screen_text: Text, theme: str) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        app.theme = theme
        await until(pilot, lambda: "13 489" in screen_text(app))
        for key, words in (("3", "scan_1.jpg"), ("1", "44.9 %"), ("n", "new run"), ("escape", "● running")):
            await pilot.press(key)
            await until(pilot, lambda words=words: words in screen_text(app))
            assert "<svg" in app.export_screenshot()


async def test_without_colours_everything_is_still_told(
    monkeypatch: pytest.MonkeyPatch, running: Any, until: Wait, screen_text: Text
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = VqaApp(running, open_run=1)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "13 489" in screen_text(app))
        assert app.no_color
        await until(
            pilot,
            lambda: all(words in screen_text(app) for words in ("● running", "◔ cooling", "✖ off", "waiting", "▲")),
        )
        await pilot.press("3")
        await until(pilot, lambda: "✖ failed" in screen_text(app) and "▌" in screen_text(app))
        await pilot.press("space")
        await until(pilot, lambda: "✓" in screen_text(app))


@pytest.mark.parametrize("theme", ["textual-light", "solarized-light", "catppuccin-latte"])
async def test_with_sixteen_colours_a_light_theme_is_drawn_so_that_it_can_be_read(
    running: Any, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    running._preferences = Preferences(AppSettings(theme=theme))
    app = VqaApp(running, open_run=1)
    monkeypatch.setattr(type(app.console), "color_system", "standard")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "13 489" in screen_text(app))
        assert app.theme == "ansi-light"
        app.theme = "nord"
        await until(pilot, lambda: running.preferences.settings.theme == "nord")
        assert app.theme == "nord", "a dark theme stays"
        app.theme = theme
        await until(pilot, lambda: running.preferences.settings.theme == theme and app.theme == "ansi-light")


def test_with_more_colours_every_theme_is_drawn_as_it_is() -> None:
    for name, theme in BUILTIN_THEMES.items():
        assert drawn_theme(theme, "256") == drawn_theme(theme, "truecolor") == drawn_theme(theme, None) == name
        few = BUILTIN_THEMES[drawn_theme(theme, "standard")]
        assert few.dark == theme.dark and (few.ansi or few.dark)
