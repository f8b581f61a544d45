"""`dataset import ego4d-nlq` as a person types it: clips cut when sent, kept or uploaded, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.ego4d import kitchen, query, uid
from tests.videos import draw_video

pytest.importorskip("av", reason="the extra `video` is not installed")


def test_queries_are_imported_with_their_problems_and_again_without_change(place: Place) -> None:
    folder = kitchen(place.folder / "k")
    asked = json.loads((folder / "nlq_train.json").read_text())
    asked["videos"][1]["clips"][0]["annotations"][0]["language_queries"].append(query(1, 2, None))
    asked["videos"].append({"video_uid": uid(9), "clips": []})
    (folder / "nlq_train.json").write_text(json.dumps(asked))
    command = ("dataset", "import", "ego4d-nlq", str(folder / "nlq_train.json"), "--name", "k")
    assert place.ok(*command).startswith("k: 3 added, 0 unchanged, 0 updated, 2 with problems")
    assert place.ok(*command).startswith("k: 0 added, 3 unchanged, 0 updated, 2 with problems")
    problems = {each["where"]: each["reason"] for each in json.loads(place.ok("dataset", "problems", "k", "--json"))}
    assert problems == {
        "nlq_train.json video 2 clip 1 annotation 1 query 2": "has no `query`",
        "nlq_train.json video 3": f"the video {uid(9)} is not in ego4d.json; its queries are left out",
    }
    first, *_ = json.loads(place.ok("dataset", "items", "k", "--json"))
    assert first["truth"]["clip"] == {"start_s": 2.0, "end_s": 5.0, "whole": False, "uri": ""}
    shown = place.ok("plan", "k", "--recipe", "ego4d-nlq", "--endpoint", "embedded")
    assert "pictures     3" in shown


def test_videos_elsewhere_and_kept_clips(place: Place) -> None:
    folder, clips = kitchen(place.folder / "k"), place.folder / "clips"
    (folder / "full_scale").rename(place.folder / "videos")
    assert "3 with problems" not in place.ok(
        "dataset", "import", "ego4d-nlq", str(folder), "--images", str(place.folder / "videos"), "--name", "there"
    )
    kept = ("--images", str(place.folder / "videos"), "--keep-clips", str(clips), "--name", "kept")
    assert place.ok("dataset", "import", "ego4d-nlq", str(folder), *kept).startswith("kept: 3 added")
    assert len(list(clips.rglob("*.mp4"))) == 3
    again = ("dataset", "import", "ego4d-nlq", str(folder), "--images", str(clips), "--name", "kept")
    assert place.ok(*again).startswith("kept: 0 added, 3 unchanged")
    next(clips.rglob("*.mp4")).unlink()
    assert "0 with problems" in place.ok(*again), "a clip that is gone is cut again"
    assert len(list(clips.rglob("*.mp4"))) == 3


def test_what_does_not_go_together_is_refused(place: Place, tmp_path: Path) -> None:
    folder = kitchen(place.folder / "k")
    for options in (("--keep-clips", str(tmp_path / "c")), ("--clips-to", "gs://b/c"), ("--videos-from", "s3_path")):
        said = place.refused("dataset", "import", "folder", str(folder), *options)
        assert "has no clips to keep or upload" in said and "ego4d-nlq" in said
    assert "--keep-clips" in place.refused("dataset", "import", "ego4d-nlq", str(folder), "--videos-from", "s3_path")
    (tmp_path / "file").touch()
    said = place.refused("dataset", "import", "ego4d-nlq", str(folder), "--keep-clips", str(tmp_path / "file" / "x"))
    assert "cannot be written to" in said


def test_a_video_that_is_shorter_than_its_clip_is_told(place: Place) -> None:
    folder = kitchen(place.folder / "k")
    draw_video(folder / "full_scale" / f"{uid(1)}.mp4", seconds=8)
    assert "2 added, 0 unchanged, 0 updated, 1 with problems" in place.ok("dataset", "import", "ego4d-nlq", str(folder))
    (problem,) = json.loads(place.ok("dataset", "problems", "k", "--json"))
    assert "ends at 8.00 s, and the clip goes up to 10.00 s" in problem["reason"]
