"""What a person is told when they look elsewhere, and how: bell, OSC 9, a command of theirs."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tui.made_views import make_view, summary_of
from tests.tui.workshop import DONE, Workshop
from vqa_tui.config.app_settings import AppSettings
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.run import EngineState, Intent, Phase
from vqa_tui.operations import news
from vqa_tui.store import runs
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.notifier import Notifier, desktop_notification, run_command
from vqa_tui.tui.preferences import Preferences
from vqa_tui.tui.present.notices import Notice, notices, standings
from vqa_tui.tui.services import Services

Wait = Callable[..., Any]
HOSTILE = "[/nope]\x1b]0;t\x07\u202e\nx"


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase.AWAITING_APPROVAL, "waits for approval"),
        (Phase.PAUSED, "paused: budget of $10 reached"),
        (Phase.DONE, "done, "),
        (Phase.FAILED, "failure: budget of $10 reached"),
        (Phase.STOPPED, "stopped"),
        (Phase.PAUSING, None),
    ],
)
def test_a_run_that_comes_to_rest_is_news_once(phase: Phase, words: str | None) -> None:
    before = summary_of(make_view(phase=Phase.RUNNING))
    after = replace(before, phase=phase, phase_reason="budget of $10 reached")
    found = notices(standings([before]), [after])
    assert len(found) == (words is not None)
    assert all(words is not None and words in each.words for each in found)
    assert notices(standings([after]), [after]) == []


def test_a_lost_engine_is_news_and_a_new_run_is_none() -> None:
    before = summary_of(make_view(phase=Phase.RUNNING))
    lost = replace(before, engine=EngineState.LOST)
    assert "lost" in notices(standings([before]), [lost])[0].words
    assert notices({}, [replace(before, phase=Phase.DONE)]) == []


def test_names_of_runs_are_cleaned() -> None:
    before = replace(summary_of(make_view(phase=Phase.RUNNING)), name=HOSTILE)
    (notice,) = notices(standings([before]), [replace(before, phase=Phase.PAUSED, phase_reason=HOSTILE)])
    words = notice.words
    assert "\x1b" not in words and "\n" not in words and "\u202e" not in words


def test_a_desktop_notification_is_osc_9_and_passes_through_tmux() -> None:
    assert desktop_notification("run: done", {}) == "\x1b]9;run: done\x07"
    assert desktop_notification("run: done", {"TMUX": "x"}) == "\x1bPtmux;\x1b\x1b]9;run: done\x07\x1b\\"
    assert desktop_notification(f"a{HOSTILE}", {}).count("\x1b") == 1


async def test_every_way_that_is_set_is_used() -> None:
    written: list[str] = []
    notifier = Notifier(written.append)
    notifier.pass_on("x: done", AppSettings(bell=True, desktop=False))
    notifier.pass_on("x: done", AppSettings(bell=False, desktop=True))
    assert written[0] == "\a" and "]9;x: done" in written[1] and len(written) == 2


async def test_the_command_gets_the_words_and_no_key(tmp_path: Path) -> None:
    out = tmp_path / "told"
    program = tmp_path / "tell.py"
    program.write_text(f"import os, sys\nopen({str(out)!r}, 'w').write(repr((sys.argv[1:], dict(os.environ))))")
    environment = {"PATH": "/usr/bin", "GEMINI_API_KEY": "planted", "HOME": "/x"}
    await run_command(f"{sys.executable} {program} -t", "run: done; $(rm x)", environment)
    told = await asyncio.to_thread(out.read_text)
    assert "['-t', 'run: done; $(rm x)']" in told and "planted" not in told and "'HOME': '/x'" in told


@pytest.mark.parametrize(("command", "words"), [("/no/such/program", "cannot be started"), ("false", "ended with 1")])
async def test_a_command_that_fails_is_told(command: str, words: str) -> None:
    with pytest.raises(VqaError, match=words):
        await run_command(command, "x", {"PATH": "/usr/bin:/bin"})


async def test_the_app_passes_on_what_any_run_does(fake: Any, until: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[str] = []

    def pass_on(self: Notifier, words: str, settings: AppSettings) -> None:
        passed.append(words)

    monkeypatch.setattr(Notifier, "pass_on", pass_on)
    services = fake(make_view(), make_view(id=2, name="other"))
    services._preferences = Preferences(AppSettings(bell=False))
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app._notifier._before)
        services.change(2, phase=Phase.PAUSED, phase_reason="all keys rest")
        await until(pilot, lambda: passed)
        assert passed == ["other: paused: all keys rest"]


async def test_a_command_that_takes_its_time_ends_and_news_that_comes_meanwhile_waits_for_it(
    fake: Any, until: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, may_end, told = tmp_path / "started", tmp_path / "may_end", tmp_path / "told"
    program = tmp_path / "tell.py"
    program.write_text(
        "import os, sys, time\n"
        f"open({str(started)!r}, 'a').write(sys.argv[1] + '\\n')\n"
        f"while not os.path.exists({str(may_end)!r}): time.sleep(0.01)\n"
        f"open({str(told)!r}, 'a').write(sys.argv[1] + '\\n')\n"
    )
    monkeypatch.setattr("vqa_tui.tui.app._NEWS_EVERY_S", 0.02)
    looks: list[int] = []
    services = fake(make_view(), make_view(id=2, name="other"), make_view(id=3, name="third"))
    services._preferences = Preferences(AppSettings(bell=False, command=f"{sys.executable} {program}"))
    summaries = services.summaries

    async def counted() -> Any:
        looks.append(1)
        return await summaries()

    services.summaries = counted
    app = VqaApp(services, open_run=1)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app._notifier._before)
        services.change(2, phase=Phase.PAUSED, phase_reason="all keys rest")
        await until(pilot, started.exists)
        services.change(3, phase=Phase.PAUSED, phase_reason="all keys rest")
        before = len(looks)
        await until(pilot, lambda: len(looks) > before + 5)
        assert started.read_text().count("\n") == 1, "one at a time"
        may_end.touch()
        await until(pilot, lambda: told.exists() and told.read_text().count("\n") == 2)
        assert told.read_text() == "other: paused: all keys rest\nthird: paused: all keys rest\n"


async def test_of_two_open_apps_one_runs_the_command_and_another_end_is_told_again(
    workshop: Workshop, until: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, program = tmp_path / "told", tmp_path / "tell.py"
    program.write_text(f"import sys\nopen({str(told)!r}, 'a').write(sys.argv[1] + '\\n')\n")
    monkeypatch.setattr("vqa_tui.tui.app._NEWS_EVERY_S", 0.02)
    database = workshop.workspace.db
    await workshop.dataset(2)
    run_id = await workshop.run([DONE])
    settings = AppSettings(bell=False, command=f"{sys.executable} {program}")
    claimed: list[bool] = []
    claim = Services.claim_news

    async def counted(self: Services, notice: Notice) -> bool:
        claimed.append(await claim(self, notice))
        return claimed[-1]

    monkeypatch.setattr(Services, "claim_news", counted)
    workshop.services._preferences = Preferences(settings)
    others = Services(workshop.workspace, workshop.workspace, preferences=Preferences(settings))
    first, second = VqaApp(workshop.services, open_run=run_id), VqaApp(others, open_run=run_id)
    apps = (first, second)
    lost = {run_id: (Phase.RUNNING, EngineState.LOST)}

    async def comes_to_an_end(pilot: Any, times: int) -> None:
        """Resume the run, without an engine, and let it be done; wait until both apps have seen either."""
        await runs.set_intent(database, run_id, Intent.RUN, who="me")
        await runs.set_phase(database, run_id, Phase.RUNNING, "")
        await until(pilot, lambda: all(app._notifier._before == lost for app in apps))
        await runs.set_phase(database, run_id, Phase.DONE, "")
        await until(pilot, lambda: len(claimed) == 4 * times)
        await until(pilot, lambda: told.exists() and told.read_text().count("done, 1 done") == times)

    async with first.run_test(size=(100, 30)) as pilot, second.run_test(size=(100, 30)):
        for times in (1, 2):
            await comes_to_an_end(pilot, times)
    news = ["first: the engine is lost; resume it", "first: done, 1 done, 0 failed, $0.000137"]
    assert told.read_text().splitlines() == news * 2
    assert claimed.count(True) == 4


async def test_an_app_that_may_only_look_leaves_the_command_to_another(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "OTHERS_FIRST_S", 0.0)
    await workshop.dataset(2)
    run_id = await workshop.run([DONE])
    only_looks = Services(workshop.workspace, workshop.workspace, read_only=True)
    notice = Notice(run_id, Phase.STOPPED, "first: stopped")
    assert await only_looks.claim_news(notice)
    assert await workshop.services.claim_news(notice)
    assert not await only_looks.claim_news(notice)
    assert not await workshop.services.claim_news(notice)
