"""`vqa-tui demo`: from drawn pictures to a validated training file, with no key, no network and no cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.errors import WORK_FAILED
from vqa_tui.cli.options import WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import say
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.operations.workspace import Workspace

_FORMAT = "qwen"
_SPLIT = (0.9, 0.1)
_FEWEST_TO_TRAIN = 4
_MOST_IMAGES = 10_000


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="No terminal app: approve by itself, print lines, export, exit.")
    ] = False,
    images: Annotated[
        int, typer.Option("--images", metavar="N", min=1, max=_MOST_IMAGES, help="How many pictures are drawn.")
    ] = 60,
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Where pictures, workspace and training files go.")
    ] = Path("demo"),
    train: Annotated[
        bool,
        typer.Option(
            "--train", help="Then teach a tiny model on this computer, and judge it. Needs the extra `train`."
        ),
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show the whole way on drawn pictures: no key, no cost.

    Draws baggage-like scans, imports them, asks the built-in endpoint about them, and leaves a validated training
    file behind.

    The workspace of the demo lies in its own folder unless --workspace names another.
    """
    from vqa_tui.demo.dataset import refuse_foreign_dataset
    from vqa_tui.operations.demo import start_demo

    if train:
        from vqa_tui.operations.training_packages import require_training_packages

        require_training_packages(judging=True)
        if images < _FEWEST_TO_TRAIN:
            raise VqaError(
                f"--train needs {_FEWEST_TO_TRAIN} pictures or more, to learn from some and hold out others",
                hint="Leave out --images: 60 are drawn.",
            )
    if not headless:
        from vqa_tui.cli.ui import require_terminal

        require_terminal()
    # Before the workspace is opened, so that a folder that is not ours gets no workspace either.
    refuse_foreign_dataset(folder)
    place = workspace or folder

    async def work(opened: "Workspace") -> int:
        say(f"Drawing {images} scans into {folder / 'images'} …")
        started = await start_demo(opened, folder, images, approved=headless)
        run_id = started.run_id
        say(f"Imported as dataset {started.dataset}: {started.added} new, {started.unchanged} known already.")
        if headless:
            from vqa_tui.cli.run_watch import RunWatch

            if code := await RunWatch(opened, run_id, place, plain_lines=True).to_the_end():
                return code
        else:
            from vqa_tui.cli.ui import show_ui

            await show_ui(opened, open_run=run_id)
        code, is_done = await _finish(opened, run_id, folder, place)
        if train and is_done and not code:
            from vqa_tui.cli.demo_train import train_and_judge

            return await train_and_judge(opened, run_id, place)
        return code

    raise typer.Exit(in_workspace(place, work, create=True))


async def _finish(opened: "Workspace", run_id: int, folder: Path, place: Path) -> tuple[int, bool]:
    """Export and validate a run that is done, or tell how to come back to one that is not; return the exit code, and
    whether it is done."""
    from vqa_tui.cli.export import show_export, show_verdict
    from vqa_tui.domain.run import Phase
    from vqa_tui.operations.exports import export_run, validate_file
    from vqa_tui.operations.runs import run_view

    view = await run_view(opened, run_id)
    if view.phase is not Phase.DONE:
        say(f"The run {view.name} is not done yet. It goes on without this window; to see it again:")
        say(f"  {command_line('', place)}")
        say("When it is done:")
        out = folder / f"{view.name}.jsonl"
        option = " --split 0.9/0.1" if view.counts.total > 1 else ""
        say(f"  {command_line(f'export {view.name} {_FORMAT} {out}{option}', place)}")
        return 0, False
    # One picture cannot stand on both sides of a split.
    split = _SPLIT if view.counts.done > 1 else None
    report = await export_run(opened, run_id, _FORMAT, folder / f"{view.name}.jsonl", split=split)
    show_export(report)
    verdict = validate_file(report.manifest)
    show_verdict(verdict)
    say(f"To look at the run again:  {command_line('', place)}")
    return (0 if verdict.ok else WORK_FAILED), True
