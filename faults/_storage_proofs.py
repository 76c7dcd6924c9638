"""How storage faults show what they did: on connections of the harness's own, kept and new."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from harness.errors import FaultError
from harness.fault import Check, Stages, between, measured, shown
from harness.platforms.storage_link import Link, Outcome, outcomes
from harness.platforms.storage_path import StoragePath
from harness.proof import Measure

BACK_WITHIN_MS = 20.0
ROUND_TRIPS = 3  # of which the median is looked at
LINKS = 3  # connections that are looked at, kept ones and new ones each
_DRAWS = 20  # looks at a share
_SHARE_OFF = 0.35  # three standard deviations of the share of 20 draws at one half
_SILENCE_S = 0.5  # at least, and at least ten times what a round trip takes


@dataclass(frozen=True, slots=True)
class Twice:
    """One quantity on a connection that was there before, and on a new one."""

    what: str
    path: StoragePath
    unit: str
    kept: Callable[[], float]
    new: Callable[[], float]

    def before(self) -> Generator[Measure, float, tuple[float, float]]:
        """Measure both baselines; use with ``yield from``."""
        kept = yield measured(self._told("a kept"), self.kept, self.unit)
        new = yield measured(self._told("a new"), self.new, self.unit)
        return kept, new

    def within(self, least: Sequence[float], most: Sequence[float]) -> list[Check]:
        """Checks of both: bounds for the kept one, and for the new one."""
        return [
            between(self._told("a kept"), self.kept, least[0], most[0], self.unit),
            between(self._told("a new"), self.new, least[1], most[1], self.unit),
        ]

    def _told(self, which: str) -> str:
        return f"{self.what} on {which} connection through {self.path.name}"


def round_trips(path: StoragePath, link: Link, times: int, patience_s: float = 2.0) -> Twice:
    """The smallest exchange; the median of so many."""
    return Twice(
        "round trip",
        path,
        "ms",
        lambda: link.round_trip_ms(times),
        lambda: path.new_round_trip_ms(patience_s, times),
    )


def direct_before(path: StoragePath) -> Measure:
    """The baseline past the proxy."""
    return measured(
        f"round trip with {path.service} past the proxy", path.direct_round_trip_ms, "ms"
    )


def beside(path: StoragePath, rule: str, direct_ms: float) -> list[Check]:
    """What stands beside every effect: the proxy's count, and a service that is unharmed."""
    return [*counted(path, rule), direct_as_before(path, direct_ms)]


def direct_as_before(path: StoragePath, before_ms: float) -> Check:
    """The service itself is unharmed: past the proxy it answers as before."""
    statement = f"round trip with {path.service} past the proxy"
    return between(statement, path.direct_round_trip_ms, 0.0, before_ms + BACK_WITHIN_MS, "ms")


def counted(path: StoragePath, rule: str) -> list[Check]:
    """The proxy's own word, as a second statement; none where it does not count, as Toxiproxy."""
    if path.touched(rule) is None:
        return []
    return [
        shown(
            f"the proxy counts what met the rule on {path.name}",
            lambda: (path.touched(rule) or 0) > 0,
            lambda: f"{rule} touched {path.touched(rule)}",
        )
    ]


def gone(path: StoragePath, rules: Sequence[str]) -> Check:
    """By the proxy's word none of these rules is in force any more; others may be."""

    def is_gone() -> bool:
        in_force = {told.partition(" ")[0] for told in path.rules().split("; ")}
        return in_force.isdisjoint(rules)

    return shown(
        f"the proxy says that the fault's own rule is gone from {path.name}",
        is_gone,
        lambda: f"{', '.join(rules)} taken back, in force: {path.rules() or 'no rule'}",
    )


def remove_all(path: StoragePath, rules: Sequence[str]) -> Check:
    """Take each of them back, whatever becomes of the others; raises FaultError afterwards."""
    errors: list[FaultError] = []
    for rule in rules:
        try:
            path.remove(rule)
        except FaultError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else ExceptionGroup("taking rules back", errors)
    return gone(path, rules)


def whole(path: StoragePath, size: int) -> Check:
    """So many bytes come on a new connection, every bit of them right."""
    return between(
        f"bits that arrive wrong of {size} bytes on a new connection through {path.name}",
        lambda: path.new_flips(size),
        0,
        0,
        "bits",
    )


def back(path: StoragePath, before_ms: float) -> Check:
    """New connections are as quick as before."""
    return between(
        f"round trip on a new connection through {path.name}",
        path.new_round_trip_ms,
        0.0,
        before_ms + BACK_WITHIN_MS,
        "ms",
    )


@dataclass(frozen=True, slots=True)
class ShareLate:
    """Where a rule acts on a share only: how many of some draws are late."""

    path: StoragePath
    above_ms: float
    take: Callable[[int], Sequence[float]]
    """So many round trips, in ms."""

    def about(self, share: float) -> Check:
        """The share, as far as so few draws can tell."""
        least, most = max(1 / _DRAWS, share - _SHARE_OFF), min(1.0, share + _SHARE_OFF)
        return self._within(least, most)

    def none(self) -> Check:
        """Not one of as many draws."""
        return self._within(0.0, 0.0)

    def _within(self, least: float, most: float) -> Check:
        return between(
            f"share of {_DRAWS} draws on {self.path.name} that are late",
            lambda: sum(each > self.above_ms for each in self.take(_DRAWS)) / _DRAWS,
            least,
            most,
            "of all",
        )


def ended(
    path: StoragePath,
    begin: Callable[[], Sequence[Check]],
    end: Callable[[], Check],
    kept: Outcome,
    new: Outcome,
) -> Stages:
    """What comes of kept connections and of new ones while it lasts; afterwards all is well.

    ``begin`` gives what the proxy says of it, ``end`` what it says of its being undone.
    """
    new_ms = yield measured(
        f"round trip on a new connection through {path.name}", path.new_round_trip_ms, "ms"
    )
    direct_ms = yield direct_before(path)
    silence_s = max(_SILENCE_S, 10 * new_ms / 1e3)
    with path.kept(LINKS, silence_s) as links:
        told = begin()
        yield [
            _all("kept", path, kept, lambda: outcomes(links)),
            _all("new", path, new, lambda: path.new_outcomes(LINKS, silence_s)),
            *told,
            direct_as_before(path, direct_ms),
        ]
        undone = end()
        yield [
            # Nobody is left waiting for an answer that was swallowed.
            between(
                f"of {LINKS} kept connections through {path.name} those that do not hang",
                lambda: sum(not link.hangs() for link in links),
                LINKS,
                LINKS,
                "connections",
            ),
            _all("new", path, Outcome.ANSWERED, lambda: path.new_outcomes(LINKS)),
            back(path, new_ms),
            undone,
        ]


def _all(
    kind: str, path: StoragePath, expected: Outcome, look: Callable[[], Sequence[Outcome]]
) -> Check:
    wanted = path.seen_as(expected)
    return between(
        f"of {LINKS} {kind} connections through {path.name} those that are {expected}",
        lambda: sum(each in wanted for each in look()),
        LINKS,
        LINKS,
        "connections",
    )


def flips_on_one(links: Sequence[Link], size: int) -> float:
    """Bits that arrive wrong, on the first connection whose framing is intact.

    Flips may hit the protocol's own words; such a connection is of no more use.
    """
    error: OSError = OSError("no connection is left")
    for link in links:
        if not link.is_spoilt:
            try:
                return link.fetch(size)
            except OSError as raised:
                error = raised
    raise error
