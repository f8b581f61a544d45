"""The JSON object of the VQA-RAD enhancement: by MD5 of the decoded pixels, reference and descriptive answers."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun, ExportPair
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.exporters.placed import PlacedPicture, decoded_md5


def vqa_rad_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one member of the object: the hash, and what belongs to the picture.

    `original_answer` is the dataset's own answer to the same question, '' where it has none: that of the reference pair
    that was asked about, else of the first with this question. `split` of the picture is the side of the export's
    split, else the one that the dataset gives it, else `train`; that of a pair is its own where the dataset splits by
    question. Raises VqaError when the picture cannot be decoded.
    """
    picture = placed.picture
    digest, size = decoded_md5(placed.file)
    split = placed.part if placed.part != "all" else picture.split or "train"
    yield {
        digest: {
            "image_info": {"size": list(size), "split": split},
            "image_path": placed.path,
            "qa_pairs": [_pair(pair, placed, split) for pair in picture.pairs],
        }
    }


def _pair(pair: ExportPair, placed: PlacedPicture, split: str) -> dict[str, str]:
    known = placed.picture.truth.reference(pair.part, pair.question)
    own = known.split if known is not None and placed.part == "all" else None
    return {
        "question": neutralised(pair.question),
        "original_answer": neutralised("" if known is None else known.answer),
        "descriptive_answer": neutralised(pair.answer),
        "split": own or split,
    }
