"""Uploading an export to the Hub: what belongs to it, whether it may go, and its card."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.domain.part import counted
from vqa_tui.exporters.dataset_info import DATASET_INFO, parsed_info, with_entries
from vqa_tui.exporters.file_shapes import file_shape
from vqa_tui.exporters.formats import FORMATS
from vqa_tui.exporters.manifest import (
    MANIFEST_SUFFIX,
    Manifest,
    UnreadableManifest,
    manifest_path,
    manifests_that_may_list,
    read_manifest,
)
from vqa_tui.exporters.record_checks import check_record
from vqa_tui.exporters.record_reading import read_records
from vqa_tui.hub.client import hub_errors, library
from vqa_tui.hub.upload import CARD, UploadFile, content_there, make_repository, require_token, upload_files
from vqa_tui.operations.dataset_card import MARK, checked_license, dataset_card

_READ_BYTES = 1 << 20
_INLINE = "data:"


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """What an upload would bring."""

    repo_id: str
    license: str
    files: tuple[UploadFile, ...]
    """Pictures first, then the records, then their manifest: what names another comes after it."""
    pictures: int
    card: str
    message: str
    registered: tuple[str, ...] = ()
    """Files of records that get entries in the `dataset_info.json` of the repository, for LLaMA-Factory."""

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What an upload brought."""

    url: str
    repo_id: str
    private: bool
    """As the repository is, which may have been there: an upload lets nobody see what is private."""
    files: int
    """Those of the export, and those that are made in the repository: the card, and the registry of LLaMA-Factory."""
    bytes: int
    """Of the files of the export."""
    kept_card: bool
    """Whether the repository has a card that a person wrote, which was left as it is."""


def plan_upload(
    path: Path,
    repo_id: str,
    *,
    license: str,  # noqa: A002 - the word of the card
    allow_outside: bool = False,
) -> UploadPlan:
    """Return what the upload of an export would bring; asks nobody. `path` is its OUT, its manifest or a file of it.

    All files that the manifest lists belong to it, each with the content that it had when it was exported, and the
    pictures that the records name, beneath the folder of the file; with `allow_outside` links among them may lead out
    of it. A copy that an export made (its name is its SHA-256) counts as beneath wherever its link leads.
    Raises VqaError when there is no manifest, a file was changed since, a picture is not beneath the folder or
    missing, the name or the licence cannot be.
    """
    _check_name(repo_id)
    spelled = checked_license(license)
    manifest_file, manifest = _manifest(path.expanduser().absolute())
    folder = manifest_file.parent
    records = [_listed(folder, listed.name, listed.sha256) for listed in manifest.files]
    pictures: dict[str, UploadFile] = {}
    features: dict[str, str] = {}
    for listed, file in zip(manifest.files, records, strict=True):
        if not listed.role:
            for name in _named_pictures(file.path, manifest.format, features):
                if name not in pictures:
                    pictures[name] = _picture(name, folder, file.name, allow_outside)
    files = [*pictures.values(), *records, _file(manifest_file.name, manifest_file)]
    card = dataset_card(manifest, license=spelled, features=features, pictures=len(pictures))
    about = f"{counted(manifest.pairs, 'pair')} about {counted(manifest.pictures, 'picture')}"
    words = f"{about}, {manifest.format}, by vqa-tui"
    known = FORMATS.get(manifest.format)
    registered = [listed.name for listed in manifest.files if not listed.role] if known and known.is_registered else []
    return UploadPlan(repo_id, spelled, tuple(files), len(pictures), card, words, tuple(registered))


def upload(plan: UploadPlan, *, private: bool = True, progress: Callable[[int], None] | None = None) -> UploadReport:
    """Bring what was planned to the Hub, into a repository that is made where it is not there.

    A card that a person wrote stays; one that vqa-tui wrote is replaced. A `dataset_info.json` that is there keeps its
    other entries. `progress` is told how many files are there.
    The token is the value of `HF_TOKEN`. Blocks. Raises VqaError without one and for a repository that may not be
    written, or that everybody can see where `private` is wanted; WorkFailed where network or server stand in the way.
    """
    require_token()
    is_private = make_repository(plan.repo_id, private=private)
    earlier = (content_there(plan.repo_id, CARD) or b"").strip()
    keeps_card = bool(earlier) and MARK.encode("utf-8") not in earlier
    texts = {} if keeps_card else {CARD: plan.card.encode("utf-8")}
    if plan.registered:
        texts[DATASET_INFO] = _registry(plan)
    try:
        url = upload_files(
            plan.repo_id,
            plan.files,
            texts,
            message=plan.message,
            done=progress or (lambda _files: None),
        )
    except OSError as error:
        raise WorkFailed(
            f"{error.filename or 'a file'} cannot be read: {error.strerror or error}", hint="Export again."
        ) from error
    return UploadReport(url, plan.repo_id, is_private, len(plan.files) + len(texts), plan.bytes, keeps_card)


def _registry(plan: UploadPlan) -> bytes:
    where = f"{DATASET_INFO} of {plan.repo_id}"
    there = content_there(plan.repo_id, DATASET_INFO)
    known = {} if there is None else parsed_info(there, where)
    return with_entries(known, plan.registered, where)


def _check_name(repo_id: str) -> None:
    with hub_errors(repo_id):
        library().utils.validate_repo_id(repo_id)
    if repo_id.count("/") != 1:
        raise VqaError(f"`{repo_id}` does not say whose dataset it is", hint="Write it as OWNER/NAME.")


def _manifest(path: Path) -> tuple[Path, Manifest]:
    if path.name.endswith(MANIFEST_SUFFIX):
        candidates = [path]
    elif manifest_path(path).is_file():
        candidates = [manifest_path(path)]
    else:
        candidates = manifests_that_may_list(path)
    for candidate in candidates:
        try:
            return candidate, read_manifest(candidate)
        except OSError as error:
            raise VqaError(f"cannot read {candidate}: {error.strerror}") from error
        except UnreadableManifest as error:
            raise VqaError(f"{candidate} is no manifest of an export: {error}") from error
    raise VqaError(
        f"{path} is no export: it has no manifest beside it",
        hint="Export with `vqa-tui export RUN FORMAT OUT`, then upload OUT, or name the run.",
    )


def _file(name: str, path: Path) -> UploadFile:
    return UploadFile(name, path, path.stat().st_size)


def _listed(folder: Path, name: str, sha256: str) -> UploadFile:
    """Return a file that the manifest lists. Raises VqaError when it is not there, or not as it was."""
    path = folder / Path(name).name
    if not path.is_file():
        raise VqaError(f"{path} is not there, and the manifest lists it", hint="Export again.")
    if _sha256(path) != sha256:
        raise VqaError(
            f"{path} was changed since it was exported",
            hint="Export again: the card would say of it what is no more so.",
        )
    return _file(path.name, path)


def _named_pictures(path: Path, form: str, features: dict[str, str]) -> Iterator[str]:
    """Yield the pictures that the records of a file name, and note what the first record holds in `features`."""
    shape = file_shape(path)
    for entry in read_records(path):
        if entry.record is None:
            raise VqaError(f"{path}: {entry.problem}", hint="`vqa-tui validate` tells all that is wrong with it.")
        if not features:
            features.update({str(name): _kind(value) for name, value in entry.record.items()})
        for named in check_record(entry.record, shape, expected=form).images:
            if not named.startswith(_INLINE):
                yield named


def _picture(named: str, folder: Path, record_file: str, allow_outside: bool) -> UploadFile:
    inner = PurePosixPath(named)
    if inner.is_absolute() or ".." in inner.parts:
        raise VqaError(
            f"{record_file} names a picture that is not beneath its folder: {named}",
            hint="Nobody else finds it there. Export with the pictures copied beside the file (--pictures copy), or in "
            "the file itself where the format can (--pictures inline).",
        )
    path = folder / named
    if not path.is_file():
        raise VqaError(f"{record_file} names the picture {named}, which is not there", hint="Export again.")
    leads_out = not path.resolve().is_relative_to(folder.resolve())
    if leads_out and not allow_outside and _sha256(path) != inner.stem:
        raise VqaError(
            f"the picture {named} is a link that leads out of the folder of the export, to {path.resolve()}",
            hint="Say --allow-outside to upload what is there, or export with --pictures copy.",
        )
    return _file(named, path)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case str() if value.startswith(_INLINE):
            return "picture"
        case str():
            return "text"
        case int() | float():
            return "number"
        case list():
            return f"list of {_kind(value[0])}" if value else "list"
        case dict():
            return "object"
    return "empty"
