"""Hand-made tasks: rows whose fate follows from their ids, and all that the inspector can show of one."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from vqa_tui.domain.item import Box, GroundTruth, Item, PictureFacts, ReferenceQuestion
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Sample
from vqa_tui.domain.task import Attempt, TaskDetail, TaskRow

NOW = 1_790_000_000.0


def make_row(task_id: int, status: TaskStatus | None = None) -> TaskRow:
    """A row whose fate follows from its id, so that filters have something to find."""
    fates = (TaskStatus.DONE, TaskStatus.DONE, TaskStatus.PENDING, TaskStatus.FAILED, TaskStatus.LEASED)
    status = status or fates[task_id % 5]
    failed, done = status is TaskStatus.FAILED, status is TaskStatus.DONE
    return TaskRow(
        task_id, f"BOP{task_id:05}_Battery/scan_{task_id}.jpg", status, "bad_reply" if failed else None,
        4 if failed else 1 if done else 0, Decimal("0.000137") if done else Decimal(0), 3 if done else 0,
        NOW - task_id if failed or done else None,
    )  # fmt: skip


def make_detail(row: TaskRow, picture: str, **changes: Any) -> TaskDetail:
    """A task with everything that the inspector can show."""
    truth = GroundTruth(
        categories=("Battery", "Knife"),
        boxes=(
            Box(label="Battery", x=118, y=55, width=112, height=95),
            Box(label="Knife", x=20, y=180, width=60, height=30),
        ),
        captions=("A suitcase with a battery beside clothes.",),
        questions=(ReferenceQuestion(question="How many items?", answer="2"),),
    )
    item = Item(
        row.id, 1, row.item_key, row.item_key, PictureFacts("JPEG", 640, 480, 48_213, "ab" * 32, 1, 1), "train", truth
    )
    failed = row.status is TaskStatus.FAILED
    attempts = [
        Attempt(1, 1, "a", NOW - 90, 840.0, 200, "bad_reply", "no JSON list in the reply", 1_580, 40,
                Decimal("0.000137"), Decimal(0), "stop", "gemini-2.5-flash", "req-1", "Sorry: it is a battery."),
        Attempt(2, 1, "b", NOW - 60, 912.0, 200 if not failed else 503, "ok" if not failed else "server",
                "" if not failed else "overloaded", 1_580, 190, Decimal("0.000152"), Decimal(0), "stop",
                "gemini-2.5-flash", "req-2",
                '[{"question": "Where is the battery?", "answer": "In the upper left.", "question_type": "location"}]'),
    ]  # fmt: skip
    samples = (
        Sample(1, 0, "Where is the battery?", "In the upper left of the suitcase.", "location", (), None),
        Sample(2, 1, "How many threat items are there?", "Two.", "count", ("short_answer",), "accepted"),
    )
    prompt = "You look at X-ray scans of baggage.\n\nGround truth:\n- items: Battery; Knife\nWrite exactly 3 pairs."
    detail = TaskDetail(row, item, picture, prompt, tuple(attempts), () if failed else samples)
    return replace(detail, **changes)
