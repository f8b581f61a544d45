"""Every key of the app by its id: what `keys.yaml` may name, and which keys a person has put in their place."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

_FOLDERS = ("screens", "widgets")
_SCREENS, _WIDGETS = "vqa_tui.tui.screens.", "vqa_tui.tui.widgets."


@dataclass(frozen=True, slots=True)
class KeyId:
    """One thing that a key does. `keys` are those that do it unless a person says otherwise, with commas."""

    id: str
    keys: str
    description: str
    tooltip: str


def key_ids() -> dict[str, KeyId]:
    """Return everything that a key does, by its id, in the order of the ids. Imports every screen and widget."""
    found: dict[str, KeyId] = {}
    for owner in _owners():
        for binding in owner.__dict__.get("BINDINGS", []):
            if isinstance(binding, Binding) and binding.id and not binding.system:
                found.setdefault(
                    binding.id, KeyId(binding.id, binding.key, binding.description.lower(), binding.tooltip)
                )
    return dict(sorted(found.items()))


def clashes(keys: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return (key, id that has it by `keys`, other id that has it) for what cannot be told apart on one screen.

    A screen is compared with itself, with the app, and with each widget that it composes: the key of the widget that
    has the focus wins, then that of the screen, and Textual says nothing.
    """
    app_bindings = _bindings_of(importlib.import_module("vqa_tui.tui.app").VqaApp) if keys else {}
    found: dict[tuple[str, str, str], None] = {}
    for owner, widget in _met() if keys else ():
        holders: dict[str, str] = {}
        together = {**app_bindings, **_bindings_of(owner), **(_bindings_of(widget) if widget is not None else {})}
        for name, usual in sorted(together.items(), key=lambda each: each[0] not in keys):
            for key in keys.get(name, usual).split(","):
                holder = holders.setdefault(key, name)
                if holder != name and holder in keys:
                    found[key, holder, name] = None
    return list(found)


def clash_words(key: str, name: str, other: str) -> str:
    """Return what two things on one key mean for a person."""
    return f"{key} is both {name} and {other} on one screen, and does only one of them."


def _met() -> Iterator[tuple[type[DOMNode], type[DOMNode] | None]]:
    """Yield everything that binds keys by itself, and each screen with each widget that can have the focus on it."""
    for owner in _owners():
        yield owner, None
        if issubclass(owner, Screen):
            for widget in _widgets_of(owner):
                yield owner, widget


def _widgets_of(owner: type[DOMNode]) -> Iterator[type[DOMNode]]:
    """Yield the widgets of this package that the modules of a screen name, and those that these name in turn."""
    modules = [each.__module__ for each in owner.__mro__ if each.__module__.startswith(_SCREENS)]
    seen: set[type[DOMNode]] = set()
    while modules:
        for value in vars(importlib.import_module(modules.pop())).values():
            is_node = isinstance(value, type) and issubclass(value, DOMNode)
            if is_node and value not in seen and value.__module__.startswith(_WIDGETS):
                seen.add(value)
                modules.append(value.__module__)
                yield value


def _bindings_of(owner: type[DOMNode]) -> dict[str, str]:
    """Return the usual keys of everything that `owner` itself binds, by id."""
    bound: dict[str, str] = {}
    for each in reversed(owner.__mro__):
        if each.__module__.startswith("vqa_tui."):
            own = [binding for binding in vars(each).get("BINDINGS", []) if isinstance(binding, Binding) and binding.id]
            taken = {key for binding in own for key in binding.key.split(",")}
            bound = {name: keys for name, keys in bound.items() if not taken & set(keys.split(","))}
            bound.update((binding.id or "", binding.key) for binding in own if not binding.system)
    return bound


def _owners() -> Iterator[type[DOMNode]]:
    package = importlib.import_module("vqa_tui.tui")
    modules = [importlib.import_module("vqa_tui.tui.app")]
    for folder in _FOLDERS:
        part = importlib.import_module(f"{package.__name__}.{folder}")
        modules += [
            importlib.import_module(info.name) for info in pkgutil.walk_packages(part.__path__, f"{part.__name__}.")
        ]
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == module.__name__:
                yield value
