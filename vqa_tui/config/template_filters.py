"""The filters and tests that a template names: Jinja2 itself says nothing of one within `if` until it comes there."""

import difflib
from collections.abc import Iterable, Iterator

from jinja2 import nodes

_NAMES_ANOTHER = {
    "map": ("filter", 0),
    "select": ("test", 0),
    "reject": ("test", 0),
    "selectattr": ("test", 1),
    "rejectattr": ("test", 1),
}
"""Filters of which one argument is the name of a filter or test, and which."""


def unknown_filter(tree: nodes.Template, filters: Iterable[str], tests: Iterable[str]) -> tuple[int, str, str] | None:
    """Return the line of the first filter or test that is not among these, what is wrong, and those that are known;
    None where there is none such."""
    known = {"filter": sorted(filters), "test": sorted(tests)}
    for node, word, name in _named(tree):
        if name not in known[word]:
            close = difflib.get_close_matches(name, known[word], 1)
            message = f"unknown {word} `{name}`" + (f"; did you mean `{close[0]}`?" if close else "")
            return node.lineno, message, f"Known are: {', '.join(known[word])}."
    return None


def _named(tree: nodes.Template) -> Iterator[tuple[nodes.Node, str, str]]:
    """Give each filter and test with its name, also where `map`, `select` and the like name one as a text."""
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        yield node, "test" if isinstance(node, nodes.Test) else "filter", node.name
        if isinstance(node, nodes.Filter) and node.name in _NAMES_ANOTHER:
            word, place = _NAMES_ANOTHER[node.name]
            named = node.args[place] if len(node.args) > place else None
            if isinstance(named, nodes.Const) and isinstance(named.value, str):
                yield node, word, named.value
