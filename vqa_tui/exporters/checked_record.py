"""What checking one record has found, whatever its format."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from vqa_tui.exporters.media_tags import IMAGE_TAG, tag_count

MEDIA_KEYS = {"image": ("image", "images", "image_path"), "video": ("video", "videos", "video_path")}


@dataclass(slots=True)
class CheckedRecord:
    """What a record holds, and in words what is wrong with its form."""

    format: str = ""
    images: list[str] = field(default_factory=list)
    """Paths or data URIs."""
    videos: list[str] = field(default_factory=list)
    seconds: float | None = None
    """The length of its video as it states it."""
    elsewhere: int = 0
    """Pictures that no file is named for, such as those at a URL."""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    """Questions without media tags, and their answers."""
    asked: list[list[str | None]] = field(default_factory=list)
    """The questions in parts: texts, and None where a picture stands; empty for a format that tells no places."""
    question_type: str = ""
    record_id: str = ""
    """What must not stand twice in a file, or ''."""
    faults: list[str] = field(default_factory=list)
    asks_as_dataset: bool = False
    """Whether its questions are the dataset's own, which may hold one twice."""
    states_truth: bool = False
    truth_fault: str = ""
    """What is wrong with the ground truth that the record states."""


def named_media(record: dict[str, Any], medium: str, checked: CheckedRecord) -> list[str]:
    """Return the files that a record names for one medium: a text, or a list of texts.

    It may stand under several keys for several readers, and must be the same under each.
    """
    found: dict[str, list[str]] = {}
    for key in MEDIA_KEYS[medium]:
        if record.get(key) is None:
            continue
        named = record[key]
        files = named if isinstance(named, list) else [named]
        found[key] = [file for file in files if isinstance(file, str) and file]
        if len(found[key]) != len(files):
            checked.faults.append(f"`{key}` is not a path or a list of paths")
    if not found:
        return []
    first, *others = found
    for other in others:
        if [*map(posixpath.normpath, found[other])] != [*map(posixpath.normpath, found[first])]:
            checked.faults.append(f"`{first}` and `{other}` name different files")
    return found[first]


def compare_tags(questions: Iterable[str], answers: Iterable[str], checked: CheckedRecord) -> None:
    """Note where media tags and media files disagree: trainers count both, and stop at a difference."""
    questions, answers = list(questions), list(answers)
    for medium, files in (("image", checked.images), ("video", checked.videos)):
        asked = sum(tag_count(text, medium) for text in questions)
        if asked != len(files):
            plural = "" if asked == 1 else "s"
            checked.faults.append(f"{asked} <{medium}> tag{plural} in the questions for {len(files)} {medium} file(s)")
        if any(tag_count(text, medium) for text in answers):
            checked.faults.append(f"a <{medium}> tag in an answer")


def refuse_tags(question: str, answer: str, checked: CheckedRecord) -> None:
    """Note media tags in a format that has none: they would be trained on as text."""
    for name, text in (("question", question), ("answer", answer)):
        for medium in MEDIA_KEYS:
            if tag_count(text, medium):
                checked.faults.append(f"a <{medium}> tag in the {name}; this format has none")


def take_single_pair(question: Any, answer: Any, names: tuple[str, str], checked: CheckedRecord) -> bool:
    """Take the pair of a record with one; return whether there was one."""
    if not isinstance(question, str) or not isinstance(answer, str):
        missing = names[0] if not isinstance(question, str) else names[1]
        checked.faults.append(f"`{missing}` is missing or not a text")
        return False
    checked.pairs.append((question, answer))
    refuse_tags(question, answer, checked)
    return True


def parts_of(tagged: str) -> list[str | None]:
    """Return a question in parts: its texts, and None for each image tag."""
    first, *rest = tagged.split(IMAGE_TAG)
    parts: list[str | None] = [first]
    for text in rest:
        parts += [None, text]
    return parts


def without_tags(text: str) -> str:
    """Return `text` without media tags and the space around it."""
    for medium in MEDIA_KEYS:
        text = text.replace(f"<{medium}>", "")
    return text.strip()
