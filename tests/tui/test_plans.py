"""The plan in the new-run dialog: the band, where prices are from, and the table of sizes, at any size of terminal."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from textual.widgets import Checkbox, Input, Select

from vqa_tui.config.endpoint import EndpointPrices
from vqa_tui.operations.plan import BandPart, RunPlan, SizeRow, TimeBound
from vqa_tui.operations.planning import RunRequest
from vqa_tui.store.earlier_runs import EarlierRuns
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.plan_words import band_parts, most_words, price_source, price_words
from vqa_tui.tui.present.plans import plan_text
from vqa_tui.tui.screens import new_run
from vqa_tui.tui.screens.new_run import NewRunDialog

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any

PLAN = RunPlan(
    items=30_044,
    prompt_tokens_per_item=420.2,
    picture_tokens_per_item=14_168.0,
    output_tokens_per_item=300.0,
    cost_per_item=Decimal("0.00237"),
    cost_total=Decimal("71.25"),
    expected_s=172_800.0,
    warnings=("With a longest side of 512 pixels it would cost 35 % less.",),
    cost_low=Decimal("61.5"),
    cost_high=Decimal("88.75"),
    cost_most=Decimal("140"),
    band=(
        BandPart("prompt tokens", Decimal("0.4"), Decimal("0.4"), "4 bytes a token is a rule of thumb"),
        BandPart("reply length", Decimal("2.7"), Decimal("5.4"), "no earlier run; the recipe expects 300 tokens"),
        BandPart("prompt sample", Decimal(0), Decimal(0), "prompts differ; 50 were looked at"),
        BandPart("asked again", Decimal(0), Decimal("3.5"), "replies that cannot be used are paid too"),
    ),
    prices=EndpointPrices(
        input_per_million=Decimal("0.15"),
        output_per_million=Decimal("0.6"),
        cached_input_per_million=Decimal("0.075"),
        source="genai-prices 0.2.3: list price of OpenAI, gpt-4o-mini",
        as_of="2026-11-09",
    ),
    prices_listed=True,
    max_side=600,
    sizes=(
        SizeRow(384, 8500.0, Decimal("43.86"), 538_000_000, 30_044, False),
        SizeRow(600, 14_168.0, Decimal("71.25"), 1_200_000_000, 29_000, True),
        SizeRow(None, 25_501.0, Decimal("120.3"), 4_700_000_000, 0, False),
    ),
    time_bounds=(TimeBound("requests/day", 172_800.0), TimeBound("requests/min", 6_000.0)),
    earlier=EarlierRuns(2, 40, 42, 42, 1000, 1080, 9000, 800.0),
    input_ratio=1.08,
    requests_per_item=1.05,
)


def test_a_plan_shows_band_price_source_sizes_and_measure() -> None:
    text = plan_text(PLAN).plain
    for words in (
        "≈ $71.25   $61.50 to $88.75   $0.00237 a picture",
        "at least 2d 00h by its quotas (requests/day)",
        "▲ With a longest side of 512 pixels",
        "$0.15 in, $0.60 out, $0.075 cached in, per million tokens",
        "genai-prices 0.2.3: list price of OpenAI, gpt-4o-mini, as of 2026-11-09",
        "2 earlier runs of this recipe and model: input 1.08 × the estimate, 300 tokens a reply, 1.05 requests",
        "▸       600 px     14k   $71.25   1.2 GB",
    ):
        assert words in text
    assert len({len(line) for line in text.splitlines() if line.endswith("B")}) == 1


def test_the_band_names_its_parts_the_largest_first() -> None:
    assert band_parts(PLAN) == [
        "−$2.70/+$5.40 reply length: no earlier run; the recipe expects 300 tokens",
        "+$3.50 asked again: replies that cannot be used are paid too",
        "±$0.40 prompt tokens: 4 bytes a token is a rule of thumb",
    ]


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2026-11-09", "a contract, as of 2026-11-09"),
        ("list of 2026-11-09", "a contract, list of 2026-11-09"),
        ("", "a contract"),
    ],
)
def test_the_day_of_a_price_and_the_day_of_a_list_are_told_apart(as_of: str, words: str) -> None:
    prices = EndpointPrices(
        input_per_million=Decimal(1), output_per_million=Decimal(1), source="a contract", as_of=as_of
    )
    assert price_source(prices, listed=True) == words


def test_the_most_says_what_it_assumes() -> None:
    most = replace(PLAN, most_requests=4)
    assert most_words(most) == "$140.00 if every picture takes 4 requests and every reply is as long as allowed"
    assert most_words(PLAN) == "$140.00 if every picture takes 1 request and every reply is as long as allowed"
    assert most_words(replace(PLAN, cost_most=None)) == ""


def test_prices_are_shown_in_full() -> None:
    prices = EndpointPrices(input_per_million=Decimal("0.0375"), output_per_million=Decimal("15"))
    assert price_words(prices) == "$0.0375 in, $15.00 out, per million tokens"


@pytest.mark.parametrize(("size", "scrolls"), [((80, 24), True), ((200, 50), False)])
async def test_the_whole_plan_can_be_read(
    fake: Fake, until: Wait, screen_text: Text, size: tuple[int, int], scrolls: bool
) -> None:
    services = fake()
    services.plan_answer = PLAN
    app = VqaApp(services)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunDialog) and "choose a recipe" in screen_text(app))
        app.screen.query_one("#recipe", Select).value = "caption"
        app.screen.query_one("#endpoint", Select).value = "gemini"
        await until(pilot, lambda: "$61.50 to $88.75" in screen_text(app))
        assert "Start (ctrl+s)" in screen_text(app)
        last = "are paid too"
        assert (last in screen_text(app)) is not scrolls
        if scrolls:
            await pilot.press("pagedown", "pagedown", "pagedown")
            await until(pilot, lambda: last in screen_text(app))
        shown = screen_text(app)
        for words in ("original", "2026-11-09", "reply length", "Start (ctrl+s)"):
            assert words in shown
        # Nothing of a row runs out of the box.
        assert "▸       600 px     14k   $71.25   1.2 GB" in shown


async def test_a_size_and_hedging_reach_the_request(fake: Fake, until: Wait, screen_text: Text) -> None:
    services = fake()
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunDialog) and "choose a recipe" in screen_text(app))
        dialog = app.screen
        assert isinstance(dialog, NewRunDialog)
        dialog.query_one("#recipe", Select).value = "caption"
        dialog.query_one("#endpoint", Select).value = "gemini"
        dialog.query_one("#max_side", Input).value = "5"
        await until(pilot, lambda: "no longest side" in screen_text(app))
        dialog.query_one("#max_side", Input).value = "original"
        assert "[ ] stragglers" in screen_text(app)
        dialog.query_one("#hedge", Checkbox).value = True
        await until(pilot, lambda: "[x] stragglers" in screen_text(app))
        await until(pilot, lambda: "tokens each" in screen_text(app))
        request = dialog.form.request()
        assert (request.max_side, request.hedge) == ("original", True)


async def test_a_number_is_planned_once_after_its_last_digit(
    fake: Fake, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fake()
    planned: list[int | None] = []
    answer = services.plan

    async def counted(request: RunRequest) -> RunPlan:
        planned.append(request.limit)
        plan: RunPlan = await answer(request)
        return plan

    monkeypatch.setattr(services, "plan", counted)
    app = VqaApp(services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.watch_over.last_runs is not None)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunDialog) and "choose a recipe" in screen_text(app))
        app.screen.query_one("#recipe", Select).value = "caption"
        app.screen.query_one("#endpoint", Select).value = "gemini"
        await until(pilot, lambda: "tokens each" in screen_text(app))
        del planned[:]
        begun: list[float] = []
        cut: list[float] = []
        quiet = asyncio.Event()

        async def pause(seconds: float) -> None:
            begun.append(seconds)
            try:
                await quiet.wait()
            except asyncio.CancelledError:
                cut.append(seconds)
                raise

        monkeypatch.setattr(new_run, "_pause", pause)
        for typed in ("1", "12", "120"):
            app.screen.query_one("#limit", Input).value = typed
            await until(pilot, lambda typed=typed: len(begun) == len(typed))
        assert planned == [] and begun == [0.2] * 3
        await until(pilot, lambda: len(cut) == 2)
        quiet.set()
        await until(pilot, lambda: planned != [])
        assert planned == [120]
