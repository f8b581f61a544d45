"""Printing how long the rows of a training file are in tokens."""

from typing import TYPE_CHECKING

from vqa_tui.cli.output import say

if TYPE_CHECKING:
    from vqa_tui.operations.training_lengths import LengthReport

_WIDEST = 40


def show_lengths(report: "LengthReport", family: str, *, is_estimate: bool) -> None:
    """Print the histogram, then what a cutoff would cut or lose, then the verdict."""
    from vqa_tui.operations.training_lengths import TEXT_RULE
    from vqa_tui.tui.present.numbers import plural

    text = f"estimated at {TEXT_RULE}" if is_estimate else "counted by the tokenizer"
    say(f"Tokens for {family}: pictures by its grid, text {text}.")
    most = max((each.rows for each in report.histogram), default=1)
    width = len(f"{report.longest:,}") + 1
    for each in report.histogram:
        bar = "█" * -(-each.rows * _WIDEST // most)
        mark = " ← cutoff" if report.cutoff is not None and each.first <= report.cutoff <= each.last else ""
        say(f"  {each.first:>{width},} – {each.last:>{width},}  {bar} {each.rows:,}{mark}")
    say(f"Median {report.median:,}, 95 of 100 rows up to {report.p95:,}, longest {report.longest:,}.")
    for place in report.places:
        say(place)
    if (unlisted := report.cut + report.lost + report.unmeasured - len(report.places)) > 0:
        say(f"… and {plural(unlisted, 'more row')}")
    if report.unmeasured:
        say(f"✗ {plural(report.unmeasured, 'row')} could not be measured")
    if report.cutoff is None:
        return
    if report.cut:
        say(f"✗ {plural(report.cut, 'row')} would be cut at {report.cutoff:,} tokens")
    if report.lost:
        say(f"✗ {plural(report.lost, 'row')} would keep no answer at {report.cutoff:,} tokens")
    if not report.cut and not report.lost:
        say(f"✓ Every measured row fits {report.cutoff:,} tokens")
