"""A dataset at the Hub in the place of a path: what it is called here, where its pictures go, and its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.hub.streaming import dataset_id, table_files
from vqa_tui.operations.workspace import Workspace
from vqa_tui.sources.registry import KINDS
from vqa_tui.sources.streamed_tables import StreamedTable

HUB_KIND = "hf"


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A dataset at the Hub."""

    repo_id: str
    revision: str | None

    @property
    def given(self) -> str:
        """How the workspace names it as a source; it can be given in the place of a path again."""
        return f"hf://{self.repo_id}" + (f"@{self.revision}" if self.revision else "")

    @property
    def base(self) -> str:
        """What a dataset of it is called unless a person says otherwise."""
        return self.repo_id.rpartition("/")[2]

    def root(self, workspace: Workspace, images: Path | None) -> Path:
        """Return the folder that its pictures are written into: `images`, or one of its own in the workspace."""
        if images is not None:
            return images.expanduser().absolute().resolve()
        return (workspace.paths.root / "pictures" / self.repo_id.replace("/", "--")).resolve()


def hub_place(kind: str, path: Path) -> HubPlace | None:
    """Return the dataset at the Hub that `path` names, or None where it is a path.

    What is there as a file or folder is that. Raises VqaError for what is neither a path nor a dataset's name.
    """
    if kind != HUB_KIND or path.expanduser().exists():
        return None
    found = dataset_id(str(path))
    if found is None:
        raise VqaError(
            f"{path} is no file or folder, and no dataset at the Hub is called so",
            hint="At the Hub it is OWNER/NAME, or OWNER/NAME@REVISION.",
        )
    return HubPlace(*found)


def open_hub_table(place: HubPlace, root: Path, columns: Mapping[str, str] | None) -> StreamedTable:
    """Return the rows of a dataset at the Hub. Asks the Hub for its files; raises as `table_files` does."""
    return StreamedTable(table_files(place.repo_id, place.revision), root, columns=columns)


def takes_columns(kind: str) -> bool:
    """Return whether a person may say which column of this kind holds what."""
    return kind in KINDS and KINDS[kind].takes_columns
