"""Limits of a fault's parameters, checked when it is planned: nothing is disturbed by a mistake."""

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from harness.errors import FaultError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Within:
    """The smallest and the largest value that a parameter may have, and their unit."""

    least: float
    most: float
    unit: str = ""

    def refuse(self, value: object) -> str | None:
        """What was expected instead; None where the value will do."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and math.isfinite(value) and self.least <= value <= self.most:  # type: ignore[arg-type, operator]
            return None
        return f"a number from {self.least:g} to {self.most:g} {self.unit}".rstrip()


def limited(
    **limits: Within,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Check named parameters of each call, the defaults included. Goes above ``@fault``."""

    def decorate(plan: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        signature = inspect.signature(plan)

        @functools.wraps(plan)
        def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            for name, limit in limits.items():
                expected = limit.refuse(given.arguments[name])
                if expected is not None:
                    raise FaultError(
                        f"the fault {plan.__name__!r} cannot be planned: expected {name} to be "
                        f"{expected}, found {given.arguments[name]!r}; mend the call"
                    )
            return plan(*args, **kwargs)

        return checked

    return decorate
