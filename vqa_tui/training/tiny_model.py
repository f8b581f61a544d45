"""A vision-language model with random weights, built on the spot: the whole way of a training, with no download.

It has the architecture of Qwen2.5-VL at a ten-thousandth of the size, and a byte-level BPE tokenizer with Qwen's
special tokens, learned from a few sentences.
"""

from typing import Any

from transformers import (
    AddedToken,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    set_seed,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from vqa_tui.training.qwen_processor import PictureProcessor

_SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
_SENTENCES = (
    "What is in the picture? The picture shows a suitcase with a knife, a battery and clothes.",
    "How many items are there? There are two items, one at the left and one at the right of the picture.",
    "Where is it? It lies in the upper left corner, beside a folded pair of trousers. Yes. No. one two three four five",
    "What colour is the shape? red green blue yellow white black circle square triangle. You are a helpful assistant.",
    "Is a gun, a wrench, a hammer, a lighter, scissors, a bullet or a powerbank present? user assistant system",
)
_VOCABULARY = 600
_TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message['role'] + '\\n' }}"
    "{%- if message['content'] is string %}{{- message['content'] }}"
    "{%- else %}{%- for part in message['content'] %}"
    "{%- if part['type'] == 'image' %}{{- '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- elif part['type'] == 'text' %}{{- part['text'] }}{%- endif %}"
    "{%- endfor %}{%- endif %}{{- '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
_HIDDEN, _LAYERS, _HEADS = 64, 2, 4
_VISION_HIDDEN, _PATCH, _MERGE = 32, 14, 2


def tiny_model(seed: int) -> tuple[Any, Any]:
    """Return the model and its processor; equal seeds give equal weights."""
    tokenizer = _tokenizer()
    ids = {word: int(tokenizer.convert_tokens_to_ids(word)) for word in _SPECIAL}
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": _HIDDEN,
            "intermediate_size": 2 * _HIDDEN,
            "num_hidden_layers": _LAYERS,
            "num_attention_heads": _HEADS,
            "num_key_value_heads": _HEADS // 2,
            "max_position_embeddings": 4096,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]},
            # At the usual 0.02 weights this few learn next to nothing in thirty steps.
            "initializer_range": 0.2,
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": 2,
            "hidden_size": _VISION_HIDDEN,
            "intermediate_size": 2 * _VISION_HIDDEN,
            "num_heads": 2,
            "patch_size": _PATCH,
            "spatial_merge_size": _MERGE,
            "window_size": 4 * _PATCH * _MERGE,
            "fullatt_block_indexes": [1],
            "out_hidden_size": _HIDDEN,
            "initializer_range": 0.2,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    set_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(config)
    pictures = Qwen2VLImageProcessorPil(
        patch_size=_PATCH,
        merge_size=_MERGE,
        min_pixels=(2 * _PATCH * _MERGE) ** 2,
        max_pixels=(8 * _PATCH * _MERGE) ** 2,
    )
    return model, PictureProcessor(pictures, tokenizer, chat_template=_TEMPLATE)


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    plain.train_from_iterator(_SENTENCES, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token="<|im_end|>", pad_token="<|endoftext|>", model_max_length=4096
    )
    tokenizer.add_tokens([AddedToken(word, special=True, normalized=False) for word in _SPECIAL], special_tokens=True)
    tokenizer.image_token, tokenizer.video_token = "<|image_pad|>", "<|video_pad|>"
    return tokenizer
