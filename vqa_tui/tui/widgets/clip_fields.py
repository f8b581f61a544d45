"""The fields of a form for datasets of videos: where videos come from, how they are cut, and where clips go to."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from vqa_tui.operations.datasets import ClipWishes, DatasetKind, clip_wishes

_FIELDS = (
    ("seconds", "Seconds", "each video as a whole", "Cut each video into clips of so many seconds"),
    (
        "videos-from",
        "Videos at",
        "on this machine",
        "The address of their folder, such as s3://bucket/videos, or s3_path for the addresses that the file gives",
    ),
    (
        "clips",
        "Keep clips",
        "cut when they are sent",
        "A folder into which the clips are cut once; they are then what the dataset holds",
    ),
    (
        "clips-to",
        "Upload to",
        "nowhere",
        "The address of a folder that gets a copy of each clip, such as gs://bucket/f",
    ),
)


class ClipFields(Vertical):
    """Shows what the chosen kind takes; what is typed for another kind does not count."""

    DEFAULT_CSS = "ClipFields { height: auto; }"

    def compose(self) -> ComposeResult:
        for name, label, placeholder, tooltip in _FIELDS:
            with Horizontal(classes="form-row", id=f"{name}-row"):
                yield Label(label)
                yield Input("", id=name, compact=True, placeholder=placeholder, tooltip=tooltip)

    def show(self, kind: DatasetKind) -> None:
        """Show the fields of a kind of dataset, none where it has no clips."""
        self.display = kind.takes_clips
        self.query_one("#seconds-row").display = kind.takes_length
        self.query_one("#videos-from-row").display = not kind.takes_length

    def wishes(self) -> ClipWishes:
        """Return what is typed for the kind that is shown. Raises VqaError for what is no number of seconds."""
        if not self.display:
            return ClipWishes()
        typed = {name: self.query_one(f"#{name}", Input).value.strip() for name, *_words in _FIELDS}
        of_length = bool(self.query_one("#seconds-row").display)
        return clip_wishes(
            keep=typed["clips"],
            upload_to=typed["clips-to"],
            videos_from="" if of_length else typed["videos-from"],
            seconds=typed["seconds"] if of_length else "",
        )
