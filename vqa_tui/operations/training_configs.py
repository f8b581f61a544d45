"""Configurations of trainings by name, with keys changed on the command line or in a form."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import yaml
from pydantic import ValidationError

from vqa_tui.config.file_checks import why_no_training
from vqa_tui.config.load import ConfigFile, list_trainings, load_training
from vqa_tui.config.training import Lora, TrainingConfig
from vqa_tui.config.validation import NO_BOOLEAN, boolean_for_number, complaints, nearest
from vqa_tui.domain.failure import VqaError
from vqa_tui.paths import WorkspacePaths


def list_training_configs(paths: WorkspacePaths) -> list[ConfigFile]:
    """Return every configuration that can be named, broken ones with what is wrong with them."""
    return list_trainings(paths.training_config_folders)


def training_config(paths: WorkspacePaths, named: str, settings: Sequence[str] = ()) -> TrainingConfig:
    """Return the configuration with that name or at that path, with each `KEY=VALUE` of `settings` in place of what
    stands there; a key of a part is written with a dot (`lora.r=8`), a value as in YAML.

    Raises VqaError naming the file, the key and the nearest known one.
    """
    config = load_training(named, folders=paths.training_config_folders)
    if not settings:
        return config
    value = config.model_dump(mode="json")
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise VqaError(f"--set {setting}: there is no `=` in it", hint="Write KEY=VALUE, for example epochs=2.")
        _put(value, key.strip(), text)
    try:
        changed = TrainingConfig.model_validate(value)
    except ValidationError as error:
        raise VqaError(f"--set: {complaints(TrainingConfig, error)[0]}") from None
    if (place := boolean_for_number(value, changed)) is not None:
        raise VqaError(f"--set: {'.'.join(map(str, place))}: {NO_BOOLEAN}")
    if (refused := why_no_training(changed)) is not None:
        key, message, hint = refused
        raise VqaError(f"--set: {key}: {message}", hint=hint)
    return changed


def require_each_once(settings: Sequence[str]) -> None:
    """Raise VqaError where one key is given twice. A form may change a key after what was typed has; a person who
    types it twice on a command line mistook one of them."""
    given: dict[str, str] = {}
    for setting in settings:
        key, _, text = setting.partition("=")
        if key.strip() in given:
            raise VqaError(
                f"--set {key.strip()}: is given twice: {given[key.strip()]} and {text}", hint="Give it once."
            )
        given[key.strip()] = text


def _put(value: dict[str, Any], key: str, text: str) -> None:
    try:
        parsed = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise VqaError(f"--set {key}: {text!r} is not a value in YAML") from error
    if isinstance(parsed, str):
        # YAML 1.1 takes 1e-4 for a text; what a person means is a number.
        with suppress(ValueError):
            parsed = float(parsed)
    *path, last = key.split(".")
    place: Any = value
    for part in path:
        if part == "lora" and value["lora"] is None:
            value["lora"] = Lora().model_dump(mode="json")
        place = place.get(part) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        parts = {part: value[part] for part in ("lora", "launch") if isinstance(value[part], dict)}
        known = [*value, *(f"{part}.{name}" for part, names in parts.items() for name in names)]
        close = nearest(key, known)
        raise VqaError(
            f"--set {key}: unknown key" + (f"; did you mean `{close}`?" if close else ""),
            hint=f"Known keys: {', '.join(known)}.",
        )
    place[last] = parsed
