"""What `compare.py` runs in inspect-ai's own environment: one question about each picture of a folder.

python inspect_program.py URL FOLDER IN_FLIGHT CACHE
"""

import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

URL, FOLDER, IN_FLIGHT, CACHE = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.environ |= {"BENCH_BASE_URL": URL, "BENCH_API_KEY": "none", "INSPECT_LOG_DIR": CACHE}

from inspect_ai import Task  # noqa: E402 - reads the environment when it is imported
from inspect_ai import eval as evaluate  # noqa: E402
from inspect_ai.dataset import MemoryDataset, Sample  # noqa: E402
from inspect_ai.model import ChatMessageUser, ContentImage, ContentText  # noqa: E402
from inspect_ai.solver import generate  # noqa: E402


def main() -> None:
    samples = [
        Sample(
            id=path.name,
            input=[
                ChatMessageUser(content=[ContentText(text="Describe this picture."), ContentImage(image=str(path))])
            ],
        )
        for path in sorted(FOLDER.iterdir())
    ]
    (log,) = evaluate(
        Task(dataset=MemoryDataset(samples), solver=generate()),
        model="openai-api/bench/bench",
        display="none",
        max_connections=IN_FLIGHT,
        max_samples=IN_FLIGHT,
        log_images=False,
    )
    answered = sum(bool(sample.output.completion) for sample in log.samples or [])
    print(json.dumps({"ended": time.time(), "answered": answered, "version": version("inspect-ai")}))


main()
