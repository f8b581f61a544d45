"""The ledger: whatever happens, what a run says it cost is the sum of its attempts, to the nano-dollar."""

from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.conftest import Builder
from vqa_tui.domain.cost import Prices, Usage, to_dollars
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.queue_edit import EditVerb
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.work import AttemptRecord, Flight, Purpose, TaskOutcome
from vqa_tui.store import reads
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.queue_edits import edit_queue

PRICES = Prices(Decimal("0.075"), Decimal("0.3333333"), Decimal("0.01875"), Decimal("0.09"))
TOKENS = st.integers(0, 5000)
USAGES = st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS)
OUTCOMES = st.tuples(
    st.sampled_from(["done", "bad_reply", "server", "timeout", "rate_limited", "refused"]),
    USAGES,
    st.none() | USAGES,
    st.integers(0, 10**7),
)
STEPS = st.one_of(
    st.tuples(st.just("claim"), st.integers(1, 5)),
    st.tuples(st.just("settle"), st.lists(OUTCOMES, min_size=1, max_size=4)),
    st.tuples(st.just("crash"), st.integers(0, 10**7)),
    st.tuples(st.just("requeue"), st.none()),
)
_moments = count(1)


def attempt(kind: str, usage: Usage, uncertain: int, purpose: Purpose = Purpose.ASK) -> AttemptRecord:
    billed = kind in ("ok", "bad_reply", "refused")
    return AttemptRecord(
        "a" if uncertain % 2 else "b",
        float(next(_moments)),
        3.0,
        kind,
        usage=usage if billed else Usage(),
        cost_nano=PRICES.cost_nano(usage) if billed else 0,
        uncertain_nano=0 if billed else uncertain,
        reserved_nano=uncertain,
        purpose=purpose,
        estimated_input_tokens=100 if billed else 0,
    )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=20))
async def test_the_sum_over_attempts_is_the_runs_figure_after_any_history(
    builder: Builder, history: list[tuple[str, object]]
) -> None:
    number = next(_moments)
    run_id = await builder.run(await builder.dataset(6, name=f"d{number}"), name=f"r{number}")
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    held: list[int] = []
    spent = uncertain = cached = 0
    for step, detail in history:
        if step == "claim" and isinstance(detail, int):
            held += [task.id for task in await queue.claim(detail, now=10**12, pilot_only=False)]
        elif step == "settle" and isinstance(detail, list):
            some, held = held[: len(detail)], held[len(detail) :]
            outcomes = []
            for task_id, (kind, usage, second, amount) in zip(some, detail, strict=False):
                first = attempt("ok" if kind == "done" else kind, usage, amount)
                hedge = None if second is None else attempt("ok", second, amount, Purpose.HEDGE)
                final = {"done": TaskStatus.DONE, "refused": TaskStatus.FAILED}.get(kind, TaskStatus.PENDING)
                outcomes.append(
                    TaskOutcome(task_id, final, first, True, kind=None if kind == "done" else kind, hedge=hedge)
                )
                for each in (first, hedge):
                    if each is not None:
                        spent += each.cost_nano
                        uncertain += each.uncertain_nano
                        cached += each.usage.cached_input_tokens
            await queue.settle(outcomes)
        elif step == "crash" and isinstance(detail, int):
            # The journal of the dead session also names one request whose attempt was committed.
            stored = await builder.database.read(
                "SELECT task_id, started_at FROM attempt WHERE run_id = ? ORDER BY id DESC LIMIT 1", (run_id,)
            )
            flights = [Flight(task_id, float(next(_moments)), detail, "a") for task_id in held]
            flights += [Flight(row["task_id"], row["started_at"], detail, "a") for row in stored]
            queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
            rescue = await queue.rescue(flights)
            assert rescue.uncertain_nano == detail * len(held)
            uncertain += rescue.uncertain_nano
            held = []
        else:
            await edit_queue(builder.database, run_id, EditVerb.RETRY, who="tester")
    (rows,) = await builder.database.read(
        "SELECT coalesce(sum(cost_nano), 0) AS spent, coalesce(sum(uncertain_nano), 0) AS uncertain, "
        "coalesce(sum(cached_input_tokens), 0) AS cached FROM attempt WHERE run_id = ?",
        (run_id,),
    )
    assert (rows["spent"], rows["uncertain"], rows["cached"]) == (spent, uncertain, cached)
    totals = await reads.attempt_totals(builder.database, run_id)
    assert (totals.spent_nano, totals.uncertain_nano) == (spent, uncertain)
    view = await reads.run_view(builder.database, run_id, now=0, flights=())
    assert view is not None
    assert (view.cost.spent, view.cost.uncertain) == (to_dollars(spent), to_dollars(uncertain))
    lost = await builder.database.read(
        "SELECT kind FROM attempt WHERE run_id = ? AND kind = ? AND cost_nano > 0", (run_id, FailureKind.LOST)
    )
    assert lost == []
