"""A proxy: one listener, one upstream, its connections and its toxics."""

import random
import select
import socket
import sys

from . import addresses
from .addresses import Resolver
from .connection import Address, Connection
from .errors import TOXIC_EXISTS, TOXIC_NOT_FOUND, ApiError
from .link import Traffic
from .loop import Loop
from .toxic import Toxic

_ACCEPTS_AT_ONCE = 64
_BREATH_S = 0.1  # after accept has failed, as it does without file descriptors


class Proxy:
    """Lives in the loop's thread, as all that it owns."""

    def __init__(
        self,
        name: str,
        listen: str,
        upstream: str,
        loop: Loop,
        rng: random.Random,
        resolver: Resolver,
    ) -> None:
        self.name, self.listen, self.upstream = name, listen, upstream
        self.toxics: list[Toxic] = []
        self._loop, self._random, self._resolver = loop, rng, resolver
        self._listener: socket.socket | None = None
        self._connections: set[Connection] = set()
        self._accepted = 0
        self._up, self._down = Traffic(), Traffic()
        self._touched_before = 0  # by toxics that are gone

    @property
    def enabled(self) -> bool:
        """Whether it takes connections."""
        return self._listener is not None

    def enable(self) -> None:
        """Listen. Raises ApiError where that cannot be."""
        if self._listener is None:
            listener = addresses.listen(self.listen)
            listener.setblocking(False)
            self._listener, self.listen = listener, addresses.written(listener)
            self._loop.watch(listener.fileno(), select.EPOLLIN, self._accept)

    def move(self, listen: str) -> None:
        """Listen elsewhere. Raises ApiError where that cannot be, and stays where it was."""
        before, was_enabled = self.listen, self.enabled
        self._stop_listening()
        self.listen = listen
        try:
            if was_enabled:
                self.enable()
        except ApiError:
            self.listen = before
            self.enable()
            raise
        self.reset_connections()

    def disable(self) -> None:
        """Refuse connections from now on, and reset those that exist."""
        self._stop_listening()
        self.reset_connections()

    def reset_connections(self) -> None:
        """Abort them all with RST."""
        for connection in list(self._connections):
            connection.reset()

    def _stop_listening(self) -> None:
        if self._listener:
            self._loop.unwatch(self._listener.fileno())
            self._listener.close()
            self._listener = None

    def _accept(self, _events: int) -> None:
        listener = self._listener
        for _ in range(_ACCEPTS_AT_ONCE if listener else 0):
            assert listener is not None
            try:
                client, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                sys.stderr.write(f"proxy {self.name}: accept failed: {error}\n")
                self._loop.unwatch(listener.fileno())
                self._loop.after(_BREATH_S, lambda: self._accept_again(listener))
                return
            self._open(client)

    def _accept_again(self, listener: socket.socket) -> None:
        if listener is self._listener:
            self._loop.watch(listener.fileno(), select.EPOLLIN, self._accept)

    def _open(self, client: socket.socket) -> None:
        self._accepted += 1
        connection = Connection(client, self._accepted, self._loop, self._random)
        connection.on_close = self._connections.discard
        self._connections.add(connection)

        def resolved(found: list[Address]) -> None:
            connection.connect(found, self._up, self._down, self._opened)

        self._resolver.resolve(self.upstream, resolved)

    def _opened(self, connection: Connection) -> None:
        for toxic in self.toxics:
            spared = toxic.only_existing and connection.number > toxic.newest
            if not spared and not connection.is_closed:
                self._strike(toxic, connection)

    def _strike(self, toxic: Toxic, connection: Connection, passed_bytes: int = 0) -> None:
        if toxic.strikes_connection(self._random):
            connection.attach(toxic, self._position(toxic, connection), passed_bytes)

    def _position(self, toxic: Toxic, connection: Connection) -> int:
        """Chains keep the order in which toxics were added."""
        before = self.toxics[: self.toxics.index(toxic)]
        stages = connection.links[toxic.stream].stages
        return sum(stage.toxic in before for stage in stages)

    def _catch_up(self) -> None:
        """Take notice of all that clients regard as connected already."""
        self._accept(0)
        for connection in list(self._connections):
            connection.settle()

    def _established(self) -> list[Connection]:
        return [each for each in self._connections if each.links]

    def add(self, toxic: Toxic) -> None:
        """Let a toxic act, on existing connections too. Raises ApiError if the name is taken."""
        if any(each.name == toxic.name for each in self.toxics):
            raise TOXIC_EXISTS
        self._catch_up()
        toxic.newest = self._accepted
        self.toxics.append(toxic)
        for connection in self._established():
            self._strike(toxic, connection)

    def toxic(self, name: str) -> Toxic:
        """The toxic of that name. Raises ApiError if there is none."""
        for toxic in self.toxics:
            if toxic.name == name:
                return toxic
        raise TOXIC_NOT_FOUND

    def change(self, toxic: Toxic, body: object) -> None:
        """Change settings. Who is struck is drawn again only if the probability changed.

        Raises ApiError, and changes nothing then.
        """
        draws_before = toxic.toxicity, toxic.per
        toxic.kind, toxic.toxicity, toxic.per = toxic.changed(body)
        if toxic.only_existing:
            return  # whom it struck is dead already
        for connection in self._established():
            stage = connection.find(toxic)
            if (toxic.toxicity, toxic.per) == draws_before:
                if stage:
                    stage.change()
            elif not toxic.strikes_connection(self._random):
                if stage:
                    connection.detach(stage)
            elif stage:
                stage.change()
            else:
                connection.attach(toxic, self._position(toxic, connection))

    def remove(self, toxic: Toxic) -> None:
        """Stop a toxic; what it held back is delivered."""
        for connection in self._established():
            stage = connection.find(toxic)
            if stage:
                connection.detach(stage)
        self.toxics.remove(toxic)
        self._touched_before += toxic.touched

    def restore(self) -> None:
        """As if nothing had ever been asked of it: enabled, no toxics. Raises ApiError."""
        for toxic in list(self.toxics):
            self.remove(toxic)
        self.enable()

    def as_json(self) -> dict[str, object]:
        """Toxiproxy's fields, and ours under ``mayfly``."""
        links = [link for each in self._connections for link in each.links.values()]
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "toxics": [toxic.as_json() for toxic in self.toxics],
            "mayfly": {
                "connections_open": len(self._connections),
                "connections_accepted": self._accepted,
                "bytes_up": self._up.passed_bytes,
                "bytes_down": self._down.passed_bytes,
                "bytes_held": sum(link.held_bytes for link in links),
                "touched": self._touched_before + sum(each.touched for each in self.toxics),
            },
        }
