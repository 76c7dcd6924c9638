"""Parameters of faults are checked when a fault is planned."""

import math

import pytest

from harness.errors import FaultError
from harness.limits import Within, limited


@limited(delay_s=Within(0.5, 10, "s"))
def plan(what: str, delay_s: float = 1.0) -> str:
    """Plan something."""
    return f"{what} {delay_s:g}"


@pytest.mark.parametrize("value", [0.5, 1, 10])
def test_what_is_allowed(value: float) -> None:
    """Both limits are allowed, whole numbers and others."""
    assert plan("wait", delay_s=value) == f"wait {value:g}"


@pytest.mark.parametrize("value", [0.49, 10.1, -1, math.nan, math.inf, "1", None, True])
def test_what_is_not(value: object) -> None:
    """Anything else is an error that says what was expected and found, by position as well."""
    with pytest.raises(
        FaultError, match=r"expected delay_s to be a number from 0.5 to 10 s, found"
    ):
        plan("wait", value)  # type: ignore[arg-type]


def test_a_default_is_checked_too() -> None:
    """A default that is not allowed shows at the first call."""

    @limited(share=Within(0, 1))
    def broken(share: float = 2.0) -> float:
        return share

    with pytest.raises(FaultError, match=r"found 2\.0"):
        broken()


def test_name_and_words_stay() -> None:
    """The decorated function is still known by its own name and docstring."""
    assert (plan.__name__, plan.__doc__) == ("plan", "Plan something.")
