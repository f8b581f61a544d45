"""The limits of a run that may change while it works: which there are, what holds now, and changing them."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from vqa_tui.config.endpoint import Endpoint, Quota
from vqa_tui.config.freeze import thaw_endpoint, thaw_recipe
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import LARGEST_BUDGET_USD, ORIGINAL_SIZE, SMALLEST_BUDGET_USD, Limits
from vqa_tui.operations.workspace import Workspace, operator
from vqa_tui.store import runs

LimitValue = int | Decimal | bool | str | None


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """One limit of a run: what holds now, and what would hold had nobody set it."""

    name: str
    """As `run set` takes it: `concurrency`, `rpm.main`."""
    value: LimitValue
    """None is no limit."""
    own: LimitValue
    """Of the endpoint, the recipe or the product."""
    overridden: bool
    """Whether a person set it for this run."""
    about: str
    """What it limits, in a few words."""
    wanted: str
    """What may be set, in words."""


@dataclass(frozen=True, slots=True)
class _Kind:
    field: str
    about: str
    wanted: str


_BUDGET, _CONCURRENCY, _ATTEMPTS, _SIDE, _HEDGE = "budget", "concurrency", "max_attempts", "max_side", "hedge"
_KINDS = {
    _BUDGET: _Kind(
        "budget_usd",
        "dollars that the run may spend",
        f"an amount of dollars from {SMALLEST_BUDGET_USD:f} to {LARGEST_BUDGET_USD:,f}, or none",
    ),
    _CONCURRENCY: _Kind("concurrency", "requests in flight at once", "a whole number from 1 to 1024"),
    _ATTEMPTS: _Kind("max_attempts", "spent attempts after which a picture has failed", "a whole number from 1 to 100"),
    _SIDE: _Kind(
        "max_side",
        "longest side in pixels of the pictures sent",
        f"a whole number of pixels from 16 to 100000, {ORIGINAL_SIZE} (as they are), or recipe (what the recipe says)",
    ),
    _HEDGE: _Kind("hedge", "whether a straggler is asked twice; both are paid", "on or off"),
}
_UP_TO = "a whole number from 1 to {}, or none (what the endpoint's file says)"
_NEAR_NAME = 0.5
"""Names of keys are short: half of two letters is near."""
_QUOTAS = {
    "rpm": _Kind("requests_per_minute", "requests/min", _UP_TO.format(1_000_000)),
    "tpm": _Kind("tokens_per_minute", "tokens/min", _UP_TO.format(10_000_000_000)),
    "input_tpm": _Kind("input_tokens_per_minute", "input tokens/min", _UP_TO.format(10_000_000_000)),
    "output_tpm": _Kind("output_tokens_per_minute", "output tokens/min", _UP_TO.format(10_000_000_000)),
    "rpd": _Kind("requests_per_day", "requests/day", _UP_TO.format(1_000_000_000)),
}
"""By what stands before the dot of `rpm.NAME`; `field` is the same in Limits and in Quota."""


async def limits_in_force(workspace: Workspace, run_id: int) -> tuple[LimitInForce, ...]:
    """Return every limit that can be set for a run, those of the run first, then quotas by key or group."""
    recipe, endpoint = await _made_of(workspace, run_id)
    limits = (await runs.wishes(workspace.db, run_id)).limits
    return tuple(_in_force(name, limits, recipe, endpoint) for name in _settable(endpoint))


async def set_limits(workspace: Workspace, run_id: int, changes: Mapping[str, str]) -> Limits:
    """Change limits of a run while it works; return all of them. Each change is noted: who, when, old → new.

    Keys: `budget`, `concurrency`, `max_attempts`, `max_side`, `hedge`, and by name of a key or group `rpm.NAME`,
    `tpm.NAME`, `input_tpm.NAME`, `output_tpm.NAME`, `rpd.NAME`. Raises VqaError for an unknown key or a bad value, with
    nothing changed.
    """
    recipe, endpoint = await _made_of(workspace, run_id)
    settable = _settable(endpoint)
    for name in changes:
        _require_known(name, settable)

    def change(limits: Limits) -> tuple[Limits, list[runs.LimitChange]]:
        noted = []
        for name, text in changes.items():
            changed = _changed(limits, name, text.strip())
            if changed != limits:
                old, new = (_in_force(name, each, recipe, endpoint).value for each in (limits, changed))
                noted.append(runs.LimitChange(name, limit_words(old), limit_words(new)))
            limits = changed
        if limits.budget_usd is not None and endpoint.prices is None:
            raise VqaError(
                f"the price of {endpoint.model} at the endpoint {endpoint.name} is unknown, so a budget cannot be held",
                hint="Add `prices:` to the endpoint's file (dollars per million tokens) and start another run.",
            )
        return limits, noted

    return await runs.change_limits(workspace.db, run_id, change, who=operator())


def parse_budget(text: str, *, field: str = "budget", hint: str = "For example 12.50.") -> Decimal:
    """Return an amount of dollars that can be a budget. Raises VqaError, naming `field`, for anything else."""
    try:
        amount = Decimal(0) if "_" in text or not text.isascii() else Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or not SMALLEST_BUDGET_USD <= amount <= LARGEST_BUDGET_USD:
        raise VqaError(
            f"{field}: {text!r} is not an amount of dollars from {SMALLEST_BUDGET_USD:f} to {LARGEST_BUDGET_USD:,f}",
            hint=hint,
        )
    return amount


def limit_words(value: LimitValue) -> str:
    """Return a value as `run set` takes it: 16, 12.5, on, none."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


async def _made_of(workspace: Workspace, run_id: int) -> tuple[Recipe, Endpoint]:
    frozen = await runs.frozen_run(workspace.db, run_id)
    if frozen is None:
        raise VqaError(f"there is no run {run_id}")
    return thaw_recipe(frozen.recipe), thaw_endpoint(frozen.endpoint)


def _settable(endpoint: Endpoint) -> list[str]:
    """Every name that can be set, groups before the keys in them. A key that stands alone is a group of its name."""
    groups = dict.fromkeys(endpoint.group_of(key) for key in endpoint.keys)
    names = list(dict.fromkeys([*groups, *(key.name for key in endpoint.keys)]))
    return [*_KINDS, *(f"{quota}.{name}" for name in names for quota in _QUOTAS)]


def _require_known(name: str, settable: list[str]) -> None:
    if name in settable:
        return
    known = sorted({f"{each.partition('.')[0]}.NAME" if "." in each else each for each in settable})
    owners = list(dict.fromkeys(each.partition(".")[2] for each in settable if "." in each))
    hint = f"Known: {', '.join(known)}, where NAME is {' or '.join(owners)}"
    if (near := _near(name, owners)) is not None:
        hint = f"Did you mean {near}?"
    raise VqaError(f"unknown setting {name!r}", hint=hint)


def _near(name: str, owners: list[str]) -> str | None:
    """Return the setting that `name` may have been meant for. Both sides of the dot must be near: that `rpm.` is the
    same says nothing about what stands after it."""
    word, dot, owner = name.partition(".")
    words = difflib.get_close_matches(word, _QUOTAS if dot else _KINDS, 1)
    names = difflib.get_close_matches(owner, owners, 1, _NEAR_NAME) if dot else [""]
    return f"{words[0]}{dot}{names[0]}" if words and names else None


def _kind(name: str) -> tuple[_Kind, str | None]:
    """Return the kind of a limit, and the key or group that it is of."""
    if name in _KINDS:
        return _KINDS[name], None
    quota, _dot, owner = name.partition(".")
    return _QUOTAS[quota], owner


def _changed(limits: Limits, name: str, text: str) -> Limits:
    """Return `limits` after `name=text`. Raises VqaError when `text` is no value for it."""
    kind, owner = _kind(name)
    unset = text.lower() in ("none", "off", "")
    value: object = text
    if owner is not None:
        kept = {key: each for key, each in getattr(limits, kind.field).items() if key != owner}
        value = kept if unset else {**kept, owner: text}
    elif name == _BUDGET:
        value = None if unset else parse_budget(text, field=name, hint="`none` is no cap.")
    elif name == _SIDE:
        value = None if text.lower() == "recipe" else text.lower()
    elif name == _HEDGE:
        value = {"on": True, "off": False}.get(text.lower(), text)
    try:
        if isinstance(value, str) and name != _HEDGE and value != ORIGINAL_SIZE:
            value = _digits(value)
        if isinstance(value, dict) and owner in value:
            value[owner] = _digits(text)
        return Limits.model_validate({**limits.model_dump(), kind.field: value})
    except ValueError:  # a ValidationError is one, too
        raise VqaError(f"{name}: {text!r} is not {kind.wanted}") from None


def _digits(text: str) -> int:
    """Return a whole number that is typed in digits alone. Raises ValueError for `1_000`, `16.0` and what int() takes
    besides."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)


def _in_force(name: str, limits: Limits, recipe: Recipe, endpoint: Endpoint) -> LimitInForce:
    kind, owner = _kind(name)
    if owner is None:
        own = _own(name, recipe, endpoint)
        value = getattr(limits, kind.field)
        if name == _SIDE and value is None:
            value = own
        return LimitInForce(name, value, own, value != own, kind.about, kind.wanted)
    own = _own_quota(kind.field, owner, endpoint)
    override = getattr(limits, kind.field).get(owner)
    return LimitInForce(
        name,
        own if override is None else override,
        own,
        override is not None,
        f"{kind.about} of {_owner_words(owner, endpoint)}",
        kind.wanted,
    )


def _own(name: str, recipe: Recipe, endpoint: Endpoint) -> LimitValue:
    if name == _CONCURRENCY:
        return endpoint.concurrency
    if name == _SIDE:
        return ORIGINAL_SIZE if recipe.picture.max_side is None else recipe.picture.max_side
    default: LimitValue = getattr(Limits(), _KINDS[name].field)
    return default


def _own_quota(field: str, owner: str, endpoint: Endpoint) -> int | None:
    """What the endpoint's file says of a key or group; of a key that stands alone the tighter of its two quotas."""
    quotas: list[Quota] = []
    if owner in {endpoint.group_of(key) for key in endpoint.keys}:
        quotas.append(endpoint.groups.get(owner, endpoint.quota))
    quotas += [key.quota for key in endpoint.keys if key.name == owner and key.quota is not None]
    found = [limit for quota in quotas if (limit := getattr(quota, field)) is not None]
    return min(found, default=None)


def _owner_words(owner: str, endpoint: Endpoint) -> str:
    members = [key.name for key in endpoint.keys if endpoint.group_of(key) == owner]
    return f"key {owner}" if not members or members == [owner] else f"group {owner}"
