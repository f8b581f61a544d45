"""What came of a download from the Hub or an upload to it, in lines that both faces say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vqa_tui.tui.present.numbers import count, file_size, plural

if TYPE_CHECKING:
    from vqa_tui.operations.hub_download import DownloadReport
    from vqa_tui.operations.hub_upload import UploadReport


def download_lines(report: "DownloadReport") -> list[str]:
    """Return what came, and what was unpacked; names are those of the Hub, and are not made harmless."""
    if report.files:
        already = report.bytes - report.came_bytes
        before = f", {file_size(already)} of it were there before" if already else ""
        lines = [
            f"{report.dataset}: {plural(len(report.files), 'file')} of {report.repo_id}, "
            f"{file_size(report.bytes)}{before}; every hash is right"
        ]
    else:
        lines = [f"{report.dataset}: everything is there already"]
    return [
        *lines,
        *(f"  unpacked into {report.folder / name}; the archive may be deleted" for name in report.unpacked),
    ]


def upload_line(report: "UploadReport") -> str:
    """Return what lies where, and who sees it."""
    seen = "private" if report.private else "everybody can see it"
    return f"Uploaded {count(report.files)} files, {file_size(report.bytes)}, to {report.url} ({seen})."


def upload_remarks(report: "UploadReport", *, public: bool) -> Sequence[str]:
    """Return what is otherwise than one may think; `public` is what was wished."""
    remarks = []
    if public and report.private:
        remarks.append(
            "The dataset was there and is private, which an upload does not change; its settings at the Hub can."
        )
    if report.kept_card:
        remarks.append("Its README.md was written by a person and stays as it is.")
    return remarks
