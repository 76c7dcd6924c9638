"""How far the load generator lags behind its own schedule: ``python bench/load_lag.py [SECONDS]``.

Prints JSON, one entry a rate and engine: send lag and latency in ms, processor ms of the generator
per 1,000 requests. Server and generator share this machine, so compare only figures of one run.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that tests/load is found from anywhere

from harness.load.plan import Engine, Plan
from harness.load.process import LoadProcess
from tests.load.serving import Served

RATES_RPS = (200, 500, 1000)
ENGINES: tuple[Engine, ...] = ("http2", "grpc")


def measure(
    server: Served, rate_rps: float, engine: Engine, seconds: float, directory: Path
) -> dict[str, object]:
    """Offer one rate for some seconds."""
    name, golden = f"r{rate_rps}-", server.golden
    plan = Plan(server.address, rate_rps, "poisson", 1, 2.0, name, golden, "m", engine=engine)
    with LoadProcess.spawn(plan, directory) as load:
        load.begin()
        time.sleep(seconds)  # the load runs meanwhile: this is its duration, not a wait for a state
        loaded = load.stop()
    rows, generator = loaded.requests, loaded.generator
    latency_ms = (rows["done_s"] - rows["intended_s"]) * 1000
    return {
        "rate_rps": rate_rps,
        "engine": engine,
        "planned": generator.planned,
        "sent": generator.sent,
        "correct": int((rows["correct"] == 1).sum()),
        "lag_p50_ms": round(generator.lag_p50_ms, 3),
        "lag_p99_ms": round(generator.lag_p99_ms, 3),
        "lag_max_ms": round(generator.lag_max_ms, 3),
        "latency_p50_ms": round(float(np.percentile(latency_ms, 50)), 3),
        "latency_p99_ms": round(float(np.percentile(latency_ms, 99)), 3),
        "cpu_ms_per_1000": round(1e6 * loaded.conditions.cpu_s / generator.sent, 1),
        "priority": loaded.conditions.priority,
        "pacing": loaded.conditions.pacing,
    }


def measure_all(seconds: float) -> list[dict[str, object]]:
    """Measure each rate and engine against one server."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with Served(directory / "golden.npz") as server:
            return [
                measure(server, rate, engine, seconds, directory)
                for rate in RATES_RPS
                for engine in ENGINES
            ]


def main() -> None:
    """Measure for as many seconds as the command line says, 5 unless told otherwise."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    print(json.dumps(measure_all(seconds), indent=1))


if __name__ == "__main__":
    main()
