"""What an edit of the queue does, with its counts, before and after."""

from vqa_tui.domain.queue_edit import MOVABLE, EditVerb, Stock, TakenBack
from vqa_tui.domain.run import TaskStatus
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import count, plural

_STATUS_WORDS = {
    TaskStatus.PENDING: "wait",
    TaskStatus.LEASED: "are being asked",
    TaskStatus.DONE: "are done",
    TaskStatus.FAILED: "failed",
    TaskStatus.SKIPPED: "are skipped",
}
_TITLES = {
    EditVerb.RETRY: "Ask the failed ones again?",
    EditVerb.SKIP: "Take them out of the queue?",
    EditVerb.REQUEUE: "Ask all of them again?",
}
_ANSWERS = {EditVerb.RETRY: "Retry", EditVerb.SKIP: "Skip", EditVerb.REQUEUE: "Requeue"}
_DONE = {
    EditVerb.RETRY: "put back into the queue",
    EditVerb.SKIP: "taken out of the queue",
    EditVerb.REQUEUE: "put back into the queue",
}
_NONE = {
    EditVerb.RETRY: "Only failed ones can be asked again so; B asks done ones too.",
    EditVerb.SKIP: "Only those that wait or failed can be taken out of the queue.",
    EditVerb.REQUEUE: "They wait already, or are being asked.",
}


def edit_title(verb: EditVerb) -> str:
    return _TITLES[verb]


def edit_answer(verb: EditVerb, stock: Stock) -> str:
    """Return the word of the button that does it, with the number of items it moves."""
    return f"{_ANSWERS[verb]} {count(stock.movable(verb))}"


def nothing_to_edit(verb: EditVerb, stock: Stock) -> str:
    """Return why an edit would move nothing."""
    return f"Of {plural(stock.total, 'item')} {_by_status(stock, list(TaskStatus))}. {_NONE[verb]}"


def edit_consequence(verb: EditVerb, stock: Stock, *, cost: str = "") -> str:
    """Return what an edit would do to the chosen items, with the exact counts; `cost` says what one costs."""
    moved, total = stock.movable(verb), stock.total
    parts = [f"Of {plural(total, 'item')} {_by_status(stock, MOVABLE[verb])}."]
    if verb is EditVerb.SKIP:
        parts.append(f"{_these(moved)} will not be asked.")
    else:
        put, each = ("is put", "it costs") if moved == 1 else ("are put", "each costs")
        parts.append(f"{_these(moved)} {put} back into the queue; {each} what a {stock.unit} costs{cost}.")
    if left := total - moved:
        others = [status for status in TaskStatus if status not in MOVABLE[verb]]
        parts.append(f"{count(left)} {'stays' if left == 1 else 'stay'} as they are: {_by_status(stock, others)}.")
    if verb is EditVerb.REQUEUE and stock.pairs:
        parts.append(
            f"Their {plural(stock.pairs, 'pair')} {'is' if stock.pairs == 1 else 'are'} replaced when the new reply "
            "comes; should that fail, they stay. What was paid stays recorded."
        )
    if verb is EditVerb.REQUEUE and stock.verdicts:
        parts.append(f"With them {plural(stock.verdicts, 'verdict')} will be lost.")
    if twice := stock.paid_twice(verb):
        parts.append(
            f"{plural(twice, 'item')} {'is' if twice == 1 else 'are'} paid twice: asked, or being asked, in "
            f"{', '.join(stock.followers)} too."
        )
    return " ".join(parts)


def edited(verb: EditVerb, moved: int, key: str | None = None) -> str:
    """Return what an edit has done; `key` names the item where it was about a single one."""
    if moved and key is not None:
        return f"{clean(key, one_line=True, limit=80)} {_DONE[verb]}."
    return f"{plural(moved, 'item')} {_DONE[verb]}."


def taken_back(back: TakenBack) -> str:
    """Return what became of taking an edit back: 12 of 40 taken back; 28 were asked already."""
    left = back.tasks - back.restored
    what = f"{back.verb}: {count(back.restored)} of {count(back.tasks)} taken back"
    if not left:
        return f"{what}."
    since = "changed since" if back.verb is EditVerb.SKIP else "asked already"
    return f"{what}; {count(left)} {'was' if left == 1 else 'were'} {since}."


def _these(number: int) -> str:
    return "It" if number == 1 else f"These {count(number)}"


def _by_status(stock: Stock, statuses: "tuple[TaskStatus, ...] | list[TaskStatus]") -> str:
    """Return how many have which status: 30 are done and 2 failed."""
    parts = [
        f"{count(number)} {_STATUS_WORDS[status] if number != 1 else _singular(status)}"
        for status in statuses
        if (number := stock.by_status.get(status, 0))
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "none can be moved"


def _singular(status: TaskStatus) -> str:
    words = _STATUS_WORDS[status]
    return {"wait": "waits"}.get(words, words.replace("are ", "is ", 1))
