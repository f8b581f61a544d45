"""`python -m vqa_tui.training.evaluate CONFIG [--limit N]`: judge what was trained in the folder of CONFIG."""

import argparse
import os
import sys
import traceback
from pathlib import Path

from pydantic import ValidationError

from vqa_tui.config.training import TrainingConfig
from vqa_tui.training.trouble import TrainingTrouble, in_words

FAILED = 1
BAD_INPUT = 2


def main(arguments: list[str] | None = None) -> int:
    """Evaluate, and return the exit status: 0 done, 1 failed, 2 a configuration that cannot be read.

    What goes wrong is told in a last line that begins with `error: `.
    """
    parser = argparse.ArgumentParser(prog="python -m vqa_tui.training.evaluate", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--limit", type=int, help="look at no more held-out rows than this")
    given = parser.parse_args(arguments)
    try:
        config = TrainingConfig.model_validate_json(given.config.read_text("utf-8"))
    except (OSError, ValidationError, ValueError) as error:
        print(f"error: {given.config} is not the configuration of a training: {error}", flush=True)
        return BAD_INPUT
    _tell("loading libraries")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from vqa_tui.training.judging import evaluate

        evaluate(given.config.parent, config, limit=given.limit, tell=_tell)
    except (Exception, MemoryError) as error:
        trouble = in_words(error)
        if not isinstance(error, TrainingTrouble):
            traceback.print_exception(error)
        print(f"error: {trouble.sentence}", flush=True)
        return FAILED
    return 0


def _tell(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
