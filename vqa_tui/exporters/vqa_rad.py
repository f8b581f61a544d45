"""The JSON object of the VQA-RAD enhancement: by MD5 of the decoded pixels, reference and descriptive answers."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.exporters.placed import PlacedPicture, decoded_md5


def vqa_rad_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one member of the object: the hash, and what belongs to the picture.

    `original_answer` is the dataset's own answer to the same question, '' where it has none. `split` is the side of
    the export's split, else the one that the dataset gives the picture, else `train`. Raises VqaError when the picture
    cannot be decoded.
    """
    picture = placed.picture
    digest, size = decoded_md5(placed.file)
    split = placed.part if placed.part != "all" else picture.split or "train"
    reference = {_plain(known.question): known.answer for known in reversed(picture.truth.questions)}
    yield {
        digest: {
            "image_info": {"size": list(size), "split": split},
            "image_path": placed.path,
            "qa_pairs": [
                {
                    "question": neutralised(pair.question),
                    "original_answer": neutralised(reference.get(_plain(pair.question), "")),
                    "descriptive_answer": neutralised(pair.answer),
                    "split": split,
                }
                for pair in picture.pairs
            ],
        }
    }


def _plain(question: str) -> str:
    return " ".join(question.split()).casefold()
