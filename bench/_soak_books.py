"""The books of a run beside those of its endpoint: every request once, every sample once, every nano-dollar."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vqa_tui.domain.run import RunView
from vqa_tui.operations.workspace import Workspace

NANO = 10**9
_GROUP_OF_LEDGER = {
    "ok": "answered", "truncated": "answered", "bad_json": "answered", "refused": "answered", "empty": "answered",
    "500": "server", "503": "server", "rate_limited": "rate_limited", "unauthorized": "auth", "rejected": "rejected",
    "huge": "huge", "reset": "unfinished", "timeout": "unfinished", "drip": "unfinished", "abandoned": "unfinished",
}  # fmt: skip
_GROUP_OF_STORE = {
    "ok": "answered", "bad_reply": "answered", "refused": "answered", "server": "server", "auth": "auth",
    "rate_limited": "rate_limited", "rejected": "rejected", "network": "unfinished", "timeout": "unfinished",
    "cancelled": "unfinished", "lost": "lost",
}  # fmt: skip


@dataclass
class Books:
    """What the comparison found."""

    broken: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def hold(self, fact: bool, words: str) -> None:
        if not fact:
            self.broken.append(words)


async def compare_books(
    workspace: Workspace, run_id: int, view: RunView, stats: dict[str, Any], lost: Sequence[int], most_lost: int
) -> Books:
    """Compare the store of a run that is done with the endpoint's `/stats`.

    `lost` are the requests lost at each kill, of which at most `most_lost` may have been in flight or uncommitted.
    """
    books = Books()

    async def rows(sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await workspace.db.read(sql, (run_id,))]

    await _pictures(books, view, rows)
    _requests(books, stats, await rows(
        "SELECT key_name, kind, (kind = 'bad_reply' AND message LIKE '%longer than%'), count(*) FROM attempt "
        "WHERE run_id = ? GROUP BY 1, 2, 3"
    ))  # fmt: skip
    books.hold(all(count <= most_lost for count in lost), f"more than {most_lost} lost at a kill: {list(lost)}")
    await _money(books, view, stats, rows)
    return books


async def _pictures(books: Books, view: RunView, rows: Any) -> None:
    counts = dict(await rows("SELECT status, count(*) FROM task WHERE run_id = ? GROUP BY 1"))
    done = counts.get("done", 0)
    books.hold(set(counts) <= {"done", "failed"}, f"pictures in no final state: {counts}")
    books.hold(
        (view.counts.done, view.counts.failed) == (done, counts.get("failed", 0)),
        f"the view tells {view.counts} and the rows {counts}",
    )
    twice = await rows(
        "SELECT task_id, ordinal FROM sample WHERE run_id = ? GROUP BY task_id, ordinal HAVING count(*) > 1"
    )
    books.hold(not twice, f"{len(twice)} samples are there twice")
    strange = await rows(
        "SELECT s.id FROM sample s JOIN task t ON t.id = s.task_id WHERE s.run_id = ? AND t.status <> 'done'"
    )
    books.hold(not strange, f"{len(strange)} samples belong to pictures that are not done")
    with_samples = (await rows("SELECT count(DISTINCT task_id) FROM sample WHERE run_id = ?"))[0][0]
    books.hold(with_samples == done, f"{done} done, {with_samples} with samples")
    good = await rows("SELECT task_id FROM attempt WHERE run_id = ? AND kind = 'ok' GROUP BY 1 HAVING count(*) > 1")
    books.hold(not good, f"{len(good)} pictures were answered well more than once")


def _requests(books: Books, stats: dict[str, Any], attempts: list[tuple[Any, ...]]) -> None:
    ours: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key, kind, huge, count in attempts:
        ours[key]["huge" if huge else _GROUP_OF_STORE.get(kind, kind)] += count
    table: dict[str, Any] = {}
    lost_in_all = arrived_in_all = 0
    for key, kinds in stats["kinds_by_key"].items():
        theirs: Counter[str] = Counter()
        for kind, count in kinds.items():
            theirs[_GROUP_OF_LEDGER.get(kind, kind)] += count
        books.hold(theirs.total() == stats["by_key"][key], f"the ledger of {key} does not add up")
        lost = ours[key].pop("lost", 0)
        missing = {group: theirs[group] - ours[key][group] for group in theirs | ours[key]}
        arrived = sum(missing.values())
        lost_in_all, arrived_in_all = lost_in_all + lost, arrived_in_all + arrived
        table[key] = {"endpoint": dict(theirs), "store": dict(ours[key]), "lost": lost, "of_which_arrived": arrived}
        books.hold(0 <= arrived <= lost, f"{key}: {arrived} requests unaccounted for, {lost} were lost at kills")
        books.hold(all(count >= 0 for count in missing.values()), f"{key}: more attempts than requests: {missing}")
    books.hold(set(ours) <= set(table), f"attempts with keys that never asked: {set(ours) - set(table)}")
    books.figures |= {"requests": stats["requests"], "lost": lost_in_all, "lost_but_arrived": arrived_in_all}
    books.figures["by_key"] = table


async def _money(books: Books, view: RunView, stats: dict[str, Any], rows: Any) -> None:
    ((billed, uncertain, inputs, outputs),) = await rows(
        "SELECT sum(cost_nano), sum(uncertain_nano), sum(input_tokens), sum(output_tokens) FROM attempt "
        "WHERE run_id = ?"
    )
    input_nano, output_nano = 100, 400
    books.hold(int(view.cost.spent * NANO) == billed, f"the run tells ${view.cost.spent}, its attempts {billed} nano")
    books.hold(int(view.cost.uncertain * NANO) == uncertain, "the run and its attempts differ in what is uncertain")
    books.hold(inputs * input_nano + outputs * output_nano == billed, "tokens at their price are not what was billed")
    theirs = stats["tokens"]["prompt"] * input_nano + stats["tokens"]["completion"] * output_nano
    unrecorded = theirs - billed
    books.hold(
        0 <= unrecorded <= uncertain, f"the endpoint bills {unrecorded} nano more, and {uncertain} were set aside"
    )
    books.figures |= {
        "spent": str(view.cost.spent), "uncertain": str(view.cost.uncertain),
        "endpoint_bills": str(theirs / NANO), "billed_for_what_was_lost": str(unrecorded / NANO),
    }  # fmt: skip
