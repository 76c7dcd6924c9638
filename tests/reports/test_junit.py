"""junit.xml: what CI systems read."""

from xml.etree import ElementTree as Xml

from reports.junit import junit
from tests.reports import sample, sample_hostile, sample_runs


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


def test_failure_text_is_enough_to_act_on() -> None:
    """It holds the finding, what was measured and promised, the evidence, and the command."""
    run = sample_runs.typical(200)
    broken = next(each for each in run.verdicts if each.verdict == "broken")

    (failure,) = Xml.fromstring(junit(run)).findall("testcase/failure")
    text = str(failure.text).replace("\N{NO-BREAK SPACE}", " ")

    assert failure.get("type") == "broken"
    assert failure.get("message") == f"T5 broken: {broken.sentence}"
    assert text.startswith(f"T5 broken: {broken.sentence}\n  measured 3.72 %, promised ≤ 0.1 %\n")
    assert all(f"  - {line}\n" in text for line in broken.evidence)
    assert text.endswith(
        "\n\nTo repeat: pytest faults/test_rescheduling.py::test_silent_kill --seed 8"
    )


def test_case_names_its_file() -> None:
    """CI systems lead from a case to its source."""
    cases = Xml.fromstring(junit(sample_runs.typical(50))).findall("testcase")

    assert {"faults/test_rescheduling.py", "faults/test_storage.py"} == {
        c.get("file") for c in cases
    }


def test_page_is_attached_where_something_is_to_be_seen() -> None:
    """Cases that did not hold name the report in the way that GitLab and Jenkins understand."""
    document = Xml.fromstring(junit(sample_runs.typical(50), "reports/runs/x/report.html"))

    for case in document.findall("testcase"):
        held = case.find("failure") is None and case.find("skipped") is None
        attached = case.findtext("system-out")
        assert attached == (None if held else "[[ATTACHMENT|reports/runs/x/report.html]]")


def test_clause_judged_twice_has_two_properties() -> None:
    """No verdict hides another one of the same clause."""
    verdicts = (sample.verdict("T5", "held", 1.0), sample.verdict("T5", "broken", 12.0))
    document = Xml.fromstring(junit(sample.run(sample.kill_scenario(20, verdicts=verdicts))))

    found = document.findall("testcase/properties/property[@name='T5']")
    assert [str(each.get("value")).partition(":")[0] for each in found] == ["held", "broken"]


def test_every_character_that_xml_forbids_is_replaced() -> None:
    """Colours of terminals vanish, other control characters leave a mark; the rest stays."""
    line = "\x1b[31;1mred\x1b[0m \x07 \ufffe \udc80 \x7f tab\t é 🙂"
    verdict = sample.verdict("T5", "broken", 12.0, sentence=line, evidence=(line,))

    content = junit(sample.run(sample.kill_scenario(20, verdicts=(verdict,))))
    text = str(Xml.fromstring(content.encode()).findtext("testcase/failure"))

    assert text.count("red � � � \x7f tab\t é 🙂") == 2
    assert "[31" not in text


def test_hostile_names_stay_text() -> None:
    """Markup in names, findings and commands adds no element."""
    document = Xml.fromstring(junit(sample_hostile.hostile(), sample_hostile.HOSTILE))

    assert not document.findall(".//img")
    assert sample_hostile.HOSTILE in str(document.findtext("testcase/failure"))


def _property(element: Xml.Element, name: str) -> str | None:
    found = element.find(f"properties/property[@name='{name}']")
    return None if found is None else found.get("value")
