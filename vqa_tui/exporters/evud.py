"""The JSON list of EVUD: one conversation for each picture or clip, and its pairs by category beside it."""

from collections.abc import Iterator
from typing import Any

from vqa_tui.domain.export import ExportedRun
from vqa_tui.exporters.conversation import conversation
from vqa_tui.exporters.media_tags import neutralised
from vqa_tui.exporters.placed import PlacedPicture

_PASSED_ON = (
    "ego4d_video_uid",
    "ego4d_clip_uid",
    "ego4d_annotation_uid",
    "ego4d_language_query_index",
    "duration_(s)",
)
_CHECKED_BY_HAND = ("accepted", "edited")


def evud_records(placed: PlacedPicture, run: ExportedRun, grouped: bool) -> Iterator[dict[str, Any]]:
    """Yield one record for the picture or clip, with ids counted from 0.

    What the dataset says of the clip (Ego4D's ids, the duration in seconds) is given back. `human_annotated` is true
    where a reviewer accepted or edited every pair. Names keep their case in the tuples.
    """
    picture = placed.picture
    yield {
        "id": placed.number,
        placed.medium: placed.path,
        **{key: picture.truth.extra[key] for key in _PASSED_ON if key in picture.truth.extra},
        "human_annotated": all(pair.verdict in _CHECKED_BY_HAND for pair in picture.pairs),
        "conversations": conversation(picture.pairs, placed.medium),
        "category_question_answer_tuples": [
            {
                "category": pair.question_type,
                "question": neutralised(pair.question),
                "short answer": neutralised(pair.answer),
            }
            for pair in picture.pairs
        ],
    }
