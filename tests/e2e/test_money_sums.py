"""The ledger of a real engine that is killed: each attempt costs what its tokens say, and the run costs their sum."""

import random
from decimal import Decimal

from tests.e2e.conftest import Stage
from vqa_tui.config.freeze import thaw_endpoint
from vqa_tui.domain.cost import Usage, to_dollars
from vqa_tui.domain.run import Phase
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.runs import resume_run
from vqa_tui.store.runs import frozen_run


async def test_the_sum_over_attempts_is_the_runs_figure_across_kills(stage: Stage) -> None:
    endpoint = stage.endpoint(latency_ms=30, fail={"500": 0.05, "bad_json": 0.05, "truncated": 0.03, "reset": 0.02})
    run_id = await stage.run(
        RunRequest(await stage.pictures(300), "general-vqa", endpoint, pilot=0, budget_usd=Decimal(100))
    )
    chance = random.Random(11)
    for kill in range(1, 3):
        view = await stage.until_done(run_id, kill * 80 + chance.randrange(40))
        before = view.cost.spent
        await stage.kill_engine(run_id)
        # Money is counted after the commit, so a crash takes none of it back.
        assert (await stage.view(run_id)).cost.spent >= before > 0
        await resume_run(stage.workspace, run_id)
    view = await stage.until_ended(run_id)
    assert view.phase is Phase.DONE and view.counts.finished == 300

    frozen = await frozen_run(stage.workspace.db, run_id)
    assert frozen is not None
    prices = thaw_endpoint(frozen.endpoint).prices
    assert prices is not None
    rows = await stage.workspace.db.read(
        "SELECT kind, input_tokens, output_tokens, cached_input_tokens, image_tokens, cost_nano, uncertain_nano "
        "FROM attempt WHERE run_id = ?",
        (run_id,),
    )
    for row in rows:
        usage = Usage(row["input_tokens"], row["output_tokens"], row["cached_input_tokens"], row["image_tokens"])
        assert row["cost_nano"] == prices.prices.cost_nano(usage)
        assert not (row["cost_nano"] and row["uncertain_nano"])
    spent = sum(row["cost_nano"] for row in rows)
    uncertain = sum(row["uncertain_nano"] for row in rows)
    assert [view.cost.spent, view.cost.uncertain, view.cost.reserved] == [to_dollars(spent), to_dollars(uncertain), 0]
    assert await stage.column("SELECT sum(cost_nano) FROM attempt_tally") == [spent]
    assert sum((key.spent for key in view.keys), Decimal(0)) == view.cost.spent
    assert sum(1 for row in rows if row["kind"] == "lost") > 0
