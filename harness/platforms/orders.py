"""Carries out what the Reconciler orders: launches, routes and stops."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from harness import nginx
from harness.control import Launch, Order, Route, Stop
from harness.errors import MayflyError
from harness.platforms.balancer_keeper import BalancerKeeper
from harness.platforms.grounds import Grounds
from harness.platforms.replica_starter import ReplicaStarter
from harness.platforms.roster import Roster

_UNROUTED_WITHIN_S = 10.0


class Orders:
    """Hands the slow work to the pool, so that the control loop goes on."""

    def __init__(
        self,
        grounds: Grounds,
        balancer: BalancerKeeper,
        pool: ThreadPoolExecutor,
        roster: Roster,
        starter: ReplicaStarter,
    ) -> None:
        self._grounds = grounds
        self._balancer = balancer
        self._pool = pool
        self._roster = roster
        self._starter = starter

    def carry_out(self, orders: Sequence[Order]) -> None:
        """Launches first: they only hand work to the pool, so routing goes on beside them."""
        for order in orders:
            if isinstance(order, Launch):
                self._launch(order)
        for order in orders:
            if isinstance(order, Route):
                self._route(order.names)
        for order in orders:
            if isinstance(order, Stop):
                self._stop(order)

    def _route(self, names: Sequence[str]) -> None:
        port = self._grounds.settings.service.port
        containers = [self._roster.container(name) for name in names]
        self._balancer.route(
            [nginx.Route(each.name, f"{each.spec.address}:{port}") for each in containers if each]
        )

    def _launch(self, order: Launch) -> None:
        details = {"slot": order.slot, "predecessor": order.predecessor, "reason": order.reason}
        delay_s = order.not_before_s - time.monotonic()
        if order.predecessor is not None:
            self._roster.succeeds(order.name, order.predecessor)

        def begin() -> None:
            if not self._roster.is_leaving(order.name):
                self._starter.order(order.name, self._grounds.blueprint.variant(), details)

        if delay_s > 0:
            timer = threading.Timer(delay_s, begin)
            timer.daemon = True
            timer.start()
        else:
            begin()

    def _stop(self, order: Stop) -> None:
        self._roster.set_leaving(order.name)
        self._grounds.recorder.event("replica.stopping", order.name, {"reason": order.reason})
        self._pool.submit(self._end, order.name)

    def _end(self, name: str) -> None:
        """SIGTERM once the balancer sends it nothing more, or does not say so for too long."""
        try:
            self._grounds.wait_until(
                lambda: name not in self._balancer.in_force(), _UNROUTED_WITHIN_S
            )
        except MayflyError:
            return  # the platform has failed: everything is removed soon
        self._starter.stop(name)
