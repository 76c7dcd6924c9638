"""Figures of the whole stack: generator, nginx, three replicas, stores. ``python -m bench``.

All share one machine, so compare only figures of one run; ratios are what counts.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from harness.assembly import Assembly, retry_policy
from harness.directories import new_run_id
from harness.load.plan import Plan
from harness.load.process import LoadProcess
from harness.platforms.docker import DockerPlatform
from harness.recorder import Recorder
from harness.session import heal

RATES_RPS = (200, 500)
_SECONDS = 10.0
_STARTS = 3


def measure(root: Path) -> dict[str, object]:
    """Start the platform of the project's own resilience.toml and measure it."""
    assembly = Assembly.of(root / "resilience.toml")
    heal()
    images = assembly.images(_silent)
    began_s = time.monotonic()
    blueprint = assembly.blueprint(images, new_run_id())
    with DockerPlatform(blueprint, Recorder(), _silent) as platform:
        stack_start_s = time.monotonic() - began_s
        lags = [_offer(assembly, platform, rate_rps) for rate_rps in RATES_RPS]
        starts = [platform.bare_start(30.0).time_to_ready_s or np.nan for _ in range(_STARTS)]
    return {
        "stack_start_s": round(stack_start_s, 3),
        "bare_cold_start_s": round(median(starts), 3),
        "load_behind_nginx": lags,
    }


def _offer(assembly: Assembly, platform: DockerPlatform, rate_rps: float) -> dict[str, object]:
    settings = assembly.settings
    plan = Plan(
        address=platform.address,
        rate_rps=rate_rps,
        schedule="poisson",
        seed=1,
        deadline_s=settings.load.deadline_s,
        id_prefix=f"bench-{rate_rps:g}-",
        golden=assembly.golden,
        model_name=settings.service.model,
        retry=retry_policy(settings),
    )
    with tempfile.TemporaryDirectory() as folder, LoadProcess.spawn(plan, Path(folder)) as load:
        load.begin()
        time.sleep(_SECONDS)  # the duration of the load, not a wait for a state
        loaded = load.stop()
    latency_ms = (loaded.requests["done_s"] - loaded.requests["intended_s"]) * 1000
    return {
        "rate_rps": rate_rps,
        "sent": loaded.generator.sent,
        "failed": int((loaded.requests["status"] != 0).sum()),
        "lag_p50_ms": round(loaded.generator.lag_p50_ms, 3),
        "lag_p99_ms": round(loaded.generator.lag_p99_ms, 3),
        "lag_max_ms": round(loaded.generator.lag_max_ms, 3),
        "latency_p50_ms": round(float(np.percentile(latency_ms, 50)), 3),
        "latency_p99_ms": round(float(np.percentile(latency_ms, 99)), 3),
        "generator_cpu_ms_per_1000": round(1e6 * loaded.conditions.cpu_s / loaded.generator.sent),
        "priority": loaded.conditions.priority,
    }


def _silent(_what: str) -> None:
    """A benchmark prints its figures and nothing else."""
