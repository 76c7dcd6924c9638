"""R4: grpc.health.v1 as its specification says."""

import pytest

from harness.clauses.health_service import health_is_conformant
from tests.clauses.histories import Story
from tests.clauses.witnessing import examined, sample, streams, witnessed


def watched() -> Story:
    """A replica that starts under the eyes of a witness."""
    return witnessed(Story().fleet(2).start("replica-3", at_s=5))


def test_conformant() -> None:
    """Right answers to each name, and a stream that tells of a start in time."""
    finding = health_is_conformant(watched().told())

    assert finding.held
    assert "3 changes of status" in finding.sentence


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"unknown": "SERVING"}, "an unknown service said SERVING"),
        ({"whole": "UNKNOWN"}, "the whole server said UNKNOWN"),
        ({"service": "UNAVAILABLE"}, "its inference service said UNAVAILABLE"),
        ({"watch_first_ms": 1500.0}, "first message after 1500.0 ms"),
        ({"watch_first_ms": None}, "Watch gave no message"),
    ],
)
def test_mistakes(other: dict[str, str | float | None], expected: str) -> None:
    """Each answer that is not as specified breaks it, cited with its replica."""
    finding = health_is_conformant(examined(watched(), "replica-1", at_s=9, **other).told())

    assert finding.held is False
    assert expected in finding.evidence[0]


def test_unregistered_service() -> None:
    """A server may register no name of its own."""
    story = examined(watched(), "replica-1", at_s=9, service="NOT_FOUND")

    assert health_is_conformant(story.told()).held


def test_not_offered() -> None:
    """A server without grpc.health.v1 does not pass, and the reason is told."""
    story = Story().fleet(1)
    missing = dict.fromkeys(("whole", "service", "unknown"), "UNIMPLEMENTED")
    examined(story, "replica-1", at_s=1, watch_first_ms=None, **missing)

    finding = health_is_conformant(story.told())

    assert finding.held is False
    assert finding.sentence == "grpc.health.v1 is not offered"


def test_late_news() -> None:
    """A change that the stream tells too late breaks it, and so does one that it never tells."""
    late, never = watched(), watched()
    for story in (late, never):
        sample(story, "replica-1", at_s=29.0, ready=False, correct=False)
        story.extra = [
            each
            for each in story.extra
            if each.kind != "witness" or each.subject != "replica-1" or each.time_s <= 1029.0
        ]
    streams(late, "replica-1", "NOT_SERVING", at_s=30.5)

    assert health_is_conformant(late.told()).measured == 1.5
    assert health_is_conformant(late.told()).held is False
    assert health_is_conformant(never.told()).held is False


def test_no_change() -> None:
    """Where nothing flipped there is no evidence of how soon it is told; nor without a look."""
    still = examined(Story().fleet(1), "replica-1", at_s=1)

    assert health_is_conformant(still.told()).held is None
    assert health_is_conformant(Story().fleet(1).told()).held is None
