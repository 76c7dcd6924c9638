"""The numbers that are scraped from /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_BUCKETS_S = (0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


class Metrics:
    """All metrics of one replica, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "inference_requests", "Answered ModelInfer calls.", ["code"], registry=self._registry
        )
        self._requests_by_code: dict[str, Counter] = {}
        self._full = self._requests.labels("RESOURCE_EXHAUSTED")
        self._latency_s = Histogram(
            "inference_request_seconds",
            "From the arrival of a ModelInfer call to its answer.",
            buckets=LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self.in_flight = self._gauge("inference_in_flight", "Admitted and not answered yet.")
        self.queued_records = self._gauge("record_queue_length", "Records that wait for a commit.")
        self.ready = self._gauge("replica_ready", "1 while traffic may be sent here.")
        self._executions = self._counter("model_executions", "Times that the model ran.")
        self._cache_hits = self._counter("cache_hits", "Predictions answered by the cache.")
        self._cache_misses = self._counter("cache_misses", "Predictions the cache did not have.")

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self._registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self._registry)

    def count_request(self, code: str, latency_s: float) -> None:
        """Count one answered call; the child of each code is kept, for finding it is slow."""
        counter = self._requests_by_code.get(code)
        if counter is None:
            counter = self._requests_by_code[code] = self._requests.labels(code)
        counter.inc()
        self._latency_s.observe(latency_s)

    def count_refusal(self) -> None:
        """Count a call that found the queue full; its latency would say nothing."""
        self._full.inc()

    def count_execution(self) -> None:
        """Count one run of the model."""
        self._executions.inc()

    def count_lookup(self, *, hit: bool) -> None:
        """Count one question to the cache."""
        (self._cache_hits if hit else self._cache_misses).inc()

    def render(self) -> bytes:
        """Write all metrics as Prometheus reads them."""
        return generate_latest(self._registry)
