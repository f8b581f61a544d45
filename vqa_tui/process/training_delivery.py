"""Copying what a training learned to the folder that its configuration names."""

import filecmp
import os
import shutil
from pathlib import Path

ADAPTER, MERGED = "adapter", "merged"


def deliver(folder: Path, output: Path) -> None:
    """Copy the adapter in the training's `folder` to `output`, and the merged model, where there is one, to
    `output/merged`. `output` appears as a whole: it must not be there, be empty, or hold that very copy.

    Raises OSError.
    """
    if _is_there(folder / ADAPTER, output):
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(f".{output.name}.{os.getpid()}.partial")
    try:
        shutil.copytree(folder / ADAPTER, beside)
        if (folder / MERGED).is_dir():
            shutil.copytree(folder / MERGED, beside / MERGED)
        os.rename(beside, output)
    except shutil.Error as error:
        # It gathers what went wrong with each file: source, target, why.
        first = error.args[0][0]
        raise OSError(first[2] if len(first) > 2 else str(first)) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _is_there(adapter: Path, output: Path) -> bool:
    """Whether each file was copied already, by size and time, by one that did not live to say so."""
    if not output.is_dir():
        return False
    compared = filecmp.dircmp(adapter, output)
    return bool(compared.same_files) and not (compared.left_only or compared.diff_files or compared.funny_files)
