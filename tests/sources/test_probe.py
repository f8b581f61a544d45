"""Probing says what a picture is, or in plain words why a file is none."""

import hashlib
import io
import os
import re
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vqa_tui.domain.item import PIXEL_LIMIT
from vqa_tui.sources.probe import UnusablePicture, probe


def reason_for(path: Path) -> str:
    with pytest.raises(UnusablePicture) as refused:
        probe(path)
    return refused.value.reason


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        ("jpg", "JPEG"),
        ("png", "PNG"),
        ("webp", "WEBP"),
        ("gif", "GIF"),
        ("bmp", "BMP"),
        ("tif", "TIFF"),
        ("ppm", "PPM"),
    ],
)
def test_facts_are_those_of_the_file(tmp_path: Path, suffix: str, name: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (41, 23), "olive").save(path)
    facts = probe(path)
    data = path.read_bytes()
    assert (facts.format, facts.width, facts.height, facts.orientation) == (name, 41, 23, 1)
    assert (facts.size_bytes, facts.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert facts.modified_ns == path.stat().st_mtime_ns


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_every_mode_of_png_is_measured(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (7, 5)).save(tmp_path / "a.png")
    assert (probe(tmp_path / "a.png").width, probe(tmp_path / "a.png").height) == (7, 5)


def test_a_file_larger_than_one_chunk_is_hashed_whole(tmp_path: Path) -> None:
    path = tmp_path / "big.bmp"
    Image.frombytes("RGB", (700, 500), os.urandom(700 * 500 * 3)).save(path)
    assert probe(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_width_and_height_are_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (60, 20)).save(tmp_path / "a.jpg", exif=exif)
    facts = probe(tmp_path / "a.jpg")
    assert facts.orientation == orientation
    assert (facts.width, facts.height) == ((20, 60) if orientation >= 5 else (60, 20))


@pytest.mark.parametrize("orientation", [0, 9, 4711])
def test_a_meaningless_orientation_counts_as_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (60, 20)).save(tmp_path / "a.jpg", exif=exif)
    assert (probe(tmp_path / "a.jpg").orientation, probe(tmp_path / "a.jpg").width) == (1, 60)


def test_a_multi_picture_photograph_is_its_first_picture(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (60, 20)), Image.new("RGB", (30, 10))
    first.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[second])
    facts = probe(tmp_path / "a.jpg")
    assert (facts.format, facts.width, facts.height) == ("MPO", 60, 20)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_an_animation_or_a_stack_of_pages_is_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    assert "3 frames" in reason_for(tmp_path / f"a.{suffix}")


def test_a_truncated_jpeg_is_found_wherever_it_was_cut(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.frombytes("RGB", (320, 240), os.urandom(320 * 240 * 3)).save(buffer, "JPEG")
    data = buffer.getvalue()
    for share in (0.3, 0.6, 0.95):
        path = tmp_path / "cut.jpg"
        path.write_bytes(data[: int(len(data) * share)])
        assert "damaged" in reason_for(path)


def test_a_truncated_png_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3)).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    assert "damaged" in reason_for(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"just some notes", "holds text"),
        (b"<!DOCTYPE html><html>404", "web page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "git lfs pull"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "holds text"),
        (bytes(range(256)), "not a picture"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert words in reason_for(tmp_path / "a.jpg")


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_500, 20_000, 1_000_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    assert side * side > PIXEL_LIMIT
    (tmp_path / "bomb.png").write_bytes(png_claiming(side, side))
    assert re.fullmatch(
        r"has (\d+×\d+ pixels, )?more than the limit of 89,478,485 pixels; it was not decoded",
        reason_for(tmp_path / "bomb.png"),
    )


def test_special_files_and_missing_ones_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "regular file" in reason_for(tmp_path / "pipe.jpg")
    assert "regular file" in reason_for(tmp_path)
    assert "No such file" in reason_for(tmp_path / "none.jpg")


@settings(deadline=None, max_examples=150)
@given(data=st.data())
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_damaged_file_gives_facts_or_a_reason_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"]))
    Image.linear_gradient("L").resize((32, 32)).convert("RGB").save(buffer, kind)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    try:
        facts = probe(path)
    except UnusablePicture as refused:
        assert re.search(r"\w{3}", refused.reason)
    else:
        assert facts.width > 0 and facts.height > 0 and facts.size_bytes == len(content)
