"""Completing the settings of a training as they are typed: keys of a configuration, and names of models."""

from collections.abc import Sequence

from textual.suggester import Suggester


class SettingCompletion(Suggester):
    """Offers the rest of the last word: a key, or behind `model=` a name."""

    def __init__(self, keys: Sequence[str], models: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._words = [*(f"{key}=" for key in keys), *(f"model={name}" for name in models)]

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole line with its last word completed; None where nothing begins like that, or it is whole."""
        before, space, last = value.rpartition(" ")
        if not last:
            return None
        found = next((word for word in self._words if word.casefold().startswith(last.casefold())), None)
        return None if found is None or found == last else f"{before}{space}{found}"
