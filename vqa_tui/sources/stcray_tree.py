"""The raw STCray tree: pictures, LabelMe files and captions in parallel folders, one folder per class."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import Box, GroundTruth, ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.record_truth import BadRecord, DroppedBox, list_of, make_box, sort_boxes, text_of, valid_text
from vqa_tui.sources.sidecar import BadSidecar, read_json_object, read_text_file
from vqa_tui.sources.splits import split_in_name
from vqa_tui.sources.stcray_labels import category_of, says_clean, says_several
from vqa_tui.sources.tree_walk import FoundPicture, JunkCount, sub_folders, visible_files, walk_pictures


class StcrayTreeSource:
    """`STCray_{Train,Test}Set/{Images,Json,Json_BB,Captions}/Class N_<Label>/<stem>.{jpg,json,json,txt}`.

    The path may be the folder of the sets or one set. Boxes are the rectangles of `Json_BB`; where that file is
    absent, the bounds of the polygons of `Json`. The categories are those that the labels of the boxes
    spell (as they stand they are `raw_categories` in `extra`, where one differs); a picture without boxes has the
    category of its class folder (the text after the first `_`); in `Non Threat` it is stated that there is nothing, and
    `Multilabel Threat` names no category. Directly in `Images`, nothing is known of it.
    The key is the picture's path, the split that of the set's name. An annotation without a picture is a problem.
    """

    def __init__(self, folder: Path, *, allow_outside: bool = False) -> None:
        self._contained = ContainedRoot(folder, allow_outside=allow_outside)
        self.root = self._contained.path
        if (self.root / "Images").is_dir():
            self._sets = [""]
        else:
            self._sets = [name for name in sub_folders(self.root) if (self.root / name / "Images").is_dir()]
        if not self._sets:
            raise VqaError(
                f"{folder} holds no STCray set: neither it nor a folder in it has a folder `Images`",
                hint="Expected e.g. STCray_TrainSet/Images/Class 10_Battery/*.jpg; plain pictures are kind `folder`.",
            )

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items set by set and class by class; see Source.records."""
        junk = JunkCount()
        for set_name in self._sets:
            split = split_in_name(set_name or self.root.name)
            base = f"{set_name}/" if set_name else ""
            for found in walk_pictures(self._contained, f"{base}Images", junk):
                if isinstance(found, ImportProblem):
                    yield found
                else:
                    yield from self._annotated(found, base, split)
            yield from self._annotations_without_picture(base)
        if problem := junk.problem():
            yield problem

    def _annotated(self, picture: FoundPicture, base: str, split: str | None) -> Iterator[SourceItem | ImportProblem]:
        inner = PurePosixPath(picture.path[len(f"{base}Images/") :])
        class_folder = inner.parts[0] if len(inner.parts) > 1 else ""
        try:
            boxes, dropped = self._boxes(base, inner)
            caption = self._caption(base, inner)
        except BadSidecar as error:
            yield ImportProblem(
                picture.path, error.where, f"{error.reason}; the picture is left out until it is repaired"
            )
            return
        for box in dropped:
            reason = f"shape {box.number} {box.reason}; the picture is imported without it"
            yield ImportProblem(f"{picture.path} shape {box.number}", picture.path, reason)
        label = class_folder.split("_", 1)[-1].strip()
        is_clean = says_clean(label)
        alone = (category_of(label),) if label and not is_clean and not says_several(label) else ()
        spelled = [box.label for box in boxes]
        boxes = tuple(box.model_copy(update={"label": category_of(box.label)}) for box in boxes)
        categories = tuple(box.label for box in boxes) or alone
        extra: dict[str, Any] = {"class_name": class_folder} if class_folder else {}
        if spelled != [box.label for box in boxes]:
            extra["raw_categories"] = spelled
        truth = GroundTruth(
            categories=categories,
            states_none=is_clean and not boxes and not dropped,
            boxes=boxes,
            captions=(caption,) if caption else (),
            extra=extra,
        )
        yield SourceItem(picture.path, picture.path, truth, split, picture.path)

    def _boxes(self, base: str, inner: PurePosixPath) -> tuple[tuple[Box, ...], tuple[DroppedBox, ...]]:
        for folder in ("Json_BB", "Json"):
            path = f"{base}{folder}/{inner.with_suffix('.json')}"
            if (self.root / path).is_file():
                record = read_json_object(self._contained, path)
                try:
                    return sort_boxes([_shape_box(shape) for shape in list_of(record, "shapes")])
                except BadRecord as error:
                    raise BadSidecar(path, error.reason) from error
        return (), ()

    def _caption(self, base: str, inner: PurePosixPath) -> str:
        path = f"{base}Captions/{inner.with_suffix('.txt')}"
        return read_text_file(self._contained, path) if (self.root / path).is_file() else ""

    def _annotations_without_picture(self, base: str) -> Iterator[ImportProblem]:
        folders = [self.root / base / name for name in ("Json_BB", "Json")]
        classes = sorted({name for folder in folders if folder.is_dir() for name in sub_folders(folder)})
        for class_name in classes:
            pictures = {Path(name).stem for name in visible_files(self.root / base / "Images" / class_name)}
            annotated = {name for folder in folders for name in visible_files(folder / class_name)}
            for name in sorted(annotated):
                if name.endswith(".json") and Path(name).stem not in pictures:
                    expected = valid_text(f"{base}Images/{class_name}/{Path(name).stem}.jpg")
                    where = valid_text(f"{class_name}/{name}")
                    yield ImportProblem(expected, where, f"is annotated, but there is no such picture: {expected}")


def _shape_box(shape: Any) -> Box | str:
    """Return the bounds of a LabelMe shape (two corners of a rectangle, or the points of a polygon)."""
    if not isinstance(shape, dict):
        return "is not an object"
    try:
        label, points = text_of(shape, "label").strip(), list_of(shape, "points")
    except BadRecord as error:
        return error.reason
    if len(points) < 2 or not all(isinstance(point, list) and len(point) == 2 for point in points):
        return "has no list of two or more [x, y] points"
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (*xs, *ys)):
        return "holds a coordinate that is not a number"
    return make_box(label, [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)])
