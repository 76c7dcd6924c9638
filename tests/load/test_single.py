"""Single calls beside the load: the outcome of each is told."""

from collections.abc import Callable

from harness.load.plan import Plan
from harness.load.single import call
from tests.load.serving import Served

DEADLINE_EXCEEDED, UNAVAILABLE = 4, 14


def test_single_calls(server: Served, plan: Callable[..., Plan]) -> None:
    """Right answers, errors and missed deadlines come back as what they are; nothing is retried."""
    here = plan(id_prefix="single-")
    right = call(here, 2.0, count=5)
    assert [each.request_id for each in right] == [f"single-{n:07d}" for n in range(5)]
    assert all(each.is_correct and each.status == 0 for each in right)
    assert all(0 < each.took_s < 2.0 for each in right)

    server.behave("wrong")
    assert [(each.status, each.is_correct) for each in call(here, 2.0)] == [(0, False)]

    server.behave("unavailable")
    before = server.count()
    assert [each.status for each in call(here, 2.0, count=3)] == [UNAVAILABLE] * 3
    assert server.count() == (before[0] + 3, before[1] + 3)

    server.behave("silent")
    (late,) = call(here, 0.05)
    assert (late.status, late.is_correct) == (DEADLINE_EXCEEDED, False)
    assert 0.05 <= late.took_s < 1.0
