"""What load to offer: where, how fast, for how long a caller waits, and how it retries."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import grpc

from harness.errors import LoadError
from harness.load.profile import MOST_RPS, Points, Profile

Schedule: TypeAlias = Literal["constant", "poisson"]
Engine: TypeAlias = Literal["http2", "grpc"]

_ADDRESS = re.compile(r"[^\s/]+:(\d{1,5})")
_ID_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,30}")  # with 7 to 10 digits it fits the id column (S40)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a caller tries again. All attempts share the request's one deadline.

    Sources: three attempts, and retries for at most a tenth of the requests, Google's SRE book, ch.
    21 "Handling Overload"; exponential back-off drawn from [0, cap), gRPC proposal A6 "client
    retries" and "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015: full jitter); what
    is saved up counts for 10 s, Finagle's RetryBudget. The reserve: see harness.load.retry.
    """

    attempts: int = 3  # in all, the first included
    codes: tuple[str, ...] = ("UNAVAILABLE",)
    initial_backoff_s: float = 0.1
    backoff_multiplier: float = 2.0
    max_backoff_s: float = 1.0
    attempt_timeout_s: float | None = None  # an attempt is given up then; None: at the deadline
    budget_ratio: float = 0.1  # retries that one request pays for
    budget_reserve: float = 50.0  # retries that may be saved up, however few the requests
    budget_ttl_s: float = 10.0  # more may be saved up: what the requests of so long a time paid for

    def __post_init__(self) -> None:
        """Refuse what cannot be meant. Raises LoadError."""
        _check(1 <= self.attempts <= 100, "retry.attempts", "1 to 100", self.attempts)
        names = set(grpc.StatusCode.__members__) - {"OK"}
        for code in self.codes:
            _check(code in names, "retry.codes", "names of gRPC status codes but OK", code)
        _between("retry.initial_backoff_s", self.initial_backoff_s, 0, 3600)
        _between("retry.backoff_multiplier", self.backoff_multiplier, 1, 100)
        _between("retry.max_backoff_s", self.max_backoff_s, self.initial_backoff_s, 3600)
        if self.attempt_timeout_s is not None:
            _between("retry.attempt_timeout_s", self.attempt_timeout_s, 0.001, 3600)
        _between("retry.budget_ratio", self.budget_ratio, 0, 1000)
        _between("retry.budget_reserve", self.budget_reserve, 0, 1e6)
        _between("retry.budget_ttl_s", self.budget_ttl_s, 1, 60)  # the range that Finagle allows


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of load, all of it repeatable from ``seed``."""

    address: str  # host:port
    rate_rps: float  # at the start, and for good where there is no profile
    schedule: Schedule
    seed: int
    deadline_s: float  # of a request with all its attempts, from when it is really sent
    id_prefix: str  # request ids are this and seven digits: unique in a run if this is
    golden: Path  # .npz with input.NAME and output.NAME arrays, one golden case a row
    model_name: str
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    tolerance: float = 1e-5  # greatest absolute difference from a golden floating-point output
    engine: Engine = "http2"  # what speaks gRPC: frames by hand (harness.load.http2) or grpc.aio
    profile: Points = ()  # how the rate goes on: (offset_s, rate_rps), the first (0, rate_rps)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant. Raises LoadError."""
        address = _ADDRESS.fullmatch(self.address)
        good = address is not None and 0 < int(address[1]) < 65536
        _check(good, "address", "host:port", self.address)
        _between("rate_rps", self.rate_rps, 0, MOST_RPS)
        points = self.offered.points
        _check(points[0][1] == self.rate_rps, "profile", "(0, rate_rps) first", points)
        busy = any(rate > 0 for _, rate in points)
        _check(busy, "profile" if self.profile else "rate_rps", "more than 0", self.rate_rps)
        schedules = ("constant", "poisson")
        _check(self.schedule in schedules, "schedule", " or ".join(schedules), self.schedule)
        engines = ("http2", "grpc")
        _check(self.engine in engines, "engine", " or ".join(engines), self.engine)
        _check(self.seed >= 0, "seed", "0 or more", self.seed)
        _check(self.deadline_s > 0, "deadline_s", "more than 0", self.deadline_s)
        _between("deadline_s", self.deadline_s, 0, 3600)
        good = _ID_PREFIX.fullmatch(self.id_prefix) is not None
        _check(good, "id_prefix", "1 to 30 letters, digits and . _ -", self.id_prefix)
        _check(self.golden.suffix == ".npz", "golden", "the path of an .npz file", str(self.golden))
        _check(self.model_name != "", "model_name", "a name", self.model_name)
        _between("tolerance", self.tolerance, 0, 1e6)

    @property
    def offered(self) -> Profile:
        """The offered rate over time."""
        return Profile(self.profile or ((0.0, self.rate_rps),))


def _between(name: str, value: float, least: float, most: float) -> None:
    _check(least <= value <= most, name, f"{least:g} to {most:g}", value)


def _check(good: bool, name: str, expected: str, seen: object) -> None:
    if not good:
        raise LoadError(f"the load plan's {name} must be {expected}, but is {seen!r}; correct it")
