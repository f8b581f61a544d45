"""Ego4D's queries: exact clips, stable keys, and every query that is left out told with its place."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.ego4d import ANNOTATION, CLIP, kitchen, known, nlq, query, uid, write
from tests.videos import FPS, draw_video, number_of
from vqa_tui.domain.clip import Clip
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.clip_probe import probe_clip
from vqa_tui.sources.clip_wishes import NOTE, ClipWishes
from vqa_tui.sources.probe import UnusablePicture
from vqa_tui.sources.registry import open_source
from vqa_tui.sources.source import MakesFiles
from vqa_tui.store.scratch import SqliteScratch
from vqa_tui.video.reader import video_reader

pytest.importorskip("av", reason="the extra `video` is not installed")
SHARED = Path(__file__).parents[3] / "shared" / "data"


def read(path: Path, scratch: SqliteScratch, **options: Any) -> tuple[dict[str, SourceItem], list[ImportProblem]]:
    found = list(open_source("ego4d-nlq", path, **options).records(scratch))
    items = {record.key: record for record in found if isinstance(record, SourceItem)}
    assert len(items) == sum(isinstance(record, SourceItem) for record in found), "a key was given twice"
    return items, [record for record in found if isinstance(record, ImportProblem)]


def key(video: int, number: int) -> str:
    return f"{uid(video)}/{CLIP}/{ANNOTATION}/{number}"


def test_each_query_is_a_clip_in_whole_seconds_up_to_the_end_of_its_video(
    tmp_path: Path, scratch: SqliteScratch
) -> None:
    items, problems = read(kitchen(tmp_path / "k"), scratch)
    assert problems == []
    assert list(items) == [key(1, 0), key(1, 1), key(2, 0)]
    clips = [item.truth.clip for item in items.values()]
    assert clips == [Clip(start_s=2, end_s=5), Clip(start_s=7, end_s=10), Clip(start_s=3, end_s=6)]
    first = items[key(1, 0)]
    assert first.path == f"full_scale/{uid(1)}.mp4" and first.split == "train"
    assert first.where == "nlq_train.json video 1 clip 1 annotation 1 query 1"
    (asked,) = first.truth.questions
    assert (asked.question, asked.answer) == ("Where is the kettle?", "On the Stove")
    assert items[key(1, 1)].truth.questions == () and items[key(1, 1)].truth.extra["query"] == "Who came?"
    assert first.truth.extra == {
        "ego4d_video_uid": uid(1),
        "ego4d_clip_uid": CLIP,
        "ego4d_annotation_uid": ANNOTATION,
        "ego4d_language_query_index": 0,
        "duration_(s)": 3,
        "video_start_sec": 2.4,
        "video_end_sec": 4.2,
        "query": "Where is the kettle?",
        "template": "Place",
    }


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (query(1, 2, None), "has no `query`"),
        (query(1, 2, "  "), "has no `query`"),
        ({"video_start_sec": 1, "video_end_sec": 2}, "has no `query`"),
        (query(None, None), "has no `video_start_sec`"),
        (query(float("nan"), 3), "has no `video_start_sec`"),
        (query(-4, 3), "has no `video_start_sec`"),
        (query(True, 3), "has no `video_start_sec`"),
        (query(3, 3), "is empty"),
        (query(5, 2), "is empty"),
        (query(12.5, 14), "begins at 12.5 s, and its video is 12 s long"),
        ("query", "is not a JSON object"),
        (None, "is not a JSON object"),
    ],
)
def test_a_query_that_makes_no_clip_is_told_and_moves_no_other(
    tmp_path: Path, scratch: SqliteScratch, bad: Any, words: str
) -> None:
    draw_video(tmp_path / "k" / f"{uid(1)}.mp4", seconds=1)
    folder = write(tmp_path / "k", nlq((uid(1), [bad, query(1, 2)])), known((uid(1), 12)))
    items, (problem,) = read(folder, scratch)
    assert list(items) == [key(1, 1)], "the key of a query is its place in the file"
    assert problem.where == "nlq_train.json video 1 clip 1 annotation 1 query 1"
    assert words in problem.reason


def test_a_duration_is_told_to_the_microsecond(tmp_path: Path, scratch: SqliteScratch) -> None:
    draw_video(tmp_path / "k" / f"{uid(1)}.mp4", seconds=1)
    items, problems = read(write(tmp_path / "k", nlq((uid(1), [query(2, 6)])), known((uid(1), 5.06))), scratch)
    assert problems == [] and 5.06 - 2 != 3.06
    assert items[key(1, 0)].truth.extra["duration_(s)"] == 3.06


def test_what_is_missing_of_a_video_is_told_once(tmp_path: Path, scratch: SqliteScratch) -> None:
    queries = [query(0, 1), query(1, 2)]
    folder = write(
        tmp_path / "k",
        nlq(*((name, queries) for name in (uid(1), uid(2), uid(3), "../../etc", ""))),
        known((uid(1), 12), (uid(3), 0), (uid(4), 5)),
    )
    items, problems = read(folder, scratch)
    assert items == {}
    assert [problem.where for problem in problems] == [f"nlq_train.json video {number}" for number in range(1, 6)]
    reasons = [problem.reason for problem in problems]
    assert f"there is no video {uid(1)}.mp4 in {folder}" in reasons[0]
    assert f"the video {uid(2)} is not in ego4d.json" in reasons[1]
    assert "has no `duration_sec` above 0" in reasons[2]
    assert all("has no `video_uid`" in reason for reason in reasons[3:])


def test_parts_of_another_shape_are_told(tmp_path: Path, scratch: SqliteScratch) -> None:
    draw_video(tmp_path / "k" / f"{uid(1)}.mp4", seconds=1)
    queries = nlq((uid(1), []))
    queries["videos"][0]["clips"] = [
        {"annotations": "none", "clip_uid": CLIP},
        7,
        {"clip_uid": "../x", "annotations": [{"annotation_uid": ANNOTATION, "language_queries": [query(0, 1)]}]},
        {"clip_uid": CLIP, "annotations": [3, {"annotation_uid": ANNOTATION, "language_queries": {}}]},
        {"clip_uid": CLIP},
    ]
    queries["videos"].append("x")
    items, problems = read(write(tmp_path / "k", queries, known((uid(1), 1))), scratch)
    assert items == {}
    assert {problem.where.partition("video ")[2]: problem.reason for problem in problems} == {
        "1 clip 1": "`annotations` is not a list",
        "1 clip 2": "is not a JSON object",
        "1 clip 3 annotation 1 query 1": "has no `clip_uid` of letters, digits, `-` and `_`",
        "1 clip 4 annotation 1": "is not a JSON object",
        "1 clip 4 annotation 2": "`language_queries` is not a list",
        "2": "has no `video_uid` of letters, digits, `-` and `_`; its queries are left out",
    }


def test_files_that_are_not_there_or_are_none_are_refused(tmp_path: Path, scratch: SqliteScratch) -> None:
    folder = write(tmp_path / "k", nlq(), known())
    (folder / "ego4d.json").unlink()
    with pytest.raises(VqaError, match=r"holds no ego4d\.json"):
        open_source("ego4d-nlq", folder)
    for name in ("ego4d.a.json", "ego4d.b.json"):
        (folder / name).write_text("{}")
    with pytest.raises(VqaError, match=r"several: ego4d\.a\.json, ego4d\.b\.json"):
        open_source("ego4d-nlq", folder / "nlq_train.json")
    (folder / "ego4d.b.json").unlink()
    _items, problems = read(folder, scratch)
    assert [problem.where for problem in problems] == ["ego4d.a.json", "nlq_train.json"]
    (folder / "nlq_train.json").write_text("[]")
    with pytest.raises(VqaError, match="must be one JSON object"):
        open_source("ego4d-nlq", folder)
    (folder / "nlq_train.json").unlink()
    with pytest.raises(VqaError, match="holds no nlq"):
        open_source("ego4d-nlq", folder)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, scratch: SqliteScratch) -> None:
    elsewhere = draw_video(tmp_path / "elsewhere" / "v.mp4", seconds=1)
    folder = write(tmp_path / "k", nlq((uid(1), [query(0, 1)])), known((uid(1), 1)))
    (folder / f"{uid(1)}.mp4").symlink_to(elsewhere)
    items, (problem,) = read(folder, scratch)
    assert items == {} and "outside" in problem.reason
    with SqliteScratch() as another:
        assert len(read(folder, another, allow_outside=True)[0]) == 1


def test_many_queries_are_read_in_constant_memory(tmp_path: Path, scratch: SqliteScratch) -> None:
    def peak(videos: int) -> int:
        folder = write(
            tmp_path / str(videos),
            nlq(*((f"v{number}", [query(0, 1)] * 20) for number in range(videos))),
            known(*((f"v{number}", 5) for number in range(videos))),
        )
        for number in range(videos):
            (folder / f"v{number}.mp4").touch()
        with SqliteScratch() as own:
            source = open_source("ego4d-nlq", folder)
            tracemalloc.start()
            count = sum(isinstance(record, SourceItem) for record in source.records(own))
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert count == videos * 20
        return most

    peak(5)
    assert peak(400) < 2 * peak(40) + 500_000


def test_a_clip_is_opened_at_its_beginning_and_its_end_must_be_there(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "v.mp4", seconds=6)
    facts = probe_clip(video, Clip(start_s=2, end_s=6))
    assert (facts.format, facts.width, facts.height, facts.size_bytes) == ("VIDEO", 160, 120, video.stat().st_size)
    with pytest.raises(UnusablePicture, match=r"ends at 6\.00 s, and the clip goes up to 9\.00 s"):
        probe_clip(video, Clip(start_s=2, end_s=9))
    with pytest.raises(UnusablePicture, match="No such file"):
        probe_clip(tmp_path / "gone.mp4", Clip(start_s=2, end_s=9))


def numbers(file: Path) -> list[int]:
    length = video_reader().measure(file, 0).length_s
    assert length is not None
    return [number_of(image) for image in video_reader().frames(file, [0.02, length - 0.02])]


def test_kept_clips_hold_exactly_their_frames_and_the_import_goes_on_from_their_folder(
    tmp_path: Path, scratch: SqliteScratch
) -> None:
    folder, clips = kitchen(tmp_path / "k"), tmp_path / "clips"
    source = open_source("ego4d-nlq", folder, clips=ClipWishes(keep=clips))
    items = [record for record in source.records(scratch) if isinstance(record, SourceItem)]
    assert isinstance(source, MakesFiles) and source.root == clips
    for item in items:
        source.make(item)
        source.make(item)
    assert [item.path for item in items] == [f"{key(1, 0)}_2-5.mp4", f"{key(1, 1)}_7-10.mp4", f"{key(2, 0)}_3-6.mp4"]
    assert [item.truth.clip for item in items] == [Clip(start_s=0, end_s=3, whole=True)] * 3
    assert [numbers(clips / item.path) for item in items] == [
        [first * FPS, last * FPS - 1] for first, last in ((2, 5), (7, 10), (3, 6))
    ]
    with SqliteScratch() as another:
        assert list(read(folder, another, images=clips)[0].values()) == items
    (clips / NOTE).write_text("{")
    with pytest.raises(VqaError, match="cannot be read"):
        open_source("ego4d-nlq", folder, images=clips)


@pytest.fixture
def bucket() -> str:
    """Give the address of an empty folder in fsspec's memory, which stands for a bucket."""
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    system = fsspec.filesystem("memory")
    for name in system.ls("/"):
        system.rm(name["name"], recursive=True)
    return "memory://bucket"


def stored(address: str) -> bytes:
    import fsspec

    with fsspec.open(address, "rb") as stream:
        data: bytes = stream.read()
    return data


@pytest.mark.parametrize("how", ["s3_path", "memory://bucket/videos"])
def test_videos_and_clips_at_addresses(tmp_path: Path, scratch: SqliteScratch, bucket: str, how: str) -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    video = draw_video(tmp_path / "v.mp4")
    system.put_file(str(video), f"/bucket/videos/{uid(1)}.mp4")
    folder = write(
        tmp_path / "k",
        nlq((uid(1), [query(2.4, 4.2)]), (uid(2), [query(0, 1)])),
        known((uid(1), 12), (uid(2), 12), address=f"{bucket}/videos"),
    )
    wishes = ClipWishes(how, tmp_path / "clips", f"{bucket}/out")
    source = open_source("ego4d-nlq", folder, clips=wishes)
    item, problem = source.records(scratch)
    assert isinstance(problem, ImportProblem) and isinstance(item, SourceItem) and isinstance(source, MakesFiles)
    assert f"there is no video at {bucket}/videos/{uid(2)}.mp4" in problem.reason
    source.make(item)
    assert item.truth.clip is not None
    assert item.truth.clip.uri == f"{bucket}/out/{key(1, 0)}_2-5.mp4"
    assert numbers(tmp_path / "clips" / item.path) == [2 * FPS, 5 * FPS - 1]
    assert stored(item.truth.clip.uri) == (tmp_path / "clips" / item.path).read_bytes()


def test_clips_are_uploaded_without_being_kept(tmp_path: Path, scratch: SqliteScratch, bucket: str) -> None:
    folder = kitchen(tmp_path / "k")
    source = open_source("ego4d-nlq", folder, clips=ClipWishes(upload_to=f"{bucket}/out/"))
    item = next(record for record in source.records(scratch) if isinstance(record, SourceItem))
    assert isinstance(source, MakesFiles) and item.truth.clip is not None
    assert item.path == f"full_scale/{uid(1)}.mp4" and not item.truth.clip.whole
    source.make(item)
    sent = tmp_path / "sent.mp4"
    sent.write_bytes(stored(item.truth.clip.uri))
    assert numbers(sent) == [2 * FPS, 5 * FPS - 1]


@pytest.mark.parametrize(
    ("wishes", "words", "hint"),
    [
        (ClipWishes("memory://b"), "are read once, to cut the clips", "--keep-clips"),
        (ClipWishes("nosuch://b", Path("x")), "no scheme that fsspec knows", "s3://"),
        (ClipWishes(upload_to="clips"), "needs an address with a scheme", "gs://BUCKET"),
        (ClipWishes(upload_to="nosuch://b"), "no scheme that fsspec knows", "s3://"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(tmp_path: Path, wishes: ClipWishes, words: str, hint: str) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    folder = write(tmp_path / "k", nlq(), known())
    with pytest.raises(VqaError) as caught:
        open_source("ego4d-nlq", folder, clips=wishes)
    assert words in caught.value.message and hint in caught.value.hint


def test_what_an_address_needs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")

    def missing(name: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "filesystem", missing)
    folder = write(tmp_path / "k", nlq(), known())
    for address, extra in (("s3://b/v", "[s3]"), ("gs://b/v", "[gcs]")):
        with pytest.raises(VqaError) as caught:
            open_source("ego4d-nlq", folder, clips=ClipWishes(upload_to=address))
        assert extra in caught.value.hint
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(VqaError, match="need fsspec"):
        open_source("ego4d-nlq", folder, clips=ClipWishes(upload_to="s3://b/v"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample data is absent")
def test_the_sample_over_real_videos(tmp_path: Path, scratch: SqliteScratch) -> None:
    for name in ("ego4d", "nlq_train"):
        data = json.loads((SHARED / "synthetic" / f"{name}.sample.json").read_bytes())
        (tmp_path / f"{name}.json").write_text(json.dumps(data))
    for number, name in ((1, "flower"), (3, "bigbuckbunny")):
        (tmp_path / f"{uid(number)}.mp4").write_bytes((SHARED / "video" / f"{name}.mp4").read_bytes())
    items, problems = read(tmp_path, scratch)
    assert len(items) == 4 and [problem.reason for problem in problems] == ["has no `query`"] * 2
    for item in items.values():
        assert item.truth.clip is not None
        assert probe_clip(tmp_path / item.path, item.truth.clip).width in (960, 1280)
    assert [item.truth.clip.end_s for item in items.values() if item.truth.clip] == [3, 5.06, 3, 5.31]
