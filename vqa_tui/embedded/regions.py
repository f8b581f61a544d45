"""Counting connected areas of equal value in a small picture."""

from itertools import groupby


def count_regions(cells: bytes, width: int, *, smallest: int) -> int:
    """Return how many 4-connected areas of equal value have at least `smallest` cells; rows are `width` cells long.

    Works on runs of equal cells within a row, joined with the runs above them by union-find, because there are far
    fewer runs than cells.
    """
    parents: list[int] = []
    sizes: list[int] = []

    def root(node: int) -> int:
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    above: list[tuple[int, int, int, int]] = []
    for start in range(0, len(cells), width):
        row: list[tuple[int, int, int, int]] = []
        column = 0
        for value, group in groupby(cells[start : start + width]):
            length = sum(1 for _ in group)
            node = len(parents)
            parents.append(node)
            sizes.append(length)
            row.append((column, column + length, value, node))
            column += length
        upper = 0
        for left, right, value, node in row:
            while upper < len(above) and above[upper][1] <= left:
                upper += 1
            index = upper
            while index < len(above) and above[index][0] < right:
                if above[index][2] == value:
                    mine, other = root(node), root(above[index][3])
                    if mine != other:
                        parents[mine] = other
                        sizes[other] += sizes[mine]
                index += 1
        above = row
    return sum(1 for node, parent in enumerate(parents) if node == parent and sizes[node] >= smallest)
