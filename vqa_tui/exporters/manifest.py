"""The manifest beside an export: where it comes from, what is in it, and the hashes that prove it."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from vqa_tui.domain.split_shares import Side

MANIFEST_SUFFIX = ".manifest.json"
_MAX_BYTES = 1_000_000
_PART = re.compile(r"(.+)\.(?:train|val|test)(\.[^.]+)?")
_SHARD = re.compile(r"(.+)-\d{5,}-of-\d{5,}(\.[^.]+)?")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class ManifestFile(_Model):
    """One file of the export. `part` is a side of the split, else all."""

    name: str
    part: Literal["all"] | Side
    role: str = ""
    """What the file is beside the records, such as annotations; '' for the records themselves."""
    sha256: str
    bytes: int
    records: int
    pictures: int
    pairs: int


class ManifestRun(_Model):
    """The run; `recipe_sha256` is the hash of the frozen recipe, `config_sha256` that of recipe and endpoint."""

    id: int
    name: str
    phase: str
    dataset: str
    recipe: str
    recipe_sha256: str
    config_sha256: str
    endpoint: str
    model: str


class ManifestFollowUp(_Model):
    """A run that asked pictures elsewhere that have no pairs in the exported run, and what it gave to the files."""

    id: int
    name: str
    config_sha256: str
    endpoint: str
    model: str
    pictures: int
    pairs: int


class ManifestSkipped(_Model):
    """What the run holds and the export does not."""

    rejected_pairs: int
    unaccepted_pairs: int = 0
    """Unsure and unreviewed pairs, where only accepted ones were wanted."""
    surplus_pairs: int = 0
    """Further pairs of pictures of which only so many were wanted."""
    unmixed_pairs: int = 0
    """Pairs of which their type of answers had more than its share."""
    unfinished_pictures: int
    """Requests, where a picture may be several of them; so are the next two."""
    failed_pictures: int
    skipped_pictures: int


class ManifestSplit(_Model):
    """Shares asked for; equal pictures stand on one side."""

    train: float
    val: float
    test: float | None = None
    by: Literal["picture sha256"] = "picture sha256"
    seed: int | None = None
    """Of the draw; None where the hash itself decides."""
    stratified_by: Literal["", "labels"] = ""


class ManifestChecks(_Model):
    """What validation holds the pairs against, from the recipe."""

    min_answer_chars: int = 1
    risk_words: tuple[str, ...] = ()
    structured_types: tuple[str, ...] = ()
    """Question types whose answer must itself be JSON."""


class Manifest(_Model):
    """The whole manifest. Unknown keys are passed over, so that an older version can read a newer one's."""

    made_by: Literal["vqa-tui"] = "vqa-tui"
    manifest_version: Literal[1] = 1
    product_version: str
    created_at: str
    """UTC, ISO 8601."""
    format: str
    grouped: bool
    image_paths: Literal["relative to this folder", "absolute", "inline"]
    pictures_are: str = "in-place"
    """in-place, copy, link or inline."""
    run: ManifestRun
    follow_ups: tuple[ManifestFollowUp, ...] = ()
    """Runs that some of the pairs are from, the newest first."""
    pictures: int
    pairs: int
    question_types: dict[str, int]
    answer_types: dict[str, int] = {}
    """Pairs in the files by type of answer: yes/no, number, other."""
    answer_mix: dict[str, float] = {}
    """The shares of types of answers that were wanted; empty: all, as they come."""
    reviewed: str = "not-rejected"
    """Which pairs were wanted: not-rejected, accepted or any."""
    verdicts: dict[str, int] = {}
    """Pairs in the files by verdict: accepted, edited, unsure, rejected, `not reviewed`."""
    flags: dict[str, int] = {}
    """Pairs in the files by what a person should know about them, such as `cut_reply`; without those that are accepted,
    edited or rejected."""
    skipped: ManifestSkipped
    split: ManifestSplit | None
    shard_size: int | None = None
    """Most rows of a file, but for a picture that alone has more; None where a part is one file."""
    checks: ManifestChecks
    files: tuple[ManifestFile, ...]


class UnreadableManifest(Exception):
    """A file that should be a manifest of ours and is not; the text says why."""


def manifest_path(out: Path) -> Path:
    """Return where the manifest of the export `out` stands."""
    return out.with_name(out.name + MANIFEST_SUFFIX)


def part_path(out: Path, part: str) -> Path:
    """Return the file of one part: `x.jsonl` itself for `all`, else `x.train.jsonl` and the like."""
    return out if part == "all" else out.with_name(f"{out.stem}.{part}{out.suffix}")


def shard_path(path: Path, number: int, count: int) -> Path:
    """Return the file of shard `number`, from 1, of `count`: `x-00001-of-00003.jsonl`, the names of Hugging Face."""
    return path.with_name(f"{path.stem}-{number:05}-of-{count:05}{path.suffix}")


def companion_path(path: Path, name: str) -> Path:
    """Return the file that accompanies a file of records: `x.annotations.json` for `x.json`."""
    return path.with_name(f"{path.stem}.{name}{path.suffix}")


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in `path`. Raises UnreadableManifest when it is none of ours, OSError when not readable."""
    with open(path, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise UnreadableManifest("it is too large for a manifest")
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UnreadableManifest(f"{place}: {first['msg']}" if place else first["msg"]) from error


def manifests_that_may_list(path: Path) -> list[Path]:
    """Return the existing manifests beside `path` that may name it: its own, and those of the shards or the split that
    it is a part of."""
    candidates = [manifest_path(path)]
    name = path.name
    for pattern in (_SHARD, _PART):
        if match := pattern.fullmatch(name):
            name = match.group(1) + (match.group(2) or "")
            candidates.append(manifest_path(path.with_name(name)))
    return [candidate for candidate in candidates if candidate.is_file()]
