"""`python -m vqa_tui`, and what the script `vqa-tui` calls."""

import sys

from vqa_tui.cli.main import app


def main() -> None:
    """Run the command line; a character that the terminal cannot show becomes a question mark, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(errors="replace")
    app(prog_name="vqa-tui")


if __name__ == "__main__":
    main()
