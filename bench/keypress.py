"""Key press to paint in the terminal app while an engine runs at full speed.

    python bench/keypress.py [--pictures 40000] [--in-flight 256]

The app runs in a pseudo-terminal of 200 × 50. On its list of items `j` is pressed 120 times at random moments, and the
time is taken until the cursor stands on the next row of the emulated screen. The engine, the server, the app and the
emulator share the machine.
"""

import argparse
import json
import tempfile
from pathlib import Path

from _stage import Server, Stage, draw_pictures, link_pictures
from _watching import engine_at_work, watch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=40_000, help="enough that the run outlasts the measuring")
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--kilobytes", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=8, help="how long the dashboard is looked at")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vqa-bench-") as name:
        folder = Path(name)
        draw_pictures(folder / "drawn", min(arguments.pictures, 1000), arguments.kilobytes)
        link_pictures(folder / "drawn", folder / "pictures", arguments.pictures)
        stage = Stage(folder / "work")
        stage.load(folder / "pictures")
        with Server(200) as server:
            run_id = stage.create(server.url, arguments.in_flight)
            with engine_at_work(stage, run_id, server):
                measured = watch(stage, "noise", arguments.seconds)
    print(json.dumps({"pictures": arguments.pictures, "in_flight": arguments.in_flight, **measured}))


if __name__ == "__main__":
    main()
