"""`vqa-tui demo --train`: the run of the demo teaches a tiny model, which is judged by what was held out."""

from pathlib import Path
from typing import TYPE_CHECKING

from vqa_tui.cli.errors import WORK_FAILED
from vqa_tui.cli.options import command_line
from vqa_tui.cli.output import note, say

if TYPE_CHECKING:
    from vqa_tui.operations.workspace import Workspace

_CONFIG = "train_tiny"
_MOST_JUDGED = 12


async def train_and_judge(opened: "Workspace", run_id: int, place: Path) -> int:
    """Train on the pairs of a run, evaluate, and show what came of it; return the exit code."""
    from vqa_tui.cli.train_evaluate import show_evaluation
    from vqa_tui.cli.train_watch import follow
    from vqa_tui.domain.evaluation import EVALUATION
    from vqa_tui.domain.training import TrainingPhase
    from vqa_tui.operations.training_configs import training_config
    from vqa_tui.operations.training_evaluation import evaluate_training
    from vqa_tui.operations.training_start import start_training

    say()
    started = await start_training(opened, training_config(opened.paths, _CONFIG), run_id=run_id)
    say(
        f"Training {started.id}: a tiny model learns from {started.data.rows:,} rows; "
        f"{started.data.held_out:,} are held out."
    )
    ended = await follow(opened, str(started.id))
    if ended.phase is not TrainingPhase.DONE:
        say(f"The training is {'lost' if ended.is_lost else ended.phase}: {ended.reason}")
        return WORK_FAILED
    folder = opened.paths.training_folder(started.id)
    say(f"Adapter: {folder / 'adapter'}")
    say("The model before and after answers what was held out …")
    found = await evaluate_training(opened, started.id, limit=_MOST_JUDGED, tell=note)
    say()
    show_evaluation(found)
    say()
    say(f"Evaluation: {folder / EVALUATION}")
    say(f"To see it again:  {command_line(f'train evaluate {started.id} --last', place)}")
    return 0
