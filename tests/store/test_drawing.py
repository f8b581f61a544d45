"""Pictures of a run that are drawn by a seed: the same each time, more of the same with a larger number, by chance."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.conftest import Builder
from vqa_tui.domain.run import Limits
from vqa_tui.store.datasets import picture_sizes
from vqa_tui.store.drawing import drawn_place
from vqa_tui.store.made_of import made_of
from vqa_tui.store.run_creation import NewRun, create_run


async def drawn(builder: Builder, dataset: int, limit: int, seed: int | None, parts: int = 1) -> tuple[int, list[str]]:
    """Make a run and return its id and the keys of its pictures in the order in which they are asked about."""
    name = f"run-{dataset}-{limit}-{seed}-{parts}"
    new = NewRun(name, dataset, "r", "e", "m", "{}", "{}", "h", 0, limit, Limits(), True, parts, seed)
    run_id = await create_run(builder.database, new)
    rows = await builder.database.read(
        "SELECT i.key FROM task t JOIN item i ON i.id = t.item_id WHERE t.run_id = ? AND t.part = 0 ORDER BY t.id",
        (run_id,),
    )
    return run_id, [row["key"] for row in rows]


async def test_the_same_seed_draws_the_same_in_every_dataset_of_the_same_keys(builder: Builder) -> None:
    first, second = await builder.dataset(200), await builder.dataset(200, name="again")
    _, ten = await drawn(builder, first, 10, 7)
    assert len(set(ten)) == 10 and ten == sorted(ten)
    assert (await drawn(builder, second, 10, 7))[1] == ten
    assert (await drawn(builder, first, 10, 8))[1] != ten
    assert set(ten) < set((await drawn(builder, first, 40, 7))[1])
    assert (await drawn(builder, first, 10, None))[1] != ten
    run_id, twice = await drawn(builder, first, 10, 7, parts=2)
    assert twice == ten
    made = await made_of(builder.database, run_id)
    assert made is not None and (made.limit, made.seed) == (10, 7)
    everything, all_of_them = await drawn(builder, first, 500, 7)
    made = await made_of(builder.database, everything)
    assert len(all_of_them) == 200 and made is not None and (made.limit, made.seed) == (200, 7)


async def test_the_sizes_of_a_plan_are_those_of_the_drawn_pictures(builder: Builder) -> None:
    dataset = await builder.dataset(50)
    async with builder.database.write() as transaction:
        await transaction.execute("UPDATE item SET width = 100 + id WHERE dataset_id = ?", (dataset,))
    sizes = await picture_sizes(builder.database, dataset, chosen=9, total=50, seed=3)
    run_id, _keys = await drawn(builder, dataset, 9, 3)
    rows = await builder.database.read(
        "SELECT width FROM item JOIN task ON task.item_id = item.id WHERE run_id = ?", (run_id,)
    )
    assert sorted(group.width for group in sizes.groups) == sorted(row["width"] for row in rows)


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_every_picture_is_drawn_about_as_often(seed: int) -> None:
    """Of 20,000 keys a tenth is drawn; each tenth of the keys gives a tenth of that, within five standard errors."""
    order = sorted(range(20_000), key=lambda number: drawn_place(seed, f"{number:06}.jpg"))
    counts = array("q", [0] * 10)
    for number in order[:2_000]:
        counts[number // 2_000] += 1
    assert all(abs(count - 200) < 5 * (200 * 0.9 * 0.9) ** 0.5 for count in counts), counts


@given(st.integers(0, 2**63 - 1), st.text(max_size=50))
def test_every_key_has_a_place_that_sqlite_holds(seed: int, key: str) -> None:
    assert 0 <= drawn_place(seed, key) < 2**63
    assert drawn_place(seed, key) == drawn_place(seed, key)
