"""How pictures are shrunk and kept: near to the best that can be done, the same each time, and decoded only once."""

import io
import os
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFile, ImageFilter, ImageStat

from vqa_tui.domain.item import PictureFacts
from vqa_tui.endpoints.picture_cache import PictureCache
from vqa_tui.endpoints.pictures import BadPicture, PreparedPicture, prepare_picture
from vqa_tui.sources.probe import probe

CC0_PICTURES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cc0_images"


def prepare(path: Path, facts: PictureFacts | None = None, **changes: Any) -> PreparedPicture:
    options: dict[str, Any] = {"max_side": 64, "jpeg_quality": 90, "max_bytes": 10**7, "formats": ("JPEG",)}
    return prepare_picture(path, facts or probe(path), **options | changes)


def photograph(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return a picture with coarse shapes, edges and fine grain; always the same."""
    dice = random.Random(1)
    coarse = Image.frombytes("RGB", (12, 8), dice.randbytes(12 * 8 * 3)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(coarse)
    for _ in range(12):
        x, y = dice.randrange(width), dice.randrange(height)
        draw.ellipse((x, y, x + width // 6, y + height // 5), outline=tuple(dice.randbytes(3)), width=3)
    grain = Image.frombytes("L", (width, height), dice.randbytes(width * height)).filter(ImageFilter.GaussianBlur(1))
    return ImageChops.add(coarse, Image.merge("RGB", [grain] * 3), 1, -128).convert(mode)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean absolute difference of two pictures in levels of 255."""
    mean = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return sum(mean) / len(mean)


def opened(prepared: PreparedPicture) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.data))
    image.load()
    return image


@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
@pytest.mark.parametrize("ratio", [1.3, 1.95, 2.5, 2.93, 3.9, 4.6, 5.9, 8.0])
def test_a_shrunk_picture_is_as_good_as_a_full_decode_with_lanczos(
    tmp_path: Path, image_format: str, ratio: float
) -> None:
    path = tmp_path / "x"
    photograph(1200, 800).save(path, image_format, **({"quality": 92} if image_format == "JPEG" else {}))
    side = round(1200 / ratio)
    with Image.open(path) as image:
        wanted = image.convert("RGB").resize((side, round(800 * side / 1200)), Image.Resampling.LANCZOS)
    # PNG loses nothing, so only what the shrinking did is compared.
    found = opened(prepare(path, max_side=side, formats=("PNG",)))
    assert found.size == wanted.size
    assert difference(found, wanted) < 2.5
    blurred = wanted.filter(ImageFilter.GaussianBlur(0.7))
    assert difference(found, wanted) < difference(blurred, wanted) or ratio < 3


@pytest.mark.parametrize("ratio", [1.3, 2.5])
def test_a_picture_that_is_shrunk_a_little_is_exactly_that_of_lanczos(tmp_path: Path, ratio: float) -> None:
    path = tmp_path / "x.png"
    original = photograph(600, 400)
    original.save(path)
    found = opened(prepare(path, max_side=round(600 / ratio), formats=("PNG",)))
    assert difference(found, original.resize(found.size, Image.Resampling.LANCZOS)) == 0


@pytest.mark.skipif(not CC0_PICTURES.is_dir(), reason="the sample pictures are not there")
def test_photographs_differ_less_from_the_best_than_a_jpeg_of_it_does(tmp_path: Path) -> None:
    for path in sorted(CC0_PICTURES.glob("*.*")):
        with Image.open(path) as image:
            original = image.convert("RGB")
        for ratio in (2.0, 2.95, 4.1):
            side = round(max(original.size) / ratio)
            found = opened(prepare(path, max_side=side, formats=("PNG",)))
            wanted = original.resize(found.size, Image.Resampling.LANCZOS)
            buffer = io.BytesIO()
            wanted.save(buffer, "JPEG", quality=90)
            with Image.open(buffer) as written:
                assert difference(found, wanted) < difference(written, wanted), (path.name, ratio)


def is_red(image: Image.Image, x: int, y: int) -> bool:
    """Tell whether a corner is red: (0, 0) is the upper left one, (1, 1) the lower right one."""
    rgb = image.convert("RGB")
    place = round((rgb.width - 1) * (0.05 + 0.9 * x)), round((rgb.height - 1) * (0.05 + 0.9 * y))
    red, _green, blue = rgb.getpixel(place)  # type: ignore[misc]  # of three bands
    return red > blue


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("stored_as", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("sent_as", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_is_turned_upright_once_whatever_it_is_stored_and_sent_as(
    tmp_path: Path, orientation: int, stored_as: str, sent_as: str
) -> None:
    image = Image.new("RGB", (90, 60), "blue")
    image.paste("red", (0, 0, 30, 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "x"
    image.save(path, stored_as, exif=exif)
    with Image.open(path) as stored:
        turned = (stored.getexif().get(0x0112, 1), stored.size)
    found = opened(prepare(path, max_side=45, formats=(sent_as,)))
    assert found.getexif().get(0x0112, 1) == 1 and "exif" not in found.info
    upright = {
        1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1),
    }[orientation]  # fmt: skip
    assert (found.width > found.height) is (orientation < 5), turned
    reds = [(x, y) for x in (0, 1) for y in (0, 1) if is_red(found, x, y)]
    assert reds == [upright]


def test_a_large_picture_is_flattened_over_white_the_same_at_every_height(tmp_path: Path) -> None:
    image = Image.new("RGBA", (1500, 1500), (0, 0, 0, 0))
    image.paste((255, 0, 0, 128), (0, 0, 750, 1500))
    path = tmp_path / "x.png"
    image.save(path)
    found = opened(prepare(path, max_side=None))
    for y in range(5, 1500, 70):
        red, white = found.getpixel((300, y)), found.getpixel((1200, y))
        assert all(abs(a - b) <= 2 for a, b in zip((*red, *white), (255, 127, 127, 255, 255, 255), strict=True))  # type: ignore[misc]  # as above


class Decodes:
    """Counts the pictures that Pillow really decodes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        load = ImageFile.ImageFile.load

        def counted(image: ImageFile.ImageFile) -> object:
            # A picture is loaded again and again, but has something left to decode only the first time.
            self.count += bool(image.tile)
            return load(image)

        monkeypatch.setattr(ImageFile.ImageFile, "load", counted)


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> Decodes:
    return Decodes(monkeypatch)


@pytest.fixture
def cache(tmp_path: Path) -> PictureCache:
    return PictureCache(tmp_path / "cache" / "pictures", 10**8)


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Path, PictureFacts]:
    path = tmp_path / "x.png"
    photograph(120, 80).save(path)
    return path, probe(path)


def test_a_changed_picture_is_decoded_once_and_is_the_same_with_and_without_the_cache(
    stored: tuple[Path, PictureFacts], cache: PictureCache, decodes: Decodes
) -> None:
    plain = prepare(*stored)
    assert decodes.count == 1
    first, second = (prepare(*stored, cache=cache) for _ in range(2))
    assert plain == first == second and decodes.count == 2


def test_a_copy_of_a_picture_elsewhere_is_found_too(
    stored: tuple[Path, PictureFacts], tmp_path: Path, cache: PictureCache, decodes: Decodes
) -> None:
    first = prepare(*stored, cache=cache)
    copy = tmp_path / "copy.png"
    copy.write_bytes(stored[0].read_bytes())
    facts = probe(copy)
    decodes.count = 0
    assert prepare(copy, facts, cache=cache) == first and decodes.count == 0


@pytest.mark.parametrize(
    "changes",
    [{"max_side": 63}, {"jpeg_quality": 89}, {"max_bytes": 10**6}, {"formats": ("WEBP",)}],
    ids=lambda changes: next(iter(changes)),
)
def test_every_rule_that_changes_the_bytes_makes_another_entry(
    stored: tuple[Path, PictureFacts], cache: PictureCache, decodes: Decodes, changes: dict[str, Any]
) -> None:
    prepare(*stored, cache=cache)
    changed = prepare(*stored, cache=cache, **changes)
    assert decodes.count == 2
    assert changed == prepare(*stored, **changes)


@pytest.mark.parametrize(("name", "value"), [("PIL.__version__", "99.0.0"), ("preparation", 999)])
def test_another_version_of_pillow_or_of_the_preparation_finds_nothing(
    stored: tuple[Path, PictureFacts],
    cache: PictureCache,
    decodes: Decodes,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: Any,
) -> None:
    prepare(*stored, cache=cache)
    monkeypatch.setattr(name if "." in name else "vqa_tui.endpoints.pictures.PREPARATION", value)
    prepare(*stored, cache=cache)
    assert decodes.count == 2


def test_a_picture_that_fits_is_never_kept_or_looked_up(stored: tuple[Path, PictureFacts]) -> None:
    class Untouchable:
        def get(self, key: str) -> PreparedPicture | None:
            raise AssertionError(key)

        def put(self, key: str, picture: PreparedPicture) -> None:
            raise AssertionError(key)

    prepared = prepare(*stored, max_side=120, formats=("PNG",), cache=Untouchable())
    assert prepared.data == stored[0].read_bytes()


def spoil(path: Path) -> None:
    other = path.with_name("other.png")
    photograph(120, 80).transpose(Image.Transpose.ROTATE_180).save(other)
    os.replace(other, path)


def touch_back(path: Path, facts: PictureFacts) -> None:
    os.utime(path, ns=(facts.modified_ns, facts.modified_ns))


@pytest.mark.parametrize("kept_before", [False, True])
def test_a_file_that_changed_is_neither_kept_nor_served_from_before(
    stored: tuple[Path, PictureFacts], cache: PictureCache, kept_before: bool
) -> None:
    path, facts = stored
    if kept_before:
        prepare(path, facts, cache=cache)
    spoil(path)
    os.utime(path, ns=(1, 1))
    for _ in range(2):
        with pytest.raises(BadPicture, match="has changed since import"):
            prepare(path, facts, cache=cache)


def test_a_file_whose_size_and_time_were_put_back_is_still_not_kept_under_the_old_name(
    tmp_path: Path, cache: PictureCache
) -> None:
    path = tmp_path / "x.bmp"
    photograph(120, 80).save(path)
    facts = probe(path)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    touch_back(path, facts)
    with pytest.raises(BadPicture, match="has changed since import"):
        prepare(path, facts, cache=cache)


def test_a_picture_that_is_gone_is_not_served_from_the_cache(
    stored: tuple[Path, PictureFacts], cache: PictureCache
) -> None:
    prepare(*stored, cache=cache)
    stored[0].unlink()
    with pytest.raises(BadPicture, match="the file is missing"):
        prepare(*stored, cache=cache)


def test_a_spoilt_entry_is_made_anew(
    stored: tuple[Path, PictureFacts], cache: PictureCache, decodes: Decodes, tmp_path: Path
) -> None:
    first = prepare(*stored, cache=cache)
    (entry,) = (path for path in (tmp_path / "cache").rglob("*") if path.is_file())
    entry.write_bytes(entry.read_bytes()[:-1])
    assert prepare(*stored, cache=cache) == first and decodes.count == 2
    assert prepare(*stored, cache=cache) == first and decodes.count == 2
