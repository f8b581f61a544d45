"""A folder of videos: whole ones and clips of one length, what lies beside them, and what is none."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.videos import FPS, draw_video, number_of
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.clip_wishes import ClipWishes
from vqa_tui.sources.registry import open_source
from vqa_tui.sources.video_folder import clips_of
from vqa_tui.store.scratch import SqliteScratch
from vqa_tui.video.reader import video_reader

pytest.importorskip("av", reason="the extra `video` is not installed")


def read(
    folder: Path, scratch: SqliteScratch, wishes: ClipWishes | None = None
) -> tuple[dict[str, SourceItem], dict[str, str]]:
    found = list(open_source("video", folder, clips=wishes).records(scratch))
    items = {record.key: record for record in found if isinstance(record, SourceItem)}
    return items, {record.key: record.reason for record in found if isinstance(record, ImportProblem)}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    videos = tmp_path / "videos"
    draw_video(videos / "val/short.mkv", seconds=2)
    draw_video(videos / "long.mp4", seconds=7)
    (videos / "long.txt").write_text("Bars change.")
    (videos / "val/broken.mp4").write_bytes(b"no video")
    (videos / "picture.png").write_bytes(b"x")
    return videos


def test_each_video_is_a_clip_with_what_lies_beside_it(folder: Path, scratch: SqliteScratch) -> None:
    items, problems = read(folder, scratch)
    assert list(items) == ["long.mp4", "val/short.mkv"]
    clips = {key: item.truth.clip for key, item in items.items()}
    assert all(clip is not None and clip.whole for clip in clips.values())
    assert [round(clip.end_s, 1) for clip in clips.values() if clip] == [7.0, 2.0]
    assert items["long.mp4"].truth.captions == ("Bars change.",) and items["val/short.mkv"].split == "val"
    assert list(problems) == ["val/broken.mp4"] and "is no video that is read here" in problems["val/broken.mp4"]


def test_videos_are_cut_into_clips_of_one_length(folder: Path, scratch: SqliteScratch) -> None:
    items, _problems = read(folder, scratch, ClipWishes(length_s=3))
    long = [item.truth.clip for key, item in items.items() if key.startswith("long")]
    assert [(clip.start_s, round(clip.end_s, 1)) for clip in long if clip] == [(0, 3), (3, 6), (6, 7.0)]
    assert list(items)[:2] == ["long.mp4/0-3", "long.mp4/3-6"] and {item.path for item in items.values()} == {
        "long.mp4", "val/short.mkv",
    }  # fmt: skip
    assert all(item.truth.captions for key, item in items.items() if key.startswith("long"))


@pytest.mark.parametrize(
    ("length", "each", "ends"),
    [
        (7.9, 3, [3, 6, 7.9]),
        (6.9, 3, [3, 6.9]),
        (6, 3, [3, 6]),
        (2, 3, [2]),
        (3.5, 3, [3.5]),
        (9, 0, [9]),
        (0.3, 2.5, [0.3]),
        (8.5, 2.5, [2.5, 5, 7.5, 8.5]),
    ],
)
def test_no_clip_is_shorter_than_a_second_and_nothing_is_left(length: float, each: float, ends: list[float]) -> None:
    clips = list(clips_of(length, each))
    assert [clip.end_s for clip in clips] == ends and clips[0].start_s == 0
    assert all(one.end_s == next_.start_s for one, next_ in pairwise(clips))


def test_a_folder_of_videos_is_imported_twice_and_its_clips_are_kept(place: Place, folder: Path) -> None:
    command = ("dataset", "import", "video", str(folder), "--clip-seconds", "3", "--name", "v")
    assert place.ok(*command).startswith("v: 4 added, 0 unchanged, 0 updated, 1 with problems")
    assert place.ok(*command).startswith("v: 0 added, 4 unchanged, 0 updated, 1 with problems")
    kept = place.folder / "kept"
    place.ok(*command[:-1], "k", "--keep-clips", str(kept))
    (file,) = kept.glob("long.mp4/3-6_*.mp4")
    assert number_of(video_reader().frames(file, [0.02])[0]) == 3 * FPS
    plan = json.loads(place.ok("plan", "v", "--recipe", "caption", "--endpoint", "embedded", "--json"))
    assert plan["items"] == 4


def test_clips_that_are_kept_among_the_videos_are_none_of_them(place: Place, folder: Path) -> None:
    kept = folder / "val/cut"
    kept_as = ("--keep-clips", str(kept))
    command = ("dataset", "import", "video", str(folder), "--clip-seconds", "3", "--name", "v", *kept_as)
    assert place.ok(*command).startswith("v: 4 added, 0 unchanged, 0 updated, 1 with problems")
    files = sorted(kept.rglob("*.mp4"))
    assert len([file for file in files if file.is_file()]) == 4
    assert place.ok(*command).startswith("v: 0 added, 4 unchanged, 0 updated, 1 with problems")
    assert sorted(kept.rglob("*.mp4")) == files
    assert "2 added" in place.ok("dataset", "import", "video", str(folder), "--name", "whole")
    assert "added, 0 unchanged" in place.ok("dataset", "import", "video", str(kept), "--name", "of-clips")
    for among in (folder, folder.parent):
        said = place.refused("dataset", "import", "video", str(folder), "--keep-clips", str(among))
        assert "would lie among the videos" in said and not (among / "vqa-clips.json").exists()


def test_wishes_that_make_no_sense_are_refused(place: Place, folder: Path) -> None:
    assert "--videos-from does not go" in place.refused(
        "dataset", "import", "video", str(folder), "--videos-from", "s3://b/v"
    )
    said = place.refused("dataset", "import", "video", str(folder), "--clip-seconds", "0.2")
    assert "is no length of a clip" in said
    with pytest.raises(VqaError, match="says itself where its clips are"):
        open_source("ego4d-nlq", folder, clips=ClipWishes(length_s=3))
