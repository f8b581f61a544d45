"""Every format is read back as it was written: pictures, questions and answers, whatever signs are in them."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.exporters.written import pictures_with_pairs, raw_records, read_back, write_export
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import GroundTruth, ReferenceQuestion
from vqa_tui.exporters.dataset_info import DATASET_INFO
from vqa_tui.exporters.formats import FORMATS, Grouping, Naming
from vqa_tui.exporters.layouts import CsvTable, JsonDocument, JsonLines, JsonList, JsonObject, Layout
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.placed import decoded_md5
from vqa_tui.exporters.table_reading import table_entries
from vqa_tui.exporters.validation import validate_export
from vqa_tui.exporters.validation_report import ProblemKind
from vqa_tui.exporters.writing import refuse_foreign_files
from vqa_tui.sources.picture_shelf import PictureShelf


@pytest.mark.parametrize(
    ("form", "grouped"),
    [(name, grouped) for name, known in FORMATS.items() for grouped in (False, True) if known.can_group or not grouped],
)
def test_what_is_written_is_read_back(form: str, grouped: bool, tmp_path: Path) -> None:
    known = FORMATS[form]
    pictures = pictures_with_pairs(tmp_path)
    out = tmp_path / f"x{known.suffix}"
    use = PictureUse.INLINE if known.naming is Naming.INLINE else PictureUse.IN_PLACE
    write_export(out, form, pictures, grouped=grouped, use=use)
    records = read_back(out, form)
    assert [record.faults for record in records] == [[] for _ in records]
    assert {record.format for record in records} == {form}
    together = grouped or known.grouping is Grouping.TOGETHER
    assert len(records) == (3 if together else 6)
    # Readers of conversations take the white space around a question away, together with its tag.
    assert [(question.strip(), answer) for record in records for question, answer in record.pairs] == [
        (pair.question.strip(), pair.answer) for picture in pictures for pair in picture.pairs
    ]
    named = [picture.path for picture in pictures for _ in range(1 if together else 2)]
    if use is PictureUse.IN_PLACE:
        assert [Path(image).name for record in records for image in record.images] == named
    report = validate_export(out)
    assert report.ok, report.problems
    assert (report.stats.formats, report.stats.pairs, report.stats.pictures) == ((form,), 6, 3)


@pytest.mark.parametrize("layout", [JsonLines, JsonList, JsonObject, lambda: JsonDocument({"a": 1}, "list")])
def test_a_layout_without_records_is_whole(layout: type[Layout]) -> None:
    text = layout().end()
    assert not text or json.loads(text) in ([], {}, {"a": 1, "list": []})
    assert CsvTable(("a", "b")).end() == b"a,b\r\n"


def test_equal_pixels_do_not_lose_pairs(tmp_path: Path) -> None:
    """A JSON object holds each key once: a second file with the same pixels gets a key of its own."""
    pictures = pictures_with_pairs(tmp_path, 2)
    Image.open(tmp_path / "pictures" / pictures[0].path).save(tmp_path / "pictures" / pictures[1].path, "BMP")
    out = tmp_path / "x.json"
    write_export(out, "vqa-rad-enhanced", pictures)
    digest, size = decoded_md5(tmp_path / "pictures" / pictures[0].path)
    found = json.loads(out.read_text("utf-8"))
    assert list(found) == [digest, f"{digest}-2"]
    assert found[digest]["image_info"] == {"size": list(size), "split": "train"}
    assert [pair["original_answer"] for pair in found[digest]["qa_pairs"]] == ["", "red"]
    assert validate_export(out).ok


def test_questions_keep_the_split_that_the_dataset_gives_them(tmp_path: Path) -> None:
    """VQA-RAD asks test questions about pictures that train questions are about, too."""
    picture = pictures_with_pairs(tmp_path, 1)[0]
    asked = [
        ReferenceQuestion(question=question, answer="red", split=split)
        for question, split in ((picture.pairs[0].question, "train"), ("What colour is it?", "test"))
    ]
    out = tmp_path / "x.json"
    write_export(out, "vqa-rad-enhanced", [replace(picture, truth=GroundTruth(questions=tuple(asked)))])
    (found,) = json.loads(out.read_text("utf-8")).values()
    assert [pair["split"] for pair in found["qa_pairs"]] == ["train", "test"]
    assert found["image_info"]["split"] == "mixed"
    write_export(
        out, "vqa-rad-enhanced", [replace(picture, truth=GroundTruth(questions=tuple(asked[1:])), split="test")]
    )
    (found,) = json.loads(out.read_text("utf-8")).values()
    assert {pair["split"] for pair in found["qa_pairs"]} == {found["image_info"]["split"]} == {"test"}


def test_numbers_of_the_dataset_come_back_and_none_stands_twice(tmp_path: Path) -> None:
    """VQA v2 keeps them in its rows, COCO as `id`; the parts of STCray are each counted from 0."""
    own = {"rows": [{"image_id": 42, "question_id": 42007, "question": "what  colour is it?"}]}
    extras = [own, {"id": 9, "file_name": "9.jpg"}, {"image_id": "0"}, {"image_id": 0}, {"image_id": True}]
    pictures = [
        replace(picture, truth=GroundTruth(extra=extra))
        for picture, extra in zip(pictures_with_pairs(tmp_path, 5), extras, strict=True)
    ]
    out = tmp_path / "x.json"
    write_export(out, "vqa-v2", pictures)
    questions = json.loads(out.read_text("utf-8"))["questions"]
    assert [question["image_id"] for question in questions[::2]] == [42, 9, 0, 4, 5]
    ids = [question["question_id"] for question in questions]
    assert ids == [42000, 42007, 9000, 9001, 0, 1, 4000, 4001, 5000, 5001]
    annotations = json.loads((tmp_path / "x.annotations.json").read_text("utf-8"))["annotations"]
    assert [(each["image_id"], each["question_id"]) for each in annotations] == [
        (each["image_id"], each["question_id"]) for each in questions
    ]
    assert validate_export(out).ok


def test_a_picture_that_lies_on_its_side_is_known_by_its_upright_pixels(tmp_path: Path) -> None:
    """The import of Hugging Face files names it so as well."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.linear_gradient("L").resize((30, 20)).save(tmp_path / "side.jpg", exif=exif)
    name = PictureShelf(tmp_path, "kept").keep_pixels((tmp_path / "side.jpg").read_bytes())
    digest, size = decoded_md5(tmp_path / "side.jpg")
    assert (name, size) == (f"kept/image_md5_{digest}.png", (20, 30))


def test_vqa_v2_files_belong_together(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    files = write_export(out, "vqa-v2", pictures_with_pairs(tmp_path))
    assert [(file.name, file.role) for file in files] == [
        ("x.json", ""),
        ("x.annotations.json", "annotations"),
        ("x.results.json", "results"),
    ]
    questions = json.loads(out.read_text("utf-8"))["questions"]
    annotations = json.loads((tmp_path / "x.annotations.json").read_text("utf-8"))["annotations"]
    results = json.loads((tmp_path / "x.results.json").read_text("utf-8"))
    ids = [question["question_id"] for question in questions]
    assert ids == [1000, 1001, 2000, 2001, 3000, 3001]
    assert ids == [each["question_id"] for each in annotations] == [each["question_id"] for each in results]
    # The score of the evaluation, min(equal answers of others / 3, 1): what was exported must get all of it.
    for annotation, result in zip(annotations, results, strict=True):
        equal = [each for each in annotation["answers"] if each["answer"] == result["answer"]]
        assert min((len(equal) - 1) / 3, 1) == 1
    reordered = {"annotations": list(reversed(annotations))}
    (tmp_path / "x.annotations.json").write_text(json.dumps(reordered), "utf-8")
    assert [problem.kind for problem in validate_export(out).problems] == [], "only the questions are checked"
    kinds = {problem.kind for problem in validate_export(tmp_path / "x.json.manifest.json").problems}
    assert kinds == {ProblemKind.MANIFEST}
    (tmp_path / "x.annotations.json").write_text(json.dumps({"annotations": annotations[1:]}), "utf-8")
    (problem,) = validate_export(out).problems
    assert "no annotation has its `question_id`" in problem.message


def test_the_registry_of_llama_factory_keeps_what_others_wrote(tmp_path: Path) -> None:
    info = tmp_path / DATASET_INFO
    info.write_text('{"alpaca": {"file_name": "alpaca.json"}}', "utf-8")
    pictures = pictures_with_pairs(tmp_path)
    write_export(tmp_path / "x.json", "sharegpt", pictures)
    write_export(tmp_path / "y.json", "sharegpt", pictures)
    known = json.loads(info.read_text("utf-8"))
    assert list(known) == ["alpaca", "x", "y"]
    assert (known["y"]["file_name"], known["y"]["formatting"]) == ("y.json", "sharegpt")
    assert known["y"]["columns"] == {"messages": "messages", "images": "images"}
    info.write_text('{"x": {"file_name": "x.json", "formatting": "alpaca"}}', "utf-8")
    (problem,) = validate_export(tmp_path / "x.json").problems
    assert "does not say `formatting: sharegpt`" in problem.message
    info.write_text('{"x": {"file_name": "other.json"}}', "utf-8")
    with pytest.raises(VqaError, match="has another dataset named x"):
        write_export(tmp_path / "x.json", "sharegpt", pictures)
    info.write_text("[1]", "utf-8")
    with pytest.raises(VqaError, match="is no JSON object of datasets"):
        write_export(tmp_path / "z.json", "sharegpt", pictures)
    assert not (tmp_path / "z.json").exists()


def test_model_garden_names_absolute_paths_or_holds_the_picture(tmp_path: Path) -> None:
    pictures = pictures_with_pairs(tmp_path)
    out = tmp_path / "x.jsonl"
    for use in (PictureUse.IN_PLACE, PictureUse.COPY):
        write_export(out, "model-garden", pictures, use=use)
        assert all(Path(record["image"]).is_absolute() for record in raw_records(out))
        assert all(Path(record["image"]).is_file() for record in raw_records(out))
    write_export(out, "model-garden", pictures, use=PictureUse.INLINE)
    assert all(record["image"].startswith("data:image/png;base64,") for record in raw_records(out))
    assert validate_export(out).ok


@pytest.mark.parametrize(("kind", "mode"), [("GIF", "P"), ("BMP", "RGB"), ("TIFF", "CMYK"), ("TIFF", "I;16")])
def test_a_picture_that_no_data_uri_may_be_is_written_as_png(kind: str, mode: str, tmp_path: Path) -> None:
    """One TIFF must not keep all answers of a run from OpenAI's trainer, which takes no GIF either."""
    (picture,) = pictures_with_pairs(tmp_path, 1)
    Image.new(mode, (20, 10)).save(tmp_path / "pictures" / picture.path, kind)
    out = tmp_path / "x.jsonl"
    write_export(out, "openai-ft", [picture], use=PictureUse.INLINE)
    assert validate_export(out).ok
    assert "data:image/png;base64," in out.read_text("utf-8")
    Image.new("F", (20, 10)).save(tmp_path / "pictures" / picture.path, "TIFF")
    with pytest.raises(VqaError, match="pixels of the kind F"):
        write_export(out, "model-garden", [picture], use=PictureUse.INLINE)


@pytest.mark.parametrize(
    ("kind", "mode", "written_as"),
    [
        ("JPEG", "L", "jpeg"),
        ("JPEG", "CMYK", "jpeg"),
        ("PNG", "P", "png"),
        ("PNG", "LA", "png"),
        ("PNG", "I;16", "png"),
    ],
)
def test_openai_is_given_nothing_but_rgb(kind: str, mode: str, written_as: str, tmp_path: Path) -> None:
    """A scan in grey, as in most medical datasets, would be refused (OpenAI, vision fine-tuning guide)."""
    (picture,) = pictures_with_pairs(tmp_path, 1)
    file = tmp_path / "pictures" / picture.path
    Image.new(mode, (20, 10)).save(file, kind)
    out = tmp_path / "x.jsonl"
    write_export(out, "openai-ft", [picture], use=PictureUse.INLINE)
    uri = raw_records(out)[0]["messages"][0]["content"][0]["image_url"]["url"]
    head, data = uri.split(",", 1)
    assert head == f"data:image/{written_as};base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as written:
        assert (written.mode, written.size) == ("RGB", (20, 10))
    assert validate_export(out).ok
    as_it_is = base64.b64encode(file.read_bytes()).decode("ascii")
    out.write_text(out.read_text("utf-8").replace(data, as_it_is), "utf-8")
    report = validate_export(out)
    assert any(
        f"has pixels of the kind {mode}; its reader takes RGB and RGBA" in each.message for each in report.problems
    )


@pytest.mark.parametrize("use", [PictureUse.COPY, PictureUse.LINK])
def test_copies_and_links_stand_beside_the_file(use: PictureUse, tmp_path: Path) -> None:
    pictures = pictures_with_pairs(tmp_path)
    out = tmp_path / "x.jsonl"
    for _ in range(2):
        write_export(out, "qwen", pictures, use=use)
    named = [record["image"] for record in raw_records(out)]
    assert named[0] == f"x.pictures/{pictures[0].sha256[:2]}/{pictures[0].sha256}.png"
    assert all((tmp_path / name).samefile(tmp_path / "pictures" / pictures[n // 2].path) is (use is PictureUse.LINK)
               for n, name in enumerate(named))  # fmt: skip
    assert len([path for path in (tmp_path / "x.pictures").rglob("*") if path.is_file()]) == 3
    assert validate_export(out).ok


def test_links_that_lead_nowhere_are_made_anew_and_copies_take_their_place(tmp_path: Path) -> None:
    pictures = pictures_with_pairs(tmp_path, 1)
    target = tmp_path / "x.pictures" / pictures[0].sha256[:2] / f"{pictures[0].sha256}.png"
    target.parent.mkdir(parents=True)
    target.symlink_to(tmp_path / "nowhere.png")
    write_export(tmp_path / "x.jsonl", "qwen", pictures, use=PictureUse.LINK)
    assert target.samefile(tmp_path / "pictures" / pictures[0].path)
    target.unlink()
    target.symlink_to(tmp_path / "pictures" / pictures[0].path)
    write_export(tmp_path / "x.jsonl", "qwen", pictures, use=PictureUse.COPY)
    assert target.is_file() and not target.is_symlink()


def test_a_name_that_the_trainer_has_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VqaError, match="cannot be one itself"):
        refuse_foreign_files(tmp_path / DATASET_INFO, ("all",), FORMATS["sharegpt"])


def test_a_table_is_known_by_its_header_whatever_its_name(tmp_path: Path) -> None:
    write_export(tmp_path / "x.txt", "csv", pictures_with_pairs(tmp_path))
    assert validate_export(tmp_path / "x.txt").stats.formats == ("csv",)


def test_rows_that_a_spreadsheet_would_run_are_counted_and_written_as_they_are() -> None:
    table = CsvTable(("a", "b"))
    rows = [{"a": "=1+1", "b": "@x"}, {"a": "x", "b": "-5"}, {"a": "x=", "b": "1-2"}]
    written = b"".join(map(table.record, rows))
    assert written == b"a,b\r\n=1+1,@x\r\nx,-5\r\nx=,1-2\r\n"
    assert table.formulas == 2


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2))
def test_a_table_keeps_every_sign(texts: list[str]) -> None:
    table = CsvTable(("question", "answer"))
    record = dict(zip(("question", "answer"), texts, strict=True))
    assert [entry.record for entry in table_entries(io.BytesIO(table.record(record) + table.end()))] == [record]


@pytest.mark.parametrize("use", [PictureUse.COPY, PictureUse.LINK])
def test_a_failed_export_takes_its_copies_away(use: PictureUse, tmp_path: Path) -> None:
    pictures = pictures_with_pairs(tmp_path)
    last = tmp_path / "pictures" / pictures[-1].path
    for spoil, words in ((lambda: last.write_bytes(b"other"), "has changed since"), (last.unlink, "cannot be read")):
        spoil()
        with pytest.raises(VqaError, match=words):
            write_export(tmp_path / "x.jsonl", "qwen", pictures, use=use)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["pictures"]
