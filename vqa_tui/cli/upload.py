"""`vqa-tui upload`: an export to the Hugging Face Hub."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.cli.options import JsonOption, WorkspaceOption, in_workspace
from vqa_tui.cli.output import Column, note, print_table, say
from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.operations.hub_upload import UploadPlan
    from vqa_tui.operations.workspace import Workspace


def upload(
    what: Annotated[
        str, typer.Argument(metavar="RUN_OR_FILE", help="The OUT of an export, its manifest, or a run to be exported.")
    ],
    repo: Annotated[str, typer.Argument(metavar="REPO_ID", help="The dataset at the Hub, as OWNER/NAME.")],
    license_: Annotated[
        str | None,
        typer.Option("--license", metavar="L", help="As the Hub names it, such as cc-by-4.0; a terminal is asked."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="Of a run: the format to export as (qwen).")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public/--private", help="Let everybody see it; without, a new one is private.")
    ] = False,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Upload pictures too whose links lead out of the export's folder.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be uploaded, and print the card.")
    ] = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Upload an export with its pictures to the Hugging Face Hub, and write its dataset card.

    HF_TOKEN holds a token that may write. Nothing is uploaded that was changed since its export. A run is exported
    into the workspace first, with copies of its pictures. The same command goes on where it was broken off.
    """
    from vqa_tui.cli.json_output import print_json
    from vqa_tui.hub.upload import require_token
    from vqa_tui.operations import hub_upload
    from vqa_tui.tui.present.hub_lines import upload_line, upload_remarks
    from vqa_tui.tui.present.numbers import count

    if not dry_run:
        require_token()
    plan = hub_upload.plan_upload(
        _exported(what, form, workspace),
        repo,
        license=license_ if license_ is not None else _asked_license(json),
        allow_outside=allow_outside,
    )
    if dry_run:
        if json:
            print_json(plan)
        else:
            _show_plan(plan)
        return
    is_watched = sys.stderr.isatty()

    def progress(files: int) -> None:
        if is_watched:
            note(f"{count(files)} of {count(len(plan.files))} files")

    report = hub_upload.upload(plan, private=not public, progress=progress)
    if json:
        print_json(report)
        return
    say(upload_line(report))
    for words in upload_remarks(report, public=public):
        note(words)


def _exported(what: str, form: str | None, workspace: Path | None) -> Path:
    """Return the export that is meant: a file, or that of a run, which is made now."""
    from vqa_tui.exporters.manifest import manifest_path, manifests_that_may_list

    path = Path(what)
    if path.is_file() or manifest_path(path).is_file() or manifests_that_may_list(path):
        if form is not None:
            raise VqaError(f"{what} is exported already; --format is for a run", hint="Leave it out.")
        return path
    if "/" in what or path.suffix in (".jsonl", ".json", ".csv", ".parquet"):
        raise VqaError(f"there is no export {what}", hint="Name the OUT of an export, its manifest, or a run.")

    async def work(opened: "Workspace") -> Path:
        from vqa_tui.exporters.formats import export_format
        from vqa_tui.operations.exports import export_run
        from vqa_tui.operations.runs import find_run

        run_id = await find_run(opened, what)
        chosen = export_format(form or "qwen")
        out = opened.paths.root / "uploads" / str(run_id) / f"{chosen.name}{chosen.suffix}"
        out.parent.mkdir(parents=True, exist_ok=True)
        pictures = "inline" if chosen.holds_pictures else "copy"
        await export_run(opened, run_id, chosen.name, out, pictures=pictures)
        return out

    return in_workspace(workspace, work)


def _asked_license(json: bool) -> str:
    if json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise VqaError(
            "the dataset card needs a licence", hint="Say --license, such as cc-by-4.0, cc0-1.0, other or unknown."
        )
    answer: str = typer.prompt("Licence of the dataset (cc-by-4.0, cc0-1.0, other, unknown …)", err=True)
    return answer


def _made_there(plan: "UploadPlan") -> list[tuple[str, str]]:
    """Return the files that are made in the repository, and what is in them."""
    registry = [("dataset_info.json", "entries for LLaMA-Factory")] if plan.registered else []
    return [*registry, ("README.md", "the card below")]


def _show_plan(plan: "UploadPlan") -> None:
    from vqa_tui.tui.present.numbers import count, file_size

    print_table(
        [Column("file"), Column("size", right=True)],
        [*((file.name, file_size(file.bytes)) for file in plan.files), *_made_there(plan)],
        empty="",
    )
    say()
    say(plan.card)
    files = count(len(plan.files) + len(_made_there(plan)))
    say(f"{files} files, {file_size(plan.bytes)}, would go to {plan.repo_id}; nothing was sent.")
