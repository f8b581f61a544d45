"""Two runs side by side, the pictures on which they agree least, and both answers to one of them."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.tui.made_views import make_view, summary_of
from tests.tui.test_hostile_text import HOSTILE, SIZES, check, visits
from tests.tui.workshop import BAD_REPLY, FLAGGED, Fate, Workshop
from vqa_tui.domain.comparison import (
    ComparedPicture,
    Comparison,
    Difference,
    RunAgreement,
    RunFigures,
    SampledFigures,
    Spread,
)
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.sample import Pair
from vqa_tui.operations.run_edits import delete_run
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.comparing import fact_rows
from vqa_tui.tui.present.comparison_words import agreement_words, comparison_facts
from vqa_tui.tui.screens.answers import AnswersScreen
from vqa_tui.tui.screens.compare import CompareScreen
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.pick_run import PickRun
from vqa_tui.tui.screens.runs import RunsScreen
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.run_table import RunTable

Wait = Callable[..., Any]
Text = Callable[[Any], str]


def says(answer: str) -> Fate:
    return Fate(pairs=(Pair("What is shown?", answer, "general"),))


async def two_runs(workshop: Workshop) -> tuple[int, int]:
    await workshop.dataset()
    second = await workshop.run([says("a red bag"), says("the blue box"), BAD_REPLY], name="second")
    first = await workshop.run([says("a red bag"), says("nothing at all"), FLAGGED])
    return first, second


async def compared(app: VqaApp, pilot: Any, until: Wait, screen_text: Text) -> None:
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(RunTable).rows)
    await pilot.press("space", "space", "equals_sign")
    await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "Agreement" in screen_text(app))


@pytest.mark.parametrize("size", SIZES)
async def test_marked_runs_are_shown_side_by_side(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await two_runs(workshop)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size) as pilot:
        await compared(app, pilot, until, screen_text)
        shown = " ".join(screen_text(app).split())
        assert "Agreement 50.0 % (token F1, over 2 pictures that both answered)" in shown
        assert "50.0 % of 2 answers to the same question are equal" in shown
        assert "images/00001.png" in shown and "images/00000.png" not in shown
        facts = app.screen.query_one("#facts", LiveTable)
        lines = [" | ".join(cell.plain.strip() for cell in row.cells) for row in facts.rows]
        for line in (
            "pairs | 3 | 2",
            "recipe | caption | caption",
            "bad reply | 0 | 1",
            "short answer | 1 (33.3 %) | 0",
        ):
            assert any(each.startswith(line) for each in lines), line
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, FullText) and "caption" in screen_text(app))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert app.screen.query_one(RunTable).marked
        await pilot.press("escape")
        assert not app.screen.query_one(RunTable).marked


@pytest.mark.parametrize("size", SIZES)
async def test_both_answers_to_a_picture_stand_side_by_side(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_runs(workshop)
    opened: list[str] = []

    async def open_it(path: str) -> None:
        opened.append(path)

    monkeypatch.setattr(workshop.services, "open_externally", open_it)
    app = VqaApp(workshop.services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await compared(app, pilot, until, screen_text)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, AnswersScreen) and "▀▀▀" in screen_text(app))
        await until(pilot, lambda: "nothing at all" in screen_text(app) and "the blue box" in screen_text(app))
        await until(pilot, lambda: "images/00001.png" in screen_text(app))
        await pilot.press("j")
        await until(pilot, lambda: "end of the list" in screen_text(app))
        await pilot.press("o")
        await until(pilot, lambda: opened)
        assert opened[0].endswith("images/00001.png")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))


async def test_without_marks_the_other_run_is_chosen_from_a_list(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await two_runs(workshop)
    await workshop.dataset(2, name="boxes")
    await workshop.run([says("x")], name="elsewhere", dataset="boxes")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(RunTable).rows)
        await pilot.press("equals_sign")
        await until(pilot, lambda: "No other run is of the dataset boxes" in screen_text(app))
        await pilot.press("space", "equals_sign")
        await until(pilot, lambda: "Only runs of one dataset can be compared" in screen_text(app))
        await pilot.press("escape", "equals_sign")
        await until(pilot, lambda: isinstance(app.screen, PickRun))
        table = app.screen.query_one(LiveTable)
        assert [row.cells[0].plain for row in table.rows] == ["second"]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("equals_sign")
        await until(pilot, lambda: isinstance(app.screen, PickRun))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and "Agreement 50.0 %" in screen_text(app))


async def test_a_third_mark_takes_the_place_of_the_oldest(workshop: Workshop, until: Wait) -> None:
    await two_runs(workshop)
    await workshop.run([], name="third")
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(RunTable).rows)
        await pilot.press("space", "space", "space")
        table = app.screen.query_one(RunTable)
        assert list(table.marked) == [table.rows[1].id, table.rows[2].id]
        await pilot.press("slash", *"third", "enter")
        assert not table.marked


async def test_a_run_that_is_gone_meanwhile_is_told_on_the_screen(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    first, _second = await two_runs(workshop)
    app = VqaApp(workshop.services)
    async with app.run_test(size=(80, 24)) as pilot:
        await compared(app, pilot, until, screen_text)
        await delete_run(workshop.workspace, first)
        await pilot.press("f5")
        await until(pilot, lambda: f"there is no run {first}" in screen_text(app))


def figures(name: str, **changes: Any) -> RunFigures:
    base: dict[str, Any] = {
        "id": 1, "name": name, "dataset": "bags", "recipe": "caption", "endpoint": "gemini", "model": "m-1",
        "pictures": 30_000, "done": 20_000, "failed": 100, "pairs": 60_000, "spent": Decimal("2.50"),
        "uncertain": Decimal("0.01"), "price_known": True, "requests": 21_000, "retries": 900,
        "input_tokens": 20_100_000, "output_tokens": 2_010_000, "failures": {"bad_reply": 100},
        "request_failures": {"server": 900}, "verdicts": {"accepted": 9, "rejected": 1},
        "sampled": SampledFigures(2_000, 6_000, 800.0, 1_900.0, Spread(20, 60, 140), {"short_answer": 60}),
    }  # fmt: skip
    return RunFigures(**{**base, **changes})


def test_facts_tell_all_that_is_compared() -> None:
    agreement = RunAgreement(18_000, 2_000, 0.71, 0, 0, ())
    found = Comparison(figures("one"), figures("two", price_known=False, uncertain=0), (), agreement)
    facts = {fact.name: (fact.first, fact.second) for fact in comparison_facts(found)}
    assert facts["total"] == ("$2.50 + $0.01 uncertain", "price unknown")
    assert facts["per picture"] == ("$0.000124", "–")
    assert facts["tokens per picture"][0] == "1000 in, 100 out"
    assert facts["pictures failed"][0] == "100 (0.5 %)"
    assert facts["answer length"][0] == "60 (20–140) characters"
    assert facts["rejected"][0] == "10.0 % of 10"
    assert facts["short answer"][0] == "60 (1.0 %)"
    assert agreement_words(found, 2_000) == (
        "Agreement 71.0 % (token F1, over 2 000, evenly spread, of the 18 000 pictures that both answered). "
        "Length, latency and flags: of 2 000 pictures."
    )
    none, unpaired = (replace(found, agreement=RunAgreement(both, 0, None, 0, 0, ())) for both in (0, 3))
    assert "No picture was answered by both" in agreement_words(none, 0)
    assert agreement_words(unpaired, 0) == "3 pictures were answered by both, none with a pair."
    by_request = replace(found, second=replace(found.second, in_parts=True))
    assert "of the 18 000 requests that both answered" in agreement_words(by_request, 2_000)
    assert len(fact_rows(comparison_facts(found))) > len(facts)


@pytest.mark.parametrize("size", SIZES)
@visits(AnswersScreen, CompareScreen, FullText)
async def test_hostile_text(
    fake: Any, picture: str, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    views = make_view(name=HOSTILE, dataset=HOSTILE), make_view(id=2, name=HOSTILE, dataset=HOSTILE)
    services = fake(*views, picture=picture)
    hostile = figures(HOSTILE, recipe=HOSTILE, model=HOSTILE, failures={HOSTILE: 1}, verdicts={HOSTILE: 1},
                      sampled=SampledFigures(1, 1, flags={HOSTILE: 1}))  # fmt: skip
    agreement = RunAgreement(1, 1, 0.5, 1, 0, (ComparedPicture(HOSTILE, 3, 3, 0.5),))
    found = Comparison(hostile, hostile, (Difference(HOSTILE, HOSTILE, HOSTILE),), agreement)
    refusal: list[VqaError] = []

    async def compare(_first: int, _second: int) -> Comparison:
        if refusal:
            raise refusal[0]
        return found

    monkeypatch.setattr(services.run_edits, "compare", compare, raising=False)
    app = VqaApp(services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(RunTable).rows)
        app.push_screen(CompareScreen(services, app.watch_over, *(summary_of(view) for view in views)))
        await until(pilot, lambda: "Agreement 50.0 %" in screen_text(app))
        check(app, screen_text)
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, FullText))
        check(app, screen_text)
        await pilot.press("escape", "tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, AnswersScreen) and "▀▀▀" in screen_text(app))
        check(app, screen_text)
        await pilot.press("escape")
        refusal.append(VqaError(HOSTILE, hint=HOSTILE))
        await pilot.press("f5")
        await until(pilot, lambda: "Agreement" not in screen_text(app))
        check(app, screen_text)
