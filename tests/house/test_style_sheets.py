"""The look of a screen is its own: no rule of its style sheets reaches a screen that does not load them.

Textual keeps each sheet that was loaded once for the rest of the session, and applies it to all screens.
"""

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.css.model import RuleSet, SelectorType
from textual.css.stylesheet import Stylesheet
from textual.screen import Screen
from textual.widget import Widget

import vqa_tui.tui
from vqa_tui.tui import screens
from vqa_tui.tui.app import VqaApp

TUI = Path(vqa_tui.tui.__file__).parent
OF_THE_APP = TUI / str(VqaApp.CSS_PATH)
OF_SCREENS = sorted((TUI / "screens").glob("*.tcss"))
VARIABLES = App[None]().get_css_variables()


def rules(sheet: Path) -> list[RuleSet]:
    read = Stylesheet(variables=VARIABLES)
    read.read(sheet)
    return read.rules


def screens_of_the_app() -> list[type[Screen[Any]]]:
    """Return the screens that have a look of their own, and what is built on them."""
    for module in pkgutil.iter_modules(screens.__path__):
        import_module(f"{screens.__name__}.{module.name}")
    return [each for each in below(Screen) if each.__module__.startswith("vqa_tui.") and each.CSS_PATH]


def below(kind: type[Any]) -> set[type[Any]]:
    return {each for sub in kind.__subclasses__() for each in (sub, *below(sub))}


def sheets_of(screen: type[Screen[Any]]) -> list[str]:
    paths = screen.CSS_PATH or []
    return [str(path) for path in paths] if isinstance(paths, list) else [str(paths)]


def test_the_sheets_of_the_screens_are_found() -> None:
    assert len(OF_SCREENS) > 20 and OF_THE_APP.is_file()


@pytest.mark.parametrize("sheet", OF_SCREENS, ids=lambda sheet: str(sheet.stem))
def test_a_rule_begins_with_a_screen_that_loads_its_sheet(sheet: Path) -> None:
    ours = screens_of_the_app()
    for rule in rules(sheet):
        for selector_set in rule.selector_set:
            words, first = rule.selectors, selector_set.selectors[0]
            reached = [each for each in ours if first.type is SelectorType.TYPE and first.name in each._css_type_names]
            assert reached, f"{words} is of no screen"
            without = [each.__name__ for each in reached if sheet.name not in sheets_of(each)]
            assert not without, f"{words} reaches {without}, which do not load it"


def test_a_rule_of_the_app_begins_with_a_kind_of_widget() -> None:
    """An id or a class of its own would reach whatever is called so on any screen."""
    kinds = {each.__name__ for each in below(Widget)}
    for rule in rules(OF_THE_APP):
        for selector_set in rule.selector_set:
            first = selector_set.selectors[0]
            everything = first.type is SelectorType.UNIVERSAL and len(selector_set.selectors) == 1
            assert everything or (first.type is SelectorType.TYPE and first.name in kinds), rule.selectors
