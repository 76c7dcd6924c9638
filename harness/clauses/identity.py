"""Model identity: that every answer names its version, and that a version is always the same."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harness.clauses._wording import cite, count, few, missing
from harness.contract import Finding, Limits, clause
from harness.fleet import Life, lives
from harness.history import History
from harness.serving import answered_by, distinct
from harness.tables import CORRECT, NO_ANSWER, REQUEST, WRONG, Table

_VERSION_WIDTH, _DIGEST_WIDTH = (REQUEST[name].itemsize for name in ("version", "digest"))
"""An answer's version and digest are cut to fit; what a start tells must be cut as well."""


@clause("M1", "The model's version is named and means the same model: one digest, golden answers")
def version_is_reproducible(history: History, limits: Limits) -> Finding:  # noqa: ARG001
    """Every answer and every start names version and digest, and none contradicts another."""
    fleet = lives(history.events)
    requests = history.requests
    answers = requests if not requests["status"].any() else requests[requests["status"] == 0]
    starts = [life for life in fleet.values() if life.first_correct_s is not None]
    told = _told(history)
    wrong = requests[requests["correct"] == WRONG]
    nameless = answers[(answers["version"] == b"") | (answers["digest"] == b"")]
    unlisted = answers[_unlisted(answers, fleet, told)]
    digests = _digests(answers, starts)
    torn = {version: found for version, found in digests.items() if len(found) > 1}
    unnamed = [life.name for life in starts if not life.version or not life.digest]
    broken = len(wrong) + len(nameless) + len(unlisted) + len(torn) + len(unnamed)
    if not broken:
        lacking = _lacking(answers, starts, told)
        if lacking:
            return missing(0, "contradictions", lacking)
    evidence = few(
        (
            *(f"version {version} has digests {_listed(torn[version])}" for version in torn),
            *(f"{name} named no version or no digest at its start" for name in unnamed),
            *cite(history, wrong, ", differs from the golden answer"),
            *cite(history, nameless, ", names no version or no digest"),
            *cite(history, unlisted, ", names a version that its replica does not list"),
        )
    )
    sentence = (
        f"{count(len(answers), 'answer')} and {count(len(starts), 'start')} named "
        f"{', '.join(sorted(digests)) or 'no version'}: {len(wrong):,} answers were wrong, "
        f"{len(nameless) + len(unnamed):,} without a name, {len(unlisted):,} of an unlisted "
        f"version, and {count(len(torn), 'version')} had more than one digest"
    )
    return Finding(broken == 0, 0, broken, "contradictions", sentence, evidence)


def _told(history: History) -> dict[str, frozenset[str]]:
    """The versions that each replica's ModelMetadata listed at its start."""
    told = {}
    for event in history.of_kind("replica.first_correct"):
        listed = event.details.get("versions")
        if listed is not None:
            parts = (part.strip() for part in str(listed).split(","))
            told[event.subject] = frozenset(part[:_VERSION_WIDTH] for part in parts if part)
    return told


def _unlisted(
    answers: Table, fleet: Mapping[str, Life], told: Mapping[str, frozenset[str]]
) -> NDArray[np.bool_]:
    """Which answers name a version that the answering replica's metadata does not."""
    names = tuple(fleet)
    anyone = frozenset().union(*told.values())
    versions, version = distinct(answers["version"])
    wrong = np.zeros(len(answers), dtype=bool)
    if all(set(versions) <= listed for listed in told.values()):
        return wrong
    who = answered_by(answers["replica"], fleet)
    for place in np.unique(who):
        listed = told.get(names[place], anyone) if place >= 0 else anyone
        strange = np.array([bool(v) and bool(told) and v not in listed for v in versions])
        wrong |= (who == place) & strange[version]
    return wrong


def _digests(answers: Table, starts: list[Life]) -> dict[str, set[str]]:
    """The digests seen with each version, in answers and at starts."""
    found: dict[str, set[str]] = {}
    versions, version = distinct(answers["version"])
    digests, digest = distinct(answers["digest"])
    for pair in np.flatnonzero(np.bincount(version * max(len(digests), 1) + digest)):
        name, meant = versions[pair // len(digests)], digests[pair % len(digests)]
        if name and meant:
            found.setdefault(name, set()).add(meant)
    for life in starts:
        if life.version and life.digest:
            version_told = life.version[:_VERSION_WIDTH]
            found.setdefault(version_told, set()).add(life.digest[:_DIGEST_WIDTH])
    return found


def _lacking(answers: Table, starts: list[Life], told: Mapping[str, frozenset[str]]) -> str | None:
    if not len(answers) or not starts:
        seen = f"{count(len(answers), 'answer')} and {count(len(starts), 'start')}"
        return f"{seen} seen: both are needed"
    if np.all(answers["correct"] == NO_ANSWER) or not np.any(answers["correct"] == CORRECT):
        return "no answer could be compared with a golden one"
    if not told:
        return "no replica told which versions its metadata lists"
    return None


def _listed(digests: set[str]) -> str:
    return " and ".join(sorted(digests))
