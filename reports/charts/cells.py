"""Requests as cells of a grid, cells as one SVG path: the size follows the pixels, not the load."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reports.measure import Mask

Counts: TypeAlias = NDArray[np.int64]
Places: TypeAlias = NDArray[np.int64]
DENSITIES = 3


def place(shares: NDArray[np.float64], cells: int) -> Places:
    """The cell of each share between 0 and 1; what lies outside falls into the cell at the edge."""
    result: Places = np.clip((shares * cells).astype(np.int64), 0, cells - 1)
    return result


def count(columns: Places, rows: Places, shape: tuple[int, int]) -> Counts:
    """How many requests fall into each cell of a grid of (rows, columns)."""
    height, width = shape
    flat: Counts = np.bincount(rows * width + columns, minlength=height * width)
    return flat.reshape(height, width)


def density(counts: Counts) -> Counts:
    """Each cell's density from 1 (thin) to 3 (thick), 0 where it is empty.

    The steps are even on a log scale up to the thickest hundredth of the cells. Where no cell holds
    more than three requests there is no density to show, and all cells are thick.
    """
    filled = counts[counts > 0]
    most = float(np.percentile(filled, 99)) if len(filled) else 0.0
    if most <= 3:
        return np.where(counts > 0, DENSITIES, 0)
    share = np.log(np.maximum(counts, 1)) / np.log(most)
    steps = np.minimum((share * DENSITIES).astype(np.int64), DENSITIES - 1) + 1
    return np.where(counts > 0, steps, 0)


def path(cells: Mask) -> str:
    """The marked cells as one path of horizontal strokes, neighbours joined into runs."""
    padded = np.zeros((cells.shape[0], cells.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = cells
    change = np.diff(padded, axis=1)
    rows, starts = np.nonzero(change == 1)
    ends = np.nonzero(change == -1)[1]
    if len(rows) == 0:
        return ""
    across = np.diff(starts, prepend=0)
    across[1:] = starts[1:] - ends[:-1]
    down = np.diff(rows, prepend=rows[0])
    strokes = [
        f"m{x} {y}h{run}"
        for x, y, run in zip(
            across[1:].tolist(), down[1:].tolist(), (ends - starts)[1:].tolist(), strict=True
        )
    ]
    return f"M{starts[0]} {rows[0]}.5h{ends[0] - starts[0]}" + "".join(strokes)
