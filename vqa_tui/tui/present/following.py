"""Which run follows which, in words; not cleaned yet."""

from vqa_tui.domain.run import RunSummary, RunView


def following_words(run: RunSummary | RunView) -> str:
    """Return which run it follows and which follow it; empty where there are none."""
    parts = [f"follows {run.follows}"] if run.follows else []
    if run.followed_by:
        parts.append(f"followed by {', '.join(run.followed_by)}")
    return ", ".join(parts)
