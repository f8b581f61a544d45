"""Downloading a known dataset from the Hub, unpacked so that it can be imported."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.hub.client import is_disk_full
from vqa_tui.hub.download import HubFile, fetch, list_files, missing_bytes
from vqa_tui.hub.unpacking import require_tool, unpack_rar

_RAR = ".rar"


@dataclass(frozen=True, slots=True)
class KnownDataset:
    """A dataset that can be downloaded by a short name."""

    name: str
    repo_id: str
    patterns: tuple[str, ...]
    """Its files that are wanted (fnmatch)."""
    kind: str
    """As which the folder is imported."""


KNOWN = {
    known.name: known
    for known in (
        KnownDataset("stcray", "Naoufel555/STCray-Dataset", ("STCray_*.rar",), "stcray-tree"),
        KnownDataset("vqa-rad", "flaviagiammarino/vqa-rad", ("*.parquet",), "vqa-rad"),
    )
}


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far a download has come. `doing`: downloading or unpacking `file`; bytes are those of all files."""

    doing: str
    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class DownloadReport:
    """What a download brought."""

    dataset: str
    repo_id: str
    commit: str
    folder: Path
    kind: str
    """As which `folder` is imported."""
    files: tuple[str, ...]
    """Names of the files at the Hub, each checked by its hash; what was unpacked earlier is not among them."""
    bytes: int
    """Of these files together."""
    came_bytes: int
    """Of these, what came now; the rest lay there before."""
    unpacked: tuple[str, ...]
    """Folders that archives were unpacked into now."""


def download_dataset(
    name: str,
    folder: Path | None = None,
    *,
    revision: str | None = None,
    progress: Callable[[DownloadProgress], None] | None = None,
) -> DownloadReport:
    """Download the dataset `name` into `folder` (default: one of its name, here), and unpack its archives there.

    A download that was cut, by whatever, goes on where it was; each file is checked by the hash that the Hub tells. An
    archive `X.rar` becomes the folder `X`; where that is there, it is neither downloaded nor unpacked again. The token
    is the value of `HF_TOKEN`. Blocks: call it in a thread where something else must go on. What `progress` raises,
    unless it is an OSError, stops the download and comes out of it.
    Raises VqaError for an unknown name, a missing program or extra, a gated or unknown dataset, a token that is not
    accepted; WorkFailed where network, server or disk stand in the way.
    """
    known = KNOWN.get(name)
    if known is None:
        raise VqaError(f"no dataset `{name}` is known to be downloaded", hint=f"Known are {', '.join(KNOWN)}.")
    folder = (folder or Path(known.name)).expanduser().absolute()
    tell = progress or (lambda _state: None)
    try:
        return _download(known, folder, revision, tell)
    except OSError as error:
        if is_disk_full(error):
            raise WorkFailed(
                f"cannot download into {folder}: the disk is full",
                hint="Make room and do it again; what has come stays and is not asked for twice.",
            ) from error
        raise WorkFailed(
            f"cannot download into {folder}: {error.strerror or error}", hint="Choose another folder."
        ) from error


def _download(
    known: KnownDataset, folder: Path, revision: str | None, tell: Callable[[DownloadProgress], None]
) -> DownloadReport:
    listing = list_files(known.repo_id, known.patterns, revision)
    wanted = [file for file in listing.files if not _unpacked_folder(file, folder).is_dir()]
    if any(file.name.endswith(_RAR) for file in wanted):
        require_tool()
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(file.bytes for file in wanted)
    missing = sum(missing_bytes(file, folder) for file in wanted)
    if missing > (free := shutil.disk_usage(folder).free):
        raise WorkFailed(
            f"{missing / 1e9:.1f} GB are to come, and the disk of {folder} has {free / 1e9:.1f} GB left",
            hint="Make room, or choose a folder on another disk.",
        )
    done, came, unpacked = total - missing, 0, []
    for file in wanted:

        def note(size: int, name: str = file.name) -> None:
            nonlocal done, came
            done, came = done + size, came + size
            tell(DownloadProgress("downloading", name, done, total))

        note(0)
        path = fetch(file, folder, note)
        if file.name.endswith(_RAR):
            tell(DownloadProgress("unpacking", file.name, done, total))
            target = _unpacked_folder(file, folder)
            unpack_rar(path, target)
            unpacked.append(target.name)
    names = tuple(file.name for file in wanted)
    return DownloadReport(
        known.name, known.repo_id, listing.commit, folder, known.kind, names, total, came, tuple(unpacked)
    )


def _unpacked_folder(file: HubFile, folder: Path) -> Path:
    """Return the folder that an archive becomes; of any other file a path that is none."""
    path = folder / file.name
    return path.with_suffix("") if file.name.endswith(_RAR) else path
