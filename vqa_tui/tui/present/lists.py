"""Header, totals and empty state of the list of runs."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from textual.content import Content

from vqa_tui.domain.run import EngineState, Phase, RunSummary
from vqa_tui.domain.run_contents import DeletedRuns
from vqa_tui.safe_text import clean, in_a_line
from vqa_tui.tui.present.consequences import deleted_words
from vqa_tui.tui.present.following import following_words
from vqa_tui.tui.present.numbers import count, duration, money, money_words, plural, rate, share
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.seen import RunLine, SeenRuns


def runs_header(place: str) -> Content:
    """Return crumbs and the workspace they belong to."""
    folder = clean(place, one_line=True, limit=200)
    return Content.assemble(("vqa-tui › ", QUIET), ("runs", "bold"), ("   ", ""), (folder, QUIET))


def runs_totals(seen: SeenRuns, *, hidden: int = 0, deleted: DeletedRuns | None = None) -> Content:
    """Return one line over all runs: how many, at work, waiting for a person, lost; and what they cost.

    `hidden` archived ones are out of sight; what `deleted` ones had cost was spent all the same.
    """
    runs = [line.summary for line in seen.lines]
    parts = [plural(len(runs), "run")]
    at_work = sum(run.engine is EngineState.ALIVE for run in runs)
    lost = sum(run.engine is EngineState.LOST for run in runs)
    waiting = sum(run.phase is Phase.AWAITING_APPROVAL for run in runs)
    if hidden:
        parts.append(f"{hidden} archived: H shows them")
    if at_work:
        parts.append(f"{plural(at_work, 'engine')} at work")
    if waiting:
        parts.append(f"{waiting} waiting")
    if lost:
        parts.append(f"{lost} lost")
    parts.append(_spent_words(runs))
    if deleted is not None and deleted.paid:
        parts.append(deleted_words(deleted))
    elif not runs:
        return Content("")
    return Content(" · ".join(parts))


def _spent_words(runs: Sequence[RunSummary]) -> str:
    """Return what runs have cost together, and how many of them have no known price."""
    unpriced = sum(not run.price_known for run in runs)
    if runs and unpriced == len(runs):
        return "price unknown"
    beside = f" and {unpriced} of unknown price" if unpriced else ""
    return f"{money(sum((run.spent for run in runs), Decimal(0)))} spent{beside}"


def run_detail(line: RunLine, now: float | None = None) -> Content:
    """Return three lines about the run under the cursor: what it is made of, how far it is, why it stands.

    `now` is the Unix time from which its age counts; None leaves it out.
    """
    run, view, counts = line.summary, line.view, line.summary.counts
    made_of = Content.assemble(
        clean(run.dataset, one_line=True, limit=80),
        (" → ", QUIET),
        clean(run.recipe, one_line=True, limit=80),
        (" @ ", QUIET),
        clean(run.endpoint, one_line=True, limit=80),
        (f"  {clean(view.model, one_line=True, limit=60)}" if view else "", QUIET),
    )
    facts = [f"{count(counts.finished)} of {count(counts.total)}  {share(counts.finished, counts.total)}"]
    if line.at_work and view is not None and view.rate.per_second:
        facts += [rate(view.rate.per_second), f"ETA {duration(view.eta_s)}"]
    cap = f" of {money(run.cap)}" if run.cap is not None else ""
    facts += [f"{money_words(run.spent, price_known=run.price_known)}{cap}", f"{count(counts.failed)} failed"]
    if following := following_words(run):
        facts.append(clean(following, one_line=True, limit=200))
    if now is not None:
        facts.append(f"made {duration(now - run.created_at)} ago")
    return Content("\n").join([made_of, Content(" · ".join(facts)), Content.styled(_state_words(line), QUIET)])


def _state_words(line: RunLine) -> str:
    run = line.summary
    if run.engine is EngineState.LOST:
        return f"the engine is lost: press r to resume; the {count(run.counts.leased)} in flight will be put back"
    if line.engine is EngineState.HUNG:
        return "the engine does not answer: open the run to see what can be done"
    if run.phase is Phase.AWAITING_APPROVAL:
        return "the pilot is over: open the run, look at what it measured, and press a to approve"
    why = line.view.why_idle if line.view is not None else ""
    return in_a_line(run.phase_reason or why, limit=300)


def runs_empty(command: Callable[[str], str]) -> Content:
    """Return what to do when there is no run yet; `command` makes the line that a person types."""
    return Content.assemble(
        ("No run yet", "bold"),
        "\n\n",
        ("d", "bold $text-primary"),
        "  draws a small dataset and runs it, with no key and no network\n   ",
        (clean(command("demo"), one_line=True, limit=300), QUIET),
        "\n\n",
        ("i", "bold $text-primary"),
        "  brings in your own pictures: a folder, annotations, a table\n   ",
        (clean(command("dataset import KIND PATH"), one_line=True, limit=300), QUIET),
        "\n\n",
        ("n", "bold $text-primary"),
        "  starts a run over a dataset that is already imported",
    )
