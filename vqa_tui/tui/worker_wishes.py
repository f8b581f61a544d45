"""How many requests in flight a person wants for each run, from the press of the key until the run shows it."""

from vqa_tui.domain.run import RunView
from vqa_tui.tui.verbs import MOST_WORKERS


class WorkerWishes:
    """The wishes of all runs by their ids, so that presses add up and none is taken for another run."""

    def __init__(self) -> None:
        self._wanted: dict[int, int] = {}
        self._writing: dict[int, int | None] = {}
        """Runs for which a wish is on its way, and what was written of it last."""
        self._written_at: dict[int, float] = {}

    def add(self, view: RunView, by: int) -> bool:
        """Want `by` more than before; return whether somebody has to begin writing."""
        now = self._wanted.get(view.id, view.limits.concurrency)
        self._wanted[view.id] = min(max(now + by, 1), MOST_WORKERS)
        if view.id in self._writing:
            return False
        self._writing[view.id] = None
        return True

    def next_to_write(self, run_id: int, now: float) -> int | None:
        """Return what is to be written next; None, at the time `now`, when all of it is."""
        wanted = self._wanted.get(run_id)
        if wanted != self._writing.get(run_id):
            self._writing[run_id] = wanted
            return wanted
        self._writing.pop(run_id, None)
        self._written_at[run_id] = now
        return None

    def forget(self, run_id: int) -> None:
        """Want nothing else than what the run has: it could not be written."""
        self._wanted.pop(run_id, None)
        self._writing.pop(run_id, None)

    def seen(self, view: RunView, at: float) -> None:
        """Forget a wish that is written once the run was read after that: from then on counts what it says."""
        if view.id not in self._writing and at > self._written_at.get(view.id, at):
            self._wanted.pop(view.id, None)
