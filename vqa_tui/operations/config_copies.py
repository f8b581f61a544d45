"""Copying a recipe or an endpoint under a new name into the folder beside the workspace, to start one's own from it."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from vqa_tui.config.load import ConfigFile, list_endpoints, list_recipes, load_endpoint, load_recipe
from vqa_tui.config.yaml_document import read_yaml, shown
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.catalog import Places
from vqa_tui.paths import shipped_configs

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def copy_recipe(workspace: Places, name: str, new: str) -> Path:
    """Copy a recipe into `recipes/` beside the workspace and return the new file.

    Raises VqaError when there is no usable recipe of that name, when `new` is malformed or taken, or when nothing can
    be written there.
    """
    return _copy("recipe", list_recipes, load_recipe, workspace.recipe_folders, name, new)


def copy_endpoint(workspace: Places, name: str, new: str) -> Path:
    """Copy an endpoint into `endpoints/` beside the workspace, as `copy_recipe` does. Keys are copied by name only."""
    return _copy("endpoint", list_endpoints, load_endpoint, workspace.endpoint_folders, name, new)


def is_shipped(path: Path) -> bool:
    """Whether a file came with the product: the next version would overwrite what was changed in it."""
    return path.is_relative_to(shipped_configs())


def check_new_name(word: str, taken: Sequence[str], new: str) -> None:
    """Raise VqaError when no recipe or endpoint (`word`) can be copied to the name `new`."""
    if not _NAME.fullmatch(new):
        raise VqaError(
            f"`{new}` cannot be the name of {'an' if word == 'endpoint' else 'a'} {word}",
            hint="Use small letters, digits, `_` and `-`, starting with a letter or digit.",
        )
    if new in taken:
        raise VqaError(f"there is {'an' if word == 'endpoint' else 'a'} {word} named {new} already")


def _copy(
    word: str,
    listed: Callable[[Sequence[Path]], list[ConfigFile]],
    load: Callable[..., object],
    folders: Sequence[Path],
    name: str,
    new: str,
) -> Path:
    entries = {entry.name: entry for entry in listed(folders)}
    check_new_name(word, list(entries), new)
    load(name, folders=folders)  # raises for a name that is not there and for a file that cannot be used
    source = entries[name].path if name in entries else Path(name).expanduser()
    target = folders[0] / f"{new}.yaml"
    text = _renamed(source, new)
    try:
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True)
        with target.open("x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise VqaError(f"{shown(target)} cannot be written: {error.strerror or error}") from error
    try:
        load(new, folders=folders)
    except VqaError:
        target.unlink()
        raise
    return target


def _renamed(source: Path, new: str) -> str:
    """Return the text of a file with another `name:`; everything else, comments too, stays as it is."""
    document = read_yaml(source)
    lines = source.read_text("utf-8-sig").splitlines(keepends=True)
    place = document.line_of(("name",)) - 1
    old = re.escape(str(document.value["name"]))
    lines[place], found = re.subn(
        rf"""(?<![\w-])(["']?name["']?\s*:\s*)(["']?){old}\2(?![\w-])""", rf"\g<1>{new}", lines[place], count=1
    )
    if not found:
        raise VqaError(
            f"{shown(source)}:{place + 1}: the name does not stand on the line of `name:`",
            hint=f"Write `name: {document.value['name']}` on one line, then copy it.",
        )
    return "".join(lines)
