"""One storage path: the way from the replicas through the proxy to one backing service.

What is true of it is measured by clients of the harness's own, which speak the service's protocol:
on connections that were there before, on new ones, and past the proxy on the service's own door.
The proxy's word (which rules, how often they acted) is a second statement beside that.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from harness.errors import FaultError
from harness.platform import Reset
from harness.platforms.containers import Container
from harness.platforms.storage_link import (
    ROUND_TRIPS,
    Link,
    Outcome,
    Speak,
    bytes_until_end,
    outcome_of,
)
from harness.platforms.wire import Door
from harness.toxiproxy import NewToxic, Stream, Toxiproxy

_TIMEOUT_S = 2.0
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class StoragePath:
    """Fits ``harness.platform.Resettable``. What it changes is in force until it is taken back."""

    service: str
    container: Container  # the proxy's
    control: Toxiproxy
    door: Door
    """Through the proxy."""
    find_direct: Callable[[], Door] = field(repr=False)
    """Of the service itself, which gets another port when it is started again."""
    speak: Speak = field(repr=False)
    sees_resets: bool = True
    """Whether RST and refusal reach us: a port that the engine publishes may say "closed"."""

    # As a target

    @property
    def name(self) -> str:
        """Of the path, not of the service behind it."""
        return f"{self.service}-path"

    def is_running(self) -> bool:
        """Whether the proxy's process is there."""
        return self.container.is_running()

    def answers(self) -> bool:
        """Whether the proxied door takes connections and keeps them."""
        return self.door.is_open()

    def identity(self) -> str:
        """The proxy's container and process, and the rules in force on this path."""
        return f"{self.container.identity()} {self.rules() or 'no rule'}"

    def successor_is_ready(self) -> bool:
        """Never: nobody replaces it."""
        return False

    def logs(self, lines: int) -> str:
        """The last lines of what the proxy wrote."""
        return self.container.output(lines=lines).decode(errors="replace")

    def resets(self) -> Sequence[Reset]:
        """Enabled, and without a rule."""
        return (Reset("proxy", self.service, self.control.url),)

    # Disturbing. All of it raises FaultError where the proxy does not obey.

    def add(
        self,
        kind: str,
        stream: Stream = "downstream",
        toxicity: float = 1.0,
        per: Literal["connection", "chunk"] = "connection",
        **attributes: float,
    ) -> str:
        """Put a toxic in force; its name, for ``remove`` and ``touched``."""
        name = f"{kind}-{next(_numbers)}"
        self.control.add(self.service, NewToxic(name, kind, stream, toxicity, attributes, per))
        return name

    def remove(self, name: str) -> None:
        """Take one toxic back."""
        self.control.remove(self.service, name)

    def clear(self) -> None:
        """Take everything back."""
        self.control.reset(self.service)

    def disable(self) -> None:
        """Refuse connections, and end those that are open."""
        self.control.enable(self.service, enabled=False)

    def enable(self) -> None:
        """Listen again."""
        self.control.enable(self.service, enabled=True)

    # Asking the proxy

    def rules(self) -> str:
        """What is in force, by the proxy's word; empty for nothing."""
        return self.control.proxy(self.service).rules()

    def is_enabled(self) -> bool:
        """Whether it listens, by the proxy's word."""
        return self.control.proxy(self.service).enabled

    def connections(self) -> int | None:
        """How many are open, by the proxy's word; None where it does not count."""
        return self.control.proxy(self.service).connections

    def touched(self, name: str) -> int | None:
        """What a toxic has acted on, by the proxy's word; None where it does not count."""
        for toxic in self.control.proxy(self.service).toxics:
            if toxic.name == name:
                return toxic.touched
        return 0

    # Measuring, past the proxy's word. All of it raises OSError where there is no answer.

    def open(self, timeout_s: float = _TIMEOUT_S) -> Link:
        """A new connection through the proxy, logged in."""
        return Link(self.door, self.speak, timeout_s)

    @contextmanager
    def kept(self, number: int = 1, timeout_s: float = _TIMEOUT_S) -> Iterator[list[Link]]:
        """Connections that are there before anything happens, until the block ends."""
        links: list[Link] = []
        try:
            links.extend(self.open(timeout_s) for _ in range(number))
            yield links
        except OSError as error:
            if len(links) == number:
                raise
            raise FaultError(
                f"expected that {self.name} takes a connection of ours before it is disturbed, "
                f"seen: {error or type(error).__name__}; see whether {self.service} is well"
            ) from error
        finally:
            for link in links:
                link.close()

    def new_round_trip_ms(self, timeout_s: float = _TIMEOUT_S, times: int = ROUND_TRIPS) -> float:
        """On a connection that is new, once it stands."""
        with closing(self.open(timeout_s)) as link:
            return link.round_trip_ms(times)

    def new_round_trips_ms(self, number: int, timeout_s: float) -> list[float]:
        """On so many connections that are new."""
        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(lambda _: self.new_round_trip_ms(timeout_s, 1), range(number)))

    def direct_round_trip_ms(self) -> float:
        """On a new connection to the service itself, past the proxy."""
        with closing(Link(self.find_direct(), self.speak, _TIMEOUT_S)) as link:
            return link.round_trip_ms()

    def new_rate_kbps(self, size: int, timeout_s: float = _TIMEOUT_S) -> float:
        """At how many KB/s so many bytes come on a new connection."""
        with closing(self.open(timeout_s)) as link:
            return link.rate_kbps(size)

    def new_outcome(self, timeout_s: float = _TIMEOUT_S) -> Outcome:
        """What comes of a new connection and one exchange on it."""
        try:
            link = self.open(timeout_s)
        except OSError as error:
            return outcome_of(error)
        with closing(link):
            return link.outcome()

    def new_outcomes(self, number: int, timeout_s: float = _TIMEOUT_S) -> list[Outcome]:
        """What comes of so many at once."""
        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(lambda _: self.new_outcome(timeout_s), range(number)))

    def new_flips(self, size: int, timeout_s: float = _TIMEOUT_S) -> int:
        """How many bits arrive wrong, of so many bytes on a new connection."""
        with closing(self.open(timeout_s)) as link:
            return link.fetch(size)

    def is_damaged(self, size: int) -> bool:
        """Whether so many bytes on a new connection arrive wrong, or in no form at all."""
        try:
            return self.new_flips(size, _TIMEOUT_S / 2) > 0
        except OSError:
            return True

    def new_bytes_until_end(self, size: int) -> int:
        """How many bytes come on a new connection until it ends, the log-in's included."""
        return bytes_until_end(self.door, self.speak, size, _TIMEOUT_S)

    def seen_as(self, outcome: Outcome) -> frozenset[Outcome]:
        """By which outcomes this one shows at the door that we have."""
        if self.sees_resets or outcome not in {Outcome.RESET, Outcome.REFUSED}:
            return frozenset({outcome})
        return frozenset({outcome, Outcome.CLOSED})
