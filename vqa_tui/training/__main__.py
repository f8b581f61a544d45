"""`python -m vqa_tui.training CONFIG [--resume]`: train in the folder of CONFIG, a frozen configuration (JSON)."""

import argparse
import json
import os
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training_events import Ended, event_line
from vqa_tui.domain.training_exit import BAD_INPUT
from vqa_tui.domain.training_files import METRICS, REASON
from vqa_tui.training.checkpoints import remove_unfinished
from vqa_tui.training.launcher import die_with_launcher, hearing_of_makers, quiet_when_interrupted, see_one_gpu
from vqa_tui.training.trouble import PeerLost, in_words, told


def main(arguments: list[str] | None = None) -> int:
    """Train, and return the exit status: 0 done or stopped, else as of domain.training_exit."""
    parser = argparse.ArgumentParser(prog="python -m vqa_tui.training", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--resume", action="store_true", help="go on from the newest whole checkpoint, if there is one")
    given = parser.parse_args(arguments)
    try:
        config = TrainingConfig.model_validate_json(given.config.read_text("utf-8"))
    except (OSError, ValidationError, ValueError) as error:
        print(f"{given.config} is not the configuration of a training: {error}", file=sys.stderr)
        return BAD_INPUT
    folder = given.config.parent
    die_with_launcher(os.environ)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    chosen = see_one_gpu(os.environ)
    try:
        if chosen:
            print(f"one process trains on one GPU: CUDA_VISIBLE_DEVICES={chosen}", flush=True)
        print("loading libraries", flush=True)
        if config.backend == "unsloth" and find_spec("unsloth") is not None:
            # It replaces parts of transformers, and what is defined before that is not replaced.
            import unsloth  # noqa: F401 - importing it is all
        from vqa_tui.training.session import train

        with hearing_of_makers():
            outcome = train(folder, config, resume=given.resume)
    except (Exception, MemoryError) as error:
        return _failed(folder, error)
    print(f"{outcome.phase} after step {outcome.step:,}", flush=True)
    return 0


def _failed(folder: Path, error: BaseException) -> int:
    """Tell why in the log and the metrics, and take away what a broken write left."""
    trouble = in_words(error)
    status = told(trouble, error)
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    if first:
        remove_unfinished(folder)
    try:
        if "RANK" in os.environ:
            said = {"at": time.time(), "reason": trouble.sentence, "follows": isinstance(trouble, PeerLost)}
            (folder / f"{REASON}{os.environ['RANK']}").write_text(json.dumps(said), "utf-8")
        if not first:
            return status
        with open(folder / METRICS, "a", encoding="utf-8") as file:
            file.write("\n" + event_line(Ended(time.time(), "failed", trouble.sentence, 0)) + "\n")
    except OSError as unwritable:
        with suppress(OSError):  # the status tells of a full disk
            print(f"the end cannot be noted in metrics.jsonl: {unwritable}", file=sys.stderr)
    return status


if __name__ == "__main__":
    with quiet_when_interrupted():
        sys.exit(main())
