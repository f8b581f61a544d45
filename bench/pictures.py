"""What it costs to make one picture ready, against a full decode with LANCZOS, in CPU time of one thread.

    python bench/pictures.py [--rounds 7] [--json]

The pictures are drawn: noise at many scales, as photographs have it, so that a JPEG of 3000×2000 has about 2 MB. Each
row is measured in turn with its reference, several rounds, and the medians are compared: only the ratio means anything.
The reference opens the file with Pillow, decodes all of it, shrinks it by LANCZOS, writes a JPEG of the same quality
and base64; the product reads the file, prepares the picture and builds the whole request. "Difference" is the mean
absolute difference of the pixels before they are written as JPEG, in levels of 255, beside what writing the reference
as JPEG of quality 90 changes.
"""

import argparse
import base64
import hashlib
import io
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import PIL
from PIL import Image, ImageChops, ImageStat

from vqa_tui.config.endpoint import Endpoint, KeyConfig
from vqa_tui.config.recipe import PromptTemplates, Recipe, ReplyFormat
from vqa_tui.domain.item import PictureFacts
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.picture_cache import PictureCache
from vqa_tui.endpoints.pictures import KeptPictures, prepare_picture
from vqa_tui.sources.probe import probe

QUALITY = 90
MOST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One measured case; times are medians of CPU milliseconds."""

    case: str
    reference_ms: float
    product_ms: float
    ratio: float
    difference: float | None = None
    jpeg_difference: float | None = None


def drawn(width: int, height: int) -> Image.Image:
    """Return a picture with detail at every scale; always the same."""
    dice = random.Random(width)
    planes = []
    for _ in range(3):
        plane = Image.new("L", (width, height), 128)
        for scale in (256, 64, 16, 4, 2, 1):
            size = (max(width // scale, 2), max(height // scale, 2))
            layer = Image.frombytes("L", size, dice.randbytes(size[0] * size[1]))
            layer = layer.resize((width, height), Image.Resampling.BICUBIC)
            strength = {256: 0.8, 64: 0.5, 16: 0.3, 4: 0.15, 2: 0.08, 1: 0.04}[scale]
            shifted = layer.point([round((value - 128) * strength + 128) for value in range(256)])
            plane = ImageChops.add(plane, shifted, 1, -128)
        planes.append(plane)
    return Image.merge("RGB", planes)


def cpu_ms(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return (time.thread_time() - started) * 1000


def reference(path: Path, max_side: int | None) -> bytes:
    """Return the body as a plain script would build it."""
    image = reference_pixels(path, max_side)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return question(base64.b64encode(buffer.getvalue()).decode())


def reference_pixels(path: Path, max_side: int | None) -> Image.Image:
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    if max_side is None or max(rgb.size) <= max_side:
        return rgb
    scale = max_side / max(rgb.size)
    return rgb.resize((round(rgb.width * scale), round(rgb.height * scale)), Image.Resampling.LANCZOS)


def question(picture: str) -> bytes:
    url = {"url": f"data:image/jpeg;base64,{picture}"}
    content = [{"type": "image_url", "image_url": url}, {"type": "text", "text": "What is it?"}]
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}]}).encode()


def read_and_encode(path: Path) -> bytes:
    return question(base64.b64encode(path.read_bytes()).decode())


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    return statistics.mean(ImageStat.Stat(ImageChops.difference(one, other)).mean)


class Product:
    """What the engine does with one picture, by the product's own parts."""

    def __init__(self) -> None:
        recipe = Recipe(
            name="r", prompt=PromptTemplates(user="What is it?"), reply=ReplyFormat(kind="text", question="?")
        )
        endpoint = Endpoint(name="e", base_url="http://127.0.0.1:1/v1", model="m", keys=(KeyConfig(name="a"),))
        self._body = RequestBody(recipe, endpoint)

    def body(self, path: Path, facts: PictureFacts, max_side: int | None, cache: KeptPictures | None = None) -> bytes:
        picture = prepare_picture(
            path, facts, max_side=max_side, jpeg_quality=QUALITY, max_bytes=MOST_BYTES, formats=("JPEG",), cache=cache
        )
        return self._body.build("", "What is it?", picture)

    def pixels(self, path: Path, facts: PictureFacts, max_side: int | None) -> Image.Image:
        """Return what is prepared, through a format that loses nothing."""
        picture = prepare_picture(
            path, facts, max_side=max_side, jpeg_quality=QUALITY, max_bytes=10**9, formats=("PNG",)
        )
        with Image.open(io.BytesIO(picture.data)) as image:
            return image.convert("RGB")


def compared(case: str, rounds: int, theirs: Callable[[], object], ours: Callable[[], object]) -> Row:
    """Measure both in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        times[0].append(cpu_ms(theirs))
        times[1].append(cpu_ms(ours))
    them, us = statistics.median(times[0]), statistics.median(times[1])
    return Row(case, round(them, 2), round(us, 2), round(us / them, 3))


def measure(folder: Path, rounds: int) -> list[Row]:
    product, rows = Product(), list[Row]()
    cache = PictureCache(folder / "cache", 2**30)

    def row(case: str, path: Path, max_side: int | None, *, cached: bool = False, changed: bool = True) -> None:
        facts = probe(path)
        kept = cache if cached else None
        if cached:
            product.body(path, facts, max_side, cache)
        found = compared(
            case,
            rounds,
            lambda: reference(path, max_side) if changed else read_and_encode(path),
            lambda: product.body(path, facts, max_side, kept),
        )
        difference = jpeg = None
        if changed and not cached:
            wanted = reference_pixels(path, max_side)
            difference = round(mean_difference(product.pixels(path, facts, max_side), wanted), 2)
            buffer = io.BytesIO()
            wanted.save(buffer, "JPEG", quality=QUALITY)
            with Image.open(buffer) as written:
                jpeg = round(mean_difference(written.convert("RGB"), wanted), 2)
        rows.append(Row(case, found.reference_ms, found.product_ms, found.ratio, difference, jpeg))

    large = drawn(3000, 2000)
    large.save(folder / "large.jpg", quality=88)
    for side in (768, 1024, 1536):
        row(f"3000×2000 JPEG to {side}", folder / "large.jpg", side)
    exif = Image.Exif()
    exif[0x0112] = 6
    large.save(folder / "sideways.jpg", quality=88, exif=exif)
    # Pillow's convert leaves the orientation alone, so the reference of this row does less than it should.
    facts = probe(folder / "sideways.jpg")
    rows.append(
        compared(
            "3000×2000 JPEG on its side to 768",
            rounds,
            lambda: reference(folder / "sideways.jpg", 768),
            lambda: product.body(folder / "sideways.jpg", facts, 768),
        )
    )
    drawn(800, 600).save(folder / "small.jpg", quality=88)
    row("800×600 JPEG to 768", folder / "small.jpg", 768)
    row("800×600 JPEG to 512", folder / "small.jpg", 512)
    huge = drawn(6000, 4000)
    huge.save(folder / "huge.jpg", quality=88)
    row("6000×4000 JPEG to 768", folder / "huge.jpg", 768)
    huge.save(folder / "huge.png", compress_level=1)
    row("6000×4000 PNG to 768", folder / "huge.png", 768)
    see_through = huge.copy()
    see_through.putalpha(huge.getchannel("R"))
    see_through.save(folder / "alpha.png", compress_level=1)
    facts_of_alpha = probe(folder / "alpha.png")
    rows.append(
        compared(
            "6000×4000 PNG with alpha to 768",
            rounds,
            lambda: reference(folder / "alpha.png", 768),
            lambda: product.body(folder / "alpha.png", facts_of_alpha, 768),
        )
    )
    row("3000×2000 JPEG to 768, from the cache", folder / "large.jpg", 768, cached=True)
    row("6000×4000 PNG to 768, from the cache", folder / "huge.png", 768, cached=True)
    row("800×600 JPEG as it is (the reference only reads and encodes)", folder / "small.jpg", None, changed=False)
    row("3000×2000 JPEG as it is (the reference only reads and encodes)", folder / "large.jpg", None, changed=False)
    data = (folder / "large.jpg").read_bytes()
    hashed = round(statistics.median(cpu_ms(lambda: hashlib.sha256(data).digest()) for _ in range(rounds)), 2)
    print(f"sha256 of {len(data) / 1e6:.1f} MB: {hashed} ms; Pillow {PIL.__version__}", file=sys.stderr)
    return rows


def as_markdown(rows: list[Row]) -> str:
    lines = [
        "| picture | full decode + LANCZOS, ms | the product, ms | ratio | difference | of JPEG 90 itself |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        differences = ("–" if value is None else f"{value:.2f}" for value in (row.difference, row.jpeg_difference))
        lines.append(
            f"| {row.case} | {row.reference_ms:.2f} | {row.product_ms:.2f} | {row.ratio:.3f} | "
            f"{' | '.join(differences)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = measure(Path(name), arguments.rounds)
    print(json.dumps([asdict(row) for row in rows], ensure_ascii=False) if arguments.json else as_markdown(rows))


if __name__ == "__main__":
    main()
