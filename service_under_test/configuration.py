"""Reads the whole configuration from the environment, once, and says clearly what is wrong."""

import math
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that cannot be used."""

    name: str
    expected: str
    seen: str
    action: str


class ConfigurationError(Exception):
    """The environment cannot be served from; it carries one problem for each bad setting."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(", ".join(problem.name for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """Where the model artifacts are kept, and the key to it."""

    endpoint_url: str
    bucket: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that the service is told from outside."""

    port: int
    http_port: int
    model_name: str
    model_digest: str
    model_dir: Path
    object_store: ObjectStore | None  # none = the model is baked into the image, in model_dir
    database_url: str = field(repr=False)
    cache_url: str = field(repr=False)  # empty = no cache
    replica: str
    cpu_limit: int
    drain_s: float
    propagation_s: float
    queue_limit: int


class _Reader:
    """Takes settings out of the environment and gathers every problem before any is raised."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[Problem] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environment.get(name, "") or default
        if value is None:
            self.refuse(name, "a value", "nothing", f"set {name} in the environment")
            return ""
        return value

    def matching(self, name: str, pattern: str, expected: str, default: str | None = None) -> str:
        """A value is never repeated in the message: it may be a secret."""
        value = self.text(name, default)
        if value and not re.fullmatch(pattern, value):
            seen = f"{len(value)} characters that are something else"
            self.refuse(name, expected, seen, f"correct {name}")
        return value

    def number(self, name: str, default: float, lowest: float, highest: float) -> float:
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not lowest <= number <= highest:
            self.refuse(
                name, f"a number from {lowest} to {highest}", repr(value), f"correct {name}"
            )
            return default
        return number

    def whole(self, name: str, default: int, lowest: int, highest: int) -> int:
        number = self.number(name, default, lowest, highest)
        if number != int(number):
            self.refuse(name, "a whole number", repr(number), f"correct {name}")
        return int(number)

    def refuse(self, name: str, expected: str, seen: str, action: str) -> None:
        self.problems.append(Problem(name, expected, seen, action))


def read_configuration(environment: Mapping[str, str]) -> Configuration:
    """Read and check every setting, or raise with all that is wrong at once."""
    reader = _Reader(environment)
    configuration = Configuration(
        port=reader.whole("PORT", 8080, 1, 65535),
        http_port=reader.whole("HTTP_PORT", 8081, 1, 65535),
        model_name=reader.text("MODEL_NAME", "defects"),
        model_digest=reader.matching("MODEL_DIGEST", "[0-9a-f]{64}", "64 lower-case hex digits"),
        model_dir=Path(reader.text("MODEL_DIR", "/models")),
        object_store=_read_object_store(reader),
        database_url=reader.matching(
            "DATABASE_URL", "postgres(ql)?://.+", "an address that begins with postgresql://"
        ),
        cache_url=reader.matching(
            "CACHE_URL", "(rediss?://.+)?", "an address that begins with redis://, or nothing", ""
        ),
        replica=reader.text("REPLICA_NAME", socket.gethostname()),
        cpu_limit=reader.whole("CPU_LIMIT", cpu_quota(), 1, 1024),
        drain_s=reader.number("DRAIN_S", 20.0, 0.1, 3600.0),
        propagation_s=reader.number("PROPAGATION_S", 5.0, 0.0, 3600.0),
        queue_limit=reader.whole("QUEUE_LIMIT", 256, 1, 100_000),
    )
    if reader.problems:
        raise ConfigurationError(tuple(reader.problems))
    return configuration


def _read_object_store(reader: _Reader) -> ObjectStore | None:
    source = reader.matching("MODEL_SOURCE", "s3|baked", '"s3" or "baked"', "s3")
    if source != "s3":
        return None
    return ObjectStore(
        endpoint_url=reader.matching(
            "S3_ENDPOINT_URL", "https?://.+", "an address that begins with http:// or https://"
        ),
        bucket=reader.text("S3_BUCKET"),
        access_key_id=reader.text("AWS_ACCESS_KEY_ID"),
        secret_access_key=reader.text("AWS_SECRET_ACCESS_KEY"),
    )


def cpu_quota(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Tell the cores we may use: the cgroup's quota (v2, then v1) rounded up, else the affinity.

    The host's core count is the wrong answer in a container: threads beyond the quota
    only use it up sooner and are then throttled together.
    """
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return allowed
    if quota in {"max", "-1"}:
        return allowed
    return max(1, min(allowed, math.ceil(int(quota) / int(period))))
