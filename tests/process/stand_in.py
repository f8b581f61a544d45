"""Stands in for the trainer in a process of its own: tells steps, hears the stop file, and fails as it is told to.

stand_in.py FOLDER HOW [--resume]
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

folder, how = Path(sys.argv[1]), sys.argv[2]
resumed = "--resume" in sys.argv


def tell(event: str, **more: object) -> None:
    with open(folder / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"event": event, "at": time.time(), **more}) + "\n")


def step(number: int) -> None:
    tell("step", step=number, epoch=0.1, loss=1.0, learning_rate=0.1, grad_norm=None, seconds=0.1, tokens=1, rows=[0])


seen = {"variables": sorted(os.environ), "arguments": sys.argv[3:], "gpus": os.environ.get("CUDA_VISIBLE_DEVICES")}
(folder / "seen.json").write_text(json.dumps(seen))
first = 3 if resumed else 0
tell("start", first_step=first, total_steps=5, epochs=1.0, rows=1, held_out=0, device="CPU", precision="fp32",
     parameters=1, trainable=1)  # fmt: skip
if how == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # One child in the group, and one with a session of its own, as torchrun starts its workers.
    wait = "import signal, time; [signal.signal(each, signal.SIG_IGN) for each in (2, 15)]; print(flush=True); "
    children = [
        subprocess.Popen(
            [sys.executable, "-S", "-c", wait + "time.sleep(600)"], stdout=subprocess.PIPE, start_new_session=apart
        )
        for apart in (False, True)
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    (folder / "children").write_text(" ".join(str(child.pid) for child in children))
    step(1)
    time.sleep(600)
elif how == "leaves":
    # One that is at work when the trainer has ended.
    subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
elif how == "full":
    print("Traceback\nerror: the disk is full", flush=True)
    sys.exit(1)
elif how == "mute":
    sys.exit(74)
elif how == "words":
    tell("end", phase="failed", reason="out of memory. Lower max_pixels.", step=1)
    sys.exit(1)
elif how == "killed":
    step(1)
    os.kill(os.getpid(), signal.SIGKILL)
elif how == "waits":
    step(first + 1)
    while not (folder / "stop").exists():
        time.sleep(0.01)
    tell("end", phase="stopped", reason="stopped after step 1", step=first + 1)
    sys.exit(0)
for number in range(first + 1, 6):
    step(number)
if how == "saves":
    tell("saving")
    while not (folder / "written").exists():
        time.sleep(0.01)
tell("end", phase="done", reason="", step=5)
