"""The tables of a run that is over: one compressed file each, one array a column."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.history import History
from harness.tables import ACCESS, ATTEMPT, RECORD, REQUEST, USAGE, Table, empty

TABLES: Mapping[str, np.dtype[np.void]] = {
    "requests": REQUEST,
    "attempts": ATTEMPT,
    "access": ACCESS,
    "records": RECORD,
    "usage": USAGE,
}
"""The tables of a history by their names."""


def tables_of(history: History) -> dict[str, Table]:
    """The rows of one scenario; without a record store its records are an empty table."""
    found = {name: getattr(history, name) for name in TABLES}
    return {name: empty(TABLES[name]) if rows is None else rows for name, rows in found.items()}


def write(directory: Path, histories: Sequence[History]) -> None:
    """Write the tables of all scenarios, each file whole or not at all."""
    for name in TABLES:
        _write(directory, name, [tables_of(each)[name] for each in histories])


def read(directory: Path, scenarios: int) -> Iterator[Mapping[str, Table]]:
    """The rows of each scenario. Raises what numpy raises where they are damaged."""
    tables = {name: _read(directory, name) for name in TABLES}
    for place in range(scenarios):
        yield {name: rows[owner == place] for name, (rows, owner) in tables.items()}


def _write(directory: Path, name: str, tables: Sequence[Table]) -> None:
    dtype = TABLES[name]
    rows = np.concatenate([empty(dtype), *tables])
    owner = np.repeat(np.arange(len(tables), dtype=np.int16), [len(each) for each in tables])
    columns = {column: rows[column] for column in dtype.names or ()}
    partial = directory / f"{name}.partial.npz"
    np.savez_compressed(partial, allow_pickle=False, scenario=owner, **columns)
    partial.replace(directory / f"{name}.npz")


def _read(directory: Path, name: str) -> tuple[Table, NDArray[np.int16]]:
    dtype = TABLES[name]
    # numpy leaves a file open that it opened itself and could not read.
    with (
        (directory / f"{name}.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as columns,
    ):
        rows = np.zeros(len(columns["scenario"]), dtype=dtype)
        for column in dtype.names or ():
            rows[column] = columns[column]
        return rows, columns["scenario"]
