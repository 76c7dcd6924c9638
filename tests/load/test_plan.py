"""A plan that cannot be meant is refused before anything starts."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.errors import LoadError
from harness.load.plan import Plan, RetryPolicy

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("address", "127.0.0.1"),
        ("address", "http://127.0.0.1:80/"),
        ("address", "127.0.0.1:0"),
        ("address", "127.0.0.1:65536"),
        ("rate_rps", 0.0),
        ("profile", ((0.0, 0.0),)),
        ("profile", ((1.0, 200.0),)),
        ("profile", ((0.0, 100.0),)),
        ("profile", ((0.0, 200.0), (5.0, 300.0), (4.0, 100.0))),
        ("profile", ((0.0, 200.0), (5.0, -1.0))),
        ("profile", ((0.0, 200.0), (INFINITE, 1.0))),
        ("rate_rps", -1.0),
        ("rate_rps", NAN),
        ("rate_rps", INFINITE),
        ("schedule", "bursty"),
        ("seed", -1),
        ("deadline_s", 0.0),
        ("deadline_s", NAN),
        ("id_prefix", ""),
        ("id_prefix", "two words"),
        ("id_prefix", "x" * 31),
        ("golden", Path("/nowhere/golden.csv")),
        ("model_name", ""),
        ("tolerance", -1e-9),
        ("tolerance", NAN),
        ("engine", "h2load"),
    ],
)
def test_plan_is_refused(plan: Callable[..., Plan], name: str, value: object) -> None:
    """The error names the field and shows the value that was seen."""
    with pytest.raises(LoadError, match=name):
        plan(**{name: value})


@pytest.mark.parametrize(
    "values",
    [
        {"attempts": 0},
        {"codes": ("OK",)},
        {"codes": ("Unavailable",)},
        {"initial_backoff_s": -0.1},
        {"backoff_multiplier": 0.5},
        {"max_backoff_s": 0.01},
        {"budget_ratio": -0.2},
        {"budget_reserve": NAN},
        {"attempt_timeout_s": 0.0},
        {"budget_ttl_s": 0.5},
        {"budget_ttl_s": 61.0},
    ],
    ids=lambda values: next(iter(values)),
)
def test_retry_policy_is_refused(values: Mapping[str, object]) -> None:
    """The error names the field of the policy."""
    (name,) = values

    with pytest.raises(LoadError, match=f"retry.{name}"):
        RetryPolicy(**values)  # type: ignore[arg-type]  # wrong values are the point
