"""What is measured in pictures whose content is known, because they are drawn here."""

import io
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw, ImageFilter

from vqa_tui.domain.item import PIXEL_LIMIT
from vqa_tui.embedded.colours import COLOUR_NAMES, colour_name, name_indices
from vqa_tui.embedded.measure import UnreadablePicture, measure_picture
from vqa_tui.embedded.regions import count_regions


def encoded(picture: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_drawn_picture_is_measured_in_every_format(draw: Callable[..., bytes], file_format: str) -> None:
    seen = measure_picture(draw((640, 480), file_format))
    assert (seen.width, seen.height, seen.orientation) == (640, 480, "landscape")
    assert seen.colours[0].name == "white"
    assert seen.colours[0].share == pytest.approx(1 - 2 * (0.1875 * 0.25) - 0.0625 * 0.25, abs=0.05)
    assert seen.regions == 3
    assert seen.brightness_word == "bright"
    assert seen.darkest == "lower-right"
    assert seen.busiest in ("upper-left", "lower-right")


def test_dominant_colours_come_with_their_shares() -> None:
    picture = Image.new("RGB", (300, 100), (20, 20, 220))
    picture.paste((220, 20, 20), (0, 0, 90, 100))
    seen = measure_picture(encoded(picture))
    assert [colour.name for colour in seen.colours] == ["blue", "red"]
    assert [colour.share for colour in seen.colours] == pytest.approx([0.7, 0.3], abs=0.03)


def test_a_flat_picture_has_no_part_that_stands_out() -> None:
    seen = measure_picture(encoded(Image.new("RGB", (50, 50), "green")))
    assert seen.orientation == "square"
    assert (seen.busiest, seen.emptiest, seen.brightest, seen.darkest) == (None, None, None, None)
    assert (seen.regions, seen.contrast, seen.sharpness) == (1, 0, 0)


@pytest.mark.parametrize(
    ("cell", "word"), [((0, 0), "upper-left"), ((1, 0), "upper-center"), ((1, 1), "center"), ((2, 2), "lower-right")]
)
def test_the_busiest_part_is_where_the_lines_are(cell: tuple[int, int], word: str) -> None:
    picture = Image.new("RGB", (300, 300), "white")
    pen = ImageDraw.Draw(picture)
    for offset in range(10, 95, 8):
        left, top = cell[0] * 100, cell[1] * 100
        pen.line((left + offset, top + 5, left + offset, top + 95), fill="black", width=3)
    seen = measure_picture(encoded(picture))
    assert seen.busiest == word
    assert seen.darkest == word
    assert seen.emptiest != word


def test_blur_lowers_sharpness() -> None:
    noise = Image.effect_noise((400, 300), 80).convert("RGB").resize((800, 600))
    sharp = [
        measure_picture(encoded(noise.filter(ImageFilter.GaussianBlur(radius)))).sharpness for radius in (0, 6, 12)
    ]
    assert sharp[0] > sharp[1] > sharp[2]


def test_contrast_and_brightness_follow_the_pixels() -> None:
    half = Image.new("L", (100, 100), 0)
    half.paste(255, (50, 0, 100, 100))
    seen = measure_picture(encoded(half))
    assert seen.brightness == pytest.approx(0.5, abs=0.01)
    assert seen.contrast == pytest.approx(0.5, abs=0.01)
    assert seen.contrast_word == "high"
    assert measure_picture(encoded(Image.new("L", (9, 9), 20))).brightness_word == "dark"


def test_exif_orientation_turns_what_is_measured() -> None:
    picture = Image.new("RGB", (200, 100), (220, 20, 20))
    picture.paste((250, 250, 250), (0, 0, 100, 100))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn right by 90 degrees: the left half becomes the upper half
    seen = measure_picture(encoded(picture, "JPEG", exif=exif))
    assert (seen.width, seen.height, seen.orientation) == (100, 200, "portrait")
    assert seen.brightest is not None and seen.brightest.startswith("upper")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_png_is_measured(mode: str) -> None:
    assert measure_picture(encoded(Image.new(mode, (30, 20)))).width == 30


def test_transparent_pixels_count_as_white_and_16_bits_are_scaled() -> None:
    assert measure_picture(encoded(Image.new("RGBA", (20, 20), (255, 0, 0, 0)))).colours[0].name == "white"
    assert measure_picture(encoded(Image.new("I;16", (20, 20), 32768))).brightness == pytest.approx(0.5, abs=0.02)
    assert measure_picture(encoded(Image.new("CMYK", (20, 20)), "JPEG")).colours[0].name == "white"


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 2)])
def test_the_thinnest_pictures_are_measured(size: tuple[int, int]) -> None:
    seen = measure_picture(encoded(Image.new("RGB", size, "red")))
    assert (seen.width, seen.height) == size
    assert seen.colours[0].name == "red"


@pytest.mark.parametrize("data", [b"", b"not a picture", b"GIF89a", b"%PDF-1.7", b"\xff\xd8\xff\xe0" + b"\0" * 40])
def test_what_is_no_picture_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(UnreadablePicture) as refused:
        measure_picture(data)
    assert "BytesIO" not in str(refused.value)


def test_a_truncated_picture_is_refused(draw: Callable[..., bytes]) -> None:
    whole = draw((640, 480), "JPEG")
    with pytest.raises(UnreadablePicture):
        measure_picture(whole[: len(whole) // 2])


def test_too_many_pixels_are_refused_before_decoding() -> None:
    bomb = encoded(Image.new("1", (PIXEL_LIMIT // 8000 + 1, 8000)))
    assert len(bomb) < 200_000
    with pytest.raises(UnreadablePicture, match="pixels"):
        measure_picture(bomb)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((128, 128, 128), "gray"),
        ((230, 20, 20), "red"),
        ((255, 140, 0), "orange"),
        ((120, 70, 25), "brown"),
        ((255, 230, 0), "yellow"),
        ((0, 160, 40), "green"),
        ((0, 200, 210), "cyan"),
        ((20, 40, 220), "blue"),
        ((130, 30, 200), "purple"),
        ((255, 120, 190), "pink"),
        ((225, 205, 170), "beige"),
    ],
)
def test_colours_have_the_names_people_give_them(rgb: tuple[int, int, int], name: str) -> None:
    assert colour_name(*rgb) == name
    assert COLOUR_NAMES[name_indices(bytes(rgb))[0]] == name


def test_regions_are_connected_areas_of_enough_cells() -> None:
    rows = [
        b"aaabbb",
        b"abbbab",
        b"aaabbb",
        b"caaccc",
        b"ccaacc",
    ]
    # a (one piece that winds through), b, c left, c right; the lone a inside b has one cell.
    assert count_regions(b"".join(rows), 6, smallest=2) == 4
    assert count_regions(b"".join(rows), 6, smallest=1) == 5
    assert count_regions(b"".join(rows), 6, smallest=6) == 2


def test_arms_that_meet_further_down_are_one_region() -> None:
    assert count_regions(b"axaaxaaaa", 3, smallest=1) == 2
