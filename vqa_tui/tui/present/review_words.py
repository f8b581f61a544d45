"""What a review amounts to, in sentences; without Textual, so that both faces say the same."""

from vqa_tui.domain.defect_rate import DefectRate
from vqa_tui.operations.reviewing import ReviewStatus
from vqa_tui.tui.present.numbers import count, plural

ORDER_WORDS = {
    "stratified": "stratified: every type, category and flag by its share",
    "random": "random: by chance alone",
    "flagged-first": "flagged first, then the rest, each by chance",
    "in-order": "all in order (not counted in the estimate)",
}


def percent(share: float) -> str:
    """Return a share of 1 in percent with a tenth: 3.1 %."""
    return f"{100 * share:.1f} %"


def target_words(target: float) -> str:
    """Return the wanted half-width: ± 2 %."""
    return f"± {100 * target:.3g} %"


def estimate_sentence(estimate: DefectRate | None, target: float) -> str:
    """Return the estimate and whether it is enough: `defect rate 3.1 % ± 1.2 % after 180: enough`."""
    if estimate is None:
        return f"no defect rate yet: it follows from your verdicts; wanted to {target_words(target)}"
    rate = f"defect rate {percent(estimate.rate)} ± {percent(estimate.half_width)} after {count(estimate.counted)}"
    if estimate.enough:
        return f"{rate}: enough"
    return f"{rate}: about {count(estimate.more)} more for {target_words(target)}"


def mending_words(estimate: DefectRate | None) -> str:
    """Return how much of the defect rate edits could mend; '' when none."""
    if estimate is None or not estimate.needed_mending:
        return ""
    return f"{percent(estimate.needed_mending)} needed mending"


def counts_words(status: ReviewStatus) -> str:
    """Return the verdicts by kind, zeros left out: `41 accepted, 2 edited, 3 rejected`."""
    parts = [
        f"{count(number)} {word}"
        for number, word in (
            (status.accepted, "accepted"),
            (status.edited, "edited"),
            (status.rejected, "rejected"),
            (status.unsure, "unsure"),
        )
        if number
    ]
    return ", ".join(parts) or "no verdict yet"


def progress_words(status: ReviewStatus) -> str:
    """Return how many pairs have a verdict."""
    return f"{count(status.reviewed)} of {plural(status.pairs, 'pair')} reviewed"
