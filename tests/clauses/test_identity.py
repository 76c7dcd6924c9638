"""M1: which model answers, and whether its version says so."""

import pytest

from harness.clauses.identity import version_is_reproducible
from tests.clauses.histories import Story


def serving() -> Story:
    """Three replicas under load, one of them killed and replaced."""
    return Story().fleet(3).requests(rate_rps=50).kill("replica-2", at_s=5)


def test_named() -> None:
    """One version with one digest and golden answers holds."""
    finding = version_is_reproducible(serving().told())

    assert finding.held
    assert "1,500 answers and 4 starts named 1" in finding.sentence


def test_two_versions() -> None:
    """Two versions may differ in their digests, where their replicas list them."""
    story = serving().start("replica-5", at_s=9, version="2", versions="1, 2", digest="f" * 16)

    assert version_is_reproducible(story.told()).held


@pytest.mark.parametrize(
    ("columns", "remark"),
    [
        ({"correct": 0}, "differs from the golden answer"),
        ({"version": ""}, "names no version or no digest"),
        ({"digest": ""}, "names no version or no digest"),
        ({"version": "7"}, "names a version that its replica does not list"),
    ],
)
def test_one_bad_answer(columns: dict[str, object], remark: str) -> None:
    """One answer that is wrong, nameless or of an unlisted version breaks it, cited by its id."""
    finding = version_is_reproducible(serving().request("r-77", **columns).told())

    assert finding.held is False
    assert any("r-77" in line and remark in line for line in finding.evidence)


def test_another_digest_in_an_answer() -> None:
    """A version that answers with another digest than before breaks it."""
    finding = version_is_reproducible(serving().request("r-77", digest="f" * 16).told())

    assert finding.held is False
    assert finding.evidence == (f"version 1 has digests 0123456789abcdef and {'f' * 16}",)


def test_another_digest_at_a_start() -> None:
    """So does a version that starts with another digest than before."""
    story = serving().start("replica-5", at_s=9, digest="f" * 16, routed=False)

    assert version_is_reproducible(story.told()).held is False


def test_long_version() -> None:
    """A version longer than an answer's column is compared as far as the column goes."""
    long = "2026-11-22-candidate-7"
    story = Story().requests(rate_rps=10).start("replica-1", at_s=-5, version=long, versions=long)
    history = story.told()
    history.requests["version"] = long.encode()

    assert version_is_reproducible(history).held


def test_nameless_start() -> None:
    """A start that names no version breaks it."""
    story = serving().start("replica-5", at_s=9, version="", routed=False)

    finding = version_is_reproducible(story.told())

    assert finding.held is False
    assert "replica-5" in finding.evidence[0]


def test_wrong_though_failed_elsewhere() -> None:
    """A failed request names nothing, and that breaks nothing."""
    story = serving().request("r-77", status=14, version="", digest="", correct=-1)

    assert version_is_reproducible(story.told()).held


def test_no_answer() -> None:
    """Without an answer there is no evidence."""
    assert version_is_reproducible(Story().fleet(3).told()).held is None


def test_nothing_compared() -> None:
    """Without an answer that was compared with a golden one there is no evidence."""
    history = serving().told()
    history.requests["correct"] = -1

    assert version_is_reproducible(history).held is None


def test_metadata_untold() -> None:
    """Where no replica lists its versions, the answers' versions cannot be checked."""
    story = Story().requests(rate_rps=10).start("replica-1", at_s=-5, versions=None)

    assert version_is_reproducible(story.told()).held is None
