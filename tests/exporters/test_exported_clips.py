"""Clips in training files: cut beside the file, named as videos, read back and checked; refused where none can be."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.exporters.test_exports_come_back import imported_again
from tests.exporters.written import read_back, write_export
from tests.videos import FPS, draw_video, number_of
from vqa_tui.domain.clip import Clip
from vqa_tui.domain.export import ExportPair, ExportPicture
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth
from vqa_tui.exporters.formats import FORMATS, Naming
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.validation import validate_export
from vqa_tui.video.reader import video_reader

pytest.importorskip("av", reason="the extra `video` is not installed")
TAKING = [name for name, known in FORMATS.items() if known.takes_clips]


def clip_of(folder: Path, clip: Clip, name: str = "v.mp4") -> ExportPicture:
    video = folder / "pictures" / name
    if not video.exists():
        draw_video(video, seconds=6)
    pairs = (
        ExportPair(0, "What is it?", "A kettle from Delft.", "object recognition"),
        ExportPair(1, "Where is it?", "On the stove.", "object localisation"),
    )
    truth = GroundTruth(clip=clip, extra={"duration_(s)": clip.length_s, "ego4d_video_uid": "u"})
    digest = hashlib.sha256(video.read_bytes()).hexdigest()
    return ExportPicture(f"{name}/{clip.start_s}", name, digest, truth, pairs)


@pytest.mark.parametrize("use", [PictureUse.IN_PLACE, PictureUse.COPY, PictureUse.LINK])
@pytest.mark.parametrize("form", TAKING)
def test_clips_are_cut_once_beside_the_file(form: str, use: PictureUse, tmp_path: Path) -> None:
    clips = [clip_of(tmp_path, Clip(start_s=first, end_s=last)) for first, last in ((0, 2), (3, 6))]
    out = tmp_path / f"x{FORMATS[form].suffix}"
    write_export(out, form, clips, grouped=True, use=use)
    records = read_back(out, form)
    assert [record.faults for record in records] == [[], []]
    files = [out.parent / named for record in records for named in record.videos]
    assert len(files) == len(set(files)) == 2 and all(file.parent.parent.name == "x.pictures" for file in files)
    ends = [[number_of(image) for image in video_reader().frames(file, [0.02, 1.98])] for file in files]
    assert ends == [[0, 2 * FPS - 1], [3 * FPS, 5 * FPS - 1]]
    report = validate_export(out)
    assert report.ok, report.problems
    before = [file.stat().st_mtime_ns for file in files]
    write_export(out, form, clips, grouped=True, use=use)
    assert [file.stat().st_mtime_ns for file in files] == before


def test_a_kept_clip_is_named_where_it_is(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    write_export(out, "evud", [clip_of(tmp_path, Clip(start_s=0, end_s=6, whole=True))])
    (record,) = json.loads(out.read_text("utf-8"))
    assert record["video"] == "pictures/v.mp4" and not (tmp_path / "x.pictures").exists()
    assert record["category_question_answer_tuples"][0]["short answer"] == "A kettle from Delft.", (
        "names keep their case"
    )
    assert validate_export(out).ok


@pytest.mark.parametrize("form", TAKING)
def test_clips_are_imported_again(form: str, tmp_path: Path) -> None:
    clips = [clip_of(tmp_path, Clip(start_s=first, end_s=last)) for first, last in ((0, 2), (3, 6))]
    out = tmp_path / f"x{FORMATS[form].suffix}"
    write_export(out, form, clips, grouped=FORMATS[form].can_group)
    items = imported_again(form, out)
    assert [[(asked.question, asked.answer) for asked in item.truth.questions] for item in items] == [
        [(pair.question, pair.answer) for pair in clip.pairs] for clip in clips
    ]
    assert [item.truth.clip and item.truth.clip.whole for item in items] == [True, True]
    assert [item.truth.clip and round(item.truth.clip.end_s, 1) for item in items] == [2, 3]


@pytest.mark.parametrize("form", [name for name in FORMATS if name not in TAKING])
def test_a_format_of_still_pictures_refuses_clips(form: str, tmp_path: Path) -> None:
    known = FORMATS[form]
    use = PictureUse.INLINE if known.naming is Naming.INLINE else PictureUse.IN_PLACE
    with pytest.raises(VqaError, match=f"the format {form} cannot hold clips") as caught:
        write_export(tmp_path / f"x{known.suffix}", form, [clip_of(tmp_path, Clip(start_s=0, end_s=2))], use=use)
    assert all(name in caught.value.hint for name in TAKING)
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


@pytest.mark.parametrize("fault", ["gone", "other", "short"])
def test_an_export_that_fails_leaves_no_clip(fault: str, tmp_path: Path) -> None:
    good = clip_of(tmp_path, Clip(start_s=0, end_s=2))
    bad = clip_of(tmp_path, Clip(start_s=3, end_s=20 if fault == "short" else 6), "w.mp4")
    if fault == "gone":
        (tmp_path / "pictures" / "w.mp4").unlink()
    elif fault == "other":
        draw_video(tmp_path / "pictures" / "w.mp4", seconds=7)
    with pytest.raises(VqaError, match=r"w\.mp4"):
        write_export(tmp_path / "x.json", "evud", [good, bad])
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
