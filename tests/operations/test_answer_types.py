"""Exports in wanted shares of types of answers: exactly, without a pair twice, and the same each time."""

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operations.test_exports_operation import StoredRun, stored
from vqa_tui.domain.export import ExportPair
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.answer_mix import ANSWER_TYPES, AnswerMix, parse_answer_mix, type_counts
from vqa_tui.exporters.manifest import read_manifest
from vqa_tui.operations.exports import export_run, validate_file
from vqa_tui.operations.training_lengths import measure_file

__all__ = ["stored"]

ANSWERS = {"yes/no": "Yes.", "number": "12", "other": "A red bag."}


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("yes=0.5", "'yes=0.5' is no share of a type"),
        ("number", "'number' is no share of a type"),
        ("number=0", "'0' is no share for number"),
        ("number=1.5", "'1.5' is no share for number"),
        ("number=1/0", "'1/0' is no share for number"),
        ("number=nan", "'nan' is no share for number"),
        ("number=1e9999999", "'1e9999999' is no share for number"),
        ("number=1e-9999999", "'1e-9999999' is no share for number"),
        ("number=٠.5", "is no share for number"),
        ("number=0." + "1" * 99, "is no share for number"),
        ("number=0.4,number=0.5", "number is named twice"),
        ("number=0.6,other=0.5", "are more than 1 together"),
        ("number=0.2,other=0.2,yes/no=0.2", "do not make 1"),
    ],
)
def test_what_is_no_mix_is_refused(typed: str, wrong: str) -> None:
    with pytest.raises(VqaError, match=wrong.replace("(", "\\(")) as refused:
        parse_answer_mix(typed)
    assert "yes/no=0.5,number=0.2" in refused.value.hint


@pytest.mark.parametrize(
    ("answer", "name"),
    [("two", "number"), ("Ten.", "number"), ("1,200.5", "number"), ("eleven bags", "other"), ("none", "other"),
     (" NO. ", "yes/no"), ("", "other")],
)  # fmt: skip
def test_an_answer_is_of_one_type(answer: str, name: str) -> None:
    assert type_counts([ExportPair(0, "How many?", answer, "")]) == {name: 1}


def test_shares_are_read() -> None:
    assert parse_answer_mix("  ") is None
    assert parse_answer_mix("yes/no=0.5, number = 1/4") == {"yes/no": Fraction(1, 2), "number": Fraction(1, 4)}
    assert parse_answer_mix("other=.125") == {"other": Fraction(1, 8)}
    assert parse_answer_mix("other=1.") == parse_answer_mix("other=1") == {"other": Fraction(1)}


@given(
    st.lists(st.sampled_from(ANSWER_TYPES), min_size=1, max_size=200),
    st.dictionaries(st.sampled_from(ANSWER_TYPES), st.integers(1, 100), min_size=1, max_size=3),
)
def test_the_shares_hold_to_the_pair_and_as_many_stay_as_can(types: list[str], weights: dict[str, int]) -> None:
    whole = sum(weights.values()) if len(weights) == 3 else max(sum(weights.values()), 100)
    shares = {name: Fraction(weight, whole) for name, weight in weights.items()}
    pairs = [ExportPair(number, f"q{number}", ANSWERS[name], "") for number, name in enumerate(types)]
    counts = type_counts(pairs)
    assert counts == Counter(types)
    try:
        mix = AnswerMix(shares, counts)
    except VqaError:
        rest = [name for name in ANSWER_TYPES if name not in shares]
        assert any(not counts[name] for name in shares) or (
            sum(shares.values()) < 1 and not any(counts[n] for n in rest)
        )
        return
    taken = [pair for start in range(0, len(pairs), 7) for pair in mix.chosen(pairs[start : start + 7])]
    assert len({pair.ordinal for pair in taken}) == len(taken)
    found = type_counts(taken)
    groups = {name: (found[name], counts[name], share) for name, share in shares.items()}
    left = 1 - sum(shares.values(), Fraction(0))
    others = [name for name in ANSWER_TYPES if name not in shares]
    if left:
        groups["rest"] = (sum(found[name] for name in others), sum(counts[name] for name in others), left)
    else:
        assert not any(found[name] for name in others)
    most = min(Fraction(there) / share for _taken, there, share in groups.values())
    for taken_of, _there, share in groups.values():
        assert taken_of == int(most * share)


async def answered(stored: StoredRun, answers: dict[int, list[str]]) -> None:
    for number, words in answers.items():
        await stored.add([number], pairs=len(words))
        async with stored.workspace.db.write() as transaction:
            for ordinal, word in enumerate(words):
                await transaction.execute(
                    "UPDATE sample SET answer = ? WHERE task_id = ? AND ordinal = ?", (word, number, ordinal)
                )


async def test_an_export_comes_in_the_wanted_shares_and_says_so(stored: StoredRun, tmp_path: Path) -> None:
    await answered(stored, {number: ["yes", "No", "Yes.", "no"] for number in range(1, 6)} | {9: ["7", "a bag"]})
    out = tmp_path / "x.jsonl"
    report = await export_run(stored.workspace, 1, "stcray-flat", out, answer_types="yes/no=0.5,number=0.25")
    found = Counter(json.loads(line)["answer"].strip(".").lower() for line in out.read_text().splitlines())
    assert found["yes"] + found["no"] == 2 and (found["7"], found["a bag"]) == (1, 1)
    assert any("18 pairs were left out for the wanted shares" in warning for warning in report.warnings)
    manifest = read_manifest(report.manifest)
    assert manifest.answer_types == {"number": 1, "other": 1, "yes/no": 2}
    assert manifest.answer_mix == {"yes/no": 0.5, "number": 0.25}
    assert (manifest.skipped.unmixed_pairs, manifest.pairs) == (18, 4)
    assert manifest.pictures == report.pictures == 3, "pictures of which nothing stays are out"
    first = out.read_bytes()
    await export_run(stored.workspace, 1, "stcray-flat", out, answer_types="yes/no=0.5,number=0.25")
    assert out.read_bytes() == first
    everything = await export_run(stored.workspace, 1, "stcray-flat", out)
    assert read_manifest(everything.manifest).answer_types == {"number": 1, "other": 1, "yes/no": 20}


async def test_a_share_of_less_than_one_pair_is_told(stored: StoredRun, tmp_path: Path) -> None:
    await answered(stored, {1: ["yes", "no", "yes"], 2: ["3", "a bag"], 3: ["a coat", "a shoe"]})
    out = tmp_path / "x.jsonl"
    report = await export_run(stored.workspace, 1, "stcray-flat", out, answer_types="yes/no=0.5,number=0.01")
    assert read_manifest(report.manifest).answer_types == {"other": 2, "yes/no": 3}
    assert [warning for warning in report.warnings if "less than one" in warning] == [
        "no answer in the file is number: of so few pairs the wanted share is less than one"
    ]
    report = await export_run(stored.workspace, 1, "stcray-flat", out, answer_types="yes/no=0.74,number=0.25")
    assert any("in the file is of a type that is not named" in warning for warning in report.warnings)
    report = await export_run(stored.workspace, 1, "stcray-flat", out, answer_types="yes/no=0.4,number=0.2")
    assert not any("less than one" in warning for warning in report.warnings)


async def test_a_mix_that_leaves_pictures_of_one_side_cannot_be_split(stored: StoredRun, tmp_path: Path) -> None:
    await answered(stored, {1: ["yes", "3"], 2: ["a bag"], 3: ["a coat"]})
    for types in ("yes/no=0.5,number=0.5", "number=1"):
        with pytest.raises(
            VqaError, match="all pairs that the wanted shares of types of answers leave are about"
        ) as no:
            await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", split=(0.5, 0.5), answer_types=types)
        assert "the shares" in no.value.hint


async def test_pictures_of_which_the_mix_leaves_nothing_are_not_called_unfinished(
    stored: StoredRun, tmp_path: Path
) -> None:
    await answered(stored, {1: ["yes"], 2: ["a bag"], 3: ["a coat"]})
    async with stored.workspace.db.write() as transaction:
        await transaction.execute("UPDATE task SET status = 'pending', finished_at = NULL WHERE id = 3")
    whole = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl")
    mixed = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", answer_types="yes/no=1")
    skipped = [read_manifest(report.manifest).skipped for report in (whole, mixed)]
    assert (mixed.pictures, skipped[1].unmixed_pairs) == (1, 2)
    assert skipped[0].unfinished_pictures == skipped[1].unfinished_pictures


async def test_the_first_pairs_of_a_picture_are_mixed_and_what_is_missing_is_named(
    stored: StoredRun, tmp_path: Path
) -> None:
    await answered(stored, {1: ["yes", "3"], 2: ["no", "4"], 3: ["5", "yes"]})
    out = tmp_path / "x.jsonl"
    report = await export_run(
        stored.workspace, 1, "qwen", out, most_pairs=1, answer_types="yes/no=0.5,number=0.5", grouped=True
    )
    assert (report.pairs, report.pictures) == (2, 2)
    with pytest.raises(VqaError, match=r"no answer is of the type other, .* there are 3 yes/no, 3 number, 0 other"):
        await export_run(stored.workspace, 1, "qwen", out, answer_types="other=0.5")
    with pytest.raises(VqaError, match="no answer is of the type that is left"):
        await export_run(stored.workspace, 1, "qwen", out, answer_types="yes/no=0.3,number=0.3")


async def test_shards_are_measured_like_one_file(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 6))
    await export_run(stored.workspace, 1, "qwen", tmp_path / "whole.jsonl")
    await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", shard_size=3)
    whole = measure_file(tmp_path / "whole.jsonl", family="qwen2.5-vl", cutoff=35)
    shards = measure_file(tmp_path / "x.jsonl", family="qwen2.5-vl", cutoff=35)
    assert (shards.rows, shards.image_tokens, shards.text_tokens) == (10, whole.image_tokens, whole.text_tokens)
    assert (shards.cut, shards.lost) == (whole.cut, whole.lost) != (0, 0) and not shards.ok
    assert all(f"x-0000{number}-of-00005.jsonl" in "\n".join(shards.places) for number in range(1, 6))
    assert validate_file(tmp_path / "x.jsonl").stats.records == 10
