"""A pause that the engine itself asks for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Halt:
    """Why the run should pause itself."""

    reason: str
    by_budget: bool = False
