"""The rows of a run that goes on: one file a scenario, written once.

The tables of a run that is over are one file each, and would have to be written anew after every
scenario. Parts are not compressed, which would take ten times as long between two measurements.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from harness.columns import TABLES, tables_of
from harness.history import History
from harness.tables import Table

_FOLDER = "parts"


def write(directory: Path, place: int, history: History) -> None:
    """Write the rows of the scenario at this place, whole or not at all."""
    path = _path(directory, place)
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **tables_of(history))
    partial.replace(path)


def read(directory: Path, scenarios: int) -> Iterator[Mapping[str, Table]]:
    """The rows of each scenario. Raises what numpy raises where they are damaged."""
    return (_read(directory, place) for place in range(scenarios))


def remove(directory: Path) -> None:
    """The run is over, and its tables are whole."""
    shutil.rmtree(directory / _FOLDER, ignore_errors=True)


def _path(directory: Path, place: int) -> Path:
    return directory / _FOLDER / f"{place}.npz"


def _read(directory: Path, place: int) -> Mapping[str, Table]:
    # numpy leaves a file open that it opened itself and could not read.
    with (
        _path(directory, place).open("rb") as file,
        np.load(file, allow_pickle=False) as part,
    ):
        tables = {name: part[name] for name in TABLES}
    for name, table in tables.items():
        if table.dtype != TABLES[name]:
            raise ValueError(f"{name} of part {place} has other columns than this version's")
    return tables
