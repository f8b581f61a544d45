"""Which run follows which, in words; not cleaned yet."""

from vqa_tui.domain.run import RunSummary, RunView


def following_words(run: RunSummary | RunView) -> str:
    """Return which run it follows and which follow it; empty where there are none."""
    parts = [f"follows {run.follows}"] if run.follows else []
    if run.followed_by:
        parts.append(f"followed by {', '.join(run.followed_by)}")
    return ", ".join(parts)


def twice_words(run: RunView) -> str:
    """Return, before tasks of a run are asked again, which runs may be asking them too; empty where none follows."""
    if not run.followed_by:
        return ""
    follow = "follows" if len(run.followed_by) == 1 else "follow"
    return f"{', '.join(run.followed_by)} {follow} this run: a {run.unit} that is asked there too is paid twice."
