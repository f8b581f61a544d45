"""`python -m vqa_tui.training.merging CONFIG`: the adapter of a training put into the weights of its model, so that it
can be served as a model of its own."""

import shutil
import sys
from pathlib import Path
from typing import Any

ADAPTER, MERGED = "adapter", "merged"


def save_merged(model: Any, processor: Any, folder: Path) -> None:
    """Write a model whose adapters are merged, and its processor, to `folder`, which is there whole or not at all."""
    from vqa_tui.training.loading import save_processor

    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.merge_and_unload().save_pretrained(str(partial))
    save_processor(processor, partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def merge(config_path: Path) -> None:
    """Merge in the folder of a frozen configuration. Raises TrainingTrouble, and whatever the libraries raise."""
    from peft import PeftModel

    from vqa_tui.config.training import TrainingConfig
    from vqa_tui.training.loading import device_for, load_model
    from vqa_tui.training.saving import saving

    config = TrainingConfig.model_validate_json(config_path.read_text("utf-8"))
    # Weights in 4 bits cannot take an adapter without loss: it goes into the whole ones.
    whole = config.model_copy(update={"four_bit": False})
    folder = config_path.parent
    model, processor = load_model(whole, device_for(whole))
    with saving(folder):
        save_merged(PeftModel.from_pretrained(model, str(folder / ADAPTER)), processor, folder / MERGED)


def main(arguments: list[str]) -> int:
    """Return the exit status: 0 merged, 1 failed, with the reason in one line that begins with `error: `."""
    from vqa_tui.training.trouble import in_words

    try:
        merge(Path(arguments[0]))
    except (Exception, MemoryError) as error:
        print(f"error: {in_words(error).sentence}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
