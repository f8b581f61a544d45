"""VQA v2: questions and annotations joined by question, whatever order and gaps they have."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.registry import open_source
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]
SHARED = Path(__file__).parents[3] / "shared" / "data"
QUESTIONS = "v2_OpenEnded_mscoco_val2014_questions.json"
ANNOTATIONS = "v2_mscoco_val2014_annotations.json"


def read(
    path: Path, scratch: SqliteScratch, images: Path | None = None
) -> tuple[dict[str, SourceItem], list[ImportProblem]]:
    found = list(open_source("vqa-v2", path, images=images).records(scratch))
    items = {record.key: record for record in found if isinstance(record, SourceItem)}
    assert len(items) == sum(isinstance(record, SourceItem) for record in found), "a picture was yielded twice"
    return items, [record for record in found if isinstance(record, ImportProblem)]


def write(folder: Path, questions: list[Any], annotations: list[Any] | None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / QUESTIONS
    path.write_text(json.dumps({"data_subtype": "val2014", "questions": questions}))
    if annotations is not None:
        (folder / ANNOTATIONS).write_text(json.dumps({"annotations": annotations}))
    return path


def asked(number: int, image: int = 1, question: str = "What is it?") -> dict[str, Any]:
    return {"image_id": image, "question": question, "question_id": number}


def answered(number: int, answer: Any = "a cat", **more: Any) -> dict[str, Any]:
    return {"question_id": number, "multiple_choice_answer": answer, "answer_type": "other", **more}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample data is absent")
def test_the_sample_over_the_coco_pictures(scratch: SqliteScratch) -> None:
    path = SHARED / "synthetic" / "v2_OpenEnded_questions.sample.json"
    questions = json.loads(path.read_bytes())["questions"]
    items, problems = read(path, scratch, SHARED / "coco")
    assert problems == []
    assert len(items) == len({question["image_id"] for question in questions})
    assert sum(len(item.truth.questions) for item in items.values()) == len(questions)
    letter = items["sample2017/58636"]
    assert (letter.path, letter.truth.questions[0].answer) == ("images/000000058636.jpg", "p")
    assert len(letter.truth.extra["rows"][0]["answers"]) == 10


def test_answers_find_their_questions_and_questions_their_picture(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("set/val2014/COCO_val2014_000000000001.jpg")
    make_picture("set/images/000000000002.jpg")
    votes = [{"answer": word, "answer_id": number} for number, word in enumerate(["red", "blue", "blue"])]
    write(
        tmp_path / "set",
        [asked(10), asked(20, 2, "How many?"), asked(11, 1, "Which colour?"), asked(12, 1, "Unanswered?")],
        [answered(11, None, answers=votes), answered(20, 2), answered(10, question_type="what is")],
    )
    items, problems = read(tmp_path / "set", scratch)
    first, second = items["val2014/1"], items["val2014/2"]
    assert [(each.question, each.answer, each.question_type) for each in first.truth.questions] == [
        ("What is it?", "a cat", "what is"),
        ("Which colour?", "blue", ""),
    ]
    assert [row["question_id"] for row in first.truth.extra["rows"]] == [10, 11, 12]
    assert second.truth.questions[0].answer == "2"
    assert {item.split for item in items.values()} == {"val"}
    assert [problem.reason for problem in problems] == [
        f"1 of 4 questions have no answer in {ANNOTATIONS}; the first is question_id 12"
    ]


def test_without_annotations_the_questions_are_kept_and_it_is_said_once(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("000000000001.jpg")
    items, (problem,) = read(write(tmp_path, [asked(10), asked(11)], None), scratch)
    assert items["val2014/1"].truth.questions == ()
    assert [row["question"] for row in items["val2014/1"].truth.extra["rows"]] == ["What is it?"] * 2
    assert "2 of 2 questions have no answer as there is no file of annotations" in problem.reason


def test_annotations_that_no_question_takes_are_told(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("000000000001.jpg")
    annotations = [answered(10), answered(77), answered(10, "a dog"), answered(78), answered(77), answered(79, ["x"])]
    items, problems = read(write(tmp_path, [asked(10)], annotations), scratch)
    assert items["val2014/1"].truth.questions[0].answer == "a cat"
    assert [problem.reason for problem in problems] == [
        "`multiple_choice_answer` is a list, not text",
        f"3 annotations are to no question of {QUESTIONS}; the first is annotation 2 (question_id 77)",
        "1 annotation has the question_id of an earlier one, which counts",
    ]


def test_what_is_wrong_is_said_with_file_and_row(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("000000000001.jpg")
    questions = [asked(10), asked(10), {"image_id": 1}, asked(13, 9), {**asked(14), "image_id": "../../x"}, 5]
    path = write(tmp_path, questions, [answered(10), answered(13), "x", {"answers": 3}])
    items, problems = read(path, scratch)
    assert len(items) == 1
    reasons = {problem.where: problem.reason for problem in problems}
    assert f"of {QUESTIONS} question 1; the first one counts" in reasons[f"{QUESTIONS} question 2"]
    assert reasons[f"{QUESTIONS} question 3"] == "has no `question_id`"
    assert reasons[f"{QUESTIONS} question 4"].startswith("no such picture in")
    assert reasons[f"{QUESTIONS} question 5"] == "`image_id` ../../x is not a number of COCO"
    assert reasons[f"{QUESTIONS} question 6"] == "is a number, not an object"
    assert reasons[f"{ANNOTATIONS} annotation 3"] == "is text, not an object"
    assert reasons[f"{ANNOTATIONS} annotation 4"] == "has no `question_id`"


def test_other_files_are_refused(tmp_path: Path, scratch: SqliteScratch) -> None:
    with pytest.raises(VqaError, match="holds no file of questions"):
        read(tmp_path, scratch)
    (tmp_path / QUESTIONS).write_text("[]")
    with pytest.raises(VqaError, match="must be one JSON object"):
        read(tmp_path, scratch)
    (tmp_path / QUESTIONS).write_text('{"questions": [{"question_id": 1,')
    with pytest.raises(VqaError, match="is not valid JSON: line 1"):
        read(tmp_path, scratch)


def test_memory_does_not_grow_with_the_file(tmp_path: Path, make_picture: MakePicture) -> None:
    def peak(number: int) -> int:
        folder = tmp_path / str(number)
        for image in range(1, number // 10 + 1):
            (folder / "images").mkdir(parents=True, exist_ok=True)
            (folder / "images" / f"{image:012}.jpg").write_bytes(b"")
        votes = [{"answer": "a cat", "answer_id": each} for each in range(10)]
        ids = range(number)
        write(
            folder,
            [asked(each, each % (number // 10) + 1) for each in ids],
            [answered(each, answers=votes) for each in ids],
        )
        tracemalloc.start()
        try:
            with SqliteScratch() as scratch:
                found = sum(isinstance(each, SourceItem) for each in open_source("vqa-v2", folder).records(scratch))
                assert found == number // 10
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1_000)
    assert peak(8_000) < peak(4_000) * 1.3
