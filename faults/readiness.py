"""Faults of readiness: between the platform's probe and a replica, somebody else answers.

Any image can be tested so: the replica itself is left alone. _astray.py has the way it is done, and
what proves it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from faults._astray import asking, babble, led_astray, say
from harness.errors import FaultError
from harness.fault import Planned, Stages, between, fault, measured, shown
from harness.interposer import Interposer, Word
from harness.platform import Probed
from harness.surfaces import LIVENESS, READINESS, Answer

_GARBAGE = b"\x00\xff no protocol begins like this\r\n\r\n" * 4
_BACK_WITHIN_MS = 50.0  # of the latency before


@fault
def answer_ready(*replicas: Probed) -> Stages:
    """Says that they are ready, whatever they say themselves.

    Proven only where they are not: inject what breaks them before this, or beside it.
    """
    yield from say(replicas, _readiness_is(True), lambda asked: asked.hears_otherwise(ready=True))


@fault
def answer_unready(*replicas: Probed) -> Stages:
    """Says that they are not ready, whatever they say themselves."""
    yield from say(replicas, _readiness_is(False), lambda asked: asked.hears_otherwise(ready=False))


def flap(*replicas: Probed, period_s: float) -> Planned:
    """Says "ready" for half of each period, and "not ready" for the other half.

    The probe sees no more than two flips in two of its own periods, so ``period_s`` has to be at
    least that long. Raises FaultError where it is not above 0.
    """
    _demand("period_s", period_s)

    @fault
    def flap(*replicas: Probed) -> Stages:
        for replica in replicas:
            least_s = 2 * replica.probe_path().settings.period_s
            if period_s < least_s:
                raise FaultError(
                    f"flap: expected a period of at least {least_s:g} s, two of the probe's own, "
                    f"saw {period_s:g} s: the probe of {replica.name} would not see the flips"
                )
        flips = 2.0 / period_s
        yield from say(
            replicas,
            _Flapping(period_s),
            lambda asked: [
                between(
                    f"answers that the probe of {asked.name} heard flip in each second",
                    asked.flips_per_s,
                    0.5 * flips,
                    1.5 * flips,
                    "flips/s",
                    within_s=4 * period_s,
                ),
                asked.is_ready_itself(),
            ],
        )

    return flap(*replicas)


def answer_late(*replicas: Probed, delay_s: float) -> Planned:
    """Forwards each question, and its answer that much later: beyond the time-out of the probe.

    Raises FaultError where ``delay_s`` is not above 0.
    """
    _demand("delay_s", delay_s)

    @fault
    def answer_late(*replicas: Probed) -> Stages:
        with asking(replicas) as all_asked:
            before_ms = {}
            for asked in all_asked:
                before_ms[asked.name] = yield measured(
                    f"the latency of an answer to the probe of {asked.name}", asked.latency_ms, "ms"
                )
                if delay_s <= asked.path.settings.timeout_s:
                    raise FaultError(
                        f"answer_late: expected delay_s beyond the probe's time-out of "
                        f"{asked.path.settings.timeout_s:g} s, saw {delay_s:g} s"
                    )
            with led_astray(all_asked, lambda way: Interposer(way, lambda _: None, delay_s)):
                yield [check for asked in all_asked for check in asked.waits_in_vain()]
            yield [
                check
                for asked in all_asked
                for check in (
                    *asked.is_itself_again(),
                    between(
                        f"the latency of an answer to the probe of {asked.name}",
                        asked.latency_ms,
                        0.0,
                        before_ms[asked.name] + _BACK_WITHIN_MS,
                        "ms",
                    ),
                )
            ]

    return answer_late(*replicas)


@fault
def answer_garbage(*replicas: Probed) -> Stages:
    """Answers with bytes that are neither gRPC nor HTTP."""
    yield from babble(replicas, _GARBAGE)


@fault
def hang_up(*replicas: Probed) -> Stages:
    """Closes the connection instead of answering."""
    yield from babble(replicas, b"")


@fault
def disagree(*replicas: Probed, live: bool) -> Stages:
    """Says that they are live and not ready, or, ``live`` being false, ready and not live."""
    said = {**dict.fromkeys(LIVENESS, live), **dict.fromkeys(READINESS, not live)}
    words = f"{'live' if live else 'not live'}, and {'not ready' if live else 'ready'}"
    yield from say(
        replicas,
        said.get,
        lambda asked: [
            shown(
                f"the probe of {asked.name} is told that it is {words}",
                lambda: asked.heard(lambda told: _all_say(told, said)),
                asked.told,
            ),
            shown(
                f"{asked.name}, asked directly, says otherwise",
                lambda: not _all_say(asked.directly(), said),
                asked.says,
            ),
        ],
    )


@dataclass(slots=True)
class _Flapping:
    """Ready for half a period, then not; begins with the first question, a quarter in."""

    period_s: float
    _began_s: float | None = None

    def __call__(self, surface: str) -> bool | None:
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s - self.period_s / 4
        is_first_half = (now_s - self._began_s) % self.period_s < self.period_s / 2
        return not is_first_half if surface in READINESS else None


def _readiness_is(said: bool) -> Word:
    return lambda surface: said if surface in READINESS else None


def _all_say(answers: Mapping[str, Answer], said: Mapping[str, bool]) -> bool:
    return all(each.answer is said[surface] for surface, each in answers.items())


def _demand(name: str, value: float) -> None:
    if not value > 0:
        raise FaultError(f"expected {name} above 0, saw {value:g}")
