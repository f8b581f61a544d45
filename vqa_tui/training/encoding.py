"""Rows as the model's inputs, with labels that hold the assistant's answers and nothing else.

A conversation is rendered by the model's own chat template and cut where an assistant begins and ends. The pieces are
turned into tokens one by one, as they are when the model answers: a prompt first, then what it says. So the labels need
no search for where an answer stands, and no account of how many tokens a picture becomes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from vqa_tui.domain.training_row import TrainingRow, Turn
from vqa_tui.training.rows import open_picture
from vqa_tui.training.trouble import TrainingTrouble

IGNORED = -100
"""The label of a token that is not learned from (torch.nn.CrossEntropyLoss)."""
_LENGTHWISE = frozenset({"input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids", "labels"})
"""One value a token; everything else that a processor returns is about pictures, in their order."""


class RowRefused(Exception):
    """A row cannot be learned from; says why."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Within how many pixels pictures are brought; None leaves it to the processor."""

    min_pixels: int | None
    max_pixels: int | None


class RowEncoder:
    """Turns rows into inputs of one model."""

    def __init__(self, processor: Any, size: PictureSize, max_tokens: int | None) -> None:
        self._processor = processor
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self._size = size
        self._max_tokens = max_tokens
        self._plain = not getattr(self.tokenizer, "chat_template", None) and not getattr(
            processor, "chat_template", None
        )

    @property
    def pad_id(self) -> int:
        """The token that fills a batch up."""
        pad = self.tokenizer.pad_token_id
        return int(self.tokenizer.eos_token_id if pad is None else pad)

    def encode(self, row: TrainingRow) -> dict[str, Any]:
        """Return tensors of one row: `input_ids`, `attention_mask` and `labels` of shape (tokens,), and what the
        processor says about the pictures.

        Raises RowRefused for a picture that cannot be read, a row that the processor does not take, that is too long
        or has no answer; TrainingTrouble where the model's chat template does not build a conversation turn by turn.
        """
        with _taken_by_processor():
            parts = self._pieces(row)
        lengthwise = {name: torch.cat([part[name] for part in parts]) for name in parts[0] if name in _LENGTHWISE}
        tokens = int(lengthwise["input_ids"].shape[0])
        if self._max_tokens is not None and tokens > self._max_tokens:
            raise RowRefused(f"it is {tokens:,} tokens long, and max_tokens is {self._max_tokens:,}")
        if not bool((lengthwise["labels"] != IGNORED).any()):
            raise RowRefused("it has no answer to learn")
        names = {name for part in parts for name in part if name not in _LENGTHWISE}
        pictures = {name: _joined([part[name] for part in parts if name in part]) for name in sorted(names)}
        return {**lengthwise, **pictures}

    def prompt(self, row: TrainingRow) -> dict[str, Any]:
        """Return the inputs that ask for the last answer of a row, each with a first axis of one. Raises RowRefused."""
        pictures = self._open(row)
        with _taken_by_processor():
            if self._plain:
                encoded = self._call(_plain_text(row.turns[:-1], len(pictures)), pictures)
            else:
                encoded = self._call(self._rendered(row.turns[:-1], ask=True), pictures)
        return {
            name: value.unsqueeze(0) if name in _LENGTHWISE else value
            for name, value in encoded.items()
            if name != "labels"
        }

    def _pieces(self, row: TrainingRow) -> list[dict[str, Any]]:
        pictures = self._open(row)
        if self._plain:
            return [self._with_suffix(row, pictures)]
        whole = self._rendered(row.turns, ask=False)
        pieces: list[dict[str, Any]] = []
        done = used = 0
        for index, turn in enumerate(row.turns):
            if turn.role != "assistant":
                continue
            begin = len(self._prefix(whole, row.turns[:index], ask=True))
            is_last = index + 1 == len(row.turns)
            end = len(whole) if is_last else len(self._prefix(whole, row.turns[: index + 1], ask=False))
            taken = sum(isinstance(part, int) for each in row.turns[:index] for part in each.parts)
            pieces.append(self._unlearned(whole[done:begin], pictures[used:taken]))
            pieces.append(self._learned(whole[begin:end]))
            done, used = end, taken
        if done < len(whole):
            pieces.append(self._unlearned(whole[done:], pictures[used:]))
        widest = {name for piece in pieces for name in piece if name in _LENGTHWISE}
        for piece in pieces:
            for name in widest - piece.keys():
                piece[name] = torch.zeros_like(piece["input_ids"])
        return pieces

    def _learned(self, text: str) -> dict[str, Any]:
        """An answer up to the token that ends a turn; what a template writes behind it is not learned."""
        piece = self._call(text, [])
        labels = piece["input_ids"].clone()
        ends = (labels == self.tokenizer.eos_token_id).nonzero()
        if len(ends):
            labels[int(ends[-1]) + 1 :] = IGNORED
        return {**piece, "labels": labels}

    def _unlearned(self, text: str, pictures: list[Any]) -> dict[str, Any]:
        piece = self._call(text, pictures)
        return {**piece, "labels": torch.full_like(piece["input_ids"], IGNORED)}

    def _call(self, text: str, pictures: list[Any]) -> dict[str, Any]:
        if pictures:
            found = self._processor(text=[text], images=pictures, return_tensors="pt", **self._no_extra_tokens())
            return {name: value[0] if name in _LENGTHWISE else value for name, value in found.items()}
        ids = self.tokenizer(text, return_tensors="pt", **self._no_extra_tokens())["input_ids"][0].long()
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def _no_extra_tokens(self) -> dict[str, Any]:
        return {} if self._plain else {"add_special_tokens": False}

    def _with_suffix(self, row: TrainingRow, pictures: list[Any]) -> dict[str, Any]:
        """A model without a chat template (PaliGemma): its processor takes the question as prefix, the answer as
        suffix, and makes the labels."""
        if sum(turn.role == "assistant" for turn in row.turns) != 1:
            raise RowRefused("this model has no chat template, so a row can hold one question and one answer")
        found = self._processor(
            text=[_plain_text(row.turns[:-1], len(pictures))],
            images=pictures or None,
            suffix=[row.turns[-1].text],
            return_tensors="pt",
        )
        return {name: value[0] if name in _LENGTHWISE else value for name, value in found.items()}

    def _prefix(self, whole: str, turns: tuple[Turn, ...], *, ask: bool) -> str:
        prefix = self._rendered(turns, ask=ask)
        if not whole.startswith(prefix):
            raise TrainingTrouble(
                "the chat template of this model does not build a conversation turn by turn, so answers cannot be told "
                "from questions",
                "Export one pair a row (`--pairs-per-picture 1`), or take another model.",
            )
        return prefix

    def _rendered(self, turns: tuple[Turn, ...], *, ask: bool) -> str:
        messages = [
            {
                "role": turn.role,
                "content": [
                    {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
                    for part in turn.parts
                ],
            }
            for turn in turns
        ]
        owner = self._processor if getattr(self._processor, "chat_template", None) else self.tokenizer
        if owner is self.tokenizer:
            messages = [{"role": turn.role, "content": turn.text} for turn in turns]
        return str(owner.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask))

    def _open(self, row: TrainingRow) -> list[Any]:
        opened = []
        for path in row.pictures:
            try:
                opened.append(open_picture(path, min_pixels=self._size.min_pixels, max_pixels=self._size.max_pixels))
            except MemoryError:
                raise
            except Exception as error:  # Pillow's readers raise whatever a broken file leads them to
                raise RowRefused(f"its picture {path} cannot be read: {error}") from error
        return opened


def collate(rows: list[dict[str, Any]], pad_id: int) -> dict[str, Any]:
    """Return one batch: token tensors of shape (rows, longest), filled up at the right, and the pictures of all rows
    one after the other."""
    longest = max(int(row["input_ids"].shape[0]) for row in rows)
    fills = {"input_ids": pad_id, "labels": IGNORED}
    batch: dict[str, Any] = {}
    for name in {name for row in rows for name in row}:
        if name not in _LENGTHWISE:
            batch[name] = _joined([row[name] for row in rows if name in row])
            continue
        filled = torch.full((len(rows), longest), fills.get(name, 0), dtype=torch.long)
        for index, row in enumerate(rows):
            if name in row:
                filled[index, : row[name].shape[0]] = row[name]
        batch[name] = filled
    return batch


def _joined(tensors: list[Any]) -> Any:
    """Pictures are large: what is one piece already is not copied."""
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _plain_text(turns: tuple[Turn, ...], pictures: int) -> str:
    """Return what was said, behind a tag for each picture (PaliGemmaProcessor warns of texts without)."""
    return "<image>" * pictures + "\n".join(turn.text for turn in turns if turn.text)


@contextmanager
def _taken_by_processor() -> Iterator[None]:
    """Refuse the row that makes a processor raise: a very long and narrow picture, a picture's token in a text, half a
    character do."""
    try:
        yield
    except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise RowRefused(f"the model's processor does not take it: {said}") from error
