"""What the dialogs of a download from the Hub and of an upload to it say."""

from textual.content import Content

from vqa_tui.operations.hub_download import DownloadProgress, DownloadReport, KnownDataset
from vqa_tui.operations.hub_upload import UploadPlan, UploadReport
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.hub_lines import download_lines, upload_line, upload_remarks
from vqa_tui.tui.present.numbers import count, duration, file_size, plural
from vqa_tui.tui.present.phases import BUSY, GOOD, QUIET, WARN

STOP_DOWNLOAD = "What has come stays, and the same download goes on from there."
_LINE = 500


def dataset_choice(known: KnownDataset) -> Content:
    """Return a dataset in the list of those that can be downloaded."""
    return Content.assemble(known.name, (f"  {known.repo_id}", QUIET))


def token_words(is_set: bool, *, writes: bool) -> Content:
    """Return whether there is a token for the Hub, never which one; `writes`: it is wanted for an upload."""
    if is_set:
        return Content.assemble(("✔ ", GOOD), "HF_TOKEN is set (its value is never shown)")
    if writes:
        return Content.styled("✖ HF_TOKEN is not set: set it, then open vqa-tui again", WARN)
    return Content.styled("HF_TOKEN is not set; what everybody may see needs none", QUIET)


def download_text(progress: DownloadProgress | None, *, per_second: float | None, stopping: bool) -> Content:
    """Return how far a download is, None before anything is known of it; `per_second` in bytes."""
    if stopping:
        return Content.styled("stopping when the piece that is on its way is here; esc does not wait …", WARN)
    if progress is None:
        return Content.styled("asking the Hub …", QUIET)
    come = f"{file_size(progress.done_bytes)} of {file_size(progress.total_bytes)}"
    speed = f"  {file_size(round(per_second))}/s" if per_second else ""
    doing = clean(f"{progress.doing} {progress.file}", one_line=True, limit=_LINE)
    return Content.assemble((come, f"bold {BUSY}"), (speed, QUIET), "\n", doing)


def download_report_text(report: DownloadReport) -> Content:
    """Return what a download brought that came to its end."""
    first, *more = (_line(words) for words in download_lines(report))
    where = _line(f"It lies in {report.folder} and can be imported as kind {report.kind}.")
    return Content("\n").join(
        [Content.assemble(("✔ ", f"bold {GOOD}"), first), *map(Content, more), Content.styled(where, QUIET)]
    )


def download_stopped_text() -> Content:
    """Return what stays of a download that was stopped."""
    return Content.assemble(("■ stopped", f"bold {WARN}"), f"\n{STOP_DOWNLOAD}")


def upload_question(plan: UploadPlan, *, public: bool) -> str:
    """Return what an upload would do."""
    seen = (
        "Everybody will see it, and what was public once cannot be called back."
        if public
        else "A new dataset is private; one that everybody can see is refused."
    )
    pictures = f", {plural(plan.pictures, 'picture')} among them" if plan.pictures else ""
    return (
        f"{plural(len(plan.files), 'file')}, {file_size(plan.bytes)}{pictures}, go to {plan.repo_id} at the Hub, "
        f"with a card that names the licence {plan.license}. {seen}"
    )


def upload_text(plan: UploadPlan, sent: int, *, seconds: float) -> Content:
    """Return how far an upload is; `sent` files are there, which many at a time come to be."""
    total = plural(len(plan.files), "file")
    return Content.assemble(
        (f"{count(sent)} of {total}", f"bold {BUSY}"),
        f", {file_size(plan.bytes)}, are at the Hub",
        (f"  for {duration(seconds)}", QUIET),
    )


def upload_report_text(report: UploadReport, *, public: bool) -> Content:
    """Return what an upload did that came to its end."""
    lines = [Content.assemble(("✔ ", f"bold {GOOD}"), _line(upload_line(report)))]
    lines += [Content.styled(f"▲ {_line(words)}", WARN) for words in upload_remarks(report, public=public)]
    return Content("\n").join(lines)


def _line(words: str) -> str:
    return clean(words, one_line=True, limit=_LINE)
