"""Numbers, quantities and names as the report writes them."""

import pytest

from reports import words
from tests.reports import sample


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (6.2, "s", "6.2 s"),
        (71655, "requests", "71,655 requests"),
        (1, "requests", "1 request"),
        (1, "identities", "1 identity"),
        (0.0085, "share", "0.85 %"),
        (1.5e-06, "difference", "1.500e-06 difference"),
        (71655.25, "", "71,655"),
        (99.5, "% live", "99.5 % live"),
        ("one digest", "digests", "one digest"),
        (None, "s", "not measured"),
        (float("inf"), "s", "∞ s"),
    ],
)
def test_quantity(value: float | str | None, unit: str, expected: str) -> None:
    """A value is written with its unit, and shares as percentages."""
    assert expected == words.quantity(value, unit).replace("\N{NO-BREAK SPACE}", " ")


def test_measured_never_looks_like_the_limit_that_it_missed() -> None:
    """A value just above its limit gets as many digits as it takes to see that."""
    verdict = sample.verdict("T1", "broken", 10.000004, 10.0)

    assert words.promised(verdict).replace("\N{NO-BREAK SPACE}", " ") == "≤ 10 s"
    assert words.measured(verdict).replace("\N{NO-BREAK SPACE}", " ") == "10.000004 s"


def test_limit_of_none_needs_no_sign() -> None:
    """At most none is none."""
    verdict = sample.verdict("D2", "held", 0, 0, unit="requests")

    assert words.promised(verdict) == "0 requests"


def test_long_names_keep_their_end() -> None:
    """Replicas differ in the last characters of their names."""
    assert words.shortened("mayfly-replica-12", 11) == "mayfl…ca-12"
    assert words.shortened("replica-2", 11) == "replica-2"


@pytest.mark.parametrize(
    ("length_s", "expected"), [(3.25, "3.25 s"), (372.0, "6 min 12 s"), (120.0, "2 min")]
)
def test_duration(length_s: float, expected: str) -> None:
    """A length of time is written in minutes from one minute on."""
    assert expected == words.duration(length_s).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("began_at", "now", "expected"),
    [
        ("2026-11-20T14:03:12+00:00", "2026-11-21T09:00:00+00:00", "20 Nov 14:03"),
        ("2025-11-20T14:03:12+00:00", "2026-11-21T09:00:00+00:00", "20 Nov 2025 14:03"),
        ("2026-11-02T04:03:12", "", "2 Nov 04:03"),
        ("yesterday", "2026-11-21T09:00:00+00:00", "yesterday"),
    ],
)
def test_day_and_time(began_at: str, now: str, expected: str) -> None:
    """The year is named where it is another one, and what is no time stays as it is."""
    assert expected == words.day_and_time(began_at, now)
