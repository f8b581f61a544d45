"""Runs with another model than the file of the endpoint names, and runs like earlier ones, over real workspaces."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from vqa_tui.config.freeze import thaw_endpoint, thaw_recipe
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import RunRequest, create_run, plan_run, request_like
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.store import runs

RECIPE = {
    "name": "plain",
    "prompt": {"user": "Describe the picture."},
    "reply": {"kind": "text", "question": "What is it?"},
    "expected_output_tokens": 100,
}
ENDPOINT = {
    "name": "there",
    "base_url": "https://models.example.com/v1",
    "model": "m",
    "keys": [{"name": "k"}],
    "prices": {"input_per_million": "1", "output_per_million": "10", "source": "a contract"},
    "image_tokens": {"rule": "gemini_tiles"},
    "concurrency": 8,
}
Write = Callable[..., None]
REQUEST = RunRequest("scans", "plain", "there", pilot=3)


@pytest.fixture
async def workspace(tmp_path: Path, configure: Write) -> AsyncIterator[Workspace]:
    pictures = tmp_path / "scans"
    pictures.mkdir()
    for number in range(6):
        Image.new("RGB", (64, 48), (number * 30, 80, 120)).save(pictures / f"scan_{number}.png")
    configure()
    async with open_workspace(tmp_path) as opened:
        await import_dataset(opened, "folder", pictures, name="scans")
        yield opened


@pytest.fixture
def configure(tmp_path: Path) -> Write:
    """Write recipe and endpoint beside the workspace, with changes."""

    def write(*, recipe: dict[str, Any] | None = None, endpoint: dict[str, Any] | None = None) -> None:
        for folder, whole in (("recipes", RECIPE | (recipe or {})), ("endpoints", ENDPOINT | (endpoint or {}))):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{whole['name']}.yaml").write_text(yaml.safe_dump(whole))

    return write


async def test_another_model_is_frozen_into_the_run_without_the_prices_of_the_files_own(workspace: Workspace) -> None:
    plan = await plan_run(workspace, replace(REQUEST, model="unheard-of"))
    assert plan.prices is None and plan.cost_total is None
    assert any("written for m" in words and "unheard-of" in words for words in plan.warnings)
    run_id = await create_run(workspace, replace(REQUEST, model="unheard-of"))
    frozen = await runs.frozen_run(workspace.db, run_id)
    assert frozen is not None
    endpoint = thaw_endpoint(frozen.endpoint)
    assert (endpoint.model, endpoint.prices) == ("unheard-of", None)
    with pytest.raises(VqaError, match="price of unheard-of"):
        await plan_run(workspace, replace(REQUEST, model="unheard-of", budget_usd=Decimal(1)))
    listed = await plan_run(workspace, replace(REQUEST, model="gpt-4o-mini", budget_usd=Decimal(1)))
    assert listed.prices_listed and listed.prices is not None and "gpt-4o-mini" in (listed.prices.source or "")


async def test_the_files_own_model_given_by_name_changes_nothing(workspace: Workspace) -> None:
    assert await plan_run(workspace, replace(REQUEST, model="m")) == await plan_run(workspace, REQUEST)


async def test_at_an_endpoint_of_ones_own_prices_hold_for_every_model(workspace: Workspace, configure: Write) -> None:
    configure(endpoint={"base_url": "http://127.0.0.1:8000/v1"})
    plan = await plan_run(workspace, replace(REQUEST, model="other", budget_usd=Decimal(1)))
    assert plan.prices is not None and plan.prices.source == "a contract"
    assert not any("written for" in words for words in plan.warnings)


@pytest.mark.parametrize("model", ["", " ", "a\nb", "\x1b[31m", "x" * 201, "sk-abcdefghijklmnop1234567890"])
async def test_what_cannot_be_a_model_is_refused(workspace: Workspace, model: str) -> None:
    with pytest.raises(VqaError, match="model"):
        await plan_run(workspace, replace(REQUEST, model=model))


async def test_a_request_like_a_run_asks_the_same(workspace: Workspace) -> None:
    asked = replace(REQUEST, name="first", limit=4, budget_usd=Decimal("2.50"), concurrency=3, max_side=32, hedge=True)
    run_id = await create_run(workspace, asked)
    again = await request_like(workspace, run_id)
    assert again == replace(asked, name=None, like=run_id)
    assert (await plan_run(workspace, again)).warnings == (
        await plan_run(workspace, replace(again, like=None))
    ).warnings
    untouched = await create_run(workspace, REQUEST)
    assert await request_like(workspace, untouched) == replace(REQUEST, like=untouched)


async def test_a_run_over_everything_stays_one_when_the_dataset_has_grown(workspace: Workspace, tmp_path: Path) -> None:
    every = await create_run(workspace, REQUEST)
    some = await create_run(workspace, replace(REQUEST, limit=2))
    Image.new("RGB", (64, 48)).save(tmp_path / "scans" / "scan_9.png")
    await import_dataset(workspace, "folder", tmp_path / "scans", name="scans")
    assert (await request_like(workspace, every)).limit is None
    assert (await request_like(workspace, some)).limit == 2


async def test_limits_changed_meanwhile_are_taken_over(workspace: Workspace, configure: Write) -> None:
    run_id = await create_run(workspace, REQUEST)
    await set_limits(workspace, run_id, {"budget": "7", "rpm.k": "30"})
    again = await request_like(workspace, run_id)
    assert again.budget_usd == Decimal(7)
    plan = await plan_run(workspace, again)
    assert any("requests per minute" in words for words in plan.warnings)
    wishes = await runs.wishes(workspace.db, await create_run(workspace, again))
    assert wishes.limits.requests_per_minute == {"k": 30}
    configure(endpoint={"name": "elsewhere"})
    elsewhere = await create_run(workspace, replace(again, endpoint="elsewhere"))
    assert (await runs.wishes(workspace.db, elsewhere)).limits.requests_per_minute == {}


async def test_files_that_changed_since_are_named(workspace: Workspace, configure: Write) -> None:
    run_id = await create_run(workspace, replace(REQUEST, name="first"))
    configure(recipe={"pairs": 3}, endpoint={"concurrency": 16, "model": "newer"})
    again = await request_like(workspace, run_id)
    assert again.model == "m"
    warnings = (await plan_run(workspace, again)).warnings
    assert "The recipe plain is no longer as run first had it: pairs changed." in warnings
    assert "The endpoint there is no longer as run first had it: concurrency changed." in warnings


async def test_a_file_that_is_gone_leaves_what_the_run_had(workspace: Workspace, tmp_path: Path) -> None:
    run_id = await create_run(workspace, replace(REQUEST, name="first"))
    (tmp_path / "recipes" / "plain.yaml").unlink()
    (tmp_path / "endpoints" / "there.yaml").unlink()
    again = await request_like(workspace, run_id)
    warnings = (await plan_run(workspace, again)).warnings
    assert "No recipe is named plain here: it is taken as run first had it." in warnings
    assert "No endpoint is named there here: it is taken as run first had it." in warnings
    frozen = await runs.frozen_run(workspace.db, await create_run(workspace, again))
    assert frozen is not None
    assert [each.user for each in thaw_recipe(frozen.recipe).templates] == ["Describe the picture."]
    with pytest.raises(VqaError, match="no recipe named"):
        await plan_run(workspace, replace(again, like=None))


async def test_a_run_that_is_not_there_is_said(workspace: Workspace) -> None:
    with pytest.raises(VqaError, match="no run 99"):
        await request_like(workspace, 99)
