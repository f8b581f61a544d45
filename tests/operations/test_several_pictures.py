"""Items of several pictures: imported, planned, exported in every format that can, and imported again."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.tui.workshop import DONE, Workshop
from tests.videos import draw_video
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.formats import FORMATS
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.splitting import SplitByHash, SplitTogether, StandIns, Together
from vqa_tui.operations import dataset_import
from vqa_tui.operations.dataset_contents import dataset_items
from vqa_tui.operations.datasets import ClipWishes, import_dataset, list_datasets
from vqa_tui.operations.exports import export_run, validate_file
from vqa_tui.operations.planning import RunRequest, plan_run
from vqa_tui.operations.preview import preview_prompt
from vqa_tui.store.datasets import write_batch
from vqa_tui.tui.present.plan_words import size_cells
from vqa_tui.tui.present.prompt_preview import preview_facts

ABLE = [name for name, known in FORMATS.items() if known.takes_several]


def turns(count: int) -> list[dict[str, str]]:
    tags = "<image>\n" * count
    return [{"from": "human", "value": f"{tags}What differs?"}, {"from": "gpt", "value": "The colour of the bag."}]


async def pictured(workshop: Workshop, items: Sequence[Sequence[int]], name: str = "sets") -> Path:
    """Import conversations about these pictures, by number; each is 40 pixels wide and 30 + number high."""
    root = workshop.folder / name
    root.mkdir(exist_ok=True)
    for number in {number for numbers in items for number in numbers}:
        Image.new("RGB", (40, 30 + number), (number * 29 % 256, 80, 9)).save(root / f"{number}.png")
    records = [{"images": [f"{n}.png" for n in numbers], "conversations": turns(len(numbers))} for numbers in items]
    (root / "x.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    await import_dataset(workshop.workspace, "llava", root / "x.jsonl", name=name)
    return root


async def items_of(workshop: Workshop, name: str) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return key and pictures, by name and height, of every item of a dataset."""
    return [
        (item.key, [(Path(shown.path).name, shown.facts.height) for shown in item.pictures])
        async for item in dataset_items(workshop.workspace, name)
    ]


async def test_the_size_of_a_dataset_is_that_of_all_its_pictures(workshop: Workshop) -> None:
    root = await pictured(workshop, [(1, 2, 3), (4,)])

    async def size() -> int:
        (view,) = await list_datasets(workshop.workspace)
        return view.bytes

    assert await size() == sum((root / f"{number}.png").stat().st_size for number in (1, 2, 3, 4))
    Image.effect_noise((200, 200), 90).save(root / "3.png")
    report = await import_dataset(workshop.workspace, "llava", root / "x.jsonl", name="sets")
    total = sum((root / f"{number}.png").stat().st_size for number in (1, 2, 3, 4))
    assert report.bytes == total == await size()


async def test_an_import_again_sees_what_became_of_each_picture(workshop: Workshop) -> None:
    root = await pictured(workshop, [(1, 2, 3), (1,), (2, 4)])
    assert await items_of(workshop, "sets") == [
        ("1.png", [("1.png", 31)]),
        ("1.png + 2.png + 3.png", [("1.png", 31), ("2.png", 32), ("3.png", 33)]),
        ("2.png + 4.png", [("2.png", 32), ("4.png", 34)]),
    ]
    again = await import_dataset(workshop.workspace, "llava", root / "x.jsonl")
    assert (again.unchanged, again.updated, again.added, again.problems) == (3, 0, 0, 0)
    Image.new("RGB", (40, 99), (1, 2, 3)).save(root / "3.png")
    (root / "4.png").write_bytes(b"no picture")
    again = await import_dataset(workshop.workspace, "llava", root / "x.jsonl")
    assert (again.unchanged, again.updated, again.problems) == (1, 1, 1)
    assert "cannot be shown with `4.png`, which " in again.examples[0].reason
    assert dict(await items_of(workshop, "sets"))["1.png + 2.png + 3.png"][2] == ("3.png", 99)


async def test_a_set_that_was_asked_about_keeps_its_pictures(workshop: Workshop) -> None:
    root = workshop.folder / "sets"

    def draw(name: str, height: int) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, height), (height, 80, 9)).save(root / name)

    for name, height in (("one/1.png", 31), ("one/2.png", 32), ("two/5.png", 35), ("six/6.png", 36), ("six/7.png", 37)):
        draw(name, height)
    await import_dataset(workshop.workspace, "folder-sets", root, name="sets")
    run_id = await workshop.run([DONE] * 3, dataset="sets")
    before = dict(await items_of(workshop, "sets"))
    draw("one/0.png", 77)
    draw("two/6.png", 78)
    (root / "six/6.png").rename(root / "six/5.png")
    draw("six/7.png", 79)
    draw("new/1.png", 80)
    again = await import_dataset(workshop.workspace, "folder-sets", root)
    assert (again.added, again.updated, again.unchanged, again.problems) == (1, 1, 0, 2)
    assert [problem.key for problem in again.examples] == ["one", "two"]
    assert all("than those that a run asked about" in problem.reason for problem in again.examples)
    now = dict(await items_of(workshop, "sets"))
    assert (now["one"], now["two"]) == (before["one"], before["two"])
    assert now["six"] == [("5.png", 36), ("7.png", 79)], "files that were moved or written anew are the same pictures"
    report = await export_run(workshop.workspace, run_id, "sharegpt", workshop.folder / "x.json")
    assert report.pairs == 3 and "0.png" not in (workshop.folder / "x.json").read_text()
    (root / "one/0.png").unlink()
    draw("new/2.png", 81)
    healed = await import_dataset(workshop.workspace, "folder-sets", root)
    assert (healed.unchanged, healed.updated, healed.problems) == (2, 1, 1), "what nobody asked about is updated"
    other = await import_dataset(workshop.workspace, "folder-sets", root, name="other")
    assert (other.added, other.problems) == (4, 0)


async def test_a_run_that_is_made_while_its_sets_are_imported_keeps_its_pictures(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import has read everything and is about to commit when the run is made."""
    root = workshop.folder / "sets"
    (root / "one").mkdir(parents=True)
    for name, height in (("1.png", 31), ("2.png", 32)):
        Image.new("RGB", (40, height)).save(root / "one" / name)
    await import_dataset(workshop.workspace, "folder-sets", root, name="sets")
    before = await items_of(workshop, "sets")
    Image.new("RGB", (40, 77)).save(root / "one" / "0.png")

    async def after_a_run(*arguments: Any, **named: Any) -> frozenset[str]:
        await workshop.run([DONE], dataset="sets")
        return await write_batch(*arguments, **named)

    monkeypatch.setattr(dataset_import, "write_batch", after_a_run)
    again = await import_dataset(workshop.workspace, "folder-sets", root)
    assert (again.updated, again.unchanged, again.problems) == (0, 0, 1)
    assert "than those that a run asked about" in again.examples[0].reason
    assert await items_of(workshop, "sets") == before


def endpoint_with(workshop: Workshop, **picture: Any) -> str:
    path = workshop.folder / "own.yaml"
    fields = {
        "name": "own", "kind": "embedded", "model": "m", "keys": [{"name": "a"}],
        "prices": {"input_per_million": "100", "output_per_million": "1"},
        "picture": picture,
    }  # fmt: skip
    path.write_text(yaml.safe_dump(fields))
    return str(path)


async def test_a_plan_counts_every_picture_and_says_where_they_are_too_many(workshop: Workshop) -> None:
    await pictured(workshop, [(1, 2, 3), (1,), (2, 4)])
    plan = await plan_run(workshop.workspace, RunRequest("sets", "caption", "embedded"))
    await pictured(workshop, [(1,), (2,)], "single")
    single = await plan_run(workshop.workspace, RunRequest("single", "caption", "embedded"))
    assert (plan.items, plan.requests) == (3, 3)
    assert plan.picture_tokens_per_item == pytest.approx(2 * single.picture_tokens_per_item), "6 pictures in 3 requests"
    assert plan.cost_most is not None and single.cost_most is not None and plan.cost_most > single.cost_most
    assert not any("items with more fail" in warning for warning in plan.warnings)
    limited = await plan_run(workshop.workspace, RunRequest("sets", "caption", endpoint_with(workshop, per_request=2)))
    assert any(
        "Items have up to 3 pictures, and the endpoint own takes 2 in a request" in warning
        for warning in limited.warnings
    )
    two = await plan_run(workshop.workspace, RunRequest("sets", "caption", "embedded", limit=1))
    assert two.picture_tokens_per_item in (single.picture_tokens_per_item * number for number in (1, 2, 3))


@pytest.mark.parametrize(("side", "shrunk", "words"), [(20, 6, "all"), (40, 0, "none")], ids=["smaller", "as they are"])
async def test_all_that_are_made_smaller_are_all_pictures_and_not_all_requests(
    workshop: Workshop, side: int, shrunk: int, words: str
) -> None:
    await pictured(workshop, [(1, 2, 3), (1,), (2, 4)])
    plan = await plan_run(workshop.workspace, RunRequest("sets", "caption", "embedded", max_side=side))
    (row,) = (row for row in plan.sizes if row.chosen)
    assert (plan.requests, plan.shown, row.shrunk) == (3, 6, shrunk)
    assert size_cells(row, plan)[-1] == words
    assert size_cells(replace(row, shrunk=3), plan)[-1] == "3", "as many as there are requests are not all"


@pytest.mark.parametrize("form", ABLE)
@pytest.mark.parametrize("use", [PictureUse.IN_PLACE, PictureUse.COPY])
async def test_what_is_exported_validates_and_comes_back(workshop: Workshop, form: str, use: PictureUse) -> None:
    await pictured(workshop, [(1, 2, 3), (4,), (2, 5)])
    run_id = await workshop.run([DONE] * 3, dataset="sets")
    out = workshop.folder / "out" / f"x{FORMATS[form].suffix}"
    if FORMATS[form].holds_pictures:
        use = PictureUse.IN_PLACE
    report = await export_run(workshop.workspace, run_id, form, out, pictures=use)
    checked = validate_file(report.manifest)
    assert checked.ok, checked.problems
    assert (checked.stats.records, checked.stats.pictures) == (3, 5)
    kind = {"qwen": "qwen", "qwen-finetune": "qwen", "llava": "llava"}.get(form, "sharegpt")
    images = workshop.folder if use is PictureUse.IN_PLACE and not FORMATS[form].holds_pictures else None
    back = await import_dataset(workshop.workspace, kind, out, images=images, name="back")
    assert (back.added, back.problems) == (3, 0), back.examples
    shown = [[height for _name, height in pictures] for _key, pictures in await items_of(workshop, "back")]
    assert sorted(shown) == [[31, 32, 33], [32, 35], [34]]


async def test_a_wrong_number_of_tags_is_found(workshop: Workshop) -> None:
    await pictured(workshop, [(1, 2)])
    run_id = await workshop.run([DONE], dataset="sets")
    report = await export_run(workshop.workspace, run_id, "sharegpt", workshop.folder / "x.json")
    assert validate_file(report.manifest).ok
    text = (workshop.folder / "x.json").read_text()
    (workshop.folder / "y.json").write_text(text.replace("<image>\\n<image>\\n", "<image>\\n"))
    reasons = [problem.message for problem in validate_file(workshop.folder / "y.json").problems]
    assert "1 <image> tag in the questions for 2 image file(s)" in reasons


async def test_a_format_of_one_picture_refuses_several(workshop: Workshop) -> None:
    await pictured(workshop, [(1,), (2, 3)])
    run_id = await workshop.run([DONE] * 2, dataset="sets")
    with pytest.raises(VqaError, match=r"one picture in a record, and 2.png \+ 3.png has 2") as refused:
        await export_run(workshop.workspace, run_id, "csv", workshop.folder / "x.csv")
    assert "sharegpt" in refused.value.hint and not (workshop.folder / "x.csv").exists()


@pytest.mark.parametrize("seed", [None, 3])
async def test_pictures_that_are_shown_together_stand_on_one_side(workshop: Workshop, seed: int | None) -> None:
    chained = [(number, number + 1) for number in range(0, 12)]
    await pictured(workshop, [*chained, *((number,) for number in range(20, 32)), (3,)])
    run_id = await workshop.run([DONE] * 25, dataset="sets")
    out = workshop.folder / "x.jsonl"
    report = await export_run(workshop.workspace, run_id, "qwen", out, split=(0.5, 0.5), seed=seed)
    checked = validate_file(report.manifest)
    assert checked.ok, checked.problems
    sides = [{name for name in range(13) if f'/{name}.png"' in file.read_text()} for file in sorted_parts(out)]
    assert sides in ([set(), set(range(13))], [set(range(13)), set()]), "a chain of pictures goes to one side whole"
    counts = {file.part: file.pictures for file in report.files}
    assert min(counts.values()) >= 6, counts


def sorted_parts(out: Path) -> list[Path]:
    return sorted(path for path in out.parent.glob(f"{out.stem}.*.jsonl"))


@pytest.mark.parametrize("seed", [None, 3])
async def test_kept_clips_of_one_video_stand_on_one_side(workshop: Workshop, seed: int | None) -> None:
    videos, kept = workshop.folder / "videos", workshop.folder / "cut"
    for number in range(3):
        draw_video(videos / f"v{number}.mp4", seconds=4 + number, fps=5, size=(160 + 16 * number, 120))
    made = await import_dataset(
        workshop.workspace, "video", videos, name="clips", clips=ClipWishes(keep=kept, length_s=2)
    )
    assert (made.added, made.problems) == (8, 0)
    run_id = await workshop.run([DONE] * 8, dataset="clips")
    out = workshop.folder / "x.jsonl"
    await export_run(workshop.workspace, run_id, "qwen-finetune", out, split=(0.5, 0.5), seed=seed)
    records = [[json.loads(line) for line in file.read_text().splitlines()] for file in sorted_parts(out)]
    train, val = ({part for record in side for part in Path(record["video"]).parts} for side in records)
    names = {f"v{number}.mp4" for number in range(3)}
    assert train & val & names == set() and (train | val) >= names
    assert train & names and val & names and sum(map(len, records)) == 8


async def test_the_clips_of_a_single_video_cannot_be_split(workshop: Workshop) -> None:
    draw_video(workshop.folder / "videos/v.mp4", seconds=6, fps=5)
    wishes = ClipWishes(keep=workshop.folder / "cut", length_s=2)
    await import_dataset(workshop.workspace, "video", workshop.folder / "videos", name="clips", clips=wishes)
    run_id = await workshop.run([DONE] * 3, dataset="clips")
    with pytest.raises(VqaError, match="fewer pictures that can stand apart"):
        await export_run(workshop.workspace, run_id, "qwen-finetune", workshop.folder / "x.jsonl", split=(0.5, 0.5))


async def test_a_chain_through_all_pictures_cannot_be_split(workshop: Workshop) -> None:
    await pictured(workshop, [(1, 2), (2, 3)])
    run_id = await workshop.run([DONE] * 2, dataset="sets")
    with pytest.raises(VqaError, match="fewer pictures that can stand apart"):
        await export_run(workshop.workspace, run_id, "qwen", workshop.folder / "x.jsonl", split=(0.5, 0.5))
    assert not sorted_parts(workshop.folder / "x.jsonl")


HASHES = st.integers(0, 30).map(lambda number: f"{number:016x}".ljust(64, "0"))


@given(st.lists(st.lists(HASHES, min_size=2, max_size=4), max_size=20), st.lists(HASHES, min_size=1, max_size=9))
def test_whatever_is_joined_has_one_hash_that_stands_for_it(sets: list[list[str]], alone: list[str]) -> None:
    together = Together()
    for each in sets:
        together.join(each)
    for each in sets:
        assert len({together.of(found) for found in each}) == 1
    joined = {found for each in sets for found in each}
    assert all(together.of(found) == found[:16] for found in alone if found not in joined)
    every = StandIns()
    for found in (*joined, *alone):
        every.add(together.of(found))
    split = SplitTogether(SplitByHash(*every.last_hashes((0.5, 0.5))), together)
    groups = {together.of(found) for found in (*joined, *alone)}
    training = sum(split.side(group) == "train" for group in groups)
    assert training == min(max(round(len(groups) / 2), 1), max(len(groups) - 1, 1))
    assert all(len({split.side(found) for found in each}) == 1 for each in sets)


async def test_a_preview_says_how_many_pictures_its_request_shows(workshop: Workshop) -> None:
    await pictured(workshop, [(1, 2, 3)])
    preview = await preview_prompt(workshop.workspace, "sets", "caption")
    assert preview_facts(preview).plain.startswith("3 pictures, the first 40×31 · text")
    await pictured(workshop, [(1,)], "single")
    assert preview_facts(await preview_prompt(workshop.workspace, "single", "caption")).plain.startswith("40×31 · text")
