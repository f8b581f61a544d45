"""`vqa-tui dataset download`: a known dataset from the Hugging Face Hub."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, command_line, in_workspace
from vqa_tui.cli.output import note, say

if TYPE_CHECKING:
    from vqa_tui.operations.datasets import ImportReport
    from vqa_tui.operations.hub_download import DownloadProgress
    from vqa_tui.operations.workspace import Workspace

_REPORT_EVERY_S = 0.5
_LINE = 78


def download(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="stcray or vqa-rad.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where it goes; default: a folder of its name, here.")
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="R", help="A branch, tag or commit; default: the newest.")
    ] = None,
    then_import: Annotated[
        bool | None,
        typer.Option("--import/--no-import", help="Import it into the workspace; default: a terminal is asked."),
    ] = None,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Download a dataset from the Hugging Face Hub and unpack it; the same command goes on where it was cut.

    Every file is checked by its hash. Where the dataset asks for an account, the variable HF_TOKEN holds its token.
    """
    from vqa_tui.cli.json_output import plain, print_json
    from vqa_tui.operations.datasets import import_dataset
    from vqa_tui.operations.hub_download import download_dataset
    from vqa_tui.tui.present.hub_lines import download_lines

    line = _ProgressLine()
    try:
        report = download_dataset(name, folder, revision=revision, progress=line.show)
    finally:
        line.close()
    if not json:
        for words in download_lines(report):
            say(words)
    command = f"dataset import {report.kind} {report.folder}"
    if then_import is None:
        asks = not json and sys.stdin.isatty() and sys.stderr.isatty()
        then_import = asks and typer.confirm("Import it into the workspace?", default=True, err=True)
    imported = None
    if then_import:

        async def work(opened: "Workspace") -> "ImportReport":
            return await import_dataset(opened, report.kind, report.folder, name=None)

        imported = in_workspace(workspace, work, create=True)
    if json:
        print_json({**plain(report), "imported": imported})
    elif imported is None:
        say(f"To import it:  {command_line(command, workspace)}")
    else:
        from vqa_tui.cli.dataset import show_report

        show_report(imported, workspace)


class _ProgressLine:
    """A line on stderr that tells how far it has come, while a terminal looks on; else one line for each step."""

    def __init__(self) -> None:
        self._redraws = sys.stderr.isatty()
        self._shown_at = float("-inf")
        self._step = ""
        self._drawn = False

    def show(self, progress: "DownloadProgress") -> None:
        from time import monotonic

        from vqa_tui.safe_text import clean
        from vqa_tui.tui.present.numbers import file_size

        step = f"{progress.doing} {progress.file}"
        is_new = step != self._step
        self._step = step
        if not self._redraws:
            if is_new:
                note(f"{step} ({file_size(progress.done_bytes)} of {file_size(progress.total_bytes)} are here)")
            return
        if is_new or monotonic() - self._shown_at >= _REPORT_EVERY_S:
            self._shown_at, self._drawn = monotonic(), True
            come = f"{file_size(progress.done_bytes)} of {file_size(progress.total_bytes)}"
            words = clean(f"{come}  {step}", one_line=True, limit=_LINE)
            sys.stderr.write(f"\r{words:<{_LINE}}")
            sys.stderr.flush()

    def close(self) -> None:
        if self._drawn:
            sys.stderr.write("\r" + " " * _LINE + "\r")
            sys.stderr.flush()
