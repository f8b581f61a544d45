"""Sources are parsed once a theme, and what is kept is what Textual makes of them."""

from collections.abc import Iterable
from typing import Any

import pytest
from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.css.stylesheet import Stylesheet, StylesheetParseError

from tests.tui.conftest import FakeServices
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.kept_styles import KeptStylesheet

DARK, LIGHT = {"shade": "black"}, {"shade": "white"}


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that are parsed from here on."""
    seen: list[str] = []

    def counting(scope: str, css: str, *rest: Any, **named: Any) -> Iterable[RuleSet]:
        seen.append(css)
        return parse(scope, css, *rest, **named)

    monkeypatch.setattr("textual.css.stylesheet.parse", counting)
    monkeypatch.setattr(KeptStylesheet, "_kept", LRUCache(4))
    return seen


def test_a_source_is_parsed_once_a_theme(parsed: list[str]) -> None:
    styles = KeptStylesheet(variables=DARK)
    styles.add_source("Label { color: $shade; }", ("a", ""))
    dark = styles.css
    for theme, expected in ((DARK, 1), (LIGHT, 2), (DARK, 2)):
        styles.set_variables(dict(theme))
        styles.reparse()
        assert len(parsed) == expected
        assert (styles.css == dark) is (theme is DARK)
    styles.add_source("Label { width: 3; }", ("b", ""))
    styles.reparse()
    assert len(parsed) == 3 and len(styles.rules) == 2


def test_a_source_that_is_not_valid_is_refused_and_changes_nothing(parsed: list[str]) -> None:
    styles = KeptStylesheet(variables=DARK)
    styles.add_source("Label { color: $shade; }", ("a", ""))
    before = styles.css
    styles.add_source("Label { color: nothing-like-it; }", ("b", ""))
    with pytest.raises(StylesheetParseError):
        styles.reparse()
    assert "\n\n".join(rule.css for rule in styles._rules) == before


async def test_the_app_has_the_rules_that_textual_makes(app: VqaApp, running: FakeServices) -> None:
    async with app.run_test() as pilot:
        for key in "1346":
            await pilot.press(key)
        theirs = Stylesheet(variables=app.get_css_variables())
        theirs.source = dict(app.stylesheet.source)
        theirs.parse()
        assert isinstance(app.stylesheet, KeptStylesheet) and of(app.stylesheet) == of(theirs)


def of(styles: Stylesheet) -> list[object]:
    return [(rule.selectors, repr(rule.styles.get_rules())) for rule in styles.rules]


async def test_a_screen_seen_by_an_earlier_app_is_not_parsed_again(running: FakeServices, parsed: list[str]) -> None:
    for _ in range(2):
        before = len(parsed)
        async with VqaApp(running, open_run=1).run_test() as pilot:
            await pilot.press("3", "4")
    assert before and len(parsed) == before
