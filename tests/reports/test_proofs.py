"""The proofs of each fault as one block, what lacks proof first."""

from dataclasses import replace

from harness.history import FaultRecord, Proof, Proofs
from reports.charts.bounds import within
from reports.page import render
from reports.proofs import Block, blocks, fault_name
from tests.reports import sample
from tests.reports.reading import read

_DONE = Proof("the process is gone", True, "exited", 115.02)
_SPARED = tuple(
    Proof(f"replica-{n} runs on undisturbed", True, "pid 7", 115.3 + n) for n in range(8)
)


def _fault(name: str = "kill", at_s: float = 115.0, **proofs: tuple[Proof, ...]) -> FaultRecord:
    known = {"effect": (_DONE,), "bystander": _SPARED, "restored": (_DONE,)}
    proof = Proofs(**{**known, **proofs})
    return FaultRecord("kill", name, ("replica-2",), at_s, at_s + 0.02, at_s + 6, None, proof)


def _blocks(*faults: FaultRecord) -> tuple[Block, ...]:
    return blocks(replace(sample.kill_scenario(10).history, faults=faults))


def test_unproven_faults_come_first_and_open() -> None:
    """What lacks a proof needs a reader; among equals the order is that of time."""
    false = replace(_DONE, proven=False)
    found = _blocks(_fault("b", 116.0), _fault("a"), _fault("late", 130.0, effect=(false,)))

    assert [each.name for each in found] == [f"{n} of replica-2" for n in ("late", "a", "b")]
    assert [each.open for each in found] == [True, False, False]
    assert [each.word for each in found] == ["not proven", "proven", "proven"]


def test_spared_bystanders_are_one_line() -> None:
    """Eight proofs that say the same are one sentence, and none of them is lost."""
    (found,) = _blocks(_fault())

    assert found.spared == "8 bystanders ran on undisturbed"
    assert [each.statement for each in found.folded] == [each.statement for each in _SPARED]
    assert [each.shows for each in found.rows] == ["effect", "undone"]


def test_other_statements_about_bystanders_are_counted_as_proofs() -> None:
    """The page puts no words into the mouth of a fault that speaks in its own."""
    own = (Proof("its neighbour still answers", True, "12 of 12", 115.4),)

    assert _blocks(_fault(bystander=own))[0].spared == "1 proof of bystanders, all proven"


def test_harmed_bystander_is_not_folded() -> None:
    """One bystander that was not spared brings them all to the fore."""
    harmed = (*_SPARED, replace(_SPARED[0], proven=False))
    (found,) = _blocks(_fault(bystander=harmed))

    assert not found.folded
    assert [each.outcome for each in found.rows if each.shows == "bystander"].count("broken") == 1
    assert found.open


def test_missing_proof_makes_the_fault_inconclusive() -> None:
    """Nothing shown is not the same as shown to be false, and neither is proven."""
    (found,) = _blocks(_fault(restored=()))

    assert (found.outcome, found.word) == ("inconclusive", "not proven")
    assert found.rows[-1].statement == "nothing was shown"


def test_times_of_a_fault_count_from_the_scenario() -> None:
    """Injected, shown, healed, and undone, or never."""
    times = {name: at.replace("\N{NO-BREAK SPACE}", " ") for name, at in _blocks(_fault())[0].times}

    assert times == {
        "injected": "15 s",
        "effect shown": "15.02 s",
        "healing": "21 s",
        "undone": "never",
    }


def test_measured_number_stands_in_its_bounds() -> None:
    """A number in the middle of its bounds is drawn there, and told in words."""
    bar = read(str(within(Proof("x", True, "", 0.0, 30.0, "ms", 20.0, 40.0)))).find("svg")[0]

    assert bar.attributes["aria-label"] == "measured 30 ms, expected 20 to 40"
    assert bar.find("rect", "mark")[0].attributes["x"] == "50.0%"


def test_number_far_out_of_bounds_stands_at_the_edge() -> None:
    """No mark leaves the bar, and none is drawn where there is no stretch or no number."""
    far = within(Proof("x", False, "", 0.0, 1e9, "ms", 20.0, 40.0))

    assert 'x="99.0%"' in far
    assert 'class="bar bounds broken"' in far
    assert not within(Proof("x", True, "", 0.0, 3.0, "", 3.0, 3.0))
    assert not within(Proof("x", True, "", 0.0, float("nan"), "", 1.0, 3.0))
    assert not within(Proof("x", True, "", 0.0, 3.0))


def test_fault_is_named_by_its_targets_once() -> None:
    """A name that already tells the target is not told twice."""
    assert fault_name(_fault()) == "kill of replica-2"
    assert fault_name(_fault("kill replica-2")) == "kill replica-2"


def test_page_keeps_many_faults_short() -> None:
    """Eight faults with eight bystanders each are eight closed blocks on the page."""
    scenario = sample.kill_scenario(10)
    faults = tuple(_fault(f"fault {n}", 115.0 + n) for n in range(8))
    scenario = replace(scenario, history=replace(scenario.history, faults=faults))
    page = read(render(sample.run(scenario)))

    assert len(page.find("details", "fault")) == 8
    assert not [each for each in page.find("details", "fault") if "open" in each.attributes]
    assert len(page.find("details", "spared")) == 8


def test_number_that_had_to_be_exact_is_told_once() -> None:
    """Bounds that are one number are no range."""
    exact = Proof("connections", False, "36 streams", 115.1, 36.0, "streams", 100.0, 100.0)

    assert _blocks(_fault(effect=(exact,)))[0].rows[0].seen == "36 streams (100 streams expected)"
