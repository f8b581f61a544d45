"""Mode 4 over a real workspace: clusters, their detail, every verb, and what is not there."""

import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from textual.screen import ModalScreen

from tests.tui.test_hostile_text import HOSTILE, check, visits
from tests.tui.test_parts import TWO
from tests.tui.workshop import BAD_REPLY, DONE, SERVER, Fate, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import TaskStatus
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.screens.dashboard import DashboardScreen
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.failures import FailuresScreen
from vqa_tui.tui.screens.items import ItemsScreen

Wait = Callable[..., Any]
Text = Callable[[Any], str]

NARROW, WIDE = (80, 24), (200, 50)
SIZES = [NARROW, WIDE]
AUTH = Fate(TaskStatus.FAILED, (), "auth", "the endpoint refused the key (HTTP 401): no", "", http_status=401)
SERVERS = [replace(SERVER, problem=f"503: upstream {number} overloaded") for number in range(3)]
ASKED_AGAIN = Fate(TaskStatus.PENDING, (), "timeout", "no reply in 60 s", "", http_status=None, cost_nano=0)


async def opened(workshop: Workshop, fates: Sequence[Fate], pictures: int = 8) -> VqaApp:
    await workshop.dataset(pictures)
    return VqaApp(workshop.services, open_run=await workshop.run(fates))


async def to_failures(pilot: Any, until: Wait, fact: Callable[[], object]) -> FailuresScreen:
    app = pilot.app
    await until(pilot, lambda: app.watch_over.last_run is not None and isinstance(app.screen, DashboardScreen))
    await pilot.press("f")
    await until(pilot, lambda: isinstance(app.screen, FailuresScreen))
    await until(pilot, fact)
    screen: FailuresScreen = app.screen
    return screen


def shown_items(app: VqaApp) -> list[int]:
    """The items that are listed; none on another screen."""
    return list(app.screen.tasks.ids) if isinstance(app.screen, ItemsScreen) else []


async def counts(workshop: Workshop) -> tuple[int, int, int]:
    view = await workshop.services.run_view(1)
    return view.counts.failed, view.counts.pending, view.counts.skipped


@pytest.mark.parametrize("size", SIZES)
async def test_clusters_and_the_way_back(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = await opened(workshop, [DONE, BAD_REPLY, *SERVERS])
    async with app.run_test(size=size) as pilot:
        screen = await to_failures(pilot, until, lambda: "upstream <n> overloaded" in screen_text(app))
        assert [row.cells[0].plain for row in screen.clusters.rows] == ["3", "1"]
        await until(pilot, lambda: "4 pictures failed" in screen_text(app) or "4 failed" in screen_text(app))
        await until(pilot, lambda: "4 failed pictures in 2 clusters, largest first" in screen_text(app))
        await pilot.press("s")
        await until(pilot, lambda: "newest first" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))


async def test_the_detail_stands_beside_the_list_where_there_is_room(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    app = await opened(workshop, [DONE, BAD_REPLY, *SERVERS])
    async with app.run_test(size=WIDE) as pilot:
        await to_failures(pilot, until, lambda: "503: upstream 2 overloaded" in screen_text(app))
        await until(pilot, lambda: screen_text(app).count("▀▀▀") > 5)
        text = screen_text(app)
        assert "images/00002.png" in text and "160×120" in text and "as large as those that were answered" in text
        await pilot.press("j")
        await until(
            pilot, lambda: "no JSON list in the reply" in screen_text(app) and "images/00001.png" in screen_text(app)
        )
        # Enter on a list with its detail in sight looks at the pictures themselves.
        await pilot.press("enter")
        await until(pilot, lambda: shown_items(app) == [2])


async def test_on_a_small_terminal_enter_gives_the_detail_the_screen(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    app = await opened(workshop, [BAD_REPLY, *SERVERS])
    async with app.run_test(size=NARROW) as pilot:
        screen = await to_failures(pilot, until, lambda: "upstream <n>" in screen_text(app))
        assert not screen.pane.display and "What helps" not in screen_text(app)
        await pilot.press("enter")
        await until(
            pilot, lambda: "503: upstream 2 overloaded" in screen_text(app) and "What helps" in screen_text(app)
        )
        assert not screen.clusters.display
        await pilot.press("j")
        await until(pilot, lambda: "no JSON list" in screen_text(app))
        await pilot.resize_terminal(*WIDE)
        await until(pilot, lambda: screen.clusters.display and screen.pane.display and screen.clusters.has_focus)
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: screen.clusters.display and not screen.pane.display)
        await pilot.press("enter", "escape")
        await until(pilot, lambda: screen.clusters.display and not screen.pane.display)
        assert app.screen is screen


@pytest.mark.parametrize("size", SIZES)
async def test_retry_asks_first_and_retries_the_whole_cluster(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = await opened(workshop, [DONE, BAD_REPLY, *SERVERS])
    async with app.run_test(size=size, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: "upstream <n>" in screen_text(app))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await until(pilot, lambda: "3 failed pictures will be put back" in " ".join(screen_text(app).split()))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is screen)
        assert await counts(workshop) == (4, 3, 0)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "3 pictures put back into the queue." in screen_text(app))
        await until(pilot, lambda: [row.cells[0].plain for row in screen.clusters.rows] == ["1"])
        assert await counts(workshop) == (1, 6, 0)


async def test_marked_clusters_are_skipped_together(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = await opened(workshop, [DONE, BAD_REPLY, AUTH, *SERVERS])
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: "in 3 clusters" in screen_text(app))
        await pilot.press("space", "space")
        await until(pilot, lambda: "✓ 2 marked" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "marked" not in screen_text(app) and app.screen is screen)
        await pilot.press("asterisk")
        await until(pilot, lambda: "✓ 3 marked" in screen_text(app))
        await pilot.press("asterisk", "g", "space", "space", "d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await until(pilot, lambda: "4 failed pictures of 2 clusters" in " ".join(screen_text(app).split()))
        await pilot.press("y")
        await until(pilot, lambda: "4 pictures taken out of the run." in screen_text(app))
        await until(pilot, lambda: len(screen.clusters.rows) == 1 and not screen.clusters.marked)
        assert await counts(workshop) == (1, 2, 4)


@pytest.mark.parametrize("size", SIZES)
async def test_look_shows_exactly_these_pictures(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    app = await opened(workshop, [DONE, BAD_REPLY, *SERVERS])
    async with app.run_test(size=size) as pilot:
        await to_failures(pilot, until, lambda: "upstream <n>" in screen_text(app))
        await pilot.press("i")
        await until(pilot, lambda: shown_items(app) == [3, 4, 5])
        await until(pilot, lambda: "cluster" in screen_text(app) and "server: <n>: upstream <n>" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "cluster" not in screen_text(app) and shown_items(app) == [*range(1, 9)])
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, FailuresScreen))
        await pilot.press("i")
        await until(pilot, lambda: shown_items(app) == [3, 4, 5])
        await pilot.press("F")
        await until(pilot, lambda: "[status:failed" in screen_text(app) and shown_items(app) == [2, 3, 4, 5])


async def test_every_try_is_another_view(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = await opened(workshop, [ASKED_AGAIN, DONE, BAD_REPLY])
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: "1 failed picture in 1 cluster" in screen_text(app))
        await pilot.press("t")
        await until(pilot, lambda: "2 failed tries in 2 clusters" in screen_text(app))
        await pilot.press("g")
        await until(pilot, lambda: screen.current is not None and screen.current.kind == "timeout")
        await until(pilot, lambda: "no answer 1" in screen_text(app))
        # It has not failed for good, so there is nothing to retry.
        await pilot.press("R")
        await until(pilot, lambda: "None of these pictures has failed for good" in screen_text(app))
        await pilot.press("i")
        await until(pilot, lambda: shown_items(app) == [1])


async def test_what_cannot_help_is_grey_and_says_why(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = await opened(workshop, [AUTH])
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: "HTTP 401: no" in screen_text(app))
        assert screen.check_action("smaller", ()) is None
        await pilot.press("S")
        await until(pilot, lambda: "the key was refused, whatever the picture" in screen_text(app))
        assert all(screen.check_action(action, ()) for action in ("retry", "skip", "elsewhere", "look", "yank"))


async def test_nothing_is_written_where_the_app_may_only_look(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await opened(workshop, [BAD_REPLY])
    await forget_clusters(workshop)
    monkeypatch.setattr(workshop.services, "read_only", True)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: "2 older failures not gathered" in screen_text(app))
        assert not any(screen.check_action(action, ()) for action in ("retry", "skip", "smaller", "elsewhere"))
        await pilot.press("R")
        await until(pilot, lambda: "may only look" in screen_text(app))


async def forget_clusters(workshop: Workshop) -> None:
    """Make the workspace one in which an older version has recorded the failures."""
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE task SET cluster_id = NULL")
        await transaction.execute("UPDATE attempt SET cluster_id = NULL")
        await transaction.execute("DELETE FROM failure_cluster")


async def test_what_an_older_version_recorded_is_gathered_in_sight(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    app = await opened(workshop, [BAD_REPLY, *SERVERS])
    await forget_clusters(workshop)
    async with app.run_test(size=NARROW) as pilot:
        await to_failures(pilot, until, lambda: "4 failed pictures in 2 clusters" in screen_text(app))
        assert "older" not in screen_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_has_failed(workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    app = await opened(workshop, [DONE, ASKED_AGAIN])
    async with app.run_test(size=size, notifications=True) as pilot:
        await to_failures(pilot, until, lambda: "Nothing has failed for good." in screen_text(app))
        await until(pilot, lambda: "1 try failed on the way" in screen_text(app) and "timeout 1" in screen_text(app))
        await pilot.press("R", "enter", "i", "y", "space", "j")
        await until(pilot, lambda: "There is no cluster." in screen_text(app))
        await pilot.press("t")
        await until(pilot, lambda: "1 failed try in 1 cluster" in screen_text(app))
        await pilot.press("t")
        await until(pilot, lambda: "Nothing has failed for good." in screen_text(app))


async def test_failures_appear_while_the_run_works(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = await opened(workshop, [DONE])
    async with app.run_test(size=WIDE) as pilot:
        screen = await to_failures(pilot, until, lambda: "Nothing has failed for good." in screen_text(app))
        await workshop.settle(1, [BAD_REPLY])
        await until(pilot, lambda: "no JSON list" in screen_text(app) and screen.clusters.has_focus)
        await workshop.settle(1, [BAD_REPLY])
        await until(pilot, lambda: screen.clusters.rows[0].cells[0].plain == "2")
        await until(pilot, lambda: "images/00002.png" in screen_text(app))


async def test_another_run_has_its_own_failures(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = await opened(workshop, [BAD_REPLY])
    other = await workshop.run([SERVER], name="second")
    async with app.run_test(size=WIDE) as pilot:
        await to_failures(pilot, until, lambda: "no JSON list" in screen_text(app))
        app.watch_over.follow_run(other)
        await pilot.press("2", "4")
        await until(pilot, lambda: "503: upstream" in screen_text(app))
        assert "no JSON list" not in screen_text(app)


async def test_the_message_is_copied(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = await opened(workshop, [SERVER])
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await to_failures(pilot, until, lambda: "503: upstream 17 overloaded" in screen_text(app))
        await pilot.press("y")
        assert app.clipboard == "503: upstream 17 overloaded"


async def test_pictures_that_were_put_back_meanwhile_are_not_asked_about(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await opened(workshop, [SERVER])

    async def none(*_: Any, **__: Any) -> "array[int]":
        return array("q")

    monkeypatch.setattr(workshop.services.failures, "task_ids", none)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: ": upstream" in screen_text(app))
        for key in ("d", "S"):
            await pilot.press(key)
            await until(pilot, lambda: "put back or skipped meanwhile" in screen_text(app))
            app.clear_notifications()
            await until(pilot, lambda: "meanwhile" not in screen_text(app))
        assert app.screen is screen


async def test_a_refusal_is_told(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await opened(workshop, [SERVER])

    async def refuse(*_: Any) -> int:
        raise VqaError("the disk is full", hint="Make room.")

    monkeypatch.setattr(workshop.services.failures, "retry", refuse)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await to_failures(pilot, until, lambda: ": upstream" in screen_text(app))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("y")
        await until(pilot, lambda: "the disk is full" in screen_text(app))


@pytest.mark.parametrize("key", ["S", "E"])
async def test_asking_again_takes_the_pictures_of_the_cluster(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    given: list[Any] = []

    class StandIn(ModalScreen[Any]):
        def __init__(self, services: Any, run: Any, ids: Any) -> None:
            super().__init__()
            given.append((services, run.id, list(ids)))

        def on_key(self, event: Any) -> None:
            event.stop()
            self.dismiss(SimpleNamespace(sentence="They are asked again.", run_id=None) if event.key == "y" else None)

    module = ModuleType("vqa_tui.tui.screens.ask_again")
    monkeypatch.setattr(module, "AskAgainDialog", StandIn, raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    app = await opened(workshop, [DONE, BAD_REPLY, *SERVERS])
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        screen = await to_failures(pilot, until, lambda: ": upstream" in screen_text(app))
        for answer in ("n", "y"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, StandIn))
            await pilot.press(answer)
            await until(pilot, lambda: app.screen is screen)
        assert given == [(workshop.services, 1, [3, 4, 5])] * 2
        await until(pilot, lambda: "They are asked again." in screen_text(app))


async def test_a_question_that_comes_too_late_counts_requests(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workshop.folder / "two.yaml").write_text(yaml.safe_dump(TWO))
    await workshop.dataset(2)
    run_id = await workshop.run(SERVERS, recipe=str(workshop.folder / "two.yaml"))
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await to_failures(pilot, until, lambda: ": upstream" in screen_text(app))
        monkeypatch.setattr(FailuresScreen, "is_on_top", False)
        await pilot.press("S")
        told = "Not asked any more, and nothing was done: Ask 3 requests again?"
        await until(pilot, lambda: told in " ".join(screen_text(app).split()))


async def test_a_picture_that_is_gone_says_so(workshop: Workshop, until: Wait, screen_text: Text) -> None:
    app = await opened(workshop, [BAD_REPLY, BAD_REPLY])
    (workshop.folder / "bags" / "images" / "00000.png").unlink()
    async with app.run_test(size=WIDE) as pilot:
        await to_failures(pilot, until, lambda: "the picture is not there any more" in screen_text(app))
        await until(pilot, lambda: screen_text(app).count("▀▀▀") > 5)


@pytest.mark.parametrize("size", [*SIZES, (40, 12), (20, 6)])
@visits(FailuresScreen, ItemsScreen)
async def test_hostile_text(workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]) -> None:
    message = HOSTILE.replace("\ud800", "")
    app = await opened(workshop, [DONE, replace(SERVER, problem=message, key_name=message)])
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute("UPDATE item SET key = ? WHERE id = 2", (message,))
        await transaction.execute("UPDATE run SET name = ?", (message,))
        await transaction.execute("UPDATE attempt SET model = ? WHERE kind <> 'ok'", (message,))
        await transaction.execute("UPDATE task SET last_kind = ? WHERE status = 'failed'", (message,))
        await transaction.execute("UPDATE attempt SET kind = ? WHERE kind <> 'ok'", (message,))
        await transaction.execute("UPDATE failure_cluster SET kind = ?, form = ?", (message, message))
    async with app.run_test(size=size, notifications=True) as pilot:
        await to_failures(pilot, until, lambda: "[/nope" in screen_text(app) or size[0] < 40)
        check(app, screen_text)
        for key in ("enter", "t", "space", "R"):
            await pilot.press(key)
            await pilot.pause()
            check(app, screen_text)
        # Where there is room enter goes on to the items, which are not asked about.
        await until(pilot, lambda: isinstance(app.screen, Question | ItemsScreen))
        check(app, screen_text)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Question))
        await pilot.press("y", "i")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen))
        await pilot.pause()
        check(app, screen_text)
