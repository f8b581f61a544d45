"""What people carry besides: clothes, bottles, a laptop, cables, drawn as thickness maps in supersampled pixels."""

import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from vqa_tui.demo.material import Material, Part


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("L", (width, height), 0)
    return sheet, ImageDraw.Draw(sheet)


def garment(rng: Random) -> list[Part]:
    """A folded piece of cloth in pixels of a 640-pixel picture: a soft outline of uneven thickness, darker folds."""
    width, height = rng.randint(200, 330), rng.randint(150, 240)
    sheet, draw = _sheet(width, height)
    base = rng.randint(24, 42)
    corners = 14
    outline = []
    for step in range(corners):
        turn = math.tau * step / corners
        reach = rng.uniform(0.78, 0.97)
        outline.append((width / 2 * (1 + reach * math.cos(turn)), height / 2 * (1 + reach * math.sin(turn))))
    draw.polygon(outline, base)
    for _ in range(rng.randint(3, 6)):
        x, y = rng.uniform(0.15, 0.6) * width, rng.uniform(0.15, 0.6) * height
        area = (x, y, x + rng.uniform(0.2, 0.35) * width, y + rng.uniform(0.2, 0.35) * height)
        draw.rounded_rectangle(area, 15, base + rng.randint(6, 26))
    for _ in range(rng.randint(4, 8)):
        x, y, bend = rng.uniform(0.15, 0.7) * width, rng.uniform(0.2, 0.8) * height, rng.uniform(-15, 15)
        fold = [(x + step * 12, y + bend * math.sin(step / 2.2)) for step in range(rng.randint(4, 8))]
        draw.line(fold, base + rng.randint(24, 48), rng.randint(3, 6), "curve")
    return [Part(sheet.filter(ImageFilter.BoxBlur(3)).filter(ImageFilter.BoxBlur(2)), Material.ORGANIC)]


def bottle(rng: Random) -> list[Part]:
    """A bottle of liquid with a screw cap; the wall is darker than what it holds."""
    width, height = rng.randint(90, 124), rng.randint(280, 360)
    sheet, draw = _sheet(width + 40, height + 40)
    neck, shoulder = width * 0.34, 20 + height * 0.3
    left, right, middle = 20.0, 20.0 + width, 20 + width / 2
    shape = [
        (middle - neck / 2, 40), (middle + neck / 2, 40), (middle + neck / 2, shoulder - 34), (right, shoulder),
        (right, 14 + height), (right - 8, 20 + height), (left + 8, 20 + height), (left, 14 + height),
        (left, shoulder), (middle - neck / 2, shoulder - 34),
    ]  # fmt: skip
    draw.polygon(shape, 62)
    level = shoulder + height * rng.uniform(0.02, 0.25)
    for step in range(int(width) - 10):
        share = math.sqrt(max(0.0, 1 - ((step + 0.5) / (width - 10) * 2 - 1) ** 2))
        draw.line((left + 5 + step, level, left + 5 + step, 12 + height), fill=int(70 + 62 * share))
    draw.line([*shape, shape[0]], 112, 5)
    cap, draw = _sheet(width + 40, height + 40)
    draw.rounded_rectangle((middle - neck * 0.62, 18, middle + neck * 0.62, 52), 5, 130)
    return [Part(sheet, rng.choice([Material.ORGANIC, Material.ORGANIC, Material.MIXED])), Part(cap, Material.PLASTIC)]


def laptop(rng: Random) -> list[Part]:
    """A closed laptop: shell, keys, battery cells, board and fan."""
    width, height = rng.randint(420, 480), rng.randint(290, 320)
    size = (width + 40, height + 40)
    shell, draw = _sheet(*size)
    draw.rounded_rectangle((20, 20, 20 + width, 20 + height), 16, 62)
    draw.rounded_rectangle((20, 20, 20 + width, 20 + height), 16, outline=108, width=6)
    pitch = (width - 60) / 14
    for row in range(5):
        for column in range(14):
            x, y = 50 + column * pitch, 46 + height * 0.16 + row * 19
            draw.rectangle((x, y, x + pitch - 5, y + 13), fill=84)
    cells, draw = _sheet(*size)
    cell = (width - 70) / 4
    for index in range(4):
        x = 55 + index * cell
        draw.rounded_rectangle((x, height * 0.66, x + cell - 8, height * 0.66 + 84), 6, 104)
    board, draw = _sheet(*size)
    draw.rounded_rectangle((40, 34, width * 0.56, 30 + height * 0.2), 4, 74)
    for _ in range(26):
        x, y = rng.uniform(44, width * 0.5), rng.uniform(36, 16 + height * 0.2)
        draw.rectangle((x, y, x + rng.uniform(5, 26), y + rng.uniform(4, 16)), fill=rng.randint(110, 190))
    fan = (width * 0.74, 30, width * 0.74 + 66, 96)
    draw.ellipse(fan, outline=130, width=5)
    for spoke in range(0, 360, 30):
        draw.pieslice(fan, spoke, spoke + 9, fill=90)
    for x in (70, width - 80):
        draw.rectangle((x, 18, x + 50, 30), fill=180)
    return [Part(shell, Material.MIXED), Part(cells, Material.MIXED), Part(board, Material.METAL)]


def phone(rng: Random) -> list[Part]:
    """A telephone: case, battery, board, camera."""
    width, height = rng.randint(76, 88), rng.randint(150, 174)
    size = (width + 40, height + 40)
    case, draw = _sheet(*size)
    draw.rounded_rectangle((20, 20, 20 + width, 20 + height), 13, 90)
    draw.rounded_rectangle((20, 20, 20 + width, 20 + height), 13, outline=140, width=4)
    draw.rounded_rectangle((48, 20 + height * 0.34, 10 + width, 6 + height), 5, 128)
    board, draw = _sheet(*size)
    draw.rectangle((26, 28, 44, 10 + height), fill=100)
    for index in range(6):
        y = 34 + index * (height - 40) / 6
        draw.rectangle((29, y, 42, y + 13), fill=170)
    draw.ellipse((52, 28, 74, 50), outline=190, width=5)
    return [Part(case, Material.MIXED), Part(board, Material.METAL)]


def cable(rng: Random) -> list[Part]:
    """A coiled charging cable with its plugs."""
    side = rng.randint(170, 240)
    wire, draw = _sheet(side + 60, side + 60)
    middle, turns = side / 2 + 30, rng.uniform(2.2, 3.4)
    points = []
    for step in range(120):
        share = step / 119
        turn = math.tau * turns * share
        reach = side / 2 * (0.62 + 0.3 * math.sin(share * 9 + turns))
        points.append((middle + reach * math.cos(turn), middle + reach * 0.72 * math.sin(turn)))
    points.append((points[-1][0] + rng.uniform(-40, 40), middle - side * 0.44))
    draw.line(points, 112, 6, "curve")
    plugs, draw = _sheet(side + 60, side + 60)
    for x, y in (points[0], points[-1]):
        draw.rounded_rectangle((x - 9, y - 16, x + 9, y + 16), 4, 150)
        draw.rectangle((x - 5, y - 24, x + 5, y - 15), fill=200)
    return [Part(wire, Material.MIXED), Part(plugs, Material.METAL)]


def shoe(rng: Random) -> list[Part]:
    """A shoe seen from above: a sole with a stiffening shank and eyelets."""
    length, width = rng.randint(290, 340), rng.randint(108, 124)
    size = (length + 40, width + 40)
    sole, draw = _sheet(*size)
    middle = 20 + width / 2
    draw.ellipse((20, 20 + width * 0.1, 20 + length * 0.42, 20 + width * 0.9), fill=84)
    draw.polygon(
        [(20 + length * 0.2, 20 + width * 0.1), (20 + length * 0.7, 20), (20 + length * 0.7, 20 + width),
         (20 + length * 0.2, 20 + width * 0.9)],
        84,
    )  # fmt: skip
    draw.ellipse((20 + length * 0.45, 20, 20 + length, 20 + width), fill=84)
    for step in range(9):
        x = 50 + step * (length - 60) / 9
        draw.line((x, 34, x, 6 + width), fill=112, width=6)
    metal, draw = _sheet(*size)
    draw.rounded_rectangle((20 + length * 0.22, middle - 8, 20 + length * 0.56, middle + 8), 6, 120)
    for step in range(4):
        for side in (-16, 16):
            x = 20 + length * 0.6 + step * 20
            draw.ellipse((x - 4, middle + side - 4, x + 4, middle + side + 4), fill=170)
    return [Part(sole, Material.PLASTIC), Part(metal, Material.METAL)]


def book(rng: Random) -> list[Part]:
    """A book: an even block of paper with a denser spine."""
    width, height = rng.randint(190, 240), rng.randint(260, 300)
    sheet, draw = _sheet(width + 40, height + 40)
    draw.rectangle((20, 20, 20 + width, 20 + height), fill=112)
    draw.rectangle((20, 20, 20 + width, 20 + height), outline=142, width=5)
    draw.rectangle((20, 20, 38, 20 + height), fill=140)
    for y in range(50, height, 16):
        draw.line((52, y, width - rng.randint(0, 40), y), fill=118, width=4)
    return [Part(sheet, Material.ORGANIC)]


def umbrella(rng: Random) -> list[Part]:
    """A folded umbrella: steel shaft and ribs in thin cloth."""
    length = rng.randint(360, 440)
    cloth, draw = _sheet(length + 60, 100)
    draw.polygon([(60, 36), (length - 40, 24), (length, 50), (length - 40, 76), (60, 64)], 56)
    draw.rounded_rectangle((18, 36, 76, 64), 12, 130)
    steel, draw = _sheet(length + 60, 100)
    draw.line((30, 50, length + 30, 50), fill=170, width=9)
    for offset in (-16, -8, 8, 16):
        draw.line([(90, 50), (length * 0.5, 50 + offset), (length - 14, 50 + offset * 0.5)], 130, 4)
    return [Part(cloth, Material.ORGANIC), Part(steel, Material.METAL)]


def coins(rng: Random) -> list[Part]:
    """A few coins, some on top of each other."""
    sheets = []
    for _ in range(rng.randint(3, 6)):
        sheet, draw = _sheet(150, 130)
        radius, x, y = rng.randint(15, 21), rng.randint(35, 110), rng.randint(35, 95)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=150)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=200, width=4)
        sheets.append(Part(sheet, Material.METAL))
    return sheets


def keys(rng: Random) -> list[Part]:
    """Two or three keys on a ring."""
    sheet, draw = _sheet(240, 240)
    draw.ellipse((30, 90, 90, 150), outline=170, width=7)
    metal = sheet
    for _ in range(rng.randint(2, 3)):
        one, draw = _sheet(240, 240)
        draw.ellipse((62, 98, 106, 142), fill=150)
        draw.ellipse((70, 112, 82, 126), fill=0)
        draw.rectangle((100, 113, 190, 127), fill=160)
        for notch in range(4):
            x = 134 + notch * 14
            draw.rectangle((x, 127, x + 7, 127 + rng.randint(5, 12)), fill=160)
        turned = one.rotate(rng.uniform(-70, 70), Image.Resampling.BILINEAR, center=(66, 120))
        metal = Image.composite(turned, metal, turned.point(lambda value: 255 if value else 0))
    return [Part(metal, Material.METAL)]


CLUTTER: dict[str, Callable[[Random], list[Part]]] = {
    "a bottle": bottle,
    "a laptop": laptop,
    "a phone": phone,
    "a charging cable": cable,
    "a shoe": shoe,
    "a book": book,
    "an umbrella": umbrella,
    "some coins": coins,
    "a bunch of keys": keys,
}
"""What a caption calls it, to the function that draws one. Garments are laid separately, under everything."""
