"""The run's own network, in which no address is ever given out twice."""

import ipaddress
import itertools
import threading
from collections.abc import Mapping

import docker
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from harness.errors import PlatformError

_TRIES = 20
_FIRST_HOST = 10


class Network:
    """A bridge network. A replacement has to get a new address, and the engine reuses old ones."""

    def __init__(self, client: docker.DockerClient, name: str, labels: Mapping[str, str]) -> None:
        self.name = name
        self._client = client
        subnet = self._create(labels)
        self._addresses = itertools.islice(subnet.hosts(), _FIRST_HOST, None)
        self._lock = threading.Lock()

    def address(self) -> str:
        """One that nobody in this run has had."""
        with self._lock:
            address = next(self._addresses, None)
        if address is None:
            raise PlatformError(f"the network {self.name} has given out all its addresses")
        return str(address)

    def _create(self, labels: Mapping[str, str]) -> ipaddress.IPv4Network:
        """Ask for a subnet that the engine found free: only then may addresses be chosen."""
        for _ in range(_TRIES):
            probe = self._client.networks.create(self.name, driver="bridge", labels=dict(labels))
            probe.reload()
            subnet = probe.attrs["IPAM"]["Config"][0]["Subnet"]
            probe.remove()
            try:
                self._client.networks.create(
                    self.name,
                    driver="bridge",
                    labels=dict(labels),
                    ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)]),
                )
            except APIError as error:
                if "overlap" not in str(error):  # another run was faster: ask again
                    raise
            else:
                return ipaddress.IPv4Network(subnet)
        raise PlatformError(
            f"no free subnet for the network {self.name} after {_TRIES} tries; "
            "remove networks that nobody uses: docker network prune"
        )
