"""The prohibited items of the demo, drawn as thickness maps. Lengths are in supersampled pixels."""

import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageDraw

from vqa_tui.demo.material import Material, Part

Point = tuple[float, float]


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("L", (width, height), 0)
    return sheet, ImageDraw.Draw(sheet)


def _rod(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], peak: int) -> None:
    """Draw a solid cylinder lying on its side: thickest along its axis."""
    left, top, right, bottom = box
    across = bottom - top
    for step in range(int(across)):
        height = math.sqrt(max(0.0, 1 - ((step + 0.5) / across * 2 - 1) ** 2))
        draw.line((left, top + step, right, top + step), fill=int(peak * (0.35 + 0.65 * height)))


def knife(rng: Random) -> list[Part]:
    length, width = rng.randint(230, 320), rng.randint(34, 48)
    handle_length = int(length * 0.42)
    blade, draw = _sheet(length + 40, width + 40)
    start, spine, edge = 20 + handle_length, 22, 20 + width
    tip = (20 + length, 20 + width * rng.uniform(0.15, 0.5))
    draw.polygon(
        [(start, spine), (start + length * 0.35, spine), tip, (start + length * 0.4, edge), (start, edge)], 120
    )
    draw.polygon([(start, spine), (start + length * 0.35, spine), tip, (start, spine + width * 0.35)], 200)
    draw.rectangle((20, 20 + width * 0.34, start + 6, 20 + width * 0.68), 150)
    handle, draw = _sheet(length + 40, width + 40)
    draw.rounded_rectangle((16, 20, start, 20 + width), width * 0.4, 120)
    rivets, draw = _sheet(length + 40, width + 40)
    for share in (0.2, 0.5, 0.8):
        x, y, r = 20 + handle_length * share, 20 + width / 2, width * 0.13
        draw.ellipse((x - r, y - r, x + r, y + r), 220)
    grip = rng.choice([Material.ORGANIC, Material.MIXED])
    return [Part(handle, grip), Part(blade, Material.METAL), Part(rivets, Material.DENSE)]


def gun(rng: Random) -> list[Part]:
    scale = rng.uniform(0.85, 1.15)

    def at(*points: Point) -> list[Point]:
        return [(20 + x * scale, 20 + y * scale) for x, y in points]

    size = (int(300 * scale) + 40, int(215 * scale) + 40)
    frame, draw = _sheet(*size)
    draw.polygon(at((0, 0), (280, 0), (286, 8), (286, 42), (276, 50), (0, 50), (-6, 40), (-6, 8)), 165)
    draw.polygon(at((10, 50), (276, 50), (270, 74), (150, 78), (92, 80), (10, 74)), 120)
    draw.polygon(at((6, 50), (92, 60), (70, 205), (60, 212), (-8, 204), (-14, 194)), 105)
    draw.line(at((96, 76), (104, 118), (142, 124), (156, 108), (160, 76)), 150, max(int(9 * scale), 3), "curve")
    draw.line(at((122, 78), (118, 96), (126, 110)), 170, max(int(9 * scale), 3), "curve")
    inside, draw = _sheet(*size)
    draw.rectangle([*at((70, 14))[0], *at((284, 32))[0]], 170)
    draw.rectangle([*at((70, 20))[0], *at((286, 26))[0]], 60)
    for step in range(12):
        x = 110 + step * 12
        draw.line(at((x, 54), (x + 6, 68)), 190, 3)
    draw.polygon(at((20, 66), (74, 66), (58, 198), (4, 194)), 60)
    rounds, draw = _sheet(*size)
    for step in range(6):
        y, x = 74 + step * 19, 22 - step * 2
        draw.rounded_rectangle([*at((x, y))[0], *at((x + 44, y + 12))[0]], 6 * scale, 200)
    draw.rectangle([*at((262, -10))[0], *at((272, 2))[0]], 200)
    draw.rectangle([*at((4, -9))[0], *at((20, 2))[0]], 200)
    return [Part(frame, Material.METAL), Part(inside, Material.DENSE), Part(rounds, Material.DENSE)]


def scissors(rng: Random) -> list[Part]:
    length = rng.randint(220, 280)
    spread = rng.uniform(4, 16)
    size = length + 60
    middle, pivot = size / 2, 30 + length * 0.52
    metal, rings = Image.new("L", (size, size), 0), Image.new("L", (size, size), 0)
    for side in (-1, 1):
        blade, draw = _sheet(size, size)
        tip = (middle, 30)
        draw.polygon([tip, (middle + side * 12, 60), (middle + side * 15, pivot), (middle - side * 9, pivot + 16)], 130)
        draw.polygon([tip, (middle + side * 12, 60), (middle + side * 15, pivot), (middle + side * 6, pivot)], 195)
        foot = (middle - side * 28, 30 + length * 0.72)
        draw.line([(middle, pivot), foot], 160, 15)
        ring, draw = _sheet(size, size)
        centre_y = 30 + length * 0.84
        draw.ellipse((foot[0] - 34, centre_y - 42, foot[0] + 30, centre_y + 40), outline=150, width=15)
        turn = -side * spread
        about = (middle, pivot)
        metal = ImageChops.lighter(metal, blade.rotate(turn, Image.Resampling.BILINEAR, center=about))
        rings = ImageChops.lighter(rings, ring.rotate(turn, Image.Resampling.BILINEAR, center=about))
    screw, draw = _sheet(size, size)
    draw.ellipse((middle - 10, pivot - 10, middle + 10, pivot + 10), 230)
    return [Part(metal, Material.METAL), Part(rings, Material.ORGANIC), Part(screw, Material.DENSE)]


def battery(rng: Random) -> list[Part]:
    """A single cell: one annotation is one thing, so that answers about numbers are true of the drawing."""
    radius, length = rng.randint(26, 36), rng.randint(120, 160)
    size = (length + 50, 2 * radius + 40)
    shell, draw = _sheet(*size)
    _rod(draw, (20, 20, 20 + length, 20 + 2 * radius), 180)
    core, draw = _sheet(*size)
    _rod(draw, (30, 20 + radius * 0.4, 12 + length, 20 + radius * 1.6), 150)
    draw.rectangle((20 + length, 20 + radius * 0.65, 28 + length, 20 + radius * 1.35), 190)
    draw.rectangle((20, 23, 26, 17 + 2 * radius), 190)
    return [Part(shell, Material.MIXED), Part(core, Material.METAL)]


def powerbank(rng: Random) -> list[Part]:
    width, height, cells = rng.randint(200, 250), rng.randint(110, 140), rng.choice([2, 3])
    size = (width + 40, height + 40)
    case, draw = _sheet(*size)
    draw.rounded_rectangle((20, 20, 20 + width, 20 + height), 18, 70)
    draw.rounded_rectangle((20, 20, 20 + width, 20 + height), 18, outline=130, width=5)
    core, draw = _sheet(*size)
    pitch = (height - 20) / cells
    for index in range(cells):
        top = 30 + index * pitch
        _rod(draw, (62, top + 3, 10 + width, top + pitch - 3), 190)
    board, draw = _sheet(*size)
    draw.rectangle((28, 30, 52, 10 + height), 110)
    for offset in range(4):
        y = 38 + offset * (height - 40) / 4
        draw.rectangle((32, y, 48, y + 9), 220)
    draw.rectangle((18, 20 + height * 0.35, 34, 20 + height * 0.55), 230)
    return [Part(case, Material.PLASTIC), Part(core, Material.MIXED), Part(board, Material.METAL)]


def hammer(rng: Random) -> list[Part]:
    length, head = rng.randint(260, 330), rng.randint(110, 140)
    size = (length + 60, head + 60)
    middle = size[1] / 2
    wood, draw = _sheet(*size)
    _rod(draw, (50, middle - 15, 30 + length, middle + 15), 150)
    draw.rounded_rectangle((length * 0.62, middle - 19, 34 + length, middle + 19), 14, 165)
    steel, draw = _sheet(*size)
    top, bottom = middle - head / 2, middle + head / 2
    draw.rectangle((38, middle - 28, 76, middle + 26), 225)
    draw.polygon([(42, bottom - 34), (72, bottom - 34), (76, bottom), (38, bottom)], 235)
    draw.polygon([(40, middle - 28), (76, middle - 28), (64, top + 18), (30, top), (38, top + 26)], 200)
    return [Part(wood, Material.ORGANIC), Part(steel, Material.DENSE)]


def wrench(rng: Random) -> list[Part]:
    length, thick = rng.randint(230, 300), rng.randint(22, 30)
    size = (length + 80, 120)
    middle = 60.0
    steel, draw = _sheet(*size)
    draw.rounded_rectangle((60, middle - thick / 2, 20 + length, middle + thick / 2), 8, 150)
    draw.rounded_rectangle((90, middle - thick / 5, length - 10, middle + thick / 5), 5, 110)
    draw.ellipse((20, middle - 38, 92, middle + 38), 185)
    draw.polygon([(12, middle - 24), (58, middle - 15), (64, middle), (58, middle + 15), (12, middle + 24)], 0)
    ring = 20 + length
    draw.ellipse((ring - 22, middle - 30, ring + 38, middle + 30), 185)
    draw.regular_polygon((ring + 8, middle, 17), 6, fill=0)
    return [Part(steel, Material.METAL)]


def lighter(rng: Random) -> list[Part]:
    width, height = rng.randint(36, 44), rng.randint(110, 130)
    size = (width + 40, height + 60)
    body, draw = _sheet(*size)
    draw.rounded_rectangle((20, 54, 20 + width, 40 + height), 9, 95)
    draw.rounded_rectangle((20, 54, 20 + width, 40 + height), 9, outline=150, width=5)
    draw.rectangle((25, 54 + height * rng.uniform(0.2, 0.45), 15 + width, 34 + height), 140)
    metal, draw = _sheet(*size)
    draw.rounded_rectangle((20, 24, 20 + width * 0.66, 58), 5, 170)
    draw.ellipse((18 + width * 0.5, 26, 22 + width, 26 + width * 0.5), 215)
    draw.rectangle((20 + width * 0.62, 44, 20 + width, 56), 170)
    draw.line((20 + width / 2, 58, 20 + width / 2, 58 + height * 0.5), 150, 4)
    return [Part(body, Material.PLASTIC), Part(metal, Material.METAL)]


def bullet(rng: Random) -> list[Part]:
    radius, length = rng.randint(17, 22), rng.randint(84, 108)
    size = (length + 50, 2 * radius + 48)
    case, draw = _sheet(*size)
    neck = 20 + length * 0.6
    _rod(draw, (22, 20, neck, 20 + 2 * radius), 210)
    draw.rectangle((18, 18, 24, 22 + 2 * radius), 220)
    tip, draw = _sheet(*size)
    draw.pieslice((neck - length * 0.4, 21, 20 + length, 19 + 2 * radius), 270, 90, 245)
    return [Part(case, Material.METAL), Part(tip, Material.DENSE)]


ITEMS: dict[str, Callable[[Random], list[Part]]] = {
    "Knife": knife,
    "Gun": gun,
    "Scissors": scissors,
    "Battery": battery,
    "Powerbank": powerbank,
    "Hammer": hammer,
    "Wrench": wrench,
    "Lighter": lighter,
    "Bullet": bullet,
}
"""Category, as STCray spells it, to the function that draws one."""
