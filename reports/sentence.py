"""The verdict of a run in one or two sentences: the page's title and the summary's first line."""

from dataclasses import dataclass

from harness.contract import Outcome, Verdict
from harness.errors import ExitStatus
from harness.run import Run, Scenario
from reports.words import WORST_FIRST, clipped, counted, plural

_NAMED = 2  # so many broken clauses are named in the sentence; the scorecard names all
_LENGTH = 220  # of a finding's sentence in the headline; the scorecard's evidence holds all of it


@dataclass(frozen=True, slots=True)
class Remark:
    """What qualifies the headline: how bad it is, how many there are, and which."""

    kind: str  # broken | inconclusive
    opening: str
    rest: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict in parts, so that the page can set each in its own type."""

    opening: str
    remarks: tuple[Remark, ...] = ()

    def __str__(self) -> str:
        """All of it as plain text."""
        return " ".join([self.opening, *(f"{each.opening} {each.rest}" for each in self.remarks)])


def sentence(run: Run) -> str:
    """The verdict of the run as plain text."""
    return str(headline(run))


def worst(run: Run) -> dict[str, Verdict]:
    """Each clause's worst verdict by its id: a clause counts once, however often it was judged."""
    result: dict[str, Verdict] = {}
    for verdict in run.verdicts:
        known = result.get(verdict.id)
        if known is None or _badness(verdict) > _badness(known):
            result[verdict.id] = verdict
    return result


def headline(run: Run, *, going_on: bool = False) -> Headline:
    """The verdict of the run in its parts. ``going_on``: whether an unfinished one does."""
    by_clause = worst(run)
    remarks = (*_clause_remarks(run, by_clause), *_scenario_remarks(run))
    if not run.finished:  # what held so far may yet be broken
        how = "is going on" if going_on else "is unfinished"
        return Headline(f"This run {how}: {run.reach}.", remarks)
    return Headline(_opening(run, by_clause), remarks)


def _badness(verdict: Verdict) -> int:
    return -WORST_FIRST.index(verdict.verdict)


def _opening(run: Run, by_clause: dict[str, Verdict]) -> str:
    total = len(by_clause)
    held = sum(each.verdict is Outcome.HELD for each in by_clause.values())
    judged_in = plural(sum(bool(each.verdicts) for each in run.scenarios), "scenario")
    if total == 0:
        return f"Nothing was judged: {_why_nothing(run)}."
    if held == total:
        return f"{'The one clause' if total == 1 else f'All {total} clauses'} held in {judged_in}."
    of_all = f"of {plural(total, 'clause')} held."
    return f"{held} {of_all}" if held or total == 1 else f"None {of_all}"


def _why_nothing(run: Run) -> str:
    total = len(run.scenarios)
    if total == 0:
        return "the run has no scenario"
    skipped = sum(each.conclusion == "skipped" for each in run.scenarios)
    if skipped == total:
        return (
            "its one scenario was skipped" if total == 1 else f"all {total} scenarios were skipped"
        )
    return f"no verdict came from {plural(total, 'scenario')}"


def _clause_remarks(run: Run, by_clause: dict[str, Verdict]) -> tuple[Remark, ...]:
    remarks = []
    for outcome, one, many in (
        (Outcome.BROKEN, "is broken:", "are broken:"),
        (Outcome.INCONCLUSIVE, "could not be judged:", "could not be judged:"),
    ):
        found = [each for each in by_clause.values() if each.verdict is outcome]
        if found:
            opening = f"{counted(len(found))} {one if len(found) == 1 else many}"
            named = [_named(run, each) for each in found[:_NAMED]]
            remarks.append(Remark(str(outcome), opening, _listed(named, len(found))))
    return tuple(remarks)


def _named(run: Run, verdict: Verdict) -> str:
    same = [v for v in run.verdicts if (v.id, v.verdict) == (verdict.id, verdict.verdict)]
    also = f" (and in {plural(len(same) - 1, 'more scenario')})" if len(same) > 1 else ""
    said = clipped(verdict.sentence or verdict.statement, _LENGTH).rstrip(".")
    return f"{verdict.id}, {said}{also}"


def _scenario_remarks(run: Run) -> tuple[Remark, ...]:
    """Scenarios that said nothing, because silence must not be taken for a promise kept."""
    remarks = []
    failed = [each for each in run.scenarios if each.conclusion == "failed" and not _broke(each)]
    skipped = [each for each in run.scenarios if each.conclusion == "skipped"]
    for kind, found, verb in (("broken", failed, "failed"), ("inconclusive", skipped, "skipped")):
        if found:
            was = (
                verb if verb == "failed" else ("was skipped" if len(found) == 1 else "were skipped")
            )
            opening = f"{counted(len(found))} scenario{'' if len(found) == 1 else 's'} {was}:"
            named = [_reason(each) for each in found[:_NAMED]]
            remarks.append(Remark(kind, opening, _listed(named, len(found))))
    if run.exit_status == ExitStatus.HARNESS_FAILED:
        remarks.append(Remark("broken", "The harness itself failed or leaked:", "exit status 7."))
    return tuple(remarks)


def _broke(scenario: Scenario) -> bool:
    return any(each.verdict is Outcome.BROKEN for each in scenario.verdicts)


def _reason(scenario: Scenario) -> str:
    title = (scenario.title or scenario.name).rstrip(".")
    message = clipped(" ".join(scenario.message.split()), _LENGTH).rstrip(".")
    return f"{title} ({message})" if message else title


def _listed(named: list[str], total: int) -> str:
    more = f"; and {total - len(named)} more" if total > len(named) else ""
    return "; ".join(named) + more + "."
