"""Which tasks conditions mean, and in which order they come."""

import json

import pytest

from tests.store.conftest import Builder
from vqa_tui.domain.filter_grammar import parse_filter
from vqa_tui.domain.task import BY_ID, SortField, TaskFilter, TaskSort
from vqa_tui.store.tasks import filter_values, task_id_pieces, task_ids, task_rows


@pytest.fixture
async def run_id(builder: Builder) -> int:
    """Task 1 was asked twice, 2 once, 3 failed, 4 never asked; another run has attempts of its own."""
    dataset = await builder.dataset(4)
    run_id = await builder.run(dataset, pilot=1)
    other = await builder.run(dataset, name="other")
    session = await builder.session(run_id)
    attempts = [
        (run_id, 1, 1, session, "main", 800.0, "bad_reply", 2_000_000),
        (run_id, 1, 2, session, "second", 6_000.4, "ok", 1_000_000),
        (run_id, 2, 1, session, "main", 900.0, "ok", 5_000_000),
        (run_id, 3, 1, session, "main", None, "network", 0),
        (other, 5, 1, session, "third", 50.0, "ok", 9_000_000),
    ]
    truth = json.dumps({"categories": ["Hair Dryer"], "boxes": [{"label": "Knife", "x": 1}]})
    async with builder.database.write() as transaction:
        await transaction.execute_many(
            "INSERT INTO attempt (run_id, task_id, number, session_id, key_name, started_at, latency_ms, kind, "
            "cost_nano) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)",
            attempts,
        )
        await transaction.execute_many(
            "UPDATE task SET status = ?, attempts = ?, finished_at = ?, last_kind = ? WHERE id = ?",
            [("done", 2, 30.0, None, 1), ("done", 1, 10.0, None, 2), ("failed", 1, 20.0, "network", 3)],
        )
        await transaction.execute("UPDATE item SET truth = ?, split = 'Train' WHERE id = 2", (truth,))
        await transaction.execute_many(
            "INSERT INTO sample (run_id, task_id, ordinal, question, answer, flags, verdict) "
            "VALUES (?, ?, 0, 'q', 'a', ?, ?)",
            [
                (run_id, 1, '["short_answer", "cut_reply"]', None),
                (run_id, 2, "[]", "accepted"),
                (other, 5, '["cut_reply"]', "rejected"),
            ],
        )
    return run_id


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("attempts:>1", [1]),
        ("attempts<=1", [2, 3, 4]),
        ("!attempts:1", [1, 4]),
        ("cost:>0.003", [2]),
        ("cost:>=0.003", [1, 2]),
        ("cost:=0.003", [1]),
        ("cost:<0.003", [3, 4]),
        ("ms:>5s", [1]),
        ("ms:=6000", [1]),
        ("!ms:>5000", [2, 3, 4]),
        ("id:2,4", [2, 4]),
        ("id>2", [3, 4]),
        ("key:MAIN", [1, 2, 3]),
        ("!key:main", [4]),
        ("key:second,third", [1]),
        ("flag:any", [1]),
        ("flag:cut_reply", [1]),
        ("!flag:any", [2, 3, 4]),
        ("flag:risk_words", []),
        ("verdict:accepted", [2]),
        ("verdict:none", [1]),
        ("verdict:any,none", [1, 2]),
        ("!verdict:rejected", [1, 2, 3, 4]),
        ("split:train", [2]),
        ("!split:train", [1, 3, 4]),
        ('category:"hair dryer"', [2]),
        ("category:KNIFE", [2]),
        ("!category:knife", [1, 3, 4]),
        ("pilot:yes", [4]),
        ("pilot:yes,no", [1, 2, 3, 4]),
        ("status:done cost:>0.003", [2]),
        ("status:done,failed !kind:network 000", [1, 2]),
    ],
)
async def test_what_a_filter_means(builder: Builder, run_id: int, typed: str, ids: list[int]) -> None:
    pilots = await builder.database.read("SELECT id FROM task WHERE run_id = ? AND pilot = 1", (run_id,))
    assert [row[0] for row in pilots] == [4]
    assert list(await task_ids(builder.database, run_id, parse_filter(typed))) == ids


@pytest.mark.parametrize(
    ("by", "ascending", "descending"),
    [
        (SortField.ID, [1, 2, 3, 4], [4, 3, 2, 1]),
        (SortField.COST, [3, 1, 2, 4], [2, 1, 3, 4]),
        (SortField.ATTEMPTS, [4, 2, 3, 1], [1, 2, 3, 4]),
        (SortField.LATENCY, [2, 1, 3, 4], [1, 2, 3, 4]),
        (SortField.FINISHED, [2, 3, 1, 4], [1, 3, 2, 4]),
    ],
)
@pytest.mark.parametrize("chosen", [TaskFilter(), parse_filter("id<100"), parse_filter("status:done,failed,pending")])
async def test_orders_put_what_has_no_value_last(
    builder: Builder, run_id: int, chosen: TaskFilter, by: SortField, ascending: list[int], descending: list[int]
) -> None:
    assert list(await task_ids(builder.database, run_id, chosen, TaskSort(by))) == ascending
    assert list(await task_ids(builder.database, run_id, chosen, TaskSort(by, descending=True))) == descending


async def test_rows_know_their_slowest_attempt(builder: Builder, run_id: int) -> None:
    rows = await task_rows(builder.database, run_id, [1, 2, 3, 4])
    assert [rows[i].latency_ms for i in (1, 2, 3, 4)] == [6_000.4, 900.0, None, None]


async def test_the_first_page_of_a_filter_comes_before_the_rest(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(500))
    pieces = [list(piece) async for piece in task_id_pieces(builder.database, run_id, parse_filter("jpg"), BY_ID)]
    assert [len(piece) for piece in pieces] == [200, 300]
    assert [each for piece in pieces for each in piece] == list(range(1, 501))


async def test_what_occurs_in_a_run_is_offered(builder: Builder, run_id: int) -> None:
    found = await filter_values(builder.database, run_id)
    assert (found.keys, found.splits, found.categories) == (("main", "second"), ("Train",), ("Hair Dryer",))
    assert (await filter_values(builder.database, run_id + 9)).keys == ()
