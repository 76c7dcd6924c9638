"""The life of one replica: live at once, ready when warm, drained when told, gone with 0."""

import asyncio
import importlib
import signal
import time
from dataclasses import dataclass

from service_under_test import health, reflection, servicer
from service_under_test.admission import Admission
from service_under_test.artifacts import ArtifactError, fetch_artifact
from service_under_test.cache import Cache
from service_under_test.configuration import Configuration
from service_under_test.http_port import HttpPort
from service_under_test.inference import Inference, LoadedModel
from service_under_test.logs import EventLog
from service_under_test.metrics import Metrics
from service_under_test.records import Records
from service_under_test.state import Phase, Readiness
from service_under_test.wire.server import Server

EXIT_CANNOT_LISTEN = 1
EXIT_WRONG_ARTIFACT = 3
QUIET_S = 0.5
POLL_S = 0.02
WATCHERS_TOLD_S = 0.05


@dataclass(frozen=True, slots=True)
class Replica:
    """The parts of one running replica."""

    configuration: Configuration
    log: EventLog
    readiness: Readiness
    admission: Admission
    metrics: Metrics
    records: Records
    cache: Cache
    inference: Inference
    server: Server
    http_port: HttpPort


def assemble(configuration: Configuration, log: EventLog) -> Replica:
    """Put the parts together; nothing runs yet."""
    readiness = Readiness()
    metrics = Metrics()
    admission = Admission(configuration.queue_limit)
    metrics.ready.set_function(lambda: float(readiness.ready))
    metrics.in_flight.set_function(lambda: float(admission.in_flight))

    def tell(possible: bool) -> None:
        readiness.acknowledge(possible=possible)
        if readiness.phase is Phase.SERVING:
            log.info("ready_again" if possible else "not_ready", reason=readiness.reason)

    records = Records(configuration.database_url, configuration.replica, metrics, log, tell)
    cache = Cache(configuration.cache_url, log)
    inference = Inference(
        configuration.model_name, configuration.replica, admission, records, cache, metrics
    )
    names = (servicer.SERVICE, health.SERVICE, reflection.SERVICE)
    routes = {
        **servicer.Servicer(readiness, admission, metrics, inference).routes(),
        **health.Health(readiness).routes(),
        **reflection.Reflection(names).routes(),
    }
    return Replica(
        configuration=configuration,
        log=log,
        readiness=readiness,
        admission=admission,
        metrics=metrics,
        records=records,
        cache=cache,
        inference=inference,
        server=Server(routes, log.failure),
        http_port=HttpPort(readiness, metrics),
    )


async def run(configuration: Configuration, log: EventLog, started_s: float) -> int:
    """Live one life and give the exit code."""
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    replica = assemble(configuration, log)
    try:
        await listen(replica)
    except OSError as error:
        log.problem(
            "cannot_listen",
            expected=f"ports {configuration.port} and {configuration.http_port} to be free",
            seen=str(error)[:300],
            action="stop whoever listens there, or set PORT and HTTP_PORT",
        )
        return EXIT_CANNOT_LISTEN
    log.info("listening", port=configuration.port, after_ms=_ms_since(started_s))
    background = [
        asyncio.create_task(replica.records.run()),
        asyncio.create_task(replica.cache.run()),
    ]
    try:
        return await _live(replica, told_to_stop, started_s)
    finally:
        for task in background:
            task.cancel()
        await asyncio.wait(background, timeout=1.0)


async def listen(replica: Replica) -> None:
    """Open both ports, on every address: probes and balancers come from outside."""
    await replica.server.start(replica.configuration.port)
    await replica.http_port.start(replica.configuration.http_port)


async def _live(replica: Replica, told_to_stop: asyncio.Event, started_s: float) -> int:
    loading = asyncio.create_task(_become_ready(replica, started_s))
    stopping = asyncio.create_task(told_to_stop.wait())
    await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not loading.done():
        loading.cancel()
        replica.log.info("stopped_while_loading")
        return 0
    try:
        loading.result()
    except ArtifactError as error:
        replica.log.problem(
            "model_refused", expected=error.expected, seen=error.seen, action=error.action
        )
        return EXIT_WRONG_ARTIFACT
    await stopping
    await drain(replica)
    return 0


async def _become_ready(replica: Replica, started_s: float) -> None:
    """Load, warm up, reach the database once, and only then take traffic.

    A replica that cannot reach its database could acknowledge nothing: see ``state``.
    """
    model = await _load(replica.configuration, replica.log)
    await replica.records.connected_once.wait()
    replica.inference.use(model)
    replica.readiness.advance(Phase.SERVING)
    replica.log.info(
        "ready",
        after_ms=_ms_since(started_s),
        model_name=model.artifact.name,
        model_version=model.artifact.version,
        model_digest=model.artifact.digest,
        cpu_limit=replica.configuration.cpu_limit,
        database=replica.records.available,
        cache=replica.cache.available,
    )


async def _load(configuration: Configuration, log: EventLog) -> LoadedModel:
    """Import onnxruntime while the artifact travels; both take long and neither needs the other."""
    importing = asyncio.to_thread(importlib.import_module, "service_under_test.model")
    module, artifact = await asyncio.gather(importing, fetch_artifact(configuration, log))

    def load() -> LoadedModel:
        model: LoadedModel = module.Model(artifact, configuration.cpu_limit)
        module.Model.warm_up(model)
        return model

    return await asyncio.to_thread(load)


async def drain(replica: Replica) -> None:
    """Say not ready, serve on until the news has arrived, finish what was accepted, stop.

    The news has arrived when nobody has called for a while; who still calls is served, for at
    most PROPAGATION_S, because a platform takes us out of rotation only some time after SIGTERM.
    """
    begun_s = time.monotonic()
    configuration = replica.configuration
    replica.readiness.advance(Phase.DRAINING)
    replica.log.info("draining", in_flight=replica.admission.in_flight)
    serve_on_until_s = begun_s + min(configuration.propagation_s, configuration.drain_s / 2)
    while time.monotonic() < serve_on_until_s and replica.admission.quiet_s() < QUIET_S:  # noqa: ASYNC110 - silence is no event
        await asyncio.sleep(POLL_S)
    replica.readiness.advance(Phase.STOPPING)
    await asyncio.sleep(WATCHERS_TOLD_S)  # the last word of every Watch leaves before the GOAWAY
    left_s = max(0.1, begun_s + configuration.drain_s - time.monotonic())
    await replica.server.stop(left_s)
    await replica.http_port.stop()
    replica.log.info(
        "stopped", drained_ms=_ms_since(begun_s), unfinished=replica.admission.in_flight
    )


def _ms_since(begun_s: float) -> int:
    return round((time.monotonic() - begun_s) * 1000)
