"""One X-ray-like baggage scan with exact ground truth, drawn from nothing but a seed."""

import math
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from vqa_tui.demo.clutter import CLUTTER, garment
from vqa_tui.demo.material import SUPERSAMPLING, Material, Part, Stamp, make_stamp, transmittance
from vqa_tui.demo.prohibited import ITEMS
from vqa_tui.domain.item import Box

SIZES = ((640, 480), (800, 600), (720, 540))
_BACKGROUND = (250, 252, 253)
_OBJECT_SIZE = 1.15
"""Enlargement of objects, so that a small one can still be made out at half-block resolution in a terminal."""
_GRAIN = [255 - value // 24 for value in range(256)]
_VISIBLE_CLOTH = [255 if light < 250 else 0 for light in range(256)]
_TRIES = 60
_ITEMS_SHARE, _CLUTTER_SHARES = 0.12, 0.35
"""Share of the smaller box up to which two prohibited items, or two other things, may overlap."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A drawn picture and everything that is true of it."""

    picture: Image.Image
    """Mode RGB."""
    boxes: tuple[Box, ...]
    """One per prohibited item, in pixels, tight around the pixels that the item darkens."""
    caption: str
    """What lies in the bag, where the prohibited items lie, and which of the other things each of them overlaps."""


@dataclass(frozen=True, slots=True)
class _Laid:
    """Something that lies in the bag. `name` is what a caption calls it."""

    name: str
    left: int
    top: int
    mask: Image.Image
    """Mode L, 255 where it darkens the picture, else 0."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width, height in pixels."""
        return self.left, self.top, *self.mask.size

    def overlaps(self, other: "_Laid") -> bool:
        """Whether any pixel belongs to both."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.mask.width, other.left + other.mask.width)
        bottom = min(self.top + self.mask.height, other.top + other.mask.height)
        if left >= right or top >= bottom:
            return False
        shares = [
            each.mask.crop((left - each.left, top - each.top, right - each.left, bottom - each.top))
            for each in (self, other)
        ]
        return ImageChops.darker(*shares).getbbox() is not None


@dataclass(frozen=True, slots=True)
class _Bag:
    noun: str
    outline: tuple[int, int, int, int]
    """Left, top, right, bottom in pixels."""


def draw_scan(rng: Random, labels: list[str]) -> Scan:
    """Draw a bag that holds one item of each label (keys of prohibited.ITEMS); no labels make a clean scan.

    The boxes are those of the items' own masks, so they are exact whatever lies above or below.
    """
    size = rng.choice(SIZES)
    scene = Image.new("RGB", size, _BACKGROUND)
    bag = _lay_bag(scene, rng)
    garments = _lay_garments(scene, bag, rng)
    things = _lay_clutter(scene, bag, rng)
    items = _lay_items(scene, bag, rng, labels)
    boxes = tuple(
        Box(label=label, x=item.left, y=item.top, width=item.mask.width, height=item.mask.height)
        for label, item in zip(labels, items, strict=True)
    )
    return Scan(_with_noise(scene, rng), boxes, _caption(bag, garments, things, items, size))


def _lay_bag(scene: Image.Image, rng: Random) -> _Bag:
    width, height = scene.size
    noun = rng.choice(["suitcase", "backpack", "holdall"])
    margin_x, margin_y = int(width * rng.uniform(0.05, 0.09)), int(height * rng.uniform(0.09, 0.13))
    outline = (margin_x, margin_y, width - margin_x, height - margin_y)
    scale = SUPERSAMPLING
    shell = Image.new("L", (width * scale, height * scale), 0)
    frame = shell.copy()
    draw, metal = ImageDraw.Draw(shell), ImageDraw.Draw(frame)
    left, top, right, bottom = (side * scale for side in outline)
    corner = {"suitcase": 46, "backpack": 130, "holdall": 90}[noun]
    draw.rounded_rectangle((left, top, right, bottom), corner, 16)
    draw.rounded_rectangle((left, top, right, bottom), corner, outline=74, width=9)
    draw.rounded_rectangle((left + 16, top + 16, right - 16, bottom - 16), corner - 12, outline=40, width=5)
    middle = (left + right) / 2
    if noun == "suitcase":
        for x in (middle - 92, middle + 92):
            metal.line((x, top - 40, x, bottom - 60), fill=92, width=9)
        metal.rounded_rectangle((middle - 100, top - 52, middle + 100, top - 34), 8, 120)
        for x in (left + 60, right - 60):
            metal.ellipse((x - 26, bottom - 8, x + 26, bottom + 44), fill=110)
            metal.ellipse((x - 9, bottom + 9, x + 9, bottom + 27), fill=210)
    else:
        draw.arc((middle - 110, top - 70, middle + 110, top + 60), 180, 360, 110, 15)
        zip_y = top + (bottom - top) * (0.16 if noun == "backpack" else 0.08)
        metal.line((left + 50, zip_y, right - 50, zip_y), fill=50, width=4)
        for x in range(int(left) + 50, int(right) - 50, 14):
            metal.line((x, zip_y - 5, x, zip_y + 5), fill=84, width=4)
        for x in (left + 70, right - 90):
            metal.rounded_rectangle((x, bottom - 62, x + 34, bottom - 30), 6, outline=140, width=7)
    for sheet, material in ((shell, Material.ORGANIC), (frame, Material.METAL)):
        small = sheet.reduce(scale).filter(ImageFilter.BoxBlur(0.6))
        _multiply(scene, transmittance(Part(small, material)), 0, 0)
    return _Bag(noun, outline)


def _lay_garments(scene: Image.Image, bag: _Bag, rng: Random) -> list[_Laid]:
    left, top, right, bottom = bag.outline
    laid = []
    for _ in range(rng.randint(7, 9)):
        stamp = make_stamp(garment(rng), rng.uniform(0, 360), _pixels_per_unit(scene), softness=0, least_visible=1)
        x, y = _somewhere(stamp, (left + 6, top + 6, right - 6, bottom - 6), rng)
        # Cloth larger than the bag is pressed flat against its wall.
        pressed = stamp.light.crop(
            (0, 0, min(stamp.light.width, right - 6 - x), min(stamp.light.height, bottom - 6 - y))
        )
        _multiply(scene, pressed, x, y)
        laid.append(_Laid("clothes", x, y, pressed.convert("L").point(_VISIBLE_CLOTH)))
    return laid


def _lay_clutter(scene: Image.Image, bag: _Bag, rng: Random) -> list[_Laid]:
    """Lay three to five things that overlap little."""
    laid: list[_Laid] = []
    for name in rng.sample(sorted(CLUTTER), rng.randint(3, 5)):
        stamp = make_stamp(CLUTTER[name](rng), rng.choice([0, 90, 180, 270]) + rng.uniform(-25, 25), _scale(scene))
        place, shared = _roomiest_place(stamp, bag, rng, laid, _CLUTTER_SHARES)
        if shared <= _CLUTTER_SHARES:
            _multiply(scene, stamp.light, *place)
            laid.append(_Laid(name, *place, stamp.mask))
    return laid


def _lay_items(scene: Image.Image, bag: _Bag, rng: Random, labels: list[str]) -> list[_Laid]:
    laid: list[_Laid] = []
    for label in labels:
        stamp = make_stamp(ITEMS[label](rng), rng.uniform(0, 360), _scale(scene))
        place, _ = _roomiest_place(stamp, bag, rng, laid, _ITEMS_SHARE)
        _multiply(scene, stamp.light, *place)
        # The stamp is trimmed to its mask, so its size is the exact extent of the item.
        laid.append(_Laid(_WITH_ARTICLE.get(label, f"a {label.lower()}"), *place, stamp.mask))
    return laid


def _pixels_per_unit(scene: Image.Image) -> float:
    return scene.width / SIZES[0][0]


def _scale(scene: Image.Image) -> float:
    return _pixels_per_unit(scene) * _OBJECT_SIZE / SUPERSAMPLING


def _multiply(scene: Image.Image, light: Image.Image, x: int, y: int) -> None:
    area = (x, y, x + light.width, y + light.height)
    scene.paste(ImageChops.multiply(scene.crop(area), light), area)


def _somewhere(stamp: Stamp, room: tuple[int, int, int, int], rng: Random) -> tuple[int, int]:
    left, top, right, bottom = room
    last_x, last_y = max(left, right - stamp.mask.width), max(top, bottom - stamp.mask.height)
    return rng.randint(left, last_x), rng.randint(top, last_y)


def _roomiest_place(
    stamp: Stamp, bag: _Bag, rng: Random, laid: list[_Laid], enough: float
) -> tuple[tuple[int, int], float]:
    """Return a corner inside the bag and the largest share of a box that overlaps another there.

    The first place tried where no more than `enough` is shared, else the one of all tried that shares least.
    """
    left, top, right, bottom = bag.outline
    room = (left + 14, top + 14, right - 14, bottom - 14)
    best, least = _somewhere(stamp, room, rng), math.inf
    for _ in range(_TRIES):
        x, y = _somewhere(stamp, room, rng)
        shared = max((_shared((x, y, *stamp.mask.size), other.box) for other in laid), default=0.0)
        if shared < least:
            best, least = (x, y), shared
        if least <= enough:
            break
    return best, least


def _shared(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> float:
    wide = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    high = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    smaller = min(first[2] * first[3], second[2] * second[3])
    return max(wide, 0) * max(high, 0) / smaller


def _with_noise(scene: Image.Image, rng: Random) -> Image.Image:
    """Grain of the detector; Pillow's own noise cannot be seeded."""
    grain = Image.frombytes("L", scene.size, rng.randbytes(scene.width * scene.height))
    grain = grain.point(_GRAIN)
    return ImageChops.multiply(scene, Image.merge("RGB", (grain, grain, grain)))


def _caption(bag: _Bag, garments: list[_Laid], things: list[_Laid], items: list[_Laid], size: tuple[int, int]) -> str:
    contents = _in_words(["clothes", *(thing.name for thing in things)])
    if not items:
        return f"A clean X-ray scan of a {bag.noun} with {contents}; there is no prohibited item."
    sentences = [f"An X-ray scan of a {bag.noun} with {contents}."]
    for item in items:
        others = [other.name for other in (*things, *items) if other is not item and item.overlaps(other)]
        among_clothes = any(item.overlaps(cloth) for cloth in garments)
        sentences.append(
            f"{item.name[0].upper()}{item.name[1:]} {_lies(item, size)}{_touching(others, among_clothes)}."
        )
    return " ".join(sentences)


def _touching(others: list[str], among_clothes: bool) -> str:
    if others:
        return f"{', among clothes,' if among_clothes else ''} and overlaps {_in_words(others)}"
    return ", among clothes and clear of the other things" if among_clothes else ", clear of everything else in the bag"


_WITH_ARTICLE = {"Scissors": "a pair of scissors"}


def _in_words(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _lies(item: _Laid, size: tuple[int, int]) -> str:
    x, y, width, height = item.box
    column = min(int((x + width / 2) / size[0] * 3), 2)
    row = min(int((y + height / 2) / size[1] * 3), 2)
    words = " ".join(word for word in (("upper", "", "lower")[row], ("left", "", "right")[column]) if word)
    return f"lies in the {words} part of the picture" if words else "lies in the centre of the picture"
