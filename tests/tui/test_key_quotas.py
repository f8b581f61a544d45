"""The quotas of one key: told with what is used and what the file says, changed in place, given back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Input, Static

from tests.tui.test_hostile_text import HOSTILE, check, visits
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import GaugeView, KeyView
from vqa_tui.operations.limits import LimitInForce
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.present.key_quotas import of_key, quota_about, quota_row
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.key_quotas import KeyQuotasDialog

Wait = Callable[..., Any]
Text = Callable[[Any], str]
Fake = Any

GROUPED = KeyView(
    "a", "team", "ok",
    gauges=(
        GaugeView("requests/min", 3, 60), GaugeView("requests/min", 41, 90, of_group=True),
        GaugeView("tokens/min", 7, 500, learned=True),
    ),
)  # fmt: skip


def limit(name: str, value: int | None = None, own: int | None = None, *, overridden: bool = False) -> LimitInForce:
    return LimitInForce(name, value, own, overridden, f"{name} words", "a whole number, or none")


def cells(key: KeyView, of: LimitInForce) -> list[str]:
    return [cell.plain for cell in quota_row(of, key).cells]


def test_the_quotas_of_a_key_stand_before_those_of_its_group() -> None:
    limits = [limit("budget"), limit("rpm.team"), limit("rpm.a"), limit("tpm.a"), limit("rpm.b")]
    assert [each.name for each in of_key(limits, GROUPED)] == ["rpm.a", "tpm.a", "rpm.team"]
    assert [each.name for each in of_key(limits, replace(GROUPED, group="a"))] == ["rpm.a", "tpm.a"]


def test_each_quota_is_told_with_its_own_use() -> None:
    assert cells(GROUPED, limit("rpm.a", 60, 60))[1:] == ["60", "3", "60", "–"]
    assert cells(GROUPED, limit("rpm.team", 90, 80, overridden=True))[1:] == ["* 90", "41", "80", "–"]
    assert cells(GROUPED, limit("tpm.a"))[1:] == ["none", "–", "none", "500"]


def test_it_is_told_where_a_quota_comes_from_and_how_to_give_it_back() -> None:
    changed = quota_about(limit("rpm.team", 90, 80, overridden=True), GROUPED).plain
    assert "the endpoint's file says 80: `none` gives that back" in changed
    told = quota_about(limit("tpm.a"), GROUPED).plain
    assert "as the endpoint's file says: none" in told and "told 500" in told


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_enter_on_a_key_changes_its_quota_in_place(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "58/60" in screen_text(app))
        keys: Any = app.screen.query_one("#keys")
        keys.focus()
        keys.cursor = [row.id for row in keys.rows].index("a")
        await pilot.press("enter")
        await until(
            pilot, lambda: isinstance(app.screen, KeyQuotasDialog) and "tokens/min of key a" in screen_text(app)
        )
        await until(pilot, lambda: "may spend" not in screen_text(app) and "7 411 requests" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"45", "enter")
        await until(pilot, lambda: ("set_limits", 1, {"rpm.a": "45"}) in running.wanted)
        await until(pilot, lambda: "* 45" in screen_text(app) and "It was set for this run" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, KeyQuotasDialog))


async def test_a_small_terminal_tells_of_a_quota_to_the_end(
    running: Fake, app: VqaApp, make_view: Any, until: Wait, screen_text: Text
) -> None:
    """With as much to say of the key and as many quotas as there can be, also while one is being changed."""
    wanted = "a whole number from 1 to 10000000000, or none (what the endpoint's file says)"
    running.in_force = tuple(
        replace(limit(f"{quota}.{owner}"), about=f"{quota} of {owner}", wanted=wanted)
        for owner in ("a", "team")
        for quota in ("rpm", "tpm", "input_tpm", "output_tpm", "rpd")
    )
    gauges = (*GROUPED.gauges, *(GaugeView(name, 1, 9) for name in ("requests/day", "input tokens/min")))
    told = GaugeView("requests/min", 3, 50, learned=True)
    running.change(keys=(replace(GROUPED, gauges=(*gauges, told), rate_limited=3, errors=2),))

    def wholly(origin: str = "It holds as the endpoint's file says: none.") -> bool:
        about = app.screen.query_one("#about", Static)
        words = [about.render_line(y).text.strip() for y in range(about.size.height)]
        placed = app.screen.find_widget(about)
        return placed.visible_region == placed.region and all(
            each in " ".join(words) for each in ("rpm.a: rpm of a", origin, "which holds where it is less.")
        )

    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "3/60" in screen_text(app))
        app.screen.query_one("#keys").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, KeyQuotasDialog) and wholly())
        await pilot.press("enter")
        field = app.screen.query_one(Input)
        await until(pilot, lambda: app.focused is field and wholly())
        await until(pilot, lambda: app.screen.find_widget(field).visible_region.height == 1)
        await pilot.press(*"45", "enter")
        await until(pilot, lambda: "* 45" in screen_text(app))
        await until(pilot, lambda: wholly("`none` gives that back."))


async def test_a_refused_quota_is_told_in_the_dialog(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "58/60" in screen_text(app))
        keys: Any = app.screen.query_one("#keys")
        keys.focus()
        keys.cursor = [row.id for row in keys.rows].index("a")
        await pilot.press("enter")
        await until(pilot, lambda: "tokens/min of key a" in screen_text(app))
        running.refusal = VqaError("rpm.a: 'x' is not a whole number")
        await pilot.press("enter", "x", "enter")
        await until(pilot, lambda: "is not a whole number" in screen_text(app))
        assert isinstance(app.focused, Input)


async def test_a_screen_that_may_only_look_shows_a_key_without_its_dialog(
    app: VqaApp, running: Fake, until: Wait, screen_text: Text
) -> None:
    running.read_only = True
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "58/60" in screen_text(app))
        app.screen.query_one("#keys").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FullText))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
@visits(KeyQuotasDialog)
async def test_hostile_names_of_keys(
    fake: Fake, make_view: Any, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    key = KeyView(HOSTILE, HOSTILE, HOSTILE, reason=HOSTILE)
    services = fake(make_view(keys=(key,)))
    services.in_force = (LimitInForce(f"rpm.{HOSTILE}", HOSTILE, HOSTILE, True, HOSTILE, HOSTILE),)
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "[/nope]" in screen_text(app))
        app.screen.query_one("#keys").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, KeyQuotasDialog))
        await until(pilot, lambda: "It was set" in screen_text(app) or "Quota" in screen_text(app))
        check(app, screen_text)
        await pilot.press("enter")
        await pilot.pause()
        check(app, screen_text)
