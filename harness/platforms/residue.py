"""What a fault has left on the containers of a run, though it is over."""

from collections.abc import Mapping, Sequence
from typing import cast

import docker

from harness.platforms.child_processes import HELPER
from harness.platforms.containers import Container, engine_errors
from harness.platforms.ownership import ROLE, RUN

_PERIOD_US = 100_000  # the engine's, where none is set
_MB = 1 << 20


def residue(client: docker.DockerClient, run_id: str, containers: Sequence[Container]) -> list[str]:
    """One sentence for each running container that is paused, or limited otherwise than its spec.

    Helpers of faults that still run are named as well. Empty where nothing is left.
    """
    specs = {each.full_name: each.spec for each in containers}
    found = []
    with engine_errors("looking for what faults left behind"):
        label: dict[str, str | list[str] | bool] = {"label": f"{RUN}={run_id}"}
        running = client.containers.list(filters=label, ignore_removed=True)
    for each in sorted(running, key=lambda one: str(one.name)):
        spec = specs.get(str(each.name))
        if each.status == "paused":
            found.append(f"{each.name} is paused")
        if each.labels.get(ROLE) == HELPER:
            found.append(f"{each.name} still runs, though no fault needs it")
        if spec is None:
            continue
        host = cast("Mapping[str, int]", each.attrs["HostConfig"])
        cpus = _cpus(host)
        if cpus != spec.cpus:
            found.append(f"{each.name} has {_told(cpus, 'CPU')}, not {_told(spec.cpus, 'CPU')}")
        memory_mb = host.get("Memory", 0) / _MB or None
        if memory_mb != spec.memory_mb:
            found.append(
                f"{each.name} has {_told(memory_mb, 'MB')}, not {_told(spec.memory_mb, 'MB')}"
            )
    return found


def _cpus(host: Mapping[str, int]) -> float | None:
    """What the engine limits it to, in either of its two ways to say so; None: no limit."""
    if host.get("NanoCpus"):
        return host["NanoCpus"] / 1e9
    quota_us = host.get("CpuQuota") or 0
    return quota_us / (host.get("CpuPeriod") or _PERIOD_US) if quota_us > 0 else None


def _told(limit: float | None, unit: str) -> str:
    return f"no limit in {unit}" if limit is None else f"{limit:g} {unit}"
