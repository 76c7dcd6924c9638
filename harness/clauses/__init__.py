"""The promises of the contract, one family a file. Each clause is a pure function of a history.

A new clause is a new function marked ``@clause`` in one of these files, or in a new one: the
catalogue is what the files hold. docs/add-a-clause.md shows the way.
"""

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from harness.contract import Clause
from harness.errors import ConfigurationError


def catalogue() -> dict[str, Clause]:
    """Every clause by its id, in order of the ids."""
    modules = (
        import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.name.startswith("_")
    )
    return collect(modules)


def named(*ids: str) -> tuple[Clause, ...]:
    """The clauses of these ids, in the order asked for."""
    known = catalogue()
    unknown = [id_ for id_ in ids if id_ not in known]
    if unknown:
        raise ConfigurationError(
            f"expected the ids of clauses, but nobody defines {', '.join(unknown)}; "
            f"there are {', '.join(known)}"
        )
    return tuple(known[id_] for id_ in ids)


def collect(modules: Iterable[ModuleType]) -> dict[str, Clause]:
    """The clauses that the modules hold, by id. Two different clauses of one id are an error."""
    found: dict[str, tuple[Clause, str]] = {}
    for module in modules:
        for value in vars(module).values():
            if not isinstance(value, Clause):
                continue
            other, where = found.setdefault(value.id, (value, module.__name__))
            if other is not value:
                raise ConfigurationError(
                    f"two clauses are called {value.id}, in {where} and in {module.__name__}; "
                    "give one of them another id"
                )
    return {id_: found[id_][0] for id_ in sorted(found)}
