"""A toxic at work on one direction of one connection, and what it may do there."""

import random
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .loop import Timer

if TYPE_CHECKING:
    from .link import Link
    from .toxic import Toxic

OVERHEAD_BYTES = 128
"""What keeping one chunk costs beside its bytes."""

_RELEASES_AT_ONCE = 64  # then other connections get their turn


class Effect(Protocol):
    """What a kind of toxic does to one direction of one connection; made by its ``start``."""

    def chunk(self, data: bytes) -> None:
        """Handle data that the toxic strikes."""

    def spare(self, data: bytes) -> None:
        """Hand on data that the toxic does not strike, behind whatever is held back."""

    def end(self) -> None:
        """Handle the source's FIN."""

    def flush(self) -> None:
        """Hand on at once all that is held back: the settings change, or the toxic goes."""

    def lift(self) -> None:
        """The toxic goes, ``flush`` is done: end what cannot go on (bytes are missing)."""


class Kind(Protocol):
    """The attributes of a type of toxic, and how it starts on a link; one file in toxics/ each."""

    def start(self, stage: "Stage") -> Effect:
        """Begin to act on one direction of one connection."""


class Stage:
    """One place in a link's chain: draws who is struck, counts, and carries out."""

    def __init__(self, toxic: "Toxic", link: "Link", passed_bytes: int = 0) -> None:
        self.toxic, self.link = toxic, link
        self.passed_bytes = passed_bytes
        """Handed on since the toxic struck this link; outlasts a change of settings."""
        self.allowance_bytes = toxic.allowance_bytes
        self._timers: list[Timer] = []
        self._is_cut = False
        self.effect = toxic.kind.start(self)

    @property
    def random(self) -> random.Random:
        """The source of all draws."""
        return self.link.connection.random

    def feed(self, data: bytes) -> None:
        """Take data from the stage before."""
        if self._is_cut:
            return
        if self.toxic.strikes_chunk(self.random):
            self.effect.chunk(data)
        else:
            self.effect.spare(data)

    def feed_end(self) -> None:
        """Take the end from the stage before."""
        if not self._is_cut:
            self.effect.end()

    def pass_on(self, data: bytes) -> None:
        """Hand data to the next stage or to the sink."""
        self.passed_bytes += len(data)
        self.link.feed(data, self._next())

    def pass_end(self) -> None:
        """Hand the end to the next stage or to the sink."""
        self.link.end(self._next())

    def cut(self) -> None:
        """End the stream here; the whole connection closes once later stages let that through."""
        if not self._is_cut:
            self._is_cut = self.link.is_cut = True
            self.link.end(self._next())

    def reset(self) -> None:
        """Abort the connection, both sides, with RST."""
        self.link.connection.reset()

    def touch(self) -> None:
        """Count one more chunk (FIN, connection) that met the toxic, as proof that it acts."""
        self.toxic.touch()

    def after(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call back later, unless the stage has stopped by then."""
        timer = self.link.loop.after(delay_s, callback)
        self._timers = [each for each in self._timers if each.callback]
        self._timers.append(timer)
        return timer

    def change(self) -> None:
        """Begin anew with the toxic's settings as they are now."""
        self.effect.flush()
        self.stop()
        self.effect = self.toxic.kind.start(self)

    def stop(self) -> None:
        """Never act again: the toxic or the connection is gone."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _next(self) -> int:
        return self.link.stages.index(self) + 1


class Gate:
    """Holds chunks, and the end, each until it is due; never changes their order."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._queue: deque[tuple[float, bytes | None]] = deque()
        self._last_due_s = 0.0
        self._timer: Timer | None = None

    def hold(self, data: bytes | None, due_s: float) -> float:
        """Let data (None: the end) go at this monotonic time, or later if some before it must.

        Returns the time it is now due. ``inf`` holds it until a flush.
        """
        self._last_due_s = due_s = max(due_s, self._last_due_s)
        self._queue.append((due_s, data))
        self._stage.link.hold(_cost(data))
        self._arm()
        return due_s

    def spare(self, data: bytes | None) -> None:
        """Hand on at once if nothing is held, else behind that."""
        if self._queue:
            self.hold(data, 0.0)
        else:
            self._pass(data)

    def flush(self) -> None:
        """Let all go now."""
        self._last_due_s = 0.0
        while self._queue:
            self._let_go()

    def _arm(self) -> None:
        if self._queue and not self._timer and self._queue[0][0] < float("inf"):
            delay_s = max(0.0, self._queue[0][0] - time.monotonic())
            self._timer = self._stage.after(delay_s, self._release)

    def _release(self) -> None:
        self._timer = None
        now_s = time.monotonic()
        for _ in range(_RELEASES_AT_ONCE):
            if not self._queue or self._queue[0][0] > now_s or self._is_dead():
                break
            self._let_go()
        if not self._is_dead():
            self._arm()

    def _is_dead(self) -> bool:
        return self._stage.link.connection.is_closed

    def _let_go(self) -> None:
        data = self._queue.popleft()[1]
        self._stage.link.hold(-_cost(data))
        self._pass(data)

    def _pass(self, data: bytes | None) -> None:
        if data is None:
            self._stage.pass_end()
        else:
            self._stage.pass_on(data)


def _cost(data: bytes | None) -> int:
    return OVERHEAD_BYTES + (len(data) if data else 0)
