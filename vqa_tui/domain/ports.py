"""Protocols that let one floor use another without knowing it."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class Scratch(Protocol):
    """An on-disk multimap for joining large files in constant memory; gone after the import."""

    def put_many(self, table: str, rows: Iterable[tuple[str, str]]) -> None:
        """Add (key, value) rows to `table`, keeping their order per key."""
        ...

    def get(self, table: str, key: str) -> list[str]:
        """Return the values put under `key`, in the order of their arrival."""
        ...

    def get_many(self, table: str, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return what `get` returns of each of `keys`, without the keys that nothing was put under."""
        ...
