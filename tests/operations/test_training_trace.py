"""Rows of a training that was made of a run lead back to the pairs and the categories in the workspace."""

from pathlib import Path

from tests.operations.test_exports_operation import StoredRun, stored
from vqa_tui.domain.training_files import HELD_OUT, ROWS
from vqa_tui.domain.training_row import TrainingRow
from vqa_tui.operations.exports import export_run
from vqa_tui.operations.training_data import prepare_rows
from vqa_tui.operations.training_trace import trace_rows

__all__ = ["stored"]


def rows_of(file: Path) -> list[TrainingRow]:
    return [TrainingRow.of_json(line) for line in file.read_text("utf-8").splitlines()]


async def prepared(stored: StoredRun, folder: Path) -> None:
    out = folder / "export.jsonl"
    await export_run(stored.workspace, 1, "stcray-flat", out, split=(0.5, 0.5), seed=1)
    prepare_rows(out, folder, held_out_share=0.5, seed=1)


async def test_each_row_names_its_pair_and_its_picture_s_categories(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 7))
    await stored.reject(2)
    await prepared(stored, tmp_path / "training")
    await trace_rows(stored.workspace, 1, tmp_path / "training", "not-rejected")
    rows = rows_of(tmp_path / "training" / ROWS) + rows_of(tmp_path / "training" / HELD_OUT)
    assert len(rows) == 10 and rows_of(tmp_path / "training" / HELD_OUT)
    assert {row.categories for row in rows} == {("Knife",)}
    for row in rows:
        (pair,) = row.pairs
        (found,) = await stored.workspace.db.read(
            "SELECT question, item.path FROM sample JOIN task ON task.id = task_id JOIN item ON item.id = item_id "
            "WHERE sample.id = ?",
            (pair,),
        )
        assert row.turns[0].text == found["question"] and row.pictures[0].endswith(found["path"])
    assert len({row.pairs for row in rows}) == 10


async def test_the_same_stored_twice_names_both_and_what_changed_since_names_none(
    stored: StoredRun, tmp_path: Path
) -> None:
    await stored.add(range(1, 3), pairs=1)
    async with stored.workspace.db.write() as transaction:
        await transaction.execute(
            "INSERT INTO sample (run_id, task_id, ordinal, question, answer, question_type) "
            "SELECT run_id, task_id, 1, question, answer, question_type FROM sample WHERE task_id = 1"
        )
    await prepared(stored, tmp_path / "training")
    async with stored.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET edited_answer = 'Another.' WHERE task_id = 2")
    await trace_rows(stored.workspace, 1, tmp_path / "training", "not-rejected")
    rows = rows_of(tmp_path / "training" / ROWS) + rows_of(tmp_path / "training" / HELD_OUT)
    assert sorted(len(row.pairs) for row in rows) == [0, 2, 2]
