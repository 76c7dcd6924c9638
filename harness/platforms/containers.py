"""One container of a run: hardened, labelled, on 127.0.0.1 only; made by testcontainers."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container as DockerModel
from docker.types import EndpointConfig
from requests.exceptions import RequestException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from harness.engine import REQUEST_TIMEOUT_S
from harness.errors import EngineError, ImageError, PlatformError
from harness.platform import End

# Its reaper would need an image from a registry; ownership.py does the reaper's work.
testcontainers_config.ryuk_disabled = True

LOOPBACK = "127.0.0.1"
_PERIOD_US = 10_000
"""Of the processor quota. The engine's own 100 ms makes who has used up a small quota wait for most
of that, which is a stall that no smaller machine would have."""
_API_VERSION = "1.41"  # of the networking options; any engine since 2020 speaks it


@dataclass(frozen=True, slots=True)
class Spec:
    """What a container is to be."""

    name: str
    image: str
    labels: Mapping[str, str]
    network: str
    address: str  # inside the network
    alias: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[int, int | None] = field(default_factory=dict)
    """Port inside to port on 127.0.0.1; None: one that the engine chooses."""
    volumes: Mapping[str, str] = field(default_factory=dict)  # name to path inside
    folders: Mapping[str, str] = field(default_factory=dict)  # path here to path inside, read-only
    written: Mapping[str, str] = field(default_factory=dict)  # the same, where it may write as well
    cpus: float | None = None
    memory_mb: int | None = None
    user: str | None = None
    scratch_mb: int = 64  # size of /tmp, the only place where it may write


@dataclass(slots=True)
class Life:
    """From one start of a container to its end. A container that is started again has several."""

    ports: dict[int, int] = field(default_factory=dict)  # inside to the one on 127.0.0.1
    started_s: float | None = None
    pid: int = 0  # as this machine numbers its processes
    end: End | None = None


class Container:
    """A container from start to removal. All methods raise EngineError if the engine is gone."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._container = _describe(spec)
        self._lives = [Life()]

    @property
    def name(self) -> str:
        """Unique in the run."""
        return self.spec.name

    @property
    def full_name(self) -> str:
        """Its name on the engine."""
        return _full_name(self.spec)

    @property
    def lives(self) -> Sequence[Life]:
        """Its lives, the latest last; there is always one, be it still to begin."""
        return self._lives

    @property
    def has_started(self) -> bool:
        """Whether it ever ran."""
        return self._lives[0].started_s is not None

    def start(self) -> None:
        """Create and start it. Raises ImageError or PlatformError where that fails."""
        self._begin(self._container.start)

    def restart(self) -> None:
        """Start it again after its end: what it wrote is kept, ports may be others than before."""
        self._lives.append(Life())
        self._begin(self._model.start)

    def ended(self, end: End) -> None:
        """Its end has been heard of."""
        self._lives[-1].end = end

    def _begin(self, start: Callable[[], object]) -> None:
        try:
            with engine_errors(f"starting {self.name}"):
                start()
                self._lives[-1].started_s = time.monotonic()
                self._look()
        except ImageNotFound as error:
            raise ImageError(
                f"expected the image {self.spec.image} on the engine or in a registry, found "
                "neither; build or pull it, or mend service.image in resilience.toml"
            ) from error
        except APIError as error:
            raise PlatformError(
                f"{self.name} did not start from {self.spec.image}: {error.explanation or error}"
            ) from error

    def _look(self) -> None:
        """Note what the engine gave it: its process and its ports."""
        model = self._model
        model.reload()
        self._lives[-1].pid = int(model.attrs["State"]["Pid"])
        network = model.attrs["NetworkSettings"]
        for inside, bindings in (network.get("Ports") or {}).items():
            if bindings:
                port = int(inside.partition("/")[0])
                self._lives[-1].ports[port] = int(bindings[0]["HostPort"])

    @property
    def _model(self) -> DockerModel:
        return self._container.get_wrapped_container()

    def published(self, port: int, life: int = -1) -> int:
        """The port on 127.0.0.1 behind which this port is, or was in an earlier life."""
        ports = self._lives[life].ports
        if port not in ports:
            raise PlatformError(
                f"{self.name} published no port {port}: it ended as soon as it started"
            )
        return ports[port]

    def identity(self) -> str:
        """Container and process id, and whether that has ended: any of it changes with a restart.

        As the engine told at the start and tells in its events. To ask it now would take from the
        processors what the service needs, in the midst of a measurement.
        """
        life = self._lives[-1]
        ended = "" if life.end is None else ", ended"
        return f"{self._model.short_id} pid {life.pid}{ended}"

    @property
    def id(self) -> str:
        """The engine's short id, which is the host name inside as well."""
        return str(self._model.short_id)

    def is_running(self) -> bool:
        """Whether its process is there, be it frozen."""
        return self._status() in ("running", "paused")

    def is_paused(self) -> bool:
        """Whether its processes are frozen."""
        return self._status() == "paused"

    def _status(self) -> str:
        with engine_errors(f"inspecting {self.name}"):
            try:
                self._model.reload()
            except NotFound:
                return "removed"
            return str(self._model.status)

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send a signal to its first process."""
        with engine_errors(f"sending {signal} to {self.name}"):
            self._model.kill(signal)

    def stop(self, grace_s: float) -> None:
        """Its image's stop signal, and SIGKILL where it still runs after the grace.

        The engine counts whole seconds.
        """
        with engine_errors(f"stopping {self.name}"):
            self._model.stop(timeout=round(grace_s))

    def limit_cpus(self, cpus: float) -> None:
        """Let it have this many processors at most from now on."""
        with engine_errors(f"limiting {self.name}"):
            self._model.update(cpu_period=_PERIOD_US, cpu_quota=round(cpus * _PERIOD_US))

    def pause(self) -> None:
        """Freeze all its processes."""
        with engine_errors(f"pausing {self.name}"):
            self._model.pause()

    def resume(self) -> None:
        """Thaw them."""
        with engine_errors(f"resuming {self.name}"):
            self._model.unpause()

    def run(self, *command: str) -> bytes:
        """What a command prints that runs inside. Raises PlatformError where it fails."""
        with engine_errors(f"running {command[0]} in {self.name}"):
            code, output = self._model.exec_run(list(command))
        if code:
            raise PlatformError(
                f"`{' '.join(command)[:120]}` in {self.name} ended with {code}: "
                f"{cast('bytes', output).decode(errors='replace')[-400:]}"
            )
        return cast("bytes", output)

    def output(self, lines: int | None = None) -> bytes:
        """What it wrote: the last lines, or all."""
        with engine_errors(f"reading the log of {self.name}"):
            return bytes(self._model.logs(tail="all" if lines is None else lines))

    def samples(self) -> Iterator[Mapping[str, object]]:
        """The engine's usage statistics, about one a second, until it ends."""
        with engine_errors(f"reading statistics of {self.name}"):
            for sample in self._model.stats(stream=True, decode=True):
                yield cast("Mapping[str, object]", sample)


def _full_name(spec: Spec) -> str:
    return f"{spec.labels['mayfly.run']}-{spec.name}"


def _describe(spec: Spec) -> DockerContainer:
    container = DockerContainer(
        spec.image,
        docker_client_kw={"timeout": int(REQUEST_TIMEOUT_S)},
        env=dict(spec.environment),
        name=_full_name(spec),
    )
    for inside, outside in spec.ports.items():
        binding = (LOOPBACK,) if outside is None else (LOOPBACK, outside)
        container.ports[f"{inside}/tcp"] = binding  # type: ignore[assignment]  # docker-py takes both
    for volume, path in spec.volumes.items():
        container.with_volume_mapping(volume, path, "rw")
    for folder, path in spec.folders.items():
        container.with_volume_mapping(folder, path, "ro")
    for folder, path in spec.written.items():
        container.with_volume_mapping(folder, path, "rw")
    container.with_tmpfs_mount("/tmp", f"size={spec.scratch_mb}m,mode=1777")  # noqa: S108  # inside
    endpoint = EndpointConfig(
        _API_VERSION, aliases=[spec.alias] if spec.alias else None, ipv4_address=spec.address
    )
    memory = f"{spec.memory_mb}m" if spec.memory_mb else None
    container.with_kwargs(
        labels=dict(spec.labels),
        network=spec.network,
        networking_config={spec.network: endpoint},
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        pids_limit=512,
        user=spec.user,
        cpu_period=_PERIOD_US if spec.cpus else None,
        cpu_quota=round(spec.cpus * _PERIOD_US) if spec.cpus else None,
        mem_limit=memory,
        memswap_limit=memory,
    )
    return container


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn the loss of the engine into an EngineError; its own refusals pass through."""
    try:
        yield
    except APIError as error:
        if error.is_server_error() and error.status_code == 503:
            raise EngineError(
                f"the Docker engine refused to work while {doing}: {error}"
            ) from error
        raise
    except (RequestException, DockerException, ConnectionError, TimeoutError) as error:
        raise EngineError(
            f"the Docker engine stopped answering while {doing} ({type(error).__name__}); "
            "when it runs again, `mayfly heal` removes what this run left behind"
        ) from error
