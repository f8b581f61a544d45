"""Thumbnails and half blocks."""

import time
from pathlib import Path

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.tui import thumbnails
from vqa_tui.tui.open_file import open_externally
from vqa_tui.tui.thumbnails import decode_thumbnail
from vqa_tui.tui.widgets.half_blocks import half_block_strips


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "I;16", "1", "LA"])
def test_every_mode_becomes_small_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.tiff"
    Image.new(mode, (900, 600)).save(path)
    small = decode_thumbnail(path)
    assert small.mode == "RGB"
    assert small.size == (320, 213)


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    Image.new("I;16", (8, 8), 32_768).save(path)
    pixel = decode_thumbnail(path).getpixel((0, 0))
    assert isinstance(pixel, tuple) and all(126 <= value <= 130 for value in pixel)


def test_a_rotated_picture_stands_upright(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (400, 200)).save(path, exif=exif)
    small = decode_thumbnail(path)
    assert small.width < small.height


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"\xff\xd8\xff\xe0junk"])
def test_what_is_no_picture_is_said_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(VqaError, match="cannot be shown"):
        decode_thumbnail(path)


def test_a_picture_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(VqaError, match="not there any more"):
        decode_thumbnail(tmp_path / "gone.png")


def test_too_many_pixels_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "MAX_PIXELS", 100)
    path = tmp_path / "large.png"
    Image.new("RGB", (11, 11)).save(path)
    with pytest.raises(VqaError, match="too many"):
        decode_thumbnail(path)


def test_half_blocks_carry_two_pixels_each() -> None:
    image = Image.new("RGB", (2, 2))
    image.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 9, 9)])
    (strip,) = half_block_strips(image, 2, 1)
    first, second = list(strip)
    assert first.text == second.text == "▀"
    assert first.style is not None and first.style.color is not None and first.style.bgcolor is not None
    assert tuple(first.style.color.triplet or ()) == (255, 0, 0)
    assert tuple(first.style.bgcolor.triplet or ()) == (0, 0, 255)


@pytest.mark.parametrize("size", [(640, 480), (10, 900), (900, 10), (1, 1)])
@pytest.mark.parametrize("cells", [(1, 1), (40, 12), (100, 3)])
def test_pictures_keep_their_proportions_and_stay_inside(size: tuple[int, int], cells: tuple[int, int]) -> None:
    strips = half_block_strips(Image.new("RGB", size), *cells)
    assert 1 <= len(strips) <= cells[1]
    assert 1 <= strips[0].cell_length <= cells[0]


def test_no_room_no_picture() -> None:
    assert half_block_strips(Image.new("RGB", (4, 4)), 0, 5) == []


def test_without_a_viewer_the_path_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VqaError, match="no viewer") as caught:
        open_externally("/data/scan.jpg")
    assert "/data/scan.jpg" in str(caught.value)


def test_the_viewer_gets_the_path_as_one_argument(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    viewer = tmp_path / "xdg-open"
    viewer.write_text(f'#!/bin/sh\necho "$#:$1" > {seen}.part && mv {seen}.part {seen}\n')
    viewer.chmod(0o700)
    monkeypatch.setattr("vqa_tui.tui.open_file.viewer", lambda: str(viewer))
    open_externally("/data/a b; c.jpg")
    deadline = time.monotonic() + 20
    while not seen.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen.read_text() == "1:/data/a b; c.jpg\n"


def test_a_viewer_that_ends_with_an_error_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    viewer = tmp_path / "xdg-open"
    viewer.write_text("#!/bin/sh\nexit 3\n")
    viewer.chmod(0o700)
    monkeypatch.setattr("vqa_tui.tui.open_file.viewer", lambda: str(viewer))
    with pytest.raises(VqaError, match="exit 3") as caught:
        open_externally("/data/scan.jpg")
    assert "/data/scan.jpg" in str(caught.value)
