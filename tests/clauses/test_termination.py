"""T5: what it costs when a replica is killed."""

from harness.clauses.termination import kill_costs_nothing
from harness.contract import Limits
from tests.clauses.histories import Story


def killed() -> Story:
    """Three replicas under load, of which the second is killed after five seconds."""
    return Story().fleet(3).requests(rate_rps=100).kill("replica-2", at_s=5)


def test_retried() -> None:
    """Where every call that was in flight is retried with success, the promise holds."""
    finding = kill_costs_nothing(killed().told())

    assert finding.held
    assert finding.measured == 0
    assert finding.sentence.startswith("0 of 2,502 requests failed; 1 first attempt failed on")
    assert "replica-2 was killed at +5.000 s with 1 request in flight" in finding.evidence[0]


def test_lost() -> None:
    """A request that fails for good breaks it, cited with its id and time."""
    finding = kill_costs_nothing(killed().request("r-600", status=14, replica="").told())

    assert finding.held is False
    assert finding.measured == 1
    assert finding.evidence[0] == "request r-600: UNAVAILABLE from nobody, sent at +6.000 s"


def test_lost_before_the_kill() -> None:
    """A failure before the kill is none of its cost."""
    assert kill_costs_nothing(killed().request("r-100", status=14).told()).held


def test_lost_within_the_limit() -> None:
    """A platform may allow a number of lost requests."""
    history = killed().request("r-600", status=14).told()

    assert kill_costs_nothing(history, Limits(lost_after_retry=1)).held


def test_strange_status() -> None:
    """A failed attempt must say UNAVAILABLE or DEADLINE_EXCEEDED, for others are not retried."""
    finding = kill_costs_nothing(killed().attempt("r-600", status=13).told())

    assert finding.held is False
    assert finding.measured == "INTERNAL"


def test_bystander() -> None:
    """An attempt that fails on a replica which no fault was aimed at breaks it."""
    story = killed().attempt("r-600", status=14)
    story.call("r-600", "10.0.0.3:9000", "502", at_s=6)

    finding = kill_costs_nothing(story.told())

    assert finding.held is False
    assert "1 failed on replica-3" in finding.sentence
    assert "request r-600: attempt 1 ended UNAVAILABLE at +6.020 s on replica-3" in finding.evidence


def test_replacement_at_the_old_address() -> None:
    """A starting replica that took over the victim's address is not blamed for refused calls."""
    story = Story().fleet(3).requests(rate_rps=100)
    story.kill("replica-2", at_s=5, address="10.0.0.2:9000").attempt("r-560", status=14)
    story.call("r-560", "10.0.0.2:9000", "502", at_s=5.6)

    assert kill_costs_nothing(story.told()).held


def test_no_kill() -> None:
    """Without a killed replica there is no evidence, and a killed backing service is none."""
    calm = Story().fleet(3).requests(rate_rps=10)
    store = Story().fleet(3).requests(rate_rps=10).fault("kill", "store", at_s=5)

    assert kill_costs_nothing(calm.told()).held is None
    assert kill_costs_nothing(store.told()).held is None


def test_no_request() -> None:
    """A kill during which no request was sent costs nothing, and shows nothing."""
    story = Story().fleet(3).requests(rate_rps=100, to_s=4).kill("replica-2", at_s=5)

    finding = kill_costs_nothing(story.told())

    assert finding.held is None
    assert "no request was sent" in finding.sentence


def test_nobody_left() -> None:
    """Where every replica is killed, no retry can succeed: another promise's matter."""
    story = Story().fleet(1).requests(rate_rps=10, to_s=4).kill("replica-1", at_s=5)

    finding = kill_costs_nothing(story.told())

    assert finding.held is None
    assert "none was left to retry on" in finding.sentence


def test_no_balancer_log() -> None:
    """Without the balancer's log nobody knows whether anything was at stake: no verdict."""
    story = Story().fleet(3).requests(rate_rps=100).kill("replica-2", at_s=5)

    finding = kill_costs_nothing(story.without_access_log().told())

    assert finding.held is None
    assert "balancer's log" in finding.sentence


def test_nothing_at_stake() -> None:
    """A kill of a replica that nobody called shows nothing about what a kill costs."""
    story = Story().fleet(3).requests(rate_rps=100).start("replica-9", at_s=-3.0, routed=False)

    finding = kill_costs_nothing(story.kill("replica-9", at_s=5).told())

    assert finding.held is None
    assert "nothing was at stake" in finding.sentence
