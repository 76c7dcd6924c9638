"""junit.xml: what CI systems read."""

from xml.etree import ElementTree as Xml

from reports.junit import junit
from tests.reports import sample, sample_runs


def test_a_case_for_each_scenario() -> None:
    """Each scenario is one test case, with its promise and the command that repeats it."""
    run = sample_runs.typical(200)

    document = Xml.fromstring(junit(run))

    cases = document.findall("testcase")
    assert [each.title for each in run.scenarios] == [_property(case, "promise") for case in cases]
    assert [each.repeat for each in run.scenarios] == [_property(case, "repeat") for case in cases]


def test_broken_is_a_failure_and_unjudged_is_skipped() -> None:
    """The counts of the suite are those of its cases, and broken clauses are named."""
    run = sample_runs.typical(200)

    document = Xml.fromstring(junit(run))

    failures = document.findall("testcase/failure")
    skipped = document.findall("testcase/skipped")
    broken = {each.scenario for each in run.verdicts if each.verdict == "broken"}
    failed = {each.name for each in run.scenarios if each.conclusion == "failed"}
    assert len(failures) == len(broken | failed) > 0
    assert skipped
    assert document.get("failures") == str(len(failures))
    assert document.get("skipped") == str(len(skipped))
    assert all(each.get("message") for each in failures + skipped)


def test_what_xml_cannot_hold_is_replaced() -> None:
    """Control characters and markup in a condition do not break the document."""
    run = sample.run(conditions={"image": "\x00<b>&\x1b]]>"})

    document = Xml.fromstring(junit(run))

    assert "<b>&" in str(_property(document, "image"))


def _property(element: Xml.Element, name: str) -> str | None:
    found = element.find(f"properties/property[@name='{name}']")
    return None if found is None else found.get("value")
