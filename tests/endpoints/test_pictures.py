"""Preparing pictures: what is passed through, what is changed and how, and what is refused with a reason."""

import dataclasses
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from vqa_tui.domain.item import PictureFacts
from vqa_tui.endpoints.pictures import BadPicture, PreparedPicture, prepare_picture

CC0_PICTURES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cc0_images"
Save = Callable[..., tuple[Path, PictureFacts]]


def facts_of(path: Path, image_format: str, size: tuple[int, int], orientation: int = 1) -> PictureFacts:
    data, status = path.read_bytes(), path.stat()
    digest = hashlib.sha256(data).hexdigest()
    return PictureFacts(image_format, *size, len(data), digest, orientation, status.st_mtime_ns)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Save a picture and return its path and the facts that an import would hold."""

    def save_picture(image: Image.Image, image_format: str = "PNG", **options: Any) -> tuple[Path, PictureFacts]:
        path = tmp_path / f"picture.{image_format.lower()}"
        image.save(path, image_format, **options)
        orientation = options.get("exif", Image.Exif()).get(0x0112, 1)
        size = image.size if orientation < 5 else image.size[::-1]
        return path, facts_of(path, image_format, size, orientation)

    return save_picture


def prepare(path: Path, facts: PictureFacts, **changes: Any) -> PreparedPicture:
    options: dict[str, Any] = {"max_side": 1024, "jpeg_quality": 90, "max_bytes": 10**7, "formats": ("JPEG", "PNG")}
    return prepare_picture(path, facts, **options | changes)


def opened(prepared: PreparedPicture) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.data))
    image.load()
    assert image.size == (prepared.width, prepared.height)
    assert prepared.mime == f"image/{str(image.format).lower()}"
    return image


def reason(path: Path, facts: PictureFacts, **changes: Any) -> str:
    with pytest.raises(BadPicture) as caught:
        prepare(path, facts, **changes)
    return caught.value.reason


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 80).convert("RGB")


def test_what_fits_is_sent_byte_for_byte(save: Save) -> None:
    for image_format in ("PNG", "JPEG"):
        path, facts = save(noise(64, 48), image_format)
        prepared = prepare(path, facts, max_side=64, max_bytes=facts.size_bytes)
        assert prepared == PreparedPicture(path.read_bytes(), f"image/{image_format.lower()}", 64, 48)


@pytest.mark.parametrize(
    ("changes", "size"),
    [({"max_side": 32}, (32, 24)), ({"formats": ("JPEG",)}, (64, 48)), ({"max_side": 1}, (1, 1))],
)
def test_what_does_not_fit_is_written_anew_the_same_way_each_time(
    save: Save, changes: dict[str, Any], size: tuple[int, int]
) -> None:
    path, facts = save(noise(64, 48))
    first = prepare(path, facts, **changes)
    assert opened(first).size == size and first.mime == "image/jpeg"
    assert prepare(path, facts, **changes) == first


def test_nothing_is_ever_enlarged(save: Save) -> None:
    assert opened(prepare(*save(noise(30, 20)), formats=("JPEG",), max_side=None)).size == (30, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("max_side", [400, 1024])
def test_every_exif_orientation_ends_upright(save: Save, orientation: int, max_side: int) -> None:
    upright = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(upright).rectangle((0, 0, 200, 130), fill="red")
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    path, facts = save(stored, "JPEG", exif=exif, quality=95)
    assert (facts.width, facts.height) == (600, 400)
    image = opened(prepare(path, facts, max_side=max_side))
    assert image.size == ((400, 267) if max_side == 400 else (600, 400))
    assert image.getexif().get(0x0112, 1) == 1
    red, *white = (image.convert("RGB").getpixel((int(image.width * x), int(image.height * y))) for x, y in CORNERS)
    assert near(red, (254, 0, 0)) and all(near(each, (255, 255, 255)) for each in white)


CORNERS = ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9))


def near(pixel: Any, wanted: tuple[int, int, int], most: int = 12) -> bool:
    return all(abs(a - b) <= most for a, b in zip(pixel, wanted, strict=True))


def palette_with_transparency() -> Image.Image:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.info["transparency"] = 0
    return image


def grey16(value: int) -> Image.Image:
    return Image.frombytes("I;16", (8, 8), value.to_bytes(2, "little") * 64)


@pytest.mark.parametrize(
    ("image", "image_format", "wanted"),
    [
        (Image.new("1", (8, 8), 1), "PNG", (255, 255, 255)),
        (Image.new("L", (8, 8), 77), "PNG", (77, 77, 77)),
        (Image.new("LA", (8, 8), (0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (8, 8), (255, 0, 0, 128)), "PNG", (255, 127, 127)),
        (palette_with_transparency(), "PNG", (255, 255, 255)),
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", (255, 0, 0)),
        (grey16(0), "PNG", (0, 0, 0)),
        (grey16(257 * 100), "PNG", (100, 100, 100)),
        (grey16(65535), "PNG", (255, 255, 255)),
        (Image.new("I", (8, 8), 200), "TIFF", (200, 200, 200)),
        (Image.new("F", (8, 8), 0.5), "TIFF", (128, 128, 128)),
        (Image.new("YCbCr", (8, 8), (76, 85, 255)), "TIFF", (254, 0, 0)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_every_mode_becomes_what_a_person_would_see(
    save: Save, image: Image.Image, image_format: str, wanted: tuple[int, int, int]
) -> None:
    prepared = opened(prepare(*save(image, image_format), max_side=4))
    assert prepared.mode == "RGB" and near(prepared.getpixel((2, 2)), wanted)


@pytest.mark.parametrize("mode", ["LAB", "F"])
def test_pixels_without_a_meaning_are_refused(save: Save, mode: str) -> None:
    image = Image.new("LAB", (8, 8)) if mode == "LAB" else Image.new("F", (8, 8), float("nan"))
    assert "cannot be decoded" in reason(*save(image, "TIFF"))


def test_wide_grey_is_stretched_over_its_range(save: Save) -> None:
    image = Image.new("F", (64, 8), -1000.0)
    image.paste(3000.0, (32, 0, 64, 8))
    prepared = opened(prepare(*save(image, "TIFF")))
    assert near(prepared.getpixel((4, 4)), (0, 0, 0)) and near(prepared.getpixel((60, 4)), (255, 255, 255))


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_sent(save: Save, image_format: str) -> None:
    frames = [Image.new("RGB", (32, 32), color) for color in ("red", "blue")]
    path, facts = save(frames[0], image_format, save_all=True, append_images=frames[1:], lossless=True)
    prepared = prepare(path, facts, formats=("JPEG", "GIF", "WEBP"))
    assert prepared.mime == "image/jpeg" and near(opened(prepared).getpixel((9, 9)), (255, 0, 0))


def test_a_still_picture_in_a_format_that_can_move_is_passed_through(save: Save) -> None:
    path, facts = save(noise(8, 8), "WEBP")
    assert prepare(path, facts, formats=("WEBP",)).data == path.read_bytes()


@pytest.mark.parametrize("accepted", ["JPEG", "PNG", "WEBP", "GIF"])
def test_shrinking_until_the_bytes_fit(save: Save, accepted: str) -> None:
    path, facts = save(noise(400, 300))
    prepared = prepare(path, facts, max_bytes=9_000, formats=(accepted,))
    assert len(prepared.data) <= 9_000 and opened(prepared).format == accepted
    assert prepared.width > 30 and abs(prepared.width / prepared.height - 4 / 3) < 0.05


def test_a_limit_that_no_picture_can_meet(save: Save) -> None:
    assert "small enough for the endpoint's limit of 100 bytes" in reason(*save(noise(64, 64)), max_bytes=100)
    assert "accepts none of the formats" in reason(*save(noise(64, 64)), formats=())


def test_a_file_that_is_gone_or_another_one(save: Save) -> None:
    path, facts = save(noise(16, 16))
    path.write_bytes(path.read_bytes() + b"tail")
    assert "has changed since import" in reason(path, facts)
    path.unlink()
    assert reason(path, facts) == "the file is missing"
    os.mkfifo(path)
    assert reason(path, facts) == "is no longer a regular file"


def test_the_same_size_with_other_content_is_noticed(save: Save) -> None:
    path, facts = save(noise(16, 16), "BMP")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(0, facts.modified_ns + 1))
    assert "has changed since import" in reason(path, facts)


def test_a_copy_with_another_time_is_the_same_picture(save: Save) -> None:
    path, facts = save(noise(16, 16))
    os.utime(path, ns=(0, 0))
    assert prepare(path, facts).data == path.read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "is a HEIC picture"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture in a format that is read here"),
        (b"", "the file is empty (0 bytes)"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "cannot be decoded"),
    ],
)
def test_what_is_no_raster_picture_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    assert words in reason(path, facts_of(path, "other", (10, 10)))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_a_file_cut_short_is_damaged_and_nothing_else(save: Save, tmp_path: Path, image_format: str) -> None:
    path, _ = save(noise(64, 64), image_format)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    words = reason(path, facts_of(path, image_format, (64, 64)), max_side=32)
    assert "cannot be decoded" in words or "not a picture" in words


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"]), st.data())
def test_damaged_files_give_a_picture_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, image_format: str, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((24, 16)).convert("RGB").save(buffer, image_format)
    content = bytearray(buffer.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=12)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "x"
    path.write_bytes(content)
    try:
        prepared = prepare(path, facts_of(path, image_format, (24, 16)), max_side=8)
    except BadPicture as error:
        assert error.reason
    else:
        assert max(opened(prepared).size) <= 8


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_too_many_pixels_are_refused_before_decoding(save: Save) -> None:
    path, facts = save(Image.new("1", (10_000, 9_000)))
    assert "90,000,000" not in (words := reason(path, facts)) and "10000×9000 is more than the limit" in words
    lying = dataclasses.replace(facts, width=10, height=10)
    assert "10000×9000 is more than the limit" in reason(path, lying, formats=("JPEG",))


@pytest.mark.skipif(not CC0_PICTURES.is_dir(), reason="the sample pictures are not there")
@pytest.mark.parametrize("max_side", [None, 256])
def test_real_photographs(max_side: int | None) -> None:
    paths = sorted(CC0_PICTURES.glob("*.*"))
    assert len(paths) >= 10
    for path in paths:
        with Image.open(path) as image:
            facts = facts_of(path, str(image.format), image.size)
        prepared = prepare(path, facts, max_side=max_side)
        assert max_side is None or max(opened(prepared).size) <= max_side
        assert (prepared.data == path.read_bytes()) is (max_side is None or max(facts.width, facts.height) <= max_side)
