"""What a person sets for the terminal app itself: `settings.yaml` and `keys.yaml` in their configuration folder."""

import fcntl
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vqa_tui.config.kept_lines import with_key
from vqa_tui.config.key_names import why_no_key
from vqa_tui.config.validation import nearest, validated
from vqa_tui.config.yaml_document import is_blank, read_text, read_yaml, shown
from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.paths import config_folder

PictureSetting = Literal["auto", "halfblock", "sixel", "kitty", "none"]


class AppSettings(BaseModel):
    """One settings file; every key may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Annotated[str, Field(min_length=1, max_length=80)] = "textual-dark"
    """Name of a theme; the palette lists them."""
    pictures: PictureSetting = "auto"
    """How pictures are drawn; `auto` takes half blocks inside tmux and asks the terminal elsewhere."""
    bell: bool = True
    """Ring the terminal's bell when a run pauses, ends or needs a person."""
    desktop: bool = True
    """Send the same as a desktop notification through the terminal (OSC 9)."""
    command: Annotated[str, Field(max_length=1000)] = ""
    """A command that is started with the message as its last argument; empty starts none."""


class SettingsUnwritable(WorkFailed):
    """The file cannot be written; it is as it was."""


def settings_file() -> Path:
    return config_folder() / "settings.yaml"


def keys_file() -> Path:
    return config_folder() / "keys.yaml"


def load_settings(path: Path | None = None) -> AppSettings:
    """Return what stands in the settings file, or the defaults where there is none. Raises VqaError with its line."""
    path = path or settings_file()
    if not path.exists() or is_blank(read_text(path)):
        return AppSettings()
    return validated(AppSettings, read_yaml(path))


def store_settings(changes: Mapping[str, str], path: Path | None = None) -> AppSettings:
    """Change settings in the file as it stands now, by name to what was typed, and return all that hold.

    The other lines of the file stay as they are, comments too; what is a default is not written. Raises VqaError for an
    unknown name, a value that it cannot take, or a file that cannot be read or written.
    """
    path = path or settings_file()
    with _held(path):
        settings = load_settings(path)
        for name, text in changes.items():
            settings = changed_setting(settings, name, text)
        differing = settings.model_dump(exclude_defaults=True)
        _write(path, {name: differing.get(name) for name in changes})
    return settings


def changed_setting(settings: AppSettings, name: str, text: str) -> AppSettings:
    """Return `settings` with one of them as typed. Raises VqaError for an unknown name or a value it cannot take."""
    if name not in AppSettings.model_fields:
        raise VqaError(f"there is no setting {name!r}", hint=f"Known: {', '.join(AppSettings.model_fields)}")
    if name == "command":
        _require_command(text)
    try:
        return AppSettings.model_validate({**settings.model_dump(), name: text})
    except ValidationError as error:
        words = error.errors()[0]["msg"].replace("Input should", "should")
        raise VqaError(f"{name}: {words}") from None


def _require_command(text: str) -> None:
    """Raise VqaError for what cannot be taken apart into a program and its arguments."""
    try:
        shlex.split(text)
    except ValueError as error:
        raise VqaError(
            f"command: {text!r} is not a command line: {str(error).lower()}", hint="Close every quote."
        ) from None


def load_keys(known: Mapping[str, str], path: Path | None = None) -> dict[str, str]:
    """Return the keys of `keys.yaml` by the id of what they do; `known` names every id with what it does.

    A value is one key or several with commas, as Textual spells them (`p`, `ctrl+s`, `space,f5`). Raises VqaError with
    file, line and the nearest known id.
    """
    path = path or keys_file()
    if not path.exists() or is_blank(read_text(path)):
        return {}
    document = read_yaml(path)
    for name, keys in document.value.items():
        if name not in known:
            close = nearest(name, list(known))
            raise document.error(
                (name,),
                f"{name}: no key has this id" + (f", did you mean `{close}`?" if close else ""),
                hint="`vqa-tui settings keys` lists them all.",
            )
        if not isinstance(keys, str) or not all(part.strip() for part in keys.split(",")):
            raise document.error((name,), f"{name}: must be a key such as p, ctrl+s or f5, or several with commas")
        for part in keys.split(","):
            if words := why_no_key(part.strip()):
                raise document.error((name,), f"{name}: {words}")
        if any(part.strip() in ("ctrl+a", "ctrl+b") for part in keys.split(",")):
            raise document.error((name,), f"{name}: ctrl+a and ctrl+b belong to screen and tmux")
    return {name: ",".join(part.strip() for part in keys.split(",")) for name, keys in document.value.items()}


def store_keys(changes: Mapping[str, str | None], known: Mapping[str, str], path: Path | None = None) -> dict[str, str]:
    """Change keys in the file as it stands now, and return all; None takes one out. Raises VqaError."""
    path = path or keys_file()
    with _held(path):
        load_keys(known, path)  # refuses a file that a person must mend first
        _write(path, changes)
        return load_keys(known, path)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Let no other app or command change the files of this folder meanwhile."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, changes: Mapping[str, object]) -> None:
    """Change single keys of the file; None takes one out, and a file that would say nothing goes."""
    path = path.resolve()  # where it is a link, say into a folder of dotfiles, it stays one
    text, values = "", dict[str, object]()
    if path.exists():
        text = read_text(path)
        values = {} if is_blank(text) else read_yaml(path).value
    for name, value in changes.items():
        text = with_key(text, values, name, value)
        values = {key: each for key, each in {**values, name: value}.items() if each is not None}
    try:
        if not text.strip():
            path.unlink(missing_ok=True)
            return
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> SettingsUnwritable:
    return SettingsUnwritable(
        f"{shown(path)} cannot be written: {error.strerror}", hint="Nothing was changed. Look at who may write there."
    )
