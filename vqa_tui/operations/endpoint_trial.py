"""Trying an endpoint for a face that must hold no key: its check and its list of models as processes of their own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.workspace import Workspace
from vqa_tui.process.answer import CommandAnswer, NoAnswer, command_answer

_CHECK_WITHIN_S, _MODELS_WITHIN_S = 300.0, 90.0
_MOST_BYTES = 4_000_000
_COMPLAINT = "Error: "


@dataclass(frozen=True, slots=True)
class TrialStep:
    """One thing that was tried. `detail` and `advice` may quote the endpoint and are hostile text."""

    name: str
    ok: bool
    detail: str
    advice: str
    key: str
    """The name of the key that it concerns; empty for the address."""


@dataclass(frozen=True, slots=True)
class EndpointTrial:
    """What one real request with each key found."""

    ok: bool
    address: str
    model: str
    steps: tuple[TrialStep, ...]


async def try_endpoint(workspace: Workspace, name_or_path: str, *, model: str | None = None) -> EndpointTrial:
    """Ask about one tiny picture with each key; some hundred tokens a key are paid.

    Cancelling ends the process. Raises VqaError when the endpoint cannot be loaded or nothing comes of it in time.
    """
    chosen = () if model is None else ("--model", model)
    answer = await _answer(workspace, "check", name_or_path, chosen, within_s=_CHECK_WITHIN_S)
    document = _document(answer, "check")
    try:
        steps = tuple(
            TrialStep(step["name"], bool(step["ok"]), step["detail"], step["advice"], step["key"])
            for step in document["steps"]
        )
        return EndpointTrial(bool(document["ok"]), document["address"], document["model"], steps)
    except (KeyError, TypeError):
        raise _unreadable("check") from None


async def offered_models(workspace: Workspace, name_or_path: str) -> tuple[str, ...]:
    """Return the names of the models that the endpoint lists. Raises VqaError, with what to do, when it does not."""
    answer = await _answer(workspace, "models", name_or_path, (), within_s=_MODELS_WITHIN_S)
    names = _document(answer, "models")
    if not isinstance(names, list):
        raise _unreadable("models")
    return tuple(name for name in names if isinstance(name, str))


async def _answer(
    workspace: Workspace, verb: str, name_or_path: str, options: Sequence[str], *, within_s: float
) -> CommandAnswer:
    arguments = ("endpoint", verb, "--json", "--workspace", str(workspace.paths.root), *options, "--", name_or_path)
    try:
        return await command_answer(arguments, within_s=within_s, most_bytes=_MOST_BYTES)
    except NoAnswer as error:
        raise VqaError(
            f"`vqa-tui endpoint {verb}` gave {error}", hint=f"Try `vqa-tui endpoint {verb} {name_or_path}` by hand."
        ) from None


def _document(answer: CommandAnswer, verb: str) -> Any:
    """Return what the command printed as JSON. Raises VqaError in the command's own words where it printed none."""
    try:
        return json.loads(answer.stdout)
    except ValueError:
        said = answer.stderr.decode("utf-8", "replace").strip()
    if not said.startswith(_COMPLAINT):
        raise _unreadable(verb)
    problem, _, hint = said.removeprefix(_COMPLAINT).partition("\n")
    raise VqaError(problem, hint=hint)


def _unreadable(verb: str) -> VqaError:
    return VqaError(f"what `vqa-tui endpoint {verb}` said cannot be read", hint="Try it by hand in a shell.")
