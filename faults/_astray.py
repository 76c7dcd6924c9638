"""Leading the platform's probe astray, and holding what it is told there against the replica.

The replica itself is left alone. So each proof compares what the platform's probe was told with
what the replica says when it is asked directly, on a connection of the proof's own.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise

from harness.babbler import Babbler
from harness.fault import Check, Stages, between, shown
from harness.interposer import Interposer, Word
from harness.platform import Probed
from harness.probes import Heard, ProbePath
from harness.surfaces import Answer, Surfaces, Way, readiness


@dataclass(slots=True)
class Asked:
    """A replica, the way of its probe, and a connection past it."""

    name: str
    path: ProbePath
    surfaces: Surfaces
    since_s: float

    def rounds(self) -> list[Heard]:
        """What the platform's probe was told since it was led away, or back."""
        return self.path.heard_since(self.since_s)

    def heard(self, like: Callable[[dict[str, Answer]], bool]) -> bool:
        """Whether the last round was like that."""
        rounds = self.rounds()
        return bool(rounds) and like(dict(rounds[-1].answers))

    def directly(self) -> dict[str, Answer]:
        """What the replica says itself."""
        return self.surfaces.ask(http=True)

    def latency_ms(self) -> float:
        """What the probe waited for the answer that decides, the last time. Raises TimeoutError."""
        rounds = self.rounds()
        if not rounds:
            raise TimeoutError("the probe has not asked yet")
        return rounds[-1].answers["health"].latency_ms

    def flips_per_s(self) -> float:
        """How often the word on readiness changed from round to round, by the second."""
        rounds = self.rounds()
        words = [readiness(each.answers) for each in rounds]
        flips = [a is not b for a, b in pairwise(words)]
        return sum(flips) / (rounds[-1].time_s - rounds[0].time_s) if sum(flips) > 1 else 0.0

    def told(self) -> str:
        """What the probe was told last, in words."""
        rounds = self.rounds()
        return _words(rounds[-1].answers) if rounds else "the probe has not asked yet"

    def says(self) -> str:
        """What the replica says itself, in words."""
        return _words(self.directly())

    def is_ready_itself(self) -> Check:
        """For a fault that lies about a replica that is well."""
        return shown(
            f"{self.name}, asked directly, is ready",
            lambda: readiness(self.directly()) is True,
            self.says,
        )

    def is_itself_again(self) -> Sequence[Check]:
        """The probe hears from the replica what it says to others; nobody hears of the dead."""
        return (
            shown(
                f"the probe of {self.name} is told what {self.name} says itself",
                lambda: self.path.is_over or self.heard(self._agrees),
                lambda: "nobody asks it any more" if self.path.is_over else self.told(),
            ),
        )

    def hears_otherwise(self, *, ready: bool) -> Sequence[Check]:
        """The probe is told this, and the replica says the contrary."""
        word, contrary = ("ready", "not ready") if ready else ("not ready", "ready")
        return (
            shown(
                f"the probe of {self.name} is told that it is {word}",
                lambda: self.heard(lambda told: readiness(told) is ready),
                self.told,
            ),
            shown(
                f"{self.name}, asked directly, is {contrary}",
                lambda: (readiness(self.directly()) is True) is not ready,
                self.says,
            ),
        )

    def hears_nothing(self) -> Sequence[Check]:
        """The probe has no answer of any surface, and the replica is ready."""
        return (
            shown(
                f"no surface of {self.name} gives its probe an answer",
                lambda: self.heard(lambda told: all(a.answer is None for a in told.values())),
                self.told,
            ),
            self.is_ready_itself(),
        )

    def waits_in_vain(self) -> Sequence[Check]:
        """The probe waits for its whole time-out, and has no answer."""
        timeout_ms = self.path.settings.timeout_s * 1000
        waited = f"how long the probe of {self.name} waited, in vain"
        return (
            between(waited, self.latency_ms, 0.95 * timeout_ms, 1.5 * timeout_ms, "ms"),
            *self.hears_nothing(),
        )

    def _agrees(self, told: dict[str, Answer]) -> bool:
        directly = self.directly()
        return all(told[surface].answer is directly[surface].answer for surface in told)


@contextmanager
def asking(replicas: Sequence[Probed]) -> Iterator[list[Asked]]:
    """Connections of the proof's own to each of them."""
    with ExitStack() as stack:
        asked = []
        for replica in replicas:
            path = replica.probe_path()
            surfaces = Surfaces(path.direct, path.model, path.settings.timeout_s)
            stack.callback(surfaces.close)
            asked.append(Asked(replica.name, path, surfaces, 0.0))
        yield asked


@contextmanager
def led_astray(
    all_asked: Sequence[Asked], between_them: Callable[[Way], Interposer | Babbler]
) -> Iterator[None]:
    """Lead the probes astray, and back again."""
    with ExitStack() as stack:
        for asked in all_asked:
            interposer = between_them(asked.path.direct)
            stack.callback(interposer.close)
            stack.callback(asked.path.straighten)
            asked.path.lead(interposer.way)
            asked.since_s = time.monotonic()
        yield
    for asked in all_asked:
        asked.since_s = time.monotonic()


def say(
    replicas: Sequence[Probed], word: Word, effect: Callable[[Asked], Sequence[Check]]
) -> Stages:
    """A fault whose interposer says what ``word`` tells, from begin to end."""
    with asking(replicas) as all_asked:
        with led_astray(all_asked, lambda way: Interposer(way, word)):
            yield [check for asked in all_asked for check in effect(asked)]
        yield [check for asked in all_asked for check in asked.is_itself_again()]


def babble(replicas: Sequence[Probed], answer: bytes) -> Stages:
    """A fault that answers with these bytes, and no others, from begin to end."""
    with asking(replicas) as all_asked:
        with led_astray(all_asked, lambda _: Babbler(answer)):
            yield [check for asked in all_asked for check in asked.hears_nothing()]
        yield [check for asked in all_asked for check in asked.is_itself_again()]


def _words(answers: Mapping[str, Answer]) -> str:
    return ", ".join(f"{surface} {_word(each)}" for surface, each in answers.items())


def _word(each: Answer) -> str:
    said = "no answer" if each.answer is None else str(each.answer).lower()
    return f"{said} ({each.code})"
