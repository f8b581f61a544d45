"""Finding recipes and endpoints by name or by path, and reading them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.file_checks import check_endpoint, check_recipe, check_training
from vqa_tui.config.key_likeness import is_variable_name, key_values_in
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.config.training import TrainingConfig
from vqa_tui.config.validation import NO_VALUES_HINT, nearest, validated
from vqa_tui.config.yaml_document import YamlDocument, read_yaml, shown
from vqa_tui.domain.failure import VqaError

_SUFFIXES = (".yaml", ".yml")
_MODEL_WORD = {Recipe: "recipe", Endpoint: "endpoint", TrainingConfig: "training configuration"}

M = TypeVar("M", Recipe, Endpoint, TrainingConfig)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One recipe or endpoint that can be named."""

    name: str
    description: str
    path: Path
    problem: str = ""
    """Why the file cannot be used; such a file is listed too."""


def load_recipe(name_or_path: str, *, folders: Sequence[Path]) -> Recipe:
    """Return the recipe with that name, from the first of `folders` that holds its `.yaml` or `.yml`, or from a path.

    Anything that ends in `.yaml` or `.yml` is a path; its `name:` is free, while in a folder it must be the file's.
    Raises VqaError with file, line and key, or with the nearest known name.
    """
    return _load(Recipe, name_or_path, folders)


def load_endpoint(name_or_path: str, *, folders: Sequence[Path]) -> Endpoint:
    """Return the endpoint with that name or at that path, found as `load_recipe` finds recipes. Raises VqaError."""
    return _load(Endpoint, name_or_path, folders)


def list_recipes(folders: Sequence[Path]) -> list[ConfigFile]:
    """Return every recipe in `folders` by name; an earlier folder hides a later one. Broken files are listed too."""
    return _list(Recipe, folders)


def list_endpoints(folders: Sequence[Path]) -> list[ConfigFile]:
    """Return every endpoint in `folders` by name, as `list_recipes` does."""
    return _list(Endpoint, folders)


def load_training(name_or_path: str, *, folders: Sequence[Path]) -> TrainingConfig:
    """Return the training configuration with that name or at that path, found as `load_recipe` finds recipes.

    Raises VqaError.
    """
    return _load(TrainingConfig, name_or_path, folders)


def list_trainings(folders: Sequence[Path]) -> list[ConfigFile]:
    """Return every training configuration in `folders` by name, as `list_recipes` does."""
    return _list(TrainingConfig, folders)


def is_known(name: str, folders: Sequence[Path]) -> bool:
    """Return whether one of `folders` holds a file for that name, whatever stands in it."""
    return name in _files(folders)


def _load(model: type[M], name_or_path: str, folders: Sequence[Path]) -> M:
    if name_or_path.endswith(_SUFFIXES):
        return _read(model, Path(name_or_path).expanduser())
    # A name is looked up among the files that are there, never joined into a path: `../x` finds nothing.
    files = _files(folders)
    if path := files.get(name_or_path):
        return _read_named(model, path)
    word = _MODEL_WORD[model]
    close = nearest(name_or_path, list(files))
    known = f"Known {word}s: {', '.join(sorted(files)) or 'none'}. A path to a .yaml file works too."
    if (reason := _why_no_path(name_or_path)) and not close:
        raise VqaError(f"{shown(Path(name_or_path))} {reason}", hint=known)
    raise VqaError(
        f"there is no {word} named {name_or_path!r}" + (f"; did you mean {close}?" if close else ""), hint=known
    )


def _why_no_path(text: str) -> str:
    """Say why something that exists under this path is not taken; empty when nothing does."""
    path = Path(text).expanduser()
    try:
        if path.is_dir():
            return "is a folder, not a .yaml file"
        return "is not taken for a configuration: its name must end in .yaml or .yml" if path.exists() else ""
    except (OSError, ValueError):
        return ""


def _list(model: type[M], folders: Sequence[Path]) -> list[ConfigFile]:
    listed = []
    for name, path in sorted(_files(folders).items()):
        try:
            listed.append(ConfigFile(name, _read_named(model, path).description, path))
        except VqaError as error:
            listed.append(ConfigFile(name, "", path, error.message))
    return listed


def _files(folders: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        try:
            paths = [path for suffix in _SUFFIXES for path in sorted(folder.glob(f"*{suffix}"))]
        except OSError as error:
            raise VqaError(f"{shown(folder)} cannot be listed: {error.strerror or error}") from error
        for path in paths:
            found.setdefault(path.stem, path)
    return found


def _read_named(model: type[M], path: Path) -> M:
    document = read_yaml(path)
    config = _checked(model, document)
    if config.name != path.stem:
        raise document.error(
            ("name",),
            f"name: says `{config.name}`, but the file is {path.name}",
            hint=f"Write `name: {path.stem}`, or rename the file: a name leads to exactly one file.",
        )
    return config


def _read(model: type[M], path: Path) -> M:
    return _checked(model, read_yaml(path))


def _checked(model: type[M], document: YamlDocument) -> M:
    # First, because the words of any other complaint may quote names. What stands here would be stored with each run.
    for location in key_values_in(document.value):
        place = ".".join(map(str, location)) or "at the top"
        raise document.error(location, f"{place}: something here looks like the value of a key", hint=NO_VALUES_HINT)
    config = validated(model, document)
    if isinstance(config, Endpoint):
        _refuse_values_as_variables(config, document)
        _refuse_unencrypted_keys(config, document)
        check_endpoint(config, document)
    elif isinstance(config, Recipe):
        check_recipe(config, document)
        try:
            PromptTemplate(config)
        except VqaError as error:
            raise VqaError(f"{shown(document.path)}: {error.message}", hint=error.hint) from error
    else:
        check_training(config, document)
    return config


def _refuse_unencrypted_keys(endpoint: Endpoint, document: YamlDocument) -> None:
    if endpoint.sends_keys_unencrypted and not endpoint.allow_unencrypted_keys:
        raise document.error(
            ("base_url",),
            "base_url: plain http would carry the key, readable on the way, to a host outside your own network",
            hint="Write https://. If the way is protected otherwise (a VPN, a tunnel), add "
            "`allow_unencrypted_keys: true`.",
        )


def _refuse_values_as_variables(endpoint: Endpoint, document: YamlDocument) -> None:
    """A key pasted where its variable's name belongs would be frozen into the database with the endpoint."""
    for index, key in enumerate(endpoint.keys):
        if key.env is not None and not is_variable_name(key.env):
            raise document.error(
                ("keys", index, "env"),
                f"keys.{index}.env: must be the name of an environment variable, not the key itself",
                hint="Write a name such as GEMINI_API_KEY and export the value there. If a key stood in this file, "
                "replace it at the provider.",
            )
