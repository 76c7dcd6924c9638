"""Values out of JSON, checked: a wrong one is refused by name, never taken for another."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import TypeVar

from .errors import BAD_BODY

Attributes = TypeVar("Attributes")
_MOST = 2**63 - 1  # Toxiproxy's numbers are signed 64-bit integers


def an_object(value: object, what: str) -> Mapping[str, object]:
    """A JSON object. Raises ApiError."""
    if not isinstance(value, dict):
        raise BAD_BODY.because(f"{what} has to be an object, not {_shown(value)}")
    return value


def text(given: Mapping[str, object], name: str, default: str) -> str:
    """A string. Raises ApiError."""
    value = given.get(name, default)
    if not isinstance(value, str):
        raise BAD_BODY.because(f"{name} has to be a string, not {_shown(value)}")
    return value


def flag(given: Mapping[str, object], name: str, default: bool) -> bool:
    """True or false. Raises ApiError."""
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise BAD_BODY.because(f"{name} has to be true or false, not {_shown(value)}")
    return value


def share(given: Mapping[str, object], name: str, default: float) -> float:
    """A number from 0 to 1. Raises ApiError."""
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BAD_BODY.because(f"{name} has to be a number from 0 to 1, not {_shown(value)}")
    return float(value)


def attributes(kind: type[Attributes], given: object, before: Attributes | None) -> Attributes:
    """The attributes of a toxic; what is not given stays as before, or has its default.

    Raises ApiError for a name that the toxic does not have and for a value that cannot be meant.
    """
    named = an_object({} if given is None else given, "attributes")
    known = {each.name: each.type for each in fields(kind)}  # type: ignore[arg-type]
    values = {name: getattr(before, name) for name in known} if before else {}
    for name, value in named.items():
        if name not in known:
            raise BAD_BODY.because(f"attributes has {name!r}, expected only {sorted(known)}")
        values[name] = _number(name, value, is_whole=known[name] in {int, "int"})
    try:
        return kind(**values)
    except ValueError as error:
        raise BAD_BODY.because(error) from error


def _number(name: str, value: object, *, is_whole: bool) -> float:
    types = int if is_whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, types):
        wanted = "a whole number" if is_whole else "a number"
        raise BAD_BODY.because(f"{name} has to be {wanted}, not {_shown(value)}")
    if not 0 <= value <= _MOST or not math.isfinite(value):
        raise BAD_BODY.because(f"{name} has to be at least 0 and below 2^63, not {_shown(value)}")
    return value


def _shown(value: object) -> str:
    return repr(value)[:80]
