"""Trying an endpoint for real: one tiny picture for each key, and for whatever fails, what to do about it."""

import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image, ImageDraw
from pydantic import SecretStr

from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.endpoints.advice import NO_VALUE, advice_for, is_redirect, wrong_address
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.client import Answer, AskFailed, VisionClient
from vqa_tui.endpoints.models import list_models
from vqa_tui.endpoints.pictures import PreparedPicture
from vqa_tui.endpoints.settings import EndpointSettings
from vqa_tui.endpoints.vendor_addresses import is_vendor, right_address

_QUESTION = "Which shape and which colour do you see? Answer in one short sentence."
_SIDE = 96
_NAMES_SHOWN = 8
_REPLY_SHOWN = 120
_KEY_IS_KNOWN = frozenset(
    {
        FailureKind.RATE_LIMITED,
        FailureKind.QUOTA_EXHAUSTED,
        FailureKind.REJECTED,
        FailureKind.BAD_REPLY,
        FailureKind.REFUSED,
    }
)
"""Failures that an endpoint tells only to a key that it knows."""
_OF_ANOTHER_PLACE = frozenset({FailureKind.MODEL_NOT_FOUND, FailureKind.BAD_REPLY, FailureKind.REJECTED})
"""What comes back from an address of the right host that is not the one for chat completions."""


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One thing that was tried. `detail` may quote the endpoint and is hostile text."""

    name: str
    """`address`, `key`, `authorised`, `model` or `usage`."""
    ok: bool
    detail: str
    advice: str = ""
    """What to do; empty when nothing needs to be done."""
    key: str = ""
    """The name of the key that the step concerns; empty for `address`."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found, in the order in which it was tried. What could not be tried is not there."""

    endpoint: str
    address: str
    model: str
    steps: tuple[CheckStep, ...]

    @property
    def ok(self) -> bool:
        """Whether everything works with every key."""
        return bool(self.steps) and all(step.ok for step in self.steps)


@dataclass(frozen=True, slots=True)
class _Generation:
    max_tokens: int = 300
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    extra_body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _CheckRecipe:
    name: str = "check"
    text_first: bool = True
    generation: _Generation = field(default_factory=_Generation)
    schema_of_reply: Mapping[str, Any] | None = None


async def check(endpoint: EndpointSettings, base_url: str, keys: Mapping[str, SecretStr | str]) -> CheckReport:
    """Ask about one tiny picture with each of `keys` and report what works.

    `keys` holds by the key's name its value, or in words why it has none. It costs some hundred tokens a key. Whatever
    the endpoint does ends up in the report; only a configuration that allows no request raises VqaError.
    """
    address: CheckStep | None = None
    steps: list[CheckStep] = []
    body = RequestBody(_CheckRecipe(), endpoint).build("", _QUESTION, tiny_picture())
    async with VisionClient(endpoint, base_url, 1) as client:
        for name, value in keys.items():
            if isinstance(value, str):
                steps.append(CheckStep("key", False, value, NO_VALUE, key=name))
                continue
            steps.append(CheckStep("key", True, "it has a value", key=name))
            try:
                found = _answered(endpoint, await client.ask(body, value))
            except AskFailed as failed:
                found = await _explained(endpoint, base_url, value, failed.failure)
            address = next((step for step in found if step.name == "address"), address)
            steps += (replace(step, key=name) for step in found if step.name != "address")
            if address is not None and not address.ok:
                break
    return CheckReport(endpoint.name, base_url, endpoint.model, tuple([address] if address else []) + tuple(steps))


def _shown(reply: str) -> str:
    return reply if len(reply) <= _REPLY_SHOWN else f"{reply[: _REPLY_SHOWN - 1]}…"


def tiny_picture() -> PreparedPicture:
    """Return a red disc on white, large enough for every model's smallest size."""
    image = Image.new("RGB", (_SIDE, _SIDE), "white")
    ImageDraw.Draw(image).ellipse((16, 16, _SIDE - 17, _SIDE - 17), fill="red")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return PreparedPicture(buffer.getvalue(), "image/jpeg", _SIDE, _SIDE)


def _answered(endpoint: EndpointSettings, answer: Answer) -> list[CheckStep]:
    said = " ".join(answer.text.split())
    named = f" as {answer.model}" if answer.model and answer.model != endpoint.model else ""
    usage = (
        f"{answer.usage.input_tokens} tokens in, {answer.usage.output_tokens} out"
        if answer.usage_reported
        else "the endpoint reports no tokens, so costs can only be estimated"
    )
    return [
        CheckStep("address", True, "it answers"),
        CheckStep("authorised", True, "the key is accepted"),
        CheckStep("model", True, f"{endpoint.model} answered{named} in {answer.latency_ms:.0f} ms: {_shown(said)}"),
        CheckStep("usage", True, usage),
    ]


async def _explained(endpoint: EndpointSettings, base_url: str, value: SecretStr, failure: Failure) -> list[CheckStep]:
    reachable = CheckStep("address", True, "it answers")
    accepted = CheckStep("authorised", True, "the key is accepted")
    advice = advice_for(failure, base_url, endpoint.day_resets)
    if failure.kind in _OF_ANOTHER_PLACE and right_address(base_url):
        return [CheckStep("address", False, failure.message, wrong_address(base_url))]
    if is_redirect(failure) or (failure.never_sent and failure.kind is not FailureKind.AUTH):
        return [CheckStep("address", False, failure.message, advice)]
    if failure.kind is FailureKind.MODEL_NOT_FOUND:
        return await _no_such_model(endpoint, base_url, value, failure)
    if failure.kind is FailureKind.AUTH:
        return [reachable, CheckStep("authorised", False, failure.message, advice)]
    known = [accepted] if failure.kind in _KEY_IS_KNOWN else []
    return [reachable, *known, CheckStep("model", False, failure.message, advice)]


async def _no_such_model(
    endpoint: EndpointSettings, base_url: str, value: SecretStr, failure: Failure
) -> list[CheckStep]:
    """A 404 means a wrong model or a wrong address; the list of models tells which."""
    reachable = CheckStep("address", True, "it answers")
    try:
        names = await list_models(endpoint, base_url, value)
    except AskFailed as failed:
        if failed.failure.kind is FailureKind.MODEL_NOT_FOUND:
            if is_vendor(base_url):
                # Azure and Vertex AI list no models at the address that answers chat completions.
                return [reachable, CheckStep("model", False, failure.message, advice_for(failure, base_url))]
            detail = f"neither chat completions nor a list of models is at this address: {failure.message}"
            return [CheckStep("address", False, detail, wrong_address(base_url))]
        return [reachable, CheckStep("model", False, failure.message, advice_for(failure, base_url))]
    return [
        reachable,
        CheckStep("authorised", True, "the key may list models"),
        CheckStep("model", False, failure.message, _offered(endpoint.model, names)),
    ]


def _offered(wanted: str, names: Sequence[str]) -> str:
    # Google lists "models/gemini-2.5-flash" and wants "gemini-2.5-flash".
    names = [name.removeprefix("models/") for name in names]
    if not names:
        return "The endpoint offers no models to this key."
    if wanted in names:
        return "The endpoint lists this model, but not for chat completions with this key."
    close = difflib.get_close_matches(wanted, names, _NAMES_SHOWN, cutoff=0.4)
    nearest = f"Did you mean {close[0]}? " if close else ""
    return f"{nearest}Set `model` to one that is offered, for instance: {', '.join(close or names[:_NAMES_SHOWN])}."
