"""Faults of one storage path: slow, narrow, refused, reset, swallowed, half-open, cut, corrupted.

Each shows what it did by clients of the harness's own that speak the service's protocol, on
connections that were there before and on new ones; by the proxy's count of what met the rule; and
by the service itself, which answers as before to who goes past the proxy.

What Toxiproxy calls toxicity is called ``share`` here.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Literal, ParamSpec, TypeAlias

from faults._storage_proofs import (
    BACK_WITHIN_MS,
    LINKS,
    ROUND_TRIPS,
    ShareLate,
    Twice,
    back,
    beside,
    counted,
    direct_before,
    ended,
    flips_on_one,
    gone,
    remove_all,
    round_trips,
    whole,
)
from harness.errors import FaultError, UnprovenError
from harness.fault import Check, Planned, Stages, between, fault, measured, shown
from harness.limits import Within, limited
from harness.platforms.storage_link import MOST_AT_ONCE_BYTES, Outcome
from harness.platforms.storage_path import StoragePath

Direction: TypeAlias = Literal["both", "upstream", "downstream"]
Per: TypeAlias = Literal["connection", "chunk"]

_PROBABILITY = Within(0.01, 1.0)
_PACKET_BYTES = 1_448  # of one small packet
Parameters = ParamSpec("Parameters")


def _jitter_leaves_delay(plan: Callable[Parameters, Planned]) -> Callable[Parameters, Planned]:
    """Refuse a jitter that could hide whether there is a delay at all. Goes under ``@limited``."""
    signature = inspect.signature(plan)

    @functools.wraps(plan)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Planned:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        latency_ms, jitter_ms = given.arguments["latency_ms"], given.arguments["jitter_ms"]
        if jitter_ms > latency_ms / 2:
            raise FaultError(
                f"the fault 'slow' cannot be planned: expected jitter_ms to be at most half of "
                f"latency_ms, {latency_ms / 2:g} ms, found {jitter_ms!r}; mend the call"
            )
        return plan(*args, **kwargs)

    return checked


@limited(latency_ms=Within(1, 30_000, "ms"), jitter_ms=Within(0, 30_000, "ms"), share=_PROBABILITY)
@_jitter_leaves_delay
@fault
def slow(
    path: StoragePath,
    latency_ms: float,
    jitter_ms: float = 0.0,
    share: float = 1.0,
    per: Per = "connection",
) -> Stages:
    """Answers come later, by ``latency_ms`` give or take up to ``jitter_ms``.

    ``share``: of the connections, or of the chunks of each, as ``per`` says.
    """
    patience_s = 2.0 + 2 * (latency_ms + jitter_ms) / 1e3
    back_within_ms = min(BACK_WITHIN_MS, latency_ms / 2)
    with path.kept(timeout_s=patience_s) as (link,):
        trips = round_trips(path, link, ROUND_TRIPS, patience_s)
        before = yield from trips.before()
        direct_ms = yield direct_before(path)
        rule = path.add(
            "latency",
            toxicity=share,
            per=per,
            latency=round(latency_ms),
            jitter=round(jitter_ms),
        )
        least_ms, most_ms = 0.9 * latency_ms - jitter_ms, 1.1 * latency_ms + jitter_ms + 40.0
        effect = trips.within(
            [each + least_ms for each in before], [each + most_ms for each in before]
        )
        restored = trips.within((0, 0), [each + back_within_ms for each in before])

        def draws(number: int) -> Sequence[float]:
            if per == "chunk":
                return [link.round_trip_ms(1) for _ in range(number)]
            return path.new_round_trips_ms(number, patience_s)

        if share < 1:
            late = ShareLate(path, max(before) + latency_ms / 2, draws)
            effect = [late.about(share)]
            restored = [*restored, late.none()]
        yield [*effect, *beside(path, rule, direct_ms)]
        path.remove(rule)
        yield [*restored, gone(path, [rule])]


@limited(rate_kbps=Within(1, 1_000_000, "KB/s of 1,000 bytes"))
@fault
def throttle(path: StoragePath, rate_kbps: float) -> Stages:
    """Answers come at ``rate_kbps`` kilobytes (1,000 bytes) a second and connection at most."""
    size = round(min(max(rate_kbps * 500, 2_000), MOST_AT_ONCE_BYTES))  # half a second's worth
    with path.kept() as (link,):
        rates = Twice(
            "rate",
            path,
            "KB/s",
            lambda: link.rate_kbps(size),
            lambda: path.new_rate_kbps(size),
        )
        before = yield from rates.before()
        direct_ms = yield direct_before(path)
        if min(before) < 2 * rate_kbps:
            raise UnprovenError(
                f"expected {path.name} to be at least twice as fast as {rate_kbps:g} KB/s, so that "
                f"a limit can be seen; it has {min(before):.0f} KB/s: choose a lower rate_kbps"
            )
        rule = path.add("bandwidth", rate=round(rate_kbps))
        seen = rates.within([0.6 * rate_kbps] * 2, [1.3 * rate_kbps] * 2)
        yield [*seen, *beside(path, rule, direct_ms)]
        path.remove(rule)
        # Rates vary far more than round trips: half of what it was, and well above the limit.
        least = [max(each / 2, 1.5 * rate_kbps) for each in before]
        yield [*rates.within(least, [100 * each for each in before]), gone(path, [rule])]


@fault
def refuse(path: StoragePath) -> Stages:
    """Nobody listens: connections that are open are reset, new ones are refused."""

    def begin() -> list[Check]:
        path.disable()
        deaf = f"the proxy says that {path.name} does not listen"
        return [shown(deaf, lambda: not path.is_enabled(), path.rules)]

    def end() -> Check:
        path.enable()
        listens = f"the proxy says that {path.name} listens"
        return shown(listens, path.is_enabled, path.rules)

    yield from ended(path, begin, end, Outcome.RESET, Outcome.REFUSED)


@fault
def reset(path: StoragePath) -> Stages:
    """Instead of an answer comes RST, on connections that are open and on new ones."""
    rules: list[str] = []

    def begin() -> list[Check]:
        rules.append(path.add("reset_peer", timeout=0))
        return counted(path, rules[0])

    yield from ended(path, begin, lambda: remove_all(path, rules), Outcome.RESET, Outcome.RESET)


@fault
def black_hole(path: StoragePath, direction: Direction = "both") -> Stages:
    """What is sent is swallowed, questions, answers or both: no refusal, no end, only silence.

    New connections are still taken, by the proxy: what they meet is a service that never answers.
    """
    rules: list[str] = []

    def begin() -> list[Check]:
        streams: Sequence[Literal["upstream", "downstream"]] = (
            ("upstream", "downstream") if direction == "both" else (direction,)
        )
        rules.extend(path.add("timeout", stream, timeout=0) for stream in streams)
        return counted(path, rules[0])

    yield from ended(path, begin, lambda: remove_all(path, rules), Outcome.SILENT, Outcome.SILENT)


@fault
def half_open(path: StoragePath) -> Stages:
    """The connections of now are dead and nobody is told; new ones work.

    So it is when a peer's machine, or a balancer's table of connections, is lost.
    """
    rules: list[str] = []

    def begin() -> list[Check]:
        rules.append(path.add("half_open"))
        return counted(path, rules[0])

    yield from ended(path, begin, lambda: remove_all(path, rules), Outcome.SILENT, Outcome.ANSWERED)


@limited(after_bytes=Within(0, MOST_AT_ONCE_BYTES // 2, "bytes"))
@fault
def cut(path: StoragePath, after_bytes: int) -> Stages:
    """Each connection is closed when ``after_bytes`` bytes of answers have come from now on."""
    asked = after_bytes + MOST_AT_ONCE_BYTES // 2
    with path.kept() as (link,):
        new_ms = yield measured(
            f"round trip on a new connection through {path.name}", path.new_round_trip_ms, "ms"
        )
        direct_ms = yield direct_before(path)
        rule = path.add("limit_data", bytes=after_bytes)
        seen = Twice(
            "bytes until the end",
            path,
            "bytes",
            lambda: link.bytes_until_end(asked),
            lambda: path.new_bytes_until_end(asked),
        ).within([after_bytes] * 2, [after_bytes] * 2)
        yield [*seen, *beside(path, rule, direct_ms)]
        path.remove(rule)
        yield [whole(path, asked), back(path, new_ms), gone(path, [rule])]


@limited(
    flips_per_mb=Within(0.0, 8e6, "bits of 1,000,000 bytes"),
    probability=_PROBABILITY,
    seed=Within(0, 2**63 - 1),
)
@fault
def flip_bits(
    path: StoragePath, flips_per_mb: float = 100.0, probability: float = 1.0, seed: int = 0
) -> Stages:
    """Bits of what is read are flipped; as many bytes come as were sent.

    Of each chunk that is hit, which happens with ``probability``, ``flips_per_mb`` bits for
    1,000,000 bytes, but at least one: so an answer that is small is hit as well.
    """
    size = MOST_AT_ONCE_BYTES
    least = max(1.0, 0.25 * probability * flips_per_mb)
    most = max(8.0, 2 * probability * (flips_per_mb + size / _PACKET_BYTES))
    with path.kept(LINKS) as links:
        statement = f"bits that arrive wrong of {size} bytes on a kept connection"
        yield measured(f"{statement} through {path.name}", lambda: links[0].fetch(size), "bits")
        new_ms = yield measured(
            f"round trip on a new connection through {path.name}", path.new_round_trip_ms, "ms"
        )
        direct_ms = yield direct_before(path)
        rule = path.add(
            "corrupt", flips_per_mb=float(flips_per_mb), probability=float(probability), seed=seed
        )
        yield [
            between(
                f"{statement} through {path.name}",
                lambda: flips_on_one(links, size),
                least,
                most,
                "bits",
            ),
            between(
                f"of {LINKS} new connections through {path.name} those with a wrong answer",
                lambda: sum(path.is_damaged(size) for _ in range(LINKS)),
                1,
                LINKS,
                "connections",
            ),
            *beside(path, rule, direct_ms),
        ]
        path.remove(rule)
        yield [whole(path, size), back(path, new_ms), gone(path, [rule])]
