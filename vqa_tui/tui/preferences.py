"""What a person set for the app: held while it runs, and written to their own files whenever it changes."""

from collections.abc import Mapping

from vqa_tui.config.app_settings import (
    AppSettings,
    changed_setting,
    keys_file,
    load_keys,
    load_settings,
    save_keys,
    save_settings,
)
from vqa_tui.tui.keymap import key_ids


class Preferences:
    """Settings and keys. Those that are not `stored` are forgotten when the app ends."""

    def __init__(
        self, settings: AppSettings | None = None, keys: Mapping[str, str] | None = None, *, stored: bool = False
    ) -> None:
        self.settings = settings or AppSettings()
        self.keys = dict(keys or {})
        """By the id of what they do, where they are not what they would be otherwise."""
        self._stored = stored

    @classmethod
    def load(cls) -> "Preferences":
        """Read the person's files. Raises VqaError with file, line and key."""
        # Every screen is imported to know all ids: only where somebody named one.
        known = {name: each.tooltip for name, each in key_ids().items()} if keys_file().exists() else {}
        return cls(load_settings(), load_keys(known), stored=True)

    def change(self, name: str, text: str) -> None:
        """Set one setting to what a person typed. Raises VqaError when it cannot be that, or cannot be written."""
        self.settings = changed_setting(self.settings, name, text)
        if self._stored:
            save_settings(self.settings)

    def set_keys(self, name: str, keys: str | None) -> None:
        """Let `keys` do what has this id; None: what did it before. Raises VqaError when it cannot be written."""
        if keys is None:
            self.keys.pop(name, None)
        else:
            self.keys[name] = keys
        if self._stored:
            save_keys(self.keys)
