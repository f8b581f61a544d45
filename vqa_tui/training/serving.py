"""`python -m vqa_tui.training.serving MODEL …`: `transformers serve`, which also serves Qwen-VL without torchvision.

That is wanted for videos only, but the stock processor does not load without it, nor from a folder that was saved
without it.
"""

import sys
from typing import Any


def main(arguments: list[str]) -> None:
    """Serve until ended; `arguments` are those of `transformers serve`."""
    from transformers import AutoProcessor
    from transformers.cli import transformers as command_line

    from vqa_tui.training.loading import picture_processor

    stock = AutoProcessor.from_pretrained

    def from_pretrained(model: str, *more: Any, **named: Any) -> Any:
        try:
            return stock(model, *more, **named)
        except (OSError, ImportError, ValueError):
            if (found := picture_processor(model)) is None:
                raise
            return found

    AutoProcessor.from_pretrained = from_pretrained
    sys.argv = ["transformers", "serve", *arguments]
    command_line.main()


if __name__ == "__main__":
    main(sys.argv[1:])
