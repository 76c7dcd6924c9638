"""The tables and keys of resilience.toml, with their defaults and units."""

from typing import Annotated, Literal, TypeAlias

import msgspec

Seconds: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]

ModelSource: TypeAlias = Literal["baked", "downloaded"]
"""Where a replica has its model from: it came with the image, or is fetched at each start."""

PLACEHOLDERS = frozenset(
    {
        "model_digest",
        "database_url",
        "cache_url",
        "store_url",
        "store_bucket",
        "store_key",
        "store_secret",
        "replica",
    }
)
"""What a value in [service.environment] may refer to as ``{name}``; the run fills it in."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of resilience.toml: an unknown key is an error."""


class Records(Section, frozen=True):
    """How to read back what the service has recorded.

    The query answers with request id, replica, model digest and number of executions, one row a
    record; ``{prefix}`` stands for what the ids of one scenario begin with.
    """

    query: str


class Service(Section, frozen=True):
    """The service under test."""

    model: str
    golden: str
    build: str | None = None
    image: str | None = None
    port: int = 8080
    http_port: int | None = None
    artifact: str | None = None
    bake_model: bool = False  # into the image, instead of a download at start
    cpus: float = 1.0
    memory_mb: int = 512
    user: int = 65534
    stop_grace_s: Seconds = 30.0  # Kubernetes' terminationGracePeriodSeconds
    environment: dict[str, str] = {}
    baked_environment: dict[str, str] = {}  # what differs where the model is baked into the image
    records: Records | None = None


class Probes(Section, frozen=True):
    """How the platform asks replicas for their health, as a kubelet does it."""

    period_s: Seconds = 1.0
    startup_period_s: Seconds = 0.05
    timeout_s: Seconds = 1.0  # Kubernetes' timeoutSeconds
    failures: Count = 2  # in a row, until a replica counts as not ready
    start_timeout_s: Seconds = 30.0  # Kubernetes' startup probe with its defaults: 10 s x 3
    liveness_failures: Count = 30  # periods in a row, until a restart; Kubernetes': 10 s x 3


class Balancer(Section, frozen=True):
    """nginx's time-outs: above the slowest legal call's p99.9, below the client's deadline.

    What exceeds the limit times the replicas routed to is refused at once, UNAVAILABLE.
    """

    connect_timeout_s: Seconds = 0.25
    read_timeout_s: Seconds = 0.75
    max_fails: Annotated[int, msgspec.Meta(ge=0)] = 5  # time-outs and refusals; 0: no ejection
    fail_timeout_s: Count = 1  # within which they count, and for which a replica is left out
    max_in_flight_per_replica: Annotated[int, msgspec.Meta(ge=0)] = 0
    """0: no limit, as Knative's containerConcurrency; Cloud Run's is 80."""


class Autoscaling(Section, frozen=True):
    """When the platform changes the number of replicas: the defaults of Kubernetes' HPA.

    The target has no default there: this one is Knative's, 70 % of 100 concurrent calls.
    """

    enabled: bool = False
    target_in_flight: Annotated[float, msgspec.Meta(gt=0)] = 70.0  # calls per ready replica
    min_replicas: Count = 1
    max_replicas: Count = 16
    sync_period_s: Seconds = 15.0
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.1
    up_window_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    down_window_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0
    time_scale: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None  # None: the platform's


class PlatformSettings(Section, frozen=True):
    """The platform that the replicas run on."""

    base_image: str = "debian:bookworm-slim"
    replicas: int = 3
    time_scale: float = 1.0
    backing: tuple[Literal["database", "cache", "store"], ...] = ("database", "cache", "store")
    storage_path: Literal["proxied", "direct"] = "proxied"  # direct: no storage fault is possible
    probes: Probes = Probes()
    balancer: Balancer = Balancer()
    autoscaler: Autoscaling = Autoscaling()


class Retry(Section, frozen=True):
    """What the caller does about a failed attempt; one deadline spans all attempts."""

    attempts: Count = 3
    codes: tuple[str, ...] = ("UNAVAILABLE",)


class LoadSettings(Section, frozen=True):
    """The load that is offered, unless a scenario asks for another."""

    rate_rps: float = 200.0
    schedule: str = "poisson"
    deadline_s: float = 2.0
    retry: Retry = Retry()


class Settings(Section, frozen=True):
    """resilience.toml as a whole."""

    service: Service
    platform: PlatformSettings = PlatformSettings()
    load: LoadSettings = LoadSettings()
    contract: dict[str, int | float] = {}
