"""junit.xml of a run: one test case a scenario, for CI systems that show such files."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree as Xml

from harness.contract import Outcome, Verdict
from harness.run import Run, Scenario
from reports.untold import untold
from reports.words import measured, promised

_COLOURS = re.compile("\x1b\\[[0-9;?]*[ -/]*[@-~]")
"""What terminals take for colours and cursor moves, and readers of a log for dirt."""
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, however they are written."""


def junit(run: Run, page: str = "") -> str:
    """The document. A broken clause is a failure, one that could not be judged is skipped.

    ``page`` is where the report lies, as seen from where the tests ran.
    """
    cases = [_case(each, page) for each in run.scenarios]
    suite = Xml.Element(
        "testsuite",
        name="mayfly",
        tests=str(len(cases)),
        failures=str(sum(each.find("failure") is not None for each in cases)),
        skipped=str(sum(each.find("skipped") is not None for each in cases)),
        errors="0",
        time=f"{run.duration_s:.3f}",
        timestamp=_clean(run.began_at),
    )
    status = run.exit_status if run.finished else f"unfinished, {run.reach}"
    conditions = {"seed": run.seed, "exit status": status, **run.conditions}
    suite.append(_properties((name, str(value)) for name, value in conditions.items()))
    suite.extend(cases)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suite, encoding="unicode")


def _case(scenario: Scenario, page: str) -> Xml.Element:
    file, _, name = scenario.node_id.partition("::")
    duration_s = scenario.history.ended_s - scenario.history.began_s
    case = Xml.Element(
        "testcase",
        classname=_clean(file.removesuffix(".py").replace("/", ".")),
        name=_clean(name or scenario.name),
        file=_clean(file),
        time=f"{duration_s:.3f}",
    )
    case.append(_properties(_told(scenario)))
    broken = [each for each in scenario.verdicts if each.verdict is Outcome.BROKEN]
    unjudged = [each for each in scenario.verdicts if each.verdict is Outcome.INCONCLUSIVE]
    if broken or scenario.conclusion == "failed":
        _tell(case, "failure", broken, scenario)
    elif unjudged or scenario.conclusion != "judged":
        _tell(case, "skipped", unjudged, scenario)
    else:
        return case
    if page:
        # GitLab and Jenkins make a link of this line, where the file is kept as an artifact.
        Xml.SubElement(case, "system-out").text = _clean(f"[[ATTACHMENT|{page}]]")
    return case


def _told(scenario: Scenario) -> Iterable[tuple[str, str]]:
    """What a CI system may show of a scenario: its promise, and each clause's verdict."""
    yield "promise", scenario.title
    yield "repeat", scenario.repeat
    for each in scenario.verdicts:
        yield each.id, f"{each.verdict}: {measured(each)}, promised {promised(each)}"


def _properties(values: Iterable[tuple[str, str]]) -> Xml.Element:
    properties = Xml.Element("properties")
    for name, value in values:
        Xml.SubElement(properties, "property", name=_clean(name), value=_clean(value))
    return properties


def _tell(case: Xml.Element, kind: str, verdicts: list[Verdict], scenario: Scenario) -> None:
    """Many systems show the message in a list and the text on a page of its own."""
    sentences = [f"{each.id} {each.verdict}: {each.sentence}" for each in verdicts]
    told = Xml.SubElement(case, kind, message=_clean("; ".join(sentences) or scenario.message))
    if kind == "failure":
        told.set("type", "broken" if verdicts else scenario.conclusion)
    blocks = [untold(scenario), *map(_in_full, verdicts)]
    if scenario.repeat:
        blocks.append(f"To repeat: {scenario.repeat}")
    told.text = _clean("\n\n".join(filter(None, blocks)))


def _in_full(verdict: Verdict) -> str:
    compared = f"  measured {measured(verdict)}, promised {promised(verdict)}"
    evidence = [f"  - {line}" for line in verdict.evidence]
    first = f"{verdict.id} {verdict.verdict}: {verdict.sentence}"
    return "\n".join([first, compared, *evidence])


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", _COLOURS.sub("", text))
