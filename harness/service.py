"""What is tested and under which conditions, as resilience.toml says it."""

import difflib
import hashlib
import re
import string
import tomllib
from pathlib import Path

import msgspec

from harness.contract import Limits
from harness.errors import ConfigurationError

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

ARTIFACT_FILES = ("model.onnx", "manifest.json")


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
    stop_grace_s: float = 30.0  # Kubernetes' terminationGracePeriodSeconds
    environment: dict[str, str] = {}
    records: Records | None = None


class Probes(Section, frozen=True):
    """How the platform asks replicas for their health, as a kubelet does it."""

    period_s: float = 0.5
    startup_period_s: float = 0.05
    timeout_s: float = 1.0  # Kubernetes' timeoutSeconds
    failures: int = 2  # in a row, until a replica counts as not ready
    start_timeout_s: float = 30.0  # Kubernetes' startup probe with its defaults: 10 s x 3


class Balancer(Section, frozen=True):
    """nginx's time-outs: above the slowest legal call's p99.9, below the client's deadline."""

    connect_timeout_s: float = 0.25
    read_timeout_s: float = 0.75


class PlatformSettings(Section, frozen=True):
    """The platform that the replicas run on."""

    base_image: str = "debian:bookworm-slim"
    replicas: int = 3
    time_scale: float = 1.0
    backing: tuple[str, ...] = ("database", "cache", "store")
    probes: Probes = Probes()
    balancer: Balancer = Balancer()


class Retry(Section, frozen=True):
    """What the caller does about a failed attempt; one deadline spans all attempts."""

    attempts: int = 3
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


class Artifact(msgspec.Struct, frozen=True):
    """A model artifact on disk, its digest checked."""

    folder: Path
    digest: str
    version: str


def read(path: Path) -> Settings:
    """The settings in a TOML file. Raises ConfigurationError with the key, what was expected and seen."""
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"expected {path}, which does not exist; write one (the README shows it), "
            "or name another with --resilience"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    try:
        settings = msgspec.convert(document, Settings)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {_explain(str(error))}") from error
    _check(settings, path)
    return settings


def limits(settings: Settings, path: Path) -> Limits:
    """The contract's limits, with those that [contract] gives in place of the defaults."""
    known: dict[str, object] = dict(Limits.__dataclass_fields__)
    for key in settings.contract:
        if key not in known:
            raise ConfigurationError(f"{path}: contract has no key {key!r}{_guess(key, known)}")
    try:
        return msgspec.convert(settings.contract, Limits)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: contract: {error}") from error


def artifact(settings: Settings, root: Path) -> Artifact | None:
    """The model artifact that the settings name. Raises ConfigurationError where its digest is wrong."""
    if settings.service.artifact is None:
        return None
    folder = root / settings.service.artifact
    try:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=_Manifest)
        seen = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(
            f"service.artifact: expected model.onnx and manifest.json in {folder}, but: {error}; "
            "restore them, or build them anew with the training script"
        ) from error
    if seen != manifest.sha256:
        raise ConfigurationError(
            f"service.artifact: {folder}/model.onnx has sha256 {seen[:16]}..., its manifest says "
            f"{manifest.sha256[:16]}...; restore the file, or build model and manifest anew"
        )
    return Artifact(folder, seen, manifest.version)


class _Manifest(msgspec.Struct, frozen=True):
    sha256: str
    version: str


def _explain(message: str) -> str:
    """msgspec's message with the place first, and a guess where a key is misspelt."""
    text, _, place = message.partition(" - at `$")
    where = place.rstrip("`").lstrip(".") or "the file"
    unknown = re.search(r"unknown field `(\w+)`", text)
    if unknown:
        known = _keys(where)
        return (
            f"{where} has no key {unknown[1]!r}{_guess(unknown[1], known)}; "
            f"known keys: {', '.join(sorted(known))}"
        )
    return f"{where}: {text[0].lower()}{text[1:]}"


def _keys(where: str) -> dict[str, object]:
    kind: type = Settings
    for part in where.split(".") if where != "the file" else ():
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        inner = fields.get(part)
        kind = next(
            (each for each in (inner, *getattr(inner, "__args__", ())) if _is_section(each)), kind
        )
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _guess(key: str, known: dict[str, object]) -> str:
    stem = re.sub(r"_(s|ms|mb|rps|seconds|millis)$", "", key)
    near = difflib.get_close_matches(key, known, n=1) or [
        name for name in known if name.startswith(stem)
    ]
    return f"; did you mean {near[0]!r}?" if near else ""


def _check(settings: Settings, path: Path) -> None:
    service = settings.service
    problems = [
        (
            (service.build is None) == (service.image is None),
            "service: expected exactly one of build and image",
        ),
        (
            not 1 <= settings.platform.replicas <= 16,
            f"platform.replicas: expected 1 to 16, found {settings.platform.replicas}",
        ),
        (
            not 0 < settings.platform.time_scale <= 1,
            f"platform.time_scale: expected above 0 and at most 1, found {settings.platform.time_scale}",
        ),
        (
            not 0 < settings.load.deadline_s <= 300,
            f"load.deadline_s: expected seconds above 0 and at most 300, found {settings.load.deadline_s}",
        ),
        (
            not 0 < settings.load.rate_rps <= 10_000,
            f"load.rate_rps: expected requests per second up to 10000, found {settings.load.rate_rps}",
        ),
        (
            settings.load.schedule not in {"constant", "poisson"},
            f"load.schedule: expected constant or poisson, found {settings.load.schedule!r}",
        ),
        (service.cpus <= 0, f"service.cpus: expected more than 0, found {service.cpus}"),
        (
            service.memory_mb < 16,
            f"service.memory_mb: expected at least 16, found {service.memory_mb}",
        ),
        *(
            (not 1 <= port <= 65535, f"service: expected a port from 1 to 65535, found {port}")
            for port in (service.port, service.http_port or 1)
        ),
    ]
    for wrong, message in problems:
        if wrong:
            raise ConfigurationError(f"{path}: {message}")
    for key, value in service.environment.items():
        _check_placeholders(key, value, path)


def _check_placeholders(key: str, value: str, path: Path) -> None:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
    except ValueError as error:
        raise ConfigurationError(f"{path}: service.environment.{key}: {error}") from error
    unknown = names - PLACEHOLDERS
    if unknown:
        raise ConfigurationError(
            f"{path}: service.environment.{key} refers to {{{unknown.pop()}}}, which nothing fills in; "
            f"known: {', '.join(sorted(PLACEHOLDERS))}"
        )
