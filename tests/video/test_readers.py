"""Reading videos: the frame at a moment is exactly that one, a cut holds exactly its frames, what is broken is told.

Each test goes through PyAV, and through the programs ffmpeg and ffprobe where they are installed.
"""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.videos import FPS, draw_video, loud_seconds, number_of
from vqa_tui.domain.clip import Clip
from vqa_tui.domain.failure import VqaError
from vqa_tui.video import reader as readers
from vqa_tui.video.ffmpeg import FfmpegReader
from vqa_tui.video.leave import CalledOff, Leave
from vqa_tui.video.reader import UnusableVideo, VideoReader, video_reader

PROGRAMS = [shutil.which("ffmpeg"), shutil.which("ffprobe")]


@pytest.fixture(params=["PyAV", "ffmpeg"])
def reader(request: pytest.FixtureRequest) -> VideoReader:
    if request.param == "PyAV":
        pytest.importorskip("av", reason="the extra `video` is not installed")
        from vqa_tui.video.pyav import PyAvReader

        return PyAvReader()
    ffmpeg, ffprobe = PROGRAMS
    if not (ffmpeg and ffprobe):
        pytest.skip("the programs ffmpeg and ffprobe are not installed")
    return FfmpegReader(ffmpeg, ffprobe)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_video(tmp_path_factory.mktemp("video") / "counted.mp4")


def test_a_video_is_measured(reader: VideoReader, video: Path) -> None:
    facts = reader.measure(video, 3.0)
    assert (facts.width, facts.height) == (160, 120)
    assert facts.length_s == pytest.approx(12.0, abs=0.05)


def test_the_frame_at_a_moment_is_the_one_that_is_on(reader: VideoReader, video: Path) -> None:
    times = [0.0, 0.03, 1.0, 1.02, 5.5, 11.0, 11.97]
    assert [number_of(image) for image in reader.frames(video, times)] == [int(at * FPS + 1e-6) for at in times]


def test_frames_are_made_smaller_as_they_come(reader: VideoReader, video: Path) -> None:
    assert [image.size for image in reader.frames(video, [0.0, 5.5, 11.97], 80)] == [(80, 60)] * 3


def test_frames_behind_a_long_gap_are_exact_too(reader: VideoReader, tmp_path: Path) -> None:
    """Where the reader seeks from key frame to key frame."""
    video = draw_video(tmp_path / "long.mkv", seconds=40, size=(80, 48))
    times = [12.2, 12.6, 25.0, 39.9]
    assert [number_of(image) for image in reader.frames(video, times)] == [int(at * FPS + 1e-6) for at in times]


@pytest.mark.parametrize(("start", "end"), [(0, 2), (3, 7), (10, 12), (2.5, 2.9)])
def test_a_cut_holds_exactly_the_frames_of_the_clip(
    reader: VideoReader, video: Path, tmp_path: Path, start: float, end: float
) -> None:
    target = tmp_path / "clip.mp4"
    reader.cut(video, Clip(start_s=start, end_s=end), target)
    count = round((end - start) * FPS)
    assert reader.measure(target, 0.0).length_s == pytest.approx(end - start, abs=1 / FPS)
    seen = [number_of(image) for image in reader.frames(target, [(n + 0.5) / FPS for n in range(count)])]
    first = -int(-start * FPS // 1)
    assert seen == list(range(first, first + count))
    assert list(tmp_path.iterdir()) == [target], "nothing unfinished is left"


def test_a_cut_can_be_smaller_and_of_odd_sides(reader: VideoReader, tmp_path: Path) -> None:
    video = draw_video(tmp_path / "large.mp4", seconds=2, size=(642, 362))
    reader.cut(video, Clip(start_s=0, end_s=1), tmp_path / "clip.mp4", 321)
    facts = reader.measure(tmp_path / "clip.mp4", 0)
    assert max(facts.width, facts.height) <= 321
    assert facts.width % 2 == facts.height % 2 == 0
    assert facts.width / facts.height == pytest.approx(642 / 362, rel=0.02)


def test_a_cut_keeps_the_sound_where_that_is_wanted(reader: VideoReader, tmp_path: Path) -> None:
    video = draw_video(tmp_path / "loud.mp4", tone=(4, 5))
    reader.cut(video, Clip(start_s=3, end_s=7), tmp_path / "loud-clip.mp4", sound=True)
    heard = loud_seconds(tmp_path / "loud-clip.mp4")
    # A piece of sound is 0.02 s long, and its coding smears it over a neighbour on each side.
    assert heard and heard[0] == pytest.approx(1, abs=0.1) and heard[-1] == pytest.approx(2, abs=0.1)
    assert reader.measure(tmp_path / "loud-clip.mp4", 0.0).length_s == pytest.approx(4, abs=0.1)
    shown = reader.frames(tmp_path / "loud-clip.mp4", [0.02, 3.98])
    assert [number_of(image) for image in shown] == [3 * FPS, 7 * FPS - 1]
    reader.cut(video, Clip(start_s=3, end_s=7), tmp_path / "silent.mp4")
    assert loud_seconds(tmp_path / "silent.mp4") == []


def test_a_video_without_sound_is_cut_without(reader: VideoReader, video: Path, tmp_path: Path) -> None:
    reader.cut(video, Clip(start_s=3, end_s=7), tmp_path / "clip.mp4", sound=True)
    assert number_of(reader.frames(tmp_path / "clip.mp4", [0.02])[0]) == 3 * FPS
    assert loud_seconds(tmp_path / "clip.mp4") == []


def broken(folder: Path, video: Path) -> Iterator[tuple[Path, str]]:
    """Give hostile files with a word of what is said of each."""
    whole = video.read_bytes()
    for name, data, word in (
        ("empty.mp4", b"", "0 bytes"),
        ("text.mp4", b"hello " * 100, "cannot|no video"),
        ("half.mp4", whole[: len(whole) // 2], "cannot|cut short"),
        ("list.m3u8", f"#EXTM3U\n#EXTINF:1,\n{video}\n#EXT-X-ENDLIST\n".encode(), "cannot|no video"),
        ("concat.mp4", f"ffconcat version 1.0\nfile {video}\n".encode(), "cannot|no video"),
    ):
        (folder / name).write_bytes(data)
        yield folder / name, word
    picture = io.BytesIO()
    Image.new("RGB", (9, 9)).save(picture, "PNG")
    (folder / "picture.mp4").write_bytes(picture.getvalue())
    yield folder / "picture.mp4", "cannot|no video"
    yield folder / "missing.mp4", "cannot|missing"
    os.mkfifo(folder / "pipe.mp4")
    yield folder / "pipe.mp4", "not a regular file"
    yield folder, "cannot|not a regular file"


def test_what_is_no_video_ends_in_a_line(reader: VideoReader, video: Path, tmp_path: Path) -> None:
    for path, words in broken(tmp_path, video):
        with pytest.raises(UnusableVideo) as caught:
            reader.measure(path, 1.0)
        assert any(word in caught.value.reason for word in words.split("|")), (path.name, caught.value.reason)
        assert "\n" not in caught.value.reason


def test_a_video_without_pictures_is_refused(reader: VideoReader, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        for _ in range(20):
            frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            frame.sample_rate = 48_000
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UnusableVideo, match="no pictures"):
        reader.measure(tmp_path / "sound.mp4", 0.0)


def test_an_absurd_size_is_not_decoded(reader: VideoReader, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("vqa_tui.video.pyav", "vqa_tui.video.ffmpeg"):
        monkeypatch.setattr(f"{module}.PIXEL_LIMIT", 160 * 120 - 1)
    with pytest.raises(UnusableVideo, match="160×120 pixels, more than the limit"):
        reader.measure(video, 0.0)


def test_a_frame_that_grows_on_the_way_is_not_shown(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams may change their size; what the container says is that of the beginning."""
    pytest.importorskip("av")
    from vqa_tui.video.pyav import PyAvReader

    small = draw_video(tmp_path / "small.ts", seconds=2)
    large = draw_video(tmp_path / "large.ts", seconds=2, size=(320, 240))
    (tmp_path / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    monkeypatch.setattr("vqa_tui.video.pyav.PIXEL_LIMIT", 160 * 120)
    assert number_of(PyAvReader().frames(tmp_path / "both.ts", [1.0])[0]) == FPS
    with pytest.raises(UnusableVideo, match="320×240 pixels, more than the limit"):
        PyAvReader().frames(tmp_path / "both.ts", [1.0, 3.5])


def test_reading_ends_when_its_time_is_up(reader: VideoReader, video: Path, tmp_path: Path) -> None:
    for work in (
        lambda: reader.measure(video, 3.0, leave=Leave(0)),
        lambda: reader.frames(video, [3.0], leave=Leave(0)),
        lambda: reader.cut(video, Clip(start_s=0, end_s=9), tmp_path / "clip.mp4", leave=Leave(0)),
    ):
        with pytest.raises(UnusableVideo, match="could not be read within 0 s"):
            work()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("looks", [0, 5, 20])
def test_what_nobody_wants_any_more_is_not_read_to_its_end(
    reader: VideoReader, tmp_path: Path, video: Path, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No program starts and ends within so few milliseconds.
    monkeypatch.setattr("vqa_tui.video.ffmpeg._LOOK_S", 0.001)
    asked = iter(range(looks))

    def called_off() -> bool:
        return next(asked, None) is None

    with pytest.raises(CalledOff):
        reader.cut(video, Clip(start_s=0, end_s=12), tmp_path / "clip.mp4", leave=Leave(called_off=called_off))
    assert not list(tmp_path.glob("*clip*"))


@pytest.mark.parametrize("end", [14.0, 40.0])
def test_a_video_that_ends_before_its_clip_is_refused(
    reader: VideoReader, video: Path, tmp_path: Path, end: float
) -> None:
    with pytest.raises(UnusableVideo):
        reader.frames(video, [end - 0.5])
    with pytest.raises(UnusableVideo):
        reader.cut(video, Clip(start_s=end - 4, end_s=end), tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_was_cut_short_is_told(reader: VideoReader, tmp_path: Path) -> None:
    """With its index at the front a part of a video opens; the frames that are missing are missed."""
    whole = draw_video(tmp_path / "whole.mp4")
    reader.cut(whole, Clip(start_s=0, end_s=12), tmp_path / "front.mp4")
    data = (tmp_path / "front.mp4").read_bytes()
    (tmp_path / "short.mp4").write_bytes(data[: len(data) * 2 // 3])
    assert number_of(reader.frames(tmp_path / "short.mp4", [1.0])[0]) == FPS
    with pytest.raises(UnusableVideo):
        reader.frames(tmp_path / "short.mp4", [11.5])


def test_a_stream_is_read_by_what_it_seeks(video: Path) -> None:
    pytest.importorskip("av")
    with video.open("rb") as stream:
        assert number_of(video_reader().frames(stream, [8.0])[0]) == 8 * FPS


def test_without_a_reader_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    readers._found_reader.cache_clear()
    monkeypatch.setattr("vqa_tui.video.reader.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("vqa_tui.video.reader.shutil.which", lambda name: None)
    try:
        with pytest.raises(VqaError) as caught:
            video_reader()
        monkeypatch.setattr("vqa_tui.video.reader.shutil.which", lambda name: f"/opt/{name}")
        readers._found_reader.cache_clear()
        assert video_reader().name == "ffmpeg"
    finally:
        readers._found_reader.cache_clear()
    assert "vqa-tui[video]" in caught.value.hint


def test_the_programs_read_where_pyav_is_there_but_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    if not all(PROGRAMS):
        pytest.skip("the programs ffmpeg and ffprobe are not installed")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "vqa_tui.video.pyav", raising=False)
    readers._found_reader.cache_clear()
    try:
        assert isinstance(video_reader(), FfmpegReader)
    finally:
        readers._found_reader.cache_clear()


def test_a_pyav_that_does_not_load_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "vqa_tui.video.pyav", raising=False)
    readers._found_reader.cache_clear()
    try:
        with pytest.raises(VqaError, match=r"PyAV is installed and does not load: .*av") as caught:
            video_reader()
    finally:
        readers._found_reader.cache_clear()
    assert "ffmpeg" in caught.value.hint
