"""Validating training files: every line, every picture, the split and the manifest."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.risk_words import risk_pattern
from vqa_tui.domain.structured import STRUCTURED_QUESTION, STRUCTURED_TYPE, structured_names
from vqa_tui.exporters.checked_record import CheckedRecord
from vqa_tui.exporters.dataset_info import registration_fault
from vqa_tui.exporters.file_shapes import file_shape
from vqa_tui.exporters.formats import FORMATS
from vqa_tui.exporters.manifest import (
    MANIFEST_SUFFIX,
    Manifest,
    ManifestChecks,
    ManifestFile,
    UnreadableManifest,
    manifest_path,
    manifests_that_may_list,
    read_manifest,
)
from vqa_tui.exporters.message_checks import SHAREGPT
from vqa_tui.exporters.picture_checks import PictureChecks
from vqa_tui.exporters.placed import RGB_MODES
from vqa_tui.exporters.record_checks import CSV, FLAT, check_record
from vqa_tui.exporters.record_reading import read_records
from vqa_tui.exporters.validation_report import (
    ChecksMade,
    ProblemKind,
    ProblemLog,
    ValidationReport,
    ValidationStats,
    judge_findings,
)

STCRAY_CHECKS = ManifestChecks(
    min_answer_chars=15,
    risk_words=("risk level", "inspection required", "recommend", "recommended", "recommendation"),
)
"""What a stcray-flat file without a manifest is held against: the limits of the STCray generator's own validation."""
_PLAIN_CHECKS = ManifestChecks()


def validate_export(path: Path, limits: ManifestChecks | None = None) -> ValidationReport:
    """Check one training file, or all parts of an export when `path` is its manifest or the name given to the export.

    The format is told from the content, and from the manifest where records of two formats look alike. A manifest
    beside the file adds its hashes, its split and its recipe's limits to the checks; for one part of a split the other
    part's pictures are read too. `limits` stand in the place of the manifest's.
    Raises VqaError when there is no such file, OSError when one cannot be read.
    """
    log = ProblemLog()
    manifest, files = _what_to_check(path, log)
    validation = _Validation(log, manifest, path.parent, limits or (manifest.checks if manifest else None))
    with PictureChecks() as pictures:
        for file in files:
            if validation.holds_records(file):
                validation.check_file(file, pictures)
            else:
                validation.compare_with_manifest(file)
        other_side = validation.parts_of_split_besides(files)
        for file in other_side:
            validation.note_pictures(file, pictures)
        return validation.report(pictures)


def files_with_records(path: Path) -> tuple[str, list[Path]]:
    """Return the format that a manifest states ('' without one) and the files that hold the records of an export.

    `path` is one of its files, its name or its manifest. Raises VqaError when there is no such file, OSError.
    """
    manifest, files = _what_to_check(path, ProblemLog())
    accompany = {file.name for file in manifest.files if file.role} if manifest else set()
    return manifest.format if manifest else "", [file for file in files if file.name not in accompany]


def _what_to_check(path: Path, log: ProblemLog) -> tuple[Manifest | None, list[Path]]:
    """Return the manifest that belongs to `path`, if any, and the files to check."""
    if path.name.endswith(MANIFEST_SUFFIX):
        manifest_file = path
    elif not path.exists() and manifest_path(path).is_file():
        manifest_file = manifest_path(path)
    else:
        if not path.is_file():
            raise VqaError(f"there is no file {path}", hint="Name a training file or the manifest of an export.")
        return _manifest_of(path, log), [path]
    try:
        manifest = read_manifest(manifest_file)
    except OSError as error:
        raise VqaError(f"cannot read {manifest_file}: {error.strerror}") from error
    except UnreadableManifest as error:
        raise VqaError(f"{manifest_file} is no manifest of an export: {error}") from error
    files = []
    for listed in manifest.files:
        # A manifest is hostile text as well: only the last part of a name counts, so that it stays in its folder.
        file = path.parent / Path(listed.name).name
        if file.is_file():
            files.append(file)
        else:
            log.add(ProblemKind.MANIFEST, file.name, 0, "the manifest lists this file, and it is not there")
    return manifest, files


def _manifest_of(path: Path, log: ProblemLog) -> Manifest | None:
    for candidate in manifests_that_may_list(path):
        try:
            manifest = read_manifest(candidate)
        except UnreadableManifest as error:
            log.add(ProblemKind.MANIFEST, candidate.name, 0, f"the manifest cannot be read: {error}")
            continue
        if any(listed.name == path.name for listed in manifest.files):
            return manifest
    return None


@dataclass(slots=True)
class _Place:
    file: str
    line: int
    is_entry: bool


class _Validation:
    """The state of one validation over one or two files."""

    def __init__(self, log: ProblemLog, manifest: Manifest | None, folder: Path, limits: ManifestChecks | None) -> None:
        self._log = log
        self._manifest = manifest
        self._limits = limits
        """Those of the recipe, where it is known."""
        self._folder = folder
        self._listed: dict[str, ManifestFile] = {file.name: file for file in manifest.files} if manifest else {}
        self._asked: dict[bytes, tuple[str, int]] = {}
        """First file and line by a hash of picture and question: a million texts themselves would not fit."""
        self._formats: Counter[str] = Counter()
        self._question_types: Counter[str] = Counter()
        self._files = self._records = self._pairs = self._answer_chars = 0
        self._pictures: int | None = None
        """How many pictures the checked files name, once those of another side are read as well."""
        self._ids: dict[bytes, int] = {}
        """First entry of the file being read by a hash of its id."""
        self._checks_risk = self._checks_structure = self._checks_truth = False
        self._knows_limits = True
        self._checks_ids = False
        self._expected = manifest.format if manifest else ""
        self._sides = 0

    def holds_records(self, path: Path) -> bool:
        """Return whether a file holds records itself, and does not only accompany one that does."""
        listed = self._listed.get(path.name)
        return listed is None or not listed.role

    def check_file(self, path: Path, pictures: PictureChecks) -> None:
        """Check every record of one file, and the file against the manifest."""
        self._files += 1
        self._ids.clear()
        shape = file_shape(path)
        pairs_before = self._pairs
        format_here = ""
        for entry in read_records(path):
            place = _Place(path.name, entry.number, not shape.has_lines)
            if entry.record is None:
                self._add(ProblemKind.UNREADABLE, place, entry.problem)
                continue
            self._records += 1
            checked = check_record(entry.record, shape, expected=self._expected)
            format_here = format_here or checked.format
            if checked.format and checked.format != format_here:
                checked.faults.append(f"a {checked.format} record in a {format_here} file")
            self._check_one(checked, place, path.parent, pictures)
        if format_here:
            self._formats[format_here] += 1
        if format_here == SHAREGPT and (fault := registration_fault(path)):
            self._log.add(ProblemKind.CONVERSATION, path.name, 0, fault)
        if self._pairs == pairs_before:
            self._log.add(ProblemKind.UNREADABLE, path.name, 0, "the file holds no question-answer pairs")
        self.compare_with_manifest(path)
        self._sides += 1

    def note_pictures(self, path: Path, pictures: PictureChecks) -> None:
        """Read only which pictures the other side of a split names; its own faults are not this file's."""
        if self._pictures is None:
            self._pictures = len(pictures)
        shape = file_shape(path)
        for entry in read_records(path):
            if entry.record is not None:
                checked = check_record(entry.record, shape, expected=self._expected)
                is_entry = not shape.has_lines
                for named in checked.images:
                    pictures.add(named, path.parent, path.name, entry.number, is_entry=is_entry, decode=False)
                for named in checked.videos:
                    pictures.add_video(named, path.parent, path.name, entry.number, is_entry=is_entry)
        self._sides += 1

    def parts_of_split_besides(self, files: Sequence[Path]) -> list[Path]:
        """Return the other parts of a split export; one that is missing is a problem of the manifest."""
        if self._manifest is None or self._manifest.split is None:
            return []
        checked = {file.name for file in files}
        others = [
            self._folder / Path(listed.name).name
            for listed in self._manifest.files
            if listed.name not in checked and not listed.role
        ]
        for other in others:
            if not other.is_file() and files and len(files) < len(self._manifest.files):
                self._log.add(ProblemKind.MANIFEST, other.name, 0, "another side of the split is not there")
        return [other for other in others if other.is_file()]

    def _side_of(self, name: str) -> str:
        """Return the side of a split that a file is on: the first file of its part, so that shards are one side."""
        part = self._listed[name].part if name in self._listed else ""
        return next((listed.name for listed in self._listed.values() if listed.part == part and not listed.role), name)

    def report(self, pictures: PictureChecks) -> ValidationReport:
        """Wait for the pictures and give the verdict."""
        checked_pictures = len(pictures) if self._pictures is None else self._pictures
        is_split = self._manifest is not None and self._manifest.split is not None and self._sides > 1
        by_hash: dict[str, tuple[str, set[str]]] = {}
        for index, seen in enumerate(pictures.results()):
            place = _Place(seen.file, seen.line, seen.is_entry)
            if seen.fault and index < checked_pictures:
                named = f"; named {seen.uses:,} times" if seen.uses > 1 else ""
                self._add(ProblemKind.PICTURE, place, f"the {seen.medium} {seen.path} {seen.fault}{named}")
            if is_split and seen.sha256:
                first_path, sides = by_hash.setdefault(seen.sha256, (seen.path, set()))
                was_on_one_side = len(sides) < 2
                sides |= {self._side_of(side) for side in seen.sides}
                if was_on_one_side and len(sides) > 1:
                    twin = f", also as {first_path}" if first_path != seen.path else ""
                    message = f"the {seen.medium} {seen.path} stands in {' and in '.join(sorted(sides))}{twin}"
                    self._add(ProblemKind.SPLIT, place, message)
        stats = ValidationStats(
            files=self._files,
            records=self._records,
            pairs=self._pairs,
            pictures=checked_pictures,
            mean_answer_chars=self._answer_chars / self._pairs if self._pairs else 0.0,
            formats=tuple(self._formats),
            question_types=dict(sorted(self._question_types.items())),
        )
        return judge_findings(
            self._log,
            stats,
            ChecksMade(
                risk_words=self._checks_risk,
                ids=self._checks_ids,
                structure=self._checks_structure,
                ground_truth=self._checks_truth,
                split=is_split,
                manifest=self._manifest is not None,
                recipe=self._knows_limits,
            ),
        )

    def _add(self, kind: ProblemKind, place: _Place, message: str) -> None:
        self._log.add(kind, place.file, place.line, message, is_entry=place.is_entry)

    def _check_one(self, checked: CheckedRecord, place: _Place, folder: Path, pictures: PictureChecks) -> None:
        for fault in checked.faults:
            self._add(ProblemKind.CONVERSATION, place, fault)
        if checked.format and not checked.images and not checked.videos and not checked.elsewhere:
            self._add(ProblemKind.PICTURE, place, "names no image")
        modes = RGB_MODES if checked.format in FORMATS and FORMATS[checked.format].only_rgb else ()
        known_as = [
            pictures.add(image, folder, place.file, place.line, is_entry=place.is_entry, modes=modes)
            for image in checked.images
        ] + [
            pictures.add_video(video, folder, place.file, place.line, is_entry=place.is_entry, stated_s=checked.seconds)
            for video in checked.videos
        ]
        self._checks_truth |= checked.states_truth
        if checked.truth_fault:
            self._add(ProblemKind.GROUND_TRUTH, place, checked.truth_fault)
        if checked.record_id:
            self._check_id(checked.record_id, place)
        limits = self._limits or (STCRAY_CHECKS if checked.format == FLAT else _PLAIN_CHECKS)
        self._knows_limits &= limits is not _PLAIN_CHECKS
        structured_types = {STRUCTURED_TYPE, *limits.structured_types}
        risk = risk_pattern(limits.risk_words)
        self._checks_risk |= risk is not None
        for question, answer in checked.pairs:
            self._pairs += 1
            self._answer_chars += len(answer)
            if not question.strip():
                self._add(ProblemKind.ANSWER, place, "an empty question")
            if len(answer.strip()) < limits.min_answer_chars:
                length = len(answer.strip())
                fault = f"an answer of {length} characters; at least {limits.min_answer_chars} are asked for"
                self._add(ProblemKind.ANSWER, place, fault if length else "an empty answer")
            if risk is not None and (found := risk.search(question) or risk.search(answer)):
                self._add(ProblemKind.RISK_WORDS, place, f"the risk word `{found.group()}`")
            if question.strip() == STRUCTURED_QUESTION or checked.question_type in structured_types:
                self._checks_structure = True
                if answer.strip() and structured_names(answer) is None:
                    message = "a structured answer that is not JSON of the form asked for"
                    self._add(ProblemKind.STRUCTURE, place, message)
            if not checked.asks_as_dataset:
                self._check_duplicate("\n".join(known_as), question, place)
        if checked.format in (FLAT, CSV) and checked.pairs:
            self._question_types[checked.question_type] += 1

    def _check_id(self, record_id: str, place: _Place) -> None:
        self._checks_ids = True
        key = hashlib.blake2b(record_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        first = self._ids.setdefault(key, place.line)
        if first != place.line:
            self._add(ProblemKind.DUPLICATE_ID, place, f"the id `{record_id}` of entry {first}")

    def _check_duplicate(self, picture: str, question: str, place: _Place) -> None:
        text = f"{picture}\n{' '.join(question.split()).casefold()}"
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if key not in self._asked:
            self._asked[key] = (place.file, place.line)
            return
        file, line = self._asked[key]
        word = "entry" if place.is_entry else "line"
        first = "before on it" if (file, line) == (place.file, place.line) else f"in {file}, {word} {line}"
        self._add(ProblemKind.DUPLICATE, place, f"a question about the same image that was asked {first}")

    def compare_with_manifest(self, path: Path) -> None:
        """Compare a file with what the manifest says of it, if anything."""
        listed = self._listed.get(path.name)
        if listed is None:
            return
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != listed.sha256:
            message = "the file has changed since it was exported: its SHA-256 is not the one in the manifest"
            self._log.add(ProblemKind.MANIFEST, path.name, 0, message)
