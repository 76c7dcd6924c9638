"""Scenarios in which promises are kept: the surge, the burst, the storage, the shutdown."""

from tests.clauses.histories import Story

UNAVAILABLE, RESOURCE_EXHAUSTED = 14, 8


def surge_story() -> Story:
    """100 rps are the capacity; up to three times that is offered, and later 0.8x meets a stall."""
    story = Story(lasting_s=150).fleet(3).capacity(100)
    story.offers("0.8x", 80, from_s=0, to_s=11).offers("1x", 100, from_s=11, to_s=22)
    story.offers("2x", 200, from_s=22, to_s=33).offers("3x", 300, from_s=33, to_s=44)
    story.offers("0.8x", 80, from_s=44, to_s=60).offers("0.8x", 80, from_s=60, to_s=150)
    story.meanwhile(22, 44, every=2, status=RESOURCE_EXHAUSTED, took_s=0.003)
    story.fault("pause", "database", at_s=65, lasting_s=0.7)
    # So few of the load's requests that all of them together are answered as promised.
    story.meanwhile(65, 65.8, status=UNAVAILABLE, took_s=0.5, retries=1)
    return story.probes()


def burst_story() -> Story:
    """Load rises to three times; a second replica is ordered, and answers like the first."""
    story = Story(lasting_s=40).fleet(1).capacity(100).offers("0.3x", 30, from_s=0, to_s=10)
    story.offers("0.9x", 90, from_s=10, to_s=40)
    decided = {"from": 1, "to": 2, "in_flight": 9, "per_replica": 9.0}
    story.event("autoscaler.decided", "autoscaler", at_s=15, **decided)
    return story.start("replica-2", at_s=15.1).probes()


def shutdown_story() -> Story:
    """A replica is told to stop: it drains, ends, and is replaced."""
    return Story().fleet(3).requests().stop("replica-2", at_s=5).probes()


def storage_story() -> Story:
    """Cache, record store and model store are away, one after the other; deadlines are tried."""
    story = Story(lasting_s=60).fleet(3).requests(50).steady(to_s=10)
    story.fault("black hole", "cache-path", at_s=10, lasting_s=5)
    story.fault("refuse", "database-path", at_s=20, lasting_s=10)
    story.observed("outage", from_s=20, to_s=30)
    story.meanwhile(20, 30, status=UNAVAILABLE, took_s=0.005)
    story.meanwhile(20, 30, every=10, status=UNAVAILABLE, took_s=0.005, retries=1)
    story.fault("refuse", "store-path", at_s=45, lasting_s=5).start("replica-4", at_s=46, took_s=8)
    details = {"service_time_ms": 100.0, "deadline_ms": 20.0, "expired": 5, "executed": 0}
    story.event("deadline.tried", "service", at_s=40, fresh_ms=120.0, **details)
    return story.probes()
