"""`python -m vqa_tui`, and what the script `vqa-tui` calls."""

import os
import sys


def main() -> None:
    """Run the command line; a character that the terminal cannot show becomes a question mark, never a traceback."""
    from vqa_tui.cli.main import app

    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(errors="replace")
    app(prog_name="vqa-tui")


def _open_closed_streams() -> None:
    """Let streams that the caller closed (`>&-`) lead nowhere; else the next file opened, the workspace say, gets
    their number, and what is meant for a stream is written into it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken: this one, for those below it are open.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


if __name__ == "__main__":
    main()
