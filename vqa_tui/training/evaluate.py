"""`python -m vqa_tui.training.evaluate CONFIG [--limit N]`: judge what was trained in the folder of CONFIG."""

import argparse
import os
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_exit import BAD_INPUT
from vqa_tui.training.trouble import JUDGING, in_words, told


def main(arguments: list[str] | None = None) -> int:
    """Evaluate, and return the exit status: 0 done, else as of domain.training_exit.

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
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        _tell("loading libraries")
        from vqa_tui.training.judging import evaluate

        evaluate(given.config.parent, config, limit=given.limit, tell=_tell)
    except (Exception, MemoryError) as error:
        return told(in_words(error, JUDGING), error)
    return 0


def _tell(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    # At once, by the signal itself: some libraries swallow every exception on their way, a KeyboardInterrupt too. What
    # is found is written whole at the end or not at all.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
