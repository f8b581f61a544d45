"""What the pulse records every second, in a real workspace file."""

from pathlib import Path

from tests.engine.rings import Ring, endpoint
from vqa_tui.config.endpoint import KeyConfig
from vqa_tui.domain.run import Limits
from vqa_tui.engine.board import Board
from vqa_tui.engine.budget import Budget
from vqa_tui.engine.pulse import Pulse
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import runs
from vqa_tui.store.db import Database
from vqa_tui.store.metrics import recent_metrics
from vqa_tui.store.run_creation import NewRun, create_run


async def measured(folder: Path, *groups: str | None) -> list[dict[str, int]]:
    """The slots by group that an engine with one key in each of `groups` records, twelve requests allowed."""
    keys = [KeyConfig(name=f"k{number}", group=group) for number, group in enumerate(groups)]
    paths = WorkspacePaths(folder / ".vqa")
    async with Database.open(paths) as database:
        async with database.write() as transaction:
            await transaction.execute(
                "INSERT INTO dataset (id, name, kind, root, source, created_at, imported_at) "
                "VALUES (1, 'bags', 'folder', '/x', '/x', 0, 0)"
            )
        new = NewRun("r", 1, "caption", "e", "m", "{}", "{}", "0" * 64, 0, None, Limits(), True)
        run_id = await create_run(database, new)
        session_id = await runs.begin_session(database, run_id, 1)
        ring = Ring(endpoint(*keys), Limits(concurrency=12))
        pulse = Pulse(database, paths.database, run_id, session_id, board=Board(), keyring=ring, budget=Budget(None))
        await pulse.beat(why_idle="", slots=12, working=True)
        return [point.group_slots for point in await recent_metrics(database, run_id, since=0)]


async def test_each_of_several_groups_is_recorded_with_its_slots(tmp_path: Path) -> None:
    assert await measured(tmp_path, "team", "team", "own") == [{"team": 12, "own": 12}]


async def test_of_one_group_the_sum_says_it_all(tmp_path: Path) -> None:
    assert await measured(tmp_path, "team", "team") == [{}]
