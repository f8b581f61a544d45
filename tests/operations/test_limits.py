"""Everything that may change while a run works: what can be set, what is refused, and what is noted of it."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Limits
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.limits import LimitInForce, limit_words, limits_in_force, set_limits
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.workspace import Workspace, open_workspace, operator
from vqa_tui.store import runs

ENDPOINT = {
    "name": "own",
    "kind": "embedded",
    "model": "m",
    "keys": [
        {"name": "a", "group": "project", "quota": {"requests_per_minute": 30}},
        {"name": "b", "group": "project"},
        {"name": "c", "quota": {"requests_per_minute": 50}},
    ],
    "quota": {"requests_per_minute": 90, "requests_per_day": 1_000},
    "groups": {"project": {"requests_per_minute": 60, "tokens_per_minute": 100_000}},
    "prices": {"input_per_million": "1", "output_per_million": "1"},
    "concurrency": 12,
}


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path) as opened:
        yield opened


async def make_run(workspace: Workspace, folder: Path, **endpoint: Any) -> int:
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8)).save(pictures / "one.png")
    await import_dataset(workspace, "folder", pictures, name="dots")
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({**ENDPOINT, **endpoint}))
    return await create_run(workspace, RunRequest("dots", "caption", str(path), pilot=0))


@pytest.fixture
async def run_id(workspace: Workspace, tmp_path: Path) -> int:
    return await make_run(workspace, tmp_path)


async def actions(workspace: Workspace) -> list[tuple[Any, ...]]:
    rows = await workspace.db.read("SELECT who, verb, old_value, new_value FROM action ORDER BY id")
    return [tuple(row) for row in rows]


async def in_force(workspace: Workspace, run_id: int) -> dict[str, LimitInForce]:
    return {limit.name: limit for limit in await limits_in_force(workspace, run_id)}


async def test_every_change_is_one_action_with_who_and_old_and_new(workspace: Workspace, run_id: int) -> None:
    changes = {
        "budget": "$12.50", "concurrency": "40", "max_attempts": "6", "max_side": "512", "hedge": "on",
        "rpm.project": "120", "tpm.project": "50000", "input_tpm.c": "7", "output_tpm.c": "8", "rpd.c": "9",
    }  # fmt: skip
    limits = await set_limits(workspace, run_id, changes)
    assert limits == Limits(
        budget_usd=Decimal("12.50"), concurrency=40, max_attempts=6, max_side=512, hedge=True,
        requests_per_minute={"project": 120}, tokens_per_minute={"project": 50_000},
        input_tokens_per_minute={"c": 7}, output_tokens_per_minute={"c": 8}, requests_per_day={"c": 9},
    )  # fmt: skip
    assert await actions(workspace) == [
        (operator(), f"set {name}", old, new)
        for name, old, new in (
            ("budget", "none", "12.50"), ("concurrency", "12", "40"), ("max_attempts", "4", "6"),
            ("max_side", "1024", "512"), ("hedge", "off", "on"), ("rpm.project", "60", "120"),
            ("tpm.project", "100000", "50000"), ("input_tpm.c", "none", "7"), ("output_tpm.c", "none", "8"),
            ("rpd.c", "1000", "9"),
        )
    ]  # fmt: skip
    assert (await runs.wishes(workspace.db, run_id)).limits == limits


async def test_none_gives_back_what_the_endpoint_says_and_recipe_what_the_recipe_says(
    workspace: Workspace, run_id: int
) -> None:
    await set_limits(workspace, run_id, {"rpm.project": "120", "max_side": "original", "budget": "3", "hedge": "on"})
    before = await in_force(workspace, run_id)
    assert (before["max_side"].value, before["rpm.project"].overridden) == ("original", True)
    limits = await set_limits(
        workspace, run_id, {"rpm.project": "none", "max_side": "recipe", "budget": "none", "hedge": "off"}
    )
    assert limits == Limits(concurrency=12)
    assert (await actions(workspace))[-4:] == [
        (operator(), "set rpm.project", "120", "60"),
        (operator(), "set max_side", "original", "1024"),
        (operator(), "set budget", "3", "none"),
        (operator(), "set hedge", "on", "off"),
    ]


async def test_what_is_the_case_already_is_no_change(workspace: Workspace, run_id: int) -> None:
    await set_limits(workspace, run_id, {"concurrency": "12", "budget": "none", "rpm.a": "none", "hedge": "off"})
    assert await actions(workspace) == []


WRONG = {
    "budget": ["0", "-1", "nan", "inf", "1e30", "1e-20", "much", "$", "1_000"],
    "concurrency": ["0", "1025", "none", "", "4.5", "many", "16.0", "٣"],
    "max_attempts": ["0", "101", "none"],
    "max_side": ["15", "100001", "none", "big", "512px", "5_12"],
    "hedge": ["none", "maybe", "2"],
    "rpm.a": ["0", "1000001", "-3", "x", "9" * 30, "9" * 5_000, "1_000"],
    "tpm.project": ["0", "10000000001"],
    "rpd.c": ["0", "1000000001"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
async def test_a_wrong_value_is_refused_with_what_is_wanted_and_nothing_is_changed(
    workspace: Workspace, run_id: int, name: str, value: str
) -> None:
    with pytest.raises(VqaError) as refused:
        await set_limits(workspace, run_id, {"concurrency": "20", name: value, "max_attempts": "9"} | {name: value})
    assert name in refused.value.message and repr(value) in refused.value.message
    assert "a whole number" in refused.value.message or "on or off" in refused.value.message or name == "budget"
    assert (await runs.wishes(workspace.db, run_id)).limits == Limits(concurrency=12)
    assert await actions(workspace) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("concurency", "Did you mean concurrency?"),
        ("rpm.proyect", "Did you mean rpm.project?"),
        ("tpm.b.c", "Did you mean tpm."),
        ("rmp.project", "Did you mean rpm.project?"),
        ("rpm.zzz", "input_tpm.NAME"),
        ("colour", "where NAME is project or c or a or b"),
    ],
)
async def test_an_unknown_name_is_answered_with_the_nearest(
    workspace: Workspace, run_id: int, name: str, hint: str
) -> None:
    with pytest.raises(VqaError, match="unknown setting") as refused:
        await set_limits(workspace, run_id, {"concurrency": "20", name: "1"})
    assert hint in refused.value.hint
    assert (await runs.wishes(workspace.db, run_id)).limits.concurrency == 12


async def test_a_budget_needs_prices(workspace: Workspace, tmp_path: Path) -> None:
    run_id = await make_run(workspace, tmp_path, prices=None)
    with pytest.raises(VqaError, match="so a budget cannot be held"):
        await set_limits(workspace, run_id, {"budget": "5"})
    assert await actions(workspace) == []


async def test_what_holds_is_told_with_what_would_hold(workspace: Workspace, run_id: int) -> None:
    await set_limits(workspace, run_id, {"concurrency": "3", "rpm.c": "10"})
    found = await in_force(workspace, run_id)
    assert list(found)[:6] == ["budget", "concurrency", "max_attempts", "max_side", "hedge", "rpm.project"]
    told = {name: (limit.value, limit.own, limit.overridden) for name, limit in found.items()}
    assert told["concurrency"] == (3, 12, True) and told["max_attempts"] == (4, 4, False)
    assert told["max_side"] == (1024, 1024, False) and told["hedge"] == (False, False, False)
    # A key that stands alone has the tighter of its own quota and that of every group.
    assert told["rpm.c"] == (10, 50, True) and told["rpd.c"] == (1_000, 1_000, False)
    assert told["rpm.project"] == (60, 60, False) and told["rpm.a"] == (30, 30, False)
    assert told["rpm.b"] == (None, None, False) and told["tpm.project"] == (100_000, 100_000, False)
    assert found["rpm.project"].about == "requests/min of group project" and found["rpm.c"].about.endswith("of key c")


async def test_two_faces_at_once_undo_nothing_of_each_other(workspace: Workspace, run_id: int, tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as other:
        for number in range(1, 13):
            await asyncio.gather(
                set_limits(workspace, run_id, {"budget": str(number), "max_side": str(100 + number)}),
                set_limits(other, run_id, {"tpm.project": str(number), "rpm.a": str(number), "hedge": "on"}),
            )
    limits = (await runs.wishes(workspace.db, run_id)).limits
    assert limits.budget_usd == 12 and limits.max_side == 112 and limits.hedge
    assert limits.tokens_per_minute == {"project": 12} and limits.requests_per_minute == {"a": 12}
    noted = [(verb, old, new) for _who, verb, old, new in await actions(workspace) if verb == "set budget"]
    assert noted == [("set budget", str(n) if n else "none", str(n + 1)) for n in range(12)]


values = st.one_of(
    st.none(), st.booleans(), st.integers(1, 10**10), st.decimals(0, 10**9, places=6), st.just("original")
)


@given(values)
def test_words_of_a_value_are_how_it_is_typed(value: Any) -> None:
    words = limit_words(value)
    assert words and " " not in words and "E" not in words
