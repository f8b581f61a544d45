"""From thickness to colour: how a dual-energy scanner paints what X-rays pass through."""

from dataclasses import dataclass
from enum import Enum

from PIL import Image, ImageChops, ImageFilter, ImageOps

SUPERSAMPLING = 2
"""Objects are drawn this many times larger than in a 640-pixel picture and reduced, which smooths their edges."""


class Material(Enum):
    """Pseudo-colours at half and at full absorption: light stuff is orange, mixed green, metal blue to black."""

    ORGANIC = ((244, 172, 82), (148, 78, 12))
    PLASTIC = ((250, 198, 120), (190, 110, 30))
    MIXED = ((122, 190, 112), (28, 92, 44))
    METAL = ((88, 128, 205), (14, 24, 78))
    DENSE = ((52, 70, 140), (6, 8, 26))


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of an object: a map of thickness (mode L, 0 is nothing, 255 absorbs most) and what it is made of."""

    thickness: Image.Image
    material: Material


def transmittance(part: Part) -> Image.Image:
    """Return the RGB light that comes through; multiplying it onto the scene is Beer and Lambert's law of overlap."""
    half, full = part.material.value
    return ImageOps.colorize(part.thickness, black=(255, 255, 255), mid=half, white=full)


@dataclass(frozen=True, slots=True)
class Stamp:
    """An object in the size and rotation in which it lies in the bag."""

    light: Image.Image
    """RGB, white where there is nothing."""
    mask: Image.Image
    """Mode L of the same size: not 0 exactly where the object darkens the picture."""


LEAST_VISIBLE = 24
"""Thickness from which a pixel belongs to the object; below, only a blurred edge is left."""


def make_stamp(
    parts: list[Part], angle: float, scale: float, softness: float = 0.6, least_visible: int = LEAST_VISIBLE
) -> Stamp:
    """Rotate the parts together by `angle` degrees, bring them to picture pixels and trim what is empty.

    `scale` is picture pixels per pixel of the parts, `softness` the blur of edges in picture pixels.
    The trimmed extent is that of thicknesses from `least_visible` on. Raises ValueError when nothing is visible.
    """
    threshold = [255 if thickness >= least_visible else 0 for thickness in range(256)]
    light, mask = None, None
    for part in parts:
        turned = part.thickness.rotate(angle, Image.Resampling.BILINEAR, expand=True)
        size = (max(round(turned.width * scale), 1), max(round(turned.height * scale), 1))
        small = turned.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
        if softness:
            small = small.filter(ImageFilter.BoxBlur(softness))
        shown = transmittance(Part(small, part.material))
        light = shown if light is None else ImageChops.multiply(light, shown)
        visible = small.point(threshold)
        mask = visible if mask is None else ImageChops.lighter(mask, visible)
    if light is None or mask is None:
        raise ValueError("an object needs at least one part")
    box = mask.getbbox()
    if box is None:
        raise ValueError("the object is too thin to be seen")
    return Stamp(light.crop(box), mask.crop(box))
