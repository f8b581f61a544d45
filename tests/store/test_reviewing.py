"""Verdicts in the workspace file: placed once, drawn in order, logged, undone, counted by triggers."""

import json
import sqlite3
from typing import Any

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.review import (
    BY_HAND,
    DRAWN,
    Edit,
    JudgedMeanwhile,
    Judgement,
    Order,
    PairGone,
    ReviewFilter,
    Seen,
    Verdict,
)
from vqa_tui.domain.review_order import start_of
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store import review_draw, reviewing
from vqa_tui.store.db import Database
from vqa_tui.store.migrating import schema_steps

ACCEPTED, REJECTED, UNSURE = Verdict.ACCEPTED, Verdict.REJECTED, Verdict.UNSURE


async def store_pairs(database: Database, run_id: int, *, pairs: int = 3, kinds: int = 3) -> None:
    """Give every picture of a run `pairs` pairs of `kinds` types; every seventh picture's are flagged."""
    async with database.write() as transaction:
        tasks = await transaction.rows("SELECT id FROM task WHERE run_id = ?", (run_id,))
        await transaction.execute_many(
            "INSERT INTO sample (run_id, task_id, ordinal, question, answer, question_type, flags) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (run_id, task["id"], n, f"Q{n} of {task['id']}?", "A.", f"type{(task['id'] + n) % kinds}",
                 '["short_answer"]' if task["id"] % 7 == 0 else "[]")
                for task in tasks
                for n in range(pairs)
            ],
        )  # fmt: skip


@pytest.fixture
async def run_id(builder: Builder) -> int:
    dataset = await builder.dataset(40)
    run = await builder.run(dataset)
    await store_pairs(builder.database, run)
    return run


async def placed(database: Database, run_id: int) -> None:
    while await review_draw.place_batch(database, run_id):
        pass


async def next_of(
    database: Database, run_id: int, order: Order = Order.STRATIFIED, count: int = 5, skipped: tuple[int, ...] = (),
    **chosen: Any,
) -> list[int]:  # fmt: skip
    strata = await reviewing.strata(database, run_id)
    found = await review_draw.next_ids(
        database, run_id, strata, order, ReviewFilter(**chosen), count=count, skipped=skipped, start=start_of("ann")
    )
    return list(found)


async def judge(
    database: Database, run_id: int, sample_id: int, verdict: Verdict | None = ACCEPTED, **more: Any
) -> None:
    picked = str(more.pop("picked", Order.STRATIFIED))
    who = str(more.pop("who", "ann"))
    wanted = Judgement(sample_id, verdict, picked=picked, **more)
    await reviewing.judge(database, run_id, wanted, who=who)


async def test_every_pair_gets_its_place_once_and_later_ones_follow(
    database: Database, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_draw, "BATCH", 50)
    assert await review_draw.unplaced(database, run_id) == 120
    assert [await review_draw.place_batch(database, run_id) for _ in range(4)] == [50, 50, 20, 0]
    assert await review_draw.unplaced(database, run_id) == 0
    strata = await reviewing.strata(database, run_id)
    assert sum(each.size for each in strata) == 120
    assert {(each.question_type, each.flagged) for each in strata} == {
        (f"type{n}", flagged) for n in range(3) for flagged in (False, True)
    }
    before = await next_of(database, run_id, Order.RANDOM, 120)
    async with database.write() as transaction:
        await transaction.execute(
            "INSERT INTO sample (run_id, task_id, ordinal, question, answer) VALUES (?, 1, 9, 'new?', 'yes')", (run_id,)
        )
    assert await review_draw.unplaced(database, run_id) == 1
    await placed(database, run_id)
    after = await next_of(database, run_id, Order.RANDOM, 121)
    assert [each for each in after if each in before] == before


async def test_a_model_that_invents_types_makes_no_more_strata(
    database: Database, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await builder.run(await builder.dataset(30))
    await store_pairs(database, run, kinds=1_000)
    monkeypatch.setattr(review_draw, "BATCH", 20)
    await placed(database, run)
    types = {each.question_type for each in await reviewing.strata(database, run)}
    assert len(types) == review_draw.MOST_TYPES + 1 and review_draw.OTHER in types


async def test_orders_and_filters(database: Database, run_id: int) -> None:
    await placed(database, run_id)
    assert await next_of(database, run_id, Order.IN_ORDER) == [1, 2, 3, 4, 5]
    flagged = {n for task in (7, 14, 21, 28, 35) for n in range(3 * task - 2, 3 * task + 1)}
    first = await next_of(database, run_id, Order.FLAGGED_FIRST, 20)
    assert set(first[:15]) == flagged and not set(first[15:]) & flagged
    assert set(await next_of(database, run_id, Order.RANDOM, 99, flagged=True)) == flagged
    drawn = await next_of(database, run_id, count=120)
    assert sorted(drawn) == list(range(1, 121)) and drawn[:5] == await next_of(database, run_id)
    typed = await reviewing.pairs(database, run_id, await next_of(database, run_id, count=99, question_type="type1"))
    assert len(typed) == 40 and {pair.sample.question_type for pair in typed.values()} == {"type1"}
    await judge(database, run_id, 4, UNSURE)
    await judge(database, run_id, 2, UNSURE)
    assert await next_of(database, run_id, verdict=UNSURE) == [2, 4]
    assert await next_of(database, run_id, Order.IN_ORDER, 2) == [1, 3]


async def test_skipped_pairs_do_not_keep_others_from_coming(database: Database, run_id: int) -> None:
    await placed(database, run_id)
    skipped = tuple(await next_of(database, run_id, count=119))
    for order in Order:
        left = await next_of(database, run_id, order, 5, skipped)
        assert len(left) == 1 and left[0] not in skipped


async def test_tallies_are_as_counted_row_by_row(database: Database, run_id: int) -> None:
    await placed(database, run_id)
    ids = await next_of(database, run_id, count=30)
    for number, sample_id in enumerate(ids):
        await judge(database, run_id, sample_id, (ACCEPTED, REJECTED, UNSURE)[number % 3])
    await judge(database, run_id, ids[0], REJECTED)
    await judge(database, run_id, ids[3], ACCEPTED, edit=Edit("Better?", "A."))
    await reviewing.undo(database, run_id, who="ann")
    await judge(database, run_id, ids[6], ACCEPTED, edit=Edit("Better?", "Yes."))
    await judge(database, run_id, 120 if 120 not in ids else 119, REJECTED, picked=Order.IN_ORDER)
    async with database.write() as transaction:
        await transaction.execute("DELETE FROM sample WHERE id IN (?, ?, ?)", (ids[1], ids[9], 118))
    strata = await reviewing.strata(database, run_id)
    counted = await database.read(
        "SELECT verdict, edited_answer IS NOT NULL AS edited, picked, count(*) AS n FROM sample "
        "WHERE verdict IS NOT NULL GROUP BY 1, 2, 3"
    )
    found = {(row["verdict"], row["edited"], row["picked"]): row["n"] for row in counted}
    assert sum(each.edited for each in strata) == found["accepted", 1, "stratified"] == 1
    assert sum(each.accepted for each in strata) == found["accepted", 0, "stratified"]
    assert sum(each.drawn_rejected for each in strata) == found["rejected", 0, "stratified"]
    assert (
        sum(each.rejected for each in strata) == found["rejected", 0, "stratified"] + found["rejected", 0, "in-order"]
    )
    assert sum(each.unsure for each in strata) == found["unsure", 0, "stratified"]
    (total,) = await database.read("SELECT count(*) FROM sample WHERE run_id = ?", (run_id,))
    assert sum(each.size for each in strata) == total[0]


async def test_the_first_way_of_being_picked_stays(database: Database, run_id: int) -> None:
    await placed(database, run_id)
    drawn, other = (await next_of(database, run_id, count=90))[0], (await next_of(database, run_id, count=90))[80]
    await judge(database, run_id, drawn, UNSURE)
    await judge(database, run_id, drawn, REJECTED, picked=Order.IN_ORDER)
    await judge(database, run_id, other, REJECTED, picked=BY_HAND)
    head = (await next_of(database, run_id, count=1))[0]
    await judge(database, run_id, head, REJECTED, picked=BY_HAND)
    found = await reviewing.pairs(database, run_id, [drawn, other, head])
    assert [found[each].sample.picked for each in (drawn, other, head)] == ["stratified", "by-hand", "stratified"]


@pytest.mark.parametrize("picked", [*Order, BY_HAND])
async def test_the_schema_counts_as_drawn_what_the_domain_calls_drawn(
    database: Database, run_id: int, picked: str
) -> None:
    await placed(database, run_id)
    last = (await next_of(database, run_id, count=120))[-1]
    await judge(database, run_id, last, REJECTED, picked=picked)
    assert sum(each.drawn_rejected for each in await reviewing.strata(database, run_id)) == (picked in DRAWN)


async def test_an_edit_keeps_what_was_written_and_going_back_to_it_is_no_edit(database: Database, run_id: int) -> None:
    await judge(database, run_id, 1, ACCEPTED, edit=Edit("Q0 of 1?", "Better."), note="colour")
    sample = (await reviewing.pairs(database, run_id, [1]))[1].sample
    assert (sample.question, sample.answer, sample.edited_question, sample.edited_answer) == (
        "Q0 of 1?", "A.", None, "Better.",
    )  # fmt: skip
    assert (sample.final_answer, sample.reviewer, sample.note) == ("Better.", "ann", "colour")
    await judge(database, run_id, 1, ACCEPTED, edit=Edit("Q0 of 1?", "A."))
    assert not (await reviewing.pairs(database, run_id, [1]))[1].sample.edited


async def test_judgements_are_undone_in_order_across_sessions_and_each_person_undoes_his_own(
    database: Database, paths: WorkspacePaths, run_id: int
) -> None:
    await judge(database, run_id, 1, ACCEPTED)
    await judge(database, run_id, 1, ACCEPTED, edit=Edit("New?", "New."))
    await judge(database, run_id, 2, REJECTED)
    await judge(database, run_id, 3, REJECTED, who="bob")
    async with Database.open(paths) as later:
        undone = [await reviewing.undo(later, run_id, who="ann") for _ in range(4)]
        assert [each and each.sample_id for each in undone] == [2, 1, 1, None]
        found = await reviewing.pairs(later, run_id, [1, 2, 3])
        assert [found[each].sample.verdict for each in (1, 2, 3)] == [None, None, "rejected"]
        assert found[1].sample.edited_answer is None and found[1].sample.reviewer is None
    (log,) = await database.read("SELECT count(*) AS n, count(undone_at) AS undone FROM review_log")
    assert tuple(log) == (4, 3)


async def test_what_another_person_judged_since_is_not_undone(database: Database, run_id: int) -> None:
    await judge(database, run_id, 1, ACCEPTED)
    await judge(database, run_id, 1, REJECTED, who="bob")
    with pytest.raises(VqaError, match="judged again by bob"):
        await reviewing.undo(database, run_id, who="ann")
    assert (await reviewing.pairs(database, run_id, [1]))[1].sample.verdict == "rejected"


async def test_a_verdict_falls_on_nothing_that_its_author_never_saw(database: Database, run_id: int) -> None:
    """Two look at one pair: the second is told, and nothing of the first is lost in silence."""
    seen = Seen.of((await reviewing.pairs(database, run_id, [1]))[1].sample)
    better = Edit("Q0 of 1?", "Better.")
    await judge(database, run_id, 1, ACCEPTED, edit=better, who="bob", seen=seen)
    for later in ({"verdict": ACCEPTED}, {"verdict": REJECTED}, {"verdict": ACCEPTED, "edit": Edit("Other?", "A.")}):
        with pytest.raises(JudgedMeanwhile, match=r"pair 1 of .* was edited and accepted by bob since you saw it"):
            await judge(database, run_id, 1, who="ann", seen=seen, **later)
    assert len(await database.read("SELECT 1 FROM review_log")) == 1
    # What both want is no quarrel, a note is none with a verdict, and what was looked at anew is judged as it stands.
    await judge(database, run_id, 1, ACCEPTED, edit=better, who="ann", seen=seen)
    await judge(database, run_id, 1, None, note="blue", who="ann", seen=seen)
    with pytest.raises(JudgedMeanwhile):
        await judge(database, run_id, 1, None, note="red", who="bob", seen=seen)
    now = Seen.of((await reviewing.pairs(database, run_id, [1]))[1].sample)
    await judge(database, run_id, 1, REJECTED, who="ann", seen=now)
    await reviewing.undo(database, run_id, who="ann")
    await reviewing.undo(database, run_id, who="ann")
    await reviewing.undo(database, run_id, who="bob")
    with pytest.raises(JudgedMeanwhile, match="was taken back since you saw it"):
        await judge(database, run_id, 1, REJECTED, who="ann", seen=now)
    await judge(database, run_id, 1, REJECTED, who="ann")  # named by its number: judged however it stands
    assert (await reviewing.pairs(database, run_id, [1]))[1].sample.verdict == "rejected"


async def test_the_same_verdict_twice_is_one_judgement(database: Database, run_id: int) -> None:
    await judge(database, run_id, 1, ACCEPTED)
    await judge(database, run_id, 1, ACCEPTED)
    assert len(await database.read("SELECT 1 FROM review_log")) == 1


async def test_the_log_outlives_pairs_that_are_replaced(database: Database, run_id: int) -> None:
    await placed(database, run_id)
    await judge(database, run_id, 1, REJECTED, note="wrong side")
    async with database.write() as transaction:
        await transaction.execute("DELETE FROM sample WHERE task_id = 1")
    with pytest.raises(PairGone, match="no pair 1 any more"):
        await judge(database, run_id, 1, ACCEPTED)
    (entry,) = await database.read("SELECT * FROM review_log")
    assert (entry["item_key"], entry["question"], entry["answer"], entry["who"]) == (
        "000000.jpg", "Q0 of 1?", "A.", "ann",
    )  # fmt: skip
    assert json.loads(entry["old_state"])["verdict"] is None
    assert json.loads(entry["new_state"])["verdict"] == "rejected"
    undone = await reviewing.undo(database, run_id, who="ann")
    assert undone is not None and undone.gone


async def test_another_runs_pair_cannot_be_judged(database: Database, builder: Builder, run_id: int) -> None:
    other = await builder.run(await builder.dataset(1, name="more"), name="other")
    with pytest.raises(PairGone):
        await judge(database, other, 1, ACCEPTED)


async def test_reads_of_the_order_go_by_their_indexes(database: Database, run_id: int) -> None:
    parameters = {"strata": "[1]", "skipped": "[]", "most": 5, "start": 7}
    heads = await database.read(f"EXPLAIN QUERY PLAN {review_draw._HEADS}", parameters)
    for half in (">", "<"):
        assert any(f"sample_to_draw (stratum_id=? AND draw{half}?)" in row["detail"] for row in heads)
    assert not any(row["detail"].startswith(("SCAN s", "SCAN x")) for row in heads)


async def test_reviewed_pairs_are_listed_by_verdict(database: Database, run_id: int) -> None:
    for sample_id in (5, 3, 9):
        await judge(database, run_id, sample_id, REJECTED)
    await judge(database, run_id, 4, ACCEPTED, edit=Edit("x?", "y"))
    rejected = [ids async for ids in reviewing.reviewed_ids(database, run_id, ["rejected"])]
    assert rejected == [[3, 5, 9]]
    assert [ids async for ids in reviewing.reviewed_ids(database, run_id, ["accepted"], edited=False)] == []


async def test_an_older_workspace_keeps_its_verdicts(paths: WorkspacePaths) -> None:
    paths.root.mkdir(mode=0o700, parents=True)
    connection = sqlite3.connect(paths.database)
    for version, _name, sql in schema_steps():
        if version < 7:
            connection.executescript(sql)
            connection.execute(f"PRAGMA user_version = {version}")
    connection.executescript(
        """
        INSERT INTO dataset VALUES (1, 'bags', 'folder', '/x', '/x', 0, 0);
        INSERT INTO item VALUES (1, 1, 'a.jpg', 'a.jpg', 'JPEG', 64, 48, 100, 'f', 1, 0, NULL,
          '{"categories":["Knife"]}');
        INSERT INTO run (id, name, dataset_id, recipe_name, endpoint_name, model, recipe, endpoint, config_sha256,
          pilot_size, created_at, limits) VALUES (1, 'run', 1, 'c', 'e', 'm', '{}', '{}', 'h', 0, 0, '{}');
        INSERT INTO run_state (run_id) VALUES (1);
        INSERT INTO task (id, run_id, item_id, status, finished_at) VALUES (1, 1, 1, 'done', 5);
        INSERT INTO sample (run_id, task_id, ordinal, question, answer, verdict) VALUES (1, 1, 0, 'a?', 'b', NULL),
          (1, 1, 1, 'c?', 'd', 'rejected');
        """
    )
    connection.close()
    async with Database.open(paths) as database:
        await placed(database, 1)
        (stratum,) = await reviewing.strata(database, 1)
        assert (stratum.category, stratum.size, stratum.rejected, stratum.drawn_rejected) == ("Knife", 2, 1, 0)
        assert list(await reviewing.pairs(database, 1, [1, 2])) == [1, 2]
