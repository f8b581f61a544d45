"""A stylesheet that parses each source once a theme; Textual's parses them all for each screen that opens first."""

from typing import ClassVar

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_THEMES_KEPT = 4
_SOURCES_KEPT = 256
_Rules = LRUCache[tuple[object, ...], list[RuleSet]]


class KeptStylesheet(Stylesheet):
    """Keeps parsed rules by the variables that they were parsed with: a theme seen before is there at once."""

    _kept: ClassVar[LRUCache[frozenset[tuple[str, str]], _Rules]] = LRUCache(_THEMES_KEPT)

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._take_kept()

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set the CSS variables; equal ones keep what was parsed."""
        if variables == self._variables:
            return
        # Textual clears the cache that it finds: not the rules kept for the theme until here.
        self._parse_cache = LRUCache(1)
        super().set_variables(variables)
        self._take_kept()

    def reparse(self) -> None:
        """Make the rules of all sources; only what is new since the last time is parsed.

        Raises StylesheetParseError for a source that is not valid; the rules then stay as they are.
        """
        self.parse()

    def _take_kept(self) -> None:
        theme = frozenset(self._variables.items())
        if theme not in self._kept:
            self._kept[theme] = LRUCache(_SOURCES_KEPT)
        self._parse_cache = self._kept[theme]
