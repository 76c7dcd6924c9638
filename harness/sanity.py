"""What no type can say of resilience.toml: ranges, contradictions, placeholders, misspelt keys."""

import difflib
import re
import string
from collections.abc import Mapping
from pathlib import Path

import msgspec

from harness.errors import ConfigurationError
from harness.settings import PLACEHOLDERS, Settings


def refuse_nonsense(settings: Settings, path: Path) -> None:
    """Raise ConfigurationError for the first value that has the right type and no meaning."""
    service, scale = settings.service, settings.platform.time_scale
    autoscaler = settings.platform.autoscaler
    bounds = f"{autoscaler.min_replicas} and {autoscaler.max_replicas}"
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
            not 0 < scale <= 1,
            f"platform.time_scale: expected above 0, at most 1, found {scale}",
        ),
        (
            not autoscaler.min_replicas <= autoscaler.max_replicas <= 16,
            f"platform.autoscaler: expected min_replicas <= max_replicas <= 16, found {bounds}",
        ),
        (
            not 0 < settings.load.deadline_s <= 300,
            f"load.deadline_s: expected above 0, at most 300 s, found {settings.load.deadline_s}",
        ),
        (
            not 0 < settings.load.rate_rps <= 10_000,
            f"load.rate_rps: expected above 0, at most 10000, found {settings.load.rate_rps}",
        ),
        (
            settings.load.schedule not in {"constant", "poisson"},
            f"load.schedule: expected constant or poisson, found {settings.load.schedule!r}",
        ),
        (
            not 0 < service.cpus <= 1024,
            f"service.cpus: expected above 0, at most 1024, found {service.cpus}",
        ),
        (
            service.memory_mb < 16,
            f"service.memory_mb: expected at least 16, found {service.memory_mb}",
        ),
        *(
            (not 1 <= port <= 65535, f"service: expected a port from 1 to 65535, found {port}")
            for port in (service.port, 1 if service.http_port is None else service.http_port)
        ),
    ]
    for wrong, message in problems:
        if wrong:
            raise ConfigurationError(f"{path}: {message}")
    for table in ("environment", "baked_environment"):
        values: dict[str, str] = getattr(service, table)
        for key, value in values.items():
            _check_placeholders(f"service.{table}.{key}", value, path)


def _check_placeholders(where: str, value: str, path: Path) -> None:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
    except ValueError as error:
        raise ConfigurationError(f"{path}: {where}: {error}") from error
    unknown = names - PLACEHOLDERS
    if unknown:
        raise ConfigurationError(
            f"{path}: {where} refers to {{{unknown.pop()}}}, which nothing "
            f"fills in; known: {', '.join(sorted(PLACEHOLDERS))}"
        )


def refuse_wrong_types(document: Mapping[str, object], path: Path) -> None:
    """Raise ConfigurationError for wrong types in tables with free keys, and name the key."""
    service = document.get("service")
    for table in ("environment", "baked_environment"):
        environment = service.get(table) if isinstance(service, dict) else None
        for key, value in (environment if isinstance(environment, dict) else {}).items():
            if not isinstance(value, str):
                raise ConfigurationError(
                    f'{path}: service.{table}.{key}: expected text such as "{value}", '
                    f"found {value!r}; put it in quotation marks"
                )
    contract = document.get("contract")
    for key, value in (contract if isinstance(contract, dict) else {}).items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigurationError(f"{path}: contract.{key}: expected a number, found {value!r}")


def explain(message: str) -> str:
    """Msgspec's message with the place first, and a guess where a key is misspelt."""
    text, _, place = message.partition(" - at `$")
    where = place.rstrip("`").lstrip(".") or "the file"
    unknown = re.search(r"unknown field `([^`]+)`", text)
    if unknown:
        known = _keys(where)
        return (
            f"{where} has no key {unknown[1]!r}{guess(unknown[1], known)}; "
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


def guess(key: str, known: dict[str, object]) -> str:
    """A hint at the key that was probably meant, or nothing."""
    key = key.replace("-", "_")
    stem = re.sub(r"_(s|ms|mb|rps|seconds|millis)$", "", key)
    near = difflib.get_close_matches(key, known, n=1) or [
        name for name in known if name.startswith(stem)
    ]
    return f"; did you mean {near[0]!r}?" if near else ""
