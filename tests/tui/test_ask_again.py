"""Asking again by key: who is meant, what may be changed, what it takes, and what is done in a real workspace."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import yaml
from textual.widgets import Checkbox, Input, Select

from tests.tui.test_hostile_text import HOSTILE, check, visits
from tests.tui.workshop import BAD_REPLY, DONE, Fate, Workshop
from vqa_tui.domain.changes import TaskChanges
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import Phase, TaskStatus
from vqa_tui.operations.asking_again import Chosen
from vqa_tui.operations.follow_ups import Elsewhere
from vqa_tui.tui.again_form import AgainForm
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.ask_again import AskAgainDialog
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen

Wait = Callable[..., Any]
Text = Callable[[Any], str]

CUT = replace(BAD_REPLY, problem="cut off before the first pair", finish_reason="length")
SIZES = [(80, 24), (200, 50)]


async def in_items(app: VqaApp, pilot: Any, until: Wait) -> ItemsScreen:
    await until(pilot, lambda: app.watch_over.last_run is not None)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and app.screen.tasks.current is not None)
    assert isinstance(app.screen, ItemsScreen)
    return app.screen


async def opened(app: VqaApp, pilot: Any, until: Wait) -> AskAgainDialog:
    await pilot.press("A")
    await until(pilot, lambda: isinstance(app.screen, AskAgainDialog))
    dialog = app.screen
    assert isinstance(dialog, AskAgainDialog)
    await until(pilot, lambda: dialog.query_one("#max_tokens", Input).value != "")
    return dialog


def told(app: VqaApp) -> list[str]:
    """What toasts say."""
    return [" ".join(toast.message.split()) for toast in app._notifications]


async def rows(workshop: Workshop, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await workshop.workspace.db.read(sql)]


async def typed(pilot: Any, dialog: AskAgainDialog, field: str, text: str) -> None:
    dialog.query_one(f"#{field}", Input).focus()
    dialog.query_one(f"#{field}", Input).value = ""
    await pilot.press(*text)


@pytest.mark.parametrize("size", SIZES)
async def test_one_failed_item_is_asked_again_with_more_room_and_a_smaller_picture(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([CUT, DONE])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        items = await in_items(app, pilot, until)
        dialog = await opened(app, pilot, until)
        await until(pilot, lambda: "about $" in screen_text(app) or "price" in screen_text(app))
        shown = " ".join(screen_text(app).replace("│", " ").split())
        assert "1 picture failed" in shown and "the reply was cut at max_tokens" in shown
        await typed(pilot, dialog, "max_tokens", "4000")
        await typed(pilot, dialog, "max_side", "100")
        await until(pilot, lambda: "tokens each, at 100 px" in screen_text(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is items)
        done = "1 picture will be asked again. The run first is stopped: resume it. u takes it back."
        await until(pilot, lambda: done in told(app))
        changed = await rows(workshop, "SELECT status, changes FROM task ORDER BY id LIMIT 2")
        assert changed == [("pending", '{"max_side":100,"max_tokens":4000}'), ("done", "{}")]
        await pilot.press("u")
        await until(pilot, lambda: "ask again: 1 of 1 taken back." in told(app))
    changed = await rows(workshop, "SELECT status, changes FROM task ORDER BY id LIMIT 2")
    assert changed == [("failed", "{}"), ("done", "{}")]
    (action,) = await rows(workshop, "SELECT new_value FROM action WHERE verb = 'ask again'")
    assert action == ("1 picture (1 failed) with max_tokens 4000, longest side 100 px",)


@pytest.mark.parametrize("size", SIZES)
async def test_marked_items_are_asked_at_another_endpoint_in_a_run_of_their_own(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(4)
    run_id = await workshop.run([CUT, DONE, BAD_REPLY])
    write_endpoint(workshop, "other")
    started: list[int] = []

    async def start(new_id: int) -> None:
        started.append(new_id)

    monkeypatch.setattr(workshop.services, "start_engine", start)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        items = await in_items(app, pilot, until)
        await pilot.press("asterisk")
        await until(pilot, lambda: len(items.tasks.marked) == 4)
        dialog = await opened(app, pilot, until)
        assert "Budget" not in screen_text(app)
        dialog.query_one("#endpoint", Select).value = "other"
        await until(pilot, lambda: "Budget" in screen_text(app))
        await typed(pilot, dialog, "budget", "2.50")
        await typed(pilot, dialog, "name", "second-look")
        await until(pilot, lambda: "1 picture left out: still being asked" in screen_text(app))
        await pilot.press("ctrl+s", "ctrl+s")
        await until(pilot, lambda: app.screen is items)
        await until(pilot, lambda: "The run second-look asks 3 pictures at other; 1 left out." in told(app))
        assert not items.tasks.marked
    assert len(started) == 1
    made = await rows(workshop, "SELECT id, follows, endpoint_name, json_extract(limits, '$.budget_usd') FROM run")
    assert made[1:] == [(started[0], run_id, "other", "2.50")]
    assert await rows(workshop, f"SELECT status FROM task WHERE run_id = {run_id} ORDER BY id") == [
        ("failed",), ("done",), ("failed",), ("pending",)
    ]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
async def test_a_cap_and_a_second_payment_are_words_of_the_form(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([CUT, DONE])
    write_endpoint(workshop, "other")
    await workshop.services.set_limits(run_id, {"budget": "4"})
    earlier = await workshop.services.asking_again.follow_up(
        run_id, [1], Elsewhere("other", name="two", uncapped=True), TaskChanges()
    )

    async def start(new_id: int) -> None:
        assert new_id > earlier.run_id

    monkeypatch.setattr(workshop.services, "start_engine", start)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        items = await in_items(app, pilot, until)
        dialog = await opened(app, pilot, until)
        dialog.query_one("#endpoint", Select).value = "other"
        await until(pilot, lambda: "is asked there already, in two" in plain(screen_text(app)))
        dialog.query_one("#anyway", Checkbox).focus()
        await until(pilot, lambda: "[ ] also those asked there already" in screen_text(app))
        await pilot.press("space")
        await until(pilot, lambda: "[x] also those asked there already" in screen_text(app))
        await until(pilot, lambda: "run first has a budget of $4.00" in plain(screen_text(app)))
        await typed(pilot, dialog, "budget", "none")
        await until(pilot, lambda: "1 picture will be paid twice" in plain(screen_text(app)))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is items)
        await until(pilot, lambda: any("asks 1 picture at other" in words for words in told(app)))


def plain(shown: str) -> str:
    """A dialog's text without its frame and its line breaks."""
    return " ".join(shown.replace("│", " ").split())


async def test_a_follow_up_whose_engine_does_not_start_is_told_as_made_and_not_at_work(
    workshop: Workshop, until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([BAD_REPLY])
    write_endpoint(workshop, "other")

    async def start(new_id: int) -> None:
        raise VqaError("the engine cannot work: no key")

    monkeypatch.setattr(workshop.services, "start_engine", start)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_items(app, pilot, until)
        dialog = await opened(app, pilot, until)
        dialog.query_one("#endpoint", Select).value = "other"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
        await until(pilot, lambda: any("is not at work: resume it" in words for words in told(app)))
        assert any("no key" in words for words in told(app))
    assert len(await rows(workshop, "SELECT id FROM run")) == 2


async def test_what_is_wrong_is_said_inside_and_nothing_is_asked(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([BAD_REPLY])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_items(app, pilot, until)
        dialog = await opened(app, pilot, until)
        await typed(pilot, dialog, "max_tokens", "lots")
        await until(pilot, lambda: "'lots' is no number of output tokens" in screen_text(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not dialog._asking)
        assert app.screen is dialog
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
    assert await rows(workshop, "SELECT status, changes FROM task ORDER BY id LIMIT 1") == [("failed", "{}")]


async def test_done_items_are_told_what_becomes_of_their_pairs(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([DONE])
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = 'accepted'")
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await in_items(app, pilot, until)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen) and app.screen.inspector.detail is not None)
        await opened(app, pilot, until)
        await until(pilot, lambda: "1 of them judged" in screen_text(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen))
        await until(pilot, lambda: any("will be asked again" in words for words in told(app)))
    assert await rows(workshop, "SELECT status FROM task ORDER BY id LIMIT 1") == [("pending",)]
    assert await rows(workshop, "SELECT count(*) FROM sample") == [(1,)]


async def test_an_item_that_waits_cannot_be_asked_again_and_the_key_says_why(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run()
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(200, 50)) as pilot:
        items = await in_items(app, pilot, until)
        await until(pilot, lambda: items.inspector.detail is not None)
        await pilot.press("A")
        await until(pilot, lambda: any("it is asked anyway" in words for words in told(app)))
        assert app.screen is items
        workshop.services.read_only = True
        assert items.check_action("ask_again", ()) is None
        assert "readonly" in (items.reason("ask_again") or "")


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 50)])
@visits(AskAgainDialog)
async def test_hostile_text_stays_text(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([replace(BAD_REPLY, problem=HOSTILE.replace("\ud800", ""))])
    view = await workshop.services.run_view(run_id)
    chosen = await workshop.services.asking_again.chosen(run_id, [1])
    plan = await workshop.services.asking_again.plan(run_id, [1], TaskChanges())
    endpoints = await workshop.services.library.endpoint_files()

    async def spoiled(*_ids: object) -> Chosen:
        return replace(chosen, endpoint=HOSTILE, model=HOSTILE)

    async def planned(*_wishes: object) -> Any:
        return replace(plan, warnings=(HOSTILE,))

    async def offered() -> Any:
        return [replace(each, name=HOSTILE, description=HOSTILE) for each in endpoints[:1]]

    monkeypatch.setattr(workshop.services.asking_again, "chosen", spoiled)
    monkeypatch.setattr(workshop.services.asking_again, "plan", planned)
    monkeypatch.setattr(workshop.services.library, "endpoint_files", offered)
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size) as pilot:
        dialog = AskAgainDialog(workshop.services, replace(view, name=HOSTILE, endpoint=HOSTILE, model=HOSTILE), [1])
        await in_items(app, pilot, until)
        app.push_screen(dialog)
        await until(pilot, lambda: dialog.is_mounted)
        await until(pilot, lambda: "! [/nope]" in str(dialog.query_one("#again-plan").render()))
        dialog.query_one("#endpoint", Select).focus()
        await pilot.press("enter")
        await pilot.pause()
        check(app, screen_text)

        async def refused(*_wishes: object) -> Any:
            raise VqaError(HOSTILE, hint=HOSTILE)

        monkeypatch.setattr(workshop.services.asking_again, "plan", refused)
        dialog._plan_soon()
        await until(pilot, lambda: dialog.query_one("#problem").display)
        check(app, screen_text)


def write_endpoint(workshop: Workshop, name: str) -> None:
    folder = workshop.workspace.endpoint_folders[0]
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"name": name, "kind": "embedded", "model": "m-2", "keys": [{"name": "main"}]}
    prices = {"input_per_million": "1", "output_per_million": "2"}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({**fields, "prices": prices}))


async def test_a_cluster_is_asked_with_smaller_pictures_by_one_call(workshop: Workshop) -> None:
    await workshop.dataset(3)
    run_id = await workshop.run([Fate(TaskStatus.FAILED, (), "rejected", "too large"), DONE])
    (failed,) = [row[0] for row in await rows(workshop, "SELECT id FROM task WHERE status = 'failed'")]
    asked = await workshop.services.asking_again.ask(run_id, [failed], TaskChanges(max_side=64))
    assert (asked.count, asked.phase) == (1, Phase.STOPPED)
    assert await rows(workshop, f"SELECT changes FROM task WHERE id = {failed}") == [('{"max_side":64}',)]


CHOSEN = Chosen(1, 0, 0, 0, 0, 0, 1, 0, 1000, 1024, "own", "m")


def test_fields_that_say_what_holds_change_nothing() -> None:
    assert AgainForm("1000", "1024").changes(CHOSEN) == AgainForm(" ", "").changes(CHOSEN) == TaskChanges()
    assert AgainForm("1001", "Original").changes(CHOSEN) == TaskChanges(1001, "original")
    assert AgainForm().elsewhere() is None
    wanted = AgainForm(endpoint="e", model=" m-3 ", name="", budget="$2")
    assert wanted.elsewhere() == Elsewhere("e", "m-3", None, Decimal(2))
    assert AgainForm(endpoint="e", budget=" None", anyway=True).elsewhere() == Elsewhere(
        "e", uncapped=True, anyway=True
    )


@pytest.mark.parametrize("bad", ["0", "-1", "1.5", "1_000", "²", "9" * 13, "1000001"])
def test_a_number_of_tokens_that_is_none_is_refused_by_name(bad: str) -> None:
    with pytest.raises(VqaError, match="max tokens: "):
        AgainForm(max_tokens=bad).changes(CHOSEN)
