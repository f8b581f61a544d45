"""What the processes of a training agree on; one that is alone agrees with itself."""

from typing import TypeVar

import torch

_T = TypeVar("_T")


def gathered(value: _T) -> tuple[_T, ...]:
    """Return the values of all processes, by rank; all of them call it. They are pickled: nothing large."""
    if not _are_several():
        return (value,)
    values: list[_T] = [value] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return tuple(values)


def any_of(value: bool) -> bool:
    """Return whether it is true in any process; all of them call it."""
    if not _are_several():
        return value
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    flag = torch.tensor([int(value)], device=device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag.item())


def _are_several() -> bool:
    return bool(torch.distributed.is_available() and torch.distributed.is_initialized())
