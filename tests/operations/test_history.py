"""The state of a run at one second of its past."""

from decimal import Decimal

import pytest

from tests.tui.workshop import BAD_REPLY, DONE, Workshop
from vqa_tui.domain.failure import VqaError
from vqa_tui.operations import history
from vqa_tui.operations.limits import set_limits


async def test_the_budget_is_the_one_that_held_then(workshop: Workshop) -> None:
    await workshop.dataset(3)
    run_id = await workshop.run([DONE, BAD_REPLY])
    workspace = workshop.workspace
    await set_limits(workspace, run_id, {"budget": "2.50"})
    await set_limits(workspace, run_id, {"budget": "9"})
    rows = await workspace.db.read("SELECT at FROM action WHERE verb = 'set budget' ORDER BY id")
    first, second = (row["at"] for row in rows)
    caps = [(await history.moment_facts(workspace, run_id, at)).cap for at in (first - 1, first, second)]
    assert caps == [None, Decimal("2.50"), Decimal(9)]


async def test_a_moment_knows_what_had_failed_and_happened_until_then(workshop: Workshop) -> None:
    await workshop.dataset(3)
    run_id = await workshop.run([DONE, BAD_REPLY])
    await set_limits(workshop.workspace, run_id, {"concurrency": "3"})
    now = await history.moment_facts(workshop.workspace, run_id, 9e9)
    assert now.failures.pictures == now.failures.attempts == {"bad_reply": 1}
    assert now.log[0].message == "set concurrency" and now.log[0].new_value == "3"
    before = await history.moment_facts(workshop.workspace, run_id, 1.0)
    assert (before.log, dict(before.failures.attempts)) == ((), {})


def test_an_unknown_level_is_refused_with_the_nearest() -> None:
    with pytest.raises(VqaError, match="'eror' is not a level") as caught:
        history.known_levels(["info", "eror"])
    assert "Did you mean error?" in caught.value.hint
