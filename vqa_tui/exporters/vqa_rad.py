"""The JSON object of the VQA-RAD enhancement: by MD5 of the decoded pixels, reference and descriptive answers."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.exporters.placed import PlacedPicture, decoded_md5


def vqa_rad_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one member of the object: the hash, and what belongs to the picture.

    `original_answer` is the dataset's own answer to the same question, '' where it has none: that of the reference pair
    that was asked about, else of the first with this question. `split` is the side of the export's split, else the one
    that the dataset gives the question or the picture, else `train`; a picture whose pairs are of several has `mixed`,
    so that no reader of whole pictures trains on test questions. Raises VqaError when the picture cannot be decoded.
    """
    picture = placed.picture
    digest, size = decoded_md5(placed.file)
    known = [picture.truth.reference(pair.part, pair.question) for pair in picture.pairs]
    if placed.part != "all":
        splits = [placed.part] * len(known)
    else:
        splits = [(each.split if each else None) or picture.split or "train" for each in known]
    yield {
        digest: {
            "image_info": {"size": list(size), "split": splits[0] if len(set(splits)) == 1 else "mixed"},
            "image_path": placed.path,
            "qa_pairs": [
                {
                    "question": neutralised(pair.question),
                    "original_answer": neutralised(each.answer if each else ""),
                    "descriptive_answer": neutralised(pair.answer),
                    "split": split,
                }
                for pair, each, split in zip(picture.pairs, known, splits, strict=True)
            ],
        }
    }
