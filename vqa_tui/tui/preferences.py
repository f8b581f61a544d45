"""What a person set for the app: held while it runs, and written to their own files whenever it changes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from vqa_tui.config.app_settings import (
    AppSettings,
    SettingsUnwritable,
    changed_setting,
    keys_file,
    load_keys,
    load_settings,
    store_keys,
    store_settings,
)
from vqa_tui.domain.failure import VqaError
from vqa_tui.tui.keymap import key_ids

MAY_ONLY_LOOK = "This screen may only look: it was opened with --readonly."
_NOT_FROM_A_PAGE = (
    "A page in a browser neither sets nor starts a command. Set it in the terminal: `vqa-tui settings set command=…`."
)


class Preferences:
    """Settings and keys. Those that are not `stored` are forgotten when the app ends.

    Where the app may only look (`read_only`), a person chooses the colours that they look at, and no more. Whoever has
    the link to an app in a browser is not let run programs on the computer that serves it: with `in_browser` there is
    no command, whatever the file says.
    """

    def __init__(
        self,
        settings: AppSettings | None = None,
        keys: Mapping[str, str] | None = None,
        *,
        stored: bool = False,
        read_only: bool = False,
        in_browser: bool = False,
    ) -> None:
        self.read_only = read_only
        self.in_browser = in_browser
        """Whether what is drawn here is looked at on another computer, perhaps."""
        self.settings = self._in_force(settings or AppSettings())
        self.keys = dict(keys or {})
        """By the id of what they do, where they are not what they would be otherwise."""
        self._stored = stored

    @classmethod
    def load(cls, *, read_only: bool = False, in_browser: bool = False) -> "Preferences":
        """Read the person's files. Raises VqaError with file, line and key."""
        return cls(load_settings(), _keys_of_file(), stored=True, read_only=read_only, in_browser=in_browser)

    def reread(self) -> None:
        """Take in what another app or an editor has written meanwhile. Raises VqaError with file, line and key."""
        if self._stored and not self.read_only:
            self.settings, self.keys = self._in_force(load_settings()), _keys_of_file()

    def _in_force(self, settings: AppSettings) -> AppSettings:
        return settings.model_copy(update={"command": ""}) if self.in_browser else settings

    def why_not(self, name: str) -> str | None:
        """Return why a person may not change a setting, or a key by its id, here; None when they may."""
        if self.read_only and name != "theme":
            return MAY_ONLY_LOOK
        return _NOT_FROM_A_PAGE if self.in_browser and name == "command" else None

    def _require_may_change(self, name: str) -> None:
        if (why := self.why_not(name)) is not None:
            raise VqaError(why)

    def change(self, name: str, text: str) -> None:
        """Set one setting to what a person typed.

        Raises VqaError when it may not be changed here, cannot be that, or cannot be written.
        """
        self._require_may_change(name)
        self.settings = changed_setting(self.settings, name, text)
        if self._stored and not self.read_only:
            with _held_till_the_end():
                self.settings = self._in_force(store_settings({name: text}))

    def set_keys(self, name: str, keys: str | None) -> None:
        """Let `keys` do what has this id; None: what did it before.

        Raises VqaError when keys may not be changed here, or cannot be written.
        """
        self._require_may_change(name)
        if keys is None:
            self.keys.pop(name, None)
        else:
            self.keys[name] = keys
        if self._stored:
            with _held_till_the_end():
                self.keys = store_keys({name: keys}, _known())


@contextmanager
def _held_till_the_end() -> Iterator[None]:
    """Tell of a file that cannot be written what is so in an app: the change holds here."""
    try:
        yield
    except SettingsUnwritable as error:
        raise VqaError(error.message, hint="What you changed holds until you leave.") from error


def _known() -> dict[str, str]:
    """Return what every key does, by its id; all screens are imported for it."""
    return {name: each.tooltip for name, each in key_ids().items()}


def _keys_of_file() -> dict[str, str]:
    return load_keys(_known()) if keys_file().exists() else {}
