"""The control loop's decisions, on a clock that only these tests move."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.control import Launch, Order, Reconciler, Route, Stop

BACKOFF_S = [0, 10, 20, 40, 80, 160, 300, 300]
"""Kubernetes' restart back-off: doubled from 10 s up to 300 s; the first restart is immediate."""


def fleet(*, wanted: int = 3, time_scale: float = 1.0) -> Reconciler:
    """A fleet that was just ordered."""
    reconciler = Reconciler(wanted, time_scale)
    reconciler.start(0.0)
    return reconciler


def ready_fleet() -> Reconciler:
    """Three replicas, all ready and routed to since second 1."""
    reconciler = fleet()
    for name in reconciler.names:
        reconciler.probed(name, ready=True, now_s=1.0)
    return reconciler


def launch_in(orders: Sequence[Order]) -> Launch:
    """The one launch among the orders."""
    (launch,) = (order for order in orders if isinstance(order, Launch))
    return launch


def deaths(reconciler: Reconciler, lives_s: Sequence[float]) -> list[float]:
    """Let the replica of one place live so long, again and again; how long each successor waits."""
    now_s, name, waits_s = 0.0, reconciler.names[0], []
    for life_s in lives_s:
        reconciler.probed(name, ready=True, now_s=now_s)
        now_s += life_s
        launch = launch_in(reconciler.died(name, now_s))
        waits_s.append(launch.not_before_s - now_s)
        now_s, name = launch.not_before_s, launch.name
    return waits_s


def test_start_fills_all_places() -> None:
    """An empty fleet is filled at once: one launch for each place, nobody's successor."""
    orders = Reconciler(3).start(5.0)

    assert orders == [Launch(f"replica-{n + 1}", n, None, 5.0, "wanted") for n in range(3)]


def test_ready_when_all_places_are() -> None:
    """The fleet is ready when the last of its places is, and no earlier."""
    reconciler = fleet()

    assert not reconciler.ready()
    for name in ("replica-1", "replica-2"):
        reconciler.probed(name, ready=True, now_s=1.0)
        assert not reconciler.ready()
    reconciler.probed("replica-3", ready=True, now_s=1.0)
    assert reconciler.ready()


def test_unordered_fleet_is_not_ready() -> None:
    """A fleet of which nothing has been ordered yet is not ready."""
    assert not Reconciler(3).ready()


def test_routes_follow_readiness() -> None:
    """A replica is routed to once it is ready, together with those that already are."""
    reconciler = fleet()

    assert reconciler.probed("replica-2", True, 1.0) == [Route(("replica-2",))]
    assert reconciler.probed("replica-1", True, 1.1) == [Route(("replica-1", "replica-2"))]


def test_same_answer_changes_nothing() -> None:
    """A probe that says what it said before leads to no order."""
    reconciler = ready_fleet()

    assert reconciler.probed("replica-1", True, 2.0) == []
    assert fleet().probed("replica-1", False, 2.0) == []


def test_unready_is_unrouted_and_not_replaced() -> None:
    """A replica that stops being ready leaves the balancer, keeps its place, and may come back."""
    reconciler = ready_fleet()

    assert reconciler.probed("replica-2", False, 2.0) == [Route(("replica-1", "replica-3"))]
    assert list(reconciler.names) == ["replica-1", "replica-2", "replica-3"]
    assert reconciler.probed("replica-2", True, 3.0) == [
        Route(("replica-1", "replica-2", "replica-3"))
    ]


def test_dead_one_is_unrouted_before_its_successor_starts() -> None:
    """A death takes the dead one out of the balancer first, then orders a successor."""
    orders = ready_fleet().died("replica-2", 9.0, "killed")

    assert orders == [
        Route(("replica-1", "replica-3")),
        Launch("replica-4", 1, "replica-2", 9.0, "killed"),
    ]


def test_death_of_an_unrouted_one_leaves_the_routes() -> None:
    """The death of one that was not routed to orders a successor and no new routes."""
    orders = fleet().died("replica-1", 2.0)

    assert orders == [Launch("replica-4", 0, "replica-1", 2.0, "died")]


@pytest.mark.parametrize("stale", ["replica-2", "replica-99"])
def test_stale_signals_are_ignored(stale: str) -> None:
    """What is told of a replaced or unknown replica changes nothing, however often it is told."""
    reconciler = ready_fleet()
    reconciler.died("replica-2", 9.0)
    names = list(reconciler.names)

    assert reconciler.died(stale, 9.1) == []
    assert reconciler.probed(stale, True, 9.2) == []
    assert reconciler.probed(stale, False, 9.3) == []
    assert list(reconciler.names) == names


def test_successor_is_not_ready_yet() -> None:
    """A successor does not inherit readiness: it is routed to when it is ready itself."""
    reconciler = ready_fleet()
    reconciler.died("replica-1", 9.0)

    assert not reconciler.ready()
    assert reconciler.probed("replica-4", True, 10.0) == [
        Route(("replica-2", "replica-3", "replica-4"))
    ]


@pytest.mark.parametrize("time_scale", [1.0, 0.01])
def test_backoff_of_short_lives(time_scale: float) -> None:
    """The first successor starts at once, later ones after 10 s, 20 s ... 300 s times the scale."""
    waits_s = deaths(fleet(time_scale=time_scale), [time_scale] * 8)

    assert waits_s == pytest.approx([seconds * time_scale for seconds in BACKOFF_S])


def test_backoff_of_lives_that_were_never_ready() -> None:
    """A replica that dies before it ever was ready counts as a short life, however long it took."""
    reconciler = fleet()
    reconciler.died("replica-1", 700.0)

    assert launch_in(reconciler.died("replica-4", 2000.0)).not_before_s == 2010.0


@pytest.mark.parametrize("time_scale", [1.0, 0.01])
def test_long_life_is_forgiven(time_scale: float) -> None:
    """Running for 600 s (times the scale) after being ready forgives all earlier short lives."""
    lives_s = [seconds * time_scale for seconds in (1, 1, 1, 601, 1)]

    waits_s = deaths(fleet(time_scale=time_scale), lives_s)

    assert waits_s == pytest.approx([w * time_scale for w in (0, 10, 20, 0, 10)], abs=1e-9)


def test_just_too_short_to_be_forgiven() -> None:
    """599 s are no long life."""
    assert deaths(fleet(), [1, 599])[1] == 10.0


def test_unready_spell_does_not_shorten_a_life() -> None:
    """A life counts from when the replica first was ready, whatever its probes said since."""
    reconciler = fleet()
    reconciler.died("replica-1", 1.0)
    for ready, now_s in ((True, 2.0), (False, 590.0), (True, 600.0)):
        reconciler.probed("replica-4", ready, now_s)

    assert launch_in(reconciler.died("replica-4", 603.0)).not_before_s == 603.0


def test_places_wait_apart_from_each_other() -> None:
    """A place whose replicas die soon does not delay the replacement in another place."""
    reconciler = fleet()
    deaths(reconciler, [1, 1, 1])

    assert launch_in(reconciler.died("replica-2", 50.0)).not_before_s == 50.0


def test_endless_deaths_stay_within_the_limit() -> None:
    """The back-off stays at its limit however often a place has failed."""
    assert deaths(fleet(time_scale=0.01), [0.001] * 1100)[-1] == pytest.approx(3.0)


def test_growth_is_launched_at_once() -> None:
    """New places are filled without any back-off, also where others have had to wait."""
    reconciler = ready_fleet()
    deaths(reconciler, [1, 1, 1])

    assert reconciler.scale(5, 60.0) == [
        Launch("replica-7", 3, None, 60.0, "scaled up"),
        Launch("replica-8", 4, None, 60.0, "scaled up"),
    ]
    assert not reconciler.ready()


def test_shrinking_unroutes_then_stops() -> None:
    """The one that was ready last leaves the balancer first, is stopped then, and not replaced."""
    reconciler = fleet()
    for name, now_s in (("replica-2", 1.0), ("replica-3", 2.0), ("replica-1", 3.0)):
        reconciler.probed(name, ready=True, now_s=now_s)

    assert reconciler.scale(2, 9.0) == [
        Route(("replica-2", "replica-3")),
        Stop("replica-1", "scaled down"),
    ]
    assert reconciler.ready()
    assert reconciler.probed("replica-1", False, 9.1) == []
    assert reconciler.died("replica-1", 9.2) == []


def test_unready_ones_go_first() -> None:
    """A replica that is not ready is given up before one that is, however old it is."""
    reconciler = ready_fleet()
    reconciler.probed("replica-1", False, 5.0)

    assert reconciler.scale(2, 9.0) == [Stop("replica-1", "scaled down")]
    assert list(reconciler.names) == ["replica-2", "replica-3"]


def test_newest_goes_first_where_all_were_ready_together() -> None:
    """Among replicas as long ready as each other the one that was launched last goes first."""
    orders = ready_fleet().scale(1, 9.0)

    assert [order.name for order in orders if isinstance(order, Stop)] == ["replica-3", "replica-2"]


def test_place_is_taken_again_after_the_death() -> None:
    """While one still drains its place is not given to another; afterwards it is."""
    reconciler = ready_fleet()
    reconciler.scale(2, 9.0)

    assert launch_in(reconciler.scale(3, 9.5)).slot == 3
    reconciler.died("replica-3", 10.0)
    assert launch_in(reconciler.scale(4, 11.0)).slot == 2


def test_same_size_changes_nothing() -> None:
    """An order for what there is leads to no order."""
    assert ready_fleet().scale(3, 9.0) == []


def test_death_in_a_place_of_a_grown_fleet() -> None:
    """A replica that scaling brought is replaced as any other."""
    reconciler = ready_fleet()
    reconciler.scale(4, 9.0)

    assert launch_in(reconciler.died("replica-4", 10.0)) == Launch(
        "replica-5", 3, "replica-4", 10.0, "died"
    )


Signal = tuple[str, int, float]
signals = st.lists(
    st.tuples(
        st.sampled_from(["died", "ready", "unready", "scaled"]),
        st.integers(1, 12),
        st.floats(0.0, 700.0),
    ),
    max_size=40,
)


@given(wanted=st.integers(1, 5), told=signals)
def test_whatever_is_told(wanted: int, told: list[Signal]) -> None:
    """After any signals all places are filled by new names, and only ready replicas are routed.

    What is stopped was routed to no more when that was ordered, and is never launched again.
    """
    reconciler, now_s = Reconciler(wanted), 0.0
    orders = reconciler.start(now_s)
    launched = [order.name for order in orders if isinstance(order, Launch)]
    ready: set[str] = set()
    routed: tuple[str, ...] = ()
    for kind, number, pause_s in told:
        now_s, name = now_s + pause_s, f"replica-{number}"
        if kind == "died":
            orders = reconciler.died(name, now_s)
            ready.discard(name)
        elif kind == "scaled":
            wanted = number
            orders = reconciler.scale(wanted, now_s)
            ready &= set(reconciler.names)
        else:
            orders = reconciler.probed(name, kind == "ready", now_s)
            alive = name in reconciler.names
            ready = ready | {name} if alive and kind == "ready" else ready - {name}
        for order in orders:
            if isinstance(order, Launch):
                assert order.not_before_s >= now_s
                launched.append(order.name)
            elif isinstance(order, Route):
                assert order.names != routed
                routed = order.names
            else:
                assert order.name in launched
                assert order.name not in (*routed, *reconciler.names)

        assert len(set(reconciler.names)) == len(reconciler.names) == wanted
        assert len(set(launched)) == len(launched)
        assert set(reconciler.names) <= set(launched)
        assert set(routed) == ready <= set(reconciler.names)
        assert reconciler.ready() == (len(ready) == wanted)
