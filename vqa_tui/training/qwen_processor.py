"""Qwen-VL's processor for pictures alone, which needs no torchvision: that is wanted for videos only."""

from typing import Any

from transformers import Qwen2_5_VLProcessor
from transformers.processing_utils import ProcessorMixin


class PictureProcessor(Qwen2_5_VLProcessor):  # type: ignore[misc]  # untyped base
    """Turns texts with pictures into tokens and patches, as Qwen2_5_VLProcessor does, without videos."""

    saved_as = "Qwen2_5_VLProcessor"
    """The library's class that reads what this one writes."""

    def __init__(self, image_processor: Any, tokenizer: Any, chat_template: str | None = None) -> None:
        self.image_token = "<|image_pad|>"
        self.video_token = "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        self.video_processor = None
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)
