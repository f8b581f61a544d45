"""Labels hold the assistant's answers and nothing else, however many turns and pictures there are."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("transformers", reason="needs the train extra")

from tests.training.conftest import draw
from vqa_tui.domain.training_row import TrainingRow, Turn

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def processor() -> Iterator[Any]:
    from vqa_tui.training.tiny_model import tiny_model

    yield tiny_model(1)[1]


def encoder(processor: Any, max_tokens: int | None = None) -> Any:
    from vqa_tui.training.encoding import PictureSize, RowEncoder

    return RowEncoder(processor, PictureSize(None, 50_176), max_tokens)


def learned_words(processor: Any, encoded: dict[str, Any]) -> str:
    """What the labels say, where they say something; a bar stands for a gap."""
    words, gap = "", True
    for label in encoded["labels"].tolist():
        if label == -100:
            gap = True
            continue
        words += ("|" if gap and words else "") + processor.tokenizer.decode([label])
        gap = False
    return words


def row(tmp_path: Path, *turns: tuple[str, tuple[str | int, ...]], pictures: int = 0) -> TrainingRow:
    paths = []
    for number in range(pictures):
        paths.append(str(tmp_path / f"{number}.png"))
        draw(Path(paths[-1]), number)
    return TrainingRow(0, "row", tuple(Turn(role, parts) for role, parts in turns), tuple(paths))


def test_one_turn_about_one_picture(processor: Any, tmp_path: Path) -> None:
    asked = row(tmp_path, ("user", (0, "What colour?")), ("assistant", ("a red circle",)), pictures=1)
    encoded = encoder(processor).encode(asked)
    assert learned_words(processor, encoded) == "a red circle<|im_end|>"
    assert encoded["pixel_values"].shape[0] == int(encoded["image_grid_thw"].prod(dim=1).sum())
    pads = int((encoded["input_ids"] == processor.image_token_id).sum())
    assert pads == encoded["pixel_values"].shape[0] // 4


def test_several_turns_about_one_picture(processor: Any, tmp_path: Path) -> None:
    asked = row(
        tmp_path,
        ("user", (0, "What colour?")), ("assistant", ("red",)),
        ("user", ("And which shape?",)), ("assistant", ("a circle",)),
        pictures=1,
    )  # fmt: skip
    assert learned_words(processor, encoder(processor).encode(asked)) == "red<|im_end|>|a circle<|im_end|>"


def test_several_pictures_in_several_turns(processor: Any, tmp_path: Path) -> None:
    asked = row(
        tmp_path,
        ("user", (0, 1, "Which is red?")), ("assistant", ("the first",)),
        ("user", ("And this one:", 2)), ("assistant", ("blue",)),
        pictures=3,
    )  # fmt: skip
    encoded = encoder(processor).encode(asked)
    assert learned_words(processor, encoded) == "the first<|im_end|>|blue<|im_end|>"
    assert encoded["image_grid_thw"].shape[0] == 3


def test_a_system_message_and_no_picture(processor: Any, tmp_path: Path) -> None:
    asked = row(tmp_path, ("system", ("Be short.",)), ("user", ("Yes?",)), ("assistant", ("No.",)))
    encoded = encoder(processor).encode(asked)
    assert learned_words(processor, encoded) == "No.<|im_end|>" and "pixel_values" not in encoded


def test_an_answer_that_looks_like_the_template_is_learned_as_it_stands(processor: Any, tmp_path: Path) -> None:
    said = "line one\n\nline two: user, assistant"
    asked = row(tmp_path, ("user", ("Say it twice.",)), ("assistant", (said,)))
    assert learned_words(processor, encoder(processor).encode(asked)) == f"{said}<|im_end|>"


def test_the_prompt_is_what_stands_before_the_answer(processor: Any, tmp_path: Path) -> None:
    asked = row(tmp_path, ("user", (0, "What colour?")), ("assistant", ("red",)), pictures=1)
    made = encoder(processor)
    encoded, prompt = made.encode(asked), made.prompt(asked)
    before = int((encoded["labels"] == -100).nonzero()[:, 0].tolist().index(prompt["input_ids"].shape[1] - 1)) + 1
    assert encoded["input_ids"][:before].tolist() == prompt["input_ids"][0].tolist()


def test_what_cannot_be_learned_from_says_why(processor: Any, tmp_path: Path) -> None:
    from vqa_tui.training.encoding import RowRefused

    asked = row(tmp_path, ("user", (0, "What colour?")), ("assistant", ("red",)), pictures=1)
    with pytest.raises(RowRefused, match=r"tokens long, and max_tokens is 16"):
        encoder(processor, max_tokens=16).encode(asked)
    Path(asked.pictures[0]).write_bytes(b"no picture")
    with pytest.raises(RowRefused, match=r"0\.png cannot be read"):
        encoder(processor).encode(asked)


def test_a_large_picture_is_made_smaller_in_proportion(tmp_path: Path) -> None:
    from vqa_tui.training.rows import open_picture

    Image.new("RGB", (2_000, 1_000)).save(tmp_path / "large.png")
    opened = open_picture(str(tmp_path / "large.png"), min_pixels=None, max_pixels=20_000)
    assert opened.size == (200, 100)


def test_a_batch_is_filled_up_at_the_right(processor: Any, tmp_path: Path) -> None:
    from vqa_tui.training.encoding import collate

    made = encoder(processor)
    short = made.encode(row(tmp_path, ("user", ("Yes?",)), ("assistant", ("No.",))))
    longer = made.encode(row(tmp_path, ("user", (0, "What?")), ("assistant", ("a circle",)), pictures=1))
    batch = collate([short, longer], made.pad_id)
    tokens = short["input_ids"].shape[0]
    assert batch["input_ids"].shape == batch["labels"].shape == (2, longer["input_ids"].shape[0])
    assert batch["attention_mask"][0].sum() == tokens and (batch["labels"][0, tokens:] == -100).all()
    assert batch["mm_token_type_ids"][0].sum() == 0 and batch["pixel_values"].shape == longer["pixel_values"].shape


@pytest.mark.parametrize("why", ["very narrow", "a picture's token", "half a character"])
def test_a_row_that_the_processor_does_not_take_is_refused(why: str, processor: Any, tmp_path: Path) -> None:
    from vqa_tui.training.encoding import RowRefused

    words = {"a picture's token": "What is <|image_pad|>?", "half a character": "What is \ud800?"}.get(why, "What?")
    asked = row(tmp_path, ("user", (0, words)), ("assistant", ("a bag",)), pictures=1)
    if why == "very narrow":
        Image.new("RGB", (3_000, 10)).save(asked.pictures[0])
    for take in (encoder(processor).encode, encoder(processor).prompt):
        with pytest.raises(RowRefused, match="the model's processor does not take it"):
            take(asked)


def test_paligemma_learns_the_suffix_and_warns_of_nothing(
    processor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import PaliGemmaProcessor, PreTrainedTokenizerFast
    from transformers.models.paligemma import processing_paligemma
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    warnings: list[str] = []
    monkeypatch.setattr(processing_paligemma.logger, "warning", warnings.append)
    pictures = SiglipImageProcessorPil(size={"height": 28, "width": 28})
    pictures.image_seq_length = 4
    end = processor.tokenizer.eos_token
    words = copy.deepcopy(processor.tokenizer.backend_tokenizer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token=end, eos_token=end, pad_token=end)
    paligemma = PaliGemmaProcessor(pictures, tokenizer)
    asked = row(tmp_path, ("user", (0, "what colour?")), ("assistant", ("red circle",)), pictures=1)
    encoded = encoder(paligemma).encode(asked)
    assert learned_words(paligemma, encoded) == f"red circle{end}"
    assert int((encoded["input_ids"] == paligemma.image_token_id).sum()) == 4
    prompt = encoder(paligemma).prompt(asked)["input_ids"][0].tolist()
    assert encoded["input_ids"].tolist()[: len(prompt)] == prompt
    assert not warnings


@pytest.mark.parametrize(("kind", "library"), [("qwen2_5_vl", "Qwen2_5_VLProcessor"), ("qwen3_vl", "Qwen3VLProcessor")])
def test_a_processor_is_saved_as_the_one_of_the_library(
    kind: str, library: str, processor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vqa_tui.training import loading

    processor.save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": kind}), "utf-8")
    found = loading.picture_processor(str(tmp_path / "model"))
    assert found is not None
    loading.save_processor(found, tmp_path / "saved")
    named = [json.loads(path.read_text("utf-8")).get("processor_class") for path in (tmp_path / "saved").glob("*.json")]
    assert library in named and "PictureProcessor" not in named
