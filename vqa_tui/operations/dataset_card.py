"""The dataset card (README.md) of an export for the Hub, written from its manifest."""

import json
import re
from collections.abc import Mapping, Sequence

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.part import counted
from vqa_tui.exporters.manifest import Manifest
from vqa_tui.safe_text import clean

MARK = "<!-- written by vqa-tui from the manifest -->"
"""What tells a card of ours, which a later upload replaces, from one that a person wrote, which stays."""
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")
_TEXT_LIMIT = 200
_HUB_SPLITS = {"val": "validation", "test": "test"}
_LOADED = (".jsonl", ".json", ".csv", ".parquet")
_NOT_LOADED = frozenset({"vqa-rad-enhanced", "vqa-v2"})
"""Formats whose files are no table of records for the viewer of the Hub."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def checked_license(wanted: str) -> str:
    """Return the licence as the Hub spells it. Raises VqaError for what can be none."""
    spelled = wanted.strip().lower()
    if not _LICENSE.fullmatch(spelled):
        raise VqaError(
            f"{wanted!r} does not name a licence",
            hint="The Hub's names are such as cc-by-4.0, cc0-1.0, apache-2.0, other and unknown.",
        )
    return spelled


def dataset_card(manifest: Manifest, *, license: str, features: Mapping[str, str], pictures: int) -> str:  # noqa: A002
    """Return the card. `features` are fields of a record and what they hold; `pictures` counts uploaded files.

    Whatever a person or a model named stands in it as code, so that nothing of it acts as Markdown, HTML or YAML.
    """
    return "\n".join(
        [
            "---",
            *_front_matter(manifest, license),
            "---",
            "",
            MARK,
            "",
            f"# {_title(manifest)}",
            "",
            f"{counted(manifest.pairs, 'question-answer pair')} about {counted(manifest.pictures, 'picture')}, "
            f"written by a model and exported as {_code(manifest.format)}.",
            "",
            "## Files",
            "",
            *_table(
                ("file", "part", "records", "pictures", "pairs"),
                [
                    (_code(file.name), file.role or file.part, *_numbers(file.records, file.pictures, file.pairs))
                    for file in manifest.files
                ],
            ),
            "",
            _pictures_words(manifest, pictures),
            "",
            *_split_words(manifest),
            "## Features",
            "",
            *_table(("field", "holds"), [(_code(name), holds) for name, holds in features.items()]),
            "",
            "## How it was made",
            "",
            *_facts(manifest),
            "",
            *_question_types(manifest),
            "The manifest beside the files says the same for programs, with the SHA-256 of each.",
            "",
        ]
    )


def _front_matter(manifest: Manifest, license_: str) -> list[str]:
    # JSON texts are YAML texts, whatever stands in them.
    lines = [
        f"license: {json.dumps(license_)}",
        f"pretty_name: {json.dumps(_title(manifest))}",
        "task_categories:",
        "- visual-question-answering",
        "size_categories:",
        f"- {json.dumps(next((name for most, name in _SIZES if manifest.pairs < most), 'n>1M'))}",
        "tags:",
        "- synthetic",
        "- vqa-tui",
    ]
    records = [file for file in manifest.files if not file.role and file.name.endswith(_LOADED)]
    if records and manifest.format not in _NOT_LOADED:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for part in dict.fromkeys(file.part for file in records):
            lines.append(f"  - split: {_HUB_SPLITS.get(part, 'train')}")
            lines.append("    path:")
            lines += [f"    - {json.dumps(file.name)}" for file in records if file.part == part]
    return lines


def _title(manifest: Manifest) -> str:
    name = re.sub(r"[^\w .+-]", " ", clean(manifest.run.dataset, one_line=True, limit=80)).strip()
    return f"{name or 'Pictures'}: questions and answers"


def _facts(manifest: Manifest) -> list[str]:
    run, skipped = manifest.run, manifest.skipped
    facts = [
        ("pictures of", run.dataset),
        ("recipe", f"{run.recipe} (SHA-256 {run.recipe_sha256})"),
        ("model", run.model),
        ("endpoint", run.endpoint),
        ("exported", f"{manifest.created_at} by vqa-tui {manifest.product_version}"),
        ("pairs taken", manifest.reviewed),
        *((f"pairs {verdict}", f"{count:,}") for verdict, count in manifest.verdicts.items()),
        ("pairs rejected and left out", f"{skipped.rejected_pairs:,}"),
        ("pictures that failed", f"{skipped.failed_pictures:,}"),
        *(
            ("also asked", f"{follow_up.model} at {follow_up.endpoint}: {counted(follow_up.pairs, 'pair')}")
            for follow_up in manifest.follow_ups
        ),
    ]
    return _table(("what", ""), [(_plain(name), _code(value)) for name, value in facts])


def _split_words(manifest: Manifest) -> list[str]:
    split = manifest.split
    if split is None:
        return []
    drawn = "by the hashes of the pictures" if split.seed is None else f"drawn by seed {split.seed}"
    strata = ", with the same shares of pictures with the same labels" if split.stratified_by else ""
    shares = " to ".join(f"{share:g}" for share in (split.train, split.val, split.test) if share is not None)
    return [f"Split {shares} {drawn}{strata}; no picture stands on two sides.", ""]


def _pictures_words(manifest: Manifest, pictures: int) -> str:
    if manifest.image_paths == "inline":
        return "The pictures stand in the records."
    lie = "lies" if pictures == 1 else "lie"
    return f"{counted(pictures, 'picture')} {lie} beside the records, which name them relative to this folder."


def _question_types(manifest: Manifest) -> list[str]:
    named = {name: count for name, count in manifest.question_types.items() if name}
    if not named:
        return []
    rows = [(_code(name), f"{count:,}") for name, count in named.items()]
    return [*_table(("question type", "pairs"), rows), ""]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _numbers(*numbers: int) -> tuple[str, ...]:
    return tuple(f"{number:,}" for number in numbers)


def _code(text: str) -> str:
    """Return text as code in a table: backticks become apostrophes, and a bar is escaped."""
    shown = _plain(text)
    return f"`{shown}`" if shown else ""


def _plain(text: str) -> str:
    return clean(text, one_line=True, limit=_TEXT_LIMIT).replace("`", "'").replace("|", "\\|")
