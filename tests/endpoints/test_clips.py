"""Clips as they are sent: frames as pictures in order, a video in the request, or an address."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.videos import FPS, draw_video, loud_seconds, number_of
from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.recipe import Recipe
from vqa_tui.domain.clip import Clip
from vqa_tui.domain.item import PictureFacts
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.clips import PreparedVideo, prepare_frames, prepare_video, video_at
from vqa_tui.endpoints.picture_cache import PictureCache
from vqa_tui.endpoints.pictures import BadPicture, PreparedPicture
from vqa_tui.sources.clip_probe import probe_clip
from vqa_tui.video import fingerprint
from vqa_tui.video import reader as readers
from vqa_tui.video.leave import Leave
from vqa_tui.video.reader import video_reader

pytest.importorskip("av", reason="the extra `video` is not installed")
CLIP = Clip(start_s=2, end_s=6)
HOW: dict[str, Any] = {"max_side": None, "jpeg_quality": 88, "max_bytes": 1_000_000, "formats": ("JPEG",)}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_video(tmp_path_factory.mktemp("video") / "v.mp4", size=(320, 240))


@pytest.fixture
def facts(video: Path) -> PictureFacts:
    return probe_clip(video, CLIP)


def opened(picture: PreparedPicture) -> Any:
    import io

    from PIL import Image

    return Image.open(io.BytesIO(picture.data))


def test_frames_are_those_of_their_moments(video: Path, facts: PictureFacts) -> None:
    frames = prepare_frames(video, facts, [2.5, 3.5, 4.5, 5.5], **HOW)
    assert [number_of(opened(frame)) for frame in frames] == [62, 87, 112, 137]
    assert {(frame.mime, frame.width, frame.height) for frame in frames} == {("image/jpeg", 320, 240)}
    assert frames == prepare_frames(video, facts, [2.5, 3.5, 4.5, 5.5], **HOW)


def test_frames_are_shrunk_and_fit_together_into_the_bytes(video: Path, facts: PictureFacts) -> None:
    frames = prepare_frames(video, facts, [2.5, 5.5], **{**HOW, "max_side": 160, "formats": ("PNG",)})
    assert {(frame.mime, frame.width, frame.height) for frame in frames} == {("image/png", 160, 120)}
    assert [number_of(opened(frame)) for frame in frames] == [62, 137]
    tight = prepare_frames(video, facts, [2.5, 5.5], **{**HOW, "max_bytes": 6_000})
    assert sum(len(frame.data) for frame in tight) <= 6_000


def test_frames_are_kept_so_that_a_video_is_decoded_once(
    video: Path, facts: PictureFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PictureCache(tmp_path / "cache", 10_000_000)
    first = prepare_frames(video, facts, [2.5, 3.5], **HOW, cache=cache)
    asked: list[float] = []
    reader = video_reader()

    class Counting:
        def frames(self, path: Path, times: list[float], max_side: int | None, *, leave: Leave) -> Any:
            asked.extend(times)
            return reader.frames(path, times, max_side, leave=leave)

    monkeypatch.setattr("vqa_tui.endpoints.clips.video_reader", Counting)
    assert prepare_frames(video, facts, [2.5, 3.5], **HOW, cache=cache) == first
    assert asked == []
    assert prepare_frames(video, facts, [2.5, 3.0, 3.5], **HOW, cache=cache)[::2] == first
    assert asked == [2.5, 3.0, 3.5], "each of three may have fewer bytes than each of two"


def test_a_video_in_the_request_is_the_clip_alone(video: Path, facts: PictureFacts, tmp_path: Path) -> None:
    sent = prepare_video(video, facts, CLIP, part="video_url", max_side=160, max_bytes=1_000_000)
    assert sent.mime == "video/mp4" and not sent.uri
    file = tmp_path / "sent.mp4"
    file.write_bytes(sent.data)
    found = video_reader().measure(file, 0)
    assert (found.width, found.height) == (160, 120) and found.length_s == pytest.approx(4, abs=0.04)
    assert [number_of(each) for each in video_reader().frames(file, [0.02, 3.98])] == [2 * FPS, 6 * FPS - 1]
    whole = Clip(start_s=0, end_s=12, whole=True)
    as_is = prepare_video(video, facts, whole, part="video_url", max_side=None, max_bytes=10_000_000)
    assert as_is.data == video.read_bytes()
    with pytest.raises(BadPicture, match="more than the 2,000 that the endpoint takes"):
        prepare_video(video, facts, CLIP, part="video_url", max_side=160, max_bytes=2_000)


def test_a_clip_without_an_address_cannot_be_sent_by_it() -> None:
    assert video_at(Clip(start_s=0, end_s=1, uri="gs://b/c.mp4"), part="image_url").uri == "gs://b/c.mp4"
    with pytest.raises(BadPicture, match="--clips-to"):
        video_at(CLIP, part="image_url")


def test_what_happened_to_the_file_is_told(video: Path, facts: PictureFacts, tmp_path: Path) -> None:
    other = tmp_path / "v.mp4"
    with pytest.raises(BadPicture, match="the file is missing"):
        prepare_frames(other, facts, [2.5], **HOW)
    other.write_bytes(video.read_bytes())
    os.utime(other, (1, 1))
    assert len(prepare_frames(other, facts, [2.5], **HOW)) == 1, "the same bytes at another time are the same video"
    other.write_bytes(video.read_bytes()[:-1])
    with pytest.raises(BadPicture, match="has changed since import"):
        prepare_frames(other, facts, [2.5], **HOW)
    with pytest.raises(BadPicture, match="goes up to"):
        prepare_frames(video, facts, [2.5, 40.0], **HOW)


def test_a_file_whose_time_changed_is_read_once_until_it_changes_again(
    video: Path, facts: PictureFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def counting(path: Path, leave: Leave) -> str:
        read.append(path)
        return hashed(path, leave)

    hashed = fingerprint._hashed
    monkeypatch.setattr(fingerprint, "_hashed", counting)
    other = tmp_path / "v.mp4"
    other.write_bytes(video.read_bytes())
    for changed_at in (1, 2):
        os.utime(other, (changed_at, changed_at))
        for _ in range(3):
            assert len(prepare_frames(other, facts, [2.5], **HOW)) == 1
        assert read == [other] * changed_at
    other.write_bytes(video.read_bytes()[::-1])
    with pytest.raises(BadPicture, match="has changed since import"):
        prepare_frames(other, facts, [2.5], **HOW)


def test_a_video_that_takes_too_long_is_a_bad_one(video: Path, facts: PictureFacts, tmp_path: Path) -> None:
    other = tmp_path / "v.mp4"
    other.write_bytes(video.read_bytes())
    os.utime(other, (1, 1))
    for path in (video, other):
        with pytest.raises(BadPicture, match="could not be read within 0 s"):
            prepare_frames(path, facts, [2.5], **HOW, leave=Leave(0))


def test_the_sound_of_a_clip_is_sent_where_that_is_wanted(tmp_path: Path) -> None:
    loud, sent = draw_video(tmp_path / "loud.mp4", tone=(3, 4)), tmp_path / "sent.mp4"
    how: dict[str, Any] = {"part": "video_url", "max_side": None, "max_bytes": 1_000_000}
    sent.write_bytes(prepare_video(loud, probe_clip(loud, CLIP), CLIP, **how, sound=True).data)
    assert loud_seconds(sent)
    sent.write_bytes(prepare_video(loud, probe_clip(loud, CLIP), CLIP, **how).data)
    assert not loud_seconds(sent)


def test_without_a_reader_each_clip_fails_in_words(
    video: Path, facts: PictureFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "_found_reader", lambda: None)
    with pytest.raises(BadPicture, match="vqa-tui\\[video\\]"):
        prepare_frames(video, facts, [2.5], **HOW)


def body(**recipe: Any) -> RequestBody:
    made = Recipe.model_validate(
        {"name": "r", "prompt": {"user": "x"}, "reply": {"kind": "blocks"}, "text_first": False, **recipe}
    )
    endpoint = Endpoint.model_validate({"name": "e", "kind": "embedded", "model": "m", "keys": [{"name": "a"}]})
    return RequestBody(made, endpoint)


def content(built: bytes) -> Any:
    return json.loads(built)["messages"][0]["content"]


def test_the_parts_of_a_message() -> None:
    frames = tuple(PreparedPicture(bytes([number]), "image/jpeg", 1, 1) for number in range(3))
    parts = content(body().build("", "what?", frames))
    assert [part["type"] for part in parts] == ["image_url"] * 3 + ["text"]
    sent = [base64.b64decode(part["image_url"]["url"].partition(",")[2]) for part in parts[:3]]
    assert sent == [b"\0", b"\1", b"\2"], "in order"
    assert content(body(text_first=True).build("", "what?", frames))[0]["type"] == "text"
    (part, _text) = content(body().build("", "what?", PreparedVideo("video_url", data=b"abc")))
    assert part == {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,YWJj"}}
    (part, _text) = content(body().build("", "what?", PreparedVideo("image_url", uri='gs://b/"c".mp4')))
    assert part == {"type": "image_url", "image_url": {"url": 'gs://b/"c".mp4'}}
