"""junit.xml of a run: one test case a scenario, for CI systems that show such files."""

from xml.etree import ElementTree as Xml

from harness.contract import Outcome, Verdict
from harness.run import Run, Scenario

_CONTROL = {code: "�" for code in range(32) if chr(code) not in "\t\n\r"}
"""XML has no way to write most control characters."""


def junit(run: Run) -> str:
    """The document. A broken clause is a failure, one that could not be judged is skipped."""
    cases = [_case(each) for each in run.scenarios]
    suite = Xml.Element(
        "testsuite",
        name="mayfly",
        tests=str(len(cases)),
        failures=str(sum(each.find("failure") is not None for each in cases)),
        skipped=str(sum(each.find("skipped") is not None for each in cases)),
        errors="0",
        time=f"{run.duration_s:.3f}",
        timestamp=run.began_at,
    )
    conditions = {"seed": run.seed, "exit status": run.exit_status, **run.conditions}
    suite.append(_properties({name: str(value) for name, value in conditions.items()}))
    suite.extend(cases)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suite, encoding="unicode")


def _case(scenario: Scenario) -> Xml.Element:
    file, _, name = scenario.node_id.partition("::")
    duration_s = scenario.history.ended_s - scenario.history.began_s
    case = Xml.Element(
        "testcase",
        classname=_clean(file.removesuffix(".py").replace("/", ".")),
        name=_clean(name or scenario.name),
        time=f"{duration_s:.3f}",
    )
    case.append(_properties(_told(scenario)))
    broken = [each for each in scenario.verdicts if each.verdict is Outcome.BROKEN]
    unjudged = [each for each in scenario.verdicts if each.verdict is Outcome.INCONCLUSIVE]
    if broken or scenario.conclusion == "failed":
        _tell(case, "failure", broken, scenario.message)
    elif unjudged or scenario.conclusion != "judged":
        _tell(case, "skipped", unjudged, scenario.message)
    return case


def _told(scenario: Scenario) -> dict[str, str]:
    """What a CI system may show of a scenario: its promise, and each clause's verdict."""
    verdicts = {
        each.id: f"{each.verdict}: measured {each.measured} {each.unit}, promised {each.promised}"
        for each in scenario.verdicts
    }
    return {"promise": scenario.title, "repeat": scenario.repeat, **verdicts}


def _properties(values: dict[str, str]) -> Xml.Element:
    properties = Xml.Element("properties")
    for name, value in values.items():
        Xml.SubElement(properties, "property", name=_clean(name), value=_clean(value))
    return properties


def _tell(case: Xml.Element, kind: str, verdicts: list[Verdict], message: str) -> None:
    sentences = [f"{each.id} {each.verdict}: {each.sentence}" for each in verdicts]
    told = Xml.SubElement(case, kind, message=_clean("; ".join(sentences) or message))
    evidence = [line for each in verdicts for line in each.evidence]
    told.text = _clean("\n".join([message, *evidence]).strip())


def _clean(text: str) -> str:
    return text.translate(_CONTROL)
