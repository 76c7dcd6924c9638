"""Faults of whole containers: replicas, the balancer, backing services."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from harness.fault import Check, Stages, fault, shown
from harness.platform import Killable

_SUCCESSOR_WITHIN_S = 30.0


@fault
def kill(*targets: Killable) -> Stages:
    """SIGKILL, to all targets at once: they are gone, with whatever they had in flight."""
    with ThreadPoolExecutor(len(targets)) as pool:
        # The engine answers only after it has cleaned up, long after the death: watch meanwhile.
        orders = [pool.submit(target.kill) for target in targets]
        yield [check for target in targets for check in _gone(target)]
        for order in orders:
            order.result()
    # Healing a kill is the platform's work: what is left to show is that it did it.
    yield [_replaced(target) for target in targets]


def _gone(target: Killable) -> Sequence[Check]:
    """By knocking at its port, which the engine has no part in, and by the engine's word.

    In this order: knocking is cheap, while the engine that is asked has less time to replace.
    """
    return (
        shown(
            f"nobody accepts a connection on the port of {target.name}",
            lambda: not target.answers(),
            lambda: "accepted" if target.answers() else "refused",
        ),
        shown(
            f"the engine says that {target.name} runs no more",
            lambda: not target.is_running(),
            lambda: "running" if target.is_running() else "not running",
        ),
    )


def _replaced(target: Killable) -> Check:
    return shown(
        f"a successor of {target.name} is ready",
        target.successor_is_ready,
        lambda: "ready" if target.successor_is_ready() else "none is ready",
        within_s=_SUCCESSOR_WITHIN_S,
    )
