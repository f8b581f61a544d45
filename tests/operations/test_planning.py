"""Plans over real workspaces: exact picture tokens, prices and where they are from, the band, sizes, time, warnings."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from vqa_tui.config.freeze import freeze, thaw_endpoint
from vqa_tui.config.load import load_recipe
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run, parse_max_side, plan_run
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.store import runs
from vqa_tui.store.queue import TaskQueue

SIZES = [(640, 480)] * 4 + [(960, 540)] * 2 + [(200, 100)]
TILES = 4 * 1032 + 2 * 1548 + 258
RECIPE = {
    "name": "plain",
    "prompt": {"user": "Describe the picture."},
    "reply": {"kind": "text", "question": "What is it?"},
    "expected_output_tokens": 100,
    "picture": {"max_side": None},
}
PRICES = {"input_per_million": "1", "output_per_million": "10", "source": "a contract", "as_of": "2026-01-01"}
Write = Callable[..., str]


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    pictures = tmp_path / "scans"
    pictures.mkdir()
    for number, size in enumerate(SIZES):
        Image.new("RGB", size, (number, 80, 120)).save(pictures / f"scan_{number}.png")
    async with open_workspace(tmp_path / "work") as opened:
        await import_dataset(opened, "folder", pictures, name="scans")
        yield opened


@pytest.fixture
def endpoint(tmp_path: Path) -> Write:
    def write(**fields: Any) -> str:
        path = tmp_path / "there.yaml"
        whole = {
            "name": "there",
            "base_url": "https://models.example.com/v1",
            "model": "m",
            "keys": [{"name": "k"}],
            "prices": PRICES,
            "image_tokens": {"rule": "gemini_tiles"},
        }
        path.write_text(yaml.safe_dump(whole | fields))
        return str(path)

    return write


@pytest.fixture
def recipe(tmp_path: Path) -> Write:
    def write(**fields: Any) -> str:
        path = tmp_path / "plain.yaml"
        path.write_text(yaml.safe_dump(RECIPE | fields))
        return str(path)

    return write


async def test_the_tokens_of_all_pictures_are_counted_one_by_one(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    plan = await plan_run(workspace, RunRequest("scans", recipe(), endpoint()))
    prompt = len("Describe the picture.") // 4 + 20
    assert plan.items == 7 and plan.sizes_exact
    assert plan.picture_tokens_per_item * 7 == pytest.approx(TILES)
    assert (plan.prompt_tokens_per_item, plan.output_tokens_per_item) == (prompt, 100)
    assert plan.cost_total is not None and plan.cost_low is not None and plan.cost_high is not None
    exact = Decimal(TILES + 7 * prompt) / 10**6 + Decimal(7 * 100 * 10) / 10**6
    assert plan.cost_total == pytest.approx(exact)
    assert plan.cost_low < plan.cost_total < plan.cost_high
    assert plan.cost_most is not None and plan.cost_most > plan.cost_high
    assert {part.name for part in plan.band} >= {"reply length", "picture tokens", "prompt tokens", "asked again"}
    assert plan.prices is not None and plan.prices.source == "a contract" and not plan.prices_listed


async def test_a_smaller_size_is_what_its_row_of_the_table_said(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    plan = await plan_run(workspace, RunRequest("scans", recipe(), endpoint()))
    rows = {row.max_side: row for row in plan.sizes}
    assert list(rows) == [384, 512, 768, 1024, None]
    assert [row.max_side for row in plan.sizes if row.chosen] == [None]
    assert rows[384].picture_tokens == 258 and rows[384].shrunk == 6 and rows[1024].shrunk == 0
    assert rows[384].sent_bytes < rows[None].sent_bytes
    for side in (384, 512, 768):
        smaller = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(), max_side=side))
        assert smaller.cost_total == rows[side].cost_total and smaller.max_side == side
    odd = await plan_run(workspace, RunRequest("scans", recipe(picture={"max_side": 600}), endpoint()))
    assert [row.max_side for row in odd.sizes] == [384, 512, 600, 768, 1024, None]
    whole = await plan_run(
        workspace, RunRequest("scans", recipe(picture={"max_side": 600}), endpoint(), max_side="original")
    )
    assert whole.max_side is None and whole.cost_total == rows[None].cost_total


async def test_a_limit_plans_the_pictures_that_are_asked(workspace: Workspace, recipe: Write, endpoint: Write) -> None:
    plan = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(), limit=3))
    run_id = await create_run(workspace, RunRequest("scans", recipe(), endpoint(), limit=3))
    rows = await workspace.db.read(
        "SELECT width FROM item JOIN task ON task.item_id = item.id WHERE run_id = ?", (run_id,)
    )
    tokens = {640: 1032, 960: 1548, 200: 258}
    assert plan.picture_tokens_per_item * 3 == pytest.approx(sum(tokens[row["width"]] for row in rows))


async def test_a_listed_price_is_told_and_frozen_into_the_run(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    request = RunRequest("scans", recipe(), endpoint(prices=None, model="gpt-4o-mini"), budget_usd=Decimal(1))
    plan = await plan_run(workspace, request)
    assert plan.prices is not None and plan.prices_listed and plan.prices.source.startswith("genai-prices ")
    assert any("from a public list" in warning for warning in plan.warnings)
    frozen = await runs.frozen_run(workspace.db, await create_run(workspace, request))
    assert frozen is not None
    assert thaw_endpoint(frozen.endpoint).prices == plan.prices


async def test_an_unknown_price_is_said_and_no_budget_is_taken(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    unknown = endpoint(prices=None)
    plan = await plan_run(workspace, RunRequest("scans", recipe(), unknown))
    assert (plan.cost_total, plan.cost_low, plan.cost_most, plan.band) == (None, None, None, ())
    assert all(row.cost_total is None for row in plan.sizes)
    assert any("price is unknown" in warning for warning in plan.warnings)
    with pytest.raises(VqaError, match="price of m at the endpoint there is unknown"):
        await plan_run(workspace, RunRequest("scans", recipe(), unknown, budget_usd=Decimal(1)))
    with pytest.raises(VqaError, match="unknown"):
        await create_run(workspace, RunRequest("scans", recipe(), unknown, budget_usd=Decimal(1)))
    near = endpoint(prices=None, base_url="http://localhost:8000/v1", model="gpt-4o-mini")
    assert (await plan_run(workspace, RunRequest("scans", recipe(), near))).prices is None


async def test_a_price_of_zero_that_a_person_states_is_a_price(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    free = endpoint(prices={"input_per_million": 0, "output_per_million": 0})
    plan = await plan_run(workspace, RunRequest("scans", recipe(), free, budget_usd=Decimal(1)))
    assert [plan.cost_total, plan.cost_low, plan.cost_high] == [0, 0, 0]


async def test_a_budget_that_is_too_small_or_doubtful_is_told(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    plan = await plan_run(workspace, RunRequest("scans", recipe(), endpoint()))
    assert plan.cost_total is not None and plan.cost_high is not None
    half = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(), budget_usd=plan.cost_total / 2))
    assert "The budget is enough for about 3 of 7 pictures" in half.warnings[0]
    doubtful = (plan.cost_total + plan.cost_high) / 2
    told = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(), budget_usd=doubtful))
    assert "may not be enough" in told.warnings[0]
    cent = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(), budget_usd=Decimal("0.0001")))
    assert "not enough for a single picture" in cent.warnings[0]


async def test_a_picture_rule_that_nobody_stated_is_a_guess(workspace: Workspace, recipe: Write) -> None:
    path = workspace.paths.root.parent / "bare.yaml"
    path.write_text(
        "name: bare\nbase_url: https://models.example.com/v1\nmodel: m\nkeys: [{name: k}]\n"
        "prices: {input_per_million: 1, output_per_million: 1}\n"
    )
    plan = await plan_run(workspace, RunRequest("scans", recipe(), str(path)))
    assert any("1500 tokens for each picture is a guess" in warning for warning in plan.warnings)
    (part,) = [part for part in plan.band if part.name == "picture tokens"]
    assert (
        part.high == pytest.approx(Decimal(7 * 1500) * Decimal("0.75") / 10**6) and part.reason == "no rule is stated"
    )


async def test_quotas_bound_the_time(workspace: Workspace, recipe: Write, endpoint: Write) -> None:
    quota = {"requests_per_minute": 2, "input_tokens_per_minute": 100, "requests_per_day": 3}
    plan = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(quota=quota)))
    bounds = {bound.name: bound.seconds for bound in plan.time_bounds}
    assert bounds["requests/min"] == 7 / 2 * 60
    assert bounds["requests/day"] == 2 * 86_400
    assert bounds["input tokens/min"] == pytest.approx((TILES + 7 * 25) / 100 * 60)
    assert plan.expected_s == max(bounds.values()) == plan.time_bounds[0].seconds
    assert any("over 3 days" in warning for warning in plan.warnings)
    # Two keys that stand alone have two quotas; one group has one; a key's own quota is a bound within it.
    two = [{"name": "a"}, {"name": "b"}]
    for keys, seconds in (
        (two, 105),
        ([each | {"group": "g"} for each in two], 210),
        ([{"name": "a", "quota": {"requests_per_minute": 1}}, {"name": "b"}], 140),
    ):
        there = endpoint(keys=keys, quota={"requests_per_minute": 2})
        assert (await plan_run(workspace, RunRequest("scans", recipe(), there))).expected_s == pytest.approx(seconds)
    assert (await plan_run(workspace, RunRequest("scans", recipe(), endpoint()))).expected_s is None


async def test_earlier_runs_calibrate_the_plan(workspace: Workspace, recipe: Write, endpoint: Write) -> None:
    before = await plan_run(workspace, RunRequest("scans", recipe(), endpoint()))
    run_id = await create_run(workspace, RunRequest("scans", recipe(), endpoint(), pilot=0))
    queue = TaskQueue(workspace.db, run_id, await runs.begin_session(workspace.db, run_id, 1))
    tasks = await queue.claim(7, now=0, pilot_only=False)
    attempt = AttemptRecord("k", 1.0, 2000.0, "ok", usage=Usage(1500, 30), estimated_input_tokens=1000)
    await queue.settle([TaskOutcome(task.id, TaskStatus.DONE, attempt, True) for task in tasks])

    plan = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(concurrency=2)))
    assert plan.earlier is not None and plan.earlier.runs == 1
    assert (plan.input_ratio, plan.output_tokens_per_item, plan.requests_per_item) == (1.5, 30, 1)
    read = TILES + 7 * plan.prompt_tokens_per_item
    assert plan.cost_total == pytest.approx(Decimal(read * 1.5 + 7 * 30 * 10) / 10**6)
    assert [(bound.name, bound.seconds) for bound in plan.time_bounds] == [("in flight", 7 * 2.0 / 2)]
    assert plan.cost_total is not None and plan.cost_low is not None and plan.cost_high is not None
    assert before.cost_total is not None and before.cost_low is not None and before.cost_high is not None
    width = (plan.cost_high - plan.cost_low) / plan.cost_total
    assert width < (before.cost_high - before.cost_low) / before.cost_total
    # Another recipe is another measure.
    other = await plan_run(workspace, RunRequest("scans", recipe(pairs=2), endpoint()))
    assert other.earlier is None and other.input_ratio == 1


async def test_numbers_that_mean_nothing_and_savings_are_told(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    rule = {"rule": "pixels", "pixels_per_token": 10, "tokens": 900}
    plan = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(image_tokens=rule)))
    assert any("tokens means nothing to the rule pixels" in warning for warning in plan.warnings)
    short = recipe(generation={"max_tokens": 50})
    cut = await plan_run(workspace, RunRequest("scans", short, endpoint()))
    assert any("cuts them at 50" in warning for warning in cut.warnings)
    big = await plan_run(workspace, RunRequest("scans", recipe(), endpoint(image_tokens=rule), max_side=768))
    assert any("longest side of 512 pixels it would cost" in warning for warning in big.warnings)


async def test_what_was_asked_for_is_frozen_into_the_limits(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    run_id = await create_run(workspace, RunRequest("scans", recipe(), endpoint(), max_side="original", hedge=True))
    limits = (await runs.wishes(workspace.db, run_id)).limits
    assert limits.max_side == "original" and limits.hedge
    frozen = await runs.frozen_run(workspace.db, run_id)
    assert frozen is not None and frozen.recipe == freeze(load_recipe(recipe(), folders=[]))
    with pytest.raises(VqaError, match="max_side"):
        await plan_run(workspace, RunRequest("scans", recipe(), endpoint(), max_side=3))


async def test_pictures_that_were_added_are_in_the_next_plan(
    workspace: Workspace, recipe: Write, endpoint: Write, tmp_path: Path
) -> None:
    assert (await plan_run(workspace, RunRequest("scans", recipe(), endpoint()))).items == 7
    Image.new("RGB", (200, 100), (9, 9, 9)).save(tmp_path / "scans" / "new.png")
    await import_dataset(workspace, "folder", tmp_path / "scans", name="scans")
    plan = await plan_run(workspace, RunRequest("scans", recipe(), endpoint()))
    assert plan.items == 8 and plan.picture_tokens_per_item * 8 == pytest.approx(TILES + 258)


@pytest.mark.parametrize(("text", "side"), [("768", 768), (" 1024 px", 1024), ("ORIGINAL", "original")])
def test_a_longest_side_is_read(text: str, side: int | str) -> None:
    assert parse_max_side(text, field="--max-side") == side


@pytest.mark.parametrize("text", ["", "0", "15", "100001", "-768", "7e2", "٧٦٨", "large", "9" * 400])
def test_what_is_no_longest_side_is_named(text: str) -> None:
    with pytest.raises(VqaError, match="--max-side"):
        parse_max_side(text, field="--max-side")


async def test_a_tier_that_the_recipe_asks_for_has_its_own_list_price(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    there = endpoint(prices=None, base_url="https://api.openai.com/v1", model="gpt-5.4")
    plain = await plan_run(workspace, RunRequest("scans", recipe(), there))
    dear = recipe(generation={"extra_body": {"service_tier": "priority"}})
    tier = await plan_run(workspace, RunRequest("scans", dear, there))
    assert plain.prices is not None and tier.prices is not None
    assert tier.prices.input_per_million > plain.prices.input_per_million
    assert "service_tier priority" in tier.prices.source
    unknown = recipe(generation={"extra_body": {"service_tier": "gold"}})
    assert (await plan_run(workspace, RunRequest("scans", unknown, there))).cost_total is None


@pytest.mark.parametrize(
    ("rule", "extra_body", "warned"),
    [
        ({"media_resolution": "low"}, {}, True),
        ({"media_resolution": "ultra_high"}, {"reasoning_effort": "low"}, True),
        ({"media_resolution": "low"}, {"google": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}}, False),
        ({"media_resolution": "low"}, {"a": [{"media_resolution": "low"}]}, False),
        ({"media_resolution": "high"}, {}, False),
        ({}, {}, False),
    ],
)
async def test_a_resolution_that_only_the_estimate_knows_is_told(
    workspace: Workspace,
    recipe: Write,
    endpoint: Write,
    rule: dict[str, str],
    extra_body: dict[str, Any],
    warned: bool,
) -> None:
    stated = {"rule": "gemini_media_resolution"} | rule
    for in_endpoint, in_recipe in ((extra_body, {}), ({}, extra_body)):
        there = endpoint(image_tokens=stated, extra_body=in_endpoint)
        asking = recipe(generation={"extra_body": in_recipe})
        plan = await plan_run(workspace, RunRequest("scans", asking, there))
        assert any("no extra_body asks for one" in warning for warning in plan.warnings) is warned


async def test_what_one_way_of_thinking_took_says_nothing_about_another(
    workspace: Workspace, recipe: Write, endpoint: Write
) -> None:
    run_id = await create_run(
        workspace, RunRequest("scans", recipe(), endpoint(extra_body={"reasoning_effort": "none"}), pilot=0)
    )
    queue = TaskQueue(workspace.db, run_id, await runs.begin_session(workspace.db, run_id, 1))
    tasks = await queue.claim(7, now=0, pilot_only=False)
    attempt = AttemptRecord("k", 1.0, 2000.0, "ok", usage=Usage(1500, 30), estimated_input_tokens=1000)
    await queue.settle([TaskOutcome(task.id, TaskStatus.DONE, attempt, True) for task in tasks])
    for level, known in (("none", True), ("high", False)):
        there = endpoint(extra_body={"reasoning_effort": level})
        assert ((await plan_run(workspace, RunRequest("scans", recipe(), there))).earlier is not None) is known
    rehearsal = endpoint(extra_body={"reasoning_effort": "none"}, kind="embedded", base_url="")
    assert (await plan_run(workspace, RunRequest("scans", recipe(), rehearsal))).earlier is None
