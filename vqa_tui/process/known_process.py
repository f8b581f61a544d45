"""A process that is remembered by its number and when it began: another one that took the number is told apart."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from vqa_tui.process.process_group import start_ticks


@dataclass(frozen=True, slots=True)
class KnownProcess:
    """A process that was started once."""

    pid: int
    began: int
    """In clock ticks since the machine started; 0 where the system does not tell."""

    @property
    def is_certain(self) -> bool:
        """Whether the process of that number is the one that was started; never where nothing tells."""
        return self.began > 0 and start_ticks(self.pid) == self.began

    def how_to_end(self, lock: Path) -> str:
        """Return a hint for a person whose `lock` is still held by it, or by a child of it."""
        if self.began:
            return f"`fuser {lock}` names it."
        return (
            f"This system does not tell whether process {self.pid} is still the one that was started: look with "
            f"`ps -p {self.pid}`, and end it with `kill {self.pid}`."
        )


def note_process(path: Path, pid: int) -> None:
    """Write down a process that was just started. Raises OSError."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(asdict(KnownProcess(pid, start_ticks(pid)))), "utf-8")
    partial.rename(path)


def noted_process(path: Path) -> KnownProcess | None:
    """Return the process that was written down; None where none is, or where it cannot be read."""
    try:
        return KnownProcess(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
