"""The screens of the modes and of the library by name, imported when they are first shown.

Importing them all takes longer than the first screen, which waits for none of the others.
"""

from importlib import import_module

from vqa_tui.tui.screens.live import LiveScreen

MODES = {
    "runs": "RunsScreen",
    "run": "DashboardScreen",
    "items": "ItemsScreen",
    "failures": "FailuresScreen",
    "review": "ReviewScreen",
    "training": "TrainingScreen",
}
"""Classes by mode."""
LIBRARY = {
    "datasets": "DatasetsScreen",
    "recipes": "RecipesScreen",
    "endpoints": "EndpointsScreen",
    "settings": "SettingsScreen",
}
"""Classes by the name of the file in `screens`."""
_FILES = {"run": "dashboard"}
"""Names of files that are called otherwise than their mode."""


def screen_class(name: str) -> type[LiveScreen]:
    """Return the screen of a mode, or of a part of the library."""
    module = import_module(f"vqa_tui.tui.screens.{_FILES.get(name, name)}")
    found: type[LiveScreen] = getattr(module, MODES.get(name) or LIBRARY[name])
    return found


def import_modes() -> None:
    """Import the screens of all modes, so that going to one does not begin with that."""
    for name in MODES:
        screen_class(name)
